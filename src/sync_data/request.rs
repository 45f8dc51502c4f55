//! From a JSON text to a job that is to be stored.
//!
//! Belongs here: what refuses a request as a whole. Contacts are only counted and put into parts: what is wrong with one
//! of them makes that one fail later, and nothing else.

use super::purchase;
use crate::hooks::address::Allow;
use crate::hooks::target::Target;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::fields::{self, CUSTOM_NAME_MAX_CHARS, TEXT_MAX_CHARS};
use crate::loyalty::contacts::sent::{FAULTS_MAX, Fault};
use crate::loyalty::contacts::value::{self, must_be, too_much};
use crate::loyalty::once::Once;
use crate::loyalty::purchases::merge;
use crate::loyalty::sync::job::{NewJob, NewPurchase, Options, PART_BYTES, PART_CONTACTS, Part};
use crate::text;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashSet;

/// The most contacts of a request.
pub const CONTACTS_MAX: usize = 1000;

/// The most fields that may be asked for, each of contacts and of the purchase.
const ASKED_MAX: usize = 100;

/// The field with the webhook's URL.
pub const URL: &str = "options.webhook.url";

/// The header with the caller's key, as faults name it.
pub const KEY: &str = "Idempotency-Key";

/// The members that a request means something by, sorted by name: in these a repeated request must be equal.
const MEANING: [&str; 4] = ["contacts", "options", "origin", "purchase"];

/// A request that can be stored.
#[derive(Debug)]
pub struct Request {
    /// What is to be stored; account, time and random bytes are not known here.
    pub job: NewJob,
    /// Where the webhook goes. A name is not resolved yet.
    pub target: Option<Target>,
    /// What its caller calls it.
    pub key: Option<String>,
    /// A digest of what it means, where that was asked for.
    pub print: Option<[u8; 32]>,
}

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is no object.
    NoObject,
    /// Everything that is wrong with it.
    Faults(Vec<Fault>),
}

/// Members of an object; an absent one is `None`, and so is `null`.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, raw)| *raw).filter(|raw| *raw != "null")
    }

    /// The members of a member that is an object; none where it is absent or wrong.
    fn inside(&self, name: &str, path: &str, faults: &mut Vec<Fault>) -> Members<'a> {
        let Some(raw) = self.get(name) else {
            return Members(Vec::new());
        };
        let members = json::object(raw);
        if members.is_none() {
            faults.push(Fault::new(path, must_be("an object", raw)));
        }
        Members(members.unwrap_or_default())
    }
}

/// Reads a request from a JSON text that was checked. `key` is the header `Idempotency-Key`; `printed` says whether the
/// digest of what it means is wanted.
///
/// # Errors
/// [`Refused`]: nothing is to be stored.
pub fn read(
    text: &str,
    key: Option<&[u8]>,
    printed: bool,
    allow: &Allow,
) -> Result<Request, Refused> {
    let root = Members(json::object(text).ok_or(Refused::NoObject)?);
    let faults = &mut Vec::new();
    let origin = origin(root.get("origin"), faults);
    let (options, url) = options(&root, faults);
    let target = url
        .as_deref()
        .and_then(|url| match Target::read(url, allow) {
            Ok(target) => Some(target),
            Err(message) => {
                faults.push(Fault::new(URL, message));
                None
            }
        });
    let contacts = contacts(root.get("contacts"), faults);
    let purchase = root.get("purchase");
    let asked = asked_custom(&options);
    let custom = carried(&asked, &contacts, purchase);
    let purchase = purchase.and_then(|raw| read_purchase(raw, contacts.is_empty(), faults));
    if contacts.is_empty() && root.get("purchase").is_none() && !names(faults, "contacts") {
        faults.push(Fault::new(
            "contacts",
            "is required, unless there is a purchase",
        ));
    }
    let key = key.map(|key| String::from_utf8_lossy(key).into_owned());
    if key.as_ref().is_some_and(|key| !Once::is_key(key)) {
        let found = key.as_deref().unwrap_or_default();
        let message = format!(
            "must be 1 to 255 printable characters of ASCII, not \"{}\" with {}",
            text::shown(found),
            found.chars().count()
        );
        faults.push(Fault::new(KEY, message));
    }
    if !faults.is_empty() {
        faults.truncate(FAULTS_MAX);
        return Err(Refused::Faults(std::mem::take(faults)));
    }
    let job = NewJob {
        account: 0,
        sealed: Vec::new(),
        now_s: 0,
        random: [0; 3],
        origin,
        options,
        contacts: i32::try_from(contacts.len()).unwrap_or(i32::MAX),
        parts: parts(&contacts),
        purchase,
        url,
        custom,
        found: None,
    };
    Ok(Request {
        job,
        target,
        key,
        print: printed.then(|| print(&root)),
    })
}

