//! What HTTP and the JSON dialects hand each other, and what these have in common before a body means anything.
//!
//! Belongs here: heads and answers as values. Does not belong here: sockets ([`crate::server`]), routes and texts (the
//! dialects).

use crate::error::{Code, Problem};
use percent_encoding::percent_decode;
use std::borrow::Cow;
use std::sync::LazyLock;
use std::thread;
use tokio::sync::Semaphore;

/// Bodies above this size are read on a thread that may take its time.
pub const INLINE_BYTES: usize = 256 * 1024;

/// Seconds of a day.
pub const DAY_S: u64 = 24 * 3600;

/// The head of a request as HTTP delivers it.
pub struct Head<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, escapes and all.
    pub path: &'a str,
    /// The query string, without `?`.
    pub query: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<&'a [u8]>,
}

/// An answer as HTTP delivers it. All of them are JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Cow<'static, str>,
    /// Whether the same request may be sent again in a second.
    pub retry: bool,
    /// Whether it tells of an earlier request, which this one repeats.
    pub repeated: bool,
    /// The methods that the path takes, where the request had another one.
    pub allow: Option<&'static str>,
}

impl Answer {
    /// An answer with nothing special about it.
    pub fn whole(status: u16, body: impl Into<Cow<'static, str>>) -> Answer {
        Answer {
            status,
            body: body.into(),
            retry: false,
            repeated: false,
            allow: None,
        }
    }
}

/// Names and values of a query string, without their escapes, in their order.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(name), unescaped(value))
    })
}

fn unescaped(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes())
        .decode_utf8_lossy()
        .into_owned()
}

/// Reads a large body where it holds nobody up; no more of them at a time than there are processors. What a body of many
/// small pieces is read into takes many times its own memory, and to read more of them at once would be no faster.
pub async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
        Semaphore::new(thread::available_parallelism().map_or(1, |processors| processors.get()))
    });
    let place = PLACES.acquire().await;
    blocking(move || {
        // The place is taken until the work is done, even where nobody waits for it any more.
        let _place = place;
        read()
    })
    .await
}

/// Runs what takes long where it holds nobody up.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        Problem::new(Code::Unavailable).detail("it met a defect while reading the request")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_large_bodies_are_read_at_once_than_there_are_processors() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let processors = thread::available_parallelism().unwrap().get();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..3 * processors).map(|nth| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(reading(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(std::time::Duration::from_millis(20));
                now.fetch_sub(1, Ordering::SeqCst);
                nth
            }))
        });
        for (nth, one) in all.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), Ok(nth));
        }
        assert!(most.load(Ordering::SeqCst) <= processors);
    }

    #[test]
    fn a_query_string_is_pairs() {
        let all: Vec<_> = pairs("a=1&b+c=%C3%A9+%26&d&e==&").collect();
        let expected = [
            ("a", "1"),
            ("b c", "\u{e9} &"),
            ("d", ""),
            ("e", "="),
            ("", ""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(all, expected);
    }
}
