//! Whose contact it is.
//!
//! The client's own id decides alone if it is known. Else the e-mail address, else the phone number, among the customers
//! who have no other id of that kind: somebody with another id is another person. Several who fit are never guessed from.

use super::people::Changing;
use super::sent::{KeyKind, PersonKeys, Sent};
use crate::error::{Code, Problem};

/// The kinds of keys in the order in which they are asked, with the fields that faults name. A phone number is looked for
/// among the phones, and among the mobile phones if it is nobody's there.
const ORDER: [(KeyKind, &str); 4] = [
    (KeyKind::UserId, "user_id"),
    (KeyKind::Email, "email"),
    (KeyKind::Phone, "phone_number"),
    (KeyKind::Cellphone, "phone_number"),
];

/// The customer that a contact means; `None` if it is a new one.
///
/// # Errors
/// [`Code::AmbiguousContact`] with the field, if several customers fit.
pub fn find(sent: &Sent, people: &Changing<'_>) -> Result<Option<i64>, Problem> {
    let keys = &sent.keys;
    for (kind, field) in ORDER {
        let mut fitting: Vec<i64> = values(keys, kind)
            .flat_map(|value| people.holders(kind, value))
            .filter(|customer| kind == KeyKind::UserId || may_be(people, *customer, keys))
            .collect();
        fitting.sort_unstable();
        fitting.dedup();
        match fitting.as_slice() {
            [] => {}
            [one] => return Ok(Some(*one)),
            _ => return Err(ambiguous(sent, kind, field)),
        }
    }
    Ok(None)
}

/// The values of a contact that are looked for among the keys of a kind.
pub fn values(keys: &PersonKeys, kind: KeyKind) -> impl Iterator<Item = &str> {
    let (one, many) = match kind {
        KeyKind::UserId => (keys.user_id.as_deref(), &[][..]),
        KeyKind::Email => (keys.email.as_deref(), &[][..]),
        KeyKind::Phone | KeyKind::Cellphone => (None, keys.phones.as_slice()),
        KeyKind::Document | KeyKind::Custom | KeyKind::Username => (None, &[][..]),
    };
    one.into_iter().chain(many.iter().map(|form| &**form))
}

/// Everything that has to be looked up for a contact.
pub fn all(keys: &PersonKeys) -> impl Iterator<Item = (KeyKind, &str)> {
    let kinds = ORDER.into_iter();
    kinds.flat_map(|(kind, _)| values(keys, kind).map(move |value| (kind, value)))
}

fn may_be(people: &Changing<'_>, customer: i64, keys: &PersonKeys) -> bool {
    let Some(asked) = &keys.user_id else {
        return true;
    };
    let contact = people
        .get(customer)
        .and_then(|person| person.contact.as_ref());
    let own = contact.and_then(|contact| contact.user_id.as_ref());
    own.is_none_or(|own| own == asked)
}

fn ambiguous(sent: &Sent, kind: KeyKind, field: &'static str) -> Problem {
    let field = if field == "phone_number" && sent.field(field).is_none() {
        "phone"
    } else {
        field
    };
    let value = values(&sent.keys, kind).next().unwrap_or("");
    Problem::new(Code::AmbiguousContact)
        .field(field)
        .value(value)
}
