//! Whether all that was stored fits together: `punchcard verify`.
//!
//! Belongs here: the invariants of the database, checked by reading. Does not belong here: mending.
//!
//! All is read in one snapshot, so that a server may write meanwhile. Large tables are read in chunks by their primary
//! key; what is kept in memory is an entry per balance, a bit per customer and a range per date. A finding does not
//! hide what comes after it: each chain goes on from the row that was found wrong.
//!
//! | module | what it checks |
//! | --- | --- |
//! | [`report`] | nothing: how findings are told |
//! | `accounts` | accounts and their heads, rows of no account, commits |
//! | `config` | campaigns, and what entries may name |
//! | `customers` | customers and the codes and cards they hold |
//! | `entries` | the journal: numbers, chains, the range of each date |
//! | `entry` | one entry by itself: kind, amount, date, what it names |
//! | `balances` | balances against the chains of the journal |
//! | `reversals` | entries that reverse, and the table of reversals |
//! | `batches` | batches with their entries and rejections, line by line |
//! | `rejections` | the inbox |
//! | `sync` | jobs with their items, and the ledger of credits |
//! | `people` | contacts, the keys that people are found by, consents, purchases |
//! | `profiles` | the API 1.5 side of customers, and those who were erased |
//! | `sales` | sales, the ids they are found by, the points they have earned |
//! | `outbox` | webhooks and their tries |
//! | `search` | what customers are searched by |
//! | `images` | what is kept of customers to undo batches by |
//! | `idempotency` | what is kept of requests that come again |

mod accounts;
mod balances;
mod batches;
mod config;
mod customers;
mod entries;
mod entry;
mod idempotency;
mod images;
mod outbox;
mod people;
mod profiles;
mod rejections;
pub mod report;
mod reversals;
mod sales;
mod search;
mod sync;

#[cfg(test)]
mod tests;

pub use report::{Checked, Finding, Report};

use super::heads::Head;
use super::{Db, Result, dialect};
use config::Config;
use std::fmt::Display;

/// Rows read at a time from the large tables, and keys of one look-up: below SQLite's 32,766 parameters.
const CHUNK: i64 = 8192;

/// Checks all accounts, or the one with the id `account`; `None` if there is no such account.
///
/// `db` must not be in a transaction, and is best dropped afterwards: on MySQL it keeps the isolation of a snapshot, and
/// after an error it is still inside. `now_us`: microseconds since 1970 UTC.
pub fn run(db: &mut Db, account: Option<&str>, now_us: i64) -> Result<Option<Report>> {
    dialect::begin_snapshot(db)?;
    let report = examine(db, account, now_us)?;
    dialect::rollback(db)?;
    Ok(report)
}

/// As [`run`], inside a transaction that has begun.
fn examine(db: &mut Db, account: Option<&str>, now_us: i64) -> Result<Option<Report>> {
    let mut report = Report::default();
    let Some(list) = accounts::list(db, account, &mut report)? else {
        return Ok(None);
    };
    for (id, head) in list {
        let checked = one_account(db, &mut report, (id, head), now_us)?;
        report.checked.push(checked);
    }
    accounts::commits_of_batches(db, account, &mut report, now_us)?;
    Ok(Some(report))
}

fn one_account(
    db: &mut Db,
    report: &mut Report,
    (id, head): (String, Head),
    now_us: i64,
) -> Result<Checked> {
    let mut check = Check {
        db,
        account: head.account_id,
        id,
        head,
        config: Config::default(),
        now_us,
        report,
    };
    check.config = config::load(&mut check)?;
    accounts::head_and_commits(&mut check)?;
    let customers = customers::check(&mut check)?;
    let mut entries = entries::Entries::new(&customers, check.head.next_entry);
    let mut rejections = rejections::Rejections::new();
    let batches = batches::check(&mut check, &mut entries, &mut rejections)?;
    let (entries, chains) = entries.finish(&mut check)?;
    let rejections = rejections.finish(&mut check);
    reversals::check_table(&mut check)?;
    let numbers = sync::numbers(&mut check)?;
    let spent = sync::check_credits(&mut check, &numbers)?;
    let jobs = sync::check_jobs(&mut check, &numbers, &customers, spent)?;
    people::check(&mut check, &numbers, &customers)?;
    search::check(&mut check)?;
    profiles::check(&mut check, &customers)?;
    images::check(&mut check)?;
    sales::check(&mut check, &customers)?;
    outbox::check(&mut check, &numbers, &jobs)?;
    idempotency::check(&mut check, &jobs)?;
    let balances = balances::check(&mut check, chains)?;
    Ok(Checked {
        account: check.id,
        entries,
        balances,
        batches,
        rejections,
    })
}

/// One account under examination.
struct Check<'a> {
    db: &'a mut Db,
    account: i32,
    id: String,
    head: Head,
    config: Config,
    /// The time of the check, in microseconds since 1970.
    now_us: i64,
    report: &'a mut Report,
}

impl Check<'_> {
    /// Notes a finding.
    fn add(
        &mut self,
        table: &'static str,
        number: impl Display,
        is: impl Display,
        should: impl Display,
    ) {
        self.report.add(Finding {
            account: self.id.clone(),
            table,
            number: number.to_string(),
            is: is.to_string(),
            should: should.to_string(),
        });
    }
}

/// A number that may be absent, for a finding.
fn or_none(number: Option<impl Display>) -> String {
    number.map_or_else(|| "none".to_owned(), |number| number.to_string())
}
