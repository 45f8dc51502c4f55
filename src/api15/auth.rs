//! Who calls: the fields that every request carries, and the check of the secret.
//!
//! Belongs here: finding the secret in its three places and comparing it, and where a request comes from. Does not belong here: what a user may do
//! ([`crate::loyalty::rights`]).

use super::params::Params;
use super::{Service, blocking};
use crate::dates;
use crate::error::{Code, Problem};
use crate::hooks::address::Allow;
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::config::ConfigCommand;
use crate::loyalty::config::login::{self, TouchKey};
use crate::loyalty::rights::Need;
use crate::secrets;
use crate::secrets::throttle::{Tried, Who};
use chrono::Utc;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The fields that every request must carry.
pub struct Named<'a> {
    /// `user_id`
    pub user_id: &'a str,
    /// The header `api_access_key`, else `user_api_key`, else `user_password`: one secret under three names.
    pub secret: &'a str,
    /// `account_id`
    pub account_id: &'a str,
    /// `type`
    pub call: &'a str,
}

/// A caller whose secret was right.
pub struct Identity {
    /// The account.
    pub account: Arc<Account>,
    /// The user, in the form in which posting checks it again.
    pub caller: Caller,
}

/// Finds the fields that every request must carry; the first that is missing, in the order of the published document,
/// is the problem. Ids are compared as they were sent. A header with a secret, even an empty one, is the only one looked at.
pub fn require<'a>(params: &'a Params, header_key: Option<&'a str>) -> Result<Named<'a>, Problem> {
    let field = |name: &str| {
        let sent = params.get(name).filter(|sent| !sent.trim().is_empty());
        sent.ok_or_else(|| Problem::new(Code::MissingField).field(name))
    };
    let user_id = field("user_id")?;
    let secret = match header_key {
        Some(header) => header.trim(),
        None => match params.text("user_api_key") {
            Some(secret) => secret,
            None => params
                .text("user_password")
                .ok_or_else(|| Problem::new(Code::MissingField).field("user_api_key"))?,
        },
    };
    Ok(Named {
        user_id,
        secret,
        account_id: field("account_id")?,
        call: field("type")?.trim(),
    })
}

/// Checks the secret, and then whether the user may do what the call needs. A wrong user, account or secret give one and
/// the same problem, after the same work: the digest is made in any case, and an unknown user is compared like a known
/// one. Whoever is wrong too often is told so; a right secret is right also then, because others may share its address.
pub async fn authenticate(
    service: &Service,
    named: &Named<'_>,
    need: Need,
    address: Option<IpAddr>,
) -> Result<Identity, Problem> {
    let digest = service.key.digest(named.secret.as_bytes());
    // `serve` has looked for samples at its start; this holds for those that came later.
    let sample = !service.take_samples && secrets::is_sample(named.secret.as_bytes());
    let account = service.directory.by_id(named.account_id);
    let Some(account) = account.filter(|_| !sample) else {
        return Err(wrong(service, named, address));
    };
    let account = match has_key(&account, named, &digest) {
        true => account,
        // It may have been given by another gateway just now.
        false => match reloaded(service, account.number).await {
            Some(account) if has_key(&account, named, &digest) => account,
            _ => return Err(wrong(service, named, address)),
        },
    };
    let caller = Caller {
        account: account.number,
        user_id: named.user_id.to_owned(),
        key: digest,
        need,
    };
    caller.permitted(&account)?;
    note_use(service, &account, &caller);
    Ok(Identity { account, caller })
}

/// Whether the user has the key, and it is not one that has lain unused for too long.
fn has_key(account: &Account, named: &Named<'_>, digest: &[u8; 32]) -> bool {
    let key = match account.user(named.user_id) {
        Some(user) => user.key(digest),
        None => {
            let _same_work = secrets::same(&[0; 32], digest);
            None
        }
    };
    key.is_some_and(|key| !login::is_expired(key, dates::micros(Utc::now())))
}

/// The refusal of a wrong key, which is counted.
fn wrong(service: &Service, named: &Named<'_>, address: Option<IpAddr>) -> Problem {
    let who = who(service, Tried::Key, named.user_id, address);
    let now = Instant::now();
    if !service.throttle.allows(&who, now) {
        return Problem::new(Code::TooManyBadKeys);
    }
    service.throttle.failed(&who, now);
    Problem::new(Code::BadCredentials)
}

