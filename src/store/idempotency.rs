//! Outcomes kept for requests that come again.

use super::dialect::{self, Writes};
use super::schema::idempotency;
use super::{Db, Failure, Result};
use crate::loyalty::once::{Id, Kept, Once};
use diesel::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// An outcome that was kept, and the fingerprint of the request it belongs to.
pub type Found = ([u8; 32], Kept);

/// Kept outcomes by what their requests are known by.
pub type Outcomes = HashMap<Id, Found>;

/// Names of one look-up: stays below the parameters that a statement may have.
const NAMES_PER_LOOKUP: usize = 500;
/// How many outcomes whose time is over one call of [`keep`] deletes, about.
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
    let mut found = Outcomes::new();
    for chunk in requests.chunks(NAMES_PER_LOOKUP) {
        let names: Vec<&str> = chunk.iter().map(|once| once.name.as_str()).collect();
        type Row = (String, String, String, Vec<u8>, String);
        let rows: Vec<Row> = idempotency::table
            .filter(idempotency::account_id.eq(account))
            .filter(idempotency::dialect.eq_any(distinct(chunk, |once| once.dialect)))
            .filter(idempotency::caller.eq_any(distinct(chunk, |once| &once.caller)))
            .filter(idempotency::name.eq_any(names))
            .filter(idempotency::expires_at.gt(now_us))
            .select((
                idempotency::dialect,
                idempotency::caller,
                idempotency::name,
                idempotency::fingerprint,
                idempotency::outcome,
            ))
            .load(db)?;
        for (dialect, caller, name, fingerprint, outcome) in rows {
            let broken = || Failure::Data(format!("the kept outcome {name} cannot be read"));
            let print = <[u8; 32]>::try_from(fingerprint).map_err(|_| broken())?;
            let kept = serde_json::from_str(&outcome).map_err(|_| broken())?;
            found.insert((dialect, caller, name), (print, kept));
        }
    }
    Ok(found)
}

fn distinct<'a>(requests: &[&'a Once], part: impl Fn(&'a Once) -> &'a str) -> Vec<&'a str> {
    let mut parts: Vec<&str> = requests.iter().map(|once| part(once)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Keeps the outcomes of requests that [`recall`] did not find, in the transaction that stores what they brought.
pub fn keep(db: &mut Db, account: i32, outcomes: &[(&Once, Kept)], now_us: i64) -> Result<()> {
    let over = || {
        idempotency::table
            .filter(idempotency::account_id.eq(account))
            .filter(idempotency::expires_at.le(now_us))
    };
    // A name may be used again when its time is over.
    for chunk in outcomes.chunks(NAMES_PER_LOOKUP) {
        let names: Vec<&str> = chunk.iter().map(|(once, _)| once.name.as_str()).collect();
        diesel::delete(over().filter(idempotency::name.eq_any(names))).execute(db)?;
    }
    let oldest: Vec<i64> = over()
        .order(idempotency::expires_at)
        .limit(PURGE_LOOK)
        .select(idempotency::expires_at)
        .load(db)?;
    if let Some(last) = oldest.last() {
        diesel::delete(over().filter(idempotency::expires_at.le(last))).execute(db)?;
    }
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
    let mut writes = Writes::new(db);
    dialect::insert_rows!(writes, idempotency, &rows);
    writes.flush()
}
