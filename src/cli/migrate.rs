//! `punchcard migrate`: brings the tables up to date and names what it ran.

use super::open::migration_failed;
use super::{Fail, say};
use crate::config::Settings;
use crate::store::connect::{Role, connect};
use crate::store::{migrate, person_keys, search_texts};

/// Runs what is pending, on either engine. A SQLite file is made if there is none.
///
/// # Errors
/// No connection, or a migration that fails.
pub fn run(settings: &Settings) -> Result<(), Fail> {
    let mut db = connect(&settings.database_url, Role::Migrator)?;
    let done = migrate::run(&mut db).map_err(|error| migration_failed(&error))?;
    for name in &done {
        say(format_args!("migrated: {name}"));
    }
    drop(db);
    let mut db = connect(&settings.database_url, Role::Writer)?;
    person_keys::fill(&mut db)?;
    search_texts::fill(&mut db)?;
    if done.is_empty() {
        say("nothing to migrate");
    }
    Ok(())
}
