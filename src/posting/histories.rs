//! The entries of balances, read in pieces for requests that tell them.
//!
//! Belongs here: how far a history was read, and reading on. Does not belong here: one balance's chain
//! ([`crate::store::history`]).

use super::{Poster, reading};
use crate::error::Problem;
use crate::loyalty::ledger::{Balance, BalanceKey};
pub use crate::store::history::Listed;
use crate::store::history::{self, STEPS};
use crate::store::{Db, Failure};
use std::collections::VecDeque;

/// The entries of one balance, as far as they were read.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Chain {
    /// The entry that is read next; `None` at the end.
    next: Option<i64>,
    /// What was read and not told yet, newest first.
    read: VecDeque<Listed>,
}

/// How far a history was read: the newest entries of all its balances come first. Entries that came after its beginning are
/// not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryAt {
    account: i32,
    chains: Vec<Chain>,
}

impl HistoryAt {
    /// The beginning: the newest entries of these balances.
    pub fn beginning(account: i32, balances: &[(BalanceKey, Balance)]) -> HistoryAt {
        let chain = |(_, balance): &(BalanceKey, Balance)| Chain {
            next: Some(balance.last_entry),
            read: VecDeque::new(),
        };
        HistoryAt {
            account,
            chains: balances.iter().map(chain).collect(),
        }
    }

    /// Reads the next entries that are listed, at most so many; fewer at the end only.
    fn read(&mut self, db: &mut Db, at_most: usize) -> Result<Vec<Listed>, Failure> {
        let share = STEPS.checked_div(i64::try_from(self.chains.len()).unwrap_or(i64::MAX));
        let wanted = i64::try_from(at_most).unwrap_or(i64::MAX);
        let steps = share.unwrap_or(STEPS).max(LEAST_STEPS).min(wanted.max(1));
        let mut found = Vec::new();
        while found.len() < at_most {
            for chain in &mut self.chains {
                while let (true, Some(from)) = (chain.read.is_empty(), chain.next) {
                    let (listed, next) = history::read(db, self.account, from, steps)?;
                    chain.read.extend(listed);
                    chain.next = next;
                }
            }
            self.chains.retain(|chain| !chain.read.is_empty());
            let newest = |chain: &&mut Chain| chain.read.front().map(|listed| listed.number);
            let Some(chain) = self.chains.iter_mut().max_by_key(newest) else {
                break;
            };
            found.extend(chain.read.pop_front());
        }
        Ok(found)
    }
}

/// The fewest entries that are read of a balance at a time, where there are many balances.
const LEAST_STEPS: i64 = 20;

impl Poster {
    /// The next entries of a history, at most so many, and how far it is read then; fewer at the end only.
    pub async fn history(
        &self,
        mut from: HistoryAt,
        at_most: usize,
    ) -> Result<(Vec<Listed>, HistoryAt), Problem> {
        let readers = self.readers.clone();
        reading(move || {
            let listed = from.read(&mut *readers.get()?, at_most)?;
            Ok((listed, from))
        })
        .await
    }
}
