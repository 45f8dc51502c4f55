//! What waits for a writer: bounded in requests and bytes, small requests together, large ones one at a time.
//!
//! Belongs here: the order in which requests are taken. Does not belong here: how they are written.

use super::command::Command;
use super::{Answer, prepared::Prepared};
use crate::error::{Code, Problem};
use crate::loyalty::once::Once;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A request on its way through posting.
pub struct Job {
    /// What is to be posted.
    pub command: Command,
    /// What it is known by when it comes again.
    pub once: Option<Once>,
    /// What was looked up for it outside the writer.
    pub prepared: Option<Prepared>,
    /// Where its answer goes.
    pub reply: Option<oneshot::Sender<Answer>>,
    /// What the present attempt made of it.
    pub answer: Option<Answer>,
    /// Who decides about it.
    pub claim: Claim,
    /// Whether it is written alone.
    pub large: bool,
    /// Whether its group has begun: from then on it is carried through.
    pub begun: bool,
}

impl Job {
    /// A request that nobody waits for yet.
    pub fn new(command: Command, once: Option<Once>) -> Job {
        Job {
            command,
            once,
            prepared: None,
            reply: None,
            answer: None,
            claim: Claim::default(),
            large: false,
            begun: false,
        }
    }

    /// Sends the answer. A caller that is gone does not get it; what was posted stays posted.
    pub fn reply(&mut self, answer: Answer) {
        if let Some(reply) = self.reply.take() {
            let _gone = reply.send(answer);
        }
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    fn bytes(&self) -> usize {
        self.command.bytes()
    }
}

/// Decides between the writer, who begins a job, and the caller, who gives up waiting: whoever claims it first.
#[derive(Clone, Default)]
pub struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Whether the job was still free; it is taken from now on.
    pub fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Lets one large request be written at a time, over all writers.
#[derive(Default)]
pub struct Gate(AtomicBool);

impl Gate {
    fn enter(&self) -> bool {
        self.0
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Lets the next large request through.
    pub fn leave(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// How long a writer that has only a large request waits before it looks at the gate again.
const GATE_POLL: Duration = Duration::from_millis(5);

#[derive(Default)]
struct State {
    small: VecDeque<Job>,
    large: VecDeque<Job>,
    bytes: usize,
    /// How many of the small requests go before the next large one: those that waited when the writer came back from
    /// the last one. `None` until it comes back.
    owed: Option<usize>,
    closed: bool,
}

/// The requests that wait for one writer.
pub struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    max_requests: usize,
    max_bytes: usize,
    group_lines: usize,
}

/// What a writer takes from the queue.
pub struct Taken {
    /// Small requests, to be written together, or one large one.
    pub jobs: Vec<Job>,
    /// Whether it is a large one; the gate is held for it.
    pub large: bool,
}

impl Queue {
    /// An empty queue. `group_lines` is the most lines a group of small requests has.
    pub fn new(max_requests: usize, max_bytes: usize, group_lines: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            wake: Condvar::new(),
            max_requests,
            max_bytes,
            group_lines,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is never left half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, or says why it cannot wait here.
    pub fn push(&self, job: Job) -> Result<(), Problem> {
        let mut state = self.lock();
        let waiting = state.small.len() + state.large.len();
        let bytes = state.bytes.saturating_add(job.bytes());
        let full = waiting >= self.max_requests || (waiting > 0 && bytes > self.max_bytes);
        if full || state.closed {
            let why = if state.closed {
                "it is stopping"
            } else {
                "too many requests are waiting"
            };
            return Err(Problem::new(Code::Unavailable).detail(why));
        }
        state.bytes = bytes;
        if job.large {
            state.large.push_back(job);
        } else {
            state.small.push_back(job);
        }
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes no more requests; those that wait are still given out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    /// Waits for work: all small requests that wait, up to the size of a group, or one large one. `None` when the
    /// queue is closed and empty.
    pub fn take(&self, gate: &Gate) -> Option<Taken> {
        let mut state = self.lock();
        loop {
            let waiting = state.small.len();
            let owed = *state.owed.get_or_insert(waiting);
            if !state.large.is_empty() && (owed == 0 || waiting == 0) && gate.enter() {
                state.owed = None;
                if let Some(job) = state.large.pop_front() {
                    state.bytes = state.bytes.saturating_sub(job.bytes());
                    return Some(Taken {
                        jobs: vec![job],
                        large: true,
                    });
                }
                gate.leave();
            }
            if !state.small.is_empty() {
                return Some(Taken {
                    jobs: self.group(&mut state),
                    large: false,
                });
            }
            if state.closed && state.large.is_empty() {
                return None;
            }
            state = if state.large.is_empty() {
                self.wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.wake
                    .wait_timeout(state, GATE_POLL)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            };
        }
    }

    fn group(&self, state: &mut State) -> Vec<Job> {
        let mut group = Vec::with_capacity(state.small.len());
        let mut lines = 0_usize;
        while let Some(job) = state.small.pop_front() {
            state.bytes = state.bytes.saturating_sub(job.bytes());
            lines = lines.saturating_add(job.command.lines());
            group.push(job);
            if lines >= self.group_lines {
                break;
            }
        }
        state.owed = state.owed.map(|owed| owed.saturating_sub(group.len()));
        group
    }
}
