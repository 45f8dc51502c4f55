//! `punchcard serve`: takes requests until it is told to stop.

use super::open::demand_durability;
use super::{Fail, Opened, complain};
use crate::config::{DatabaseUrl, Settings};
use crate::secrets::ServerKey;
use crate::server::{self, Running};
use crate::store::{Db, installation};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: Settings, warnings: Vec<String>) -> Result<(), Fail> {
    start_logging(settings.log.as_str(), &warnings)?;
    let Opened { mut db, key, made } = super::open(&settings)?;
    for sentence in made {
        tracing::info!("{sentence}");
    }
    check(&settings, &mut db, &key)?;
    drop(db);
    let serving = start(&settings, key)?;
    announce(&serving.running)?;
    serving.wait()
}

/// Logs to stderr from here on, what the filter `log` lets through; the warnings about the settings first.
pub fn start_logging(log: &str, warnings: &[String]) -> Result<(), Fail> {
    // What strangers send that is not HTTP is no error of ours.
    let filter = format!("actix_http::h1::dispatcher=off,{log}");
    let filter = tracing_subscriber::EnvFilter::try_new(filter)?;
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    if let Err(error) = logger.try_init() {
        complain("warning", format!("logging could not be started: {error}"));
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}

/// A server with the lock of its SQLite file.
pub struct Serving {
    /// The server.
    pub running: Running,
    lock: Option<File>,
}

impl Serving {
    /// Waits for the server's end.
    pub fn wait(self) -> Result<(), Fail> {
        self.running.wait()?;
        drop(self.lock);
        Ok(())
    }
}

/// Takes the lock and starts the server.
pub fn start(settings: &Settings, key: ServerKey) -> Result<Serving, Fail> {
    let lock = match &settings.database_url {
        DatabaseUrl::Sqlite(path) => Some(lock(path)?),
        DatabaseUrl::Mysql(_) => None,
    };
    let running = server::start(settings, key).map_err(|error| Fail::new(error.to_string()))?;
    Ok(Serving { running, lock })
}

/// Says where it listens: scripts and people wait for this line.
pub fn announce(running: &Running) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{}", running.address)?;
    out.flush()
}

/// One server per SQLite file. Heads and numbers lie in the database, so that two would not spoil it; but they would hold
/// each other up, and a second one is most likely a mistake.
fn lock(database: &Path) -> Result<File, Fail> {
    // By its real name, so that a link to the file finds the same lock.
    let real = database.canonicalize()?;
    if std::fs::metadata(&real)?.nlink() > 1 {
        return Err(Fail::new(format!(
            "the database {} has a second name (a hard link): SQLite would keep a log for each name and spoil the file. \
             Remove the other name.",
            real.display()
        )));
    }
    let mut path = real.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let shown = path.display();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Fail::new(format!("the lock file {shown} cannot be opened: {error}")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fail::new(format!(
            "another server already serves {} (it holds {shown}). Stop it, or give this one a database of its own.",
            database.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Fail::new(format!(
            "the lock file {shown} cannot be locked: {error}"
        ))),
    }
}

/// What must hold before a server may be reached: settings that keep what was acknowledged, and no secret that
/// everybody knows on an address that others can reach.
fn check(settings: &Settings, db: &mut Db, key: &ServerKey) -> Result<(), Fail> {
    match demand_durability(settings, db)? {
        Some(list) => {
            tracing::warn!("unsafe durability: what was acknowledged can be lost: {list}");
        }
        None if settings.unsafe_durability => {
            tracing::warn!(
                "unsafe durability is allowed, although the database's settings are safe"
            );
        }
        None => {}
    }
    if settings.listen.ip().is_loopback() {
        return Ok(());
    }
    if installation::is_demo(db)? {
        return Err(Fail::new(format!(
            "this is the demo's database, whose secrets are public: it is served on loopback only, not on {}",
            settings.listen
        )));
    }
    let samples = installation::published_samples(db, key)?;
    if let Some(first) = samples.first() {
        return Err(Fail::new(format!(
            "{first} is a published sample, which everybody knows: it is served on loopback only, not on {}. Give it a secret of its own with apply.",
            settings.listen
        )));
    }
    Ok(())
}
