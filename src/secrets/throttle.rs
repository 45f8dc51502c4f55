//! Who tries too many wrong passwords, PINs and keys.
//!
//! Belongs here: counting failures, in the memory of this gateway. Does not belong here: what is answered then (the
//! dialects), addresses of proxies ([`crate::server`]).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For so long failures are counted together, and for so long is refused who has too many.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Failures that one address may have with one person.
const PAIR_MAX: u32 = 10;
/// Failures with the password of one person, from whatever address.
const PERSON_MAX: u32 = 50;
/// Counts that are kept; beyond that the oldest goes.
const KEPT_MAX: usize = 100_000;

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tried {
    /// A user's password.
    Login,
    /// A user's key.
    Key,
    /// A customer's password or PIN.
    Customer,
}

/// Whose secret is tried, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Who {
    /// What is tried.
    pub tried: Tried,
    /// A digest of the name of the person.
    pub person: [u8; 32],
    /// From where, as far as that is known.
    pub address: Option<IpAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Counted {
    who: Who,
    /// Whether all addresses are counted together.
    all: bool,
}

struct Count {
    failures: u32,
    since: Instant,
    /// When there were too many.
    full: Option<Instant>,
}

#[derive(Default)]
struct Counts {
    by: HashMap<Counted, Count>,
    /// In the order in which they began; one that was forgotten since may still be in it.
    order: VecDeque<(Instant, Counted)>,
}

/// Counts failures.
#[derive(Default)]
pub struct Throttle {
    counts: Mutex<Counts>,
}

impl Who {
    /// What is counted, with the most that it may come to. Wrong keys are counted for each address alone: nobody shall be
    /// able to keep a till out.
    fn counted(self) -> impl Iterator<Item = (Counted, u32)> {
        let pair = Counted {
            who: self,
            all: false,
        };
        let person = Counted {
            who: Who {
                address: None,
                ..self
            },
            all: true,
        };
        let all = (self.tried != Tried::Key).then_some((person, PERSON_MAX));
        [(pair, PAIR_MAX)].into_iter().chain(all)
    }
}

impl Throttle {
    /// Whether a secret that somebody tries is right, as the check says. Whoever was wrong too often is wrong without being
    /// checked, and so is whose check was still at work when it became too often: many tries at once tell no more.
    ///
    /// # Errors
    /// Those of the check, which are no failure of whoever tries.
    pub async fn tried<E>(
        &self,
        who: &Who,
        check: impl Future<Output = Result<bool, E>>,
    ) -> Result<bool, E> {
        if !self.allows(who, Instant::now()) {
            return Ok(false);
        }
        let right = check.await?;
        let now = Instant::now();
        if !right {
            self.failed(who, now);
            return Ok(false);
        }
        if !self.allows(who, now) {
            return Ok(false);
        }
        self.passed(who);
        Ok(true)
    }

    /// Whether it may be tried.
    pub fn allows(&self, who: &Who, now: Instant) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        who.counted().all(|(counted, _)| {
            let full = counts.by.get(&counted).and_then(|count| count.full);
            full.is_none_or(|full| now.saturating_duration_since(full) >= WINDOW)
        })
    }

    /// It was tried, and was wrong.
    pub fn failed(&self, who: &Who, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (counted, most) in who.counted() {
            counts.add(counted, most, now);
        }
    }

    /// It was tried, and was right: the failures of this address are forgotten.
    fn passed(&self, who: &Who) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.by.remove(&Counted {
            who: *who,
            all: false,
        });
    }
}

