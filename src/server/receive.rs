//! Bodies on their way in: how much of them is kept, and how much memory all of them together may take.
//!
//! Belongs here: bytes, counted. Does not belong here: what they mean.

use crate::error::{Code, Problem};
use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use futures_core::Stream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The first bytes of a body that do not count in the [`Room`]: however full it is with large bodies, those of tills get
/// through. Together they are bounded by `max_connections`.
const FREE_BYTES: usize = 64 * 1024;

/// Bytes of all large bodies that are held at this moment: many at once must not fill the memory.
pub(super) struct Room {
    held: AtomicUsize,
    max: usize,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(max: usize) -> Arc<Room> {
        Arc::new(Room {
            held: AtomicUsize::new(0),
            max,
        })
    }
}

/// One request's part of the [`Room`], until its answer is sent; given back when it is dropped.
pub(super) struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(super) fn new(room: &Arc<Room>) -> Held {
        Held {
            room: Arc::clone(room),
            bytes: 0,
        }
    }

    /// Whether there is room for so many more bytes.
    fn grow(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.room
            .held
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes)
            <= self.room.max
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// How much of an oversized body is looked at for the format of the answer.
const PEEK_BYTES: usize = 64 * 1024;

/// How much room a declared length gets before any byte has come.
const TRUSTED_BYTES: usize = 1024 * 1024;

/// How long a body that is too large is read and thrown away.
pub(super) const TOO_LARGE_PATIENCE: Duration = Duration::from_secs(2);

/// The length that a request says its body has; 0 where it does not say.
pub(super) fn declared_length(request: &HttpRequest) -> usize {
    let header = request.headers().get(CONTENT_LENGTH);
    header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

/// Receives a body of at most `max` bytes. Of a larger one the beginning is kept, and as much again is read and thrown
/// away, so that a client that sends before it listens still sees the answer.
pub(super) async fn receive(
    declared: usize,
    payload: Payload,
    max: usize,
    held: &mut Held,
    body: &mut Vec<u8>,
) -> Result<(), Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge).detail(max);
    body.reserve(declared.min(max).min(TRUSTED_BYTES));
    let mut payload = pin!(payload);
    let mut keep = if declared > max {
        PEEK_BYTES.min(max)
    } else {
        max
    };
    let mut thrown_away = 0_usize;
    while let Some(chunk) =
        std::future::poll_fn(|context| payload.as_mut().poll_next(context)).await
    {
        let chunk = chunk.map_err(|_| Problem::new(Code::BodyCutShort))?;
        let charged_before = body.len().saturating_sub(FREE_BYTES);
        let (kept, over) = chunk.split_at(keep.saturating_sub(body.len()).min(chunk.len()));
        body.extend_from_slice(kept);
        let charged = body.len().saturating_sub(FREE_BYTES);
        if !held.grow(charged.saturating_sub(charged_before)) {
            let crowded = "too many large requests are arriving";
            return Err(Problem::new(Code::Unavailable).detail(crowded));
        }
        if !over.is_empty() {
            keep = PEEK_BYTES.min(max);
            body.truncate(keep);
            thrown_away = thrown_away.saturating_add(over.len());
            if thrown_away > max {
                break;
            }
        }
    }
    if declared > max || thrown_away > 0 {
        Err(too_large())
    } else {
        Ok(())
    }
}

/// Reads what a client sends although nobody wants it, at most `max` bytes, and throws it away: a client that sends
/// before it listens still sees the answer. Tells whether that was all of it.
pub(super) async fn discard(payload: Payload, max: usize) -> bool {
    let mut payload = pin!(payload);
    let mut seen = 0_usize;
    while let Some(chunk) =
        std::future::poll_fn(|context| payload.as_mut().poll_next(context)).await
    {
        let Ok(chunk) = chunk else { return false };
        seen = seen.saturating_add(chunk.len());
        if seen > max {
            return false;
        }
    }
    true
}
