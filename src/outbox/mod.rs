//! The worker: works off jobs and sends webhooks, beside the HTTP server.
//!
//! Belongs here: when and by whom a job or a webhook is taken, and what is found out for it before. Does not belong
//! here: what a job means ([`crate::loyalty`]), how a webhook is sent ([`crate::hooks`]).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`jobs`] | one job: taken, worked off part by part, given back |
//! | [`prepare`] | what has to be found out before items are worked off |
//! | [`hooks`] | one webhook: taken, sent, noted |
//! | [`body`] | its body, read page by page |
//! | `desk` | what all of it asks of posting |
//! | `rounds` | who is sent to do what, and the end |
//!
//! It is one thread with a runtime of its own; what takes long or blocks goes to threads of that runtime. What is to be
//! done stands in the database, so that any gateway may do it, and a lost one loses nothing: a claim has a lease, and
//! what it brings is written under the claim's token or not at all.

pub mod body;
mod desk;
pub mod hooks;
pub mod jobs;
pub mod prepare;
mod rounds;
#[cfg(test)]
mod testing;

use crate::config::Settings;
use crate::hooks::client::Sender;
use crate::hooks::names::{Names, System};
use crate::mailcheck::dns::Checker;
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::secrets::ServerKey;
use desk::Posting;
use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long [`Outbox::stop`] waits for what runs.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// How often it looks whether the thread has ended, and how much longer it waits for that.
const STOP_POLL: Duration = Duration::from_millis(5);
/// How much longer a webhook stays with its sender than the try may take: for what comes before and after it.
const HOOK_LEASE_MARGIN: Duration = Duration::from_secs(10);

/// What lies outside the program. Tests have their own.
#[derive(Clone)]
pub struct Outside {
    /// Whoever knows the addresses of hosts.
    pub names: Arc<dyn Names>,
}

impl Outside {
    /// The outside as the operating system sees it.
    pub fn system() -> Outside {
        Outside {
            names: Arc::new(System),
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

/// The worker of a gateway.
#[derive(Debug)]
pub struct Outbox {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Outbox {
    /// Starts it.
    ///
    /// # Errors
    /// No thread or no runtime can be started.
    pub fn start(
        settings: &Settings,
        key: ServerKey,
        directory: Arc<Directory>,
        poster: Arc<Poster>,
        outside: Outside,
    ) -> std::io::Result<Outbox> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("outbox-blocking")
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let bell = poster.bell();
        let timeout = Duration::from_millis(settings.webhook_timeout_ms);
        let (dns_server, dns_timeout) = (
            settings.dns_server,
            Duration::from_millis(settings.dns_timeout_ms),
        );
        let worker = Worker {
            desk: Posting { poster, directory },
            key,
            checker: Arc::new(Checker::new(dns_server, dns_timeout)),
            sender: Sender {
                names: outside.names,
                allow: settings.webhook_allow.clone(),
                timeout,
            },
            lease: Duration::from_millis(settings.lease_ms),
            hook_lease: timeout.saturating_add(HOOK_LEASE_MARGIN),
            schedule: settings.webhook_retry_seconds.list().to_vec(),
            stopped,
        };
        let poll = Duration::from_millis(settings.worker_poll_ms);
        let thread = std::thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || {
                rounds::run(&runtime, worker, &bell, poll);
                // A try to send something that hangs must not keep the process.
                runtime.shutdown_background();
            })?;
        Ok(Outbox { stop, thread })
    }

    /// Takes nothing more, waits for what runs, at most five seconds, and gives back what it has taken.
    pub fn stop(self) {
        // The receiver is gone only if the thread has ended.
        let _ = self.stop.send(true);
        let deadline = Instant::now() + STOP_WAIT + STOP_POLL * 100;
        while !self.thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(STOP_POLL);
        }
        if !self.thread.is_finished() {
            tracing::error!("the worker takes too long to stop and is left behind");
        } else if self.thread.join().is_err() {
            tracing::error!("the worker ended with a panic");
        }
    }
}

/// What all errands share.
struct Worker<D> {
    desk: D,
    key: ServerKey,
    checker: Arc<Checker>,
    sender: Sender,
    /// How long a job stays with a worker that is not heard of.
    lease: Duration,
    /// How long a webhook does.
    hook_lease: Duration,
    /// The waits between the tries to send a webhook, in seconds.
    schedule: Vec<u64>,
    stopped: watch::Receiver<bool>,
}

impl<D> Worker<D> {
    fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Waits until the worker is to stop.
    async fn stopping(&self) {
        let mut stopped = self.stopped.clone();
        // An error: whoever could say so is gone.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Waits, but not beyond the order to stop.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stopping() => {}
        }
    }
}

/// A time in microseconds, as leases are told.
fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// How an errand ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// It is done; there may be more to do at once.
    Done,
    /// It is not, or it was not ours: to be looked at again in a while.
    Later,
}
