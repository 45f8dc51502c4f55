//! Jobs that are not done: which are due, who has them, how far they are.

use super::dialect::{self, Writes, rows::delete, rows::rows};
use super::{Db, Failure, Result};
use crate::loyalty::sync::claim::{Found, Queued};
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::{JobHead, Options};
use diesel::RunQueryDsl;

rows! {
    struct Row<'a> in sync_queue {
        account_id: i32,
        job: i64,
        cursor_at: i32,
        valid: i32,
        failed: i32,
        charged: i32,
        claims: i32,
        stuck: i32,
        started_at: Option<i64>,
        claimed_until: i64,
        token: Option<&'a str>,
    }
    key account_id, job;
    set cursor_at, valid, failed, charged, claims, stuck, started_at, claimed_until, token
}

/// A stored text of this program that it cannot read.
pub(super) fn broken(what: &str) -> Failure {
    Failure::Data(format!("the stored {what} of a job cannot be read"))
}

/// A job's head from its columns.
pub(super) fn head(
    number: i64,
    (id, origin, contacts, purchases, options, url, created_at): (
        String,
        String,
        i32,
        i16,
        String,
        Option<String>,
        i64,
    ),
) -> Result<JobHead> {
    Ok(JobHead {
        number,
        id: JobId::parse(&id).ok_or_else(|| broken("id"))?,
        origin,
        contacts,
        purchases,
        options: Options::from_json(&options).ok_or_else(|| broken("options"))?,
        url,
        created_at,
    })
}

/// Jobs that nobody works on, at most `limit`: of each account the oldest one. Account and number.
pub fn due(db: &mut Db, limit: i64) -> Result<Vec<(i32, i64)>> {
    dialect::queue::due_jobs(db, limit)
}

/// A job that is not done.
pub fn find(db: &mut Db, account: i32, job: i64) -> Result<Option<Found>> {
    let Some((counts, claim, columns, (now_us, oldest))) =
        dialect::queue::find_job(db, account, job)?
    else {
        return Ok(None);
    };
    let (cursor, valid, failed, charged, claims, stuck) = counts;
    let (started_at, claimed_until, token) = claim;
    Ok(Some(Found {
        queued: Queued {
            job,
            cursor,
            valid,
            failed,
            charged,
            claims,
            stuck,
            started_at,
            claimed_until,
            token,
        },
        oldest,
        now_us,
        head: head(job, columns)?,
    }))
}

/// Writes rows, new or changed.
pub fn save<'q>(
    writes: &mut Writes<'_>,
    account: i32,
    queue: impl Iterator<Item = &'q Queued>,
) -> Result<()> {
    let rows: Vec<Row<'_>> = queue
        .map(|queued| Row {
            account_id: account,
            job: queued.job,
            cursor_at: queued.cursor,
            valid: queued.valid,
            failed: queued.failed,
            charged: queued.charged,
            claims: queued.claims,
            stuck: queued.stuck,
            started_at: queued.started_at,
            claimed_until: queued.claimed_until,
            token: queued.token.as_deref(),
        })
        .collect();
    Row::save(writes, &rows)
}

/// Deletes the row of a job that is done.
pub fn remove(writes: &mut Writes<'_>, account: i32, job: i64) -> Result<()> {
    delete!(writes, sync_queue, account_id = account, job = job);
    Ok(())
}
