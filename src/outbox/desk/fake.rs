//! A desk without a database: it keeps one job and one webhook as their rows would, and fails when it is told to.

use super::{Answer, Desk};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::sent::{Mail, Verdict};
use crate::loyalty::sync::claim::{ClaimJob, Claimed, Queued, Wish};
use crate::loyalty::sync::event::{Attempt, ClaimEvent, ClaimedEvent, EventState};
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::{JobHead, Options, Part};
use crate::loyalty::sync::view::Told;
use crate::loyalty::sync::work::{Work, Worked};
use crate::outbox::testing::problem;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The number of the account that the desk knows.
pub const ACCOUNT: i32 = 7;
/// The number of its job.
pub const JOB: i64 = 3;

/// What a commit is asked to come to.
pub enum Say {
    /// Nothing is stored, for this reason.
    Refuse(Problem),
    /// All is stored, and the answer is lost.
    LoseAnswer,
}

/// What a commit was asked to store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub first: i32,
    pub items: usize,
    pub finish: bool,
    pub poisoned: Option<String>,
    pub purchase: bool,
}

/// What became of an item: its text, and what was known of its address.
pub type Stored = (String, Mail, Option<String>);

/// Asked before each commit.
pub type OnWork = Box<dyn Fn(&Work) -> Option<Say>>;

#[derive(Default)]
pub struct State {
    pub contacts: Vec<String>,
    pub part_length: usize,
    pub options: Options,
    pub purchase: Option<String>,
    pub credits: Option<i64>,
    pub cursor: i32,
    pub stuck: i32,
    pub token: Option<String>,
    pub until: Option<Instant>,
    pub stored: Vec<Stored>,
    pub seen: Vec<Seen>,
    pub wishes: Vec<Wish>,
    pub finished: bool,
    pub given_up: Option<String>,
    pub on_work: Option<OnWork>,
    /// Parts that are not there any more.
    pub no_parts: bool,
    pub event: Option<ClaimedEvent>,
    pub told: Vec<Told>,
    pub recorded: Vec<Attempt>,
    /// Answers to what a try brought, before it is noted.
    pub on_record: Vec<Answer<Option<EventState>>>,
    pub due: Vec<(i32, i64)>,
    pub due_events: Vec<(i32, i64)>,
}

pub struct Fake {
    pub state: RefCell<State>,
    pub account: Arc<Account>,
}

impl Fake {
    pub fn head(&self) -> JobHead {
        let state = self.state.borrow();
        JobHead {
            number: JOB,
            id: JobId::new(1_700_000_000, [1, 2, 3], JOB),
            origin: "test".to_owned(),
            contacts: i32::try_from(state.contacts.len()).unwrap(),
            purchases: i16::from(state.purchase.is_some()),
            options: state.options.clone(),
            url: None,
            created_at: 0,
        }
    }

    fn claimed(&self) -> Claimed {
        let head = self.head();
        let state = self.state.borrow();
        Claimed {
            queued: Queued {
                job: JOB,
                cursor: state.cursor,
                valid: 0,
                failed: 0,
                charged: 0,
                claims: 1,
                stuck: state.stuck,
                started_at: None,
                claimed_until: 0,
                token: state.token.clone(),
            },
            head,
            purchase: state.purchase.clone(),
        }
    }

    /// The items of a commit, stored as the rules would: up to the first address that nobody has looked at.
    fn store(&self, work: &Work) -> Worked {
        let state = &mut *self.state.borrow_mut();
        assert_eq!(work.first, state.cursor, "items come in their order");
        let mut lacks_verdict = false;
        for item in &work.items {
            let pays = matches!(item.mail, Mail::Verdict(Verdict::Valid | Verdict::Invalid));
            let broke = state.credits == Some(0);
            if item.mail == Mail::NotAsked && item.sent.faults.is_empty() && !broke {
                lacks_verdict = true;
                break;
            }
            if pays && !broke {
                state.credits = state.credits.map(|credits| credits - 1);
            }
            let text = item.sent.raw.to_string();
            state.stored.push((text, item.mail, work.poisoned.clone()));
            state.cursor += 1;
        }
        let contacts = i32::try_from(state.contacts.len()).unwrap();
        if work.finish && work.items.is_empty() && state.cursor < contacts {
            state.given_up.clone_from(&work.poisoned);
        }
        let finished = work.finish && !lacks_verdict;
        state.finished |= finished;
        state.stuck = 0;
        Worked {
            cursor: state.cursor,
            finished,
            lacks_verdict,
            event: finished,
        }
    }
}

