//! Posting: gathers the requests that wait, writes them in one transaction, commits once, then answers everyone.
//!
//! Belongs here: when and in which company a request is written, and what happens when that fails. Does not belong
//! here: what a request means ([`crate::loyalty`]), SQL ([`crate::store`]).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`bell`] | wakes the worker of `sync_data` |
//! | [`codes`] | codes that a writer remembers |
//! | [`command`] | what can be posted, and what comes of it |
//! | [`directory`] | the cache of accounts and their configuration |
//! | [`queue`] | what waits for a writer, within limits |
//! | [`days`] | days that a writer need not write again |
//! | [`config`] | posting what users change of the configuration |
//! | [`group`] | one attempt at one group: load, decide, store, commit |
//! | [`histories`] | the entries of balances, read in pieces |
//! | [`lookup`] | customers and balances looked up, many requests at a time |
//! | [`people`] | posting what API 1.5 changes of customers |
//! | [`import`], [`lists`] | many customers at once |
//! | [`part`] | the share of one account in it |
//! | [`purge`] | what is old is deleted in passing |
//! | [`prepared`] | who holds the codes that requests name |
//! | [`sales`] | posting sales |
//! | [`singles`] | posting single transactions, and taking them back |
//! | [`sync`] | commands and reads of `sync_data` |
//! | [`writer`] | the thread that writes groups, and what each failure does |

pub mod bell;
pub mod codes;
pub mod command;
pub mod config;
pub mod days;
pub mod directory;
pub mod group;
pub mod histories;
pub mod import;
pub mod lists;
pub mod lookup;
pub mod part;
pub mod people;
pub mod prepared;
pub mod purge;
pub mod queue;
pub mod sales;
pub mod singles;
pub mod sync;
pub mod writer;

