//! What waits for the writers: bounded in requests and bytes, small requests together, large ones one at a time.
//!
//! Belongs here: the order in which requests are taken, and by whom. Does not belong here: how they are written.
//!
//! On SQLite one writer takes everything. On MySQL each account has a writer that takes its small requests together with
//! those of other accounts; large ones have a writer of their own, so that only the account of a large one waits for it.
//! No account is with two writers of this process: the second would wait for its head, and so would all others that it
//! has taken.

use super::command::Command;
use super::{Answer, prepared::Prepared};
use crate::error::{Code, Problem};
use crate::loyalty::once::Once;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
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

/// Which requests a writer takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// All of them: there is one writer.
    All,
    /// The small ones of some accounts.
    Small(usize),
    /// The large ones.
    Large,
}

/// Requests in the order in which they came.
#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    bytes: usize,
}

impl Line {
    fn push(&mut self, job: Job) {
        self.bytes = self.bytes.saturating_add(job.bytes());
        self.jobs.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.bytes = self.bytes.saturating_sub(job.bytes());
        Some(job)
    }
}

/// What the small requests may do before the next large one.
struct Turn {
    /// Those of this account; `None`: all of them.
    of: Option<i32>,
    /// How many of them waited when the last large one was done: they go first.
    owed: usize,
    /// Until when they go first if they keep coming: half of the time that it took.
    until: Instant,
    /// Whether any has been taken since.
    taken: bool,
}

struct State {
    small: Vec<Line>,
    large: Line,
    /// Accounts that a writer is busy with.
    held: HashSet<i32>,
    turn: Option<Turn>,
    closed: bool,
}

/// The requests that wait for the writers.
pub struct Queue {
    state: Mutex<State>,
    /// One for each writer of small requests, and one for large ones.
    wake: Vec<Condvar>,
    max_requests: usize,
    max_bytes: usize,
    group_lines: usize,
    shared: bool,
}

/// What a writer takes from the queue. It has the accounts for itself until it gives them back by [`Queue::done`].
pub struct Taken {
    /// Small requests, to be written together, or one large one.
    pub jobs: Vec<Job>,
    /// What it is to give back.
    pub held: Held,
}

/// Accounts that a writer is busy with.
#[derive(Debug)]
pub struct Held {
    accounts: Vec<i32>,
    large: bool,
    since: Instant,
}

impl Queue {
    /// An empty queue for this many writers of small requests; if it is `shared`, the only one takes the large ones too. A
    /// small request and the large ones before it are at most `max_requests` and `max_bytes`, for each writer.
    /// `group_lines` is the most lines a group of small requests has.
    pub fn new(
        writers: usize,
        shared: bool,
        (max_requests, max_bytes): (usize, usize),
        group_lines: usize,
    ) -> Queue {
        let state = State {
            small: (0..writers).map(|_| Line::default()).collect(),
            large: Line::default(),
            held: HashSet::new(),
            turn: None,
            closed: false,
        };
        Queue {
            state: Mutex::new(state),
            wake: (0..=writers).map(|_| Condvar::new()).collect(),
            max_requests,
            max_bytes,
            group_lines,
            shared,
        }
    }

    /// The lanes that need a writer each.
    pub fn lanes(&self) -> Vec<Lane> {
        if self.shared {
            return vec![Lane::All];
        }
        let small = (0..self.writers()).map(Lane::Small);
        small.chain([Lane::Large]).collect()
    }

    fn writers(&self) -> usize {
        self.wake.len().saturating_sub(1)
    }

    fn lane_of(&self, account: i32) -> usize {
        let account = usize::try_from(account).unwrap_or(0);
        account.checked_rem(self.writers()).unwrap_or(0)
    }

