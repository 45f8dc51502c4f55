//! What a contact changes of a person: what is omitted stays, what is null is cleared, lists are replaced.
//!
//! Belongs here: how fields and columns follow from each other. A column is the truth of what it holds, because other
//! dialects write it too; the profile holds the same as it was sent. Does not belong here: whether a contact is taken
//! ([`super::matching`], [`super::mail`]).

use super::fields::{FIELDS, ID};
use super::keys::{self, country_of, text_in, text_of};
use super::person::{Columns, Contact, Person};
use super::sent::{CONTACT_MAX_BYTES, Fault, Sent, Verdict};
use super::value::too_much;
use crate::json::{self, Fields};
use crate::phones;
use crate::text;
use std::borrow::Cow;

/// The longest that a person's fields may become, in bytes of their text.
pub const PROFILE_MAX_BYTES: usize = 4 * CONTACT_MAX_BYTES;
/// The longest phone number that is kept, in characters.
const PHONE_MAX_CHARS: usize = 255;
/// The fields that a phone number is put together from.
const PHONE_FIELDS: [&str; 3] = ["phone_countrycode", "phone_number", "phone"];

/// What a contact is merged with, beside the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival<'a> {
    /// The number of the customer, if it is a new one.
    pub customer: i64,
    /// The code of the customer, if it is a new one.
    pub code: &'a str,
    /// The id of the contact, if the person has none yet.
    pub id: &'a str,
    /// Where it is from, as the client says.
    pub origin: &'a str,
    /// What was found out about the e-mail address just now.
    pub verdict: Option<Verdict>,
    /// The account's country.
    pub country: Option<&'a str>,
    /// In microseconds since 1970.
    pub now_us: i64,
}

/// The person after a contact. `found` is whose contact it is; `None` creates somebody.
pub fn merged(found: Option<&Person>, sent: &Sent, arrival: Arrival<'_>) -> Person {
    let old = found.and_then(|person| person.contact.as_ref());
    let mut profile = found.map_or_else(Fields::default, current);
    for (name, value) in sent.fields.iter().filter(|(name, _)| **name != *ID) {
        match value {
            Some(value) => profile.set(name, value),
            None => {
                profile.remove(name);
            }
        }
    }
    one_number(&mut profile, sent, arrival.country);
    let mut columns = found.map_or_else(Columns::default, |person| person.columns.clone());
    for field in FIELDS {
        if let Some(column) = field.column {
            columns.set(column, profile.get(field.name).and_then(text_of));
        }
    }
    columns.phone = phone_of(&profile);
    let same_email = |person: &Person| {
        let (old, new) = (&person.columns.email, &columns.email);
        let folded = |email: &Option<Box<str>>| email.as_deref().and_then(keys::email);
        old == new || folded(old) == folded(new)
    };
    let known = old.filter(|_| found.is_some_and(same_email));
    let (verdict, checked_at) = match arrival.verdict {
        Some(verdict) => (Some(verdict), Some(arrival.now_us)),
        None => (
            known.and_then(|contact| contact.verdict),
            known.and_then(|contact| contact.checked_at),
        ),
    };
    Person {
        customer: found.map_or(arrival.customer, |person| person.customer),
        code: match found {
            Some(person) => person.code.clone(),
            None => Some(arrival.code.into()),
        },
        card_number: found.and_then(|person| person.card_number.clone()),
        columns,
        created_at: found.map_or(arrival.now_us, |person| person.created_at),
        contact: Some(Contact {
            id: old.map_or_else(|| arrival.id.into(), |contact| contact.id.clone()),
            user_id: profile.get("user_id").and_then(text_of),
            origin: arrival.origin.into(),
            verdict,
            checked_at,
            last_consent: old.and_then(|contact| contact.last_consent),
            profile,
            created_at: old.map_or(arrival.now_us, |contact| contact.created_at),
            updated_at: arrival.now_us,
        }),
    }
}

