//! Tables of a world file: their keys, their values by type, and where each stands.
//!
//! Belongs here: what holds for every key: unknown ones, types, lengths, lines. Does not belong here: what a key means.

use super::fault::Notes;
use crate::amount::{self, Amount};
use crate::text;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys whose values are never shown.
const SECRETS: &[&str] = &["api_key", "password", "secret", "token"];

/// A text with the place it stands at: trimmed, not empty, without control characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'t> {
    pub(super) line: usize,
    pub(super) key: &'static str,
    pub(super) text: &'t str,
}

impl Found<'_> {
    /// Notes that something is wrong with this value.
    pub(super) fn fault(
        &self,
        notes: &mut Notes,
        wrong: impl fmt::Display,
        remedy: impl fmt::Display,
    ) {
        let shown = (!SECRETS.contains(&self.key)).then_some(self.text);
        notes.add(self.line, self.key, shown, (wrong, remedy));
    }

    pub(super) fn owned(&self) -> String {
        self.text.to_owned()
    }

    /// The amount it writes, if it has at most so many decimals.
    pub(super) fn amount(&self, notes: &mut Notes, digits: u8) -> Option<Amount> {
        match amount::read_config(self.text) {
            Ok(amount) if amount.decimals() <= digits => Some(amount),
            Ok(_) => {
                self.fault(
                    notes,
                    format_args!("it has more than {digits} decimals"),
                    "Write it with fewer; amounts are never rounded",
                );
                None
            }
            Err(error) => {
                self.fault(
                    notes,
                    error,
                    "Write digits with at most one point, such as \"100\" or \"1.5\"",
                );
                None
            }
        }
    }
}

/// A table of the file.
pub(super) struct Section<'t, 'i> {
    /// The line it begins on.
    pub(super) line: usize,
    /// What to call it.
    pub(super) name: &'static str,
    table: &'t DeTable<'i>,
}

impl<'t, 'i> Section<'t, 'i> {
    pub(super) fn root(notes: &mut Notes, table: &'t DeTable<'i>, keys: &[&str]) -> Self {
        let section = Section {
            line: 1,
            name: "the file",
            table,
        };
        section.know(notes, keys);
        section
    }

    /// The table under a key, if it is one.
    pub(super) fn table(&self, notes: &Notes, key: &str, name: &'static str) -> Option<Self> {
        match self.value(notes, key)? {
            (line, DeValue::Table(table)) => Some(Section { line, name, table }),
            _ => None,
        }
    }

    /// Notes keys that are not known.
    fn know(&self, notes: &mut Notes, keys: &[&str]) {
        for key in self.table.keys() {
            let (line, key) = (notes.line(key.span().start), key.get_ref().as_ref());
            if keys.contains(&key) {
                continue;
            }
            let near = keys
                .iter()
                .min_by_key(|known| strsim::levenshtein(known, key));
            let wrong = format!("{} has no such key", self.name);
            let known = keys.join(", ");
            let remedy = match near {
                Some(near) if strsim::levenshtein(near, key) <= 2 => {
                    format!("Did you mean {near}? The keys are: {known}")
                }
                _ => format!("The keys are: {known}"),
            };
            notes.add(line, &text::shown(key), None, (wrong, remedy));
        }
    }

    fn value(&self, notes: &Notes, key: &str) -> Option<(usize, &'t DeValue<'i>)> {
        let value: &'t Spanned<DeValue<'i>> = self.table.get(key)?;
        Some((notes.line(value.span().start), value.get_ref()))
    }

    /// The line of a key, if it is there.
    pub(super) fn line_of(&self, notes: &Notes, key: &str) -> Option<usize> {
        self.value(notes, key).map(|(line, _)| line)
    }

