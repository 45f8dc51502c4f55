//! The dialect of sales v4: JSON over HTTP, without the HTTP server.
//!
//! Belongs here: routes, headers, bodies, replies. Does not belong here: what becomes of a sale
//! ([`crate::loyalty::sales`]), SQL, sockets.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`auth`] | who calls |
//! | [`head`] | what is asked for beside the body |
//! | [`request`] | a body to items, and the beginning of their echoes |
//! | [`reply`] | what callers are told |
//! | [`mod@matches`] | the customers that are told where several fit |

pub mod auth;
pub mod head;
pub mod matches;
pub mod reply;
pub mod request;

use crate::config::Settings;
use crate::dates;
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, Brand};
use crate::loyalty::once::{Once, SALES};
use crate::loyalty::sales::read::Terms;
use crate::loyalty::sales::{SaleOutcome, Sales, Source};
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::secrets::ServerKey;
use crate::wire::{Answer, DAY_S, Head, INLINE_BYTES, blocking, reading};
use head::{Route, Wishes};
use matches::People;
use request::{Refused, Request};
use std::sync::Arc;

/// Answers with more matches than this are written on a thread that may take its time.
const INLINE_MATCHES: usize = 1000;

/// What requests of this dialect are served with.
pub struct Service {
    /// Accounts and their configuration.
    pub directory: Arc<Directory>,
    /// The way to the journal.
    pub poster: Arc<Poster>,
    /// What digests are made under.
    pub key: ServerKey,
    /// Whether published sample tokens are taken: on loopback only.
    pub take_samples: bool,
    /// How long the outcome of a request with an idempotency key is kept, in seconds.
    pub idempotency_kept_s: u64,
}

impl Service {
    /// A service with the limits of the settings.
    pub fn new(
        settings: &Settings,
        key: ServerKey,
        directory: Arc<Directory>,
        poster: Arc<Poster>,
    ) -> Service {
        Service {
            directory,
            poster,
            key,
            take_samples: settings.listen.ip().is_loopback(),
            idempotency_kept_s: settings.idempotency_kept_days.saturating_mul(DAY_S),
        }
    }
}

/// A brand that calls, with the right token.
#[derive(Clone)]
pub struct Caller {
    /// Its account.
    pub account: Arc<Account>,
    /// Its number.
    pub brand: i32,
    /// The digest of the token.
    pub token: [u8; 32],
}

impl Caller {
    /// The brand, as it was when the token was checked.
    fn brand(&self) -> Result<&Brand, Problem> {
        let brand = self.account.brand(self.brand);
        brand.ok_or_else(|| Problem::new(Code::BadCredentials))
    }
}

/// A call whose body is still to come.
pub struct Call {
    caller: Caller,
    wishes: Wishes,
}

/// What is to be done once the head of a request is known.
pub enum Next {
    /// Nothing more.
    Done(Answer),
    /// The body is received and posted.
    Accept(Call),
}

/// Looks at the head of a request: path, method, token, then key and parameters. `None` where the path is none of ours.
pub fn begin(service: &Service, head: &Head<'_>) -> Option<Next> {
    let done = |answer| Some(Next::Done(answer));
    if head::route(head.path)? == Route::Unknown {
        return done(reply::unknown_route());
    }
    if head.method != "POST" {
        return done(reply::other_method("POST"));
    }
    let Some(caller) = auth::check(service, head.authorization) else {
        return done(reply::unauthorised());
    };
    match head::wishes(head) {
        Ok(wishes) => Some(Next::Accept(Call { caller, wishes })),
        Err(wrong) => done(reply::error(422, &wrong)),
    }
}

/// Reads the sales of a body and posts them.
pub async fn accept(service: &Service, call: Call, bytes: Vec<u8>) -> Answer {
    match post(service, call, bytes).await {
        Ok(answer) => answer,
        Err(Refused::Body(status, why)) => reply::error(status, &why),
        Err(Refused::Problem(problem)) => reply::problem(&problem),
    }
}

async fn post(service: &Service, call: Call, bytes: Vec<u8>) -> Result<Answer, Refused> {
    let Call { caller, wishes } = call;
    let window_s = caller.account.duplicate_window_s;
    let printed = wishes.key.is_some() || window_s > 0;
    let large = bytes.len() > INLINE_BYTES;
    let reader = caller.clone();
    let read = move || {
        let terms = Terms::of(&reader.account, reader.brand()?);
        request::read(&bytes, &terms, printed)
    };
    let request = if large {
        reading(read).await??
    } else {
        read()?
    };
    let Request {
        items,
        echoes,
        alone,
        print,
    } = request;
    if items.is_empty() {
        return Ok(Answer::whole(200, "[]"));
    }
    let once = print.and_then(|print| {
        let brand = &caller.brand().ok()?.id;
        match &wishes.key {
            Some(key) => {
                let kept_s = service.idempotency_kept_s;
                Some(Once::keyed(SALES, brand, key, print, kept_s))
            }
            None if window_s > 0 => Some(Once::guarded(SALES, brand, print, window_s.into())),
            None => None,
        }
    });
    let account = &caller.account;
    let sales = Sales {
        account: account.number,
        brand: caller.brand,
        source: Source::Caller {
            token: caller.token,
        },
        items,
        today: dates::today(account.zone, chrono::Utc::now()),
        planned_for: account.config_version,
    };
    let told = if wishes.dry_run {
        service.poster.rehearse_sales(sales, once).await?
    } else {
        service.poster.post_sales(sales, once).await?
    };
    let outcomes = matches::shared(told.outcomes);
    let people = people(service, account.number, &outcomes).await;
    let large = large || matched(&outcomes).count() > INLINE_MATCHES;
    let write = move || reply::written(&echoes, &outcomes, &people, alone);
    let body = if large {
        blocking(write).await?
    } else {
        write()
    };
    Ok(Answer {
        repeated: told.repeated,
        ..Answer::whole(200, body)
    })
}

/// The customers that fit sales whose customer is not unique.
fn matched(outcomes: &[SaleOutcome]) -> impl Iterator<Item = i64> {
    let lists = outcomes.iter().filter_map(SaleOutcome::candidates);
    lists.flatten().copied()
}

/// What is told of the customers that the outcomes name. By then all is stored, so that the answer is given even where
/// they cannot be read: then it has their numbers alone.
async fn people(service: &Service, account: i32, outcomes: &[SaleOutcome]) -> People {
    let mut numbers: Vec<i64> = matched(outcomes).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return People::default();
    }
    match service.poster.people(account, numbers).await {
        Ok(people) => People::of(people),
        Err(_) => {
            tracing::error!(
                "the customers that a sale may be of cannot be read: only their numbers are told"
            );
            People::default()
        }
    }
}
