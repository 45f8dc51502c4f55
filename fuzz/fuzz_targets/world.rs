//! Any text as a world file: read or refused, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _read = punchcard::world::read(text, chrono::DateTime::UNIX_EPOCH);
});