impl Desk for Fake {
    fn account(&self, number: i32) -> Option<Arc<Account>> {
        (number == ACCOUNT).then(|| Arc::clone(&self.account))
    }

    async fn due_jobs(&self, _: i64) -> Answer<Vec<(i32, i64)>> {
        Ok(self.state.borrow().due.clone())
    }

    async fn claim_job(&self, claim: ClaimJob) -> Answer<Option<Claimed>> {
        {
            let state = &mut *self.state.borrow_mut();
            state.wishes.push(claim.wish);
            let now = Instant::now();
            let mine = state.token.as_deref() == Some(&claim.token);
            let free = state.until.is_none_or(|until| until <= now);
            let until = now + Duration::from_micros(u64::try_from(claim.lease_us).unwrap());
            match claim.wish {
                Wish::Take if (mine || free) && !state.finished => {
                    state.stuck += 1;
                    (state.token, state.until) = (Some(claim.token), Some(until));
                }
                Wish::Renew if mine => state.until = Some(until),
                Wish::Release if mine => {
                    state.stuck -= 1;
                    state.until = None;
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(self.claimed()))
    }

    async fn part(&self, _: i32, _: i64, cursor: i32) -> Answer<Option<Part>> {
        let state = self.state.borrow();
        let length = state.part_length.max(1);
        let first = usize::try_from(cursor).unwrap() / length * length;
        let contacts: Vec<&str> = state.contacts[first..]
            .iter()
            .take(length)
            .map(String::as_str)
            .collect();
        Ok((!state.no_parts).then(|| Part {
            first: i32::try_from(first).unwrap(),
            contacts: format!("[{}]", contacts.join(",")),
        }))
    }

    async fn credits(&self, _: i32) -> Answer<Option<i64>> {
        Ok(self.state.borrow().credits)
    }

    async fn work(&self, work: Work) -> Answer<Worked> {
        self.state.borrow_mut().seen.push(Seen {
            first: work.first,
            items: work.items.len(),
            finish: work.finish,
            poisoned: work.poisoned.clone(),
            purchase: work.purchase.is_some(),
        });
        if self.state.borrow().token.as_deref() != Some(&work.token) {
            return Err(problem(Code::ClaimLost));
        }
        let said = {
            let hook = self.state.borrow_mut().on_work.take();
            let said = hook.as_ref().and_then(|hook| hook(&work));
            self.state.borrow_mut().on_work = hook;
            said
        };
        match said {
            Some(Say::Refuse(problem)) => Err(problem),
            Some(Say::LoseAnswer) => {
                self.store(&work);
                Err(problem(Code::OutcomeUnknown))
            }
            None => Ok(self.store(&work)),
        }
    }

    async fn due_events(&self, _: i64) -> Answer<Vec<(i32, i64)>> {
        Ok(self.state.borrow().due_events.clone())
    }

    async fn claim_event(&self, _: ClaimEvent) -> Answer<Option<ClaimedEvent>> {
        Ok(self.state.borrow().event.clone())
    }

    async fn told(&self, _: i32, _: i64, after: i32, limit: i64) -> Answer<Vec<Told>> {
        let state = self.state.borrow();
        let rest = state.told.iter().filter(|told| told.item > after);
        Ok(rest
            .take(usize::try_from(limit).unwrap())
            .cloned()
            .collect())
    }

    async fn record(&self, attempt: Attempt) -> Answer<Option<EventState>> {
        let state = &mut *self.state.borrow_mut();
        if !state.on_record.is_empty() {
            return state.on_record.remove(0);
        }
        let status = attempt.status;
        state.recorded.push(attempt);
        Ok(Some(match status {
            Some(200..=299) => EventState::Delivered,
            Some(406) => EventState::Refused,
            _ => EventState::Pending,
        }))
    }
}
