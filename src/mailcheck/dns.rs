//! What the name servers say of a domain that mail is for.
//!
//! Belongs here: everything that knows the resolver. Does not belong here: the names of webhooks
//! ([`crate::hooks::names`]).
//!
//! | answer | verdict |
//! | --- | --- |
//! | an MX record with a host | valid |
//! | only MX records with the root as host (RFC 7505) | invalid |
//! | no MX record, but an A or AAAA record (RFC 5321, 5.1) | valid |
//! | none of them | invalid |
//! | no such domain | invalid |
//! | SERVFAIL, REFUSED, a referral, silence, a broken answer | unknown |
//!
//! An answer is kept in memory as long as it says, within a minute and an hour (five minutes when it says that there
//! is nothing); that nobody could say, for a minute. Each gateway keeps its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use tokio::sync::Semaphore;

use super::Verdict;

/// Domains that are asked for at once.
pub const AT_ONCE: usize = 32;
/// Tries of a question after the first one.
const TRIES_AFTER_THE_FIRST: usize = 1;
/// Answers that are kept.
const KEPT_ANSWERS: u64 = 8192;
/// How long an answer is kept at least, and how long that nobody could say.
const KEPT_LEAST: Duration = Duration::from_secs(60);
/// How long an answer is kept at most.
const KEPT_MOST: Duration = Duration::from_secs(3600);
/// How long it is kept at most that there is nothing.
const NOTHING_KEPT_MOST: Duration = Duration::from_secs(300);
/// Domains of which it is kept that nobody could say.
const KEPT_UNKNOWN: usize = 8192;

/// Asks name servers, and remembers. Belongs to one process; use it on a tokio runtime with I/O and time.
pub struct Checker {
    /// `None` when the system's settings could not be read.
    resolver: Option<TokioResolver>,
    places: Semaphore,
    /// How long a verdict may take in all.
    limit: Duration,
    /// Domains of which nobody could say anything, and when that was.
    unknown: Mutex<HashMap<String, Instant>>,
}

impl Checker {
    /// A checker that asks `server`, or the system's name servers. Each question is sent twice at most, and each time
    /// `timeout` is waited for the answer.
    pub fn new(server: Option<SocketAddr>, timeout: Duration) -> Checker {
        let resolver = resolver(server, timeout)
            .inspect_err(|fault| {
                tracing::error!(
                    "e-mail addresses cannot be checked, all of them count as unknown: {fault}"
                );
            })
            .ok();
        Checker {
            resolver,
            places: Semaphore::new(AT_ONCE),
            // Two questions follow each other at most, the MX and then both kinds of address at once.
            limit: timeout.saturating_mul(5),
            unknown: Mutex::new(HashMap::new()),
        }
    }

    /// What the name servers say of a domain, which is in ASCII and without a dot at its end.
    pub async fn verdict(&self, domain: &str) -> Verdict {
        // The resolver answers for these names by itself; no mail leads there from outside.
        if domain == "localhost" || domain.ends_with(".localhost") {
            return Verdict::Invalid;
        }
        let Ok(_place) = self.places.acquire().await else {
            return Verdict::Unknown;
        };
        if self.is_unknown(domain) {
            return Verdict::Unknown;
        }
        let asked = tokio::time::timeout(self.limit, self.ask(domain)).await;
        let verdict = asked.unwrap_or(Verdict::Unknown);
        if verdict == Verdict::Unknown {
            self.keep_unknown(domain);
        }
        verdict
    }

    async fn ask(&self, domain: &str) -> Verdict {
        let Some(resolver) = &self.resolver else {
            return Verdict::Unknown;
        };
        // The dot keeps the system's search list out.
        let name = format!("{domain}.");
        let mut hosts = 0_usize;
        match read(resolver.mx_lookup(name.as_str()).await, |data| match data {
            RData::MX(mx) => {
                hosts += usize::from(!mx.exchange.is_root());
                true
            }
            _ => false,
        }) {
            Found::Some if hosts > 0 => return Verdict::Valid,
            Found::Some | Found::NoDomain => return Verdict::Invalid,
            Found::Unknown => return Verdict::Unknown,
            Found::None => {}
        }
        let (v4, v6) = tokio::join!(
            resolver.ipv4_lookup(name.as_str()),
            resolver.ipv6_lookup(name.as_str())
        );
        let v4 = read(v4, |data| matches!(data, RData::A(_)));
        let v6 = read(v6, |data| matches!(data, RData::AAAA(_)));
        match (v4, v6) {
            (Found::Some, _) | (_, Found::Some) => Verdict::Valid,
            (Found::Unknown, _) | (_, Found::Unknown) => Verdict::Unknown,
            _ => Verdict::Invalid,
        }
    }

    fn is_unknown(&self, domain: &str) -> bool {
        let unknown = self.unknown.lock();
        unknown.is_ok_and(|unknown| {
            unknown
                .get(domain)
                .is_some_and(|since| since.elapsed() < KEPT_LEAST)
        })
    }

    fn keep_unknown(&self, domain: &str) {
        let Ok(mut unknown) = self.unknown.lock() else {
            return;
        };
        if unknown.len() >= KEPT_UNKNOWN {
            unknown.retain(|_, since| since.elapsed() < KEPT_LEAST);
        }
        if unknown.len() < KEPT_UNKNOWN {
            unknown.insert(domain.to_owned(), Instant::now());
        }
    }
}

/// What a question came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// Records of the kind that was asked for.
    Some,
    /// The domain is there and has none.
    None,
    /// The domain is not there.
    NoDomain,
    /// Nobody could say.
    Unknown,
}

/// Reads an answer; `wanted` is asked of each record, and says whether it is of the kind that was asked for.
fn read(answer: Result<Lookup, NetError>, mut wanted: impl FnMut(&RData) -> bool) -> Found {
    match answer {
        Ok(lookup) => {
            let found = lookup
                .answers()
                .iter()
                .filter(|record| wanted(&record.data))
                .count();
            if found > 0 {
                Found::Some
            } else {
                Found::Unknown
            }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(nothing))) => match nothing.response_code {
            ResponseCode::NXDomain => Found::NoDomain,
            // A referral to other servers and nothing else: this one does not answer for others.
            ResponseCode::NoError if nothing.ns.is_some() && nothing.soa.is_none() => {
                Found::Unknown
            }
            ResponseCode::NoError => Found::None,
            _ => Found::Unknown,
        },
        Err(_) => Found::Unknown,
    }
}

fn resolver(server: Option<SocketAddr>, timeout: Duration) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        Some(server) => {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            udp.port = server.port();
            tcp.port = server.port();
            let server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
            TokioResolver::builder_with_config(
                ResolverConfig::from_name_servers(vec![server]),
                TokioRuntimeProvider::default(),
            )
        }
        None => TokioResolver::builder_tokio()?,
    };
    let options = builder.options_mut();
    options.timeout = timeout;
    options.attempts = TRIES_AFTER_THE_FIRST;
    options.cache_size = KEPT_ANSWERS;
    options.positive_min_ttl = Some(KEPT_LEAST);
    options.positive_max_ttl = Some(KEPT_MOST);
    options.negative_min_ttl = Some(KEPT_LEAST);
    options.negative_max_ttl = Some(NOTHING_KEPT_MOST);
    options.use_hosts_file = ResolveHosts::Never;
    options.edns0 = true;
    // Three for each domain that is asked for at once, so that none is told that the connection is busy.
    options.max_active_requests = AT_ONCE * 4;
    builder.build()
}

#[cfg(test)]
mod tests;
