//! Posting from a command: by the writer that `serve` has, with its answer to every failure.

use super::Fail;
use super::open::demand_durability;
use crate::config::Settings;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::store::connect::{Readers, Role, connect};
use std::sync::Arc;
use std::time::Duration;

/// Runs `work` with a way to the journal and the account; what it has posted is on disk when this returns.
///
/// # Errors
/// No database, no such account, or what `work` says.
pub fn post<T>(
    settings: &Settings,
    account: i32,
    work: impl AsyncFnOnce(&Poster, &Account) -> Result<T, Problem>,
) -> Result<T, Fail> {
    demand_durability(
        settings,
        &mut connect(&settings.database_url, Role::Writer)?,
    )?;
    // A person waits, and a server may be writing something large just now.
    let mut settings = settings.clone();
    settings.queue_timeout_ms = settings.large_queue_timeout_ms;
    let patience = Duration::from_millis(settings.queue_timeout_ms);
    let readers = Readers::new(&settings.database_url, 2, patience)?;
    let directory = Arc::new(Directory::load(readers)?);
    let found = directory
        .by_number(account)
        .ok_or_else(|| Fail::new("the account cannot be read: the log says why"))?;
    let poster = Poster::start(&settings, &directory)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let done = runtime.block_on(work(&poster, &found));
    poster.stop();
    done.map_err(|problem| fail(&problem))
}

/// A problem for a person at a terminal.
fn fail(problem: &Problem) -> Fail {
    if problem.code == Code::OutcomeUnknown {
        return Fail::new(format!(
            "{}. Look whether it is done before you give the command again",
            problem.message()
        ));
    }
    Fail::new(problem.text())
}
