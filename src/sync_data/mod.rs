//! The dialect of `sync_data`: JSON over HTTP, without the HTTP server.
//!
//! Belongs here: routes, headers, bodies, replies, and the body of the webhook. Does not belong here: what becomes of a
//! contact or a purchase ([`crate::loyalty`]), SQL, sockets.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`route`] | paths |
//! | [`auth`] | who calls |
//! | [`body`], [`form`] | bytes to one JSON text |
//! | [`request`] | that text to a job that is to be stored |
//! | [`contact`], [`purchase`] | the fields of a contact and of a purchase, checked |
//! | [`reply`], [`results`] | what callers are told |
//! | [`hook`] | what a webhook tells |

pub mod auth;
pub mod body;
pub mod contact;
pub mod form;
pub mod hook;
pub mod purchase;
pub mod reply;
pub mod request;
pub mod results;
pub mod route;

use crate::config::Settings;
use crate::error::{Code, Problem};
use crate::hooks::address::Allow;
use crate::hooks::names::{self, Names};
use crate::hooks::target::Target;
use crate::loyalty::account::Account;
use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::once::{Once, SYNC};
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::NewJob;
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::secrets::{self, ServerKey};
use crate::wire::{Answer, DAY_S, Head, INLINE_BYTES, blocking, reading};
use body::BadBody;
use request::Request;
use route::Route;
use std::borrow::Cow;
use std::sync::Arc;

/// The description of all routes of the JSON dialects for machines: OpenAPI 3.0.3.
pub const OPENAPI: &str = include_str!("../../templates/openapi.json");

/// What requests of this dialect are served with.
pub struct Service {
    /// Accounts and their configuration.
    pub directory: Arc<Directory>,
    /// The way to the journal.
    pub poster: Arc<Poster>,
    /// What opens the secrets of accounts.
    pub key: ServerKey,
    /// A sealed value that is opened where an account has no secret, or is not known: the work is the same.
    pub dummy: Vec<u8>,
    /// Whether published sample secrets are taken: on loopback only.
    pub take_samples: bool,
    /// How long the outcome of a request with an idempotency key is kept, in seconds.
    pub idempotency_kept_s: u64,
    /// Whoever knows the addresses of hosts.
    pub names: Arc<dyn Names>,
    /// What webhooks may reach although it is not public.
    pub allow: Arc<Allow>,
}

impl Service {
    /// A service with the limits of the settings.
    pub fn new(
        settings: &Settings,
        key: ServerKey,
        directory: Arc<Directory>,
        poster: Arc<Poster>,
        names: Arc<dyn Names>,
    ) -> Service {
        let sample = [b'0'; 32];
        let dummy = key.seal(&sample, auth::DUMMY).unwrap_or_default();
        Service {
            directory,
            poster,
            key,
            dummy,
            take_samples: settings.listen.ip().is_loopback(),
            idempotency_kept_s: settings.idempotency_kept_days.saturating_mul(DAY_S),
            names,
            allow: Arc::new(settings.webhook_allow.clone()),
        }
    }
}

/// What is to be done once the head of a request is known.
pub enum Next<'a> {
    /// Nothing more.
    Done(Answer),
    /// A job is shown.
    Show {
        /// The caller's account.
        account: Arc<Account>,
        /// The id in the path.
        job: &'a str,
    },
    /// The body is received and stored.
    Accept(Arc<Account>),
}

/// Looks at the head of a request: path, method, secret. `None` where the path is none of ours.
pub fn begin<'a>(service: &Service, head: &Head<'a>) -> Option<Next<'a>> {
    let (account_id, job) = match route::find(head.path)? {
        Route::Unknown => return Some(Next::Done(reply::unknown_route())),
        Route::Description => {
            let answer = match head.method {
                "GET" => reply::whole(200, Cow::Borrowed(OPENAPI)),
                _ => reply::other_method("GET"),
            };
            return Some(Next::Done(answer));
        }
        Route::Jobs { account } => (account, None),
        Route::Job { account, job } => (account, Some(job)),
    };
    let method = if job.is_some() { "GET" } else { "POST" };
    if head.method != method {
        return Some(Next::Done(reply::other_method(method)));
    }
    let Some(account) = auth::check(service, &account_id, head.authorization) else {
        return Some(Next::Done(reply::unauthorised(&account_id)));
    };
    Some(match job {
        Some(job) => Next::Show { account, job },
        None => Next::Accept(account),
    })
}

