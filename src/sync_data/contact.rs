//! A contact as it was sent: its fields, each checked.
//!
//! Belongs here: what may stand in a field. Does not belong here: whose contact it is, and whether its e-mail address
//! takes mail ([`crate::loyalty::contacts`], [`crate::mailcheck`]).
//!
//! A contact that is wrong is no reason to refuse its request: its faults come with it and make it fail later.

use crate::instants;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::consents::Channel;
use crate::loyalty::contacts::fields::{
    self, CUSTOM_MAX, CUSTOM_NAME_MAX_CHARS, EMAIL_MAX_CHARS, Field, ID, Kind, LIST_MAX,
    TEXT_MAX_CHARS,
};
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::{CONTACT_MAX_BYTES, FAULTS_MAX, Fault, PersonKeys, Sent};
use crate::loyalty::contacts::told;
use crate::loyalty::contacts::value::{self, must_be, one_of, too_much};
use crate::text;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::net::IpAddr;

/// What faults of a contact as a whole are said of.
const WHOLE: &str = "contact";

/// The most digits of a whole number.
const COUNT_DIGITS: usize = 18;

/// Fields of which any is enough to find a person.
const KEYS: [&str; 4] = ["user_id", "email", "phone", "phone_number"];

/// Reads a contact from its JSON. `country` is the account's: its phone numbers are written without a calling code.
pub fn read(raw: &str, country: Option<&str>) -> Sent {
    let raw = raw.trim();
    if raw.len() > CONTACT_MAX_BYTES {
        return too_long(raw);
    }
    let Some(mut members) = json::object(raw) else {
        return refused(raw, Fault::new(WHOLE, must_be("an object", raw)));
    };
    let mut sent = Sent {
        raw: raw.into(),
        fields: Vec::with_capacity(members.len()),
        faults: Vec::new(),
        keys: PersonKeys::default(),
        print: [0; 32],
    };
    let mut custom = 0_usize;
    for (name, raw) in &members {
        let kept = match fields::field(name) {
            _ if name == ID => continue,
            Some(field) => {
                let kept = !value::is_empty(raw);
                if kept {
                    check(field, raw, &mut sent.faults);
                }
                kept
            }
            None => {
                custom = custom.saturating_add(1);
                check_name(name, &mut sent.faults);
                *raw != "null"
            }
        };
        let stored = kept.then(|| Box::from(*raw));
        sent.fields.push((Box::from(&**name), stored));
    }
    if custom > CUSTOM_MAX {
        let message = too_much(CUSTOM_MAX, "custom fields", custom);
        sent.faults.push(Fault::new(WHOLE, message));
    }
    let is_key = |name: &str, value: &Option<_>| value.is_some() && KEYS.contains(&name);
    if !sent.fields.iter().any(|(name, value)| is_key(name, value)) {
        let message = "is required, unless there is an email, a phone or a phone_number";
        sent.faults.push(Fault::new("user_id", message));
    }
    sent.faults.truncate(FAULTS_MAX);
    if sent.faults.is_empty() {
        sent.keys = keys::of_fields(&sent.fields, country);
    }
    members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    sent.print = print(&members);
    sent
}

/// A contact without fields.
fn refused(raw: &str, fault: Fault) -> Sent {
    let mut hash = Sha256::new();
    hash.update(raw);
    Sent {
        raw: raw.into(),
        fields: Vec::new(),
        faults: vec![fault],
        keys: PersonKeys::default(),
        print: hash.finalize().into(),
    }
}

/// Of a contact that is too long only its keys are kept, so that its client knows which one it is.
fn too_long(raw: &str) -> Sent {
    let message = too_much(CONTACT_MAX_BYTES, "bytes", raw.len());
    let mut sent = refused(raw, Fault::new(WHOLE, message));
    sent.raw = told::kept(raw).into();
    sent
}

