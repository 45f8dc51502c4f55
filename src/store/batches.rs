//! Batches as they were stored: listed, shown, told again, looked up to be undone.
//!
//! Belongs here: reading. They are written by [`super::journal::save`].

use super::journal::OF_CUSTOMERS;
use super::schema::{accounts, batches, journal, rejections, reversals, users};
use super::{Db, Failure, Result, dialect, idempotency, undo_images};
use crate::amount::Amount;
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::customers::import::{ImportLine, ImportOutcome, ImportResult};
use crate::loyalty::customers::undo::FoundPeople;
use crate::loyalty::ledger::BalanceKey;
use crate::loyalty::once::KeptBatch;
use crate::loyalty::outcome::{LineOutcome, LineResult, Outcome, comma_warning};
use crate::loyalty::undo::{Ended, Found, Original};
use diesel::prelude::*;
use std::collections::HashMap;

/// A batch, as it is listed.
#[derive(Queryable, Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The account's number.
    pub account: i32,
    /// The account's id.
    pub account_id: String,
    /// Its number in the account.
    pub number: i64,
    /// The id of the user who sent it.
    pub user_id: String,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The number of its first entry.
    pub first_entry: i64,
    /// Lines imported.
    pub transactions: i32,
    /// Lines refused.
    pub rejected: i32,
    /// Customers created.
    pub new_customers: i32,
    /// Whether its sender wished it to be listed as one that can be undone.
    pub undoable: bool,
    /// The commit that stored it.
    pub commit_id: Vec<u8>,
    /// 1: of customers.
    pub kind: i16,
    /// Of a batch of customers, the lines that were imported.
    pub customers: i32,
}

impl Listed {
    /// Whether it is a batch of customers.
    pub fn is_of_customers(&self) -> bool {
        self.kind == OF_CUSTOMERS
    }
}

/// Which batches are asked for.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wanted<'a> {
    /// Of this account, by its number.
    pub account: Option<i32>,
    /// With a number below this one.
    pub before: Option<i64>,
    /// Stored by this commit. There is no index for it: all batches are looked at.
    pub commit: Option<&'a [u8]>,
    /// Only those that are listed as ones that can be undone.
    pub undoable: bool,
    /// With this number.
    pub number: Option<i64>,
}

/// Batches, the newest of an account first, at most `limit`.
pub fn list(db: &mut Db, wanted: &Wanted<'_>, limit: i64) -> Result<Vec<Listed>> {
    let mut query = batches::table
        .inner_join(accounts::table.on(accounts::id.eq(batches::account_id)))
        .inner_join(
            users::table.on(users::account_id
                .eq(batches::account_id)
                .and(users::number.eq(batches::user))),
        )
        .order((batches::account_id, batches::number.desc()))
        .limit(limit)
        .select((
            batches::account_id,
            accounts::account_id,
            batches::number,
            users::user_id,
            batches::recorded_at,
            batches::first_entry,
            batches::transactions,
            batches::rejected,
            batches::new_customers,
            batches::undoable,
            batches::commit_id,
            batches::kind,
            batches::customers,
        ))
        .into_boxed();
    if let Some(account) = wanted.account {
        query = query.filter(batches::account_id.eq(account));
    }
    if let Some(before) = wanted.before {
        query = query.filter(batches::number.lt(before));
    }
    if let Some(number) = wanted.number {
        query = query.filter(batches::number.eq(number));
    }
    if let Some(commit) = wanted.commit {
        query = query.filter(batches::commit_id.eq(commit.to_vec()));
    }
    if wanted.undoable {
        query = query.filter(batches::undoable.eq(true));
    }
    Ok(query.load(db)?)
}

/// How many entries of these batches are reversed, by account and batch. Those of which none is are missing.
pub fn reversed(db: &mut Db, rows: &[Listed]) -> Result<HashMap<(i32, i64), i64>> {
    let mut found = HashMap::new();
    for part in rows.chunk_by(|a, b| a.account == b.account) {
        let ranges = || {
            part.iter()
                .map(|row| range(row.first_entry, row.transactions))
        };
        let first = ranges().map(|(first, _)| first).min().unwrap_or(0);
        let behind = ranges().map(|(_, behind)| behind).max().unwrap_or(0);
        let account = part.first().map_or(0, |row| row.account);
        let counts: Vec<(Option<i64>, i64)> = reversals::table
            .inner_join(
                journal::table.on(journal::account_id
                    .eq(reversals::account_id)
                    .and(journal::number.eq(reversals::entry))),
            )
            .filter(reversals::account_id.eq(account))
            .filter(reversals::entry.ge(first))
            .filter(reversals::entry.lt(behind))
            .group_by(journal::batch)
            .select((journal::batch, diesel::dsl::count_star()))
            .load(db)?;
        let of_batches = counts
            .into_iter()
            .filter_map(|(batch, count)| Some((batch?, count)));
        found.extend(of_batches.map(|(batch, count)| ((account, batch), count)));
    }
    Ok(found)
}

