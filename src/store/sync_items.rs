//! What became of the items of jobs.

use super::dialect::{Writes, rows::rows};
use super::schema::sync_items;
use super::sync_queue::broken;
use super::{Db, Result};
use crate::loyalty::contacts::sent::{Fault, Verdict, errors_from_json, errors_json};
use crate::loyalty::sync::rows::ItemRow;
use crate::loyalty::sync::view::{ItemResult, ItemState, Told};
use diesel::prelude::*;

rows! {
    struct Row<'a> in sync_items {
        account_id: i32,
        job: i64,
        item: i32,
        state: i16,
        customer: Option<i64>,
        contact_id: Option<&'a str>,
        verdict: Option<i16>,
        charged: bool,
        errors: Option<String>,
        told: Option<&'a str>,
    }
}

/// Faults as they are stored; no faults take no room.
pub(super) fn stored_errors(errors: &[Fault]) -> Option<String> {
    (!errors.is_empty()).then(|| errors_json(errors))
}

/// Faults as they were stored.
pub(super) fn read_errors(stored: Option<&str>) -> Result<Vec<Fault>> {
    match stored {
        None => Ok(Vec::new()),
        Some(text) => errors_from_json(text).ok_or_else(|| broken("errors")),
    }
}

pub(super) fn read_state(stored: i16) -> Result<ItemState> {
    ItemState::from_stored(stored).ok_or_else(|| broken("state"))
}

/// Writes what became of items.
pub fn save<'i>(
    writes: &mut Writes<'_>,
    account: i32,
    items: impl Iterator<Item = &'i ItemRow>,
) -> Result<()> {
    let rows: Vec<Row<'_>> = items
        .map(|item| Row {
            account_id: account,
            job: item.job,
            item: item.item,
            state: item.state.stored(),
            customer: item.customer,
            contact_id: item.contact_id.as_deref(),
            verdict: item.verdict.map(Verdict::stored),
            charged: item.charged,
            errors: stored_errors(&item.errors),
            told: item.told.as_deref(),
        })
        .collect();
    Row::save(writes, &rows)
}

/// The customers of the items that were taken, in the order of the items; repeated ones are repeated.
pub fn customers(db: &mut Db, account: i32, job: i64) -> Result<Vec<i64>> {
    let rows: Vec<Option<i64>> = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .filter(sync_items::job.eq(job))
        .filter(sync_items::state.ne(ItemState::Failed.stored()))
        .order(sync_items::item)
        .select(sync_items::customer)
        .load(db)?;
    Ok(rows.into_iter().flatten().collect())
}

/// Results of items below `end`, with the numbers of their customers.
pub fn results(
    db: &mut Db,
    account: i32,
    job: i64,
    end: i32,
    (offset, limit): (i64, i64),
) -> Result<Vec<(ItemResult, Option<i64>)>> {
    type Columns = (
        i32,
        i16,
        Option<i64>,
        Option<String>,
        Option<i16>,
        Option<String>,
    );
    let first = i32::try_from(offset).unwrap_or(i32::MAX);
    let rows: Vec<Columns> = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .filter(sync_items::job.eq(job))
        .filter(sync_items::item.ge(first))
        .filter(sync_items::item.lt(end))
        .order(sync_items::item)
        .limit(limit)
        .select((
            sync_items::item,
            sync_items::state,
            sync_items::customer,
            sync_items::contact_id,
            sync_items::verdict,
            sync_items::errors,
        ))
        .load(db)?;
    let results = rows
        .into_iter()
        .map(|(index, state, customer, id, verdict, errors)| {
            let result = ItemResult {
                index,
                state: read_state(state)?,
                id,
                verdict: verdict.and_then(Verdict::from_stored),
                errors: read_errors(errors.as_deref())?,
                contact: None,
            };
            Ok((result, customer))
        });
    results.collect()
}

/// What the webhook says of items: at most `limit` of those behind `after`.
pub fn told(db: &mut Db, account: i32, job: i64, after: i32, limit: i64) -> Result<Vec<Told>> {
    type Columns = (i32, i16, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Columns> = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .filter(sync_items::job.eq(job))
        .filter(sync_items::item.gt(after))
        .order(sync_items::item)
        .limit(limit)
        .select((
            sync_items::item,
            sync_items::state,
            sync_items::contact_id,
            sync_items::told,
            sync_items::errors,
        ))
        .load(db)?;
    let told = rows.into_iter().map(|(item, state, id, told, errors)| {
        Ok(Told {
            item,
            state: read_state(state)?,
            id,
            told,
            errors: read_errors(errors.as_deref())?,
        })
    });
    told.collect()
}
