//! The inbox of refused lines, as the commands show it.

use super::schema::{accounts, batches, rejections, users};
use super::{Db, Result};
use diesel::prelude::*;

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
}

/// The number of the account with this id.
pub fn account_number(db: &mut Db, account_id: &str) -> Result<Option<i32>> {
    Ok(accounts::table
        .filter(accounts::account_id.eq(account_id))
        .select(accounts::id)
        .first(db)
        .optional()?)
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
    /// How its batch was to be read, a JSON text.
    pub layout: Option<String>,
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
        layout: layout.flatten(),
    }))
}
