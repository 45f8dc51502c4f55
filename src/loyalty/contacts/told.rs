//! What is told of a contact afterwards: its fields as they were sent.

use super::fields::{self, DEFAULT_TOLD, ID};
use super::merge;
use super::person::Person;
use super::sent::CONTACT_MAX_BYTES;
use crate::json::{self, Fields, Scalar};
use crate::loyalty::sync::job::Options;
use std::borrow::Cow;

/// The longest value of a key that is kept of a contact that is too long itself, in bytes of its JSON.
const KEPT_KEY_BYTES: usize = 1024;

/// Every field of a person as it is now, the contact's id first.
pub fn view(person: &Person) -> Fields {
    let mut all = Fields::default();
    if let Some(contact) = &person.contact {
        all.set(ID, &json::quoted(&contact.id));
    }
    for (name, value) in merge::current(person).iter() {
        all.set(name, value);
    }
    all
}

/// What a webhook tells of a contact that was taken: the fields that are always told, then those that were asked for, in
/// the order in which they were; each once, null where it is not set.
pub fn taken(person: &Person, options: &Options) -> String {
    let Some(contact) = &person.contact else {
        return "{}".to_owned();
    };
    let profile = &contact.profile;
    let mut out = Row::default();
    for name in DEFAULT_TOLD {
        match name {
            ID => out.text(ID, &contact.id),
            _ => out.value(name, profile.get(name)),
        }
    }
    for (at, name) in options.contact_fields.iter().enumerate() {
        let name = name.as_str();
        let earlier = options.contact_fields.iter().take(at);
        if DEFAULT_TOLD.contains(&name) || earlier.into_iter().any(|earlier| earlier == name) {
            continue;
        }
        let value = profile.get(name);
        let known = value.is_some() || fields::field(name).is_some();
        if known || options.ignored.iter().all(|ignored| ignored != name) {
            out.value(name, value);
        }
    }
    out.finish()
}

/// What is kept of a contact as it was sent, to be told if it fails: all of it. Of one that is too long only its keys are
/// kept, so that its client knows which one it is.
pub fn kept(raw: &str) -> Cow<'_, str> {
    if raw.len() <= CONTACT_MAX_BYTES {
        return Cow::Borrowed(raw);
    }
    let mut kept = Fields::default();
    for (name, value) in json::object(raw).unwrap_or_default() {
        let plain = !matches!(json::scalar(value), Scalar::List | Scalar::Object);
        if value.len() <= KEPT_KEY_BYTES && plain && (name == "user_id" || name == "email") {
            kept.set(&name, value);
        }
    }
    Cow::Owned(kept.json())
}

/// An object that is written member by member.
#[derive(Default)]
pub(in crate::loyalty) struct Row(String);

impl Row {
    /// A member in JSON; null without a value.
    pub(in crate::loyalty) fn value(&mut self, name: &str, value: Option<&str>) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        json::quote(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(value.unwrap_or("null"));
    }

    /// A member that is a text.
    pub(in crate::loyalty) fn text(&mut self, name: &str, text: &str) {
        self.value(name, Some(&json::quoted(text)));
    }

    /// The whole object.
    pub(in crate::loyalty) fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}
