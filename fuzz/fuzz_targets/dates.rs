//! Any text is read as a date or refused, and what was read is written back as the same day.
#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::dates::{self, Day};

fuzz_target!(|input: (bool, &str)| {
    let (old_generation, text) = input;
    if let Ok(day) = dates::read(text, old_generation) {
        assert_eq!(dates::read(&day.iso(), false), Ok(day));
        assert_eq!(Day::from_number(day.number()), Some(day));
        assert!(old_generation || dates::read(text, true) == Ok(day));
    }
});
