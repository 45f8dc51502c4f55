//! Bringing about what a world file says: compares with what is stored and writes the differences.
//!
//! Belongs here: the order of the transactions, and the report. Each account is one transaction for its configuration,
//! then one for each chunk of customers. Does not belong here: the format of the file ([`crate::world`]).
//!
//! | module | what it writes |
//! | --- | --- |
//! | `account` | accounts, users with their keys, brands |
//! | `campaigns` | campaigns with rewards, promotions, items |
//! | `customers` | customers with their codes, cards and opening balances |
//! | `same` | nothing: recognises stored customers |

mod account;
mod campaigns;
mod customers;
mod same;

use super::dialect::{self, Writes};
use super::heads::Head;
use super::{Db, Failure, heads};
use crate::dates;
use crate::secrets::{self, ServerKey};
use crate::text::shown;
use crate::world::World;
use chrono::{DateTime, Utc};
use std::fmt::Display;
use std::time::Duration;

pub use crate::secrets::account_context as secret_context;

/// Why the file was not brought about as a whole. What was committed before stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The file contradicts what is stored: what, and the remedy.
    Refused(String),
    /// The database failed.
    Failed(Failure),
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Refused(text) => f.write_str(text),
            Stop::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Failed(error.into())
    }
}

/// What was changed and what was found beyond the file, for a person. Secrets are never in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What was changed, line by line; empty if nothing was.
    pub changes: Vec<String>,
    /// What is in the database but not in the file, and stays: one line for each account.
    pub kept: Vec<String>,
}

/// Brings about what the file says. `report` has what was committed, also where it ends with an error; the same file
/// can be applied again then, and goes on where it was. The connection is a writer's, in no transaction.
///
/// # Errors
/// [`Stop`].
pub fn apply(db: &mut Db, key: &ServerKey, world: &World, report: &mut Report) -> Result<(), Stop> {
    for wanted in &world.accounts {
        let written = transact(db, |db, now| account::write(db, key, wanted, now))?;
        let begin = report.changes.len();
        report.changes.extend(written.lines);
        let mut kept = written.kept;
        let tally = customers::write_all(db, written.number, wanted);
        let (tally, stop) = match tally {
            Ok(tally) => (tally, None),
            Err((tally, stop)) => (tally, Some(stop)),
        };
        report.changes.extend(tally.lines());
        if !written.headed && report.changes.len() > begin {
            let line = format!("account {}:", shown(&wanted.id));
            report.changes.insert(begin, line);
        }
        if let Some(stop) = stop {
            return Err(stop);
        }
        kept.extend(customers::kept(db, written.number, &tally)?);
        if !kept.is_empty() {
            let line = format!("{} (account {})", kept.join("; "), shown(&wanted.id));
            report.kept.push(line);
        }
    }
    let others = account::others(db, world)?;
    if !others.is_empty() {
        report.kept.push(others.join("; "));
    }
    dialect::end_read(db)?;
    Ok(())
}

/// How often a transaction that gave way to another writer is tried.
const ATTEMPTS: u32 = 5;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Runs `work` in a transaction; again, if it gave way to another writer. `work` ends it with [`commit`] or, where
/// there is nothing to write, [`dialect::rollback`].
fn transact<T>(
    db: &mut Db,
    mut work: impl FnMut(&mut Db, DateTime<Utc>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        // A transaction that could not begin has done nothing: on SQLite somebody else writes for long.
        let (result, begun) = match dialect::begin(db) {
            Ok(()) => (work(db, Utc::now()), true),
            Err(failure) => (Err(failure.into()), false),
        };
        let Err(stop) = result else { return result };
        if begun {
            // The connection may be gone; then there is nothing to take back, and the next statement says so.
            let _ = dialect::rollback(db);
        }
        let again = !begun || matches!(stop, Stop::Failed(Failure::Conflict(_)));
        if !again || attempt >= ATTEMPTS {
            return Err(stop);
        }
        std::thread::sleep(wait);
        wait = wait.saturating_mul(2);
    }
    Err(Failure::Conflict("too many attempts".to_owned()).into())
}

/// Notes the commit under the head, writes the head back and commits.
fn commit(db: &mut Db, head: &mut Head, now: DateTime<Utc>) -> Result<(), Stop> {
    let commit_id =
        secrets::random_bytes::<16>().map_err(|error| Stop::Refused(error.to_string()))?;
    let mut writes = Writes::new(db);
    heads::note_commit(&mut writes, head, &commit_id, dates::micros(now))?;
    heads::save(&mut writes, head)?;
    writes.flush()?;
    dialect::commit(db)?;
    Ok(())
}

/// The fields of a row that changed, as the report shows them.
#[derive(Default)]
struct Diff(Vec<String>);

impl Diff {
    fn text(&mut self, name: &str, old: &str, new: &str) {
        if old != new {
            let line = format!("{name} \"{}\" -> \"{}\"", shown(old), shown(new));
            self.0.push(line);
        }
    }

    fn optional(&mut self, name: &str, old: Option<&str>, new: Option<&str>) {
        match (old, new) {
            (Some(old), Some(new)) => self.text(name, old, new),
            (None, Some(new)) => self.0.push(format!("{name} \"{}\"", shown(new))),
            (Some(old), None) => self.0.push(format!("{name} \"{}\" removed", shown(old))),
            (None, None) => {}
        }
    }

    fn value<T: PartialEq + Display>(&mut self, name: &str, old: T, new: T) {
        if old != new {
            self.0.push(format!("{name} {old} -> {new}"));
        }
    }

    fn word(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    /// The line of the report, if anything changed.
    fn line(self, what: &str, id: &str) -> Option<String> {
        let Diff(parts) = self;
        (!parts.is_empty()).then(|| format!("{what} {}: {}", shown(id), parts.join(", ")))
    }
}

/// The number after the greatest one.
fn next_number(numbers: impl Iterator<Item = i32>) -> i32 {
    numbers.max().unwrap_or(0).saturating_add(1)
}

/// Names what is stored but not in the file.
fn name_others<'a>(
    kept: &mut Vec<String>,
    what: &str,
    stored: impl Iterator<Item = &'a str>,
    in_file: impl Fn(&str) -> bool,
) {
    for id in stored.filter(|id| !in_file(id)) {
        kept.push(format!("{what} {}", shown(id)));
    }
}
