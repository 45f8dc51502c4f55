//! What is wrong in a world file, and on which line.
//!
//! Belongs here: collecting and showing faults, lines, ids that are taken. Does not belong here: what is a fault.

use super::section::Found;
use super::split::Places;
use crate::text;
use std::collections::HashMap;
use std::fmt;

/// One thing that is wrong in a world file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The line it stands on, from 1.
    pub line: usize,
    /// The key, or the table if it is about the whole of it.
    pub key: String,
    /// The value as written, cut at 64 characters; `None` if there is none or it is a secret.
    pub value: Option<String>,
    /// What is wrong with it, without a full stop.
    pub wrong: String,
    /// What to do, without a full stop.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}", self.line, self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = \"{value}\"")?;
        }
        write!(f, ": {}. {}.", self.wrong, self.remedy)
    }
}

/// Everything that is wrong in a world file, in the order of its lines; at least one, at most 20 in full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults {
    /// The first ones.
    pub list: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, fault) in self.list.iter().enumerate() {
            write!(f, "{}{fault}", if nth == 0 { "" } else { "\n" })?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// How many faults are told in full.
const TOLD: usize = 20;

/// Collects faults and knows the lines of the file.
pub(super) struct Notes {
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
    /// Where the text that is being read stands in the file.
    places: Places,
    faults: Vec<Fault>,
}

impl Notes {
    pub(super) fn new(text: &str) -> Notes {
        let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Notes {
            starts: std::iter::once(0)
                .chain(feeds.map(|(at, _)| at.saturating_add(1)))
                .collect(),
            places: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Tells where the text that is read from now on stands in the file; gives back what was told before.
    pub(super) fn place(&mut self, places: Places) -> Places {
        std::mem::replace(&mut self.places, places)
    }

    /// The line of a place given in bytes of the text that is being read, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let nth = self.places.partition_point(|(here, _)| *here <= at);
        let place = nth.checked_sub(1).and_then(|nth| self.places.get(nth));
        let (here, there) = place.copied().unwrap_or((0, 0));
        let at = at.saturating_sub(here).saturating_add(there);
        self.starts.partition_point(|start| *start <= at)
    }

    pub(super) fn add(
        &mut self,
        line: usize,
        key: &str,
        value: Option<&str>,
        (wrong, remedy): (impl fmt::Display, impl fmt::Display),
    ) {
        self.faults.push(Fault {
            line,
            key: key.to_owned(),
            value: value.map(text::shown),
            wrong: wrong.to_string(),
            remedy: remedy.to_string(),
        });
    }

    /// Notes that a text is no TOML. Not with the error's own text, which repeats the line, and with it perhaps a
    /// secret.
    pub(super) fn syntax(&mut self, error: &toml::de::Error) {
        let line = self.line(error.span().map_or(0, |span| span.start));
        let message = error.message();
        self.add(
            line,
            "the file",
            None,
            (
                format_args!("this is not TOML: {}", message.trim().replace('\n', "; ")),
                "Correct that line",
            ),
        );
    }

    /// How many faults there are so far.
    pub(super) fn count(&self) -> usize {
        self.faults.len()
    }

    pub(super) fn finish(mut self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by_key(|fault| fault.line);
        let more = self.faults.len().saturating_sub(TOLD);
        self.faults.truncate(TOLD);
        Err(Faults {
            list: self.faults,
            more,
        })
    }
}

/// Which ids are taken, and on which line.
#[derive(Default)]
pub(super) struct Taken(HashMap<String, usize>);

impl Taken {
    /// Takes an id; notes it if it is taken already. `scope` says where it has to be unique.
    pub(super) fn take(&mut self, notes: &mut Notes, id: Found<'_>, scope: &str) {
        if let Some(line) = self.0.get(id.text) {
            id.fault(
                notes,
                format_args!("line {line} has it already, and it must be unique {scope}"),
                "Give each its own",
            );
        } else {
            self.0.insert(id.owned(), id.line);
        }
    }
}
