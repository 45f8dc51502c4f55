//! Commands and reads of `sync_data`: the way in for the HTTP server, the worker and the command line.
//!
//! Belongs here: handing over, and reading what was committed. Does not belong here: what a command means
//! ([`crate::loyalty::sync`]), SQL ([`crate::store`]).

use super::bell::Bell;
use super::command::{Command, Done};
use super::{Poster, defect, reading};
use crate::error::{Code, Problem};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::sync::claim::{ClaimJob, Claimed, Wish};
use crate::loyalty::sync::credit::{AddCredits, CreditEntry};
use crate::loyalty::sync::event::{
    Attempt, ClaimEvent, ClaimedEvent, EventCommand, EventDone, EventState, Requeue,
};
use crate::loyalty::sync::id::{EventId, JobId};
use crate::loyalty::sync::job::{Accepted, NewJob, Part};
use crate::loyalty::sync::view::{JobState, JobView, Page, Told};
use crate::loyalty::sync::work::{Work, Worked};
use crate::loyalty::sync::{SyncCommand, SyncDone};
use crate::store::{Db, credits, outbox, sync_heads, sync_items, sync_jobs, sync_queue};
use std::sync::Arc;

pub use crate::store::outbox::Listed as ListedEvent;

impl Poster {
    /// Stores a request. When this returns, it is on disk. If it is known as one that was stored before, the job is that
    /// one's.
    pub async fn accept(&self, job: NewJob, once: Option<Once>) -> Result<Accepted, Problem> {
        let account = job.account;
        let command = Command::Sync(Box::new(SyncCommand::Accept(job)));
        match self.submit(command, once).await? {
            Done::Sync(done) => match *done {
                SyncDone::Accepted(accepted) => {
                    self.bell.ring();
                    Ok(accepted)
                }
                _ => Err(defect()),
            },
            Done::Repeated(Kept::Job { job }) => self.accepted_before(account, job).await,
            _ => Err(defect()),
        }
    }

    /// Reads a job that was stored before.
    async fn accepted_before(&self, account: i32, job: i64) -> Result<Accepted, Problem> {
        let found = self.read(move |db| sync_jobs::find(db, account, job)).await;
        // "Nothing was posted" would not be true.
        let unread = || {
            let mut problem = Problem::new(Code::PostedBefore);
            let said =
                format!("This request was stored before as job {job}, which cannot be read now");
            problem.said = Some(said.into());
            problem
        };
        let view = found.map_err(|_| unread())?.ok_or_else(unread)?;
        Ok(Accepted {
            job: view.head,
            repeated: true,
        })
    }

    /// A job with its results; `None` if the account has none with this id.
    pub async fn job(
        &self,
        account: i32,
        id: JobId,
        page: Page,
    ) -> Result<Option<JobView>, Problem> {
        self.read(move |db| sync_jobs::view(db, account, id, page))
            .await
    }

    /// The newest jobs of an account, without their results: at most `limit`, numbered below `before`.
    pub async fn jobs(
        &self,
        account: i32,
        state: Option<JobState>,
        limit: i64,
        before: Option<i64>,
    ) -> Result<Vec<JobView>, Problem> {
        self.read(move |db| sync_jobs::list(db, account, state, limit, before))
            .await
    }

    /// Webhooks of all accounts, the newest first: at most `limit`.
    pub async fn events(
        &self,
        state: Option<EventState>,
        limit: i64,
    ) -> Result<Vec<ListedEvent>, Problem> {
        self.read(move |db| outbox::list(db, state, limit)).await
    }

    /// The newest entries of an account's credits, the newest first: at most `limit`.
    pub async fn credit_entries(
        &self,
        account: i32,
        limit: i64,
    ) -> Result<Vec<CreditEntry>, Problem> {
        self.read(move |db| credits::list(db, account, limit)).await
    }

    /// Jobs that nobody works on: of each account the oldest one. Account and number.
    pub async fn due_jobs(&self, limit: i64) -> Result<Vec<(i32, i64)>, Problem> {
        self.read(move |db| sync_queue::due(db, limit)).await
    }

