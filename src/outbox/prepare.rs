//! What has to be found out before items are worked off: what the contacts say, and whether their e-mail addresses take
//! mail.

use crate::loyalty::contacts::sent::{Fault, Mail, PersonKeys, Sent, Verdict};
use crate::loyalty::contacts::told;
use crate::loyalty::purchases::PurchaseSent;
use crate::loyalty::sync::work::Item;
use crate::mailcheck::dns::Checker;
use crate::mailcheck::{self, syntax};
use crate::secrets::SecretError;
use crate::sync_data::{contact, purchase};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Contacts of more bytes than this are read on a thread that may take its time.
const READ_AT_ONCE_BYTES: usize = 256 * 1024;
/// Random bytes for each item: 8 for its customer's code, 12 for its contact's id.
const RANDOM_BYTES: usize = 20;
/// Codes have sixteen digits and do not begin with a zero, which spreadsheets would eat.
const LOWEST_CODE: u64 = 1_000_000_000_000_000;
/// What is told of something over which a defect was met.
const UNREADABLE: &str = "could not be read, because of a defect of this server";

/// Reads contacts. `None` if no thread could be had for it.
pub(super) async fn read(raws: Vec<Box<str>>, country: Option<String>) -> Option<Vec<Sent>> {
    let bytes: usize = raws.iter().map(|raw| raw.len()).sum();
    let read = move || {
        let read = raws.into_iter().map(|raw| one(raw, country.as_deref()));
        read.collect::<Vec<Sent>>()
    };
    if bytes <= READ_AT_ONCE_BYTES {
        return Some(read());
    }
    tokio::task::spawn_blocking(read).await.ok()
}

/// Reads a contact. A defect that is met is its fault, so that those beside it are not held up.
fn one(raw: Box<str>, country: Option<&str>) -> Sent {
    let read = catch_unwind(AssertUnwindSafe(|| contact::read(&raw, country)));
    read.unwrap_or_else(|_| Sent {
        print: Sha256::digest(raw.as_bytes()).into(),
        raw: told::kept(&raw).into(),
        fields: Vec::new(),
        faults: vec![Fault::new("contact", UNREADABLE)],
        keys: PersonKeys::default(),
    })
}

/// Reads the purchase.
pub(super) fn purchase(raw: &str) -> Result<PurchaseSent, Vec<Fault>> {
    let read = catch_unwind(|| purchase::read(raw));
    read.unwrap_or_else(|_| Err(vec![Fault::new("purchase", UNREADABLE)]))
}

/// Items of contacts, with a code and an id for each that turns out to be new.
///
/// # Errors
/// The operating system gives no random bytes.
pub(super) fn items(sent: Vec<Sent>, mails: Vec<Mail>) -> Result<Vec<Item>, SecretError> {
    let mut random = vec![0; sent.len().saturating_mul(RANDOM_BYTES)];
    getrandom::fill(&mut random).map_err(|_| SecretError::NoRandom)?;
    let (random, _) = random.as_chunks::<RANDOM_BYTES>();
    let items = sent.into_iter().zip(mails).zip(random);
    Ok(items
        .map(|((sent, mail), random)| {
            let [a, b, c, d, e, f, g, h, id @ ..] = *random;
            let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            let code = LOWEST_CODE + number % (LOWEST_CODE * 9);
            Item {
                sent,
                mail,
                new_code: code.to_string(),
                new_id: hex::encode(id),
            }
        })
        .collect())
}

/// What is known of an address before anybody is asked, and its domain if somebody has to be.
fn first_look(sent: &Sent) -> (Mail, Option<String>) {
    let Some(email) = &sent.keys.email else {
        return (Mail::None, None);
    };
    if !sent.faults.is_empty() {
        // It fails whatever its address is.
        return (Mail::NotAsked, None);
    }
    match syntax::domain(email) {
        Some(domain) => (Mail::NotAsked, Some(domain)),
        None => (Mail::BadSyntax, None),
    }
}

/// Finds out about the e-mail addresses of contacts, in their order. `credits` are those that are left, `None` is
/// without limit: as many addresses are looked at as they pay for. The others stay [`Mail::NotAsked`].
pub(super) async fn mails(
    checker: &Arc<Checker>,
    sent: &[Sent],
    credits: Option<i64>,
) -> Vec<Mail> {
    let mut left = credits.map_or(usize::MAX, |credits| usize::try_from(credits).unwrap_or(0));
    let (mut mails, mut domains) = (
        Vec::with_capacity(sent.len()),
        Vec::with_capacity(sent.len()),
    );
    for contact in sent {
        let (mail, domain) = first_look(contact);
        let domain = domain.filter(|_| left > 0);
        left = left.saturating_sub(usize::from(domain.is_some()));
        mails.push(mail);
        domains.push(domain);
    }
    let verdicts = verdicts(checker, &domains).await;
    for (mail, domain) in mails.iter_mut().zip(&domains) {
        if let Some(verdict) = domain.as_ref().and_then(|domain| verdicts.get(domain)) {
            *mail = Mail::Verdict(*verdict);
        }
    }
    mails
}

/// Asks for each domain once, for many at a time.
async fn verdicts(checker: &Arc<Checker>, domains: &[Option<String>]) -> HashMap<String, Verdict> {
    let mut found: HashMap<String, Verdict> = HashMap::new();
    let mut asked = JoinSet::new();
    for domain in domains.iter().flatten() {
        if found.insert(domain.clone(), Verdict::Unknown).is_none() {
            let (checker, domain) = (Arc::clone(checker), domain.clone());
            asked.spawn(async move {
                let verdict = checker.verdict(&domain).await;
                (domain, verdict)
            });
        }
    }
    while let Some(answer) = asked.join_next().await {
        if let Ok((domain, verdict)) = answer {
            found.insert(domain, as_told(verdict));
        }
    }
    found
}

fn as_told(verdict: mailcheck::Verdict) -> Verdict {
    match verdict {
        mailcheck::Verdict::Valid => Verdict::Valid,
        mailcheck::Verdict::Invalid => Verdict::Invalid,
        mailcheck::Verdict::Unknown => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests;
