//! One attempt at one group: take the heads, load, decide, store, commit.
//!
//! Belongs here: the order of the steps inside the transaction. Does not belong here: what to do when a step fails
//! ([`super::writer`]).

use super::Answer;
use super::codes::Codes;
use super::command::{Command, Done};
use super::directory::Directory;
use super::queue::Job;
use crate::dates;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::fingerprint;
use crate::loyalty::ledger::{Holders, Ledger, Numbers};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::rows::Rows;
use crate::store::dialect::{self, Writes};
use crate::store::heads::{self, Head};
use crate::store::idempotency::Outcomes;
use crate::store::{Db, Failure, Result, idempotency, journal, rejections};
use chrono::Utc;
use std::collections::HashMap;
use std::sync::Arc;

/// Codes looked up outside the writer, with what tells whether they still hold.
#[derive(Clone, Debug)]
pub struct Prepared {
    keys_version: i64,
    next_customer: i64,
    /// The configuration under which lines were found worth a look-up.
    planned_for: i64,
    holders: Arc<Holders>,
}

impl Prepared {
    /// Looks up the codes of a request on a reading connection. The versions are read first, so that a change in
    /// between is noticed later.
    pub fn look_up(db: &mut Db, command: &Command) -> Result<Option<Prepared>> {
        let account = command.account();
        let Some(head) = heads::read(db, account)? else {
            return Ok(None);
        };
        let holders = Arc::new(journal::holders(db, account, command.keys())?);
        Ok(Some(Prepared {
            keys_version: head.keys_version,
            next_customer: head.next_customer,
            planned_for: command.planned_for(),
            holders,
        }))
    }
}

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
    /// Codes that need not be looked up.
    pub codes: &'w mut Codes,
}

/// How long commits are kept.
const COMMITS_KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;
/// Every so many commits of an account, its old ones are deleted, and kept outcomes whose time is over.
const PURGE_EVERY: i64 = 1024;

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
    let mut wrote = Vec::new();
    let mut writes = Writes::new(db);
    for part in jobs.chunk_by_mut(|a, b| a.command.account() == b.command.account()) {
        for job in part.iter_mut() {
            begin(job);
        }
        let number = part.first().map(|job| job.command.account());
        let head = heads
            .iter_mut()
            .find(|head| Some(head.account_id) == number);
        let account = match &head {
            Some(head) => {
                desk.directory
                    .at_version(writes.db()?, head.account_id, head.config_version)?
            }
            None => None,
        };
        let (Some(head), Some(account)) = (head, account) else {
            set_answers(part.iter_mut(), &Problem::new(Code::BadCredentials));
            continue;
        };
        if one_account(
            &mut writes,
            head,
            &account,
            part,
            desk,
            (&commit_id, now_us),
        )? {
            wrote.push(head.account_id);
        }
    }
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
        if head.next_commit.checked_rem(PURGE_EVERY) == Some(0) {
            let before_us = now_us.saturating_sub(COMMITS_KEPT_US);
            heads::purge_commits(writes.db()?, head.account_id, before_us)?;
            idempotency::purge(writes.db()?, head.account_id, now_us)?;
        }
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

