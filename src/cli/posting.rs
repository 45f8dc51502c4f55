//! Posting from a command: by the writer that `serve` has, with its answer to every failure.

use super::open::demand_durability;
use super::{Fail, serve};
use crate::config::{Settings, Source};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::store::connect::{Readers, Role, connect};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A way to the journal of one account, for as long as a command runs.
pub struct Session {
    /// The account, as it was when the command began.
    pub account: Arc<Account>,
    poster: Poster,
    runtime: Runtime,
}

impl Session {
    /// Starts a writer. What it has to say goes to stderr from here on, from warnings upward unless `log` is set.
    ///
    /// # Errors
    /// No database, one that is not durable, no such account.
    pub fn start(settings: &Settings, account: i32) -> Result<Session, Fail> {
        let log = match settings.source("log") {
            Source::Default => "warn",
            _ => settings.log.as_str(),
        };
        serve::start_logging(log, &[])?;
        demand_durability(
            settings,
            &mut connect(&settings.database_url, Role::Writer)?,
        )?;
        // A person waits, and a server may be writing something large just now.
        let mut settings = settings.clone();
        settings.queue_timeout_ms = settings.large_queue_timeout_ms;
        settings.db_retry_ms = settings.db_retry_ms.max(settings.large_queue_timeout_ms);
        let patience = Duration::from_millis(settings.queue_timeout_ms);
        let readers = Readers::new(&settings.database_url, 2, patience)?;
        let (directory, account) = Directory::of_one(readers, account)?
            .ok_or_else(|| Fail::new("the account is not there any more"))?;
        Ok(Session {
            account,
            poster: Poster::of_command(&settings, &Arc::new(directory))?,
            runtime: Builder::new_current_thread().enable_time().build()?,
        })
    }

    /// Runs `work` with the way to the journal; what it has posted is on disk when this returns.
    ///
    /// # Errors
    /// What `work` says.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&Poster) -> Result<T, Problem>) -> Result<T, Fail> {
        let done = self.runtime.block_on(work(&self.poster));
        done.map_err(|problem| fail(&problem))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.poster.stop();
    }
}

/// A problem for a person at a terminal.
pub fn fail(problem: &Problem) -> Fail {
    if problem.code == Code::OutcomeUnknown {
        return Fail::new(format!(
            "{}. Look whether it is done before you give the command again",
            problem.message()
        ));
    }
    Fail::new(problem.text())
}