/// What is wrong with a contact because of what is stored of its person already: what is omitted stays, so that a person
/// could grow with every request.
pub fn outgrown(found: &Person, sent: &Sent) -> Option<Fault> {
    let profile = &found.contact.as_ref()?.profile;
    if profile.bytes().saturating_add(sent.raw.len()) <= PROFILE_MAX_BYTES {
        return None;
    }
    let is_sent = |name: &str| sent.fields.iter().any(|(known, _)| **known == *name);
    let kept = profile.iter().filter(|(name, _)| !is_sent(name));
    let new = sent.fields.iter();
    let new = new.filter_map(|(name, value)| Some((&**name, value.as_deref()?)));
    let all = kept
        .chain(new)
        .map(|(name, value)| json::field_bytes(name, value));
    let bytes = all.fold(0, usize::saturating_add);
    let message = too_much(PROFILE_MAX_BYTES, "bytes with what is stored of it", bytes);
    (bytes > PROFILE_MAX_BYTES)
        .then(|| Fault::new("contact", format!("{message}; clear fields with null")))
}

/// A phone number has two spellings: whole, and in two parts. A contact with one of them takes the other away, unless
/// that is the same number: else it would not be found by what it said last.
fn one_number(profile: &mut Fields, sent: &Sent, country: Option<&str>) {
    let says = |name: &str| sent.fields.iter().find(|(known, _)| **known == *name);
    let (whole, number) = (says("phone"), says("phone_number"));
    let replaced: &[&str] = match (whole, number) {
        (Some((_, Some(_))), None) => &["phone_countrycode", "phone_number"],
        (None, Some((_, Some(_)))) => &["phone"],
        _ => return,
    };
    let own = profile.get("country").and_then(text_in);
    let country = country_of(own.as_deref(), country);
    let forms = |number: Option<Cow<'_, str>>| {
        let number = number.unwrap_or_default();
        phones::forms(&number, country)
    };
    let parts = forms(number_of_parts(profile));
    let whole = forms(profile.get("phone").and_then(text_in));
    let is_same = parts.iter().any(|form| whole.contains(form));
    // It may be the same by the person's country, and be looked for without it next time.
    let stored = forms(phone_of(profile).map(|phone| Cow::Owned(phone.into())));
    let is_found = sent.keys.phones.iter().any(|form| stored.contains(form));
    if !(is_same && is_found) {
        for name in replaced.iter().filter(|name| says(name).is_none()) {
            profile.remove(name);
        }
    }
}

/// A person's fields as they are now: as they were sent, where the columns still hold the same, else what the columns
/// hold.
pub fn current(person: &Person) -> Fields {
    let contact = person.contact.as_ref();
    let mut fields = contact.map_or_else(Fields::default, |contact| contact.profile.clone());
    for field in FIELDS {
        let Some(column) = field.column else {
            continue;
        };
        let stored = person.columns.get(column);
        if fields.get(field.name).and_then(text_in).as_deref() != stored {
            match stored {
                Some(stored) => fields.set(field.name, &json::quoted(stored)),
                None => {
                    fields.remove(field.name);
                }
            }
        }
    }
    let stored = person.columns.phone.as_deref();
    if phone_of(&fields).as_deref() != stored {
        for name in PHONE_FIELDS {
            fields.remove(name);
        }
        if let Some(stored) = stored {
            fields.set("phone", &json::quoted(stored));
        }
    }
    fields
}

/// The phone number that fields come to.
fn phone_of(fields: &Fields) -> Option<Box<str>> {
    let whole = || fields.get("phone").and_then(text_in);
    let number = number_of_parts(fields).or_else(whole)?;
    Some(text::cut(&number, PHONE_MAX_CHARS).into())
}

/// The phone number that is sent in two parts.
fn number_of_parts(fields: &Fields) -> Option<Cow<'_, str>> {
    let text = |name| fields.get(name).and_then(text_in);
    let number = text("phone_number")?;
    let code = text("phone_countrycode").filter(|code| !phones::digits(code).is_empty());
    let joined = code.and_then(|code| phones::joined(&code, &number));
    Some(joined.map_or(number, Cow::Owned))
}