/// Loads, decides and stores the jobs of one account. Tells whether anything was written.
fn one_account(
    writes: &mut Writes<'_>,
    head: &mut Head,
    account: &Account,
    jobs: &mut [Job],
    desk: &mut Desk<'_>,
    (commit_id, now_us): (&[u8; 16], i64),
) -> Result<bool> {
    for job in jobs.iter_mut().filter(|job| job.answer.is_none()) {
        // Authenticates again, and plans again if the configuration has moved.
        job.answer = job.command.plan(account).err().map(Err);
    }
    let db = writes.db()?;
    let mut before = recall(db, account.number, jobs, now_us)?;
    for job in jobs.iter_mut().filter(|job| job.answer.is_none()) {
        job.answer = answer_again(&before, job.once.as_ref());
        if job.answer.is_none() {
            job.answer = job.command.look_up(db)?.err().map(Err);
        }
    }
    let mut ledger = load(db, head, account, jobs, desk.codes)?;
    let live = || jobs.iter().filter(|job| job.answer.is_none());
    let mut answers: Vec<Answer> = Vec::new();
    let mut stored: Vec<Rows<'_>> = Vec::new();
    let mut stored_of: Vec<&Command> = Vec::new();
    let mut kept: Vec<(&Once, Kept)> = Vec::new();
    for job in live() {
        answers.push(match answer_again(&before, job.once.as_ref()) {
            Some(answer) => answer,
            None if head.open_faults >= desk.max_open_faults && job.command.may_add_faults() => {
                Err(Problem::new(Code::TooManyOpenFaults).detail(head.open_faults))
            }
            None => job.command.decide(account, &ledger).map(|decided| {
                if let Some((rows, changes)) = decided.stored {
                    ledger.accept(changes);
                    if let Some(once) = &job.once
                        && let Some(keep) = Command::kept(once, &rows)
                    {
                        before.known.insert(once.id(), (once.fingerprint, keep));
                        kept.push((once, keep));
                    }
                    stored.push(rows);
                    stored_of.push(&job.command);
                }
                decided.outcome
            }),
        });
    }
    let wrote = !stored.is_empty();
    if wrote {
        journal::save(writes, account.number, &stored, commit_id, now_us)?;
        journal::save_balances(writes, account.number, ledger.changed())?;
        if !kept.is_empty() {
            idempotency::keep(writes.db()?, account.number, &kept, &before.over, now_us)?;
        }
        head.next_entry = ledger.numbers.entry;
        head.next_batch = ledger.numbers.batch;
        head.next_customer = ledger.numbers.customer;
        head.next_rejection = ledger.numbers.rejection;
        let faults: usize = stored.iter().map(Rows::faults).sum();
        let closed = close_faults(writes, head, faults, &stored, &stored_of)?;
        let reopened = forget_undone(writes, head.account_id, &stored, &stored_of)?;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        head.open_faults = head
            .open_faults
            .saturating_add(count(faults.saturating_add(reopened)))
            .saturating_sub(count(closed));
    }
    let waiting = jobs.iter_mut().filter(|job| job.answer.is_none());
    for (job, answer) in waiting.zip(answers) {
        job.answer = Some(answer);
    }
    Ok(wrote)
}

/// Loads the keys and balances that the jobs name.
fn load(
    db: &mut Db,
    head: &Head,
    account: &Account,
    jobs: &[Job],
    codes: &mut Codes,
) -> Result<Ledger> {
    let mut ledger = Ledger::new(numbers(head), find_holders(db, head, jobs, codes)?);
    let live = jobs.iter().filter(|job| job.answer.is_none());
    let balances = live.flat_map(|job| job.command.balances(account, &ledger));
    let balances = journal::load_balances(db, account.number, balances)?;
    ledger.load(balances);
    Ok(ledger)
}

/// The outcomes that are kept for those of the jobs that may have come before.
fn recall(db: &mut Db, account: i32, jobs: &[Job], now_us: i64) -> Result<Outcomes> {
    let live = jobs.iter().filter(|job| job.answer.is_none());
    let names: Vec<&Once> = live.filter_map(|job| job.once.as_ref()).collect();
    if names.is_empty() {
        return Ok(Outcomes::default());
    }
    idempotency::recall(db, account, &names, now_us)
}

/// The answer to a request that was stored before; `None` for a new one.
fn answer_again(before: &Outcomes, once: Option<&Once>) -> Option<Answer> {
    let once = once?;
    let (fingerprint, kept) = before.known.get(&once.id())?;
    Some(if *fingerprint == once.fingerprint {
        Ok(Done::Repeated(*kept))
    } else {
        Err(Problem::new(Code::IdempotencyKeyReused).value(once.shown()))
    })
}

