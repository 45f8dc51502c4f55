//! Takes the customers out of a world file before it is parsed.
//!
//! A parsed file is twenty times its text, and nearly all of a large file is customers. They are parsed a thousand at a
//! time instead. Only the beginnings of lines are looked at, so a file whose lines could mean something else (texts
//! over several lines) is left whole; so is one that is not written in the usual way.

use std::ops::Range;

/// Customers that are parsed together.
const TOGETHER: usize = 1_000;

const ACCOUNT: &str = "[[account]]";
const CUSTOMER: &str = "[[account.customer]]";
const OF_CUSTOMER: [&str; 2] = ["[[account.customer.", "[account.customer."];

/// Where the bytes of a parsed text stand in the file: pairs of an offset there and the offset here, growing.
pub(super) type Places = Vec<(usize, usize)>;

/// A file in pieces.
pub(super) struct Pieces {
    /// All but the customers.
    pub(super) rest: String,
    /// Where the rest stands.
    pub(super) places: Places,
    /// How many accounts the rest has.
    pub(super) accounts: usize,
    /// The customers: the place of their account, from 0, and their bytes.
    pub(super) runs: Vec<(usize, Range<usize>)>,
}

/// Splits a file; `None` if it has to be parsed as a whole.
pub(super) fn split(text: &str) -> Option<Pieces> {
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let mut pieces = Pieces {
        rest: String::new(),
        places: Vec::new(),
        accounts: 0,
        runs: Vec::new(),
    };
    let mut at = 0_usize;
    let mut in_run = false;
    let mut customers = 0_usize;
    for line in text.split_inclusive('\n') {
        let end = at.saturating_add(line.len());
        let begins = line.trim_start();
        if begins.starts_with(CUSTOMER) {
            // A customer above all accounts is an error; the parser says so.
            let account = pieces.accounts.checked_sub(1)?;
            if !in_run || customers >= TOGETHER {
                pieces.runs.push((account, at..at));
                customers = 0;
            }
            customers = customers.saturating_add(1);
            in_run = true;
        } else if begins.starts_with('[') && !OF_CUSTOMER.iter().any(|of| begins.starts_with(of)) {
            in_run = false;
            pieces.accounts = pieces
                .accounts
                .saturating_add(usize::from(begins.starts_with(ACCOUNT)));
        }
        match pieces.runs.last_mut() {
            Some((_, run)) if in_run => run.end = end,
            last => {
                if last.is_none_or(|(_, run)| run.end == at) {
                    pieces.places.push((pieces.rest.len(), at));
                }
                pieces.rest.push_str(line);
            }
        }
        at = end;
    }
    Some(pieces)
}
