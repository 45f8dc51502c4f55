//! One entry of the journal: how it is read, and what can be said of it by itself.

use super::super::Result;
use super::super::schema::journal;
use super::{CHUNK, Check, or_none};
use crate::amount::Amount;
use crate::dates::Day;
use crate::loyalty::ledger::{BalanceKey, EntryKind};
use diesel::prelude::*;

/// The columns that are checked.
#[derive(Queryable, Clone)]
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) customer: i64,
    pub(super) campaign: i32,
    pub(super) item: i32,
    kind: i16,
    pub(super) amount: i64,
    pub(super) balance_after: i64,
    pub(super) date: i32,
    pub(super) previous: Option<i64>,
    pub(super) batch: Option<i64>,
    pub(super) line: Option<i32>,
    user: Option<i32>,
    reward: Option<i32>,
    pub(super) reverses: Option<i64>,
}

impl Row {
    pub(super) fn is_kind(&self, kind: EntryKind) -> bool {
        kind.stored() == self.kind
    }

    pub(super) fn key(&self) -> BalanceKey {
        BalanceKey {
            customer: self.customer,
            campaign: self.campaign,
            item: self.item,
        }
    }
}

/// Entries with numbers above `after`, at most [`CHUNK`].
pub(super) fn load(check: &mut Check<'_>, after: i64) -> Result<Vec<Row>> {
    Ok(journal::table
        .filter(journal::account_id.eq(check.account))
        .filter(journal::number.gt(after))
        .order(journal::number)
        .limit(CHUNK)
        .select(COLUMNS)
        .load(check.db)?)
}

/// Entries with these numbers, in no order.
pub(super) fn find(check: &mut Check<'_>, numbers: &[i64]) -> Result<Vec<Row>> {
    Ok(journal::table
        .filter(journal::account_id.eq(check.account))
        .filter(journal::number.eq_any(numbers.to_vec()))
        .select(COLUMNS)
        .load(check.db)?)
}

type Columns = (
    journal::number,
    journal::customer,
    journal::campaign,
    journal::item,
    journal::kind,
    journal::amount,
    journal::balance_after,
    journal::date,
    journal::previous,
    journal::batch,
    journal::line,
    journal::user,
    journal::reward,
    journal::reverses,
);

const COLUMNS: Columns = (
    journal::number,
    journal::customer,
    journal::campaign,
    journal::item,
    journal::kind,
    journal::amount,
    journal::balance_after,
    journal::date,
    journal::previous,
    journal::batch,
    journal::line,
    journal::user,
    journal::reward,
    journal::reverses,
);

/// An amount with all its decimals.
pub(super) fn shown(raw: i64) -> String {
    Amount::from_raw(raw).text(0)
}

/// What can be said of an entry by itself.
pub(super) fn check_row(check: &mut Check<'_>, row: &Row) {
    check_kind(check, row);
    let number = row.number;
    if Day::from_number(row.date).is_none() {
        check.add(
            "journal",
            number,
            format!("date {}", row.date),
            "a day of the calendar",
        );
    }
    let digits = check
        .config
        .campaigns
        .get(&row.campaign)
        .and_then(|campaign| campaign.digits);
    if let Some(digits) = digits
        && Amount::from_raw(row.amount).decimals() > digits
    {
        let is = format!("amount {}", shown(row.amount));
        check.add("journal", number, is, format!("at most {digits} decimals"));
    }
    if row.balance_after.unsigned_abs() > Amount::BALANCE_MAX.raw().unsigned_abs() {
        let is = format!("balance_after {}", shown(row.balance_after));
        check.add("journal", number, is, "at most 1000000000000 either way");
    }
    if row.batch.is_some() != row.line.is_some() {
        let (batch, line) = (or_none(row.batch), or_none(row.line));
        let is = format!("batch {batch} and line {line}");
        check.add("journal", number, is, "both or none");
    }
    if let Some(user) = row.user.filter(|user| !check.config.users.contains(user)) {
        let is = format!("user {user}, who does not exist");
        check.add("journal", number, is, "a user");
    }
    if let Some(reward) = row.reward
        && check.config.rewards.get(&reward) != Some(&row.campaign)
    {
        let should = format!("a reward of campaign {}", row.campaign);
        check.add("journal", number, format!("reward {reward}"), should);
    }
}

/// Kind and sign agree, and exactly reversals reverse something.
fn check_kind(check: &mut Check<'_>, row: &Row) {
    let number = row.number;
    let should = if row.is_kind(EntryKind::Redeem) {
        (row.amount > 0).then_some("zero or less, since it redeems")
    } else if row.is_kind(EntryKind::Add) || row.is_kind(EntryKind::Opening) {
        (row.amount < 0).then_some("zero or more, since it adds")
    } else {
        None
    };
    if let Some(should) = should {
        check.add(
            "journal",
            number,
            format!("amount {}", shown(row.amount)),
            should,
        );
    }
    let reversal = row.is_kind(EntryKind::Reversal);
    if !reversal && !(1..=3).contains(&row.kind) {
        check.add("journal", number, format!("kind {}", row.kind), "1 to 4");
    } else if reversal != row.reverses.is_some() {
        let is = format!("kind {} and reverses {}", row.kind, or_none(row.reverses));
        check.add(
            "journal",
            number,
            is,
            "kind 4 where an entry is reversed, and only there",
        );
    }
}
