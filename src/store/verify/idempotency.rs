//! What is kept of requests that come again: it names a job, sales, an entry, a customer, or a batch, its rejections, or a
//! rejection that was posted after all.

use super::super::Result;
use super::super::schema::{batches, idempotency, rejections};
use super::customers::NumberSet;
use super::{CHUNK, Check, or_none};
use crate::loyalty::once::{Kept, KeptBatch, REPLAY};
use crate::loyalty::sales::SaleOutcome;
use crate::store::heads::Head;
use crate::text;
use diesel::prelude::*;
use std::collections::HashMap;

/// Dialect, caller, name, outcome.
type Row = (String, String, String, String);

/// Checks the rows of the account, in chunks by their key.
pub(super) fn check(check: &mut Check<'_>, jobs: &NumberSet) -> Result<()> {
    let mut after = (String::new(), String::new(), String::new());
    loop {
        let (dialect, caller, name) = after;
        let behind = idempotency::dialect
            .gt(dialect.clone())
            .or(idempotency::dialect
                .eq(dialect.clone())
                .and(idempotency::caller.gt(caller.clone())));
        let behind = behind.or(idempotency::dialect
            .eq(dialect)
            .and(idempotency::caller.eq(caller))
            .and(idempotency::name.gt(name)));
        let rows: Vec<Row> = idempotency::table
            .filter(idempotency::account_id.eq(check.account))
            .filter(behind)
            .order((idempotency::dialect, idempotency::caller, idempotency::name))
            .limit(CHUNK)
            .select((
                idempotency::dialect,
                idempotency::caller,
                idempotency::name,
                idempotency::outcome,
            ))
            .load(check.db)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = (last.0.clone(), last.1.clone(), last.2.clone());
        check_rows(check, &rows, jobs)?;
    }
}

fn check_rows(check: &mut Check<'_>, rows: &[Row], jobs: &NumberSet) -> Result<()> {
    let kept: Vec<Option<Kept>> = rows
        .iter()
        .map(|(_, _, _, outcome)| serde_json::from_str(outcome).ok())
        .collect();
    let batches_kept: Vec<KeptBatch> = kept
        .iter()
        .filter_map(|kept| kept.as_ref().and_then(Kept::batch))
        .collect();
    let of_batches: Vec<i64> = batches_kept.iter().map(|kept| kept.batch).collect();
    let rejected: HashMap<i64, i32> = batches::table
        .filter(batches::account_id.eq(check.account))
        .filter(batches::number.eq_any(of_batches))
        .select((batches::number, batches::rejected))
        .load(check.db)?
        .into_iter()
        .collect();
    let firsts = batches_kept.iter().map(|kept| kept.first_rejection);
    let replayed = rows.iter().filter_map(|(_, _, name, _)| replay(name));
    let found: HashMap<i64, (Option<i64>, String)> = rejections::table
        .filter(rejections::account_id.eq(check.account))
        .filter(rejections::number.eq_any(firsts.chain(replayed).collect::<Vec<i64>>()))
        .select((rejections::number, (rejections::batch, rejections::state)))
        .load(check.db)?
        .into_iter()
        .collect();
    let head = check.head.clone();
    for ((dialect, caller, name, _), kept) in rows.iter().zip(kept) {
        let key = text::shown(&format!("{dialect}/{caller}/{name}"));
        if let Some((is, should)) = wrong(name, kept, (jobs, &head), (&rejected, &found)) {
            check.add("idempotency", key, is, should);
        }
    }
    Ok(())
}

/// The rejection that a name stands for.
fn replay(name: &str) -> Option<i64> {
    name.strip_prefix(REPLAY)?.parse().ok()
}

/// Rejections by their numbers: batch and state.
type Rejections = HashMap<i64, (Option<i64>, String)>;

/// What is wrong with a row, and what should be. `jobs`: those that there are. `head`: the next numbers; they have no
/// gaps. `rejected`: how many lines of each batch were refused. `found`: batch
/// and state of rejections.
fn wrong(
    name: &str,
    kept: Option<Kept>,
    (jobs, head): (&NumberSet, &Head),
    (rejected, found): (&HashMap<i64, i32>, &Rejections),
) -> Option<(String, String)> {
    let kept = match kept {
        Some(Kept::Job { job }) => {
            let is = || format!("job {job}, which does not exist");
            return (!jobs.contains(job)).then(|| (is(), "a job".to_owned()));
        }
        Some(Kept::Sales { sales }) => {
            let numbers = sales.iter().filter_map(|outcome| match outcome {
                SaleOutcome::Created { sale, .. } | SaleOutcome::Updated { sale, .. } => {
                    Some(*sale)
                }
                _ => None,
            });
            let mut numbers = numbers.filter(|sale| !(1..head.next_sale).contains(sale));
            let is = |sale| format!("sale {sale}, which does not exist");
            return numbers.next().map(|sale| (is(sale), "a sale".to_owned()));
        }
        Some(Kept::Entry { entry, customer }) => {
            let missing = |what: &str, number: i64, next: i64| {
                let is = format!("{what} {number}, which does not exist");
                (!(1..next).contains(&number)).then(|| (is, format!("a known {what}")))
            };
            return missing("entry", entry, head.next_entry)
                .or_else(|| missing("customer", customer, head.next_customer));
        }
        Some(Kept::Customer { customer, .. }) => {
            let is = || format!("customer {customer}, which does not exist");
            let known = (1..head.next_customer).contains(&customer);
            return (!known).then(|| (is(), "a known customer".to_owned()));
        }
        // Users are not numbered by the head, and a word names no row.
        Some(Kept::User { .. } | Kept::Word { .. }) => return None,
        Some(Kept::Imported {
            people,
            first_rejection,
            ..
        }) => Some(KeptBatch {
            batch: people,
            first_rejection,
        }),
        Some(Kept::Batch(kept)) => Some(kept),
        None => None,
    };
    let Some(KeptBatch {
        batch,
        first_rejection: first,
    }) = kept
    else {
        let is = "an outcome that cannot be read".to_owned();
        return Some((is, "a batch and its first rejection".to_owned()));
    };
    let Some(rejected) = rejected.get(&batch) else {
        let is = format!("batch {batch}, which does not exist");
        return Some((is, "a batch".to_owned()));
    };
    let of = found.get(&first).and_then(|(batch, _)| *batch);
    if *rejected > 0 && of != Some(batch) {
        let is = format!("first_rejection {first}, which is of batch {}", or_none(of));
        return Some((is, format!("a rejection of batch {batch}")));
    }
    let rejection = replay(name)?;
    let state = found
        .get(&rejection)
        .map_or("missing", |(_, state)| state.as_str());
    matches!(state, "open" | "missing").then(|| {
        let is = format!("rejection {rejection} is {state}");
        (is, "one that was posted after all".to_owned())
    })
}
