//! Jobs of `sync_data`: stored, finished, told.
//!
//! Belongs here: the rows of a job, and the order in which everything of [`SyncRows`] is written. Does not belong here:
//! how far a job is ([`super::sync_queue`]), what became of its items ([`super::sync_items`]).

use super::dialect::{self, Writes, rows::delete, rows::rows};
use super::schema::{custom_names, sync_jobs, sync_parts, sync_queue};
use super::sync_items::{read_errors, read_state, stored_errors};
use super::sync_queue::{broken, head};
use super::{Db, Result, credits, outbox, people, purchases, sync_items};
use crate::loyalty::contacts;
use crate::loyalty::purchases::merge;
use crate::loyalty::rows::Rows;
use crate::loyalty::sync::claim::Queued;
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::{JobHead, Known, NewJob, Part};
use crate::loyalty::sync::rows::{JobDone, JobRow, SyncRows};
use crate::loyalty::sync::view::{ItemState, JobState, JobView, Page, PurchaseResult};
use crate::text;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

rows! {
    struct Row<'a> in sync_jobs {
        account_id: i32,
        number: i64,
        job_id: String,
        origin: &'a str,
        state: &'a str,
        contacts: i32,
        purchases: i16,
        options: String,
        webhook_url: Option<&'a str>,
        purchase: Option<&'a str>,
        purchase_code: Option<&'a str>,
        purchase_state: Option<i16>,
        purchase_id: Option<&'a str>,
        purchase_errors: Option<String>,
        purchase_told: Option<&'a str>,
        valid: i32,
        failed: i32,
        charged: i32,
        event: Option<i64>,
        reason: Option<&'a str>,
        created_at: i64,
        started_at: Option<i64>,
        completed_at: Option<i64>,
    }
    key account_id, number;
    set state, purchase, purchase_code, purchase_state, purchase_id, purchase_errors, purchase_told, valid, failed,
        charged, event, reason, started_at, completed_at
}

rows! {
    struct PartRow<'a> in sync_parts {
        account_id: i32,
        job: i64,
        first: i32,
        contacts: &'a str,
    }
}

/// The state of a job that is not done.
const OPEN: &str = "open";

/// The longest reason, in characters.
const REASON_MAX_CHARS: usize = 255;

fn row(account: i32, head: &JobHead) -> Row<'_> {
    Row {
        account_id: account,
        number: head.number,
        job_id: head.id.hex(),
        origin: &head.origin,
        state: OPEN,
        contacts: head.contacts,
        purchases: head.purchases,
        options: head.options.json(),
        webhook_url: head.url.as_deref(),
        purchase: None,
        purchase_code: None,
        purchase_state: None,
        purchase_id: None,
        purchase_errors: None,
        purchase_told: None,
        valid: 0,
        failed: 0,
        charged: 0,
        event: None,
        reason: None,
        created_at: head.created_at,
        started_at: None,
        completed_at: None,
    }
}

fn new_row<'r>(account: i32, job: &'r JobRow<'_>) -> Row<'r> {
    let purchase = job.request.purchase.as_ref();
    Row {
        purchase: purchase.map(|purchase| purchase.raw.as_str()),
        purchase_code: purchase.and_then(|purchase| purchase.code.as_deref()),
        ..row(account, &job.head)
    }
}

fn done_row<'r>(account: i32, done: &'r JobDone<'_>) -> Row<'r> {
    let state = match done.reason {
        None => JobState::Completed,
        Some(_) => JobState::Failed,
    };
    let purchase = done.purchase.as_ref();
    Row {
        state: state.word(),
        purchase_code: purchase.and_then(|purchase| purchase.code.as_deref()),
        purchase_state: purchase.map(|purchase| purchase.state.stored()),
        purchase_id: purchase.and_then(|purchase| purchase.id.as_deref()),
        purchase_errors: purchase.and_then(|purchase| stored_errors(&purchase.errors)),
        purchase_told: purchase.and_then(|purchase| purchase.told.as_deref()),
        valid: done.valid,
        failed: done.failed,
        charged: done.charged,
        event: done.event,
        reason: done
            .reason
            .as_deref()
            .map(|reason| text::cut(reason, REASON_MAX_CHARS)),
        started_at: done.started_at,
        completed_at: Some(done.completed_at),
        ..row(account, done.head)
    }
}

