//! Jobs with their items, parts and rows in the queue, and the ledger of credits.

use super::super::schema::{credits, sync_items, sync_jobs, sync_parts, sync_queue};
use super::super::{Result, sync_heads};
use super::customers::NumberSet;
use super::{CHUNK, Check, or_none};
use crate::loyalty::ledger::SyncNumbers;
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::view::ItemState;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A job that ended later than this has all of its items and its webhook: they are kept for a day at least, and clocks
/// differ.
pub(super) const KEPT_CERTAIN_US: i64 = 20 * 3600 * 1_000_000;

/// What an account counts; of one without a row nothing was counted yet.
pub(super) fn numbers(check: &mut Check<'_>) -> Result<SyncNumbers> {
    let found = sync_heads::find(check.db, check.account)?;
    let numbers = found.unwrap_or(SyncNumbers {
        job: 1,
        event: 1,
        credit: 1,
        consent: 1,
        credits: None,
    });
    for (name, value) in [
        ("next_job", numbers.job),
        ("next_event", numbers.event),
        ("next_credit", numbers.credit),
        ("next_consent", numbers.consent),
    ] {
        if value < 1 {
            check.add("sync_heads", name, value, "1 or more");
        }
    }
    Ok(numbers)
}

/// Checks the ledger of credits; gives what each job has spent.
pub(super) fn check_credits(
    check: &mut Check<'_>,
    numbers: &SyncNumbers,
) -> Result<HashMap<i64, i64>> {
    let mut spent: HashMap<i64, i64> = HashMap::new();
    let (mut last, mut balance) = (0_i64, None);
    loop {
        type Row = (i64, String, i64, i64, Option<i64>);
        let rows: Vec<Row> = credits::table
            .filter(credits::account_id.eq(check.account))
            .filter(credits::number.gt(last))
            .order(credits::number)
            .limit(CHUNK)
            .select((
                credits::number,
                credits::kind,
                credits::amount,
                credits::balance_after,
                credits::job,
            ))
            .load(check.db)?;
        if rows.is_empty() {
            break;
        }
        for (number, kind, amount, after, job) in rows {
            let next = last.saturating_add(1);
            if number != next {
                check.add("credits", number, format!("follows {last}"), next);
            }
            last = number;
            let sum = balance.unwrap_or(0_i64).saturating_add(amount);
            // An account may have been without limit for a while: then its ledger opens later.
            if after != sum || after < 0 {
                let is = format!("balance_after {after}");
                let should = format!("balance_after {}", sum.max(0));
                check.add("credits", number, is, should);
            }
            balance = Some(after);
            match (kind.as_str(), job) {
                ("spent", Some(job)) if amount < 0 => {
                    let sum = spent.entry(job).or_default();
                    *sum = sum.saturating_sub(amount);
                }
                ("opening", None) if number == 1 && amount >= 0 => {}
                ("added", None) => {}
                _ => {
                    let is = format!("{kind} {amount} by job {}", or_none(job));
                    let should = "opening first, added, or spent by a job";
                    check.add("credits", number, is, should);
                }
            }
        }
    }
    let next = last.saturating_add(1);
    if numbers.credit != next {
        check.add("sync_heads", "next_credit", numbers.credit, next);
    }
    if numbers.credits != balance {
        let (is, should) = (or_none(numbers.credits), or_none(balance));
        check.add("sync_heads", "credits", is, should);
    }
    Ok(spent)
}

/// A job as its row says.
struct Job {
    job_id: String,
    open: bool,
    known_state: bool,
    contacts: i32,
    purchases: i16,
    has_purchase: bool,
    purchase_state: Option<i16>,
    valid: i32,
    failed: i32,
    charged: i32,
    completed_at: Option<i64>,
}

/// What the items of a job come to.
#[derive(Default)]
struct Tally {
    first: Option<i32>,
    next: i32,
    gaps: bool,
    valid: i32,
    failed: i32,
    charged: i32,
}

/// How far an open job is.
struct Queued {
    cursor: i32,
    valid: i32,
    failed: i32,
    charged: i32,
}

