//! The inbox of refused lines: how its rows are written, found and closed.

use super::dialect::{self, Writes};
use super::journal::none_if_empty;
use super::schema::{accounts, batches, brands, rejections, users};
use super::{Db, Result, heads, idempotency};
use crate::dates;
use crate::error::Class;
use crate::loyalty::once::{SALES, SYNC};
use crate::loyalty::rows::Rows;
use chrono::Utc;
use diesel::prelude::*;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// The source of refused lines of `customers_batch`.
pub const CUSTOMERS: &str = "customers";

/// A refused line, in short.
#[derive(Queryable, Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its number in the account.
    pub number: i64,
    /// `open`, `record` and so on.
    pub state: String,
    /// `fault` or `decline`.
    pub class: String,
    /// Its batch.
    pub batch: Option<i64>,
    /// Its line in the batch.
    pub line: Option<i32>,
    /// The error's code.
    pub code: String,
    /// What was wrong.
    pub reason: Option<String>,
    /// The id of the brand that sent it, where it is a sale.
    pub brand: Option<String>,
}

/// A refused line, whole.
#[derive(Queryable, Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its number in the account.
    pub number: i64,
    /// The dialect it came from.
    pub source: String,
    /// Its batch.
    pub batch: Option<i64>,
    /// Its line in the batch.
    pub line: Option<i32>,
    /// The number of the user who sent it.
    pub user: Option<i32>,
    /// `fault` or `decline`.
    pub class: String,
    /// `open`, `record` and so on.
    pub state: String,
    /// The error's code.
    pub code: String,
    /// The column it is about.
    pub field: Option<String>,
    /// The value seen.
    pub value: Option<String>,
    /// What was wrong.
    pub reason: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// The line as sent.
    pub raw: Option<String>,
    /// The day it would have counted for, YYYYMMDD.
    pub effective_date: Option<i32>,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The number of the brand that sent it, where it is a sale.
    pub brand: Option<i32>,
}

/// A sale that was kept, in short.
#[derive(Queryable, Clone, PartialEq, Eq, Debug)]
pub struct KeptSale {
    /// Its number in the account.
    pub number: i64,
    /// `open`, `superseded` and so on.
    pub state: String,
    /// The id of the brand that sent it.
    pub brand: Option<String>,
    /// The error's code.
    pub code: String,
    /// What was wrong.
    pub reason: Option<String>,
    /// The sale as sent.
    pub raw: Option<String>,
}

#[derive(Insertable, Serialize)]
#[diesel(table_name = rejections, treat_none_as_default_value = false)]
struct NewRow<'a> {
    account_id: i32,
    number: i64,
    source: &'static str,
    batch: Option<i64>,
    line: Option<i32>,
    user: Option<i32>,
    class: &'static str,
    state: &'static str,
    code: &'static str,
    field: Option<&'a str>,
    value: Option<&'a str>,
    reason: Option<String>,
    remedy: Option<&'static str>,
    raw: Option<&'a str>,
    effective_date: Option<i32>,
    fingerprint: &'a [u8],
    recorded_at: i64,
    brand: Option<i32>,
    state_since: i64,
}

