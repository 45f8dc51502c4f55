//! Account heads: the row that every writing transaction takes first, and the commits it numbers.

use super::dialect::{self, Writes};
use super::schema::{account_heads, commits};
use super::{Db, Result};
use diesel::prelude::*;
use serde::Serialize;

/// The head of an account: next public numbers, and versions that tell what has moved.
#[derive(Queryable, Selectable, Insertable, Serialize, Clone, PartialEq, Eq, Debug)]
#[diesel(table_name = account_heads, treat_none_as_default_value = false)]
pub struct Head {
    /// The account's number.
    pub account_id: i32,
    /// Next journal entry.
    pub next_entry: i64,
    /// Next batch.
    pub next_batch: i64,
    /// Next customer.
    pub next_customer: i64,
    /// Next sale.
    pub next_sale: i64,
    /// Next rejection.
    pub next_rejection: i64,
    /// Next commit that has this account as its smallest.
    pub next_commit: i64,
    /// Rejections that are open faults.
    pub open_faults: i64,
    /// Raised by every change of customer keys but a new customer's own.
    pub keys_version: i64,
    /// Raised by every change of the account's configuration.
    pub config_version: i64,
}

impl Head {
    /// The head of a new account: all numbers from 1.
    pub fn new(account_id: i32) -> Head {
        Head {
            account_id,
            next_entry: 1,
            next_batch: 1,
            next_customer: 1,
            next_sale: 1,
            next_rejection: 1,
            next_commit: 1,
            open_faults: 0,
            keys_version: 1,
            config_version: 1,
        }
    }
}

/// Takes the heads of the accounts, which must be sorted: the first statement of every writing transaction.
/// Accounts that do not exist are missing from the answer.
pub fn take(db: &mut Db, accounts: &[i32]) -> Result<Vec<Head>> {
    dialect::lock_heads(db, accounts)
}

/// Reads heads without taking them.
pub fn read(db: &mut Db, account: i32) -> Result<Option<Head>> {
    Ok(account_heads::table
        .find(account)
        .select(Head::as_select())
        .first(db)
        .optional()?)
}

/// The configuration versions of all accounts.
pub fn config_versions(db: &mut Db) -> Result<Vec<(i32, i64)>> {
    Ok(account_heads::table
        .select((account_heads::account_id, account_heads::config_version))
        .load(db)?)
}

/// Writes a head back.
pub fn save(writes: &mut Writes<'_>, head: &Head) -> Result<()> {
    dialect::save_head(writes, head)
}

/// Writes the head of a new account.
pub fn create(db: &mut Db, head: &Head) -> Result<()> {
    diesel::insert_into(account_heads::table)
        .values(head)
        .execute(db)?;
    Ok(())
}

/// Notes the commit that is under way under the head it belongs to, and moves the head on.
pub fn note_commit(
    writes: &mut Writes<'_>,
    head: &mut Head,
    commit_id: &[u8; 16],
    now_us: i64,
) -> Result<()> {
    let row = CommitRow {
        account_id: head.account_id,
        nth: head.next_commit,
        commit_id,
        recorded_at: now_us,
    };
    dialect::insert_rows!(writes, commits, std::slice::from_ref(&row));
    head.next_commit = head.next_commit.saturating_add(1);
    Ok(())
}

#[derive(Insertable, Serialize)]
#[diesel(table_name = commits)]
struct CommitRow<'a> {
    account_id: i32,
    nth: i64,
    commit_id: &'a [u8],
    recorded_at: i64,
}

/// The id of an account's nth commit, if there is one.
pub fn commit_id(db: &mut Db, account: i32, nth: i64) -> Result<Option<Vec<u8>>> {
    Ok(commits::table
        .find((account, nth))
        .select(commits::commit_id)
        .first(db)
        .optional()?)
}

/// Whether a commit with this id was made, as far as commits are kept. There is no index for it: all are looked at.
pub fn was_made(db: &mut Db, commit_id: &[u8]) -> Result<bool> {
    let found: Option<i64> = commits::table
        .filter(commits::commit_id.eq(commit_id))
        .select(commits::nth)
        .first(db)
        .optional()?;
    Ok(found.is_some())
}

/// How many of an account's oldest commits one call of [`purge_commits`] looks at.
const PURGE_LOOK: i64 = 2048;

/// Deletes commits recorded before `before_us`, a bounded number of the oldest ones.
pub fn purge_commits(db: &mut Db, account: i32, before_us: i64) -> Result<()> {
    let oldest: Vec<(i64, i64)> = commits::table
        .filter(commits::account_id.eq(account))
        .order(commits::nth)
        .limit(PURGE_LOOK)
        .select((commits::nth, commits::recorded_at))
        .load(db)?;
    if let Some((nth, _)) = oldest.iter().take_while(|(_, at)| *at < before_us).last() {
        diesel::delete(
            commits::table
                .filter(commits::account_id.eq(account))
                .filter(commits::nth.le(nth)),
        )
        .execute(db)?;
    }
    Ok(())
}
