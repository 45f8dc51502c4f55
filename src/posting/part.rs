//! The share of one account in a group: what has to be known, what is decided, what is stored.
//!
//! Belongs here: everything that is done between an account's head and its rows. Does not belong here: the transaction
//! and what the accounts of a group have in common ([`super::group`]).

use super::Answer;
use super::codes::Codes;
use super::command::{Command, Done};
use super::group::Desk;
use super::prepared::find_holders;
use super::queue::Job;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::customers::PeopleRows;
use crate::loyalty::ledger::{Ledger, Numbers, SyncNumbers};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::rows::{Decided, Rows};
use crate::loyalty::sales::Sales;
use crate::store::dialect::Writes;
use crate::store::dialect::lookup::find_names;
use crate::store::heads::Head;
use crate::store::idempotency::Outcomes;
use crate::store::journal::Wanted;
use crate::store::{
    Db, Result, config, customers, idempotency, journal, rejections, sales, sync_heads, sync_jobs,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The jobs of one account, with what is known of it.
pub struct Part<'g> {
    /// The account's head, as it is to be stored.
    head: &'g mut Head,
    account: Arc<Account>,
    jobs: &'g mut [Job],
    before: Outcomes,
    ledger: Ledger,
}

impl<'g> Part<'g> {
    /// Plans the jobs that have no answer yet, and finds out what they are about: all but their balances.
    pub fn open(
        db: &mut Db,
        head: &'g mut Head,
        account: Arc<Account>,
        jobs: &'g mut [Job],
        codes: &mut Codes,
        now_us: i64,
    ) -> Result<Part<'g>> {
        for job in jobs.iter_mut().filter(|job| job.answer.is_none()) {
            // Authenticates again, and plans again if the configuration has moved.
            job.answer = job.command.plan(&account).err().map(Err);
        }
        let before = recall(db, account.number, jobs, now_us)?;
        for job in jobs.iter_mut().filter(|job| job.answer.is_none()) {
            job.answer = answer_again(&before, job.once.as_ref());
            if job.answer.is_none() {
                job.answer = job.command.look_up(db)?.err().map(Err);
            }
        }
        let mut numbers = numbers(head);
        let mut live = jobs.iter().filter(|job| job.answer.is_none());
        if live.any(|job| job.command.counts_sync()) {
            numbers.sync = sync_heads::read(db, head.account_id)?;
        }
        let mut ledger = Ledger::new(numbers, find_holders(db, head, jobs, codes)?);
        let live = jobs.iter().filter(|job| job.answer.is_none());
        let asked: Vec<&Sales> = live.filter_map(|job| job.command.sales()).collect();
        if !asked.is_empty() {
            ledger.sales = sales::load(db, head.account_id, &asked)?;
        }
        for job in jobs.iter_mut().filter(|job| job.answer.is_none()) {
            job.command.look_up_customers(db, &account, &ledger)?;
        }
        Ok(Part {
            head,
            account,
            jobs,
            before,
            ledger,
        })
    }

    /// The account's number.
    pub fn account(&self) -> i32 {
        self.account.number
    }

    /// The balances that the jobs are about.
    fn wanted(&self) -> Wanted {
        let live = self.jobs.iter().filter(|job| job.answer.is_none());
        let account = &self.account;
        let keys = live.flat_map(|job| job.command.balances(account, &self.ledger));
        (account.number, keys.collect())
    }

    /// Reads what the customers are called of whom a reply tells the names.
    fn load_names(&mut self, db: &mut Db) -> Result<()> {
        let live = self.jobs.iter().filter(|job| job.answer.is_none());
        let told = live.filter(|job| job.command.tells_names());
        let keys = told.flat_map(|job| job.command.balances(&self.account, &self.ledger));
        let mut customers: Vec<i64> = keys.map(|key| key.customer).collect();
        customers.sort_unstable();
        customers.dedup();
        let found = find_names(db, self.account.number, &customers)?.into_iter();
        self.ledger.names = found
            .map(|(number, names)| (number, names.into()))
            .collect();
        Ok(())
    }

    /// Decides the jobs, one after the other, and stores what came of them. Tells whether anything was.
    pub fn post(
        self,
        writes: &mut Writes<'_>,
        desk: &mut Desk<'_>,
        (commit_id, now_us): (&[u8; 16], i64),
    ) -> Result<bool> {
        let Part {
            head,
            account,
            jobs,
            mut before,
            mut ledger,
        } = self;
        let counted = ledger.numbers.sync;
        let mut answers: Vec<Answer> = Vec::new();
        let mut stored: Vec<Rows<'_>> = Vec::new();
        let mut stored_of: Vec<&Command> = Vec::new();
        let mut kept: Vec<(&Once, Kept)> = Vec::new();
        for job in jobs.iter().filter(|job| job.answer.is_none()) {
            // An earlier one of the group may have been the first.
            let again = answer_again(&before, job.once.as_ref());
            let decided = match again {
                Some(answer) => {
                    answers.push(answer);
                    continue;
                }
                None => decide(&job.command, &account, head, &ledger, desk.max_open_faults),
            };
            answers.push(decided.map(|decided| {
                if let Some((rows, changes)) = decided.stored {
                    ledger.accept(changes);
                    if let Some(once) = &job.once
                        && let Some(keep) = Command::kept(once, &rows, &decided.outcome)
                    {
                        let known = (once.fingerprint, keep.clone());
                        before.known.insert(once.id(), known);
                        kept.push((once, keep));
                    }
                    stored.push(rows);
                    stored_of.push(&job.command);
                }
                decided.outcome.recorded(now_us)
            }));
        }
        let wrote = !stored.is_empty();
        if wrote {
            let number = account.number;
            let next_entry = head.next_entry;
            let people: Vec<&PeopleRows> = stored
                .iter()
                .filter_map(|rows| rows.people.as_deref())
                .collect();
            // A batch of the same group may give a code that was freed to a new customer.
            customers::free(writes, number, &people)?;
            let widened = |dates: &mut Vec<_>| desk.days.widened(number, next_entry, dates);
            journal::save(writes, number, &stored, commit_id, now_us, widened)?;
            if stored.iter().any(|rows| rows.sync.is_some()) {
                sync_jobs::save(writes, number, &stored, now_us)?;
            }
            let ends_job = |rows: &Rows<'_>| {
                let sync = rows.sync.as_ref();
                sync.is_some_and(|sync| sync.job_done.is_some())
            };
            if stored.iter().any(ends_job) {
                // Each job takes away about as much that is old as it has brought: commits alone would be too few.
                desk.purge.jobs(writes.db()?, number, now_us)?;
            }
            if stored.iter().any(|rows| rows.sales.is_some()) {
                sales::save(writes, number, &stored, now_us)?;
            }
            if !people.is_empty() {
                customers::save(writes, &account, &people, now_us)?;
                if people.iter().any(|rows| !rows.images.is_empty()) {
                    desk.purge.images(writes.db()?, number, now_us)?;
                }
            }
            if stored.iter().any(|rows| rows.config.is_some()) {
                config::save(writes, number, &stored)?;
                head.config_version = head.config_version.saturating_add(1);
            }
            if ledger.keys_moved() {
                head.keys_version = head.keys_version.saturating_add(1);
            }
            if ledger.numbers.sync != counted {
                sync_heads::save(writes, number, &ledger.numbers.sync)?;
            }
            journal::save_balances(writes, number, &ledger.changed())?;
            if !kept.is_empty() {
                idempotency::keep(writes, number, &kept, &before.over, now_us)?;
            }
            head.next_entry = ledger.numbers.entry;
            head.next_batch = ledger.numbers.batch;
            head.next_customer = ledger.numbers.customer;
            head.next_rejection = ledger.numbers.rejection;
            head.next_sale = ledger.numbers.sale;
            let faults: usize = stored.iter().map(Rows::faults).sum();
            let closed = close_faults(writes, head, faults, (&stored, &stored_of), now_us)?;
            let reopened = forget_undone(writes, head.account_id, (&stored, &stored_of), now_us)?;
            for (entry, user) in stored_of.iter().filter_map(|one| one.takes_back()) {
                // The same purchase, sent again, must not be taken for the one that was taken back.
                if let Some(user_id) = account.user_name(user) {
                    idempotency::forget_guarded_entry(writes.db()?, number, user_id, entry)?;
                }
            }
            let erased = people.iter().flat_map(|rows| &rows.erased);
            let erased = erased.flat_map(|plan| &plan.rejections);
            let closed = closed.saturating_add(erased.filter(|(_, open)| *open).count());
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

    /// Decides the first job, and keeps nothing of it.
    pub fn rehearse(self, max_open_faults: i64) -> Option<Answer> {
        let job = self.jobs.first_mut()?;
        if job.answer.is_some() {
            return job.answer.take();
        }
        let (head, ledger) = (self.head, &self.ledger);
        let decided = decide(&job.command, &self.account, head, ledger, max_open_faults);
        Some(decided.map(|decided| decided.outcome))
    }
}

