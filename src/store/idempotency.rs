//! Outcomes kept for requests that come again.

use super::dialect::{self, Writes};
use super::schema::idempotency;
use super::{Db, Failure, Result};
use crate::loyalty::once::{API15, GUARD, Id, Kept, Once, REPLAY};
use diesel::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// An outcome that was kept, and the fingerprint of the request it belongs to.
pub type Found = ([u8; 32], Kept);

/// What is kept of some requests.
#[derive(Default, Debug)]
pub struct Outcomes {
    /// The outcomes, by what the requests are known by.
    pub known: HashMap<Id, Found>,
    /// Names whose time is over: they may be used again.
    pub over: Vec<Id>,
}

/// How many outcomes whose time is over one call of [`purge`] deletes, about.
const PURGE_LOOK: i64 = 1000;

#[derive(Insertable, Serialize)]
#[diesel(table_name = idempotency)]
struct Row<'a> {
    account_id: i32,
    dialect: &'a str,
    caller: &'a str,
    name: &'a str,
    fingerprint: &'a [u8],
    outcome: String,
    expires_at: i64,
}

/// The outcomes that are kept for these requests at `now_us`.
pub fn recall(db: &mut Db, account: i32, requests: &[&Once], now_us: i64) -> Result<Outcomes> {
    let mut ids: Vec<(&str, &str, &str)> = requests
        .iter()
        .map(|once| (once.dialect, once.caller.as_str(), once.name.as_str()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut outcomes = Outcomes::default();
    for (dialect, caller, name, fingerprint, outcome, expires_at) in
        dialect::find_kept(db, account, &ids)?
    {
        let id = (dialect, caller, name);
        if expires_at <= now_us {
            outcomes.over.push(id);
            continue;
        }
        // Without its name, which a client chose.
        let broken = || Failure::Data("a kept outcome cannot be read".to_owned());
        let print = <[u8; 32]>::try_from(fingerprint).map_err(|_| broken())?;
        let kept = serde_json::from_str(&outcome).map_err(|_| broken())?;
        outcomes.known.insert(id, (print, kept));
    }
    Ok(outcomes)
}

/// Deletes outcomes of the account whose time is over, a bounded number of the oldest ones.
pub fn purge(db: &mut Db, account: i32, now_us: i64) -> Result<()> {
    let over = || {
        idempotency::table
            .filter(idempotency::account_id.eq(account))
            .filter(idempotency::expires_at.le(now_us))
    };
    let oldest: Vec<i64> = over()
        .order(idempotency::expires_at)
        .limit(PURGE_LOOK)
        .select(idempotency::expires_at)
        .load(db)?;
    if let Some(last) = oldest.last() {
        diesel::delete(over().filter(idempotency::expires_at.le(last))).execute(db)?;
    }
    Ok(())
}

/// Keeps the outcomes of requests that [`recall`] did not find, in the transaction that stores what they brought. `over`
/// are the names it found whose time is over.
pub fn keep(
    writes: &mut Writes<'_>,
    account: i32,
    outcomes: &[(&Once, Kept)],
    over: &[Id],
    now_us: i64,
) -> Result<()> {
    let db = writes.db()?;
    for (dialect, caller, name) in over {
        diesel::delete(idempotency::table.find((account, dialect, caller, name))).execute(db)?;
    }
    purge(db, account, now_us)?;
    let mut rows = Vec::with_capacity(outcomes.len());
    for (once, kept) in outcomes {
        rows.push(Row {
            account_id: account,
            dialect: once.dialect,
            caller: &once.caller,
            name: &once.name,
            fingerprint: &once.fingerprint,
            outcome: serde_json::to_string(kept)
                .map_err(|error| Failure::Data(error.to_string()))?,
            expires_at: i64::try_from(once.kept_s)
                .unwrap_or(i64::MAX)
                .saturating_mul(1_000_000)
                .saturating_add(now_us),
        });
    }
    rows.sort_unstable_by_key(|row| (row.dialect, row.caller, row.name));
    dialect::insert_rows!(writes, idempotency, &rows);
    Ok(())
}

/// The rows whose names begin with `prefix`, a colon at its end, and whose outcome is this batch or entry: a range of the
/// primary key, in which the outcome is looked at.
macro_rules! kept_as {
    ($account:expr, $caller:expr, $prefix:expr, $what:literal, $number:expr) => {
        idempotency::table
            .filter(idempotency::account_id.eq($account))
            .filter(idempotency::dialect.eq(API15))
            .filter(idempotency::caller.eq($caller))
            .filter(idempotency::name.ge($prefix))
            // The semicolon follows the colon.
            .filter(idempotency::name.lt($prefix.replace(':', ";")))
            .filter(idempotency::outcome.like(format!("{{\"{}\":{},%", $what, $number)))
    };
}

/// Forgets a batch of this user that was undone, as far as the duplicate guard knows it: sent again, it is posted again.
pub fn forget_guarded(db: &mut Db, account: i32, user_id: &str, batch: i64) -> Result<()> {
    diesel::delete(kept_as!(account, user_id, GUARD, "batch", batch)).execute(db)?;
    diesel::delete(kept_as!(account, user_id, GUARD, "people", batch)).execute(db)?;
    Ok(())
}

/// Forgets a single transaction of this user that was taken back, as far as the duplicate guard knows it: sent again, it is
/// posted again.
pub fn forget_guarded_entry(db: &mut Db, account: i32, user_id: &str, entry: i64) -> Result<()> {
    diesel::delete(kept_as!(account, user_id, GUARD, "entry", entry)).execute(db)?;
    Ok(())
}

/// Forgets a customer who was erased, as far as the duplicate guard knows it: sent again, it is created again, and single
/// transactions are posted again, to whoever has the code by then. All users of the account are looked through.
pub fn forget_guarded_customer(db: &mut Db, account: i32, customer: i64) -> Result<()> {
    let guarded = idempotency::table
        .filter(idempotency::account_id.eq(account))
        .filter(idempotency::dialect.eq(API15))
        .filter(idempotency::name.like(format!("{GUARD}%")))
        .filter(
            idempotency::outcome
                .like(format!("{{\"customer\":{customer},%"))
                .or(idempotency::outcome.like(format!("{{\"entry\":%,\"customer\":{customer}}}"))),
        );
    diesel::delete(guarded).execute(db)?;
    Ok(())
}

/// The rejection that became this batch when it was posted after all; `None` for other batches, and where it is not
/// kept any more.
pub fn replayed_as(db: &mut Db, account: i32, batch: i64) -> Result<Option<i64>> {
    let name: Option<String> = kept_as!(account, "", REPLAY, "batch", batch)
        .select(idempotency::name)
        .first(db)
        .optional()?;
    Ok(name.and_then(|name| name.strip_prefix(REPLAY)?.parse().ok()))
}

/// The batch that a rejection became when it was posted after all, as long as it is kept.
pub fn batch_of(db: &mut Db, account: i32, rejection: i64) -> Result<Option<i64>> {
    let outcome: Option<String> = idempotency::table
        .find((account, API15, "", format!("{REPLAY}{rejection}")))
        .select(idempotency::outcome)
        .first(db)
        .optional()?;
    let kept = outcome.and_then(|outcome| serde_json::from_str::<Kept>(&outcome).ok());
    Ok(kept.as_ref().and_then(Kept::batch).map(|kept| kept.batch))
}

/// Forgets what a rejection became: it can be posted once more.
pub fn forget_replay(db: &mut Db, account: i32, rejection: i64) -> Result<()> {
    let name = format!("{REPLAY}{rejection}");
    diesel::delete(idempotency::table.find((account, API15, "", name))).execute(db)?;
    Ok(())
}