/// Writes what some commands of an account have brought beside the rows that all commands have.
pub fn save(
    writes: &mut Writes<'_>,
    account: i32,
    requests: &[Rows<'_>],
    now_us: i64,
) -> Result<()> {
    let all = || requests.iter().filter_map(|rows| rows.sync.as_deref());
    let jobs = all().filter_map(|rows| rows.job.as_ref());
    let new = jobs.clone().map(|job| new_row(account, job));
    let done = all().filter_map(|rows| rows.job_done.as_ref());
    let done = done.map(|done| done_row(account, done));
    Row::save(writes, &new.chain(done).collect::<Vec<_>>())?;
    let parts = jobs.clone().flat_map(|job| {
        let parts = job.request.parts.iter();
        parts.map(|part| PartRow {
            account_id: account,
            job: job.head.number,
            first: part.first,
            contacts: &part.contacts,
        })
    });
    PartRow::save(writes, &parts.collect::<Vec<_>>())?;
    let waiting: Vec<Queued> = jobs.map(|job| waiting(job.head.number)).collect();
    let queued = all().filter_map(|rows| rows.queue.as_ref());
    super::sync_queue::save(writes, account, waiting.iter().chain(queued))?;
    for rows in all() {
        save_one(writes, account, rows)?;
    }
    let consents = all().flat_map(|rows| &rows.consents);
    people::save_consents(writes, account, consents, now_us)?;
    let names = all().flat_map(|rows| rows.custom_names.iter().copied());
    people::save_names(writes, account, names)?;
    let items = all().flat_map(|rows| &rows.items);
    sync_items::save(writes, account, items)?;
    let entries = all().filter_map(|rows| rows.credit.as_ref());
    credits::save(writes, account, entries, now_us)
}

/// The row in the queue of a job that is new.
fn waiting(job: i64) -> Queued {
    Queued {
        job,
        cursor: 0,
        valid: 0,
        failed: 0,
        charged: 0,
        claims: 0,
        stuck: 0,
        started_at: None,
        claimed_until: 0,
        token: None,
    }
}

fn save_one(writes: &mut Writes<'_>, account: i32, rows: &SyncRows<'_>) -> Result<()> {
    people::save(writes, account, &rows.people)?;
    if let Some(purchase) = &rows.purchase {
        purchases::save(writes, account, purchase)?;
    }
    if let Some((job, first)) = rows.part_done {
        delete!(
            writes,
            sync_parts,
            account_id = account,
            job = job,
            first = first
        );
    }
    if let Some(done) = &rows.job_done {
        let job = done.head.number;
        super::sync_queue::remove(writes, account, job)?;
        if done.reason.is_some() {
            // What has not been worked off will not be.
            delete!(writes, sync_parts, account_id = account, job = job);
        }
    }
    if let Some(event) = &rows.event {
        outbox::save(writes, account, event)?;
    }
    Ok(())
}

/// What has to be known before a request is stored.
pub fn known(db: &mut Db, job: &NewJob) -> Result<Known> {
    let code_known = match job.needs_code() {
        Some(code) => {
            purchases::is_known(db, job.account, code)? || is_open_code(db, job.account, code)?
        }
        None => false,
    };
    let mut asked: HashMap<i16, Vec<&str>> = HashMap::new();
    for (kind, name) in job.unsure_names() {
        asked.entry(kind).or_default().push(name);
    }
    let mut names = HashSet::new();
    for (kind, asked) in asked {
        let found: Vec<(i16, String)> = custom_names::table
            .filter(custom_names::account_id.eq(job.account))
            .filter(custom_names::kind.eq(kind))
            .filter(custom_names::name.eq_any(asked))
            .select((custom_names::kind, custom_names::name))
            .load(db)?;
        names.extend(found);
    }
    Ok(Known {
        code_known,
        names,
        now_us: dialect::queue::now_us(db)?,
    })
}

/// Whether a job that is not done brings a purchase with this transaction code.
fn is_open_code(db: &mut Db, account: i32, code: &str) -> Result<bool> {
    let found: Option<i64> = sync_queue::table
        .inner_join(
            sync_jobs::table.on(sync_jobs::account_id
                .eq(sync_queue::account_id)
                .and(sync_jobs::number.eq(sync_queue::job))),
        )
        .filter(sync_queue::account_id.eq(account))
        .filter(sync_jobs::purchase_code.eq(code))
        .select(sync_jobs::number)
        .first(db)
        .optional()?;
    Ok(found.is_some())
}

/// The contacts of a job among which an item is.
pub fn part(db: &mut Db, account: i32, job: i64, item: i32) -> Result<Option<Part>> {
    let row: Option<(i32, String)> = sync_parts::table
        .filter(sync_parts::account_id.eq(account))
        .filter(sync_parts::job.eq(job))
        .filter(sync_parts::first.le(item))
        .order(sync_parts::first.desc())
        .select((sync_parts::first, sync_parts::contacts))
        .first(db)
        .optional()?;
    Ok(row.map(|(first, contacts)| Part { first, contacts }))
}

/// The contacts of a job that are left.
pub fn parts(db: &mut Db, account: i32, job: i64) -> Result<Vec<Part>> {
    let rows: Vec<(i32, String)> = sync_parts::table
        .filter(sync_parts::account_id.eq(account))
        .filter(sync_parts::job.eq(job))
        .select((sync_parts::first, sync_parts::contacts))
        .load(db)?;
    let parts = rows.into_iter();
    Ok(parts
        .map(|(first, contacts)| Part { first, contacts })
        .collect())
}

/// The purchase of a job that is not done, as it was sent.
pub fn purchase(db: &mut Db, account: i32, job: i64) -> Result<Option<String>> {
    let row: Option<Option<String>> = sync_jobs::table
        .find((account, job))
        .select(sync_jobs::purchase)
        .first(db)
        .optional()?;
    Ok(row.flatten())
}

type HeadColumns = (String, String, i32, i16, String, Option<String>, i64);
type Counts = (i32, i32, i32, Option<i64>);
type PurchaseColumns = (
    Option<String>,
    Option<i16>,
    Option<String>,
    Option<String>,
    Option<String>,
);
/// Number, head, state, counts, when done, reason, purchase, and of the queue: counts and claims.
type Columns = (
    i64,
    HeadColumns,
    String,
    Counts,
    Option<i64>,
    Option<String>,
    PurchaseColumns,
    Option<(Counts, i32)>,
);

/// A job that its row and its row in the queue tell together, read at one time.
macro_rules! jobs {
    () => {
        sync_jobs::table
            .left_join(
                sync_queue::table.on(sync_queue::account_id
                    .eq(sync_jobs::account_id)
                    .and(sync_queue::job.eq(sync_jobs::number))),
            )
            .select((
                sync_jobs::number,
                (
                    sync_jobs::job_id,
                    sync_jobs::origin,
                    sync_jobs::contacts,
                    sync_jobs::purchases,
                    sync_jobs::options,
                    sync_jobs::webhook_url,
                    sync_jobs::created_at,
                ),
                sync_jobs::state,
                (
                    sync_jobs::valid,
                    sync_jobs::failed,
                    sync_jobs::charged,
                    sync_jobs::started_at,
                ),
                sync_jobs::completed_at,
                sync_jobs::reason,
                (
                    sync_jobs::purchase_code,
                    sync_jobs::purchase_state,
                    sync_jobs::purchase_id,
                    sync_jobs::purchase_errors,
                    sync_jobs::purchase_told,
                ),
                (
                    (
                        sync_queue::valid,
                        sync_queue::failed,
                        sync_queue::charged,
                        sync_queue::started_at,
                    ),
                    sync_queue::claims,
                )
                    .nullable(),
            ))
    };
}

fn told(columns: Columns) -> Result<JobView> {
    let (number, columns, state, counts, completed_at, reason, purchase, queued) = columns;
    let (state, counts) = match (state.as_str(), queued) {
        (OPEN, Some((counts, 0))) => (JobState::Queued, counts),
        (OPEN, Some((counts, _))) => (JobState::Processing, counts),
        (word, _) => {
            let state = JobState::from_word(word).ok_or_else(|| broken("state"))?;
            (state, counts)
        }
    };
    let (code, purchase_state, id, errors, told) = purchase;
    let purchase = match purchase_state {
        None => None,
        Some(state) => Some(PurchaseResult {
            state: read_state(state)?,
            id,
            code,
            errors: read_errors(errors.as_deref())?,
            fields: None,
            told,
        }),
    };
    let (valid, failed, charged, started_at) = counts;
    Ok(JobView {
        head: head(number, columns)?,
        state,
        valid,
        failed,
        charged,
        started_at,
        completed_at,
        reason,
        purchase,
        results: Vec::new(),
    })
}

/// A job without its results.
pub fn find(db: &mut Db, account: i32, number: i64) -> Result<Option<JobView>> {
    let row: Option<Columns> = jobs!()
        .filter(sync_jobs::account_id.eq(account))
        .filter(sync_jobs::number.eq(number))
        .first(db)
        .optional()?;
    row.map(told).transpose()
}

/// A job with its results; `None` if the account has none with this id.
pub fn view(db: &mut Db, account: i32, id: JobId, page: Page) -> Result<Option<JobView>> {
    let found = find(db, account, id.number())?;
    let Some(mut job) = found.filter(|job| job.head.id == id) else {
        return Ok(None);
    };
    // Items that were worked off since then are left out: the counts would not fit.
    let end = job.valid.saturating_add(job.failed);
    let range = (page.offset, page.limit);
    let results = sync_items::results(db, account, id.number(), end, range)?;
    let people = if page.expand_contact {
        let mut numbers: Vec<i64> = results.iter().filter_map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let people = people::of(db, account, &numbers)?;
        let people = people.into_iter().filter(|person| !person.is_erased());
        people.map(|person| (person.customer, person)).collect()
    } else {
        HashMap::new()
    };
    job.results = results
        .into_iter()
        .map(|(mut result, customer)| {
            let person = customer.and_then(|customer| people.get(&customer));
            result.contact = person.map(contacts::told::view);
            result
        })
        .collect();
    if page.expand_purchase
        && let Some(purchase) = &mut job.purchase
        && purchase.state != ItemState::Failed
        && let Some(code) = &purchase.code
    {
        let stored = purchases::load(db, account, code)?;
        purchase.fields = stored.as_ref().map(merge::view);
    }
    Ok(Some(job))
}

/// The newest jobs of an account without their results: at most `limit`, numbered below `before`.
pub fn list(
    db: &mut Db,
    account: i32,
    state: Option<JobState>,
    limit: i64,
    before: Option<i64>,
) -> Result<Vec<JobView>> {
    let mut query = jobs!()
        .filter(sync_jobs::account_id.eq(account))
        .order(sync_jobs::number.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(sync_jobs::number.lt(before));
    }
    query = match state {
        None => query,
        Some(JobState::Queued) => query.filter(sync_queue::claims.nullable().eq(0)),
        Some(JobState::Processing) => query.filter(sync_queue::claims.nullable().gt(0)),
        Some(done) => query.filter(sync_jobs::state.eq(done.word())),
    };
    let rows: Vec<Columns> = query.load(db)?;
    rows.into_iter().map(told).collect()
}
