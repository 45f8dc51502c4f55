//! `punchcard apply FILE`: brings about what a world file says, and prints what it changed.

use super::{Fail, Opened, open, say};
use crate::config::Settings;
use crate::store::world::{self as writer, Report};
use crate::world::{self, World};
use chrono::Utc;
use std::path::Path;

/// Applies the file.
///
/// # Errors
/// A file that cannot be read or is wrong, a database that cannot be opened or refuses, a conflict with what is stored.
pub fn run(settings: &Settings, file: &Path) -> Result<(), Fail> {
    let world = read(file)?;
    let mut opened = open(settings)?;
    for made in &opened.made {
        say(made);
    }
    write(&mut opened, &world)
}

/// Reads and checks the file.
fn read(file: &Path) -> Result<World, Fail> {
    let name = file.display();
    let bytes = std::fs::read(file)
        .map_err(|error| Fail::new(format!("the world file {name} cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fail::new(format!(
            "the world file {name} is not UTF-8, from byte {at} on: save it as UTF-8"
        ))
    })?;
    world::read(&text, Utc::now()).map_err(|faults| {
        Fail::new(format!(
            "the world file {name} is wrong; nothing was changed\n{faults}"
        ))
    })
}

/// Brings the world about and prints the report. `demo` uses it too.
///
/// # Errors
/// A conflict with what is stored, or a failing database; what was printed before is committed.
pub fn write(opened: &mut Opened, world: &World) -> Result<(), Fail> {
    let mut report = Report::default();
    let result = writer::apply(&mut opened.db, &opened.key, world, &mut report);
    for line in &report.changes {
        say(line);
    }
    let Err(stop) = result else {
        if report.changes.is_empty() {
            say("nothing changed");
        }
        for kept in &report.kept {
            say(format_args!("kept, not in the file: {kept}"));
        }
        return Ok(());
    };
    let done = if report.changes.is_empty() {
        "Nothing was changed."
    } else {
        "What is listed above was done. When this is mended, apply the file again: it goes on where it was."
    };
    Err(Fail::new(format!("{stop}. {done}")))
}