/// By what failures are counted. Names are what clients send, of any length, so their digests are kept.
pub fn who(service: &Service, tried: Tried, person: &str, address: Option<IpAddr>) -> Who {
    Who {
        tried,
        person: service.key.digest(person.as_bytes()),
        address,
    }
}

/// Where a request comes from: what the last proxy that is trusted says, if the connection comes from one. `forwarded`:
/// lists with commas, to which each proxy has added behind what was there.
pub fn address(peer: Option<IpAddr>, forwarded: &[&str], trusted: &Allow) -> Option<IpAddr> {
    // A socket for both families tells addresses of the older one as such of the newer.
    let mut known = peer?.to_canonical();
    let mut hops = forwarded.iter().rev().flat_map(|list| list.rsplit(','));
    while trusted.contains(known) {
        // What stands before something unreadable was not written by one that is trusted.
        let Some(address) = hops.next().and_then(|hop| hop_address(hop.trim())) else {
            break;
        };
        known = address;
    }
    Some(known)
}

/// The address that a proxy has written; some write the port too.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let alone = hop.parse::<IpAddr>().ok();
    let found = alone.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    found.map(|address| address.to_canonical())
}

/// What is remembered of keys.
#[derive(Default)]
pub struct Seen {
    /// When accounts were loaded anew because of a key that was not known.
    reloaded: Mutex<HashMap<i32, Instant>>,
    /// Keys whose use is being noted.
    noting: Arc<Mutex<HashSet<[u8; 32]>>>,
}

/// Accounts are loaded anew because of unknown keys at most this often each.
const RELOAD_EVERY: Duration = Duration::from_millis(100);

/// The account, loaded anew; `None` where that was done just now, or cannot be done.
async fn reloaded(service: &Service, number: i32) -> Option<Arc<Account>> {
    {
        let mut reloaded = lock(&service.seen.reloaded);
        let now = Instant::now();
        let last = reloaded.get(&number);
        if last.is_some_and(|last| now.saturating_duration_since(*last) < RELOAD_EVERY) {
            return None;
        }
        reloaded.insert(number, now);
    }
    let directory = Arc::clone(&service.directory);
    let loaded = blocking(move || directory.reload(number)).await.ok()?;
    if let Err(cause) = loaded {
        tracing::warn!("an account was not read again: {cause}");
        return None;
    }
    service.directory.by_number(number)
}

/// Notes once a day that a key is used which a login has given: those that are not used end.
fn note_use(service: &Service, account: &Account, caller: &Caller) {
    let key = account
        .user(&caller.user_id)
        .and_then(|user| user.key(&caller.key));
    let now_us = dates::micros(Utc::now());
    if !key.is_some_and(|key| login::is_due(key, now_us)) {
        return;
    }
    let (digest, noting) = (caller.key, Arc::clone(&service.seen.noting));
    if !lock(&noting).insert(digest) {
        return;
    }
    let touch = ConfigCommand::Touch(TouchKey {
        account: account.number,
        user_id: caller.user_id.clone(),
        digest,
        now_us,
    });
    let poster = Arc::clone(&service.poster);
    // Nobody waits for it.
    tokio::spawn(async move {
        if let Err(problem) = poster.configure(touch, None).await {
            tracing::warn!("the use of a key was not noted: {}", problem.text());
        }
        lock(&noting).remove(&digest);
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_that_are_trusted_say_where_a_request_comes_from() {
        let trusted: Allow = "10.0.0.0/8, 192.0.2.1/32".parse().unwrap();
        for (peer, forwarded, is) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["6.6.6.6,198.51.100.1, 192.0.2.1"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["198.51.100.1", "192.0.2.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("::ffff:203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["10.0.0.7"], "10.0.0.7"),
            ("10.0.0.1", &["198.51.100.1, x"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1", ""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let found = address(Some(peer.parse().unwrap()), forwarded, &trusted);
            assert_eq!(found, Some(is.parse().unwrap()), "{peer} {forwarded:?}");
        }
        assert_eq!(address(None, &["1.2.3.4"], &trusted), None);
    }
}
