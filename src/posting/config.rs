//! Posting what users change of the configuration.
//!
//! Belongs here: these commands. Does not belong here: world files, which no request brings.

use super::command::{Command, Done};
use super::{Poster, defect, reading};
use crate::error::Problem;
use crate::loyalty::change::Change;
use crate::loyalty::config::{ConfigCommand, ConfigDone};
use crate::loyalty::once::{Kept, Once};
use std::sync::Arc;

/// What came of a command, or what is kept of an earlier request that this one repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Configured {
    /// It was done.
    Now(ConfigDone),
    /// It was done before.
    Before(Kept),
}

impl Poster {
    /// Posts a change of the configuration. When this returns what was done, it is on disk, and this gateway's directory
    /// knows it; other gateways learn of it by themselves.
    pub async fn configure(
        &self,
        command: ConfigCommand,
        once: Option<Once>,
    ) -> Result<Configured, Problem> {
        let account = command.account();
        let done = match self
            .submit(Command::Config(Box::new(command)), once)
            .await?
        {
            Done::Config(done) => Configured::Now(done),
            Done::Repeated(kept) => return Ok(Configured::Before(kept)),
            _ => return Err(defect()),
        };
        let directory = Arc::clone(&self.directory);
        // It is done whether or not it can be read again at once.
        if let Err(problem) = reading(move || directory.reload(account)).await {
            tracing::warn!("a changed account was not read again: {}", problem.text());
        }
        Ok(done)
    }
}
