//! `punchcard demo`.

use super::Fail;
use crate::config::Settings;

/// Runs the server on an example world.
pub fn run(_settings: Settings, _warnings: Vec<String>) -> Result<(), Fail> {
    Err(Fail::new("demo is not built"))
}
