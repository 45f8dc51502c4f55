//! The `punchcard` program.
fn main() {}
