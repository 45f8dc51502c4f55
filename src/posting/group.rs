//! One attempt at one group: take the heads, load, decide, store, commit.
//!
//! Belongs here: the order of the steps inside the transaction. Does not belong here: what to do when a step fails
//! ([`super::writer`]).

use super::Answer;
use super::codes::Codes;
use super::days::Days;
use super::directory::Directory;
use super::part::{self, Part};
use super::purge::Purge;
use super::queue::Job;
use crate::dates;
use crate::error::{Code, Problem};
use crate::store::dialect::{self, Writes};
use crate::store::heads;
use crate::store::{Db, Failure, Result};
use chrono::Utc;

/// Why an attempt came to nothing, as far as is known.
#[derive(Debug)]
pub enum Stop {
    /// It failed before the commit was tried: nothing was posted.
    Failed(Failure),
    /// The commit was tried and its answer is missing.
    Unsure {
        /// The smallest account of the group.
        account: i32,
        /// The commit's number there.
        nth: i64,
        /// Its id.
        commit_id: [u8; 16],
        /// What went wrong.
        cause: Failure,
    },
    /// An earlier attempt, by its place in the list, proves to have been committed after all.
    WasCommitted(usize),
}

/// An attempt whose commit went unanswered and was not found when it was asked for. In a cluster it may still arrive:
/// every later attempt asks again.
#[derive(Debug)]
pub struct Unsettled {
    /// The smallest account of the group.
    pub account: i32,
    /// The commit's number there.
    pub nth: i64,
    /// Its id.
    pub commit_id: [u8; 16],
    /// The answers that hold if it was committed, in the order of the jobs.
    pub answers: Vec<Option<Answer>>,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

/// What a writer has at hand from one group to the next.
pub struct Desk<'w> {
    /// Accounts with their configuration.
    pub directory: &'w Directory,
    /// The most open faults of an account.
    pub max_open_faults: i64,
    /// What is deleted in passing.
    pub purge: &'w mut Purge,
    /// Codes that need not be looked up.
    pub codes: &'w mut Codes,
    /// Days that need not be written, to be forgotten when an attempt fails.
    pub days: &'w mut Days,
}

/// Writes a group in one transaction and sets each job's answer, which counts only if this returns `Ok` or the commit
/// proves to have succeeded.
pub fn attempt(
    db: &mut Db,
    jobs: &mut [Job],
    desk: &mut Desk<'_>,
    commit_id: [u8; 16],
    unsettled: &[Unsettled],
) -> std::result::Result<(), Stop> {
    jobs.sort_by_key(|job| job.command.account());
    let mut accounts: Vec<i32> = jobs.iter().map(|job| job.command.account()).collect();
    accounts.dedup();
    dialect::begin(db)?;
    let mut heads = heads::take(db, &accounts)?;
    for (place, earlier) in unsettled.iter().enumerate() {
        let found = heads::commit_id(db, earlier.account, earlier.nth)?;
        if found.as_deref() == Some(earlier.commit_id.as_slice()) {
            return Err(Stop::WasCommitted(place));
        }
    }
    let now_us = dates::micros(Utc::now());
    // Before anything is decided: an account whose inbox is full may have room now.
    let mut wrote = desk.purge.accounts(db, &mut heads, now_us)?;
    let mut parts = Vec::with_capacity(accounts.len());
    let mut free = heads.iter_mut();
    for jobs in jobs.chunk_by_mut(|a, b| a.command.account() == b.command.account()) {
        for job in jobs.iter_mut() {
            begin(job);
        }
        let number = jobs.first().map(|job| job.command.account());
        // Both are in the order of their accounts.
        let head = free.find(|head| Some(head.account_id) >= number);
        let head = head.filter(|head| Some(head.account_id) == number);
        let account = match &head {
            Some(head) => desk
                .directory
                .at_version(db, head.account_id, head.config_version)?,
            None => None,
        };
        match (head, account) {
            (Some(head), Some(account)) => {
                parts.push(Part::open(db, head, account, jobs, desk.codes, now_us)?);
            }
            _ => set_answers(jobs.iter_mut(), &Problem::new(Code::BadCredentials)),
        }
    }
    part::load(db, &mut parts)?;
    let mut writes = Writes::new(db);
    for part in parts {
        let account = part.account();
        if part.post(&mut writes, desk, (&commit_id, now_us))? {
            wrote.push(account);
        }
    }
    wrote.sort_unstable();
    wrote.dedup();
    let Some(smallest) = wrote.first().copied() else {
        // Everything was refused: there is nothing to keep.
        dialect::rollback(db)?;
        return Ok(());
    };
    let mut nth = 0;
    for head in heads
        .iter_mut()
        .filter(|head| wrote.contains(&head.account_id))
    {
        if head.account_id == smallest {
            nth = head.next_commit;
            heads::note_commit(&mut writes, head, &commit_id, now_us)?;
        } else {
            head.next_commit = head.next_commit.saturating_add(1);
        }
        heads::save(&mut writes, head)?;
    }
    writes.flush()?;
    match dialect::commit(db) {
        Ok(()) => Ok(()),
        // The engine says that it rolled back: known to be nothing.
        Err(failure @ Failure::Conflict(_)) => Err(Stop::Failed(failure)),
        Err(cause) => Err(Stop::Unsure {
            account: smallest,
            nth,
            commit_id,
            cause,
        }),
    }
}

/// A job whose caller has given up is left out; any other is carried through from here on.
fn begin(job: &mut Job) {
    job.answer = None;
    if !job.begun && !job.claim.take() {
        job.answer = Some(Err(
            Problem::new(Code::Unavailable).detail("it waited too long")
        ));
    } else {
        job.begun = true;
    }
}

fn set_answers<'j>(jobs: impl Iterator<Item = &'j mut Job>, problem: &Problem) {
    for job in jobs.filter(|job| job.answer.is_none()) {
        job.answer = Some(Err(problem.clone()));
    }
}

/// Decides one request on a snapshot, by the same rules and look-ups as posting, and throws the rows away.
pub fn rehearse(
    db: &mut Db,
    job: &mut Job,
    directory: &Directory,
    max_open_faults: i64,
) -> Result<Answer> {
    dialect::begin_snapshot(db)?;
    let answer = rehearse_on(db, job, directory, max_open_faults);
    dialect::rollback(db)?;
    answer
}

fn rehearse_on(
    db: &mut Db,
    job: &mut Job,
    directory: &Directory,
    max_open_faults: i64,
) -> Result<Answer> {
    let number = job.command.account();
    let gone = || Ok(Err(Problem::new(Code::BadCredentials)));
    let Some(mut head) = heads::read(db, number)? else {
        return gone();
    };
    let Some(account) = directory.at_version(db, number, head.config_version)? else {
        return gone();
    };
    let now_us = dates::micros(Utc::now());
    // A rehearsal is rare: it remembers nothing.
    let mut codes = Codes::new(0);
    let jobs = std::slice::from_mut(job);
    let mut part = Part::open(db, &mut head, account, jobs, &mut codes, now_us)?;
    part::load(db, std::slice::from_mut(&mut part))?;
    part.rehearse(max_open_faults).map_or_else(gone, Ok)
}
