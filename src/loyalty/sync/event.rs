//! Webhooks: who sends one, what each try brought, when it is tried again.

use super::id::EventId;
use super::rows::{EventChange, SyncRows};
use super::view::JobView;
use crate::error::Problem;
use crate::loyalty::ledger::Ledger;
use crate::loyalty::rows::Decided;

/// What became of a webhook.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventState {
    /// It is to be sent.
    Pending,
    /// The receiver has it.
    Delivered,
    /// The receiver does not want it.
    Refused,
    /// All tries have failed.
    Parked,
}

impl EventState {
    /// All states, with their words.
    pub const ALL: [(EventState, &'static str); 4] = [
        (EventState::Pending, "pending"),
        (EventState::Delivered, "delivered"),
        (EventState::Refused, "refused"),
        (EventState::Parked, "parked"),
    ];

    /// Its word in the database and on the command line.
    pub fn word(self) -> &'static str {
        let found = EventState::ALL.iter().find(|(state, _)| *state == self);
        found.map_or("", |(_, word)| word)
    }

    /// The state with this word.
    pub fn from_word(word: &str) -> Option<EventState> {
        let found = EventState::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(state, _)| *state)
    }
}

/// A webhook, as its row says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRow {
    /// Its id, with its account and its number.
    pub id: EventId,
    /// The number of the job that it tells of.
    pub job: i64,
    /// Where it goes.
    pub url: String,
    /// What became of it.
    pub state: EventState,
    /// How often it was tried.
    pub attempts: i32,
    /// In microseconds since 1970.
    pub created_at: i64,
    /// When it was delivered, refused or parked, in microseconds since 1970.
    pub done_at: Option<i64>,
}

/// A webhook that is to be sent, as its row in the queue says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventDue {
    /// When it is to be sent, in microseconds since 1970.
    pub due_at: i64,
    /// Whether a person wants it sent again.
    pub asked: bool,
    /// Until when the claim holds, in microseconds since 1970; 0 where there is none.
    pub claimed_until: i64,
    /// Whose claim it is.
    pub token: Option<String>,
}

/// A webhook as it was found under the head of its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventFound {
    /// Its row.
    pub event: EventRow,
    /// Its row in the queue, if it is to be sent.
    pub due: Option<EventDue>,
    /// The job, where the webhook is taken.
    pub job: Option<JobView>,
    /// The database's time, in microseconds since 1970.
    pub now_us: i64,
}

/// A webhook that somebody takes to send it.
#[derive(Debug)]
pub struct ClaimEvent {
    /// The account's number.
    pub account: i32,
    /// The webhook's number.
    pub event: i64,
    /// The sender's token: 32 hexadecimal digits, new for each try.
    pub token: String,
    /// For how long the claim holds, in microseconds.
    pub lease_us: i64,
    /// The webhook as it was found; `None` before it is looked up, and where there is none.
    pub found: Option<EventFound>,
}

/// What a try has brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The account's number.
    pub account: i32,
    /// The webhook's number.
    pub event: i64,
    /// The token under which it was taken.
    pub token: String,
    /// When it began, in microseconds since 1970.
    pub started_at: i64,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// The status of the answer, if there was one.
    pub status: Option<i32>,
    /// Why there was none.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    /// How long the receiver asks to wait, in seconds.
    pub retry_after_s: Option<u64>,
    /// The waits between tries, in seconds.
    pub schedule: Vec<u64>,
    /// What is added to the wait, in thousandths of it: 0 to 200, drawn for this try.
    pub jitter: u32,
    /// The webhook as it was found; `None` before it is looked up, and where there is none.
    pub found: Option<EventFound>,
}

/// A webhook that a person wants sent again.
#[derive(Debug)]
pub struct Requeue {
    /// Its id.
    pub id: EventId,
    /// The webhook as it was found; `None` before it is looked up, and where there is none.
    pub found: Option<EventFound>,
}

/// What is to be written of a webhook.
#[derive(Debug)]
pub enum EventCommand {
    /// Somebody takes it.
    Claim(ClaimEvent),
    /// It was tried.
    Attempt(Attempt),
    /// It is to be sent again.
    Requeue(Requeue),
}

impl EventCommand {
    /// The account's number.
    pub fn account(&self) -> i32 {
        match self {
            EventCommand::Claim(claim) => claim.account,
            EventCommand::Attempt(attempt) => attempt.account,
            EventCommand::Requeue(requeue) => requeue.id.account,
        }
    }

    /// The webhook's number.
    pub fn number(&self) -> i64 {
        match self {
            EventCommand::Claim(claim) => claim.event,
            EventCommand::Attempt(attempt) => attempt.event,
            EventCommand::Requeue(requeue) => requeue.id.number,
        }
    }

    /// Notes what was found.
    pub fn set_found(&mut self, found: Option<EventFound>) {
        match self {
            EventCommand::Claim(claim) => claim.found = found,
            EventCommand::Attempt(attempt) => attempt.found = found,
            EventCommand::Requeue(requeue) => requeue.found = found,
        }
    }
}

