//! What is kept of customers so that batches can be undone.

use super::super::Result;
use super::super::journal::OF_CUSTOMERS;
use super::super::schema::{batches, customers, undo_images};
use super::{CHUNK, Check};
use crate::loyalty::customers::undo::is_image;
use diesel::prelude::*;
use std::collections::HashSet;

/// Each belongs to a batch of customers that can be undone, and to a customer who was not erased.
pub(super) fn check(check: &mut Check<'_>) -> Result<()> {
    let (mut batch, mut customer) = (i64::MIN, i64::MIN);
    loop {
        let behind = undo_images::batch.gt(batch).or(undo_images::batch
            .eq(batch)
            .and(undo_images::customer.gt(customer)));
        let rows: Vec<(i64, i64, String)> = undo_images::table
            .filter(undo_images::account_id.eq(check.account))
            .filter(behind)
            .order((undo_images::batch, undo_images::customer))
            .limit(CHUNK)
            .select((
                undo_images::batch,
                undo_images::customer,
                undo_images::image,
            ))
            .load(check.db)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        (batch, customer) = (last.0, last.1);
        check_rows(check, &rows)?;
    }
}

fn check_rows(check: &mut Check<'_>, rows: &[(i64, i64, String)]) -> Result<()> {
    let mut named: Vec<i64> = rows.iter().map(|(batch, ..)| *batch).collect();
    named.dedup();
    let undoable: Vec<i64> = batches::table
        .filter(batches::account_id.eq(check.account))
        .filter(batches::number.eq_any(named))
        .filter(batches::kind.eq(OF_CUSTOMERS))
        .filter(batches::undoable.eq(true))
        .select(batches::number)
        .load(check.db)?;
    let undoable: HashSet<i64> = undoable.into_iter().collect();
    let there: Vec<i64> = customers::table
        .filter(customers::account_id.eq(check.account))
        .filter(customers::number.eq_any(rows.iter().map(|(_, customer, _)| *customer)))
        .filter(
            customers::code
                .is_not_null()
                .or(customers::card_number.is_not_null()),
        )
        .select(customers::number)
        .load(check.db)?;
    let there: HashSet<i64> = there.into_iter().collect();
    for (batch, customer, image) in rows {
        let key = format!("{batch}/{customer}");
        if !undoable.contains(batch) {
            let should = "a batch of customers that can be undone";
            check.add("undo_images", &key, format!("batch {batch}"), should);
        }
        if !there.contains(customer) {
            let is = format!("customer {customer}, who does not exist or was erased");
            check.add("undo_images", &key, is, "a customer");
        }
        if !is_image(image) {
            let should = "fields with two values each";
            check.add("undo_images", &key, "another image", should);
        }
    }
    Ok(())
}
