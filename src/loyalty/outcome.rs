//! What became of a batch and of its lines: what the caller is told.
//!
//! Belongs here: outcomes as values. Does not belong here: how they come about ([`super::batch`]) or look on a wire.

use crate::amount::{self, Amount};
use crate::error::Problem;

/// What became of a batch: what the caller is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The batch's number.
    pub batch: i64,
    /// Lines imported.
    pub transactions: usize,
    /// Lines refused: faults and declines.
    pub rejected: usize,
    /// Customers created.
    pub new_customers: usize,
    /// The first refused line and why.
    pub first_refused: Option<(u32, Problem)>,
    /// Whether nothing was stored because a line was refused and the sender wished it so.
    pub rejected_whole: bool,
    /// Whether this is only what would have become of it.
    pub dry_run: bool,
    /// Whether it is the outcome of an earlier request, which this one repeats.
    pub repeated: bool,
    /// What became of each line, where the sender wished to know.
    pub lines: Option<Vec<LineOutcome>>,
    /// What the sender should look at, where it wished for details: line number (0: the text as a whole) and text.
    pub warnings: Vec<(u32, &'static str)>,
}

/// What became of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineOutcome {
    /// Its number in the text.
    pub number: u32,
    /// What became of it.
    pub result: LineResult,
}

/// What became of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LineResult {
    /// It is an entry.
    Imported {
        /// The entry's number.
        entry: i64,
        /// What it changed the balance by.
        amount: Amount,
        /// How the amount came about; `None` where it is the amount as sent.
        formula: Option<Box<str>>,
        /// The balance after it.
        balance: Amount,
        /// Decimals of amount and balance.
        digits: u8,
    },
    /// It was refused.
    Refused(Box<Problem>),
}

/// The warning about an amount in which a comma was read as the decimal mark. Where a reward was named, no amount was.
pub fn comma_warning(given: &str, names_reward: bool) -> Option<&'static str> {
    let comma = !names_reward && amount::read(given).is_ok_and(|written| written.comma_decimal);
    comma.then_some("The comma was read as a decimal mark")
}

/// The warning about a text that is not UTF-8.
pub const CHARSET_WARNING: &str = "The text is not UTF-8 and was read as Windows-1252";