/// Writes the refused lines of some batches, the refused contacts of jobs and the sales that wait, of one account.
pub fn save(
    writes: &mut Writes<'_>,
    account: i32,
    requests: &[Rows<'_>],
    now_us: i64,
) -> Result<()> {
    let rows: Vec<NewRow<'_>> = requests
        .iter()
        .flat_map(|rows| {
            let brand = rows.sales.as_ref().map(|sales| sales.brand);
            let refused = rows.refused.iter();
            let of_customers = rows.imported().is_some();
            refused.map(move |refused| (rows.batch.as_ref(), brand, of_customers, refused))
        })
        .map(|(batch, brand, of_customers, refused)| {
            let code = refused.problem.code;
            // A line of customers can be mended, whatever is wrong with it.
            let class = match of_customers {
                true => Class::Fault,
                false => code.class(),
            };
            NewRow {
                account_id: account,
                number: refused.number,
                source: match (batch, brand) {
                    (Some(_), _) if of_customers => CUSTOMERS,
                    (Some(_), _) => "batch",
                    (None, Some(_)) => SALES,
                    (None, None) => SYNC,
                },
                batch: batch.map(|batch| batch.number),
                line: i32::try_from(refused.line).ok(),
                user: batch.map(|batch| batch.user),
                class: class.word(),
                state: if class == Class::Fault {
                    "open"
                } else {
                    "record"
                },
                code: code.word(),
                field: refused.problem.field.as_deref(),
                value: refused.problem.value.as_deref(),
                reason: Some(refused.problem.message()),
                remedy: none_if_empty(code.remedy()),
                raw: Some(refused.raw),
                effective_date: Some(refused.effective_date.number()),
                fingerprint: &refused.fingerprint,
                recorded_at: now_us,
                brand,
                state_since: now_us,
            }
        })
        .collect();
    dialect::insert_rows!(writes, rejections, &rows);
    Ok(())
}

/// The number of the account with this id.
pub fn account_number(db: &mut Db, account_id: &str) -> Result<Option<i32>> {
    Ok(accounts::table
        .filter(accounts::account_id.eq(account_id))
        .select(accounts::id)
        .first(db)
        .optional()?)
}

/// The brand that sent what was kept.
macro_rules! of_brand {
    () => {
        brands::account_id
            .eq(rejections::account_id)
            .and(brands::number.nullable().eq(rejections::brand))
    };
}

/// Rejections of an account with numbers above `after`, in their order, at most `limit`; of one state, if given.
pub fn list(
    db: &mut Db,
    account: i32,
    state: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<Listed>> {
    let mut query = rejections::table
        .left_join(brands::table.on(of_brand!()))
        .filter(rejections::account_id.eq(account))
        .filter(rejections::number.gt(after))
        .order(rejections::number)
        .limit(limit)
        .select((
            rejections::number,
            rejections::state,
            rejections::class,
            rejections::batch,
            rejections::line,
            rejections::code,
            rejections::reason,
            brands::brand_id.nullable(),
        ))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(rejections::state.eq(state.to_owned()));
    }
    Ok(query.load(db)?)
}

/// Sales of an account that were kept, with numbers above `after`, in their order, at most `limit`; of one state, if
/// given.
pub fn list_sales(
    db: &mut Db,
    account: i32,
    state: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<KeptSale>> {
    let mut query = rejections::table
        .left_join(brands::table.on(of_brand!()))
        .filter(rejections::account_id.eq(account))
        .filter(rejections::number.gt(after))
        .filter(rejections::source.eq(SALES))
        .order(rejections::number)
        .limit(limit)
        .select((
            rejections::number,
            rejections::state,
            brands::brand_id.nullable(),
            rejections::code,
            rejections::reason,
            rejections::raw,
        ))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(rejections::state.eq(state.to_owned()));
    }
    Ok(query.load(db)?)
}

/// A refused line with what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whole {
    /// The line.
    pub rejection: Shown,
    /// The id of the user who sent it.
    pub user_id: Option<String>,
    /// The id of the brand that sent it.
    pub brand_id: Option<String>,
    /// How its batch was to be read, a JSON text.
    pub layout: Option<String>,
    /// The batch that it became when it was posted after all, as long as that is kept.
    pub became: Option<i64>,
}

/// Rejections of one statement: stays below the parameters that one may have.
const NUMBERS_AT_A_TIME: usize = 500;

/// Marks open rejections as superseded that have one of these fingerprints and a number below the one given with it:
/// an equal line has come again. Returns how many.
pub fn supersede(
    db: &mut Db,
    account: i32,
    lines: &HashMap<[u8; 32], i64>,
    now_us: i64,
) -> Result<usize> {
    let open = dialect::find_open(db, account, lines.keys().copied())?;
    let mut older: Vec<i64> = open
        .into_iter()
        .filter_map(|(number, fingerprint)| {
            let print = <[u8; 32]>::try_from(fingerprint).ok()?;
            (number < *lines.get(&print)?).then_some(number)
        })
        .collect();
    older.sort_unstable();
    set_state(db, account, &older, "superseded", now_us)?;
    Ok(older.len())
}