impl Counts {
    fn add(&mut self, counted: Counted, most: u32, now: Instant) {
        let over = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        if let Some(count) = self.by.get_mut(&counted)
            && !over(count.full.unwrap_or(count.since))
        {
            count.failures = count.failures.saturating_add(1);
            if count.failures >= most && count.full.is_none() {
                count.full = Some(now);
            }
            return;
        }
        let count = Count {
            failures: 1,
            since: now,
            full: (most <= 1).then_some(now),
        };
        self.by.insert(counted, count);
        self.order.push_back((now, counted));
        while self.order.len() > KEPT_MAX {
            let Some((since, oldest)) = self.order.pop_front() else {
                break;
            };
            // It may have begun anew since.
            if self
                .by
                .get(&oldest)
                .is_some_and(|count| count.since == since)
            {
                self.by.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(tried: Tried, person: u8, address: u8) -> Who {
        Who {
            tried,
            person: [person; 32],
            address: Some(IpAddr::from([10, 0, 0, address])),
        }
    }

    #[test]
    fn ten_failures_from_one_address_are_enough() {
        let (throttle, began) = (Throttle::default(), Instant::now());
        let ann = who(Tried::Login, 1, 1);
        for at in 0..10 {
            assert!(throttle.allows(&ann, began), "{at}");
            throttle.failed(&ann, began);
        }
        assert!(!throttle.allows(&ann, began));
        for other in [
            who(Tried::Login, 1, 2),
            who(Tried::Login, 2, 1),
            who(Tried::Customer, 1, 1),
        ] {
            assert!(throttle.allows(&other, began), "{other:?}");
        }
        let later = began + WINDOW;
        assert!(throttle.allows(&ann, later));
        throttle.failed(&ann, later);
        assert!(throttle.allows(&ann, later), "counted from the beginning");
    }

    #[tokio::test]
    async fn what_was_under_way_when_it_became_too_often_is_wrong_too() {
        let throttle = Throttle::default();
        let ann = who(Tried::Login, 1, 1);
        let right = async || Ok::<_, ()>(true);
        let wrong = async || Ok::<_, ()>(false);
        for _ in 0..9 {
            assert_eq!(throttle.tried(&ann, wrong()).await, Ok(false));
        }
        assert_eq!(throttle.tried(&ann, async { Err(()) }).await, Err(()));
        assert_eq!(throttle.tried(&ann, right()).await, Ok(true));
        for _ in 0..9 {
            assert_eq!(throttle.tried(&ann, wrong()).await, Ok(false));
        }
        let late = throttle.tried(&ann, async {
            throttle.failed(&ann, Instant::now());
            Ok::<_, ()>(true)
        });
        assert_eq!(late.await, Ok(false));
        let unseen = throttle.tried(&ann, async { panic!("it is not checked any more") });
        assert_eq!(unseen.await, Ok::<_, ()>(false));
    }

    #[test]
    fn fifty_failures_from_all_addresses_are_enough_but_for_keys() {
        let (throttle, began) = (Throttle::default(), Instant::now());
        for address in 0..50 {
            for tried in [Tried::Login, Tried::Key] {
                throttle.failed(&who(tried, 1, address), began);
            }
        }
        assert!(!throttle.allows(&who(Tried::Login, 1, 200), began));
        assert!(throttle.allows(&who(Tried::Key, 1, 200), began));
        throttle.passed(&who(Tried::Login, 1, 200));
        assert!(!throttle.allows(&who(Tried::Login, 1, 200), began));
    }

    #[test]
    fn old_failures_and_those_before_a_right_one_do_not_count() {
        let (throttle, began) = (Throttle::default(), Instant::now());
        let ann = who(Tried::Customer, 1, 1);
        for at in 0..30 {
            throttle.failed(&ann, began + WINDOW / 9 * at);
            assert!(throttle.allows(&ann, began + WINDOW / 9 * at), "{at}");
        }
        let other = who(Tried::Customer, 2, 1);
        for at in 0..45 {
            throttle.failed(&other, began);
            if at % 9 == 8 {
                throttle.passed(&other);
            }
        }
        assert!(throttle.allows(&other, began));
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_are_too_many() {
        let (throttle, began) = (Throttle::default(), Instant::now());
        for number in 0..=u32::try_from(KEPT_MAX).unwrap() {
            let mut person = [0; 32];
            person[..4].copy_from_slice(&number.to_be_bytes());
            let one = Who {
                tried: Tried::Key,
                person,
                address: None,
            };
            throttle.failed(&one, began);
        }
        let counts = throttle.counts.lock().unwrap();
        assert_eq!((counts.by.len(), counts.order.len()), (KEPT_MAX, KEPT_MAX));
    }
}
