//! Who works on a job: a claim has a token and a time at which it runs out. Whoever holds the token may write what the
//! job brings, until somebody else has taken the job.

use super::job::JobHead;
use super::rows::SyncRows;
use crate::error::Problem;
use crate::loyalty::ledger::Ledger;
use crate::loyalty::rows::Decided;

/// What a worker wishes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To have the job.
    Take,
    /// To keep it for longer.
    Renew,
    /// To give it back.
    Release,
}

/// A wish for a job.
#[derive(Debug)]
pub struct ClaimJob {
    /// The account's number.
    pub account: i32,
    /// The job's number.
    pub job: i64,
    /// The worker's token: 32 hexadecimal digits, new for each time that it takes a job.
    pub token: String,
    /// For how long the claim holds, in microseconds.
    pub lease_us: i64,
    /// What is wished.
    pub wish: Wish,
    /// The job as it was found; `None` before it is looked up, and where it is done.
    pub found: Option<Found>,
}

/// A job that is not done, as its row says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// Its number.
    pub job: i64,
    /// The next item.
    pub cursor: i32,
    /// Items that were taken so far.
    pub valid: i32,
    /// Items that have failed so far.
    pub failed: i32,
    /// Credits spent so far.
    pub charged: i32,
    /// How often it was taken.
    pub claims: i32,
    /// How often it was taken since the cursor last moved.
    pub stuck: i32,
    /// When it was first taken, in microseconds since 1970.
    pub started_at: Option<i64>,
    /// Until when the claim holds, in microseconds since 1970; 0 where there is none.
    pub claimed_until: i64,
    /// Whose claim it is.
    pub token: Option<String>,
}

/// A job as it was found under the head of its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its row.
    pub queued: Queued,
    /// Whether it is the oldest of its account that is not done.
    pub oldest: bool,
    /// The database's time, in microseconds since 1970.
    pub now_us: i64,
    /// What it is known by.
    pub head: JobHead,
}

/// A job as its worker has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// Its row.
    pub queued: Queued,
    /// What it is known by.
    pub head: JobHead,
    /// Its purchase, as it was sent.
    pub purchase: Option<String>,
}

/// Decides who has a job. Its purchase is not told here: whoever has taken the job reads it.
pub fn decide<'a>(
    claim: &'a ClaimJob,
    ledger: &Ledger,
) -> Result<Decided<'a, Option<Claimed>>, Problem> {
    let Some((found, queued)) = claim.found.as_ref().and_then(|found| {
        let queued = wished(claim, found)?;
        Some((found, queued))
    }) else {
        return Ok(Decided {
            outcome: None,
            stored: None,
        });
    };
    let rows = SyncRows {
        queue: Some(queued.clone()),
        ..SyncRows::default()
    };
    Ok(Decided {
        outcome: Some(Claimed {
            queued,
            head: found.head.clone(),
            purchase: None,
        }),
        stored: Some((rows.into(), ledger.overlay().into_changes())),
    })
}

/// The job's row as the wish makes it; `None` where it is not granted. Jobs of an account are taken in their order, so
/// that what a later request says of a person or a purchase is not overtaken by an earlier one.
fn wished(claim: &ClaimJob, found: &Found) -> Option<Queued> {
    let mut queued = found.queued.clone();
    let mine = queued.token.as_ref() == Some(&claim.token);
    match claim.wish {
        Wish::Take => {
            let free = queued.claimed_until <= found.now_us || mine;
            if !free || !found.oldest {
                return None;
            }
            queued.token = Some(claim.token.clone());
            queued.claimed_until = found.now_us.saturating_add(claim.lease_us);
            queued.claims = queued.claims.saturating_add(1);
            queued.stuck = queued.stuck.saturating_add(1);
            queued.started_at = queued.started_at.or(Some(found.now_us));
        }
        Wish::Renew if mine => {
            queued.claimed_until = found.now_us.saturating_add(claim.lease_us);
        }
        Wish::Release if mine => {
            // Whoever gives it back was not stopped by the job.
            queued.token = None;
            queued.claimed_until = 0;
            queued.stuck = queued.stuck.saturating_sub(1).max(0);
        }
        Wish::Renew | Wish::Release => return None,
    }
    Some(queued)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::ledger::{Numbers, SyncNumbers};
    use crate::loyalty::sync::id::JobId;
    use crate::loyalty::sync::job::Options;

    const NOW: i64 = 1_000;

    fn found(token: Option<&str>, claimed_until: i64) -> Found {
        Found {
            queued: Queued {
                job: 7,
                cursor: 3,
                valid: 2,
                failed: 1,
                charged: 0,
                claims: 4,
                stuck: 2,
                started_at: Some(5),
                claimed_until,
                token: token.map(str::to_owned),
            },
            oldest: true,
            now_us: NOW,
            head: JobHead {
                number: 7,
                id: JobId::new(0, [0; 3], 7),
                origin: "shop".to_owned(),
                contacts: 9,
                purchases: 0,
                options: Options::default(),
                url: None,
                created_at: 1,
            },
        }
    }

    fn decided(wish: Wish, found: Option<Found>) -> Option<Queued> {
        let claim = ClaimJob {
            account: 1,
            job: 7,
            token: "mine".to_owned(),
            lease_us: 50,
            wish,
            found,
        };
        let numbers = Numbers {
            entry: 1,
            batch: 1,
            customer: 1,
            rejection: 1,
            sale: 1,
            sync: SyncNumbers::default(),
        };
        let ledger = Ledger::new(numbers, Vec::new());
        let decided = decide(&claim, &ledger).unwrap();
        let written = decided.stored.and_then(|(rows, _)| rows.sync?.queue);
        assert_eq!(decided.outcome.map(|claimed| claimed.queued), written);
        written
    }

    #[test]
    fn a_job_is_taken_when_its_claim_has_run_out() {
        for (token, until, given) in [
            (None, 0, true),
            (Some("other"), NOW, true),
            (Some("other"), NOW + 1, false),
            (Some("mine"), NOW + 1, true),
        ] {
            let queued = decided(Wish::Take, Some(found(token, until)));
            assert_eq!(queued.is_some(), given, "{token:?} {until}");
            if let Some(queued) = queued {
                let claim = (queued.token.as_deref(), queued.claimed_until);
                assert_eq!(claim, (Some("mine"), NOW + 50));
                assert_eq!((queued.claims, queued.stuck, queued.cursor), (5, 3, 3));
                assert_eq!(queued.started_at, Some(5));
            }
        }
    }

    #[test]
    fn only_the_oldest_job_is_taken_and_none_that_is_done() {
        let mut later = found(None, 0);
        later.oldest = false;
        assert_eq!(decided(Wish::Take, Some(later)), None);
        assert_eq!(decided(Wish::Take, None), None);
    }

    #[test]
    fn only_its_holder_keeps_a_job_or_gives_it_back() {
        for wish in [Wish::Renew, Wish::Release] {
            assert_eq!(decided(wish, Some(found(Some("other"), NOW + 1))), None);
            assert_eq!(decided(wish, Some(found(None, 0))), None);
        }
        // However late: nobody else has taken it.
        let queued = decided(Wish::Renew, Some(found(Some("mine"), 1))).unwrap();
        assert_eq!((queued.claimed_until, queued.stuck), (NOW + 50, 2));
        let queued = decided(Wish::Release, Some(found(Some("mine"), 1))).unwrap();
        assert_eq!((queued.claimed_until, queued.stuck), (0, 1));
        assert_eq!(queued.token, None);
    }
}