/// Checks the jobs; `spent` is what each has spent by the ledger. Gives the numbers of those that are there.
pub(super) fn check_jobs(
    check: &mut Check<'_>,
    numbers: &SyncNumbers,
    customers: &NumberSet,
    mut spent: HashMap<i64, i64>,
) -> Result<NumberSet> {
    let mut known = NumberSet::default();
    let mut after = i64::MIN;
    loop {
        let jobs = load_jobs(check, after)?;
        // What lies behind the last job belongs to none.
        let last = jobs
            .last_key_value()
            .map_or(i64::MAX, |(number, _)| *number);
        let mut tallies = load_items(check, (after, last), customers)?;
        let mut queue = load_queue(check, (after, last))?;
        let mut parts = load_parts(check, (after, last))?;
        for (number, job) in &jobs {
            known.insert(*number);
            if *number < 1 || *number >= numbers.job {
                let should = format!("from 1 to below next_job {}", numbers.job);
                check.add("sync_jobs", number, format!("number {number}"), should);
            }
            let tally = tallies.remove(number).unwrap_or_default();
            let spent = spent.remove(number).unwrap_or(0);
            check_job(check, *number, job, &tally, spent);
            let parts = parts.remove(number).unwrap_or_default();
            match queue.remove(number) {
                Some(queued) => check_queued(check, (*number, job), &queued, &tally, &parts),
                None if job.open => {
                    check.add("sync_jobs", number, "open, but not in the queue", "done");
                }
                None if parts.is_empty() => {}
                None => check.add("sync_parts", number, "a job that is done", "an open job"),
            }
        }
        let strays = [
            ("sync_items", tallies.into_keys().collect::<HashSet<i64>>()),
            ("sync_queue", queue.into_keys().collect()),
            ("sync_parts", parts.into_keys().collect()),
        ];
        for (table, jobs) in strays {
            let mut jobs: Vec<i64> = jobs.into_iter().collect();
            jobs.sort_unstable();
            for job in jobs {
                let is = format!("job {job}, which does not exist");
                check.add(table, job, is, "a job");
            }
        }
        if jobs.is_empty() {
            break;
        }
        after = last;
    }
    let mut spent: Vec<i64> = spent.into_keys().collect();
    spent.sort_unstable();
    for job in spent {
        let is = format!("spent by job {job}, which does not exist");
        check.add("credits", format!("job {job}"), is, "a job");
    }
    Ok(known)
}

fn load_jobs(check: &mut Check<'_>, after: i64) -> Result<BTreeMap<i64, Job>> {
    type Counts = (i32, i32, i32);
    type Row = (
        i64,
        String,
        String,
        i32,
        i16,
        Option<String>,
        Option<i16>,
        Counts,
        Option<String>,
        Option<i64>,
    );
    let rows: Vec<Row> = sync_jobs::table
        .filter(sync_jobs::account_id.eq(check.account))
        .filter(sync_jobs::number.gt(after))
        .order(sync_jobs::number)
        .limit(CHUNK)
        .select((
            sync_jobs::number,
            sync_jobs::job_id,
            sync_jobs::state,
            sync_jobs::contacts,
            sync_jobs::purchases,
            sync_jobs::purchase,
            sync_jobs::purchase_state,
            (sync_jobs::valid, sync_jobs::failed, sync_jobs::charged),
            sync_jobs::reason,
            sync_jobs::completed_at,
        ))
        .load(check.db)?;
    let jobs = rows.into_iter().map(|row| {
        let (
            number,
            job_id,
            state,
            contacts,
            purchases,
            purchase,
            purchase_state,
            counts,
            reason,
            completed_at,
        ) = row;
        let (valid, failed, charged) = counts;
        let job = Job {
            job_id,
            open: state == "open",
            known_state: ["open", "completed", "failed"].contains(&state.as_str())
                && (state == "failed") == reason.is_some(),
            contacts,
            purchases,
            has_purchase: purchase.is_some(),
            purchase_state,
            valid,
            failed,
            charged,
            completed_at,
        };
        (number, job)
    });
    Ok(jobs.collect())
}

/// Tallies of the items of the jobs behind `after` up to `last`.
fn load_items(
    check: &mut Check<'_>,
    (after, last): (i64, i64),
    customers: &NumberSet,
) -> Result<HashMap<i64, Tally>> {
    let mut tallies: HashMap<i64, Tally> = HashMap::new();
    let mut behind = (after, i32::MAX);
    loop {
        type Row = (i64, i32, i16, Option<i64>, bool);
        let rows: Vec<Row> = sync_items::table
            .filter(sync_items::account_id.eq(check.account))
            .filter(
                sync_items::job.gt(behind.0).or(sync_items::job
                    .eq(behind.0)
                    .and(sync_items::item.gt(behind.1))),
            )
            .filter(sync_items::job.le(last))
            .order((sync_items::job, sync_items::item))
            .limit(CHUNK)
            .select((
                sync_items::job,
                sync_items::item,
                sync_items::state,
                sync_items::customer,
                sync_items::charged,
            ))
            .load(check.db)?;
        let Some(end) = rows.last() else {
            return Ok(tallies);
        };
        behind = (end.0, end.1);
        for (job, item, state, customer, charged) in rows {
            let tally = tallies.entry(job).or_default();
            tally.gaps |= tally.first.is_some() && item != tally.next;
            tally.first.get_or_insert(item);
            tally.next = item.saturating_add(1);
            let failed = ItemState::from_stored(state) == Some(ItemState::Failed);
            let count = if failed {
                &mut tally.failed
            } else {
                &mut tally.valid
            };
            *count = count.saturating_add(1);
            tally.charged = tally.charged.saturating_add(i32::from(charged));
            let place = format!("{job}/{item}");
            if ItemState::from_stored(state).is_none() {
                check.add("sync_items", &place, format!("state {state}"), "1 to 3");
            }
            let exists = customer.is_some_and(|customer| customers.contains(customer));
            if exists == failed {
                let is = format!("customer {}", or_none(customer));
                let should = if failed { "none" } else { "a customer" };
                check.add("sync_items", place, is, should);
            }
        }
    }
}

