//! The ledger of e-mail credits.

use super::dialect::{Writes, rows::rows};
use super::schema::credits;
use super::{Db, Result};
use crate::loyalty::sync::credit::CreditEntry;
use crate::loyalty::sync::rows::CreditRow;
use diesel::prelude::*;

rows! {
    struct Row<'a> in credits {
        account_id: i32,
        number: i64,
        kind: &'a str,
        amount: i64,
        balance_after: i64,
        job: Option<i64>,
        note: Option<&'a str>,
        recorded_at: i64,
    }
}

/// Writes entries.
pub fn save<'r, 'a: 'r>(
    writes: &mut Writes<'_>,
    account: i32,
    entries: impl Iterator<Item = &'r CreditRow<'a>>,
    now_us: i64,
) -> Result<()> {
    let rows: Vec<Row<'_>> = entries
        .map(|entry| Row {
            account_id: account,
            number: entry.number,
            kind: entry.kind.word(),
            amount: entry.amount,
            balance_after: entry.balance_after,
            job: entry.job,
            note: entry.note,
            recorded_at: now_us,
        })
        .collect();
    Row::save(writes, &rows)
}

/// The newest entries of an account, the newest first.
pub fn list(db: &mut Db, account: i32, limit: i64) -> Result<Vec<CreditEntry>> {
    type Columns = (i64, String, i64, i64, Option<i64>, Option<String>, i64);
    let rows: Vec<Columns> = credits::table
        .filter(credits::account_id.eq(account))
        .order(credits::number.desc())
        .limit(limit)
        .select((
            credits::number,
            credits::kind,
            credits::amount,
            credits::balance_after,
            credits::job,
            credits::note,
            credits::recorded_at,
        ))
        .load(db)?;
    let entries = rows.into_iter();
    let entries = entries.map(
        |(number, kind, amount, balance_after, job, note, recorded_at)| CreditEntry {
            number,
            kind,
            amount,
            balance_after,
            job,
            note,
            recorded_at,
        },
    );
    Ok(entries.collect())
}
