//! What jobs, webhooks, credits and consents of an account are numbered by, and the credits that are left.

use super::dialect::{Writes, rows::rows};
use super::schema::sync_heads;
use super::{Db, Failure, Result, credits};
use crate::loyalty::ledger::{Numbers, SyncNumbers};
use crate::loyalty::sync::credit::CreditKind;
use crate::loyalty::sync::rows::CreditRow;
use diesel::prelude::*;

rows! {
    struct HeadRow in sync_heads {
        account_id: i32,
        next_job: i64,
        next_event: i64,
        next_credit: i64,
        next_consent: i64,
        credits: Option<i64>,
    }
    key account_id;
    set next_job, next_event, next_credit, next_consent, credits
}

/// The next numbers of an account; `None` where it has no row, as after an older program has made the account.
pub fn find(db: &mut Db, account: i32) -> Result<Option<SyncNumbers>> {
    type Row = (i64, i64, i64, i64, Option<i64>);
    let row: Option<Row> = sync_heads::table
        .find(account)
        .select((
            sync_heads::next_job,
            sync_heads::next_event,
            sync_heads::next_credit,
            sync_heads::next_consent,
            sync_heads::credits,
        ))
        .first(db)
        .optional()?;
    Ok(
        row.map(|(job, event, credit, consent, credits)| SyncNumbers {
            job,
            event,
            credit,
            consent,
            credits,
        }),
    )
}

/// The next numbers of an account.
pub fn read(db: &mut Db, account: i32) -> Result<SyncNumbers> {
    find(db, account)?.ok_or_else(|| {
        Failure::Data(
            "the account was made by an older program: punchcard apply gives it what sync_data needs"
                .to_owned(),
        )
    })
}

/// Writes the next numbers back.
pub fn save(writes: &mut Writes<'_>, account: i32, numbers: &SyncNumbers) -> Result<()> {
    let row = HeadRow {
        account_id: account,
        next_job: numbers.job,
        next_event: numbers.event,
        next_credit: numbers.credit,
        next_consent: numbers.consent,
        credits: numbers.credits,
    };
    HeadRow::save(writes, std::slice::from_ref(&row))
}

/// Writes the next numbers of a new account, whose ledger of credits opens with what it is given; `None` is without limit.
pub fn create(db: &mut Db, account: i32, credits: Option<i64>, now_us: i64) -> Result<()> {
    let numbers = SyncNumbers {
        job: 1,
        event: 1,
        credit: 1,
        consent: 1,
        credits: None,
    };
    open(db, account, numbers, credits, now_us)
}

/// Gives an account whose credits were without limit these, if there are any to give; and what an older program has not
/// given it.
pub fn limit(db: &mut Db, account: i32, credits: Option<i64>, now_us: i64) -> Result<()> {
    match find(db, account)? {
        None => create(db, account, credits, now_us),
        Some(numbers) if numbers.credits.is_none() && credits.is_some() => {
            open(db, account, numbers, credits, now_us)
        }
        Some(_) => Ok(()),
    }
}

fn open(
    db: &mut Db,
    account: i32,
    mut numbers: SyncNumbers,
    credits: Option<i64>,
    now_us: i64,
) -> Result<()> {
    let entry = credits.map(|credits| CreditRow {
        number: Numbers::take(&mut numbers.credit),
        kind: CreditKind::Opening,
        amount: credits,
        balance_after: credits,
        job: None,
        note: None,
    });
    numbers.credits = credits;
    let mut writes = Writes::new(db);
    credits::save(&mut writes, account, entry.iter(), now_us)?;
    save(&mut writes, account, &numbers)?;
    writes.flush()
}
