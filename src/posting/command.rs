//! What posting is asked to do, and what comes of it: the one list of everything that writes to the journal.
//!
//! Belongs here: which rules and look-ups each kind of request has. Does not belong here: the rules themselves
//! ([`crate::loyalty`]), the order of the steps ([`super::group`]).

use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{self, Batch, Source};
use crate::loyalty::ledger::{BalanceKey, Ledger};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::outcome::Outcome;
use crate::loyalty::rows::{Decided, Rows};
use crate::loyalty::undo::{self, Found, Undo, Undone};
use crate::store::{Db, Result, batches, rejections};

/// What is to be posted.
#[derive(Debug)]
pub enum Command {
    /// A batch of transactions.
    Batch(Batch),
    /// The opposite of a batch.
    Undo(Undo),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// A batch was posted.
    Batch(Outcome),
    /// A batch was undone.
    Undo(Undone),
    /// Nothing: the request was posted before, and this is what was kept of it.
    Repeated(Kept),
}

/// Any of several iterators.
type Each<'c, T> = Box<dyn Iterator<Item = T> + 'c>;

impl Command {
    /// The account's number.
    pub fn account(&self) -> i32 {
        match self {
            Command::Batch(batch) => batch.source.account(),
            Command::Undo(undo) => undo.account,
        }
    }

    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.bytes(),
            Command::Undo(_) => size_of::<Undo>(),
        }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.lines.list.len(),
            Command::Undo(_) => 1,
        }
    }

    /// Authenticates it under the account's present configuration, and plans it again if that has moved.
    pub fn plan(&mut self, account: &Account) -> std::result::Result<(), Problem> {
        match self {
            Command::Batch(batch) => batch.plan(account),
            Command::Undo(_) => Ok(()),
        }
    }

    /// The version of the configuration that it was planned for.
    pub fn planned_for(&self) -> i64 {
        match self {
            Command::Batch(batch) => batch.planned_for(),
            Command::Undo(_) => 0,
        }
    }

    /// Looks up what it is about, under the account's head; or tells why it cannot be.
    pub fn look_up(&mut self, db: &mut Db) -> Result<std::result::Result<(), Problem>> {
        match self {
            Command::Undo(undo) => {
                undo.found = batches::to_undo(db, undo.account, undo.batch)?;
            }
            Command::Batch(batch) => {
                if let Some(rejection) = batch.source.rejection() {
                    let state = rejections::state(db, batch.source.account(), rejection)?;
                    let state = state.as_deref().unwrap_or("known");
                    if state != "open" {
                        return Ok(Err(Problem::new(Code::NotOpen)
                            .value(&rejection.to_string())
                            .detail(state)));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Whether it may be refused because too many faults are open: what closes one is not.
    pub fn may_add_faults(&self) -> bool {
        match self {
            Command::Batch(batch) => batch.source.rejection().is_none(),
            Command::Undo(_) => false,
        }
    }

    /// The codes and card numbers that it names; repeated ones are repeated.
    pub fn keys(&self) -> Each<'_, &str> {
        match self {
            Command::Batch(batch) => Box::new(batch.keys()),
            Command::Undo(_) => Box::new(std::iter::empty()),
        }
    }

    /// The balances that it touches, as far as their customers are known; repeated ones are repeated.
    pub fn balances<'c>(
        &'c self,
        account: &'c Account,
        ledger: &'c Ledger,
    ) -> Each<'c, BalanceKey> {
        match self {
            Command::Batch(batch) => Box::new(batch.balances(account, ledger)),
            Command::Undo(undo) => Box::new(undo.balances()),
        }
    }

    /// Decides it.
    pub fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> std::result::Result<Decided<'c, Done>, Problem> {
        Ok(match self {
            Command::Batch(batch) => done(batch::decide(account, batch, ledger), Done::Batch),
            Command::Undo(undo) => done(undo::decide(account, undo, ledger)?, Done::Undo),
        })
    }

    /// The batch whose lines, imported or refused, close older open faults with the same fingerprint. A replay closes
    /// the one it is about, and no other.
    pub fn supersedes(&self) -> Option<&Batch> {
        match self {
            Command::Batch(batch) if matches!(batch.source, Source::Caller(_)) => Some(batch),
            _ => None,
        }
    }

    /// The rejection that it closes when it is stored.
    pub fn closes(&self) -> Option<i64> {
        match self {
            Command::Batch(batch) => batch.source.rejection(),
            Command::Undo(_) => None,
        }
    }

    /// The batch that it undoes when it is stored, as it was found.
    pub fn undoes(&self) -> Option<(i64, &Found)> {
        match self {
            Command::Batch(_) => None,
            Command::Undo(undo) => Some((undo.batch, undo.found.as_ref()?)),
        }
    }

    /// What is kept of it for a request that comes again. The guard remembers only what brought an entry: a client that
    /// sends refused lines again after the cause is mended must not be told the old refusal.
    pub fn kept(once: &Once, rows: &Rows<'_>) -> Option<Kept> {
        let batch = rows.batch.as_ref()?;
        let remembered = !once.is_guarded() || !rows.entries.is_empty();
        remembered.then_some(Kept {
            batch: batch.number,
            first_rejection: batch.first_rejection,
        })
    }
}

fn done<O>(decided: Decided<'_, O>, of: impl Fn(O) -> Done) -> Decided<'_, Done> {
    Decided {
        outcome: of(decided.outcome),
        stored: decided.stored,
    }
}
