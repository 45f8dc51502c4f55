//! `punchcard serve`.

use super::Fail;
use crate::config::Settings;

/// Runs the server.
pub fn run(_settings: Settings, _warnings: Vec<String>) -> Result<(), Fail> {
    Err(Fail::new("serve is not built"))
}
