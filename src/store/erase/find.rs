//! What there is of a customer.
//!
//! Belongs here: looking through the tables. Does not belong here: writing.

use super::super::dialect::history::chain;
use super::super::history::STEPS;
use super::super::schema::{
    balances, batches, customer_keys, journal, purchase_contacts, purchases, rejections, sales,
    sync_heads, sync_items, sync_queue,
};
use super::super::{Db, Result, heads, rejections as refused};
use crate::loyalty::customers::Customer;
use crate::loyalty::customers::erase::{ErasePlan, Marks};
use crate::loyalty::customers::traces::{LineForm, Traces};
use diesel::prelude::*;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// Rows of one look.
const LIMIT: i64 = 5_000;

/// Finds what there is of a customer, beyond what an earlier look has found.
pub fn find(
    db: &mut Db,
    number: i32,
    country: Option<&str>,
    customer: &Customer,
    mut plan: ErasePlan,
) -> Result<ErasePlan> {
    let Some(head) = heads::read(db, number)? else {
        return Ok(plan);
    };
    let before = plan.marks;
    if before.commit == head.next_commit {
        // What is too old may have expired in this very group.
        note_open(db, number, &mut plan)?;
        return Ok(plan);
    }
    // Read first, so that what comes meanwhile is looked at again.
    let now = Marks {
        commit: head.next_commit,
        keys_version: head.keys_version,
        job: settled_jobs(db, number)?,
        rejection: head.next_rejection.saturating_sub(1),
        entry: head.next_entry.saturating_sub(1),
    };
    plan.customer = customer.person.customer;
    plan.was = Some(Box::new(customer.clone()));
    if before.keys_version != now.keys_version || plan.keys.is_empty() {
        plan.keys = held(db, number, plan.customer)?;
    }
    let traces = Traces::of(customer, &plan.keys, country);
    find_entries(db, number, &mut plan, before.entry)?;
    // A sale may have come to this customer, or have gone to another one, whatever its number.
    plan.sales = sales::table
        .filter(sales::account_id.eq(number))
        .filter(sales::customer.eq(plan.customer))
        .select(sales::number)
        .load(db)?;
    find_items(db, number, &mut plan, before.job, &traces)?;
    find_purchases(db, number, &mut plan)?;
    find_rejections(db, number, &mut plan, before.rejection, &traces)?;
    plan.marks = now;
    Ok(plan)
}

/// The last job before which none waits: its items, and those of all before it, do not change any more.
fn settled_jobs(db: &mut Db, account: i32) -> Result<i64> {
    let waits: Option<i64> = sync_queue::table
        .filter(sync_queue::account_id.eq(account))
        .select(diesel::dsl::min(sync_queue::job))
        .first(db)?;
    let next: Option<i64> = sync_heads::table
        .find(account)
        .select(sync_heads::next_job)
        .first(db)
        .optional()?;
    Ok(waits.or(next).unwrap_or(1).saturating_sub(1))
}

/// The codes and card numbers that lead to a customer.
fn held(db: &mut Db, account: i32, customer: i64) -> Result<Vec<(Box<str>, bool)>> {
    let rows: Vec<(String, bool)> = customer_keys::table
        .filter(customer_keys::account_id.eq(account))
        .filter(customer_keys::customer.eq(customer))
        .select((customer_keys::value, customer_keys::replaced))
        .load(db)?;
    Ok(rows
        .into_iter()
        .map(|(value, replaced)| (value.into(), replaced))
        .collect())
}

/// Entries with texts, newest first, down to one that was looked at before.
fn find_entries(db: &mut Db, account: i32, plan: &mut ErasePlan, down_to: i64) -> Result<()> {
    let newest: Vec<i64> = balances::table
        .filter(balances::account_id.eq(account))
        .filter(balances::customer.eq(plan.customer))
        .select(balances::last_entry)
        .load(db)?;
    for newest in newest {
        let mut next = Some(newest);
        while let Some(from) = next.filter(|entry| *entry > down_to) {
            let steps = chain(db, account, from, STEPS)?;
            next = steps.last().and_then(|step| step.7);
            let numbers: Vec<i64> = steps.iter().map(|step| step.0).collect();
            let has_text = journal::authorization
                .is_not_null()
                .or(journal::custom.is_not_null());
            let mut found: Vec<i64> = journal::table
                .filter(journal::account_id.eq(account))
                .filter(journal::number.eq_any(&numbers))
                .filter(journal::number.gt(down_to))
                .filter(has_text)
                .select(journal::number)
                .load(db)?;
            plan.entries.append(&mut found);
        }
    }
    plan.entries.sort_unstable();
    plan.entries.dedup();
    Ok(())
}

type ItemRow = (i64, i32, Option<i64>, Option<String>, Option<String>);

