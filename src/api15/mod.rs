//! API 1.5: form-POST requests, answered in XML, JSON or JSONP.
//!
//! Belongs here: the way of a request from its bytes to an answer in bytes. Does not belong here: the request types
//! ([`calls`]), HTTP itself ([`crate::server`]), the rules ([`crate::loyalty`]), SQL.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`body`], [`params`] | bytes to fields |
//! | [`auth`] | who calls |
//! | [`calls`] | the table of request types, and their families |
//! | [`batch`] | `batch_transactions` |
//! | [`once`] | by what a request is known when it comes again |
//! | [`reply`] | outcomes to events |
//! | `format`, [`render`] | events to XML, JSON or JSONP |
//! | [`pieces`] | a long reply, rendered piece by piece |
//! | [`feed`] | a reply that is read while it is sent |

pub mod auth;
pub mod batch;
pub mod body;
pub mod calls;
pub mod feed;
mod format;
mod multipart;
pub mod once;
pub mod params;
pub mod pieces;
pub mod render;
pub mod reply;

use crate::config::Settings;
use crate::error::{Code, Problem};
use crate::hooks::address::Allow;
use crate::loyalty::rights::Need;
use crate::posting::Poster;
use crate::posting::directory::Directory;
use crate::secrets::ServerKey;
use crate::secrets::passwords::Passwords;
use crate::secrets::throttle::Throttle;
use body::{BodyLimits, ReadError};
use calls::Request;
use feed::Feeding;
use params::Params;
use pieces::Pieces;
use render::Format;
use reply::Reply;
use std::net::IpAddr;
use std::sync::Arc;

/// Seconds of a day.
const DAY_S: u64 = 24 * 3600;

/// What requests of this dialect are served with.
pub struct Service {
    /// Accounts and their configuration.
    pub directory: Arc<Directory>,
    /// The way to the journal.
    pub poster: Arc<Poster>,
    /// What digests secrets.
    pub key: ServerKey,
    /// The most bytes and fields of a request.
    pub limits: BodyLimits,
    /// The most lines of a batch.
    pub max_lines: usize,
    /// The most bytes of a line.
    pub max_line_bytes: usize,
    /// How long the outcome of a request with an idempotency key is kept, in seconds.
    pub idempotency_kept_s: u64,
    /// Whether published sample secrets are taken: on loopback only.
    pub take_samples: bool,
    /// What hashes and checks passwords.
    pub passwords: Passwords,
    /// Who has tried too many wrong secrets.
    pub throttle: Throttle,
    /// What `auth` remembers of keys.
    pub seen: auth::Seen,
    /// The proxies that say where a request comes from.
    pub trusted_proxies: Allow,
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
            limits: BodyLimits {
                max_body_bytes: settings.max_body_bytes,
                max_fields: settings.max_fields,
            },
            max_lines: settings.max_lines,
            max_line_bytes: settings.max_line_bytes,
            idempotency_kept_s: settings.idempotency_kept_days.saturating_mul(DAY_S),
            take_samples: settings.listen.ip().is_loopback(),
            passwords: Passwords::default(),
            throttle: Throttle::default(),
            seen: auth::Seen::default(),
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }
}

/// A request as HTTP delivers it.
pub struct Incoming<'a> {
    /// The query string, without `?`.
    pub query: &'a str,
    /// The Content-Type header.
    pub content_type: Option<&'a str>,
    /// The secret of the header `api_access_key`; when there is one, no other is looked at.
    pub header_key: Option<&'a str>,
    /// The header `Idempotency-Key`: it counts where there is no field of that name.
    pub idempotency_key: Option<&'a str>,
    /// Where the connection comes from, as far as that is known.
    pub address: Option<IpAddr>,
    /// The headers `X-Forwarded-For`, in their order.
    pub forwarded: &'a [&'a str],
    /// The body.
    pub body: Vec<u8>,
}

/// An answer as HTTP delivers it.
pub struct Answer {
    /// The HTTP status: 200 also for errors, but for 413, 429 and 503.
    pub status: u16,
    /// The Content-Type header.
    pub content_type: &'static str,
    /// In how many seconds the same request may be sent again, where that is worth it.
    pub retry: Option<u32>,
    /// Whether it is the outcome of an earlier request, which this one repeats.
    pub repeated: bool,
    /// The body, or as much of a long one as is rendered at a time.
    pub body: Vec<u8>,
    /// What follows of a long one.
    pub rest: Option<Rest>,
}