/// Shows a job. One of another account and one that nobody has look alike.
pub async fn show(service: &Service, account: &Account, job: &str, query: &str) -> Answer {
    let page = match results::page(query) {
        Ok(page) => page,
        Err(faults) => return reply::faults(&faults),
    };
    let Some(id) = JobId::parse(job) else {
        return reply::unknown_job();
    };
    match service.poster.job(account.number, id, page).await {
        Ok(Some(view)) => reply::whole(200, Cow::Owned(results::json(&view, page))),
        Ok(None) => reply::unknown_job(),
        Err(problem) => reply::problem(&account.account_id, &problem),
    }
}

/// Why a request is not stored.
enum Refusal {
    Body(BadBody),
    Faults(Vec<Fault>),
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal::Problem(problem)
    }
}

/// Reads a request and stores it.
pub async fn accept(
    service: &Service,
    account: &Arc<Account>,
    head: &Head<'_>,
    bytes: Vec<u8>,
) -> Answer {
    match store(service, account, head, bytes).await {
        Ok(answer) => answer,
        Err(Refusal::Body(bad)) => reply::error(400, &bad.to_string()),
        Err(Refusal::Faults(faults)) => reply::faults(&faults),
        Err(Refusal::Problem(problem)) => reply::problem(&account.account_id, &problem),
    }
}

async fn store(
    service: &Service,
    account: &Arc<Account>,
    head: &Head<'_>,
    bytes: Vec<u8>,
) -> Result<Answer, Refusal> {
    let key = head.idempotency_key.map(<[u8]>::to_vec);
    let content_type = head.content_type.map(<[u8]>::to_vec);
    let printed = key.is_some() || account.duplicate_window_s > 0;
    let allow = Arc::clone(&service.allow);
    let large = bytes.len() > INLINE_BYTES;
    let read = move || {
        let text = body::read(content_type.as_deref(), &bytes).map_err(Refusal::Body)?;
        request::read(&text, key.as_deref(), printed, &allow).map_err(|refused| match refused {
            request::Refused::NoObject => Refusal::Body(BadBody::NoObject),
            request::Refused::Faults(faults) => Refusal::Faults(faults),
        })
    };
    let request = if large {
        reading(read).await??
    } else {
        read()?
    };
    let Request {
        job,
        target,
        key,
        print,
    } = request;
    if let Some(target) = target {
        resolve(service, target).await?;
    }
    let once = print.and_then(|print| match key {
        Some(key) => Some(Once::keyed(
            SYNC,
            "",
            &key,
            print,
            service.idempotency_kept_s,
        )),
        None if account.duplicate_window_s > 0 => {
            let window = account.duplicate_window_s.into();
            Some(Once::guarded(SYNC, "", print, window))
        }
        None => None,
    });
    let random = secrets::random_bytes().map_err(|error| {
        tracing::error!("a job gets no id: {error}");
        Problem::new(Code::Unavailable).detail("there are no random bytes")
    })?;
    let job = NewJob {
        account: account.number,
        sealed: account.sealed_secret.clone().unwrap_or_default(),
        now_s: chrono::Utc::now().timestamp(),
        random,
        ..job
    };
    let accepted = service.poster.accept(job, once).await?;
    let body = reply::created(&accepted.job);
    Ok(Answer {
        repeated: accepted.repeated,
        ..reply::whole(201, Cow::Owned(body))
    })
}

/// Refuses a webhook whose host leads to a place that may not be reached. A name that nobody knows yet is taken.
async fn resolve(service: &Service, target: Target) -> Result<(), Refusal> {
    if target.literal.is_some() {
        return Ok(());
    }
    let (names, allow) = (Arc::clone(&service.names), Arc::clone(&service.allow));
    let checked = blocking(move || names::check(&names, &allow, &target)).await?;
    checked.map_err(|why| Refusal::Faults(vec![Fault::new(request::URL, why)]))
}
