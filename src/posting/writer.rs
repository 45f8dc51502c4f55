//! The thread that writes groups, and what each failure does.
//!
//! | failure | what happens |
//! | --- | --- |
//! | conflict with another writer | the whole group again, at most [`CONFLICTS_MAX`] times, then 503 `nothing was posted` |
//! | the data is refused | the group is split, so that only the culprit fails |
//! | the database is away | the whole group again until `db_retry_ms` are over, then 503 `nothing was posted` |
//! | the answer of the commit is missing | the commit's id tells whether to answer or to post again; if it cannot be read within `db_retry_ms`, 503 `outcome unknown` |

use super::Answer;
use super::codes::Codes;
use super::days::Days;
use super::directory::Directory;
use super::group::{self, Desk, Stop, Unsettled};
use super::purge::Purge;
use super::queue::{Job, Lane, Queue, Taken};
use crate::config::{DatabaseUrl, Settings};
use crate::error::{Code, Problem};
use crate::secrets;
use crate::store::connect::{Role, connect, unsafe_settings};
use crate::store::{Db, Failure, dialect, heads};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a group that lost to another writer is tried again.
pub const CONFLICTS_MAX: u32 = 5;
/// The wait before the database is tried again after it was away.
const AWAY_WAIT: Duration = Duration::from_millis(50);

/// A writer with its own connection.
pub struct Writer {
    url: DatabaseUrl,
    queue: Arc<Queue>,
    lane: Lane,
    directory: Arc<Directory>,
    max_open_faults: i64,
    purge: Purge,
    codes: Codes,
    days: Days,
    retry: Duration,
    unsafe_durability: bool,
    db: Option<Db>,
}

impl Writer {
    /// A writer for one lane of the queue. It connects when there is something to write.
    pub fn new(
        settings: &Settings,
        queue: Arc<Queue>,
        lane: Lane,
        directory: Arc<Directory>,
        purge: Purge,
    ) -> Writer {
        Writer {
            url: settings.database_url.clone(),
            queue,
            lane,
            directory,
            max_open_faults: i64::try_from(settings.max_open_faults).unwrap_or(i64::MAX),
            purge,
            codes: Codes::new(settings.cached_codes),
            days: Days::default(),
            retry: Duration::from_millis(settings.db_retry_ms),
            unsafe_durability: settings.unsafe_durability,
            db: None,
        }
    }

