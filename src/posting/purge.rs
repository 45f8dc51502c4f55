//! What is old is deleted in passing: when, and before which time.
//!
//! Belongs here: how long each kind of row is kept, and how often it is looked for. Does not belong here: the statements
//! ([`crate::store`]).

use crate::config::Settings;
use crate::store::heads::{self, Head};
use crate::store::{Db, Result, idempotency, rejections, sync_purge, undo_images};
use std::collections::HashMap;
use std::time::{Duration, Instant};

const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// How long commits are kept.
const COMMITS_KEPT_US: i64 = 30 * DAY_US;
/// With every so many commits of an account, what is old of it is deleted.
const EVERY_COMMITS: i64 = 1024;
/// With the next commit after so long it is too, however few there were.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// After so long where something was deleted: one look takes a bounded number of rows, and the commit may still fail.
const SOON: Duration = Duration::from_secs(60);

/// How long things are kept, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Kept {
    job: i64,
    image: i64,
    open_fault: i64,
    closed_fault: i64,
}

/// How long things are kept, and when they are looked for again.
#[derive(Debug)]
pub struct Purge {
    /// `None`: nothing is deleted.
    kept: Option<Kept>,
    /// When each account is looked at again.
    next: HashMap<i32, Instant>,
}

impl Purge {
    /// Keeps things as long as the settings say. What requests are known by refers to refused lines, so that these are
    /// never kept for a shorter time.
    pub fn new(settings: &Settings) -> Purge {
        let days = |days: u64| {
            i64::try_from(days)
                .unwrap_or(i64::MAX)
                .saturating_mul(DAY_US)
        };
        let closed_days = settings.closed_fault_kept_days;
        Purge {
            kept: Some(Kept {
                job: days(settings.job_kept_days),
                image: days(settings.undo_kept_days),
                open_fault: days(settings.open_fault_kept_days),
                closed_fault: days(closed_days.max(settings.idempotency_kept_days)),
            }),
            next: HashMap::new(),
        }
    }

    /// Deletes nothing.
    pub fn nothing() -> Purge {
        Purge {
            kept: None,
            next: HashMap::new(),
        }
    }

    /// Deletes what is old of the accounts of a group, as far as that is due. Returns those of which refused lines have
    /// expired: their heads count fewer open faults, and must be written.
    pub fn accounts(&mut self, db: &mut Db, heads: &mut [Head], now_us: i64) -> Result<Vec<i32>> {
        let mut expired = Vec::new();
        let now = Instant::now();
        for number in self.due(heads, now) {
            let head = heads.iter_mut().find(|head| head.account_id == number);
            let Some(head) = head else { continue };
            let found = self.account(db, head, now_us)?;
            let wait = if found { SOON } else { EVERY };
            self.next.insert(number, now + wait);
            if found {
                expired.push(number);
            }
        }
        Ok(expired)
    }

    /// The accounts that are due: each at every so many commits, and one whose time has come. The others have theirs
    /// in one of the next groups, so that no group does this for hundreds.
    fn due(&self, heads: &[Head], now: Instant) -> Vec<i32> {
        if self.kept.is_none() {
            return Vec::new();
        }
        let counted = |head: &&Head| head.next_commit.checked_rem(EVERY_COMMITS) == Some(0);
        let timed = |head: &&Head| {
            let next = self.next.get(&head.account_id);
            next.is_none_or(|next| now >= *next)
        };
        let mut due: Vec<i32> = heads
            .iter()
            .filter(counted)
            .map(|head| head.account_id)
            .collect();
        due.extend(heads.iter().find(timed).map(|head| head.account_id));
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Deletes what is old of an account. Tells whether refused lines have expired.
    fn account(&self, db: &mut Db, head: &mut Head, now_us: i64) -> Result<bool> {
        let Some(kept) = self.kept else {
            return Ok(false);
        };
        let account = head.account_id;
        heads::purge_commits(db, account, now_us.saturating_sub(COMMITS_KEPT_US))?;
        idempotency::purge(db, account, now_us)?;
        self.jobs(db, account, now_us)?;
        self.images(db, account, now_us)?;
        let before = (
            now_us.saturating_sub(kept.open_fault),
            now_us.saturating_sub(kept.closed_fault),
        );
        let expired = rejections::purge(db, account, before, now_us)?;
        let open = i64::try_from(expired.open).unwrap_or(i64::MAX);
        head.open_faults = head.open_faults.saturating_sub(open);
        Ok(expired != rejections::Expired::default())
    }

    /// Deletes what is old of jobs.
    pub fn jobs(&self, db: &mut Db, account: i32, now_us: i64) -> Result<()> {
        match self.kept {
            Some(kept) => sync_purge::purge(db, account, now_us.saturating_sub(kept.job)),
            None => Ok(()),
        }
    }

    /// Deletes what is old of what batches have changed of customers.
    pub fn images(&self, db: &mut Db, account: i32, now_us: i64) -> Result<()> {
        match self.kept {
            Some(kept) => undo_images::purge(db, account, now_us.saturating_sub(kept.image)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let variables = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Settings::load_from(Flags::default(), variables).unwrap().0
    }

    fn head(account_id: i32, next_commit: i64) -> Head {
        Head {
            next_commit,
            ..Head::new(account_id)
        }
    }

    #[test]
    fn each_account_is_due_at_the_start_after_its_time_and_with_every_1024th_commit() {
        let mut purge = Purge::new(&settings(&[]));
        let start = Instant::now();
        let heads = [head(1, 5), head(2, 7), head(3, 2048)];
        assert_eq!(purge.due(&heads, start), [1, 3]);
        purge.next.insert(1, start + EVERY);
        assert_eq!(purge.due(&heads, start), [2, 3]);
        purge.next.insert(2, start + SOON);
        purge.next.insert(3, start + EVERY);
        assert_eq!(purge.due(&heads, start), [3]);
        assert_eq!(purge.due(&heads[..2], start), [0; 0]);
        assert_eq!(purge.due(&heads[..2], start + SOON), [2]);
        assert_eq!(purge.due(&heads[..2], start + EVERY), [1]);
        assert_eq!(Purge::nothing().due(&heads, start), [0; 0]);
    }

    #[test]
    fn refused_lines_are_kept_as_long_as_what_refers_to_them() {
        let closed = |pairs: &[(&str, &str)]| {
            Purge::new(&settings(pairs)).kept.unwrap().closed_fault / DAY_US
        };
        assert_eq!(closed(&[]), 90);
        assert_eq!(closed(&[("PUNCHCARD_CLOSED_FAULT_KEPT_DAYS", "1")]), 30);
    }
}
