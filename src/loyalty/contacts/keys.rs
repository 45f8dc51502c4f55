//! By what a person is found, made from fields and columns.
//!
//! Belongs here: the form in which keys are compared. Does not belong here: who holds one ([`super::people`]), and whose
//! contact it is ([`super::matching`]).

use super::person::Columns;
use super::sent::{KeyKind, PersonKeys};
use crate::json::{self, Scalar};
use crate::loyalty::customers::Name;
use crate::phones;
use crate::text;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The longest key, in characters. A longer one is none: only folding can make one, of a text that is hardly an address.
const KEY_MAX_CHARS: usize = 255;

/// The text of a value in JSON, trimmed: of a text itself, of a number its digits. `None` for all others, and where
/// nothing is left.
pub fn text_in(raw: &str) -> Option<Cow<'_, str>> {
    let text = match json::scalar(raw) {
        Scalar::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
        Scalar::Text(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
        Scalar::Number(number) => Cow::Borrowed(number),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// [`text_in`], to be kept.
pub fn text_of(raw: &str) -> Option<Box<str>> {
    text_in(raw).map(Box::from)
}

fn kept(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into())
}

fn key(text: &str) -> Option<Box<str>> {
    kept(text).filter(|text| !text::too_long(text, KEY_MAX_CHARS))
}

/// The form in which e-mail addresses are compared.
pub fn email(address: &str) -> Option<Box<str>> {
    key(&text::fold(address))
}

/// The form in which documents are compared: letters and digits, in capitals.
pub fn document(number: &str) -> Option<Box<str>> {
    let marks = number.chars().filter(|c| c.is_alphanumeric());
    key(&marks.flat_map(char::to_uppercase).collect::<String>())
}

/// The country whose numbers a person writes without a calling code: the person's own, if it is said by two letters that
/// are a country, else the account's.
pub(super) fn country_of<'c>(own: Option<&'c str>, account: Option<&'c str>) -> Option<&'c str> {
    own.filter(|own| phones::codes::of_country(own).is_some())
        .or(account)
}

/// The keys of a contact, from its fields as they were sent. `country` is the account's.
pub fn of_fields(fields: &[(Box<str>, Option<Box<str>>)], country: Option<&str>) -> PersonKeys {
    let text = |name: &str| {
        let field = fields.iter().find(|(known, _)| **known == *name);
        field.and_then(|(_, raw)| text_in(raw.as_deref()?))
    };
    let own = text("country");
    let country = country_of(own.as_deref(), country);
    let phones = match (text("phone_number"), text("phone")) {
        (Some(number), _) => of_number(text("phone_countrycode").as_deref(), &number, country),
        (None, Some(phone)) => phones::forms(&phone, country),
        (None, None) => Vec::new(),
    };
    PersonKeys {
        user_id: text("user_id").and_then(|id| key(&id)),
        email: text("email").and_then(|address| email(&address)),
        phones,
    }
}

/// The forms of a number whose calling code stands in a field of its own. The code and all digits of the number are one
/// too: somebody may have written them like that.
fn of_number(code: Option<&str>, number: &str, country: Option<&str>) -> Vec<Box<str>> {
    let Some(code) = code.filter(|code| !phones::digits(code).is_empty()) else {
        return phones::forms(number, country);
    };
    let Some(joined) = phones::joined(code, number) else {
        return Vec::new();
    };
    let mut forms = phones::forms(&joined, None);
    if !phones::is_international(number) {
        let plain = [phones::digits(code), phones::digits(number)].concat();
        if forms.iter().all(|form| **form != *plain) {
            forms.push(plain.into());
        }
    }
    forms
}

/// All keys of a customer, from what is stored, in the order of their kinds. `country` is the account's.
pub fn of_person(
    columns: &Columns,
    user_id: Option<&str>,
    country: Option<&str>,
) -> Vec<(KeyKind, Box<str>)> {
    let country = country_of(columns.country.as_deref(), country);
    let forms = |number: &Option<Box<str>>| {
        let number = number.as_deref();
        number.map_or_else(Vec::new, |number| phones::forms(number, country))
    };
    let mut keys = Vec::new();
    let mut add = |kind, value: Option<Box<str>>| keys.extend(value.map(|value| (kind, value)));
    add(KeyKind::UserId, user_id.and_then(|id| key(id.trim())));
    add(KeyKind::Email, columns.email.as_deref().and_then(email));
    for form in forms(&columns.phone) {
        add(KeyKind::Phone, Some(form));
    }
    for form in forms(&columns.cellphone) {
        add(KeyKind::Cellphone, Some(form));
    }
    add(
        KeyKind::Document,
        columns.document.as_deref().and_then(document),
    );
    keys
}

/// The key of a field of API 1.5 that is found as a whole: a username or a custom field.
pub fn of_name(name: Name, value: &str) -> Option<(KeyKind, Box<str>)> {
    let folded = text::fold(value);
    if folded.is_empty() {
        return None;
    }
    match name {
        Name::Username => Some((KeyKind::Username, key(&folded)?)),
        Name::Custom(number) => Some((KeyKind::Custom, key(&format!("{number}={folded}"))?)),
        _ => None,
    }
}

/// The keys of a customer's fields of API 1.5, in the order of their kinds.
pub fn of_profile(
    username: Option<&str>,
    custom: &BTreeMap<u8, Box<str>>,
) -> Vec<(KeyKind, Box<str>)> {
    let custom = custom.iter();
    let custom = custom.filter_map(|(number, value)| of_name(Name::Custom(*number), value));
    let username = username.and_then(|name| of_name(Name::Username, name));
    custom.chain(username).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::contacts::tests::fields;

    #[test]
    fn keys_of_a_contact() {
        let keys = of_fields(
            &fields(
                r#"{"user_id":1042,"email":" Ann@Example.COM ","phone_countrycode":"+44","phone_number":"07700 900123"}"#,
            ),
            Some("ES"),
        );
        assert_eq!(keys.user_id.as_deref(), Some("1042"));
        assert_eq!(keys.email.as_deref(), Some("ann@example.com"));
        assert_eq!(keys.phones, ["447700900123".into(), "4407700900123".into()]);
        assert_eq!(of_fields(&fields("{}"), None), PersonKeys::default());
        let empty = of_fields(
            &fields(r#"{"user_id":" ","email":null,"phone":"-","phone_number":true}"#),
            None,
        );
        assert_eq!(empty, PersonKeys::default());
    }

    #[test]
    fn phones_of_a_contact() {
        for (sent, expected) in [
            (
                r#"{"phone_number":"600123456"}"#,
                &["34600123456", "600123456"][..],
            ),
            (
                r#"{"phone_number":"600123456","country":"GB"}"#,
                &["44600123456", "600123456"],
            ),
            (
                r#"{"phone_number":"600123456","country":"Spain"}"#,
                &["34600123456", "600123456"],
            ),
            (
                r#"{"phone_number":600123456,"phone_countrycode":34}"#,
                &["34600123456"],
            ),
            (
                r#"{"phone":"34600123456","phone_countrycode":"+34"}"#,
                &["3434600123456", "34600123456"],
            ),
            (
                r#"{"phone":"+34600123456","phone_number":"600999999"}"#,
                &["34600999999", "600999999"],
            ),
            (r#"{"phone_countrycode":"+34"}"#, &[]),
        ] {
            let keys = of_fields(&fields(sent), Some("ES"));
            let phones: Vec<&str> = keys.phones.iter().map(|form| &**form).collect();
            assert_eq!(phones, expected, "{sent}");
        }
    }

    #[test]
    fn keys_of_a_customer() {
        let columns = Columns {
            email: Some("Ann@Example.com".into()),
            phone: Some("600 123 456".into()),
            cellphone: Some("+34 600-123-457".into()),
            document: Some("1.234.567-x".into()),
            country: Some("ES".into()),
            ..Columns::default()
        };
        let keys = of_person(&columns, Some("u1"), None);
        let keys: Vec<(i16, &str)> = keys
            .iter()
            .map(|(kind, value)| (kind.stored(), &**value))
            .collect();
        assert_eq!(
            keys,
            [
                (1, "u1"),
                (2, "ann@example.com"),
                (3, "34600123456"),
                (3, "600123456"),
                (4, "34600123457"),
                (5, "1234567X")
            ]
        );
        assert!(of_person(&Columns::default(), None, Some("ES")).is_empty());
    }

    #[test]
    fn keys_of_a_profile() {
        let custom: BTreeMap<u8, Box<str>> =
            [(1, "Red ".into()), (12, "X".into()), (13, "".into())].into();
        let keys = of_profile(Some("ANN"), &custom);
        let keys: Vec<(i16, &str)> = keys
            .iter()
            .map(|(kind, value)| (kind.stored(), &**value))
            .collect();
        assert_eq!(keys, [(6, "1=red"), (6, "12=x"), (7, "ann")]);
        assert!(of_profile(None, &BTreeMap::new()).is_empty());
        assert_eq!(of_name(Name::City, "Rome"), None);
    }

    #[test]
    fn what_folding_makes_too_long_is_no_key() {
        assert_eq!(email(&"İ".repeat(127)), Some("i\u{307}".repeat(127).into()));
        assert_eq!(email(&"İ".repeat(128)), None);
    }
}