fn names(faults: &[Fault], field: &str) -> bool {
    faults.iter().any(|fault| fault.field == field)
}

fn origin(raw: Option<&str>, faults: &mut Vec<Fault>) -> String {
    let read = match raw {
        None => Err("is required: a text that says where this is from".to_owned()),
        Some(raw) => value::text(raw, TEXT_MAX_CHARS),
    };
    let read = read.and_then(|origin| match origin.trim() {
        "" => Err("must not be empty: say where this is from".to_owned()),
        _ => Ok(origin.into_owned()),
    });
    read.unwrap_or_else(|message| {
        faults.push(Fault::new("origin", message));
        String::new()
    })
}

fn options(root: &Members<'_>, faults: &mut Vec<Fault>) -> (Options, Option<String>) {
    let all = root.inside("options", "options", faults);
    let mail = all.inside("email_validation", "options.email_validation", faults);
    let hook = all.inside("webhook", "options.webhook", faults);
    let mut flag = |name: &str, absent: bool| {
        let given = mail.get(name).filter(|raw| !value::is_empty(raw));
        given.map_or(absent, |raw| {
            value::flag(raw).unwrap_or_else(|message| {
                let path = format!("options.email_validation.{name}");
                faults.push(Fault::new(path, message));
                absent
            })
        })
    };
    let validate = flag("validate", false);
    let create_if_invalid = flag("create_if_invalid", false);
    let create_if_no_credit = flag("create_if_no_credit", true);
    let url = hook.get("url").filter(|raw| !value::is_empty(raw));
    let url = url.and_then(|raw| match value::text(raw, usize::MAX) {
        Ok(url) => Some(url.into_owned()),
        Err(message) => {
            faults.push(Fault::new(URL, message));
            None
        }
    });
    let mut list = |name: &str| {
        let path = format!("options.webhook.{name}");
        hook.get(name)
            .map_or_else(Vec::new, |raw| asked(raw, &path, faults))
    };
    let options = Options {
        validate,
        create_if_invalid,
        create_if_no_credit,
        contact_fields: list("contacts_extra_fields"),
        purchase_fields: list("purchase_extra_fields"),
        ignored: Vec::new(),
    };
    (options, url)
}

/// Names of fields that are asked for; one alone is a list of one.
fn asked(raw: &str, path: &str, faults: &mut Vec<Fault>) -> Vec<String> {
    let list = match json::list(raw) {
        Some(list) => list,
        None if matches!(json::scalar(raw), Scalar::Text(_)) && value::is_empty(raw) => Vec::new(),
        None if matches!(json::scalar(raw), Scalar::Text(_)) => vec![raw],
        None => {
            faults.push(Fault::new(path, must_be("a list of texts", raw)));
            Vec::new()
        }
    };
    if list.len() > ASKED_MAX {
        faults.push(Fault::new(path, too_much(ASKED_MAX, "names", list.len())));
        return Vec::new();
    }
    let mut names = Vec::with_capacity(list.len());
    for (place, raw) in list.into_iter().enumerate() {
        let name = value::text(raw, CUSTOM_NAME_MAX_CHARS).and_then(|name| match &*name {
            "" => Err("must be the name of a field, not \"\"".to_owned()),
            _ => Ok(name),
        });
        match name {
            Ok(name) => names.push(name.into_owned()),
            Err(message) => faults.push(Fault::new(format!("{path}.{place}"), message)),
        }
    }
    names
}