/// Equal for contacts with equal members, in whatever order and however their texts are escaped.
fn print(members: &[(Cow<'_, str>, &str)]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let text = |hash: &mut Sha256, text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    for (name, raw) in members {
        text(&mut hash, name);
        match json::scalar(raw) {
            Scalar::Text(value) => {
                hash.update(b"t");
                text(&mut hash, &value);
            }
            _ => {
                hash.update(b"v");
                json::canonical(raw, &mut |bytes| hash.update(bytes));
            }
        }
    }
    hash.finalize().into()
}

/// The name of a custom field.
fn check_name(name: &str, faults: &mut Vec<Fault>) {
    if name.is_empty() {
        faults.push(Fault::new(WHOLE, "has a field without a name"));
    } else if text::too_long(name, CUSTOM_NAME_MAX_CHARS) {
        let chars = name.chars().count();
        let message = too_much(CUSTOM_NAME_MAX_CHARS, "characters in its name", chars);
        faults.push(Fault::new(text::shown(name), message));
    }
}

/// The value of a documented field, which is not empty.
fn check(field: &Field, raw: &str, faults: &mut Vec<Fault>) {
    let name = field.name;
    let checked = match field.kind {
        Kind::Text => value::text_or_number(raw, TEXT_MAX_CHARS).map(drop),
        Kind::UserId => {
            value::text_or_number(raw, TEXT_MAX_CHARS).and_then(|id| value::without_controls(&id))
        }
        Kind::Email => email(raw),
        Kind::CountryCode => country_code(raw),
        Kind::PhoneNumber => phone(raw, 2),
        Kind::Phone => phone(raw, 4),
        Kind::Date => date(raw),
        Kind::Gender => gender(raw),
        Kind::Language => language(raw),
        Kind::Count => count(raw),
        Kind::Flag => value::flag(raw).map(drop),
        Kind::Ip => address(raw),
        Kind::Tags => return tags(name, raw, faults),
        Kind::Lists => return each(name, raw, faults, subscription),
        Kind::Channels => return each(name, raw, faults, channel),
    };
    if let Err(message) = checked {
        faults.push(Fault::new(name, message));
    }
}

fn email(raw: &str) -> Result<(), String> {
    let email = value::text(raw, EMAIL_MAX_CHARS)?;
    value::without_controls(&email)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn country_code(raw: &str) -> Result<(), String> {
    let text = value::text_or_number(raw, TEXT_MAX_CHARS)?;
    let text = text.trim();
    let bare = text
        .strip_prefix('+')
        .or_else(|| text.strip_prefix("00"))
        .unwrap_or(text);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')');
    if (1..=4).contains(&digits(bare)) && bare.chars().all(plain) {
        Ok(())
    } else {
        Err(must_be("a country code such as +34", raw))
    }
}

fn phone(raw: &str, least: usize) -> Result<(), String> {
    let text = value::text_or_number(raw, TEXT_MAX_CHARS)?;
    if (least..=20).contains(&digits(&text)) {
        Ok(())
    } else {
        Err(must_be(
            format_args!("a number of {least} to 20 digits"),
            raw,
        ))
    }
}

/// The longest date, in characters: beyond, its fractions of a second are nonsense.
const DATE_MAX_CHARS: usize = 40;

fn date(raw: &str) -> Result<(), String> {
    let text = value::text(raw, DATE_MAX_CHARS)?;
    match instants::read(text.trim()) {
        Ok(_) => Ok(()),
        Err(why) => {
            let right = "a date in ISO 8601, such as 1990-01-01T00:00:00Z";
            Err(format!("{}: {why}", must_be(right, raw)))
        }
    }
}

fn gender(raw: &str) -> Result<(), String> {
    let text = value::text(raw, TEXT_MAX_CHARS)?;
    let text = text.trim();
    if text.eq_ignore_ascii_case("male") || text.eq_ignore_ascii_case("female") {
        Ok(())
    } else {
        Err(must_be("male or female", raw))
    }
}

fn language(raw: &str) -> Result<(), String> {
    let text = value::text(raw, TEXT_MAX_CHARS)?;
    let mut parts = text.trim().split(['_', '-']);
    let letters = |part: &str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    // A region may be three digits: es-419.
    let region = |part: &str| letters(part, 2, 4) || (part.len() == 3 && digits(part) == 3);
    let first = parts.next().unwrap_or_default();
    if letters(first, 2, 3) && parts.next().is_none_or(region) && parts.next().is_none() {
        Ok(())
    } else {
        Err(must_be("a language such as EN or es_ES", raw))
    }
}

fn count(raw: &str) -> Result<(), String> {
    let text = match json::scalar(raw) {
        Scalar::Number(number) => Cow::Borrowed(number),
        Scalar::Text(text) => text,
        _ => Cow::Borrowed(""),
    };
    let text = text.trim();
    if (1..=COUNT_DIGITS).contains(&text.len()) && digits(text) == text.len() {
        Ok(())
    } else {
        Err(must_be(
            format_args!("a whole number of at most {COUNT_DIGITS} digits"),
            raw,
        ))
    }
}

fn address(raw: &str) -> Result<(), String> {
    let text = value::text(raw, TEXT_MAX_CHARS)?;
    match text.trim().parse::<IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(must_be(
            "an IP address such as 192.0.2.7 or 2001:db8::7",
            raw,
        )),
    }
}

