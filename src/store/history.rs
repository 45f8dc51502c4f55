//! The entries of a balance, newest first.
//!
//! Belongs here: chains of entries walked in pieces, and single entries. Does not belong here: what is shown of them.

use super::dialect::history::{Step, chain};
use super::schema::{journal, reversals};
use super::{Db, Failure, Result, batches};
use crate::amount::Amount;
use crate::dates::Day;
use crate::loyalty::account::Account;
use crate::loyalty::ledger::{BalanceKey, Entry, EntryKind};
use crate::loyalty::reverse::FoundEntry;
use crate::loyalty::single::Receipt;
use crate::loyalty::undo::Original;
use diesel::prelude::*;

/// The most entries of one look.
pub const STEPS: i64 = 500;

/// An entry as histories list it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its number.
    pub number: i64,
    /// Whether it is a redemption.
    pub redeem: bool,
    /// The amount as it is shown: of redemptions what they took, of all others what they changed.
    pub amount: Amount,
    /// The day it counts for.
    pub date: Day,
    /// When it was recorded, in microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The user who posted it.
    pub user: Option<i32>,
    /// The authorization as sent.
    pub authorization: Option<Box<str>>,
}

/// A piece of a balance's entries: those that are listed, newest first, and the entry behind the last one that was looked
/// at. Reversals and what they reverse are not listed.
pub fn read(
    db: &mut Db,
    account: i32,
    from: i64,
    steps: i64,
) -> Result<(Vec<Listed>, Option<i64>)> {
    let rows = chain(db, account, from, steps)?;
    let next = rows.last().and_then(|row| row.7);
    let is_listed = |row: &Step| row.1 != EntryKind::Reversal.stored() && row.8.is_none();
    let listed = rows.into_iter().filter(is_listed).map(listed);
    Ok((listed.collect::<Result<_>>()?, next))
}

fn listed(row: Step) -> Result<Listed> {
    let (number, kind, amount, date, recorded_at, user, authorization, ..) = row;
    let redeem = kind == EntryKind::Redeem.stored();
    let shown = match redeem {
        true => amount.saturating_neg(),
        false => amount,
    };
    Ok(Listed {
        number,
        redeem,
        amount: Amount::from_raw(shown),
        date: day(number, date)?,
        recorded_at,
        user,
        authorization: authorization.map(String::into_boxed_str),
    })
}

fn day(number: i64, date: i32) -> Result<Day> {
    let unreadable = || Failure::Data(format!("the date {date} of entry {number} is no day"));
    Day::from_number(date).ok_or_else(unreadable)
}

fn reverser(db: &mut Db, account: i32, entry: i64) -> Result<Option<i64>> {
    Ok(reversals::table
        .find((account, entry))
        .select(reversals::by_entry)
        .first(db)
        .optional()?)
}

/// The entry with this number, as it has to be known to be taken back; `None` if there is none.
pub fn to_delete(db: &mut Db, account: i32, number: i64) -> Result<Option<FoundEntry>> {
    type Row = (i64, i32, i32, i16, i64, i32, Option<i64>, Option<i32>);
    let row: Option<Row> = journal::table
        .find((account, number))
        .select((
            journal::customer,
            journal::campaign,
            journal::item,
            journal::kind,
            journal::amount,
            journal::date,
            journal::batch,
            journal::user,
        ))
        .first(db)
        .optional()?;
    let Some((customer, campaign, item, kind, amount, date, batch, user)) = row else {
        return Ok(None);
    };
    Ok(Some(FoundEntry {
        original: Original {
            number,
            key: BalanceKey {
                customer,
                campaign,
                item,
            },
            amount: Amount::from_raw(amount),
            date: day(number, date)?,
        },
        kind,
        user,
        of_batch: batch.is_some(),
        last_of: match batch {
            Some(batch) => batches::all_but_one_reversed(db, account, batch)?,
            None => None,
        },
        reversed: reverser(db, account, number)?.is_some(),
        owed: false,
    }))
}

/// The receipt of the entry with this number, as it was given when it was posted; `None` if there is no such entry.
pub fn receipt(db: &mut Db, account: &Account, number: i64) -> Result<Option<Receipt>> {
    type Texts = (
        Option<String>,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    type Row = (
        (i64, i32, i32),
        (i16, i64, i64, i32, i64),
        (Option<i32>, Option<i32>),
        Texts,
    );
    let row: Option<Row> = journal::table
        .find((account.number, number))
        .select((
            (journal::customer, journal::campaign, journal::item),
            (
                journal::kind,
                journal::amount,
                journal::balance_after,
                journal::date,
                journal::recorded_at,
            ),
            (journal::user, journal::reward),
            (
                journal::given,
                journal::formula,
                journal::promotions,
                journal::authorization,
            ),
        ))
        .first(db)
        .optional()?;
    let Some((
        (customer, campaign, item),
        (kind, amount, balance, date, recorded_at),
        (user, reward),
        (given, formula, promotions, authorization),
    )) = row
    else {
        return Ok(None);
    };
    let entry = Entry {
        number,
        key: BalanceKey {
            customer,
            campaign,
            item,
        },
        kind: match kind == EntryKind::Redeem.stored() {
            true => EntryKind::Redeem,
            false => EntryKind::Add,
        },
        amount: Amount::from_raw(amount),
        balance_after: Amount::from_raw(balance),
        previous: None,
        date: day(number, date)?,
        line: None,
        user,
        given: given.unwrap_or_default().into(),
        formula: formula.map(Into::into),
        promotions: promotions.as_deref().unwrap_or(""),
        reward,
        authorization: authorization.as_deref().unwrap_or("").into(),
        custom: None,
        reverses: None,
    };
    Ok(Some(Receipt {
        recorded_at,
        repeated: true,
        ..Receipt::of(account, &entry)
    }))
}