fn load_queue(check: &mut Check<'_>, (after, last): (i64, i64)) -> Result<HashMap<i64, Queued>> {
    type Row = (i64, i32, i32, i32, i32);
    let rows: Vec<Row> = sync_queue::table
        .filter(sync_queue::account_id.eq(check.account))
        .filter(sync_queue::job.gt(after))
        .filter(sync_queue::job.le(last))
        .select((
            sync_queue::job,
            sync_queue::cursor_at,
            sync_queue::valid,
            sync_queue::failed,
            sync_queue::charged,
        ))
        .load(check.db)?;
    let queue = rows.into_iter();
    let queue = queue.map(|(job, cursor, valid, failed, charged)| {
        let queued = Queued {
            cursor,
            valid,
            failed,
            charged,
        };
        (job, queued)
    });
    Ok(queue.collect())
}

fn load_parts(check: &mut Check<'_>, (after, last): (i64, i64)) -> Result<HashMap<i64, Vec<i32>>> {
    let rows: Vec<(i64, i32)> = sync_parts::table
        .filter(sync_parts::account_id.eq(check.account))
        .filter(sync_parts::job.gt(after))
        .filter(sync_parts::job.le(last))
        .order((sync_parts::job, sync_parts::first))
        .select((sync_parts::job, sync_parts::first))
        .load(check.db)?;
    let mut parts: HashMap<i64, Vec<i32>> = HashMap::new();
    for (job, first) in rows {
        parts.entry(job).or_default().push(first);
    }
    Ok(parts)
}

/// What holds of a job by itself and with its items.
fn check_job(check: &mut Check<'_>, number: i64, job: &Job, tally: &Tally, spent: i64) {
    if JobId::parse(&job.job_id).is_none_or(|id| id.number() != number) {
        let is = format!("job_id {}", job.job_id);
        check.add("sync_jobs", number, is, format!("an id of number {number}"));
    }
    if !job.known_state || job.open != job.completed_at.is_none() {
        let is = "a state that its other columns contradict";
        check.add("sync_jobs", number, is, "open, completed or failed");
    }
    if tally.gaps {
        check.add("sync_items", number, "items are missing", "each item once");
    }
    // A job whose items were deleted with age has spent what it spent.
    if tally.first == Some(0) && spent != i64::from(tally.charged) {
        let is = format!("{spent} credits spent");
        let should = format!("{} items charged", tally.charged);
        check.add("sync_jobs", number, is, should);
    }
    if job.open {
        return;
    }
    let counted = job.valid.saturating_add(job.failed);
    if counted != job.contacts {
        let is = format!("valid {} and failed {}", job.valid, job.failed);
        let should = format!("{} in all", job.contacts);
        check.add("sync_jobs", number, is, should);
    }
    if i64::from(job.charged) != spent {
        let is = format!("charged {}", job.charged);
        check.add("sync_jobs", number, is, format!("charged {spent}"));
    }
    let young = check.now_us.saturating_sub(KEPT_CERTAIN_US);
    let certain = job.completed_at.is_some_and(|at| at > young);
    let whole = tally.first.unwrap_or(0) == 0;
    let same = tally.valid == job.valid && tally.failed == job.failed;
    if certain && !(whole && same) {
        let is = format!("{} items taken, {} failed", tally.valid, tally.failed);
        let should = format!("valid {}, failed {}", job.valid, job.failed);
        check.add("sync_jobs", number, is, should);
    }
    if job.has_purchase || (job.purchases > 0) != job.purchase_state.is_some() {
        let is = "a purchase that waits";
        check.add("sync_jobs", number, is, "what became of it");
    }
}

/// What holds of a job that is not done.
fn check_queued(
    check: &mut Check<'_>,
    (number, job): (i64, &Job),
    queued: &Queued,
    tally: &Tally,
    parts: &[i32],
) {
    if !job.open {
        check.add("sync_queue", number, "a job that is done", "an open job");
        return;
    }
    let items = (tally.valid, tally.failed, tally.charged);
    if (queued.valid, queued.failed, queued.charged) != items || queued.cursor != tally.next {
        let Queued {
            cursor,
            valid,
            failed,
            charged,
        } = queued;
        let is = format!("cursor {cursor}, valid {valid}, failed {failed}, charged {charged}");
        let (valid, failed, charged) = items;
        let should = format!(
            "cursor {}, valid {valid}, failed {failed}, charged {charged}",
            tally.next
        );
        check.add("sync_queue", number, is, should);
    }
    // The first part that is left holds the next item.
    let waits = queued.cursor < job.contacts;
    let first = parts.first().copied();
    if first.is_some_and(|first| first > queued.cursor) || waits != first.is_some() {
        let is = format!("the first part begins at {}", or_none(first));
        let should = match waits {
            true => format!("at {} or before", queued.cursor),
            false => "no part".to_owned(),
        };
        check.add("sync_parts", number, is, should);
    }
}