    /// Writes until the queue is closed and empty.
    pub fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        while let Some(Taken { jobs, held }) = queue.take(self.lane) {
            for jobs in apart(jobs) {
                // A defect met by one group must not end the writer; its connection goes, and with it the transaction.
                if catch_unwind(AssertUnwindSafe(|| self.settle(jobs))).is_err() {
                    tracing::error!(
                        "a group ended with a panic; its requests were told that the outcome is unknown"
                    );
                    self.db = None;
                }
            }
            queue.done(held);
        }
    }

    /// Writes a group and answers all of it.
    fn settle(&mut self, mut jobs: Vec<Job>) {
        let mut conflicts = 0_u32;
        let mut away_since: Option<Instant> = None;
        let mut unsettled: Vec<Unsettled> = Vec::new();
        loop {
            jobs.retain(|job| job.begun || !job.is_abandoned());
            if jobs.is_empty() {
                return;
            }
            let began = Instant::now();
            let failure = match self.attempt(&mut jobs, &unsettled) {
                Ok(()) => return answer(jobs),
                Err(Stop::Failed(failure)) => failure,
                Err(Stop::WasCommitted(place)) => {
                    if let Some(earlier) = unsettled.get(place) {
                        for (job, answer) in jobs.iter_mut().zip(&earlier.answers) {
                            job.answer.clone_from(answer);
                        }
                    }
                    return answer(jobs);
                }
                Err(Stop::Unsure {
                    account,
                    nth,
                    commit_id,
                    cause,
                }) => {
                    let reference = hex::encode(commit_id);
                    tracing::warn!(
                        account,
                        nth,
                        reference,
                        "the answer of a commit is missing: {cause}"
                    );
                    match self.was_committed(account, nth, &commit_id) {
                        Some(true) => return answer(jobs),
                        Some(false) => {
                            let answers = jobs.iter().map(|job| job.answer.clone()).collect();
                            unsettled.push(Unsettled {
                                account,
                                nth,
                                commit_id,
                                answers,
                            });
                            match cause {
                                // A full disk, say: the same again at once would fail again.
                                Failure::Away(_) => cause,
                                _ => Failure::Conflict(format!(
                                    "the commit did not come about: {cause}"
                                )),
                            }
                        }
                        None => {
                            return refuse(
                                jobs,
                                &Problem::new(Code::OutcomeUnknown).detail(reference),
                            );
                        }
                    }
                }
            };
            match failure {
                Failure::Conflict(cause) => {
                    conflicts += 1;
                    tracing::debug!(conflicts, "a group is written again: {cause}");
                    if unsettled.is_empty() && has_several_accounts(&jobs) {
                        // One account that is held elsewhere must not hold up the others.
                        return self.settle_by_account(jobs);
                    }
                    if conflicts > CONFLICTS_MAX {
                        tracing::warn!("a group of {} requests was given up: {cause}", jobs.len());
                        let busy =
                            Problem::new(Code::Unavailable).detail("the database is too busy");
                        return refuse(jobs, &busy);
                    }
                }
                Failure::Data(cause) => return self.split(jobs, &cause),
                Failure::Away(cause) => {
                    if away_since.get_or_insert(began).elapsed() >= self.retry {
                        tracing::error!("{} requests were refused: {cause}", jobs.len());
                        let away =
                            Problem::new(Code::Unavailable).detail("the database is not available");
                        return refuse(jobs, &away);
                    }
                    std::thread::sleep(AWAY_WAIT);
                }
            }
        }
    }

    fn settle_by_account(&mut self, mut jobs: Vec<Job>) {
        while let Some(account) = jobs.first().map(|job| job.command.account()) {
            let (own, others) = jobs
                .into_iter()
                .partition(|job| job.command.account() == account);
            self.settle(own);
            jobs = others;
        }
    }

    fn attempt(&mut self, jobs: &mut [Job], unsettled: &[Unsettled]) -> Result<(), Stop> {
        let commit_id =
            secrets::random_bytes().map_err(|error| Failure::Away(error.to_string()))?;
        let mut db = self.connection()?;
        // The crash test counts by these two lines which of its kills fell between a group's first statement and its
        // answers.
        tracing::trace!(requests = jobs.len(), writer = name(), "group begins");
        // They stand only if the commit does.
        let mut days = std::mem::take(&mut self.days);
        let result = group::attempt(
            &mut db,
            jobs,
            &mut Desk {
                directory: &self.directory,
                max_open_faults: self.max_open_faults,
                purge: &mut self.purge,
                codes: &mut self.codes,
                days: &mut days,
            },
            commit_id,
            unsettled,
        );
        if result.is_ok() {
            self.days = days;
        }
        // Only the statement may have been undone: the rest must go before the connection is used again. A connection
        // that cannot roll back, whose commit went unanswered or whose server is in trouble, is dropped.
        let keep = match &result {
            Ok(()) => true,
            Err(Stop::Unsure { .. } | Stop::Failed(Failure::Away(_))) => false,
            Err(Stop::Failed(_) | Stop::WasCommitted(_)) => dialect::rollback(&mut db).is_ok(),
        };
        if keep {
            self.db = Some(db);
        }
        result
    }

    fn connection(&mut self) -> Result<Db, Failure> {
        match self.db.take() {
            Some(db) => Ok(db),
            None => {
                let mut db = connect(&self.url, Role::Writer)?;
                // The settings were checked at the start; this may be another server.
                if !self.unsafe_durability {
                    let found = unsafe_settings(&mut db)?;
                    if !found.is_empty() {
                        return Err(Failure::Away(format!(
                            "unsafe settings: {}",
                            found.join("; ")
                        )));
                    }
                }
                Ok(db)
            }
        }
    }

    /// Whether a commit came about, read under the account's head: whoever wrote it has ended by then. `None` if the
    /// database does not say so in time.
    fn was_committed(&mut self, account: i32, nth: i64, commit_id: &[u8; 16]) -> Option<bool> {
        let since = Instant::now();
        loop {
            match self.read_commit(account, nth) {
                Ok(found) => return Some(found.as_deref() == Some(commit_id.as_slice())),
                Err(cause) => {
                    tracing::warn!("asking for a commit failed: {cause}");
                    if since.elapsed() >= self.retry {
                        return None;
                    }
                    std::thread::sleep(AWAY_WAIT);
                }
            }
        }
    }

    fn read_commit(&mut self, account: i32, nth: i64) -> Result<Option<Vec<u8>>, Failure> {
        let mut db = self.connection()?;
        dialect::begin(&mut db)?;
        heads::take(&mut db, &[account])?;
        let found = heads::commit_id(&mut db, account, nth)?;
        dialect::rollback(&mut db)?;
        self.db = Some(db);
        Ok(found)
    }

    /// Finds the culprit by halves; everybody else is posted.
    fn split(&mut self, mut jobs: Vec<Job>, cause: &str) {
        if jobs.len() > 1 {
            let second = jobs.split_off(jobs.len() / 2);
            self.settle(jobs);
            self.settle(second);
            return;
        }
        let reference = secrets::random_hex(8).unwrap_or_default();
        tracing::error!(reference, "a request could not be stored: {cause}");
        refuse(jobs, &Problem::new(Code::NotStored).detail(reference));
    }
}