/// The JSON of each contact. One alone is a list of one.
fn contacts<'a>(raw: Option<&'a str>, faults: &mut Vec<Fault>) -> Vec<&'a str> {
    let Some(raw) = raw else { return Vec::new() };
    let refuse = |faults: &mut Vec<Fault>, message: String| {
        faults.push(Fault::new("contacts", message));
        Vec::new()
    };
    match json::list(raw) {
        Some(list) if list.len() > CONTACTS_MAX => refuse(
            faults,
            format!(
                "{}; send them in several requests",
                too_much(CONTACTS_MAX, "contacts", list.len())
            ),
        ),
        Some(list) => list,
        None if matches!(json::scalar(raw), Scalar::Object) => vec![raw],
        None => refuse(faults, must_be("a list of contacts", raw)),
    }
}

/// A purchase beside contacts is stored as it is: what is wrong with it makes it fail later. One that comes alone is
/// all there is, so its caller learns at once.
fn read_purchase(raw: &str, alone: bool, faults: &mut Vec<Fault>) -> Option<NewPurchase> {
    if !matches!(json::scalar(raw), Scalar::Object) {
        faults.push(Fault::new("purchase", must_be("an object", raw)));
        return None;
    }
    if alone && let Err(wrong) = purchase::read(raw) {
        faults.extend(purchase::in_request(wrong));
    }
    Some(NewPurchase {
        raw: raw.to_owned(),
        code: purchase::code(raw),
        alone,
    })
}

/// Names that are asked for and not documented.
fn asked_custom(options: &Options) -> HashSet<&str> {
    let contact = options.contact_fields.iter().map(String::as_str);
    let contact = contact.filter(|name| !fields::is_documented(name));
    let purchase = options.purchase_fields.iter().map(String::as_str);
    let purchase = purchase.filter(|name| !merge::is_documented(name));
    contact.chain(purchase).collect()
}

/// Those of the names that a contact or the purchase has. Nobody looks where no name is asked for.
fn carried(asked: &HashSet<&str>, contacts: &[&str], purchase: Option<&str>) -> HashSet<String> {
    let mut found = HashSet::new();
    for raw in contacts.iter().copied().chain(purchase) {
        if found.len() == asked.len() {
            break;
        }
        for (name, _) in json::object(raw).unwrap_or_default() {
            if asked.contains(&*name) {
                found.insert(name.into_owned());
            }
        }
    }
    found
}

/// Contacts in lists that are stored one by one.
fn parts(contacts: &[&str]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut open: Option<(Part, usize)> = None;
    for (place, raw) in contacts.iter().enumerate() {
        let full = |(part, count): &(Part, usize)| {
            let bytes = part.contacts.len().saturating_add(raw.len());
            *count >= PART_CONTACTS || bytes.saturating_add(2) > PART_BYTES
        };
        if let Some((part, _)) = open.take_if(|open| full(open)) {
            parts.push(closed(part));
        }
        let (part, count) = open.get_or_insert_with(|| {
            let part = Part {
                first: i32::try_from(place).unwrap_or(i32::MAX),
                contacts: String::from("["),
            };
            (part, 0)
        });
        if *count > 0 {
            part.contacts.push(',');
        }
        part.contacts.push_str(raw);
        *count = count.saturating_add(1);
    }
    parts.extend(open.map(|(part, _)| closed(part)));
    parts
}

fn closed(mut part: Part) -> Part {
    part.contacts.push(']');
    part
}

/// A digest of what a request means: equal however its members are ordered and its texts are escaped.
fn print(root: &Members<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for name in MEANING {
        if let Some(raw) = root.get(name) {
            hash.update(name);
            json::canonical(raw, &mut |bytes| hash.update(bytes));
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
