//! Any text is read as an amount or refused, and what was read is written back as the same number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::amount::{self, Amount, Exact};

fuzz_target!(|text: &str| {
    if let Ok(written) = amount::read(text) {
        let read = written.amount;
        assert!(Amount::ZERO <= read && read <= Amount::LINE_MAX);
        assert_eq!(
            amount::read(&read.text(0)).map(|again| again.amount),
            Ok(read)
        );
        assert_eq!(Exact::from(read).rounded(4), Some(read));
    }
    if let Ok(read) = amount::read_config(text) {
        assert!(Amount::ZERO <= read && read <= Amount::BALANCE_MAX);
        assert_eq!(amount::read_config(&read.text(4)), Ok(read));
    }
});
