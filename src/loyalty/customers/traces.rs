//! What tells that a text is about somebody.
//!
//! Belongs here: which values of a line, a contact or a sale are a person's. Does not belong here: what is done with such a
//! text ([`super::erase`]).

use super::Customer;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::keys;
use crate::phones;
use serde::Deserialize;
use std::collections::HashSet;

/// What tells that a text is about somebody. Never a part of a value: a code of three digits stands in every number.
#[derive(Debug)]
pub struct Traces {
    customer: String,
    country: Option<String>,
    exact: HashSet<Box<str>>,
    email: Option<Box<str>>,
    document: Option<Box<str>>,
    phones: HashSet<Box<str>>,
}

/// The fewest characters of a value that tells whom a text is about wherever it stands. Shorter ones do only where
/// somebody is named: elsewhere a code of two digits may be anything.
const TELLING_CHARS: usize = 6;

/// The member with the digits of a number whose calling code stands in another one.
const PHONE_NUMBER: &str = "phone_number";

/// Whether a value stands where somebody is named, or where it may be anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Names,
    May,
    /// What stands here never names anybody.
    Never,
}

impl Place {
    /// Of a column of a batch.
    fn of_column(name: &str) -> Place {
        match name {
            "code" | "card_number" | "customer_username" | "email" | "phone" => Place::Names,
            "campaign_id" | "redeemed" | "amount" | "date" | "promo_id" | "service_product"
            | "auto_add" => Place::Never,
            _ => Place::May,
        }
    }

    /// Of a member of a contact or a sale.
    fn of_member(name: &str) -> Place {
        match name {
            "user_id" | "id" | "_id" | "document" | "email" | "phone" | "cellphone"
            | PHONE_NUMBER => Place::Names,
            _ => Place::May,
        }
    }
}

/// How refused lines of a batch are cut, and which of their columns name somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineForm {
    delimiter: char,
    columns: Vec<Place>,
}

#[derive(Deserialize)]
struct KeptLayout {
    delimiter: char,
    columns: Vec<String>,
}

impl LineForm {
    /// The form that the layout of a batch gives, whatever it is a batch of; `None` if it cannot be read.
    pub fn from_layout(json: &str) -> Option<LineForm> {
        let kept: KeptLayout = serde_json::from_str(json).ok()?;
        let columns = kept.columns.iter().map(|name| Place::of_column(name));
        Some(LineForm {
            delimiter: kept.delimiter,
            columns: columns.collect(),
        })
    }
}

impl Default for LineForm {
    fn default() -> LineForm {
        LineForm {
            delimiter: '|',
            columns: Vec::new(),
        }
    }
}

impl Traces {
    /// Those of a customer. `held`: codes and cards, also those that were replaced. `country` is the account's.
    pub fn of(customer: &Customer, held: &[(Box<str>, bool)], country: Option<&str>) -> Traces {
        let person = &customer.person;
        let columns = &person.columns;
        let contact = person.contact.as_ref();
        let user_id = contact.and_then(|contact| contact.user_id.clone());
        let id = contact.map(|contact| contact.id.clone());
        let username = customer.profile.iter();
        let username = username.filter_map(|profile| profile.username.clone());
        let numbers = [columns.phone.as_deref(), columns.cellphone.as_deref()];
        let numbers = numbers.into_iter().flatten();
        let held = held.iter().map(|(value, _)| value.clone());
        Traces {
            customer: person.customer.to_string(),
            country: country.map(str::to_owned),
            exact: held.chain(user_id).chain(id).chain(username).collect(),
            email: columns.email.as_deref().and_then(keys::email),
            document: columns.document.as_deref().and_then(keys::document),
            phones: numbers
                .flat_map(|number| phones::forms(number, country))
                .collect(),
        }
    }

    /// Whether a value is one of the person's.
    fn is(&self, value: &str, place: Place) -> bool {
        let value = value.trim();
        if value.is_empty() || place == Place::Never {
            return false;
        }
        let tells = |text: &str| place == Place::Names || text.chars().count() >= TELLING_CHARS;
        if self.exact.contains(value) && tells(value) {
            return true;
        }
        if value.contains('@') {
            return self.email.is_some() && keys::email(value) == self.email;
        }
        let document = self.document.as_deref().filter(|document| tells(document));
        if document.is_some() && keys::document(value).as_deref() == document {
            return true;
        }
        // Letters are in no phone number, so that no sentence with digits in it is one.
        !value.chars().any(char::is_alphabetic) && self.is_phone(value, tells)
    }

    fn is_phone(&self, number: &str, tells: impl Fn(&str) -> bool) -> bool {
        let forms = phones::forms(number, self.country.as_deref());
        let mut telling = forms.iter().filter(|form| tells(form));
        telling.any(|form| self.phones.contains(form))
    }

    /// Whether a line of a batch has a value of the person's.
    pub fn in_line(&self, line: &str, form: &LineForm) -> bool {
        let places = form.columns.iter().copied();
        let places = places.chain(std::iter::repeat(Place::May));
        let mut values = line.split(form.delimiter).zip(places);
        values.any(|(value, place)| self.is(value, place))
    }

