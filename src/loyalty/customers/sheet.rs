//! The text of a batch of customers: its columns, its lines, the values of a line.
//!
//! Belongs here: cutting the text, and which columns there are. Does not belong here: what the values mean
//! ([`super::fields`]), what becomes of a line ([`super::import`]).

use super::Name;
use crate::loyalty::fingerprint::Pairs;
use crate::loyalty::lines::{BadText, Layout as Cut, Line, Lines};
use serde::Serialize;

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// `code`
    Code,
    /// `card_number`
    Card,
    /// `customer_password`
    Password,
    /// `customer_PIN`
    Pin,
    /// `auto_add`
    AutoAdd,
    /// A field.
    Field(Name),
    /// `none`: skipped
    Skip,
}

/// The columns that are no fields, with their names.
const WORDS: [(Column, &str); 6] = [
    (Column::Code, "code"),
    (Column::Card, "card_number"),
    (Column::Password, "customer_password"),
    (Column::Pin, "customer_PIN"),
    (Column::AutoAdd, "auto_add"),
    (Column::Skip, "none"),
];

impl Column {
    /// The column with this name, in any case and with `-` for `_`.
    pub fn from_name(name: &str) -> Option<Column> {
        let name = name.to_ascii_lowercase().replace('-', "_");
        let word = WORDS
            .iter()
            .find(|(_, word)| word.eq_ignore_ascii_case(&name));
        word.map(|(column, _)| *column)
            .or_else(|| Name::from_word(&name).map(Column::Field))
    }

    /// Whether its values are told to nobody.
    pub fn is_secret(self) -> bool {
        matches!(self, Column::Password | Column::Pin)
    }

    /// The column's name.
    pub fn name(self) -> String {
        if let Column::Field(name) = self {
            return name.word();
        }
        let word = WORDS.iter().find(|(column, _)| *column == self);
        word.map_or("", |(_, word)| word).to_owned()
    }
}

/// What becomes of customers who are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// All their fields are emptied, then those of the line are written.
    Blank,
    /// The fields that are filled are written.
    Update,
    /// They are left as they are.
    Ignore,
}

impl Mode {
    /// The mode with this word.
    pub fn from_word(word: &str) -> Option<Mode> {
        match word.to_ascii_lowercase().as_str() {
            "yes" => Some(Mode::Blank),
            "update" => Some(Mode::Update),
            "ignore" => Some(Mode::Ignore),
            _ => None,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Blank => "yes",
            Mode::Update => "update",
            Mode::Ignore => "ignore",
        }
    }
}

/// How lines are cut and read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The columns in their order; all but `none` at most once.
    pub columns: Vec<Column>,
    /// What separates values.
    pub delimiter: char,
    /// What becomes of customers who are there.
    pub mode: Mode,
    /// The ids of the campaigns that are named.
    pub campaigns: Vec<String>,
    /// The digits of card numbers that are drawn, where new customers get one.
    pub draws: Option<usize>,
}

#[derive(Serialize)]
struct Kept<'l> {
    columns: Vec<String>,
    delimiter: char,
    overwrite_duplicates: &'static str,
    campaigns_to_include: &'l [String],
}