use crate::config::{DatabaseUrl, Settings};
use crate::error::{Code, Problem};
use crate::loyalty::batch::{Batch, Wishes};
use crate::loyalty::once::{Kept, KeptBatch, Once};
use crate::loyalty::outcome::{CHARSET_WARNING, Outcome};
use crate::loyalty::undo::{Undo, Undone};
use crate::store::connect::Readers;
use crate::store::{Failure, batches};
use bell::Bell;
use command::{Command, Done};
use directory::Directory;
use lookup::Looks;
use prepared::Prepared;
use purge::Purge;
use queue::{Claim, Job, Queue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a request comes to: what was done, or why nothing was posted.
pub type Answer = Result<Done, Problem>;

/// The way in: hands requests to the writer of their account, or to those who look up, and waits for the answer.
pub struct Poster {
    readers: Readers,
    directory: Arc<Directory>,
    max_open_faults: i64,
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    large_lines: usize,
    timeout: Duration,
    large_timeout: Duration,
    write_timeout: Duration,
    halted: AtomicBool,
    bell: Arc<Bell>,
    looks: Arc<Looks>,
}

/// How long [`Poster::stop`] waits: by then the server has answered everybody, or has waited `shutdown_timeout_s`.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// How often [`Poster::stop`] looks whether a writer has ended.
const STOP_POLL: Duration = Duration::from_millis(5);

impl Poster {
    /// Starts the writers: one for SQLite; for MySQL `writers` of the settings, and one for large requests.
    pub fn start(settings: &Settings, directory: &Arc<Directory>) -> std::io::Result<Poster> {
        Poster::start_with(settings, directory, || Purge::new(settings))
    }

    /// As [`Poster::start`], for a single command: it deletes nothing in passing, since its settings may be others than
    /// those of the server.
    pub fn of_command(settings: &Settings, directory: &Arc<Directory>) -> std::io::Result<Poster> {
        Poster::start_with(settings, directory, Purge::nothing)
    }

    fn start_with(
        settings: &Settings,
        directory: &Arc<Directory>,
        purge: impl Fn() -> Purge,
    ) -> std::io::Result<Poster> {
        let (writers, shared) = match settings.database_url {
            DatabaseUrl::Sqlite(_) => (1, true),
            DatabaseUrl::Mysql(_) => (settings.writers.max(1), false),
        };
        let room = (settings.queue_requests, settings.queue_bytes);
        let queue = Arc::new(Queue::new(writers, shared, room, settings.group_lines));
        let mut threads = Vec::new();
        for (number, lane) in queue.lanes().into_iter().enumerate() {
            let (queue, directory) = (Arc::clone(&queue), Arc::clone(directory));
            let writer = writer::Writer::new(settings, queue, lane, directory, purge());
            let name = format!("writer-{number}");
            threads.push(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || writer.run())?,
            );
        }
        let (looks, mut lookers) = Looks::start(settings)?;
        threads.append(&mut lookers);
        Ok(Poster {
            readers: directory.readers().clone(),
            directory: Arc::clone(directory),
            max_open_faults: i64::try_from(settings.max_open_faults).unwrap_or(i64::MAX),
            queue,
            threads: Mutex::new(threads),
            large_lines: settings.large_request_lines,
            timeout: Duration::from_millis(settings.queue_timeout_ms),
            large_timeout: Duration::from_millis(settings.large_queue_timeout_ms),
            write_timeout: Duration::from_millis(settings.write_timeout_ms),
            halted: AtomicBool::new(false),
            bell: Arc::new(Bell::default()),
            looks,
        })
    }

    /// Whether a request of so many lines counts as large: prepared outside the writer, written alone.
    pub fn is_large(&self, lines: usize) -> bool {
        lines > self.large_lines
    }

    /// Refuses all requests from now on, or takes them again: for when the database file is not the one that was opened.
    pub fn halt(&self, halted: bool) {
        self.halted.store(halted, Ordering::Relaxed);
    }

    /// Posts a batch. When this returns an outcome, its rows are on disk. If it is known as one that was posted before,
    /// the outcome is that one's.
    pub async fn post(&self, batch: Batch, once: Option<Once>) -> Result<Outcome, Problem> {
        let (account, wishes) = (batch.source.account(), batch.wishes);
        match self.submit(Command::Batch(batch), once).await? {
            Done::Batch(outcome) => Ok(outcome),
            Done::Repeated(Kept::Batch(kept)) => self.tell_again(account, kept, wishes).await,
            _ => Err(defect()),
        }
    }

    /// Tells what would become of a batch: decided on a snapshot of its own, nothing is written and nobody waits.
    pub async fn rehearse(&self, batch: Batch, once: Option<Once>) -> Result<Outcome, Problem> {
        let (account, wishes) = (batch.source.account(), batch.wishes);
        let outcome = match self.foretell(Command::Batch(batch), once).await? {
            Done::Batch(outcome) => outcome,
            Done::Repeated(Kept::Batch(kept)) => self.tell_again(account, kept, wishes).await?,
            _ => return Err(defect()),
        };
        Ok(Outcome {
            dry_run: true,
            ..outcome
        })
    }

    /// Undoes a batch. When this returns, and the outcome does not say that it was refused, the opposite entries are on
    /// disk.
    pub async fn undo(&self, undo: Undo) -> Result<Undone, Problem> {
        match self.submit(Command::Undo(undo), None).await? {
            Done::Undo(undone) => Ok(undone),
            _ => Err(defect()),
        }
    }

    /// Tells what undoing a batch would do.
    pub async fn rehearse_undo(&self, undo: Undo) -> Result<Undone, Problem> {
        match self.foretell(Command::Undo(undo), None).await? {
            Done::Undo(undone) => Ok(undone),
            _ => Err(defect()),
        }
    }

    /// Hands a request to the writer of its account and waits for the answer.
    async fn submit(&self, command: Command, once: Option<Once>) -> Answer {
        if self.halted.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::Unavailable).detail("its database file is gone"));
        }
        let many = command.may_be_large() && self.is_large(command.lines());
        let large = many || command.is_alone();
        let (command, prepared) = if large {
            self.prepare(command).await?
        } else {
            (command, None)
        };
        let (reply, mut answer) = oneshot::channel();
        let claim = Claim::default();
        let timeout = if large {
            self.large_timeout
        } else {
            self.timeout
        };
        self.queue.push(Job {
            prepared,
            reply: Some(reply),
            claim: claim.clone(),
            large,
            ..Job::new(command, once)
        })?;
        let answer = match tokio::time::timeout(timeout, &mut answer).await {
            Ok(answer) => answer,
            Err(_) if claim.take() => {
                let waited = format!("it waited longer than {} ms", timeout.as_millis());
                return Err(Problem::new(Code::Unavailable).detail(waited));
            }
            // Its group has begun: it is carried through, however the database behaves. The caller is not kept for ever.
            Err(_) => match tokio::time::timeout(self.write_timeout, answer).await {
                Ok(answer) => answer,
                // Whether it will be posted, and under which commit, is not known here.
                Err(_) => return Err(Problem::new(Code::OutcomeUnknown).detail("none")),
            },
        };
        // A writer that ends without answering has met a defect; what it committed is not known here.
        answer.unwrap_or_else(|_| Err(Problem::new(Code::OutcomeUnknown).detail("none")))
    }

    /// Decides a request on a snapshot.
    async fn foretell(&self, command: Command, once: Option<Once>) -> Answer {
        let (readers, directory) = (self.readers.clone(), Arc::clone(&self.directory));
        let max_open_faults = self.max_open_faults;
        reading(move || {
            let mut job = Job::new(command, once);
            group::rehearse(&mut *readers.get()?, &mut job, &directory, max_open_faults)
        })
        .await?
    }

    /// Reads the outcome of a batch that was posted before.
    async fn tell_again(
        &self,
        account: i32,
        kept: KeptBatch,
        wishes: Wishes,
    ) -> Result<Outcome, Problem> {
        let (readers, directory) = (self.readers.clone(), Arc::clone(&self.directory));
        let found = reading(move || {
            let db = &mut *readers.get()?;
            match directory.by_number(account) {
                Some(account) => batches::outcome(db, &account, kept, wishes.details),
                None => Ok(None),
            }
        });
        // "Nothing was posted" would not be true.
        let unread = || Problem::new(Code::PostedBefore).value(&kept.batch.to_string());
        let found = found.await.map_err(|_| unread())?;
        let mut outcome = found.ok_or_else(unread)?;
        if wishes.details && wishes.windows_1252 {
            outcome.warnings.insert(0, (0, CHARSET_WARNING));
        }
        Ok(outcome)
    }

    /// Looks up the codes of a large request before it waits, on a thread that may take its time.
    async fn prepare(&self, command: Command) -> Result<(Command, Option<Prepared>), Problem> {
        let readers = self.readers.clone();
        reading(move || {
            let prepared = Prepared::look_up(&readers, &command)?;
            Ok((command, prepared))
        })
        .await
    }

    /// Takes no more requests, writes those that wait, and ends the writers; waits for them at most
    /// five seconds.
    pub fn stop(&self) {
        self.queue.close();
        self.looks.close();
        let threads = self
            .threads
            .lock()
            .map(|mut threads| std::mem::take(&mut *threads))
            .unwrap_or_default();
        let deadline = Instant::now() + STOP_WAIT;
        for thread in threads {
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(STOP_POLL);
            }
            if !thread.is_finished() {
                tracing::error!("a writer waits for the database for too long and is left behind");
            } else if thread.join().is_err() {
                tracing::error!("a writer ended with a panic");
            }
        }
    }
}

/// Reads from the database on a thread that may take its time.
async fn reading<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(cause)) => {
            tracing::error!("reading for a request failed: {cause}");
            Err(Problem::new(Code::Unavailable).detail("the database is not available"))
        }
        Err(_) => Err(defect()),
    }
}

fn defect() -> Problem {
    Problem::new(Code::Unavailable).detail("it met a defect while preparing the request")
}
