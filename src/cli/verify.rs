//! `punchcard verify`.

use super::Fail;
use crate::config::Settings;

/// Checks the invariants on the database.
pub fn run(_settings: Settings, _warnings: Vec<String>) -> Result<(), Fail> {
    Err(Fail::new("verify is not built"))
}