impl Layout {
    /// The layout as it is kept beside refused lines.
    pub fn json(&self) -> String {
        let kept = Kept {
            columns: self.columns.iter().map(|column| column.name()).collect(),
            delimiter: self.delimiter,
            overwrite_duplicates: self.mode.word(),
            campaigns_to_include: &self.campaigns,
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Whether the column is among the declared ones.
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}

/// A text with its lines found.
#[derive(Debug)]
pub struct Sheet {
    lines: Lines,
    /// How lines are read.
    pub layout: Layout,
}

impl Sheet {
    /// Finds the lines of a text.
    pub fn find(
        text: String,
        layout: Layout,
        max_lines: usize,
        max_line_bytes: usize,
    ) -> Result<Sheet, BadText> {
        let cut = Cut {
            columns: Vec::new(),
            delimiter: layout.delimiter,
            apply_ratio: false,
            old_generation: false,
            create_customers: false,
        };
        let lines = Lines::find(text, cut, max_lines, max_line_bytes)?;
        Ok(Sheet { lines, layout })
    }

    /// The lines that are not blank.
    pub fn list(&self) -> &[Line] {
        &self.lines.list
    }

    /// The size of the text.
    pub fn bytes(&self) -> usize {
        self.lines.bytes()
    }

    /// A line as sent.
    pub fn raw(&self, line: &Line) -> &str {
        self.lines.text(line.span)
    }

    /// The values of a line with their columns, trimmed; what a short line leaves out is empty. Values beyond the columns
    /// are told by `None`.
    pub fn values(&self, line: &Line) -> impl Iterator<Item = (Option<Column>, &str)> {
        let columns = &self.layout.columns;
        let mut parts = self.raw(line).split(self.layout.delimiter).map(str::trim);
        let mut columns = columns.iter();
        std::iter::from_fn(move || match (columns.next(), parts.next()) {
            (Some(column), part) => Some((Some(*column), part.unwrap_or(""))),
            (None, Some(part)) => Some((None, part)),
            (None, None) => None,
        })
    }

    /// The value of a column.
    pub fn value(&self, line: &Line, column: Column) -> &str {
        let mut values = self.values(line);
        let found = values.find(|(of, _)| *of == Some(column));
        found.map_or("", |(_, value)| value)
    }

    /// The fields of a line.
    pub fn fields(&self, line: &Line) -> impl Iterator<Item = (Name, &str)> {
        self.values(line)
            .filter_map(|(column, value)| match column {
                Some(Column::Field(name)) => Some((name, value)),
                _ => None,
            })
    }

    /// A line as sent but for its secrets; `None` where it has none.
    pub fn masked(&self, line: &Line) -> Option<String> {
        let is_secret = |(column, value): (Option<Column>, &str)| {
            column.is_some_and(Column::is_secret) && !value.is_empty()
        };
        if !self.values(line).any(is_secret) {
            return None;
        }
        let columns = self.layout.columns.iter().map(|column| Some(*column));
        let columns = columns.chain(std::iter::repeat(None));
        let parts = self.raw(line).split(self.layout.delimiter).zip(columns);
        let parts = parts.map(|(part, column)| match is_secret((column, part.trim())) {
            true => "***",
            false => part,
        });
        let parts: Vec<&str> = parts.collect();
        Some(parts.join(&self.layout.delimiter.to_string()))
    }

    /// By what a line is known. Secrets are no part of it: whoever has it could try out which ones fit.
    pub fn fingerprint(&self, line: &Line) -> [u8; 32] {
        let mut pairs = Pairs::default();
        pairs.add("type", "customers_batch");
        let values = self.values(line);
        for (column, value) in values.filter(|(column, _)| !column.is_some_and(Column::is_secret)) {
            let name = column.map_or_else(String::new, Column::name);
            pairs.add(&name, value);
        }
        pairs.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Sheet {
        let layout = Layout {
            columns: vec![
                Column::Code,
                Column::Password,
                Column::Field(Name::Email),
                Column::Field(Name::Custom(2)),
            ],
            delimiter: '|',
            mode: Mode::Update,
            campaigns: vec!["P".to_owned()],
            draws: None,
        };
        Sheet::find(text.to_owned(), layout, 10, 100).unwrap()
    }

    #[test]
    fn values_stand_under_their_columns() {
        let sheet = sheet("7 | x| a@b.example |red|more\n8\n");
        let lines = sheet.list();
        let fields: Vec<_> = sheet.fields(&lines[0]).collect();
        assert_eq!(
            fields,
            [(Name::Email, "a@b.example"), (Name::Custom(2), "red")]
        );
        assert_eq!(sheet.value(&lines[0], Column::Code), "7");
        let surplus = sheet.values(&lines[0]).find(|(column, _)| column.is_none());
        assert_eq!(surplus, Some((None, "more")));
        assert_eq!(sheet.value(&lines[1], Column::Field(Name::Email)), "");
        assert_ne!(sheet.fingerprint(&lines[0]), sheet.fingerprint(&lines[1]));
        let masked = sheet.masked(&lines[0]);
        assert_eq!(masked.as_deref(), Some("7 |***| a@b.example |red|more"));
        assert_eq!(sheet.masked(&lines[1]), None);
    }

    #[test]
    fn columns_have_names_of_their_own() {
        for (column, word) in WORDS {
            assert_eq!(Column::from_name(word), Some(column));
            assert_eq!(column.name(), word);
        }
        let first = Column::Field(Name::Custom(1));
        for word in ["custom_field", "custom1", "Custom-Field-1"] {
            assert_eq!(Column::from_name(word), Some(first));
        }
        assert_eq!(Column::from_name("customer_PIN"), Some(Column::Pin));
        assert_eq!(Column::from_name("redeemed"), None);
        for mode in [Mode::Blank, Mode::Update, Mode::Ignore] {
            assert_eq!(Mode::from_word(mode.word()), Some(mode));
        }
    }
}