fn at_most_200(name: &str, values: usize, faults: &mut Vec<Fault>) -> bool {
    if values > LIST_MAX {
        faults.push(Fault::new(name, too_much(LIST_MAX, "values", values)));
    }
    values <= LIST_MAX
}

fn tags(name: &str, raw: &str, faults: &mut Vec<Fault>) {
    match json::list(raw) {
        Some(list) if at_most_200(name, list.len(), faults) => {
            for (place, raw) in list.into_iter().enumerate() {
                if let Err(message) = value::text(raw, TEXT_MAX_CHARS) {
                    faults.push(Fault::new(format!("{name}.{place}"), message));
                }
            }
        }
        Some(_) => {}
        // One alone is a list of one.
        None => match json::scalar(raw) {
            Scalar::Text(_) => {
                let checked = value::text(raw, TEXT_MAX_CHARS);
                faults.extend(checked.err().map(|message| Fault::new(name, message)));
            }
            _ => faults.push(Fault::new(name, must_be("a list of texts", raw))),
        },
    }
}

/// Looks at each object of a list, or at the only one.
fn each(
    name: &str,
    raw: &str,
    faults: &mut Vec<Fault>,
    check: fn(&json::Fields) -> Result<(), (&'static str, String)>,
) {
    let mut one = |path: &str, raw: &str| match json::Fields::parse(raw) {
        Some(fields) => {
            if let Err((inside, message)) = check(&fields) {
                faults.push(Fault::new(format!("{path}.{inside}"), message));
            }
        }
        None => faults.push(Fault::new(path, must_be("an object", raw))),
    };
    match json::list(raw) {
        Some(list) if list.len() <= LIST_MAX => {
            for (place, raw) in list.into_iter().enumerate() {
                one(&format!("{name}.{place}"), raw);
            }
        }
        Some(list) => {
            at_most_200(name, list.len(), faults);
        }
        None if matches!(json::scalar(raw), Scalar::Object) => one(name, raw),
        None => faults.push(Fault::new(name, must_be("a list of objects", raw))),
    }
}

fn subscription(fields: &json::Fields) -> Result<(), (&'static str, String)> {
    let id = fields.get("list_id").filter(|raw| !value::is_empty(raw));
    let id = id.ok_or_else(|| ("list_id", "is required".to_owned()))?;
    value::text_or_number(id, TEXT_MAX_CHARS).map_err(|message| ("list_id", message))?;
    optional_flag(fields, "subscribed")
}

fn channel(fields: &json::Fields) -> Result<(), (&'static str, String)> {
    let raw = fields.get("channel").filter(|raw| !value::is_empty(raw));
    let words = || one_of(&Channel::MESSAGES.map(Channel::word));
    let raw = raw.ok_or_else(|| ("channel", format!("is required: {}", words())))?;
    let known = match json::scalar(raw) {
        Scalar::Text(word) => Channel::from_word(word.trim()).is_some(),
        _ => false,
    };
    if !known {
        return Err(("channel", must_be(words(), raw)));
    }
    optional_flag(fields, "blacklisted")
}

fn optional_flag(fields: &json::Fields, name: &'static str) -> Result<(), (&'static str, String)> {
    match fields.get(name).filter(|raw| !value::is_empty(raw)) {
        Some(raw) => value::flag(raw)
            .map(drop)
            .map_err(|message| (name, message)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
