//! What may stand in the fields of a customer.
//!
//! Belongs here: lengths, dates, what the account has defined of custom fields. Does not belong here: secrets, which are
//! hashed before they come here; whether somebody else has a value.

use super::{CustomerFields, Given, Name};
use crate::dates;
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, CustomField, FieldKind, ID_MAX_CHARS, TEXT_MAX_CHARS};
use crate::loyalty::contacts::fields::EMAIL_MAX_CHARS;
use crate::text;

/// What clients send for a date that is none.
pub const NO_DATE: [&str; 2] = ["--", "0000-00-00"];

/// How fields are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct How {
    /// Whether the customer is new: then all fields that are required must be filled.
    pub new: bool,
    /// What an empty value means.
    pub empty: Empty,
}

/// What an empty value means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Empty {
    /// That the field stays as it is.
    Keep,
    /// That the field is emptied.
    Clear,
}

/// Reads the fields that a request gives of a customer, in the order in which they come; of several for one name the last
/// counts. The first that cannot be read is the problem.
pub fn read<'v>(
    values: impl Iterator<Item = (Name, &'v str)>,
    account: &Account,
    how: How,
) -> Result<CustomerFields, Problem> {
    let mut names: Vec<(Name, Given)> = Vec::new();
    for (name, value) in values {
        let given = one(name, value.trim(), account, how.empty)?;
        names.retain(|(known, _)| *known != name);
        names.push((name, given));
    }
    for field in account.fields.iter().filter(|field| field.required) {
        let name = Name::Custom(field.number);
        let given = names.iter().find(|(known, _)| *known == name);
        let lacks = match given.map(|(_, given)| given) {
            Some(Given::Set(_)) => false,
            Some(Given::Clear) => true,
            Some(Given::Keep) | None => how.new,
        };
        if lacks {
            return Err(Problem::new(Code::MissingField).field(name.word()));
        }
    }
    Ok(CustomerFields {
        names,
        ..CustomerFields::default()
    })
}

/// Reads one value, from which the blanks around it are gone.
fn one(name: Name, value: &str, account: &Account, empty: Empty) -> Result<Given, Problem> {
    if value.is_empty() {
        return Ok(match empty {
            Empty::Keep => Given::Keep,
            Empty::Clear => Given::Clear,
        });
    }
    let most = match name {
        Name::Email => EMAIL_MAX_CHARS,
        Name::Username => ID_MAX_CHARS,
        _ => TEXT_MAX_CHARS,
    };
    if text::too_long(value, most) {
        let about = Problem::new(Code::TooLong).field(name.word());
        return Err(about.value(value).detail(most));
    }
    let field = match name {
        Name::Custom(number) => account.field(number),
        _ => None,
    };
    match (name, field.map(|field| field.kind)) {
        (Name::CustomDate, _) | (_, Some(FieldKind::Date)) if NO_DATE.contains(&value) => {
            Ok(Given::Clear)
        }
        (Name::CustomDate, _) | (_, Some(FieldKind::Date)) => date(name, value),
        (_, Some(FieldKind::Pick)) => choice(name, value, field),
        (_, Some(FieldKind::List)) => {
            let parts = value.split(',').map(str::trim);
            let mut chosen = Vec::new();
            for part in parts.filter(|part| !part.is_empty()) {
                match choice(name, part, field)? {
                    Given::Set(part) => chosen.push(part),
                    Given::Keep | Given::Clear => {}
                }
            }
            if chosen.is_empty() {
                return one(name, "", account, empty);
            }
            Ok(Given::Set(chosen.join(", ").into()))
        }
        _ => Ok(Given::Set(value.into())),
    }
}

/// The forms of batches, and the day with dots, `2015.03.04 10:11:12`, in which such fields are known to be sent.
fn date(name: Name, value: &str) -> Result<Given, Problem> {
    let dotted = value
        .split_at_checked(10)
        .filter(|(day, _)| day.contains('.'));
    let hyphens = dotted.map(|(day, time)| day.replace('.', "-") + time);
    let day = dates::read(hyphens.as_deref().unwrap_or(value), true).map_err(|error| {
        let about = Problem::new(Code::BadDate).field(name.word());
        about.value(value).detail(error)
    })?;
    Ok(Given::Set(day.iso().into()))
}

