//! Custom fields defined, changed and deleted.
//!
//! Belongs here: what a definition may say. Does not belong here: the values of customers ([`crate::loyalty::customers`]).

use super::{ConfigDone, ConfigRows};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, CustomField, FieldKind};
use crate::loyalty::batch::Caller;

/// The highest number of a custom field.
pub const FIELDS_MAX: u8 = 99;
/// The most choices of a field.
pub const CHOICES_MAX: usize = 100;

/// What is to become of fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// They are defined.
    Add,
    /// They are changed.
    Update,
    /// They are deleted; the values of customers stay.
    Delete,
}

/// What is said of a field; what is not said stays as it is.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FieldWish {
    /// Its number.
    pub number: u8,
    /// What it is called.
    pub label: Option<String>,
    /// Whether it is shown.
    pub shown: Option<bool>,
    /// What it holds.
    pub kind: Option<FieldKind>,
    /// What a list or a pick chooses from.
    pub choices: Option<Vec<String>>,
    /// Whether customers are searched by it.
    pub searchable: Option<bool>,
    /// Whether no two customers may have the same value.
    pub unique: Option<bool>,
    /// Whether every new customer must have a value.
    pub required: Option<bool>,
}

/// Fields to be defined, changed or deleted: all of them, or none.
#[derive(Debug)]
pub struct FieldsCommand {
    /// Who asks.
    pub caller: Caller,
    /// What is to become of them.
    pub action: Action,
    /// The fields, each once.
    pub wishes: Vec<FieldWish>,
    /// Of the fields that are to be unique, those that are not, each with a value that two customers share; looked up.
    pub shared: Vec<(u8, String)>,
}

impl FieldsCommand {
    /// The numbers of the fields whose values must be found to be unique.
    pub fn to_be_unique(&self) -> Vec<u8> {
        let unique = self.wishes.iter().filter(|wish| wish.unique == Some(true));
        unique.map(|wish| wish.number).collect()
    }

    /// Decides it.
    pub fn decide(&self, account: &Account) -> Result<(ConfigDone, ConfigRows), Problem> {
        self.caller.permitted(account)?;
        let mut rows = ConfigRows::default();
        for wish in &self.wishes {
            let known = account.field(wish.number);
            match self.action {
                Action::Add => {
                    if known.is_some() || !(2..=FIELDS_MAX).contains(&wish.number) {
                        return Err(bad_number(wish.number));
                    }
                    let new = CustomField::plain(wish.number);
                    rows.fields.push(self.changed(new, wish)?);
                }
                Action::Update => {
                    // The first one is always there.
                    let first = || (wish.number == 1).then(|| CustomField::plain(1));
                    let old = known.cloned().or_else(first);
                    let old = old.ok_or_else(|| unknown_field(wish.number))?;
                    rows.fields.push(self.changed(old, wish)?);
                }
                Action::Delete => {
                    known.ok_or_else(|| unknown_field(wish.number))?;
                    rows.fields_gone.push(wish.number);
                }
            }
        }
        Ok((ConfigDone::Fields, rows))
    }

    fn changed(&self, mut field: CustomField, wish: &FieldWish) -> Result<CustomField, Problem> {
        if let Some(label) = &wish.label {
            field.label.clone_from(label);
        }
        if let Some(choices) = &wish.choices {
            field.choices.clone_from(choices);
        }
        field.shown = wish.shown.unwrap_or(field.shown);
        field.kind = wish.kind.unwrap_or(field.kind);
        field.searchable = wish.searchable.unwrap_or(field.searchable);
        field.unique = wish.unique.unwrap_or(field.unique);
        field.required = wish.required.unwrap_or(field.required);
        let chooses = matches!(field.kind, FieldKind::List | FieldKind::Pick);
        if chooses && field.choices.is_empty() {
            return Err(Problem::new(Code::MissingField).field(format!("{}_choices", field.name())));
        }
        let shared = self
            .shared
            .iter()
            .find(|(number, _)| *number == field.number);
        match shared {
            Some((_, value)) if field.unique => Err(Problem::new(Code::ValueTaken)
                .field(field.name())
                .value(value)),
            _ => Ok(field),
        }
    }
}

impl CustomField {
    /// A field of which nothing is said yet.
    pub fn plain(number: u8) -> CustomField {
        CustomField {
            number,
            label: format!("Custom Field {number}"),
            shown: false,
            kind: FieldKind::Text,
            choices: Vec::new(),
            searchable: false,
            unique: false,
            required: false,
        }
    }

    /// Its name on the wire.
    pub fn name(&self) -> String {
        format!("custom_field_{}", self.number)
    }
}

fn bad_number(number: u8) -> Problem {
    Problem::new(Code::BadValue)
        .field("custom_field")
        .value(&number.to_string())
        .detail(format!(
            "a number from 2 to {FIELDS_MAX} of which there is no field yet"
        ))
}

fn unknown_field(number: u8) -> Problem {
    Problem::new(Code::UnknownField).value(&format!("custom_field_{number}"))
}