    /// Takes a job, keeps it or gives it back; `None` if it is somebody else's or done.
    pub async fn claim_job(&self, claim: ClaimJob) -> Result<Option<Claimed>, Problem> {
        let (account, job, wish) = (claim.account, claim.job, claim.wish);
        let claimed = match self.write(SyncCommand::Claim(claim)).await? {
            SyncDone::Claimed(claimed) => claimed,
            _ => return Err(defect()),
        };
        let Some(mut claimed) = claimed else {
            return Ok(None);
        };
        if wish == Wish::Take && claimed.head.purchases > 0 {
            let purchase = self.read(move |db| sync_jobs::purchase(db, account, job));
            claimed.purchase = purchase.await?;
        }
        Ok(Some(claimed))
    }

    /// The part of a job in which an item is.
    pub async fn part(&self, account: i32, job: i64, cursor: i32) -> Result<Option<Part>, Problem> {
        self.read(move |db| sync_jobs::part(db, account, job, cursor))
            .await
    }

    /// The credits that an account has left; `None` is without limit.
    pub async fn credits(&self, account: i32) -> Result<Option<i64>, Problem> {
        let numbers = self.read(move |db| sync_heads::read(db, account)).await?;
        Ok(numbers.credits)
    }

    /// Works off items of a job.
    pub async fn work(&self, work: Work) -> Result<Worked, Problem> {
        match self.write(SyncCommand::Work(work)).await? {
            SyncDone::Worked(worked) => Ok(worked),
            _ => Err(defect()),
        }
    }

    /// Webhooks that are to be sent now and that nobody has taken. Account and number.
    pub async fn due_events(&self, limit: i64) -> Result<Vec<(i32, i64)>, Problem> {
        self.read(move |db| outbox::due(db, limit)).await
    }

    /// Takes a webhook; `None` if it is somebody else's or not due.
    pub async fn claim_event(&self, claim: ClaimEvent) -> Result<Option<ClaimedEvent>, Problem> {
        match self.event(EventCommand::Claim(claim)).await? {
            EventDone::Claimed(claimed) => Ok(claimed.map(|claimed| *claimed)),
            _ => Err(defect()),
        }
    }

    /// What a webhook says of the items of a job: at most `limit` of those behind `after`, which is -1 at first.
    pub async fn told(
        &self,
        account: i32,
        job: i64,
        after: i32,
        limit: i64,
    ) -> Result<Vec<Told>, Problem> {
        self.read(move |db| sync_items::told(db, account, job, after, limit))
            .await
    }

    /// Notes what a try to send a webhook has brought; `None` if the claim was lost, and nothing was noted.
    pub async fn record(&self, attempt: Attempt) -> Result<Option<EventState>, Problem> {
        match self.event(EventCommand::Attempt(attempt)).await? {
            EventDone::Recorded(state) => Ok(state),
            _ => Err(defect()),
        }
    }

    /// Has a webhook sent again, whatever its state; `false` if there is none with this id.
    pub async fn requeue(&self, id: &EventId) -> Result<bool, Problem> {
        let requeue = Requeue {
            id: id.clone(),
            found: None,
        };
        match self.event(EventCommand::Requeue(requeue)).await? {
            EventDone::Requeued(found) => {
                self.bell.ring();
                Ok(found)
            }
            _ => Err(defect()),
        }
    }

    /// Gives or takes credits, and tells how many are left.
    pub async fn add_credits(&self, add: AddCredits) -> Result<i64, Problem> {
        match self.write(SyncCommand::Credit(add)).await? {
            SyncDone::Credited(left) => Ok(left),
            _ => Err(defect()),
        }
    }

    /// What is rung when there is something new for the worker.
    pub fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    async fn event(&self, event: EventCommand) -> Result<EventDone, Problem> {
        match self.write(SyncCommand::Event(event)).await? {
            SyncDone::Event(done) => Ok(done),
            _ => Err(defect()),
        }
    }

    async fn write(&self, command: SyncCommand) -> Result<SyncDone, Problem> {
        let command = Command::Sync(Box::new(command));
        match self.submit(command, None).await? {
            Done::Sync(done) => Ok(*done),
            _ => Err(defect()),
        }
    }

    /// Reads what was committed.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> crate::store::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let readers = self.readers.clone();
        reading(move || work(&mut *readers.get()?)).await
    }
}
