//! Any bytes are decoded or refused, and any text can be shown, folded and cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::text;

fuzz_target!(|bytes: &[u8]| {
    match text::decode(bytes) {
        Ok(decoded) => {
            let value = &*decoded.text;
            assert!(!text::shown(value).chars().any(char::is_control));
            let folded = text::fold(value);
            assert_eq!(text::fold(&folded), folded);
            assert!(!text::too_long(text::cut(value, 64), 64));
        }
        Err(error) => assert_eq!(bytes.get(error.position - 1), Some(&error.byte)),
    }
});