/// Loads the balances of all parts of a group, and the names that replies tell.
pub fn load(db: &mut Db, parts: &mut [Part<'_>]) -> Result<()> {
    let wanted = parts.iter().map(Part::wanted).collect();
    for (account, balances) in journal::load_balances(db, wanted)? {
        let own = |part: &&mut Part<'_>| part.account.number == account;
        if let Some(part) = parts.iter_mut().find(own) {
            part.ledger.load(balances);
        }
    }
    parts.iter_mut().try_for_each(|part| part.load_names(db))
}

fn decide<'c>(
    command: &'c Command,
    account: &'c Account,
    head: &Head,
    ledger: &Ledger,
    max_open_faults: i64,
) -> std::result::Result<Decided<'c, Done>, Problem> {
    if head.open_faults >= max_open_faults && command.may_add_faults() {
        return Err(Problem::new(Code::TooManyOpenFaults).detail(head.open_faults));
    }
    command.decide(account, ledger)
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
        Ok(Done::Repeated(kept.clone()))
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
    (stored, stored_of): (&[Rows<'_>], &[&Command]),
    now_us: i64,
) -> Result<usize> {
    let replayed: Vec<i64> = stored_of.iter().filter_map(|one| one.closes()).collect();
    if !replayed.is_empty() {
        rejections::set_state(writes.db()?, head.account_id, &replayed, "replayed", now_us)?;
    }
    // Without open faults there is nothing that an equal line could close.
    let alone = stored.len() == 1 && !stored_of.iter().any(|one| one.may_supersede_itself());
    if head.open_faults == 0 && (faults == 0 || alone) {
        return Ok(replayed.len());
    }
    // A later request may close what an earlier one of the group has just opened.
    let requests = stored.iter().zip(stored_of);
    let lines: HashMap<[u8; 32], i64> = requests
        .flat_map(|(rows, command)| command.supersedes(rows, head.next_rejection))
        .collect();
    let superseded = rejections::supersede(writes.db()?, head.account_id, &lines, now_us)?;
    Ok(replayed.len().saturating_add(superseded))
}

/// Batches of which nothing is left are posted again when they are sent again, as far as only the duplicate guard knows them; and
/// a rejection that had become such a batch is open again. Returns how many are.
fn forget_undone(
    writes: &mut Writes<'_>,
    account: i32,
    (stored, stored_of): (&[Rows<'_>], &[&Command]),
    now_us: i64,
) -> Result<usize> {
    let mut reopened = 0_usize;
    for (rows, command) in stored.iter().zip(stored_of) {
        let Some(ended) = command.ends(rows) else {
            continue;
        };
        let db = writes.db()?;
        idempotency::forget_guarded(db, account, &ended.user_id, ended.batch)?;
        if let Some(rejection) = ended.replays {
            rejections::set_state(db, account, &[rejection], "open", now_us)?;
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
        sale: head.next_sale,
        sync: SyncNumbers::default(),
    }
}
