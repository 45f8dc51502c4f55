//! Webhooks: each tells of a job, waits or is done, and has its tries.

use super::super::Result;
use super::super::schema::{attempts, outbox, outbox_queue, sync_jobs};
use super::customers::NumberSet;
use super::sync::KEPT_CERTAIN_US;
use super::{CHUNK, Check, or_none};
use crate::loyalty::ledger::SyncNumbers;
use crate::loyalty::sync::event::EventState;
use crate::loyalty::sync::id::EventId;
use crate::text;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Number, id, job, state, attempts, when done; and the number that the job names.
type Row = (i64, String, i64, String, i32, Option<i64>, Option<i64>);

/// Checks the tables of webhooks; `jobs` are those that there are.
pub(super) fn check(check: &mut Check<'_>, numbers: &SyncNumbers, jobs: &NumberSet) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let of = sync_jobs::account_id
            .eq(outbox::account_id)
            .and(sync_jobs::number.eq(outbox::job));
        let rows: Vec<Row> = outbox::table
            .left_join(sync_jobs::table.on(of))
            .filter(outbox::account_id.eq(check.account))
            .filter(outbox::number.gt(after))
            .order(outbox::number)
            .limit(CHUNK)
            .select((
                outbox::number,
                outbox::event_id,
                outbox::job,
                outbox::state,
                outbox::attempts,
                outbox::done_at,
                sync_jobs::event.nullable(),
            ))
            .load(check.db)?;
        // What lies behind the last webhook belongs to none.
        let last = rows.last().map_or(i64::MAX, |row| row.0);
        let mut waiting = waiting(check, (after, last))?;
        let mut tries = tries(check, (after, last))?;
        for row in &rows {
            let waits = waiting.remove(&row.0);
            let tried = tries.remove(&row.0).unwrap_or_default();
            check_row(check, numbers, jobs, row, waits, tried);
        }
        let waiting = waiting.into_iter().map(|number| ("outbox_queue", number));
        let tries = tries.into_keys().map(|number| ("attempts", number));
        let mut strays: Vec<(&str, i64)> = waiting.chain(tries).collect();
        strays.sort_unstable();
        for (table, number) in strays {
            let is = format!("event {number}, which does not exist");
            check.add(table, number, is, "a webhook");
        }
        if rows.is_empty() {
            return missing(check);
        }
        after = last;
    }
}

/// Jobs that ended lately and whose webhook is gone.
fn missing(check: &mut Check<'_>) -> Result<()> {
    let young = check.now_us.saturating_sub(KEPT_CERTAIN_US);
    let own = outbox::account_id
        .eq(sync_jobs::account_id)
        .and(outbox::number.nullable().eq(sync_jobs::event));
    let jobs: Vec<(i64, Option<i64>)> = sync_jobs::table
        .left_join(outbox::table.on(own))
        .filter(sync_jobs::account_id.eq(check.account))
        .filter(sync_jobs::event.is_not_null())
        .filter(sync_jobs::completed_at.gt(young))
        .filter(outbox::number.nullable().is_null())
        .order(sync_jobs::number)
        .limit(CHUNK)
        .select((sync_jobs::number, sync_jobs::event))
        .load(check.db)?;
    for (number, event) in jobs {
        let is = format!("event {}, which does not exist", or_none(event));
        check.add("sync_jobs", number, is, "a webhook");
    }
    Ok(())
}

fn waiting(check: &mut Check<'_>, (after, last): (i64, i64)) -> Result<HashSet<i64>> {
    let rows: Vec<i64> = outbox_queue::table
        .filter(outbox_queue::account_id.eq(check.account))
        .filter(outbox_queue::event.gt(after))
        .filter(outbox_queue::event.le(last))
        .select(outbox_queue::event)
        .load(check.db)?;
    Ok(rows.into_iter().collect())
}

/// How many tries each has, and the number of its last one.
fn tries(check: &mut Check<'_>, (after, last): (i64, i64)) -> Result<HashMap<i64, (i32, i32)>> {
    let mut tries: HashMap<i64, (i32, i32)> = HashMap::new();
    let mut behind = (after, i32::MAX);
    loop {
        let rows: Vec<(i64, i32)> = attempts::table
            .filter(attempts::account_id.eq(check.account))
            .filter(
                attempts::event
                    .gt(behind.0)
                    .or(attempts::event.eq(behind.0).and(attempts::nth.gt(behind.1))),
            )
            .filter(attempts::event.le(last))
            .order((attempts::event, attempts::nth))
            .limit(CHUNK)
            .select((attempts::event, attempts::nth))
            .load(check.db)?;
        let Some(end) = rows.last() else {
            return Ok(tries);
        };
        behind = *end;
        for (event, nth) in rows {
            let (count, last) = tries.entry(event).or_default();
            *count = count.saturating_add(1);
            *last = nth;
        }
    }
}

fn check_row(
    check: &mut Check<'_>,
    numbers: &SyncNumbers,
    jobs: &NumberSet,
    (number, id, job, state, attempts, done_at, named): &Row,
    waits: bool,
    tried: (i32, i32),
) {
    if *number < 1 || *number >= numbers.event {
        let should = format!("from 1 to below next_event {}", numbers.event);
        check.add("outbox", number, format!("number {number}"), should);
    }
    let own = |id: &EventId| id.number == *number && id.account == check.account;
    if !EventId::parse(id).as_ref().is_some_and(own) {
        let is = format!("event_id {}", text::shown(id));
        check.add("outbox", number, is, "an id of this webhook");
    }
    if !jobs.contains(*job) {
        let is = format!("job {job}, which does not exist");
        check.add("outbox", number, is, "a job");
    } else if *named != Some(*number) {
        let is = format!("job {job}, whose webhook is {}", or_none(*named));
        check.add("outbox", number, is, "the job's own");
    }
    let pending = EventState::from_word(state) == Some(EventState::Pending);
    if EventState::from_word(state).is_none() || pending == done_at.is_some() {
        let is = format!("state {}", text::shown(state));
        check.add("outbox", number, is, "pending, or done");
    }
    if pending != waits {
        let (is, should) = match waits {
            true => ("in the queue", "not in the queue, since it is done"),
            false => ("not in the queue", "in the queue, since it is pending"),
        };
        check.add("outbox", number, is, should);
    }
    if tried != (*attempts, *attempts) {
        let is = format!("{} rows of attempts up to {}", tried.0, tried.1);
        check.add("outbox", number, is, format!("attempts {attempts}"));
    }
}
