//! The one HTTP client: a single request to addresses that were checked, and what came of it.
//!
//! Belongs here: everything that knows the library. Does not belong here: what is sent ([`super::sign`] and
//! `crate::outbox`), or what an answer means for the next try.
//!
//! What it does not do, each on purpose: follow a redirect (it would lead past the check), use a proxy of the
//! environment (it would resolve the name by itself), keep a connection, unpack an answer, or read more of it than
//! [`MAX_ANSWER`]. The name goes into the `Host` header and into TLS; the connection goes to the addresses that
//! [`names::addresses`] has just checked.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{self, HeaderMap, Uri, header};
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use super::address::Allow;
use super::names::{self, Names, NoAddress};
use super::target::Target;
use crate::text;

/// Bytes of an answer that are read and kept.
pub const MAX_ANSWER: usize = 16 * 1024;
/// Bytes that the headers of an answer may have.
const MAX_HEADERS: usize = 16 * 1024;
/// Characters of an error that are kept.
const MAX_ERROR: usize = 255;
/// Addresses of a name that are tried, one after the other.
const MAX_ADDRESSES: usize = 8;
/// Bytes of the library's buffers for what goes out and comes in.
const BUFFER: usize = 16 * 1024;

/// Sends requests. It is blocking: call it on a thread that may wait.
#[derive(Clone)]
pub struct Sender {
    /// Who resolves names.
    pub names: Arc<dyn Names>,
    /// Addresses that may be reached although they are not public.
    pub allow: Allow,
    /// How long a try may take in all, from the name to the last byte of the answer.
    pub timeout: Duration,
}

/// What came of one try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// What went wrong, at most 255 characters. Beside a status: why its answer could not be read to the end.
    pub error: Option<String>,
    /// The beginning of the answer's body as text, at most [`MAX_ANSWER`] bytes; `None` when it has none.
    pub answer: Option<String>,
    /// What the answer's `Retry-After` asks for, in seconds from now.
    pub retry_after_s: Option<u64>,
    /// How long it took.
    pub took: Duration,
}

impl Sender {
    /// Posts a JSON body once.
    pub fn send(&self, target: &Target, headers: &[(&str, String)], body: &[u8]) -> Sent {
        let begun = Instant::now();
        let answer = self.try_once(target, headers, body, begun);
        let took = begun.elapsed();
        match answer {
            Ok(sent) => Sent { took, ..sent },
            Err(error) => Sent {
                status: None,
                error: Some(text::cut(&error, MAX_ERROR).to_owned()),
                answer: None,
                retry_after_s: None,
                took,
            },
        }
    }

    fn try_once(
        &self,
        target: &Target,
        headers: &[(&str, String)],
        body: &[u8],
        begun: Instant,
    ) -> Result<Sent, String> {
        let limit = names::AT_CONNECT.min(self.timeout);
        let addresses =
            names::addresses(&self.names, &self.allow, target, limit).map_err(|no| match no {
                NoAddress::Unresolved(why) => why,
                NoAddress::Refused(why) => format!("refused address: the URL {why}"),
            })?;
        let left = self
            .timeout
            .checked_sub(begun.elapsed())
            .filter(|left| !left.is_zero())
            .ok_or_else(|| self.too_slow())?;

        let mut request = http::Request::post(&target.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(body)
            .map_err(|_| "the request could not be made".to_owned())?;
        let answer = agent(&addresses, left)
            .run(request)
            .map_err(|error| self.in_words(&error))?;

        let status = answer.status().as_u16();
        let retry_after_s = retry_after(answer.headers());
        let mut bytes = Vec::new();
        let read = answer
            .into_body()
            .into_reader()
            .take(MAX_ANSWER as u64)
            .read_to_end(&mut bytes);
        let error = read.err().map(|fault| {
            let why = match Error::from(fault) {
                Error::Timeout(_) => self.too_slow(),
                _ => "the connection broke".to_owned(),
            };
            format!("the answer is not whole: {why}")
        });
        Ok(Sent {
            status: Some(status),
            error,
            answer: (!bytes.is_empty()).then(|| readable(&bytes)),
            retry_after_s,
            took: Duration::ZERO,
        })
    }

    fn too_slow(&self) -> String {
        format!("no answer within {} ms", self.timeout.as_millis())
    }

    /// What went wrong, without anything of the URL, whose query may be a secret.
    fn in_words(&self, error: &Error) -> String {
        match error {
            Error::Timeout(_) => self.too_slow(),
            Error::Io(fault) => format!("the connection failed: {fault}"),
            Error::Rustls(fault) => format!("TLS failed: {fault}"),
            Error::Tls(fault) => format!("TLS failed: {fault}"),
            Error::Protocol(fault) => format!("the answer is not HTTP: {fault}"),
            Error::LargeResponseHeader(..) => "the headers of the answer are too long".to_owned(),
            Error::BadUri(_) | Error::Http(_) => "the URL cannot be requested".to_owned(),
            _ => "the request failed".to_owned(),
        }
    }
}

/// An agent for one request: it knows these addresses and no others, and nothing of it is kept.
fn agent(addresses: &[SocketAddr], timeout: Duration) -> Agent {
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .max_response_header_size(MAX_HEADERS)
        .max_idle_connections(0)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .user_agent(concat!("Punchcard/", env!("CARGO_PKG_VERSION")))
        .accept("*/*")
        .build();
    Agent::with_parts(
        config,
        DefaultConnector::default(),
        Pinned(addresses.to_vec()),
    )
}

/// A resolver that gives the addresses that were checked, whatever it is asked for.
#[derive(Debug)]
struct Pinned(Vec<SocketAddr>);

impl Resolver for Pinned {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut found = ArrayVec::from_fn(|_| nowhere);
        for address in self.0.iter().take(MAX_ADDRESSES) {
            found.push(*address);
        }
        if found.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(found)
    }
}

/// The seconds that an answer's `Retry-After` asks for: a number, or an instant. What is neither counts as absent.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits to be read are a long time.
        return Some(value.parse().unwrap_or(u64::MAX));
    }
    let at = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let seconds = at.timestamp() - chrono::Utc::now().timestamp();
    Some(u64::try_from(seconds).unwrap_or(0))
}

/// The beginning of an answer as text that every database takes.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    let end = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= MAX_ANSWER)
        .last();
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
