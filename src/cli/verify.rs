//! `punchcard verify`: checks that a database keeps what it promises.
//!
//! Belongs here: opening the database for reading. Does not belong here: the checks ([`crate::store::verify`]).

use crate::config::{DatabaseUrl, Settings};
use crate::dates;
use crate::store::connect::{Role, connect};
use crate::store::verify::{self, Report};
use crate::store::{Db, migrate};
use std::error::Error;

/// Checks all accounts, or the one with the id `account`. Nothing is written; a server may run beside it, since all is
/// read in one snapshot. The program prints the report and exits with 1 unless [`Report::holds`].
///
/// # Errors
/// What kept the checks from being made, for a person: no such database or account, a database that is away, or one
/// of another version of the program.
pub fn run(
    settings: &Settings,
    account: Option<&str>,
) -> Result<Report, Box<dyn Error + Send + Sync>> {
    let mut db = open(&settings.database_url)?;
    let now_us = dates::micros(chrono::Utc::now());
    verify::run(&mut db, account, now_us)?.ok_or_else(|| {
        let id = account.unwrap_or_default();
        format!("there is no account \"{}\"", crate::text::shown(id)).into()
    })
}

/// A reading connection to a database that exists and has all tables.
fn open(url: &DatabaseUrl) -> Result<Db, Box<dyn Error + Send + Sync>> {
    // Connecting would make an empty file, in which everything holds.
    if let Some(path) = url.sqlite_path().filter(|path| !path.exists()) {
        return Err(format!("there is no database {}", path.display()).into());
    }
    let pending = migrate::pending(&mut connect(url, Role::Migrator)?)?;
    if !pending.is_empty() {
        return Err(
            "the database has not the tables of this version: run punchcard migrate".into(),
        );
    }
    Ok(connect(url, Role::Reader)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn settings(url: String) -> Settings {
        let flags = Flags::default().set("database_url", url);
        Settings::load_from(flags, []).unwrap().0
    }

    #[test]
    fn a_missing_or_empty_database_is_an_error_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("punchcard.db");
        let settings = settings(format!("sqlite:{}", path.display()));
        let error = run(&settings, None).unwrap_err().to_string();
        assert!(error.starts_with("there is no database"), "{error}");
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        let error = run(&settings, None).unwrap_err().to_string();
        assert!(error.contains("run punchcard migrate"), "{error}");
    }

    #[test]
    fn a_new_database_holds_and_an_unknown_account_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(format!(
            "sqlite:{}",
            dir.path().join("punchcard.db").display()
        ));
        migrate::run(&mut connect(&settings.database_url, Role::Migrator).unwrap()).unwrap();
        let report = run(&settings, None).unwrap();
        assert!(report.holds());
        assert_eq!(report.to_string(), "there is no account to check\n");
        let error = run(&settings, Some("nobody")).unwrap_err().to_string();
        assert_eq!(error, "there is no account \"nobody\"");
    }
}