    /// A text of at most so many characters; `None` if the key is left out, empty, or wrong, which is noted.
    pub(super) fn text(
        &self,
        notes: &mut Notes,
        key: &'static str,
        max_chars: usize,
    ) -> Option<Found<'t>> {
        let (line, value) = self.value(notes, key)?;
        let DeValue::String(text) = value else {
            wrong_type(notes, line, key, value, "a text", "Write it in quotes");
            return None;
        };
        let found = Found {
            line,
            key,
            text: text.trim(),
        };
        if found.text.is_empty() {
            return None;
        }
        if text::too_long(found.text, max_chars) {
            found.fault(
                notes,
                format_args!("it is longer than {max_chars} characters"),
                "Shorten it",
            );
            return None;
        }
        if found.text.chars().any(char::is_control) {
            found.fault(notes, "it has a control character", "Take it out");
            return None;
        }
        Some(found)
    }

    /// A text that must be there.
    pub(super) fn required(
        &self,
        notes: &mut Notes,
        key: &'static str,
        max_chars: usize,
    ) -> Option<Found<'t>> {
        let missing = match self.value(notes, key) {
            None => Some(self.line),
            Some((line, DeValue::String(text))) if text.trim().is_empty() => Some(line),
            Some(_) => None,
        };
        if let Some(line) = missing {
            let wrong = format!("{} needs this key, and it is missing or empty", self.name);
            notes.add(
                line,
                key,
                None,
                (wrong, format_args!("Add {key} = \"...\"")),
            );
            return None;
        }
        self.text(notes, key, max_chars)
    }

    /// A whole number in a range.
    pub(super) fn integer(
        &self,
        notes: &mut Notes,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let (line, value) = self.value(notes, key)?;
        let (least, most) = (range.start(), range.end());
        let DeValue::Integer(number) = value else {
            let remedy = format!("Write a whole number from {least} to {most}, without quotes");
            wrong_type(notes, line, key, value, "a whole number", &remedy);
            return None;
        };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let read = read.filter(|number| range.contains(number));
        if read.is_none() {
            let remedy = format!("Write a whole number from {least} to {most}");
            notes.add(
                line,
                key,
                Some(number.as_str()),
                ("it is out of range", remedy),
            );
        }
        read
    }

    /// `true` or `false`; the default if the key is left out.
    pub(super) fn flag(&self, notes: &mut Notes, key: &'static str, default: bool) -> bool {
        match self.value(notes, key) {
            None => default,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((line, value)) => {
                let remedy = "Write true or false, without quotes";
                wrong_type(notes, line, key, value, "true or false", remedy);
                default
            }
        }
    }

    /// The elements of a list with their lines; empty if the key is left out.
    fn list(
        &self,
        notes: &mut Notes,
        key: &'static str,
        remedy: &str,
    ) -> Vec<(usize, &'t DeValue<'i>)> {
        let Some((line, value)) = self.value(notes, key) else {
            return Vec::new();
        };
        let DeValue::Array(array) = value else {
            wrong_type(notes, line, key, value, "a list", remedy);
            return Vec::new();
        };
        array
            .iter()
            .map(|element| (notes.line(element.span().start), element.get_ref()))
            .collect()
    }

    /// The tables of a list, each called `name`, with the keys it may have.
    pub(super) fn sections(
        &self,
        notes: &mut Notes,
        key: &'static str,
        name: &'static str,
        keys: &[&str],
    ) -> Vec<Section<'t, 'i>> {
        let remedy = format!("Write {name} with its keys below it");
        let mut sections = Vec::new();
        for (line, value) in self.list(notes, key, &remedy) {
            let DeValue::Table(table) = value else {
                wrong_type(notes, line, key, value, "a table", &remedy);
                continue;
            };
            let section = Section { line, name, table };
            section.know(notes, keys);
            sections.push(section);
        }
        sections
    }

    /// A list of texts; `None` if the key is left out.
    pub(super) fn texts(
        &self,
        notes: &mut Notes,
        key: &'static str,
        max_chars: usize,
    ) -> Option<Vec<Found<'t>>> {
        self.value(notes, key)?;
        let remedy = format!("Write {key} = [\"...\", \"...\"]");
        let mut texts = Vec::new();
        for (line, value) in self.list(notes, key, &remedy) {
            match value {
                DeValue::String(text) if !text::too_long(text, max_chars) => texts.push(Found {
                    line,
                    key,
                    text: text.trim(),
                }),
                _ => wrong_type(notes, line, key, value, "a list of ids", &remedy),
            }
        }
        Some(texts)
    }
}

fn wrong_type(
    notes: &mut Notes,
    line: usize,
    key: &str,
    value: &DeValue<'_>,
    wanted: &str,
    remedy: &str,
) {
    let shown = match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Datetime(instant) => Some(instant.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    };
    let shown = shown.filter(|_| !SECRETS.contains(&key));
    let wrong = format!("it is {}, not {wanted}", type_name(value));
    notes.add(line, key, shown.as_deref(), (wrong, remedy));
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
