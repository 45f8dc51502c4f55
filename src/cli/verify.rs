//! `punchcard verify`: checks that a database keeps what it promises.
//!
//! Belongs here: the words around the report. Does not belong here: the checks ([`crate::store::verify`]).

use super::{Fail, say};
use crate::config::Settings;
use crate::dates;
use crate::store::verify::{self, Report};
use crate::text;

/// Checks all accounts, or the one with the id `account`, and prints what it found. Nothing is written; a server may
/// run beside it, since all is read in one snapshot.
///
/// # Errors
/// No such database or account, a database that is away, or an invariant that does not hold.
pub fn run(settings: &Settings, account: Option<&str>) -> Result<(), Fail> {
    let report = check(settings, account)?;
    say(report.to_string().trim_end());
    if report.holds() {
        Ok(())
    } else {
        Err(Fail::new(
            "the database does not keep its promises: keep a copy of it as it is before you change anything",
        ))
    }
}

fn check(settings: &Settings, account: Option<&str>) -> Result<Report, Fail> {
    let mut db = super::look(settings)?;
    let now_us = dates::micros(chrono::Utc::now());
    verify::run(&mut db, account, now_us)?.ok_or_else(|| {
        Fail::new(format!(
            "there is no account \"{}\"",
            text::shown(account.unwrap_or_default())
        ))
    })
}
