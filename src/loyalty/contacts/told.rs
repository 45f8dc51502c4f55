//! What is told of a contact afterwards: its fields as they were sent.

use super::fields::{self, DEFAULT_TOLD, ID};
use super::merge;
use super::person::Person;
use super::sent::{CONTACT_MAX_BYTES, Sent};
use crate::json::{self, Fields};
use crate::loyalty::sync::job::Options;

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

/// What a webhook tells of a contact that has failed: all of it as it was sent, or by what it is known if it is too long.
pub fn failed(sent: &Sent) -> String {
    if sent.raw.len() <= CONTACT_MAX_BYTES {
        return sent.raw.clone().into();
    }
    let mut out = Row::default();
    for (name, key) in [("user_id", &sent.keys.user_id), ("email", &sent.keys.email)] {
        if let Some(key) = key {
            out.text(name, key);
        }
    }
    out.finish()
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