/// The numbers of a batch's entries, which are contiguous: the first, and the one behind the last.
fn range(first_entry: i64, transactions: i32) -> (i64, i64) {
    (
        first_entry,
        first_entry.saturating_add(i64::from(transactions)),
    )
}

/// What a batch changed in a campaign.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Total {
    /// Entries.
    pub entries: usize,
    /// What adds added.
    pub added: Amount,
    /// What redemptions took.
    pub taken: Amount,
}

/// What a batch changed, by campaign id.
pub fn totals(db: &mut Db, account: &Account, batch: &Listed) -> Result<Vec<(String, Total)>> {
    let mut by_campaign: HashMap<i32, Total> = HashMap::new();
    for original in entries(db, account.number, batch.first_entry, batch.transactions)? {
        let total = by_campaign.entry(original.key.campaign).or_default();
        total.entries = total.entries.saturating_add(1);
        let side = if original.amount.is_negative() {
            &mut total.taken
        } else {
            &mut total.added
        };
        *side = side.checked_add(original.amount).unwrap_or(*side);
    }
    let id = |number: i32| {
        account
            .campaign_by_number(number)
            .map_or_else(|| number.to_string(), |campaign| campaign.id.clone())
    };
    let mut totals: Vec<(String, Total)> = by_campaign
        .into_iter()
        .map(|(number, total)| (id(number), total))
        .collect();
    totals.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(totals)
}

/// The user who sent a batch.
macro_rules! sender {
    () => {
        users::account_id
            .eq(batches::account_id)
            .and(users::number.eq(batches::user))
    };
}

/// The rejection that became this batch when it was posted after all, if it still has that state.
fn replayed(db: &mut Db, account: i32, batch: i64) -> Result<Option<i64>> {
    let Some(rejection) = idempotency::replayed_as(db, account, batch)? else {
        return Ok(None);
    };
    let state = super::rejections::state(db, account, rejection)?;
    Ok((state.as_deref() == Some("replayed")).then_some(rejection))
}

/// Whether refused lines of a batch were posted after all, or came again in another one. There is no index for it: all of
/// the account's that are closed so are looked at, where the batch has any.
fn lives_on(db: &mut Db, account: i32, batch: i64, rejected: i32) -> Result<bool> {
    if rejected == 0 {
        return Ok(false);
    }
    let closed = rejections::table
        .filter(rejections::account_id.eq(account))
        .filter(rejections::state.eq_any(["replayed", "superseded"]))
        .filter(rejections::batch.eq(batch));
    let found: Option<i64> = closed.select(rejections::number).first(db).optional()?;
    Ok(found.is_some())
}

/// The longest batch of which it is found out whether nothing is left, when its lines are taken back one by one.
const ENDED_MAX: i32 = 10_000;

/// The batch of transactions, if all of it but one entry is reversed already, and no refused line of it lives on. Reversals
/// are counted, not read.
pub fn all_but_one_reversed(db: &mut Db, account: i32, number: i64) -> Result<Option<Ended>> {
    type Row = (i64, i32, i32, String);
    let row: Option<Row> = batches::table
        .inner_join(users::table.on(sender!()))
        .filter(batches::account_id.eq(account))
        .filter(batches::number.eq(number))
        .filter(batches::kind.ne(OF_CUSTOMERS))
        .filter(batches::transactions.le(ENDED_MAX))
        .select((
            batches::first_entry,
            batches::transactions,
            batches::rejected,
            users::user_id,
        ))
        .first(db)
        .optional()?;
    let Some((first_entry, transactions, rejected, user_id)) = row else {
        return Ok(None);
    };
    let (first, behind) = range(first_entry, transactions);
    let reversed: i64 = reversals::table
        .filter(reversals::account_id.eq(account))
        .filter(reversals::entry.ge(first))
        .filter(reversals::entry.lt(behind))
        .count()
        .get_result(db)?;
    if reversed.saturating_add(1) != i64::from(transactions)
        || lives_on(db, account, number, rejected)?
    {
        return Ok(None);
    }
    Ok(Some(Ended {
        batch: number,
        user_id,
        replays: replayed(db, account, number)?,
    }))
}

