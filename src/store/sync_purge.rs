//! Deleting what is old of jobs: their items, their webhooks with all tries, and what those have told. The jobs stay, with
//! their counts.

use super::schema::{attempts, outbox, outbox_queue, sync_items, sync_jobs};
use super::{Db, Result};
use crate::loyalty::sync::event::EventState;
use diesel::prelude::*;

/// About how many rows one call of [`purge`] deletes of each kind.
const PURGE_LOOK: i64 = 1000;

/// Deletes what belongs to jobs that were done before `before_us`, a bounded number of the oldest ones.
pub fn purge(db: &mut Db, account: i32, before_us: i64) -> Result<()> {
    let mut left = PURGE_LOOK;
    while left > 0 {
        let deleted = purge_items(db, account, before_us)?;
        if deleted == 0 {
            break;
        }
        left = left.saturating_sub(deleted);
    }
    purge_webhooks(db, account, before_us)
}

/// Deletes the items of the oldest job that has any, if it is old enough and no webhook has still to tell of them.
/// Returns how many.
fn purge_items(db: &mut Db, account: i32, before_us: i64) -> Result<i64> {
    let oldest: Option<i64> = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .order((sync_items::job, sync_items::item))
        .select(sync_items::job)
        .first(db)
        .optional()?;
    let Some(job) = oldest else { return Ok(0) };
    type Row = (Option<i64>, Option<i64>);
    let row: Option<Row> = sync_jobs::table
        .find((account, job))
        .select((sync_jobs::completed_at, sync_jobs::event))
        .first(db)
        .optional()?;
    let Some((Some(completed_at), event)) = row else {
        return Ok(0);
    };
    let waiting: Option<i64> = match event {
        Some(event) => outbox_queue::table
            .find((account, event))
            .select(outbox_queue::event)
            .first(db)
            .optional()?,
        None => None,
    };
    if completed_at >= before_us || waiting.is_some() {
        return Ok(0);
    }
    let items = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .filter(sync_items::job.eq(job));
    let deleted = diesel::delete(items).execute(db)?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX))
}

/// Deletes the oldest webhooks, up to the first one that is not old enough or has still to be sent.
fn purge_webhooks(db: &mut Db, account: i32, before_us: i64) -> Result<()> {
    type Row = (i64, i64, String, Option<i64>);
    let first = |db: &mut Db, limit: i64| -> Result<Vec<Row>> {
        let first = outbox::table
            .filter(outbox::account_id.eq(account))
            .order(outbox::number)
            .limit(limit);
        let rows = first.select((outbox::number, outbox::job, outbox::state, outbox::done_at));
        Ok(rows.load(db)?)
    };
    let is_over = |(_, _, state, done_at): &Row| {
        state != EventState::Pending.word() && done_at.is_some_and(|at| at < before_us)
    };
    // Mostly there is nothing to do, which one row tells.
    if !first(db, 1)?.iter().any(is_over) {
        return Ok(());
    }
    let oldest = first(db, PURGE_LOOK)?;
    let over = oldest.iter().take_while(|row| is_over(row));
    let (numbers, jobs): (Vec<i64>, Vec<i64>) = over.map(|row| (row.0, row.1)).unzip();
    let Some(last) = numbers.last() else {
        return Ok(());
    };
    let tries = attempts::table
        .filter(attempts::account_id.eq(account))
        .filter(attempts::event.le(last));
    diesel::delete(tries).execute(db)?;
    let webhooks = outbox::table
        .filter(outbox::account_id.eq(account))
        .filter(outbox::number.le(last));
    diesel::delete(webhooks).execute(db)?;
    let jobs = sync_jobs::table
        .filter(sync_jobs::account_id.eq(account))
        .filter(sync_jobs::number.eq_any(jobs));
    diesel::update(jobs)
        .set(sync_jobs::purchase_told.eq(None::<String>))
        .execute(db)?;
    Ok(())
}