/// Gives rejections another state: closed as `superseded`, `replayed` or `dismissed`, or `open` again.
pub fn set_state(
    db: &mut Db,
    account: i32,
    numbers: &[i64],
    state: &str,
    now_us: i64,
) -> Result<()> {
    for chunk in numbers.chunks(NUMBERS_AT_A_TIME) {
        let of = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::number.eq_any(chunk));
        diesel::update(of)
            .set((
                rejections::state.eq(state),
                rejections::state_since.eq(now_us),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Takes the text of rejections away. What stays tells that there was one, where it came from and why it was refused.
pub fn expire(db: &mut Db, account: i32, numbers: &[i64], now_us: i64) -> Result<()> {
    for chunk in numbers.chunks(NUMBERS_AT_A_TIME) {
        let of = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::number.eq_any(chunk));
        diesel::update(of)
            .set((
                rejections::raw.eq(None::<String>),
                rejections::value.eq(None::<String>),
                rejections::field.eq(None::<String>),
                rejections::reason.eq(None::<String>),
                rejections::remedy.eq(None::<String>),
                rejections::fingerprint.eq([0_u8; 32].as_slice()),
                rejections::state.eq("expired"),
                rejections::state_since.eq(now_us),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// States in which nothing is to be done about a rejection any more.
const CLOSED: [&str; 4] = ["record", "superseded", "replayed", "dismissed"];

/// Rejections of each state that one call of [`purge`] looks for.
const PURGE_LOOK: i64 = 1000;

/// How many rejections have expired.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expired {
    /// Those that were open.
    pub open: usize,
    /// The others.
    pub closed: usize,
}

/// Expires what is open since before the first time, and what is closed since before the second; of each state a bounded
/// number of the oldest ones.
pub fn purge(
    db: &mut Db,
    account: i32,
    (open_before_us, closed_before_us): (i64, i64),
    now_us: i64,
) -> Result<Expired> {
    let mut old = |state: &str, before_us: i64| -> Result<usize> {
        let numbers: Vec<i64> = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::state.eq(state))
            .filter(rejections::state_since.gt(0))
            .filter(rejections::state_since.lt(before_us))
            .order(rejections::state_since)
            .limit(PURGE_LOOK)
            .select(rejections::number)
            .load(db)?;
        expire(db, account, &numbers, now_us)?;
        Ok(numbers.len())
    };
    let mut expired = Expired::default();
    for state in CLOSED {
        let closed = old(state, closed_before_us)?;
        expired.closed = expired.closed.saturating_add(closed);
    }
    expired.open = old("open", open_before_us)?;
    Ok(expired)
}

/// How many refused lines of a batch are open. There is no index for it: all of the account's are looked at.
pub fn open_of_batch(db: &mut Db, account: i32, batch: i64) -> Result<i64> {
    Ok(rejections::table
        .filter(rejections::account_id.eq(account))
        .filter(rejections::batch.eq(batch))
        .filter(rejections::state.eq("open"))
        .count()
        .get_result(db)?)
}

/// Those of some rejections that are open. The states are compared here: asked for by state, SQLite would read all open ones
/// of the account.
pub fn open_among(db: &mut Db, account: i32, numbers: &[i64]) -> Result<HashSet<i64>> {
    let mut open = HashSet::new();
    for chunk in numbers.chunks(NUMBERS_AT_A_TIME) {
        let rows: Vec<(i64, String)> = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::number.eq_any(chunk))
            .select((rejections::number, rejections::state))
            .load(db)?;
        let of_open = rows.into_iter().filter(|(_, state)| state == "open");
        open.extend(of_open.map(|(number, _)| number));
    }
    Ok(open)
}

/// The state of a rejection; `None` if the account has no such one.
pub fn state(db: &mut Db, account: i32, number: i64) -> Result<Option<String>> {
    let row = rejections::table.find((account, number));
    Ok(row.select(rejections::state).first(db).optional()?)
}

/// Closes an open fault that nobody will mend; `None` if the account has no such rejection, else its state before.
/// One transaction; the connection is a writer's.
pub fn dismiss(db: &mut Db, account: i32, number: i64) -> Result<Option<String>> {
    dialect::begin(db)?;
    let done = dismiss_under_head(db, account, number);
    match &done {
        Ok(Some(state)) if state == "open" => dialect::commit(db)?,
        _ => dialect::rollback(db)?,
    }
    done
}

fn dismiss_under_head(db: &mut Db, account: i32, number: i64) -> Result<Option<String>> {
    let heads = heads::take(db, &[account])?;
    let state = state(db, account, number)?;
    if let (Some(head), Some("open")) = (heads.into_iter().next(), state.as_deref()) {
        let now_us = dates::micros(Utc::now());
        set_state(db, account, &[number], "dismissed", now_us)?;
        let head = heads::Head {
            next_commit: head.next_commit.saturating_add(1),
            open_faults: head.open_faults.saturating_sub(1),
            ..head
        };
        let mut writes = Writes::new(db);
        heads::save(&mut writes, &head)?;
        writes.flush()?;
    }
    Ok(state)
}

/// One rejection; `None` if the account has none with this number.
pub fn show(db: &mut Db, account: i32, number: i64) -> Result<Option<Whole>> {
    let shown: Option<Shown> = rejections::table
        .find((account, number))
        .select((
            rejections::number,
            rejections::source,
            rejections::batch,
            rejections::line,
            rejections::user,
            rejections::class,
            rejections::state,
            rejections::code,
            rejections::field,
            rejections::value,
            rejections::reason,
            rejections::remedy,
            rejections::raw,
            rejections::effective_date,
            rejections::recorded_at,
            rejections::brand,
        ))
        .first(db)
        .optional()?;
    let Some(shown) = shown else { return Ok(None) };
    let user = match shown.user {
        Some(user) => users::table
            .find((account, user))
            .select(users::user_id)
            .first(db)
            .optional()?,
        None => None,
    };
    let brand = match shown.brand {
        Some(brand) => brands::table
            .find((account, brand))
            .select(brands::brand_id)
            .first(db)
            .optional()?,
        None => None,
    };
    let layout: Option<Option<String>> = match shown.batch {
        Some(batch) => batches::table
            .find((account, batch))
            .select(batches::layout)
            .first(db)
            .optional()?,
        None => None,
    };
    Ok(Some(Whole {
        rejection: shown,
        user_id: user,
        brand_id: brand,
        layout: layout.flatten(),
        became: idempotency::batch_of(db, account, number)?,
    }))
}