    /// Whether a contact, a purchase or what was told of them has a value of the person's, at any depth.
    pub fn in_json(&self, raw: &str) -> bool {
        self.in_value(raw, Place::May)
    }

    /// Whether a sale has a value of the person's, at any depth, or names it by its number.
    pub fn in_sale(&self, raw: &str) -> bool {
        let Some(sale) = json::Fields::parse(raw) else {
            return self.in_json(raw);
        };
        sale.iter().any(|(name, value)| {
            if name != "match_key" {
                return self.in_value(value, Place::of_member(name));
            }
            let Some(keys) = json::Fields::parse(value) else {
                return self.in_json(value);
            };
            keys.iter().any(|(name, value)| match name {
                // Of a sale it is the number, which is nobody's code.
                "id" => keys::text_in(value).is_some_and(|id| *id == *self.customer),
                name => self.in_value(value, Place::of_member(name)),
            })
        })
    }

    fn in_value(&self, raw: &str, place: Place) -> bool {
        if let Some(fields) = json::Fields::parse(raw) {
            let text = |name| fields.get(name).and_then(keys::text_in);
            // One number in two fields; without its country it may be another one's.
            let joined = text("phone_countrycode").zip(text(PHONE_NUMBER));
            let joined = joined.and_then(|(code, number)| phones::joined(&code, &number));
            let number = joined.as_deref();
            let mut rest = fields
                .iter()
                .filter(|(name, _)| number.is_none() || *name != PHONE_NUMBER);
            return number.is_some_and(|number| self.is(number, Place::Names))
                || rest.any(|(name, value)| self.in_value(value, Place::of_member(name)));
        }
        if let Some(list) = json::list(raw) {
            return list.into_iter().any(|value| self.in_value(value, place));
        }
        match json::scalar(raw) {
            Scalar::Text(text) => self.is(&text, place),
            Scalar::Number(number) => self.is(number, place),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let mut ann = Customer::bare(41, Some("7".into()), Some("600100".into()), 0);
        ann.person.columns.email = Some("Ann@Example.com".into());
        ann.person.columns.phone = Some("+1 (212) 555-0101".into());
        ann.person.columns.document = Some("x-12".into());
        let held = [("7", false), ("600100", false), ("old1", true)];
        let held = held.map(|(value, replaced)| (value.into(), replaced));
        Traces::of(&ann, &held, Some("US"))
    }

    #[test]
    fn a_line_is_about_somebody_whom_a_column_names() {
        let columns = [
            "campaign_id",
            "code",
            "redeemed",
            "amount",
            "date",
            "authorization",
        ];
        let layout =
            serde_json::json!({"columns": columns, "delimiter": ",", "apply_ratio": false});
        let form = LineForm::from_layout(&layout.to_string()).unwrap();
        for (line, about) in [
            ("P,7,N,x", true),
            ("P, 7 ,N,x", true),
            ("P,old1,N,x", true),
            ("P,8,N,7", false),
            ("7,8,N,600100,600100", false),
            ("P,8,N,1,,7", false),
            ("P,8,N,1,,600100", true),
            ("P,8,N,1,,ANN@example.com", true),
            ("P,8,N,1,,bob@example.com", false),
            ("P,8,N,1,,(212) 555 0101", true),
            ("P,8,N,1,,see 212 555 0101", false),
            ("P,8,N,1,,,surplus,600100", true),
            ("P,77,N,1", false),
            ("", false),
        ] {
            assert_eq!(traces().in_line(line, &form), about, "{line}");
        }
        assert!(traces().in_line("P|600100|N", &LineForm::default()));
    }

    #[test]
    fn a_contact_is_about_somebody_whom_a_field_names() {
        for (json, about) in [
            (r#"{"email": "ann@example.com"}"#, true),
            (r#"{"custom": {"mail": ["x", "ann@example.com "]}}"#, true),
            (
                r#"{"phone_countrycode": "+1", "phone_number": "212 555 0101"}"#,
                true,
            ),
            (
                r#"{"phone_countrycode": "+34", "phone_number": "212 555 0101"}"#,
                false,
            ),
            (r#"{"phone": 12125550101}"#, true),
            (r#"{"user_id": 7}"#, true),
            (r#"{"age": 7}"#, false),
            (r#"{"document": "X12"}"#, true),
            (r#"{"room": "X12"}"#, false),
            (r#"{"email": null, "list": [true, {}]}"#, false),
            ("17", false),
        ] {
            assert_eq!(traces().in_json(json), about, "{json}");
        }
    }

    #[test]
    fn a_sale_is_about_somebody_by_number_too() {
        for (json, about) in [
            (r#"{"match_key": {"id": 41}}"#, true),
            (r#"{"match_key": {"id": "41"}}"#, true),
            (r#"{"match_key": {"id": 7}}"#, false),
            (r#"{"match_key": {"email": "ann@example.com"}}"#, true),
            (r#"{"match_key": {"id": null, "document": "x12"}}"#, true),
            (r#"{"value": 41, "order_id": "41"}"#, false),
            (r#"{"note": "ann@example.com"}"#, true),
            (r#"{"match_key": 41}"#, false),
        ] {
            assert_eq!(traces().in_sale(json), about, "{json}");
        }
    }
}