/// The batch to be undone, as it is now.
pub fn to_undo(db: &mut Db, account: i32, number: i64) -> Result<Option<Found>> {
    type Row = (bool, i64, (i32, i32), String, i16, i64, i32);
    let row: Option<Row> = batches::table
        .inner_join(users::table.on(sender!()))
        .filter(batches::account_id.eq(account))
        .filter(batches::number.eq(number))
        .select((
            batches::undoable,
            batches::first_entry,
            (batches::transactions, batches::rejected),
            users::user_id,
            batches::kind,
            batches::recorded_at,
            batches::customers,
        ))
        .first(db)
        .optional()?;
    let Some((undoable, first_entry, lines, user_id, kind, recorded_at, changed)) = row else {
        return Ok(None);
    };
    let (transactions, rejected) = lines;
    let (first, behind) = range(first_entry, transactions);
    let reversed: Vec<i64> = reversals::table
        .filter(reversals::account_id.eq(account))
        .filter(reversals::entry.ge(first))
        .filter(reversals::entry.lt(behind))
        .order(reversals::entry)
        .select(reversals::entry)
        .load(db)?;
    let mut open = entries(db, account, first_entry, transactions)?;
    let entries = open.len();
    open.retain(|original| reversed.binary_search(&original.number).is_err());
    let replays = replayed(db, account, number)?;
    let people = match kind {
        OF_CUSTOMERS => {
            let times = (recorded_at, dialect::queue::now_us(db)?);
            let found = undo_images::find(db, account, number, (first, behind), times)?;
            Some(Box::new(FoundPeople {
                changed: usize::try_from(changed).unwrap_or(0),
                ..found
            }))
        }
        _ => None,
    };
    Ok(Some(Found {
        user_id,
        replays,
        lives_on: lives_on(db, account, number, rejected)?,
        undoable,
        entries,
        open,
        people,
    }))
}

fn entries(
    db: &mut Db,
    account: i32,
    first_entry: i64,
    transactions: i32,
) -> Result<Vec<Original>> {
    let (first, behind) = range(first_entry, transactions);
    type Row = (i64, i64, i32, i32, i64, i32);
    let rows: Vec<Row> = journal::table
        .filter(journal::account_id.eq(account))
        .filter(journal::number.ge(first))
        .filter(journal::number.lt(behind))
        .order(journal::number)
        .select((
            journal::number,
            journal::customer,
            journal::campaign,
            journal::item,
            journal::amount,
            journal::date,
        ))
        .load(db)?;
    let originals = rows.into_iter().map(|row| {
        let (number, customer, campaign, item, amount, date) = row;
        let unreadable = || Failure::Data(format!("the date {date} of entry {number} is no day"));
        Ok(Original {
            number,
            key: BalanceKey {
                customer,
                campaign,
                item,
            },
            amount: Amount::from_raw(amount),
            date: Day::from_number(date).ok_or_else(unreadable)?,
        })
    });
    originals.collect()
}

/// What the sender of a batch was told, read again from its rows; `None` if there is no such batch.
pub fn outcome(
    db: &mut Db,
    account: &Account,
    kept: KeptBatch,
    details: bool,
) -> Result<Option<Outcome>> {
    let row: Option<(i64, i32, i32, i32)> = batches::table
        .find((account.number, kept.batch))
        .select((
            batches::first_entry,
            batches::transactions,
            batches::rejected,
            batches::new_customers,
        ))
        .first(db)
        .optional()?;
    let Some((first_entry, transactions, rejected, new_customers)) = row else {
        return Ok(None);
    };
    let count = |n: i32| usize::try_from(n).unwrap_or(0);
    // Without details only the first one is told.
    let wanted = if details { rejected } else { rejected.min(1) };
    let refused = refused(db, account.number, kept.first_rejection, wanted)?;
    let first_refused = refused.first().cloned();
    let (mut lines, mut warnings) = (Vec::new(), Vec::new());
    if details {
        for (number, problem) in refused {
            let result = LineResult::Refused(Box::new(problem));
            lines.push(LineOutcome { number, result });
        }
        imported(
            db,
            account,
            range(first_entry, transactions),
            &mut lines,
            &mut warnings,
        )?;
        lines.sort_by_key(|line| line.number);
    }
    Ok(Some(Outcome {
        batch: kept.batch,
        transactions: count(transactions),
        rejected: count(rejected),
        new_customers: count(new_customers),
        first_refused,
        rejected_whole: false,
        dry_run: false,
        repeated: true,
        lines: details.then_some(lines),
        warnings,
    }))
}