/// Closes the open faults of which an equal line has come, imported or refused again, and those that were posted after
/// all. `faults`: how many these requests have added. Returns how many were closed.
fn close_faults(
    writes: &mut Writes<'_>,
    head: &Head,
    faults: usize,
    stored: &[Rows<'_>],
    stored_of: &[&Command],
) -> Result<usize> {
    let replayed: Vec<i64> = stored_of.iter().filter_map(|one| one.closes()).collect();
    if !replayed.is_empty() {
        rejections::set_state(writes.db()?, head.account_id, &replayed, "replayed")?;
    }
    // Without open faults there is nothing that an equal line could close.
    if head.open_faults == 0 && (faults == 0 || stored.len() == 1) {
        return Ok(replayed.len());
    }
    let mut lines = HashMap::new();
    for (rows, command) in stored.iter().zip(stored_of) {
        if let (Some(row), Some(batch)) = (&rows.batch, command.supersedes()) {
            // A later batch may close what an earlier one of the group has just opened.
            let prints = fingerprint::of_lines(&batch.lines);
            lines.extend(prints.map(|(_, print)| (print, row.first_rejection)));
        }
    }
    let superseded = rejections::supersede(writes.db()?, head.account_id, &lines)?;
    Ok(replayed.len().saturating_add(superseded))
}

/// Batches that were undone are posted again when they are sent again, as far as only the duplicate guard knows them; and
/// a rejection that had become such a batch is open again. Returns how many are.
fn forget_undone(
    writes: &mut Writes<'_>,
    account: i32,
    stored: &[Rows<'_>],
    stored_of: &[&Command],
) -> Result<usize> {
    let mut reopened = 0_usize;
    for (rows, command) in stored.iter().zip(stored_of) {
        let Some((batch, found)) = command.undoes() else {
            continue;
        };
        if rows.entries.len() < found.open.len() {
            // Sent again, it would give those who were left out the same twice.
            continue;
        }
        let db = writes.db()?;
        idempotency::forget_guarded(db, account, &found.user_id, batch)?;
        if let Some(rejection) = found.replays {
            rejections::set_state(db, account, &[rejection], "open")?;
            idempotency::forget_replay(db, account, rejection)?;
            reopened = reopened.saturating_add(1);
        }
    }
    Ok(reopened)
}

fn numbers(head: &Head) -> Numbers {
    Numbers {
        entry: head.next_entry,
        batch: head.next_batch,
        customer: head.next_customer,
        rejection: head.next_rejection,
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
    let Some(head) = heads::read(db, number)? else {
        return gone();
    };
    let Some(account) = directory.at_version(db, number, head.config_version)? else {
        return gone();
    };
    let now_us = dates::micros(Utc::now());
    if let Err(problem) = job.command.plan(&account) {
        return Ok(Err(problem));
    }
    let before = recall(db, number, std::slice::from_ref(job), now_us)?;
    if let Some(answer) = answer_again(&before, job.once.as_ref()) {
        return Ok(answer);
    }
    if let Err(problem) = job.command.look_up(db)? {
        return Ok(Err(problem));
    }
    if head.open_faults >= max_open_faults && job.command.may_add_faults() {
        let problem = Problem::new(Code::TooManyOpenFaults).detail(head.open_faults);
        return Ok(Err(problem));
    }
    // A rehearsal is rare: it remembers nothing.
    let mut codes = Codes::new(0);
    let ledger = load(db, &head, &account, std::slice::from_ref(job), &mut codes)?;
    let decided = job.command.decide(&account, &ledger);
    Ok(decided.map(|decided| decided.outcome))
}

/// Who holds the codes that the jobs name. What was prepared outside counts as far as nothing has moved since: if keys
/// changed hands, or the configuration, by which other lines can be posted, all is looked up again; if only customers
/// were added, what nobody held then.
fn find_holders(
    db: &mut Db,
    head: &Head,
    jobs: &[Job],
    codes: &mut Codes,
) -> Result<Vec<Arc<Holders>>> {
    let remembered = codes.of(head.account_id, head.keys_version);
    let mut known: Vec<Arc<Holders>> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for job in jobs.iter().filter(|job| job.answer.is_none()) {
        match &job.prepared {
            Some(prepared)
                if prepared.keys_version == head.keys_version
                    && prepared.planned_for == head.config_version =>
            {
                if prepared.next_customer != head.next_customer {
                    unknown.extend(
                        job.command
                            .keys()
                            .filter(|value| !prepared.holders.contains_key(*value)),
                    );
                }
                known.push(Arc::clone(&prepared.holders));
            }
            _ => unknown.extend(
                job.command
                    .keys()
                    .filter(|value| !remembered.contains_key(*value)),
            ),
        }
    }
    if !unknown.is_empty() {
        let found = journal::holders(db, head.account_id, unknown.into_iter())?;
        drop(remembered);
        codes.remember(head.account_id, head.keys_version, &found);
        known.push(Arc::new(found));
    }
    known.push(codes.of(head.account_id, head.keys_version));
    Ok(known)
}
