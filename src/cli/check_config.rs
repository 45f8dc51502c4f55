//! `punchcard check-config`: the settings as the server would have them. Touches neither database nor key file.

use super::{Fail, say};
use crate::config::Settings;

/// Prints every setting.
///
/// # Errors
/// On MySQL without a key file, which no other command would start with.
pub fn run(settings: &Settings) -> Result<(), Fail> {
    say(settings.describe().trim_end());
    settings.key_path()?;
    Ok(())
}