/// What the sender of a batch of customers was told, but for those who were left as they are; of its lines, with details,
/// those that were refused. `None` if there is no such batch.
pub fn imported_again(
    db: &mut Db,
    account: i32,
    kept: KeptBatch,
    details: bool,
) -> Result<Option<ImportOutcome>> {
    let row: Option<(i32, i32, i32, i32)> = batches::table
        .find((account, kept.batch))
        .select((
            batches::transactions,
            batches::rejected,
            batches::new_customers,
            batches::customers,
        ))
        .first(db)
        .optional()?;
    let Some((transactions, rejected, new_customers, customers)) = row else {
        return Ok(None);
    };
    let count = |n: i32| usize::try_from(n).unwrap_or(0);
    let wanted = if details { rejected } else { rejected.min(1) };
    let refused = refused(db, account, kept.first_rejection, wanted)?;
    let first_refused = refused.first().cloned();
    let lines = refused.into_iter().map(|(number, problem)| ImportLine {
        number,
        result: ImportResult::Refused(Box::new(problem)),
    });
    Ok(Some(ImportOutcome {
        batch: kept.batch,
        first_rejection: kept.first_rejection,
        customers: count(customers),
        new_customers: count(new_customers),
        transactions: count(transactions),
        ignored: 0,
        rejected: count(rejected),
        first_refused,
        rejected_whole: false,
        dry_run: false,
        repeated: true,
        lines: details.then(|| lines.collect()),
    }))
}

fn refused(db: &mut Db, account: i32, first: i64, count: i32) -> Result<Vec<(u32, Problem)>> {
    type Row = (
        Option<i32>,
        String,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    let rows: Vec<Row> = rejections::table
        .filter(rejections::account_id.eq(account))
        .filter(rejections::number.ge(first))
        .order(rejections::number)
        .limit(i64::from(count))
        .select((
            rejections::line,
            rejections::code,
            rejections::field,
            rejections::value,
            rejections::reason,
        ))
        .load(db)?;
    let problems = rows
        .into_iter()
        .filter_map(|(line, code, field, value, reason)| {
            let problem = Problem {
                field,
                value,
                said: reason.map(String::into_boxed_str),
                ..Problem::new(Code::from_word(&code)?)
            };
            Some((u32::try_from(line?).ok()?, problem))
        });
    Ok(problems.collect())
}

/// Entries read at a time.
const CHUNK: i64 = 10_000;

fn imported(
    db: &mut Db,
    account: &Account,
    (first, behind): (i64, i64),
    lines: &mut Vec<LineOutcome>,
    warnings: &mut Vec<(u32, &'static str)>,
) -> Result<()> {
    type Row = (
        i64,
        Option<i32>,
        i32,
        i64,
        i64,
        Option<String>,
        Option<String>,
        Option<i32>,
    );
    let mut from = first;
    while from < behind {
        let rows: Vec<Row> = journal::table
            .filter(journal::account_id.eq(account.number))
            .filter(journal::number.ge(from))
            .filter(journal::number.lt(behind.min(from.saturating_add(CHUNK))))
            .order(journal::number)
            .select((
                journal::number,
                journal::line,
                journal::campaign,
                journal::amount,
                journal::balance_after,
                journal::given,
                journal::formula,
                journal::reward,
            ))
            .load(db)?;
        for (entry, line, campaign, amount, balance, given, formula, reward) in rows {
            let number = line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
            let digits = account
                .campaign_by_number(campaign)
                .map_or(0, |campaign| campaign.digits);
            let given = given.as_deref().unwrap_or("");
            warnings.extend(comma_warning(given, reward.is_some()).map(|text| (number, text)));
            let result = LineResult::Imported {
                entry,
                amount: Amount::from_raw(amount),
                formula: formula.map(String::into_boxed_str),
                balance: Amount::from_raw(balance),
                digits,
            };
            lines.push(LineOutcome { number, result });
        }
        from = from.saturating_add(CHUNK);
    }
    Ok(())
}