/// What follows the first piece of a long answer.
pub enum Rest {
    /// It is known, and rendered piece by piece.
    Pieces(Pieces),
    /// It is read piece by piece.
    Feeding(Feeding),
}

impl Rest {
    /// Whether anything is left.
    pub fn is_left(&self) -> bool {
        match self {
            Rest::Pieces(pieces) => pieces.are_left(),
            Rest::Feeding(feeding) => feeding.is_left(),
        }
    }
}

/// Bodies and batches above this size are read on a thread that may take its time.
const INLINE_BYTES: usize = 256 * 1024;

/// Answers a request.
pub async fn answer(service: &Service, mut incoming: Incoming<'_>) -> Answer {
    let (mut params, problem) = match read(service, &mut incoming).await {
        Ok(params) => (params, None),
        Err(ReadError { problem, partial }) => (partial, Some(problem)),
    };
    if let (None, Some(key)) = (params.get("idempotency_key"), incoming.idempotency_key) {
        params.insert("idempotency_key", key);
    }
    let (format, bad_format) = Format::from_params(&params);
    let reply = match problem.or(bad_format) {
        Some(problem) => Reply::Refused(problem),
        None => dispatch(service, params, &incoming)
            .await
            .unwrap_or_else(Reply::Refused),
    };
    let Reply::Feed(feed) = reply else {
        return finish(&format, reply);
    };
    match feed::begin(feed, &format).await {
        Ok((body, rest)) => Answer {
            status: 200,
            content_type: format.content_type(),
            retry: None,
            repeated: false,
            body,
            rest: rest.map(Rest::Feeding),
        },
        Err(problem) => finish(&format, Reply::Refused(problem)),
    }
}

/// Answers a request whose body did not arrive: it is too large, or was cut short, or there is no room for it. What
/// there is of it says in which format.
pub fn refuse(incoming: &Incoming<'_>, problem: Problem) -> Answer {
    let params = body::peek(incoming.query, incoming.content_type, &incoming.body);
    let (format, _) = Format::from_params(&params);
    finish(&format, Reply::Refused(problem))
}

fn finish(format: &Format, reply: Reply) -> Answer {
    let (status, retry) = (reply.http_status(), reply.retry_after());
    let repeated = reply.repeats();
    let mut pieces = Pieces::of(reply, format);
    Answer {
        status,
        content_type: format.content_type(),
        retry,
        repeated,
        body: pieces.next().unwrap_or_default(),
        rest: pieces.are_left().then_some(Rest::Pieces(pieces)),
    }
}

async fn read(service: &Service, incoming: &mut Incoming<'_>) -> Result<Params, ReadError> {
    let limits = service.limits;
    // The body goes as soon as its fields are read.
    let bytes = std::mem::take(&mut incoming.body);
    if bytes.len() <= INLINE_BYTES {
        return body::read(incoming.query, incoming.content_type, &bytes, limits);
    }
    let (query, content_type) = (
        incoming.query.to_owned(),
        incoming.content_type.map(str::to_owned),
    );
    blocking(move || body::read(&query, content_type.as_deref(), &bytes, limits))
        .await
        .unwrap_or_else(|problem| {
            Err(ReadError {
                problem,
                partial: Params::new(),
            })
        })
}

/// Runs what takes long where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        Problem::new(Code::Unavailable).detail("it met a defect while reading the request")
    })
}

async fn dispatch(
    service: &Service,
    params: Params,
    incoming: &Incoming<'_>,
) -> Result<Reply, Problem> {
    params.check_near_misses()?;
    let address = auth::address(
        incoming.address,
        incoming.forwarded,
        &service.trusted_proxies,
    );
    let row = params.text("type").and_then(calls::find);
    let open = row.filter(|row| row.need == Need::Open);
    let (row, identity) = match open {
        Some(row) => (row, None),
        None => {
            let named = auth::require(&params, incoming.header_key)?;
            let need = row.map_or(Need::Open, |row| row.needs(&params));
            let identity = auth::authenticate(service, &named, need, address).await?;
            // Told only to those whose secret is right.
            let unknown = || Problem::new(Code::UnknownType).value(named.call);
            (row.ok_or_else(unknown)?, Some(identity))
        }
    };
    if let (false, Some(true)) = (row.dry_run, params.flag("dry_run")?) {
        // Whoever sends it believes that nothing will be written.
        let sent = params.get("dry_run").unwrap_or("");
        let must = "absent: only batches can be tried out";
        return Err(calls::bad_value("dry_run", sent, must));
    }
    let run = row.run;
    let mut request = Request {
        service,
        params,
        row,
        address,
        identity,
    };
    run(&mut request).await
}