/// A webhook as its sender has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedEvent {
    /// Its row.
    pub event: EventRow,
    /// The job that it tells of, without the results of its items.
    pub job: JobView,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventDone {
    /// The webhook as its sender finds it; `None` if it is somebody else's or not due.
    Claimed(Option<Box<ClaimedEvent>>),
    /// What the try has made of it; `None` if the claim was lost and nothing was written.
    Recorded(Option<EventState>),
    /// Whether there is such a webhook.
    Requeued(bool),
}

/// Decides what becomes of a webhook.
pub fn decide<'a>(
    command: &'a EventCommand,
    ledger: &Ledger,
) -> Result<Decided<'a, EventDone>, Problem> {
    let (outcome, change) = match command {
        EventCommand::Claim(claim) => match take(claim) {
            Some((claimed, change)) => (EventDone::Claimed(Some(Box::new(claimed))), Some(change)),
            None => (EventDone::Claimed(None), None),
        },
        EventCommand::Attempt(attempt) => {
            let change = tried(attempt);
            let state = change.as_ref().map(|change| change.row.state);
            (EventDone::Recorded(state), change)
        }
        EventCommand::Requeue(requeue) => {
            let change = asked_again(requeue);
            (EventDone::Requeued(change.is_some()), change)
        }
    };
    let stored = change.map(|change| {
        let rows = SyncRows {
            event: Some(change),
            ..SyncRows::default()
        };
        (rows.into(), ledger.overlay().into_changes())
    });
    Ok(Decided { outcome, stored })
}

/// A webhook that is due and that nobody has is its sender's.
fn take(claim: &ClaimEvent) -> Option<(ClaimedEvent, EventChange<'_>)> {
    let found = claim.found.as_ref()?;
    let due = found.due.as_ref()?;
    if due.due_at > found.now_us || due.claimed_until > found.now_us {
        return None;
    }
    let claimed = ClaimedEvent {
        event: found.event.clone(),
        job: found.job.clone()?,
    };
    let due = EventDue {
        due_at: due.due_at,
        asked: false,
        claimed_until: found.now_us.saturating_add(claim.lease_us),
        token: Some(claim.token.clone()),
    };
    let change = EventChange {
        row: found.event.clone(),
        due: Some(due),
        attempt: None,
    };
    Some((claimed, change))
}

/// The longest wait that a receiver may ask for.
const RETRY_AFTER_MAX_S: u64 = 3600;
const SECOND_US: u64 = 1_000_000;

/// What a try makes of a webhook, as long as the claim under which it was made has not been lost.
fn tried(attempt: &Attempt) -> Option<EventChange<'_>> {
    let found = attempt.found.as_ref()?;
    let due = found.due.as_ref()?;
    if due.token.as_ref() != Some(&attempt.token) {
        return None;
    }
    let wait_us = wait_us(attempt, found.event.attempts);
    let state = match attempt.status {
        Some(200..=299) => EventState::Delivered,
        Some(406) => EventState::Refused,
        _ if wait_us.is_some() => EventState::Pending,
        _ => EventState::Parked,
    };
    let mut row = EventRow {
        state,
        attempts: found.event.attempts.saturating_add(1),
        done_at: (state != EventState::Pending).then_some(found.now_us),
        ..found.event.clone()
    };
    let mut next = match state {
        EventState::Pending => wait_us.map(|wait| found.now_us.saturating_add(wait)),
        _ => None,
    };
    if due.asked {
        // A person wants it once more, and has said so while it was being sent.
        row.state = EventState::Pending;
        row.done_at = None;
        next = Some(found.now_us);
    }
    let due = next.map(|due_at| EventDue {
        due_at,
        asked: due.asked,
        claimed_until: 0,
        token: None,
    });
    Some(EventChange {
        row,
        due,
        attempt: Some(attempt),
    })
}

/// How long to wait after a try that has failed, in microseconds; `None` after the last one.
fn wait_us(attempt: &Attempt, before: i32) -> Option<i64> {
    let wait = *attempt.schedule.get(usize::try_from(before).ok()?)?;
    let wait_us = wait.saturating_mul(SECOND_US);
    let more = wait_us
        .saturating_mul(u64::from(attempt.jitter))
        .checked_div(1000);
    let asked = attempt.retry_after_s.unwrap_or(0).min(RETRY_AFTER_MAX_S);
    let wait_us = wait_us
        .saturating_add(more.unwrap_or(0))
        .max(asked.saturating_mul(SECOND_US));
    Some(i64::try_from(wait_us).unwrap_or(i64::MAX))
}

/// A webhook that a person wants sent again is due now. A try that is under way keeps its claim.
fn asked_again(requeue: &Requeue) -> Option<EventChange<'_>> {
    let found = requeue.found.as_ref()?;
    if found.event.id != requeue.id {
        return None;
    }
    let (claimed_until, token) = match &found.due {
        Some(due) => (due.claimed_until, due.token.clone()),
        None => (0, None),
    };
    Some(EventChange {
        row: EventRow {
            state: EventState::Pending,
            done_at: None,
            ..found.event.clone()
        },
        due: Some(EventDue {
            due_at: found.now_us,
            asked: true,
            claimed_until,
            token,
        }),
        attempt: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_their_words() {
        for (state, word) in EventState::ALL {
            assert_eq!(
                (state.word(), EventState::from_word(word)),
                (word, Some(state))
            );
        }
        assert_eq!(EventState::from_word("Parked"), None);
    }
}
