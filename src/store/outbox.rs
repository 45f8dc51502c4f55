//! Webhooks, those that are due, and what each try brought.

use super::dialect::{self, Writes, rows::delete, rows::rows};
use super::schema::{accounts, attempts, outbox, outbox_queue, sync_jobs};
use super::sync_queue::broken;
use super::{Db, Result};
use crate::loyalty::sync::event::{EventDue, EventRow, EventState};
use crate::loyalty::sync::id::{EventId, JobId};
use crate::loyalty::sync::rows::EventChange;
use diesel::prelude::*;

/// What webhooks there are for.
const KIND: &str = "sync_data";

rows! {
    struct Row<'a> in outbox {
        account_id: i32,
        number: i64,
        event_id: &'a str,
        kind: &'a str,
        job: i64,
        url: &'a str,
        state: &'a str,
        attempts: i32,
        created_at: i64,
        done_at: Option<i64>,
    }
    key account_id, number;
    set state, attempts, done_at
}

rows! {
    struct DueRow<'a> in outbox_queue {
        account_id: i32,
        event: i64,
        due_at: i64,
        asked: bool,
        claimed_until: i64,
        token: Option<&'a str>,
    }
    key account_id, event;
    set due_at, asked, claimed_until, token
}

rows! {
    struct AttemptRow<'a> in attempts {
        account_id: i32,
        event: i64,
        nth: i32,
        started_at: i64,
        took_ms: i32,
        status: Option<i32>,
        error: Option<&'a str>,
        answer: Option<&'a str>,
    }
}

/// Webhooks that are to be sent now and that nobody has taken, at most `limit`. Account and number.
pub fn due(db: &mut Db, limit: i64) -> Result<Vec<(i32, i64)>> {
    dialect::queue::due_events(db, limit)
}

type Columns = (i64, String, i64, String, String, i32, i64, Option<i64>);

macro_rules! columns {
    () => {
        (
            outbox::number,
            outbox::event_id,
            outbox::job,
            outbox::url,
            outbox::state,
            outbox::attempts,
            outbox::created_at,
            outbox::done_at,
        )
    };
}

fn event(row: Columns) -> Result<EventRow> {
    let (number, id, job, url, state, attempts, created_at, done_at) = row;
    let id = EventId::parse(&id).filter(|id| id.number == number);
    Ok(EventRow {
        id: id.ok_or_else(|| broken("webhook's id"))?,
        job,
        url,
        state: EventState::from_word(&state).ok_or_else(|| broken("webhook's state"))?,
        attempts,
        created_at,
        done_at,
    })
}

/// A webhook, and when it is to be sent.
pub fn find(
    db: &mut Db,
    account: i32,
    number: i64,
) -> Result<Option<(EventRow, Option<EventDue>)>> {
    let row: Option<Columns> = outbox::table
        .find((account, number))
        .select(columns!())
        .first(db)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    type Due = (i64, bool, i64, Option<String>);
    let due: Option<Due> = outbox_queue::table
        .find((account, number))
        .select((
            outbox_queue::due_at,
            outbox_queue::asked,
            outbox_queue::claimed_until,
            outbox_queue::token,
        ))
        .first(db)
        .optional()?;
    let due = due.map(|(due_at, asked, claimed_until, token)| EventDue {
        due_at,
        asked,
        claimed_until,
        token,
    });
    Ok(Some((event(row)?, due)))
}

/// Writes a webhook as it is to be, with what a try has brought.
pub fn save(writes: &mut Writes<'_>, account: i32, change: &EventChange<'_>) -> Result<()> {
    let event = &change.row;
    let row = Row {
        account_id: account,
        number: event.id.number,
        event_id: event.id.as_str(),
        kind: KIND,
        job: event.job,
        url: &event.url,
        state: event.state.word(),
        attempts: event.attempts,
        created_at: event.created_at,
        done_at: event.done_at,
    };
    Row::save(writes, std::slice::from_ref(&row))?;
    match &change.due {
        Some(due) => {
            let row = DueRow {
                account_id: account,
                event: event.id.number,
                due_at: due.due_at,
                asked: due.asked,
                claimed_until: due.claimed_until,
                token: due.token.as_deref(),
            };
            DueRow::save(writes, std::slice::from_ref(&row))?;
        }
        None => {
            delete!(
                writes,
                outbox_queue,
                account_id = account,
                event = event.id.number
            );
        }
    }
    let Some(attempt) = change.attempt else {
        return Ok(());
    };
    let row = AttemptRow {
        account_id: account,
        event: event.id.number,
        nth: event.attempts,
        started_at: attempt.started_at,
        took_ms: attempt.took_ms,
        status: attempt.status,
        error: attempt.error.as_deref(),
        answer: attempt.answer.as_deref(),
    };
    AttemptRow::save(writes, std::slice::from_ref(&row))
}

/// A webhook with the HTTP status of each of its tries, the oldest first; `None` where there was no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The account's id.
    pub account_id: String,
    /// Its row.
    pub event: EventRow,
    /// The job's id.
    pub job: JobId,
    /// What its tries brought.
    pub tries: Vec<Option<i32>>,
    /// When it is tried next, in microseconds since 1970.
    pub next: Option<i64>,
}

/// Webhooks of all accounts, the newest first, at most `limit`; of one state, if given.
pub fn list(db: &mut Db, state: Option<EventState>, limit: i64) -> Result<Vec<Listed>> {
    let mut query = outbox::table
        .inner_join(accounts::table.on(accounts::id.eq(outbox::account_id)))
        .inner_join(
            sync_jobs::table.on(sync_jobs::account_id
                .eq(outbox::account_id)
                .and(sync_jobs::number.eq(outbox::job))),
        )
        .left_join(
            outbox_queue::table.on(outbox_queue::account_id
                .eq(outbox::account_id)
                .and(outbox_queue::event.eq(outbox::number))),
        )
        .order((
            outbox::created_at.desc(),
            outbox::account_id,
            outbox::number.desc(),
        ))
        .limit(limit)
        .select((
            accounts::account_id,
            columns!(),
            sync_jobs::job_id,
            outbox_queue::due_at.nullable(),
        ))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(outbox::state.eq(state.word()));
    }
    let rows: Vec<(String, Columns, String, Option<i64>)> = query.load(db)?;
    let mut listed = Vec::with_capacity(rows.len());
    for (account_id, columns, job, next) in rows {
        let event = event(columns)?;
        let tries = attempts::table
            .filter(attempts::account_id.eq(event.id.account))
            .filter(attempts::event.eq(event.id.number))
            .order(attempts::nth)
            .select(attempts::status)
            .load(db)?;
        listed.push(Listed {
            account_id,
            job: JobId::parse(&job).ok_or_else(|| broken("id"))?,
            event,
            tries,
            next,
        });
    }
    Ok(listed)
}