/// The name of this writer's thread.
fn name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// Groups in which no two requests are about the same subject, in the order in which they came.
fn apart(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    if jobs.iter().all(|job| job.command.subject().is_none()) {
        return vec![jobs];
    }
    let (mut groups, mut group, mut subjects) = (Vec::new(), Vec::new(), HashSet::new());
    for job in jobs {
        if let Some(subject) = job.command.subject()
            && !subjects.insert(subject)
        {
            groups.push(std::mem::take(&mut group));
            subjects.clear();
            subjects.insert(subject);
        }
        group.push(job);
    }
    groups.push(group);
    groups
}

fn has_several_accounts(jobs: &[Job]) -> bool {
    let first = jobs.first().map(|job| job.command.account());
    jobs.iter().any(|job| Some(job.command.account()) != first)
}

fn answer(jobs: Vec<Job>) {
    tracing::trace!(requests = jobs.len(), writer = name(), "group is answered");
    for mut job in jobs {
        let answer: Answer = job
            .answer
            .take()
            .unwrap_or_else(|| Err(Problem::new(Code::Unavailable).detail("it was not written")));
        job.reply(answer);
    }
}

/// Answers everybody with a problem, but for those that an attempt had already refused for a reason of their own. That a
/// key belongs to another request may be known from a request of this very group, which was not stored.
fn refuse(jobs: Vec<Job>, problem: &Problem) {
    let stands =
        |answer: &Answer| matches!(answer, Err(own) if own.code != Code::IdempotencyKeyReused);
    for mut job in jobs {
        let own = job.answer.take().filter(stands);
        job.reply(own.unwrap_or_else(|| Err(problem.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::undo::Undo;
    use crate::posting::command::Command;

    #[test]
    fn a_key_that_only_a_failed_group_has_used_is_not_called_used() {
        let refused_as = |code| {
            let undo = Undo {
                account: 1,
                batch: 1,
                skip_blocked: false,
                even_unlisted: false,
                images_kept_us: 0,
                found: None,
            };
            let mut job = Job::new(Command::Undo(undo), None);
            let (reply, mut answer) = tokio::sync::oneshot::channel();
            job.reply = Some(reply);
            job.answer = Some(Err(Problem::new(code)));
            refuse(vec![job], &Problem::new(Code::Unavailable));
            answer.try_recv().unwrap().unwrap_err().code
        };
        assert_eq!(refused_as(Code::IdempotencyKeyReused), Code::Unavailable);
        assert_eq!(refused_as(Code::BadCredentials), Code::BadCredentials);
    }
}
