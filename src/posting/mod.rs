//! Posting: gathers the requests that wait, writes them in one transaction, commits once, then answers everyone.
//!
//! Belongs here: when and in which company a request is written, and what happens when that fails. Does not belong
//! here: what a request means ([`crate::loyalty`]), SQL ([`crate::store`]).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`directory`] | the cache of accounts and their configuration |
//! | [`queue`] | what waits for a writer, within limits |
//! | [`group`] | one attempt at one group: load, decide, store, commit |
//! | [`writer`] | the thread that writes groups, and what each failure does |

pub mod directory;
pub mod group;
pub mod queue;
pub mod writer;

use crate::config::{DatabaseUrl, Settings};
use crate::error::{Code, Problem};
use crate::loyalty::batch::Batch;
use crate::loyalty::outcome::Outcome;
use crate::store::Failure;
use crate::store::connect::Readers;
use directory::Directory;
use group::Prepared;
use queue::{Claim, Gate, Job, Queue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a request comes to: its outcome, or why nothing was posted.
pub type Answer = Result<Outcome, Problem>;

/// The way in: hands requests to the writer of their account and waits for the answer.
pub struct Poster {
    readers: Readers,
    directory: Arc<Directory>,
    max_open_faults: i64,
    queues: Vec<Arc<Queue>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    large_lines: usize,
    timeout: Duration,
    large_timeout: Duration,
    write_timeout: Duration,
    halted: AtomicBool,
}

/// How long [`Poster::stop`] waits: by then the server has answered everybody, or has waited `shutdown_timeout_s`.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// How often [`Poster::stop`] looks whether a writer has ended.
const STOP_POLL: Duration = Duration::from_millis(5);

impl Poster {
    /// Starts the writers: one for SQLite, `writers` of the settings for MySQL.
    pub fn start(settings: &Settings, directory: &Arc<Directory>) -> std::io::Result<Poster> {
        let writers = match settings.database_url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Mysql(_) => settings.writers.max(1),
        };
        let gate = Arc::new(Gate::default());
        let mut queues = Vec::new();
        let mut threads = Vec::new();
        for number in 0..writers {
            let queue = Arc::new(Queue::new(
                settings.queue_requests,
                settings.queue_bytes,
                settings.group_lines,
            ));
            let writer = writer::Writer::new(
                settings,
                Arc::clone(&queue),
                Arc::clone(directory),
                Arc::clone(&gate),
            );
            let name = format!("writer-{number}");
            threads.push(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || writer.run())?,
            );
            queues.push(queue);
        }
        Ok(Poster {
            readers: directory.readers().clone(),
            directory: Arc::clone(directory),
            max_open_faults: i64::try_from(settings.max_open_faults).unwrap_or(i64::MAX),
            queues,
            threads: Mutex::new(threads),
            large_lines: settings.large_request_lines,
            timeout: Duration::from_millis(settings.queue_timeout_ms),
            large_timeout: Duration::from_millis(settings.large_queue_timeout_ms),
            write_timeout: Duration::from_millis(settings.write_timeout_ms),
            halted: AtomicBool::new(false),
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

    /// Posts a batch. When this returns an outcome, its rows are on disk.
    pub async fn post(&self, batch: Batch) -> Answer {
        if self.halted.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::Unavailable).detail("its database file is gone"));
        }
        let large = self.is_large(batch.lines.list.len());
        let (batch, prepared) = if large {
            self.prepare(batch).await?
        } else {
            (batch, None)
        };
        let (reply, mut answer) = oneshot::channel();
        let claim = Claim::default();
        let timeout = if large {
            self.large_timeout
        } else {
            self.timeout
        };
        let account = usize::try_from(batch.caller.account).unwrap_or(0);
        let queue = self
            .queues
            .get(account.checked_rem(self.queues.len()).unwrap_or(0))
            .ok_or_else(|| Problem::new(Code::Unavailable).detail("it is stopping"))?;
        queue.push(Job {
            batch,
            prepared,
            reply: Some(reply),
            answer: None,
            claim: claim.clone(),
            large,
            begun: false,
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

    /// Tells what would become of a batch: decided on a snapshot of its own, nothing is written and nobody waits.
    pub async fn rehearse(&self, mut batch: Batch) -> Answer {
        let (readers, directory) = (self.readers.clone(), Arc::clone(&self.directory));
        let max_open_faults = self.max_open_faults;
        let rehearsed = tokio::task::spawn_blocking(move || {
            group::rehearse(
                &mut *readers.get()?,
                &mut batch,
                &directory,
                max_open_faults,
            )
        });
        match rehearsed.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(cause)) => {
                tracing::error!("a dry run failed: {cause}");
                Err(Problem::new(Code::Unavailable).detail("the database is not available"))
            }
            Err(_) => Err(Problem::new(Code::Unavailable).detail("it met a defect")),
        }
    }

    /// Looks up the codes of a large batch before it waits, on a thread that may take its time.
    async fn prepare(&self, batch: Batch) -> Result<(Batch, Option<Prepared>), Problem> {
        let readers = self.readers.clone();
        let looked_up = tokio::task::spawn_blocking(move || {
            let prepared = Prepared::look_up(&mut *readers.get()?, &batch)?;
            Ok::<_, Failure>((batch, prepared))
        });
        match looked_up.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(cause)) => {
                tracing::error!("codes could not be looked up: {cause}");
                Err(Problem::new(Code::Unavailable).detail("the database is not available"))
            }
            Err(_) => Err(Problem::new(Code::Unavailable)
                .detail("it met a defect while preparing the request")),
        }
    }

    /// Takes no more requests, writes those that wait, and ends the writers; waits for them at most
    /// five seconds.
    pub fn stop(&self) {
        for queue in &self.queues {
            queue.close();
        }
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
