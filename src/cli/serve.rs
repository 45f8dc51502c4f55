//! `punchcard serve`: takes requests until it is told to stop.

use super::{Access, Opened};
use crate::config::{DatabaseUrl, Settings};
use crate::secrets::ServerKey;
use crate::server::{self, Running};
use crate::store::{Db, connect, installation};
use std::error::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What goes wrong at the start, for a person.
pub type StartError = Box<dyn Error + Send + Sync>;

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: &Settings) -> Result<(), StartError> {
    let Opened { mut db, key, .. } = super::open(settings, Access::Create)?;
    check(settings, &mut db, &key)?;
    drop(db);
    let serving = start(settings, key)?;
    announce(&serving.running)?;
    serving.wait()
}

/// A server with the lock of its SQLite file.
pub struct Serving {
    /// The server.
    pub running: Running,
    lock: Option<File>,
}

impl Serving {
    /// Waits for the server's end.
    pub fn wait(self) -> Result<(), StartError> {
        self.running.wait()?;
        drop(self.lock);
        Ok(())
    }
}

/// Takes the lock and starts the server.
pub fn start(settings: &Settings, key: ServerKey) -> Result<Serving, StartError> {
    let lock = match &settings.database_url {
        DatabaseUrl::Sqlite(path) => Some(lock(path)?),
        DatabaseUrl::Mysql(_) => None,
    };
    Ok(Serving { running: server::start(settings, key)?, lock })
}

/// Says where it listens: scripts and people wait for this line.
pub fn announce(running: &Running) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{}", running.address)?;
    out.flush()
}

/// One server per SQLite file: the numbers it gives out live in one process.
fn lock(database: &Path) -> Result<File, StartError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let shown = path.display();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| format!("the lock file {shown} cannot be opened: {error}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another server already serves {} (it holds {shown}). Stop it, or give this one a database of its own.",
            database.display()
        )
        .into()),
        Err(TryLockError::Error(error)) => Err(format!("the lock file {shown} cannot be locked: {error}").into()),
    }
}

/// What must hold before a server may be reached: settings that keep what was acknowledged, and no secret that
/// everybody knows on an address that others can reach.
fn check(settings: &Settings, db: &mut Db, key: &ServerKey) -> Result<(), StartError> {
    let found = connect::unsafe_settings(db)?;
    if !found.is_empty() {
        let list = found.join("; ");
        if !settings.unsafe_durability {
            return Err(format!(
                "the database server could lose what was acknowledged: {list}. Change its settings, or accept the loss with --unsafe-durability."
            )
            .into());
        }
        tracing::warn!("unsafe durability: what was acknowledged can be lost: {list}");
    } else if settings.unsafe_durability {
        tracing::warn!("unsafe durability is allowed, although the database's settings are safe");
    }
    if settings.listen.ip().is_loopback() {
        return Ok(());
    }
    if installation::is_demo(db)? {
        return Err(format!(
            "this is the demo's database, whose secrets are public: it is served on loopback only, not on {}",
            settings.listen
        )
        .into());
    }
    let samples = installation::published_samples(db, key)?;
    if let Some(first) = samples.first() {
        return Err(format!(
            "{first} is a published sample, which everybody knows: it is served on loopback only, not on {}. Give it a secret of its own with apply.",
            settings.listen
        )
        .into());
    }
    Ok(())
}
