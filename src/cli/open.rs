//! Opening the database for a command: its tables, and the key its secrets are kept under.
//!
//! Belongs here: what must be right about database and key before a command may begin. Does not belong here: settings
//! of a session ([`crate::store::connect`]).

use super::Fail;
use crate::config::{DatabaseUrl, Settings};
use crate::secrets::ServerKey;
use crate::store::connect::{Role, connect, unsafe_settings};
use crate::store::{Db, installation, migrate, person_keys, search_texts};

/// A database that a command may write to.
pub struct Opened {
    /// A connection in the role [`Role::Writer`].
    pub db: Db,
    /// The server key; the database's check value fits it.
    pub key: ServerKey,
    /// What was made on the way, for a person, one sentence each: tables, the key file.
    pub made: Vec<String>,
}

/// Opens the database for `serve`, `apply` and `demo`.
///
/// On SQLite the file, its tables and the key file are made where they are missing. On MySQL the tables must be there.
/// The first use of a database notes the key's check value in it.
///
/// # Errors
/// No connection, tables that are not up to date on MySQL, no key file, or another key than the database's.
pub fn open(settings: &Settings) -> Result<Opened, Fail> {
    let mut made = Vec::new();
    let mut db = connect(&settings.database_url, Role::Migrator)?;
    match &settings.database_url {
        DatabaseUrl::Sqlite(path) => {
            let run = migrate::run(&mut db).map_err(|error| migration_failed(&error))?;
            if !run.is_empty() {
                made.push(format!(
                    "brought the tables of {} up to date",
                    path.display()
                ));
            }
        }
        DatabaseUrl::Mysql(_) => demand_tables(&mut db)?,
    }
    let path = settings.key_path()?;
    // A database that has a key never gets another one: then the file was lost, or its path is wrong.
    let key = if installation::has_key(&mut db)? {
        ServerKey::load(&path)?
    } else {
        let (key, new) = ServerKey::load_or_make(&path)?;
        if new {
            made.push(format!(
                "made the server key {}: keep a copy of it apart from the database",
                path.display()
            ));
        }
        key
    };
    drop(db);
    let mut db = connect(&settings.database_url, Role::Writer)?;
    if !installation::claim(&mut db, &key)? {
        return Err(Fail::new(format!(
            "the server key {} is not the one of the database {}: use the key file this database was made with \
             (--key-file or PUNCHCARD_KEY_FILE)",
            path.display(),
            settings.database_url
        )));
    }
    // Nothing is left to do, but where the tables were brought up to date by a command that was stopped.
    person_keys::fill(&mut db)?;
    search_texts::fill(&mut db)?;
    Ok(Opened { db, key, made })
}

/// Opens the database for a command that only reads: it must be there, with its tables. The connection has the role
/// [`Role::Reader`].
///
/// # Errors
/// No database, no connection, or tables that are not up to date.
pub fn look(settings: &Settings) -> Result<Db, Fail> {
    if let DatabaseUrl::Sqlite(path) = &settings.database_url
        && !path.exists()
    {
        return Err(Fail::new(format!(
            "there is no database {}: give the right one by --database-url or PUNCHCARD_DATABASE_URL, or make it with \
             punchcard apply",
            path.display()
        )));
    }
    demand_tables(&mut connect(&settings.database_url, Role::Migrator)?)?;
    Ok(connect(&settings.database_url, Role::Reader)?)
}

/// Refuses a database that may lose what was acknowledged, unless the settings allow it; then it tells by which of its
/// own settings.
///
/// # Errors
/// No connection, or settings of the database that are not safe.
pub fn demand_durability(settings: &Settings, db: &mut Db) -> Result<Option<String>, Fail> {
    let found = unsafe_settings(db)?;
    if found.is_empty() {
        return Ok(None);
    }
    let list = found.join("; ");
    if settings.unsafe_durability {
        return Ok(Some(list));
    }
    Err(Fail::new(format!(
        "the database server could lose what was acknowledged: {list}. Change its settings, or accept the loss with \
         PUNCHCARD_UNSAFE_DURABILITY=true (serve and demo: also with --unsafe-durability)."
    )))
}

fn demand_tables(db: &mut Db) -> Result<(), Fail> {
    let pending = migrate::pending(db).map_err(|error| migration_failed(&error))?;
    if pending.is_empty() {
        return Ok(());
    }
    Err(Fail::new(format!(
        "the tables are not up to date ({} missing): run punchcard migrate",
        pending.join(", ")
    )))
}

/// The text for a failed migration.
pub(super) fn migration_failed(error: &migrate::MigrateError) -> Fail {
    Fail::new(format!("the tables cannot be brought up to date: {error}"))
}