/// Items of jobs that were this customer's, or that failed and tell of it.
fn find_items(
    db: &mut Db,
    account: i32,
    plan: &mut ErasePlan,
    behind: i64,
    traces: &Traces,
) -> Result<()> {
    let mut at = (behind, i32::MAX);
    loop {
        let later = sync_items::job
            .gt(at.0)
            .or(sync_items::job.eq(at.0).and(sync_items::item.gt(at.1)));
        let may_be = sync_items::customer
            .eq(plan.customer)
            .or(sync_items::customer.is_null());
        let rows: Vec<ItemRow> = sync_items::table
            .filter(sync_items::account_id.eq(account))
            .filter(later)
            .filter(may_be)
            .order((sync_items::job, sync_items::item))
            .limit(LIMIT)
            .select((
                sync_items::job,
                sync_items::item,
                sync_items::customer,
                sync_items::errors,
                sync_items::told,
            ))
            .load(db)?;
        let Some(last) = rows.last() else {
            plan.items.sort_unstable();
            plan.items.dedup();
            return Ok(());
        };
        at = (last.0, last.1);
        for (job, item, customer, errors, told) in rows {
            let tells =
                |text: &Option<String>| text.as_deref().is_some_and(|text| traces.in_json(text));
            if customer.is_some() || tells(&errors) || tells(&told) {
                plan.items.push((job, item));
            }
        }
    }
}

/// Purchases of the customer: those whose first one it is, and its places in the others.
fn find_purchases(db: &mut Db, account: i32, plan: &mut ErasePlan) -> Result<()> {
    plan.purchases_gone = purchases::table
        .filter(purchases::account_id.eq(account))
        .filter(purchases::customer.eq(plan.customer))
        .select(purchases::transaction_code)
        .load(db)?;
    let links: Vec<(String, i32)> = purchase_contacts::table
        .filter(purchase_contacts::account_id.eq(account))
        .filter(purchase_contacts::customer.eq(plan.customer))
        .select((
            purchase_contacts::transaction_code,
            purchase_contacts::place,
        ))
        .load(db)?;
    let gone: BTreeSet<&String> = plan.purchases_gone.iter().collect();
    let kept = links.into_iter().filter(|(code, _)| !gone.contains(code));
    plan.links_gone = kept.collect();
    Ok(())
}

/// Number, batch, raw text, brand.
type RejectionRow = (i64, Option<i64>, String, Option<i32>);

/// Refused lines, contacts and sales that are about the customer.
fn find_rejections(
    db: &mut Db,
    account: i32,
    plan: &mut ErasePlan,
    behind: i64,
    traces: &Traces,
) -> Result<()> {
    let mut after = behind;
    let mut forms: HashMap<i64, LineForm> = HashMap::new();
    loop {
        let rows: Vec<RejectionRow> = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::number.gt(after))
            .filter(rejections::raw.is_not_null())
            .order(rejections::number)
            .limit(LIMIT)
            .select((
                rejections::number,
                rejections::batch,
                rejections::raw.assume_not_null(),
                rejections::brand,
            ))
            .load(db)?;
        let Some(last) = rows.last() else {
            return note_open(db, account, plan);
        };
        after = last.0;
        for (number, batch, raw, brand) in rows {
            let own = match (batch, brand) {
                (Some(batch), _) => {
                    if let Entry::Vacant(place) = forms.entry(batch) {
                        place.insert(line_form(db, account, batch)?);
                    }
                    let form = forms.get(&batch);
                    form.is_some_and(|form| traces.in_line(&raw, form))
                }
                (None, Some(_)) => traces.in_sale(&raw),
                (None, None) => traces.in_json(&raw),
            };
            if own {
                plan.rejections.push((number, false));
            }
        }
    }
}

/// Notes which of the rejections are open now: it may be others than at an earlier look.
fn note_open(db: &mut Db, account: i32, plan: &mut ErasePlan) -> Result<()> {
    // What came while the earlier look was at it was found twice.
    plan.rejections.sort_unstable();
    plan.rejections.dedup_by_key(|(number, _)| *number);
    let numbers: Vec<i64> = plan.rejections.iter().map(|(number, _)| *number).collect();
    let open = refused::open_among(db, account, &numbers)?;
    for (number, is_open) in &mut plan.rejections {
        *is_open = open.contains(number);
    }
    Ok(())
}

/// How the lines of a batch are cut.
fn line_form(db: &mut Db, account: i32, batch: i64) -> Result<LineForm> {
    let layout: Option<Option<String>> = batches::table
        .find((account, batch))
        .select(batches::layout)
        .first(db)
        .optional()?;
    let form = layout.flatten().as_deref().and_then(LineForm::from_layout);
    Ok(form.unwrap_or_default())
}
