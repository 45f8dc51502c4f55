//! What the worker asks of posting. Its tests have a desk of their own.

use crate::error::Problem;
use crate::loyalty::account::Account;
use crate::loyalty::sync::claim::{ClaimJob, Claimed};
use crate::loyalty::sync::event::{Attempt, ClaimEvent, ClaimedEvent, EventState};
use crate::loyalty::sync::job::Part;
use crate::loyalty::sync::view::Told;
use crate::loyalty::sync::work::{Work, Worked};
use crate::posting::Poster;
use crate::posting::directory::Directory;
use std::sync::Arc;

#[cfg(test)]
pub(super) mod fake;

type Answer<T> = Result<T, Problem>;

/// What the worker asks for; each is described at the method of [`Poster`] with the same name.
pub(super) trait Desk {
    /// The account with this number, as it was at most `config_max_age_ms` ago.
    fn account(&self, number: i32) -> Option<Arc<Account>>;
    async fn due_jobs(&self, limit: i64) -> Answer<Vec<(i32, i64)>>;
    async fn claim_job(&self, claim: ClaimJob) -> Answer<Option<Claimed>>;
    async fn part(&self, account: i32, job: i64, cursor: i32) -> Answer<Option<Part>>;
    async fn credits(&self, account: i32) -> Answer<Option<i64>>;
    async fn work(&self, work: Work) -> Answer<Worked>;
    async fn due_events(&self, limit: i64) -> Answer<Vec<(i32, i64)>>;
    async fn claim_event(&self, claim: ClaimEvent) -> Answer<Option<ClaimedEvent>>;
    async fn told(&self, account: i32, job: i64, after: i32, limit: i64) -> Answer<Vec<Told>>;
    async fn record(&self, attempt: Attempt) -> Answer<Option<EventState>>;
}

/// The desk of a gateway.
pub(super) struct Posting {
    pub poster: Arc<Poster>,
    pub directory: Arc<Directory>,
}

impl Desk for Posting {
    fn account(&self, number: i32) -> Option<Arc<Account>> {
        self.directory.by_number(number)
    }

    async fn due_jobs(&self, limit: i64) -> Answer<Vec<(i32, i64)>> {
        self.poster.due_jobs(limit).await
    }

    async fn claim_job(&self, claim: ClaimJob) -> Answer<Option<Claimed>> {
        self.poster.claim_job(claim).await
    }

    async fn part(&self, account: i32, job: i64, cursor: i32) -> Answer<Option<Part>> {
        self.poster.part(account, job, cursor).await
    }

    async fn credits(&self, account: i32) -> Answer<Option<i64>> {
        self.poster.credits(account).await
    }

    async fn work(&self, work: Work) -> Answer<Worked> {
        self.poster.work(work).await
    }

    async fn due_events(&self, limit: i64) -> Answer<Vec<(i32, i64)>> {
        self.poster.due_events(limit).await
    }

    async fn claim_event(&self, claim: ClaimEvent) -> Answer<Option<ClaimedEvent>> {
        self.poster.claim_event(claim).await
    }

    async fn told(&self, account: i32, job: i64, after: i32, limit: i64) -> Answer<Vec<Told>> {
        self.poster.told(account, job, after, limit).await
    }

    async fn record(&self, attempt: Attempt) -> Answer<Option<EventState>> {
        self.poster.record(attempt).await
    }
}
