//! What a request is answered with, as events for a sink.
//!
//! Belongs here: which kinds of replies there are, and what HTTP has to know of one. Does not belong here: which element
//! holds what (the families below), angle brackets and braces ([`super::render`]).

pub mod account;
pub mod batch;
pub mod campaigns;
pub mod customer;
pub mod customers;
pub mod fields;
pub mod history;
pub mod imported;
pub mod receipt;
pub mod users;

use super::feed::Feed;
use super::render::Sink;
use crate::error::{Code, Problem};
use crate::loyalty::outcome::Outcome;

/// Seconds after which a caller whose wrong keys are no longer looked at may try again.
const BAD_KEYS_RETRY_S: u32 = 900;

/// What a request is answered with.
pub enum Reply {
    /// The request was refused as a whole.
    Refused(Problem),
    /// The outcome of a batch.
    Batch(Outcome),
    /// Something short.
    Told(Box<dyn Told>),
    /// A list that is read while it is sent.
    Feed(Box<dyn Feed>),
}

/// A short reply.
pub trait Told {
    /// The root's `status`.
    fn status(&self) -> &'static str {
        "success"
    }

    /// Whether it tells the outcome of an earlier request.
    fn repeated(&self) -> bool {
        false
    }

    /// Writes what stands below the root.
    fn write(&self, sink: &mut dyn Sink);

    /// Writes one part of it, counted from 0, and tells whether there is another behind it: for what may be long.
    fn part(&self, _part: usize, sink: &mut dyn Sink) -> bool {
        self.write(sink);
        false
    }
}

impl Reply {
    /// A short reply.
    pub fn told(told: impl Told + 'static) -> Reply {
        Reply::Told(Box::new(told))
    }

    /// The root's `status`.
    pub fn status(&self) -> &'static str {
        match self {
            Reply::Batch(outcome) if outcome.transactions > 0 => "success",
            Reply::Batch(_) | Reply::Refused(_) => "error",
            Reply::Told(told) => told.status(),
            Reply::Feed(feed) => feed.status(),
        }
    }

    /// The HTTP status. The known clients treat all but 200 as a crash, so errors are 200, but for what a proxy or a
    /// retrying client has to see.
    pub fn http_status(&self) -> u16 {
        match self {
            Reply::Refused(problem) => match problem.code {
                Code::BodyTooLarge => 413,
                Code::TooManyBadKeys => 429,
                Code::Unavailable | Code::PostedBefore | Code::OutcomeUnknown => 503,
                _ => 200,
            },
            Reply::Batch(_) | Reply::Told(_) | Reply::Feed(_) => 200,
        }
    }

    /// In how many seconds the same request may be sent again: nothing was posted, or it will not be posted twice.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Reply::Refused(problem) => match problem.code {
                Code::Unavailable | Code::PostedBefore => Some(1),
                Code::TooManyBadKeys => Some(BAD_KEYS_RETRY_S),
                _ => None,
            },
            Reply::Batch(_) | Reply::Told(_) | Reply::Feed(_) => None,
        }
    }

    /// Whether it tells the outcome of an earlier request.
    pub fn repeats(&self) -> bool {
        match self {
            Reply::Batch(outcome) => outcome.repeated,
            Reply::Told(told) => told.repeated(),
            Reply::Refused(_) | Reply::Feed(_) => false,
        }
    }

    /// Writes one part of what stands below the root, counted from 0, so that a long reply need not be written at once.
    /// Tells whether there is another part behind it. A feed writes itself ([`super::feed`]).
    pub fn write(&self, part: usize, sink: &mut dyn Sink) -> bool {
        match self {
            Reply::Refused(problem) => {
                sink.error(&problem.text());
                false
            }
            Reply::Batch(outcome) => batch::write(outcome, part, sink),
            Reply::Told(told) => told.part(part, sink),
            Reply::Feed(_) => false,
        }
    }
}