/// The choice that a value names without regard to case, as it is defined.
fn choice(name: Name, value: &str, field: Option<&CustomField>) -> Result<Given, Problem> {
    let choices = field.map_or(&[][..], |field| field.choices.as_slice());
    let folded = text::fold(value);
    let meant = choices.iter().find(|choice| text::fold(choice) == folded);
    let meant = meant.ok_or_else(|| {
        let about = Problem::new(Code::BadValue).field(name.word());
        about
            .value(value)
            .detail(format!("one of: {}", choices.join(", ")))
    })?;
    Ok(Given::Set(meant.as_str().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn account() -> Account {
        let field = |number, kind, required| CustomField {
            number,
            label: format!("Custom Field {number}"),
            shown: true,
            kind,
            choices: vec!["Red".to_owned(), "Light Blue".to_owned()],
            searchable: true,
            unique: false,
            required,
        };
        let text = |text: &str| text.to_owned();
        let mut account = Account::new(1, text("a"), text("A"), Tz::UTC, 1, vec![], vec![]);
        account.fields = vec![
            field(2, FieldKind::Pick, false),
            field(3, FieldKind::List, false),
            field(4, FieldKind::Date, false),
            field(5, FieldKind::Text, true),
        ];
        account
    }

    const EDIT: How = How {
        new: false,
        empty: Empty::Clear,
    };

    fn given(name: &str, value: &str, how: How) -> Result<Given, Code> {
        let name = Name::from_word(name).unwrap();
        let read = read([(name, value)].into_iter(), &account(), how);
        let mut fields = read.map_err(|problem| problem.code)?;
        Ok(fields.names.remove(0).1)
    }

    #[test]
    fn values_are_read_by_what_they_are_of() {
        let set = |value: &str| Ok(Given::Set(value.into()));
        let long = "x".repeat(255);
        for (name, value, read) in [
            ("first_name", " Ann ", set("Ann")),
            ("custom_field_5", "any text", set("any text")),
            ("first_name", "", Ok(Given::Clear)),
            ("first_name", &long, set(&long)),
            ("email", &long, Err(Code::TooLong)),
            ("customer_username", &long, Err(Code::TooLong)),
            ("custom_date", "2015-12-03", set("2015-12-03")),
            ("custom_date", "0000-00-00", Ok(Given::Clear)),
            ("custom_date", "--", Ok(Given::Clear)),
            ("custom_date", "soon", Err(Code::BadDate)),
            ("custom_field_2", "red", set("Red")),
            ("custom_field_2", "green", Err(Code::BadValue)),
            ("custom_field_3", "light blue,RED", set("Light Blue, Red")),
            ("custom_field_3", "Red, Green", Err(Code::BadValue)),
            ("custom_field_4", "2015-12-03", set("2015-12-03")),
            ("custom_field_3", " , ,", Ok(Given::Clear)),
            ("custom_field_4", "2015.03.04 10:11:12", set("2015-03-04")),
            ("custom_field_4", "2015.03.04", set("2015-03-04")),
            ("custom_field_4", "04.03.2015", Err(Code::BadDate)),
            ("custom_field_4", "2015-03-04 10.11", Err(Code::BadDate)),
            ("custom_field_4", "x", Err(Code::BadDate)),
            ("custom_field_5", "", Err(Code::MissingField)),
            ("custom_field_9", "anything", set("anything")),
        ] {
            assert_eq!(given(name, value, EDIT), read, "{name}={value}");
        }
        let keep = How {
            empty: Empty::Keep,
            ..EDIT
        };
        assert_eq!(given("city", "", keep), Ok(Given::Keep));
        assert_eq!(given("custom_field_5", "", keep), Ok(Given::Keep));
    }

    #[test]
    fn a_new_customer_needs_what_is_required() {
        let new = How { new: true, ..EDIT };
        assert_eq!(given("city", "Rome", new), Err(Code::MissingField));
        assert!(given("custom_field_5", "x", new).is_ok());
    }

    #[test]
    fn of_several_values_the_last_counts() {
        let values = [
            (Name::Custom(1), "a"),
            (Name::City, "b"),
            (Name::Custom(1), "c"),
        ];
        let read = read(values.into_iter(), &account(), EDIT).unwrap();
        let set = |value: &str| Given::Set(value.into());
        assert_eq!(
            read.names,
            [(Name::City, set("b")), (Name::Custom(1), set("c"))]
        );
    }
}
