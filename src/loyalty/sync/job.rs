//! A request that is to be stored as a job.

use super::id::JobId;
use super::rows::{JobRow, SyncRows};
use crate::error::{Code, Problem};
use crate::loyalty::contacts::fields;
use crate::loyalty::ledger::{Ledger, Numbers};
use crate::loyalty::purchases::merge;
use crate::loyalty::rows::Decided;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The most contacts of a part.
pub const PART_CONTACTS: usize = 500;
/// The most bytes of a part that has more than one contact.
pub const PART_BYTES: usize = 512 * 1024;

/// What a request asks for beside its contacts and its purchase.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Whether e-mail addresses are validated.
    pub validate: bool,
    /// Whether a contact with an invalid address is taken all the same.
    pub create_if_invalid: bool,
    /// Whether a contact is taken unvalidated when no credit is left.
    pub create_if_no_credit: bool,
    /// Fields of contacts that the webhook is to tell, as asked.
    pub contact_fields: Vec<String>,
    /// Fields of the purchase that the webhook is to tell, as asked.
    pub purchase_fields: Vec<String>,
    /// Asked names that are no field: the webhook does not tell them.
    pub ignored: Vec<String>,
}

impl Options {
    /// As they are stored.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As they were stored.
    pub fn from_json(text: &str) -> Option<Options> {
        serde_json::from_str(text).ok()
    }
}

/// Contacts that are stored together: at most [`PART_CONTACTS`] of them and [`PART_BYTES`] bytes, but at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The place of its first contact in the request, from 0.
    pub first: i32,
    /// A JSON list.
    pub contacts: String,
}

/// The purchase of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPurchase {
    /// As it was sent.
    pub raw: String,
    /// Its transaction code, if that can be read.
    pub code: Option<String>,
    /// Whether the request has no contacts: then the code must be known.
    pub alone: bool,
}

/// A request that is to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewJob {
    /// The account's number.
    pub account: i32,
    /// The account's sealed secret under which the caller was let in.
    pub sealed: Vec<u8>,
    /// When it came, in seconds since 1970.
    pub now_s: i64,
    /// For its id.
    pub random: [u8; 3],
    /// Where the contacts are from, as the caller says.
    pub origin: String,
    /// What is asked for.
    pub options: Options,
    /// How many contacts it has.
    pub contacts: i32,
    /// Its contacts.
    pub parts: Vec<Part>,
    /// Its purchase.
    pub purchase: Option<NewPurchase>,
    /// Where the webhook goes.
    pub url: Option<String>,
    /// Names of custom fields that its contacts or its purchase carry.
    pub custom: HashSet<String>,
    /// What was looked up; `None` before it is, and where nothing has to be known.
    pub found: Option<Known>,
}

/// What has to be known before some requests are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Whether the purchase's transaction code is stored, or stands in an open job.
    pub code_known: bool,
    /// Names of custom fields that were seen before, with their kinds: 1 of contacts, 2 of purchases.
    pub names: HashSet<(i16, String)>,
    /// The database's time, in microseconds since 1970.
    pub now_us: i64,
}

/// A request that was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The job.
    pub job: JobHead,
    /// Whether it was stored before, by an equal request.
    pub repeated: bool,
}

/// What a job is known by, from its acceptance on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobHead {
    /// Its number in the account.
    pub number: i64,
    /// Its id.
    pub id: JobId,
    /// Where the contacts are from.
    pub origin: String,
    /// How many contacts it has.
    pub contacts: i32,
    /// How many purchases it has: 0 or 1.
    pub purchases: i16,
    /// What is asked for.
    pub options: Options,
    /// Where the webhook goes.
    pub url: Option<String>,
    /// When it was stored, in microseconds since 1970.
    pub created_at: i64,
}

impl NewJob {
    /// Whether something has to be looked up before it can be decided.
    pub fn lacks_knowledge(&self) -> bool {
        self.needs_code().is_some() || self.unsure_names().next().is_some()
    }

    /// The transaction code that has to be known already.
    pub fn needs_code(&self) -> Option<&str> {
        let purchase = self.purchase.as_ref().filter(|purchase| purchase.alone)?;
        Some(purchase.code.as_deref().unwrap_or(""))
    }

    /// Asked names that are neither documented nor carried by this request, with their kinds: they are fields if an
    /// earlier request has carried them.
    pub fn unsure_names(&self) -> impl Iterator<Item = (i16, &str)> {
        let contact = self.options.contact_fields.iter().map(|name| (1, name));
        let purchase = self.options.purchase_fields.iter().map(|name| (2, name));
        let asked = contact.chain(purchase);
        asked
            .filter(|(kind, name)| !is_documented(*kind, name) && !self.custom.contains(*name))
            .map(|(kind, name)| (kind, name.as_str()))
    }
}

fn is_documented(kind: i16, name: &str) -> bool {
    match kind {
        1 => fields::is_documented(name),
        _ => merge::is_documented(name),
    }
}

/// Decides whether a request is stored.
pub fn accept<'a>(job: &'a NewJob, ledger: &Ledger) -> Result<Decided<'a, Accepted>, Problem> {
    let known = job.found.as_ref();
    if let Some(code) = job.needs_code()
        && !known.is_some_and(|known| known.code_known)
    {
        return Err(Problem::new(Code::UnknownTransaction)
            .field("purchase.transaction_code")
            .value(code));
    }
    let mut options = job.options.clone();
    let ignored = job.unsure_names().filter(|(kind, name)| {
        !known.is_some_and(|known| known.names.contains(&(*kind, (*name).to_owned())))
    });
    options.ignored = Vec::new();
    for (_, name) in ignored {
        if !options.ignored.iter().any(|known| known == name) {
            options.ignored.push(name.to_owned());
        }
    }
    let mut overlay = ledger.overlay();
    let number = Numbers::take(&mut overlay.numbers.sync.job);
    let head = JobHead {
        number,
        id: JobId::new(job.now_s, job.random, number),
        origin: job.origin.clone(),
        contacts: job.contacts,
        purchases: i16::from(job.purchase.is_some()),
        options,
        url: job.url.clone(),
        created_at: job.now_s.saturating_mul(1_000_000),
    };
    let rows = SyncRows {
        job: Some(JobRow {
            head: head.clone(),
            request: job,
        }),
        ..SyncRows::default()
    };
    Ok(Decided {
        outcome: Accepted {
            job: head,
            repeated: false,
        },
        stored: Some((rows.into(), overlay.into_changes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_back() {
        let options = Options {
            validate: true,
            contact_fields: vec!["name_first".to_owned()],
            ..Options::default()
        };
        assert_eq!(Options::from_json(&options.json()), Some(options));
        assert_eq!(Options::from_json("{}"), None);
    }
}
