//! One webhook: taken, sent, noted.
//!
//! What a try brought is noted under the claim's token. If the worker is lost between sending and noting, the webhook
//! is sent once more, with the same id: its receiver may get it twice, and never not at all.

use super::desk::Desk;
use super::{Ended, Worker, body, microseconds};
use crate::error::{Code, Problem};
use crate::hooks::client::Sent;
use crate::hooks::sign;
use crate::hooks::target::Target;
use crate::loyalty::account::Account;
use crate::loyalty::sync::event::{Attempt, ClaimEvent, ClaimedEvent, EventState};
use crate::secrets::{self, random_bytes, random_hex};
use chrono::Utc;
use std::time::Duration;

/// The most that is added to a wait, in thousandths of it.
const MOST_JITTER: u64 = 200;
/// The first wait when what a try brought cannot be noted; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Takes a webhook, sends it once, and notes what came of it.
pub(super) async fn run<D: Desk>(worker: &Worker<D>, account: i32, event: i64) -> Ended {
    let (Some(account), Ok(token)) = (worker.desk.account(account), random_hex(16)) else {
        return Ended::Later;
    };
    let claim = ClaimEvent {
        account: account.number,
        event,
        token: token.clone(),
        lease_us: microseconds(worker.hook_lease),
        found: None,
    };
    let claimed = match worker.desk.claim_event(claim).await {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return Ended::Later,
        Err(problem) => {
            tracing::debug!("a webhook cannot be taken: {}", problem.message());
            return Ended::Later;
        }
    };
    let id = claimed.event.id.as_str();
    let started_at = Utc::now().timestamp_micros();
    let sent = match send(worker, &account, &claimed).await {
        Ok(sent) => sent,
        // The lease runs out, and it is taken again.
        Err(problem) => {
            tracing::warn!("the webhook {id} cannot be read: {}", problem.message());
            return Ended::Later;
        }
    };
    let attempt = Attempt {
        account: account.number,
        event,
        token,
        started_at,
        took_ms: i32::try_from(sent.took.as_millis()).unwrap_or(i32::MAX),
        status: sent.status.map(i32::from),
        error: sent.error,
        answer: sent.answer,
        retry_after_s: sent.retry_after_s,
        schedule: worker.schedule.clone(),
        jitter: jitter(),
        found: None,
    };
    match note(worker, &attempt).await {
        Ok(Some(state)) => {
            say(id, state, &attempt);
            Ended::Done
        }
        Ok(None) => {
            tracing::warn!("claim lost: somebody else sends the webhook {id}");
            Ended::Later
        }
        Err(problem) => {
            tracing::error!(
                "the webhook {id} was sent, and that cannot be noted: {}. It will be sent again.",
                problem.message()
            );
            Ended::Later
        }
    }
}

/// One try. An error is one of ours: nothing was sent.
async fn send<D: Desk>(
    worker: &Worker<D>,
    account: &Account,
    claimed: &ClaimedEvent,
) -> Result<Sent, Problem> {
    let target = match Target::read(&claimed.event.url, &worker.sender.allow) {
        Ok(target) => target,
        Err(why) => return Ok(unsent(format!("refused address: the URL {why}"))),
    };
    let sealed = account.sealed_secret.as_deref();
    let context = secrets::account_context(&account.account_id);
    let secret = match sealed.map(|sealed| worker.key.open(sealed, &context)) {
        Some(Ok(secret)) => secret,
        Some(Err(error)) => return Ok(unsent(error.to_string())),
        None => return Ok(unsent("the account has no secret to sign with".to_owned())),
    };
    let hook = body::read(&worker.desk, &account.account_id, claimed).await?;
    let Ok(token) = sign::token() else {
        return Ok(unsent(
            "the operating system gives no random bytes".to_owned(),
        ));
    };
    let timestamp = Utc::now().timestamp();
    let body = hook.finish(timestamp, &token).into_bytes();
    let id = claimed.event.id.as_str();
    let headers = sign::headers(&secret, id, timestamp, &token, &body);
    let sender = worker.sender.clone();
    let sent = tokio::task::spawn_blocking(move || sender.send(&target, &headers, &body)).await;
    Ok(sent.unwrap_or_else(|_| unsent("a defect was met while it was sent".to_owned())))
}

/// A try that did not come as far as a connection.
fn unsent(error: String) -> Sent {
    Sent {
        status: None,
        error: Some(error),
        answer: None,
        retry_after_s: None,
        took: Duration::ZERO,
    }
}

/// Notes what a try brought; asks again as long as the claim may hold.
async fn note<D: Desk>(
    worker: &Worker<D>,
    attempt: &Attempt,
) -> Result<Option<EventState>, Problem> {
    let (mut wait, mut waited) = (FIRST_WAIT, Duration::ZERO);
    loop {
        match worker.desk.record(attempt.clone()).await {
            Err(problem)
                if problem.code == Code::Unavailable
                    && waited < super::HOOK_LEASE_MARGIN
                    && !worker.is_stopping() =>
            {
                worker.pause(wait).await;
                waited = waited.saturating_add(wait);
                wait = wait.saturating_mul(2);
            }
            noted => return noted,
        }
    }
}

/// A random number of thousandths, so that what failed at once is not tried again at once.
fn jitter() -> u32 {
    let random = random_bytes::<8>().map_or(0, u64::from_be_bytes);
    u32::try_from(random % (MOST_JITTER + 1)).unwrap_or(0)
}

fn say(id: &str, state: EventState, attempt: &Attempt) {
    let status = attempt
        .status
        .map_or_else(String::new, |status| format!("status {status}"));
    let error = attempt.error.as_deref().unwrap_or_default();
    match state {
        EventState::Delivered => tracing::debug!("the webhook {id} is delivered: {status} {error}"),
        EventState::Pending => {
            tracing::info!("the webhook {id} will be tried again: {status} {error}")
        }
        EventState::Refused | EventState::Parked => {
            tracing::warn!("the webhook {id} is {}: {status} {error}", state.word());
        }
    }
}

#[cfg(test)]
mod tests;
