//! Customers forgotten: what is found of them, and what is left.
//!
//! Belongs here: which rows hold a copy of a person's data. Does not belong here: what tells that a text is about somebody
//! ([`crate::loyalty::customers::traces`]).
//!
//! Numbers stay, so that balances, entries and batches go on adding up; names, texts and ids go. Tables that can be large
//! are looked through before the writer is asked, and in it only behind the place where that has ended.

mod find;
mod forget;

pub use find::find;
pub use forget::forget;

/// Values of one statement.
const CHUNK: usize = 5_000;