    fn wake_of(&self, lane: Lane) -> Option<&Condvar> {
        match lane {
            Lane::All => self.wake.first(),
            Lane::Small(nth) => self.wake.get(nth),
            Lane::Large => self.wake.last(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is never left half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, or says why it cannot wait here.
    pub fn push(&self, job: Job) -> Result<(), Problem> {
        let refused = |why| Err(Problem::new(Code::Unavailable).detail(why));
        let nth = self.lane_of(job.command.account());
        let mut state = self.lock();
        if state.closed {
            return refused("it is stopping");
        }
        let State { small, large, .. } = &mut *state;
        let Some(small) = small.get_mut(nth) else {
            return refused("it is stopping");
        };
        let waiting = small.jobs.len().saturating_add(large.jobs.len());
        let bytes = small.bytes.saturating_add(large.bytes);
        let too_many = bytes.saturating_add(job.bytes()) > self.max_bytes;
        if waiting >= self.max_requests || (waiting > 0 && too_many) {
            return refused("too many requests are waiting");
        }
        let lane = match (self.shared, job.large) {
            (true, _) => Lane::All,
            (false, true) => Lane::Large,
            (false, false) => Lane::Small(nth),
        };
        let line = if job.large { large } else { small };
        line.push(job);
        drop(state);
        if let Some(wake) = self.wake_of(lane) {
            wake.notify_one();
        }
        Ok(())
    }

    /// Takes no more requests; those that wait are still given out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake_all();
    }

    fn wake_all(&self) {
        for wake in &self.wake {
            wake.notify_all();
        }
    }

    /// Waits for work: small requests that wait, up to the size of a group, or one large one. `None` when the queue is
    /// closed and has nothing left for this lane.
    pub fn take(&self, lane: Lane) -> Option<Taken> {
        let wake = self.wake_of(lane)?;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let taken = match lane {
                Lane::All => state
                    .take_large(now)
                    .or_else(|| state.take_small(0, self.group_lines, now)),
                Lane::Small(nth) => state.take_small(nth, self.group_lines, now),
                Lane::Large => state.take_large(now),
            };
            if taken.is_some() {
                return taken;
            }
            if state.closed && state.is_done(lane) {
                return None;
            }
            // Only the turn of the small requests ends by itself.
            let turn = state.turn.as_ref().map(|turn| turn.until);
            let rest = turn.and_then(|until| until.checked_duration_since(now));
            state = match rest.filter(|_| !state.large.jobs.is_empty()) {
                Some(rest) if !rest.is_zero() => {
                    let waited = wake.wait_timeout(state, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                _ => wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Gives back what a writer was busy with.
    pub fn done(&self, held: Held) {
        let mut state = self.lock();
        state
            .held
            .retain(|account| !held.accounts.contains(account));
        if held.large {
            let now = Instant::now();
            let of = held.accounts.first().copied().filter(|_| !self.shared);
            state.turn = Some(Turn {
                of,
                owed: state.waiting(of).count(),
                until: now + now.saturating_duration_since(held.since) / 2,
                taken: false,
            });
        }
        if self.shared {
            return;
        }
        // Whoever passed these accounts over may take them now.
        for (line, wake) in state.small.iter().chain([&state.large]).zip(&self.wake) {
            if !line.jobs.is_empty() {
                wake.notify_one();
            }
        }
    }
}

impl State {
    /// Whether the large request that is first may be written, but for a writer that has its account.
    fn is_due(&self, now: Instant) -> bool {
        match &self.turn {
            Some(turn) if !self.closed => {
                let keep_coming = || turn.taken || self.waiting(turn.of).next().is_some();
                turn.owed == 0 && (now >= turn.until || !keep_coming())
            }
            _ => true,
        }
    }

    /// The small requests that wait, of one account or of all.
    fn waiting(&self, of: Option<i32>) -> impl Iterator<Item = &Job> {
        let waiting = self.small.iter().flat_map(|line| &line.jobs);
        waiting.filter(move |job| of.is_none_or(|account| job.command.account() == account))
    }

    fn take_large(&mut self, now: Instant) -> Option<Taken> {
        let account = self.large.jobs.front()?.command.account();
        if self.held.contains(&account) || !self.is_due(now) {
            return None;
        }
        let job = self.large.pop()?;
        self.turn = None;
        self.held.insert(account);
        Some(Taken {
            jobs: vec![job],
            held: Held {
                accounts: vec![account],
                large: true,
                since: now,
            },
        })
    }

    /// The small requests that wait, of all accounts that no writer has and no large request is about to have.
    fn take_small(&mut self, nth: usize, group_lines: usize, now: Instant) -> Option<Taken> {
        let due = self.large.jobs.front().filter(|_| self.is_due(now));
        let due = due.map(|job| job.command.account());
        let line = self.small.get_mut(nth)?;
        let mut jobs = Vec::with_capacity(line.jobs.len());
        let mut passed_over = Line::default();
        let mut lines = 0_usize;
        while lines < group_lines
            && let Some(job) = line.pop()
        {
            let account = job.command.account();
            if self.held.contains(&account) || due == Some(account) {
                passed_over.push(job);
                continue;
            }
            lines = lines.saturating_add(job.command.lines());
            jobs.push(job);
        }
        if !passed_over.jobs.is_empty() {
            line.bytes = line.bytes.saturating_add(passed_over.bytes);
            passed_over.jobs.append(&mut line.jobs);
            line.jobs = passed_over.jobs;
        }
        if jobs.is_empty() {
            return None;
        }
        if let Some(turn) = &mut self.turn {
            let of_it = |job: &&Job| turn.of.is_none_or(|of| job.command.account() == of);
            let taken = jobs.iter().filter(of_it).count();
            turn.owed = turn.owed.saturating_sub(taken);
            turn.taken |= taken > 0;
        }
        let mut accounts: Vec<i32> = jobs.iter().map(|job| job.command.account()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        self.held.extend(&accounts);
        Some(Taken {
            jobs,
            held: Held {
                accounts,
                large: false,
                since: now,
            },
        })
    }

    fn is_done(&self, lane: Lane) -> bool {
        let small = |nth: usize| self.small.get(nth).is_none_or(|line| line.jobs.is_empty());
        match lane {
            Lane::All => small(0) && self.large.jobs.is_empty(),
            Lane::Small(nth) => small(nth),
            Lane::Large => self.large.jobs.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests;
