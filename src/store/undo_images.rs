//! What is kept of customers whom a batch has changed, so that it can be undone.
//!
//! Belongs here: these rows, written, read with what undoing has to know, deleted. Does not belong here: what is in an
//! image, and what undoing does ([`crate::loyalty::customers::undo`]).

use super::dialect::people::find_person_keys;
use super::dialect::{self, Writes};
use super::schema::{balances, contacts, customer_keys, sales, undo_images};
use super::{Db, Result, journal, search_texts};
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::customers::Image;
use crate::loyalty::customers::undo::{FoundPeople, Stays, cards_of, keys_of};
use diesel::prelude::*;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

#[derive(Insertable, Serialize)]
#[diesel(table_name = undo_images)]
struct Row<'a> {
    account_id: i32,
    batch: i64,
    customer: i64,
    created: bool,
    image: &'a str,
    recorded_at: i64,
}

/// Rows that one statement deletes.
const AT_A_TIME: usize = 5_000;

/// Writes what is kept of some batches.
pub fn save(writes: &mut Writes<'_>, account: i32, images: &[Image], now_us: i64) -> Result<()> {
    let mut rows: Vec<Row<'_>> = images
        .iter()
        .map(|image| Row {
            account_id: account,
            batch: image.batch,
            customer: image.customer,
            created: image.created,
            image: &image.image,
            recorded_at: now_us,
        })
        .collect();
    // Rows of a table come fastest in its order.
    rows.sort_unstable_by_key(|row| (row.batch, row.customer));
    dialect::insert_rows!(writes, undo_images, &rows);
    Ok(())
}

/// Deletes what is kept of these, by batch and customer.
pub fn remove(db: &mut Db, account: i32, images: &[(i64, i64)]) -> Result<()> {
    for of_batch in images.chunk_by(|a, b| a.0 == b.0) {
        for chunk in of_batch.chunks(AT_A_TIME) {
            let batch = chunk.first().map_or(0, |(batch, _)| *batch);
            let customers = chunk.iter().map(|(_, customer)| *customer);
            let own = undo_images::table
                .filter(undo_images::account_id.eq(account))
                .filter(undo_images::batch.eq(batch))
                .filter(undo_images::customer.eq_any(customers));
            diesel::delete(own).execute(db)?;
        }
    }
    Ok(())
}

/// Rows that one call of [`purge`] deletes, about.
const PURGE_LOOK: i64 = 10_000;

/// Deletes what was kept before a time, a bounded number of the oldest ones.
pub fn purge(db: &mut Db, account: i32, before_us: i64) -> Result<()> {
    let of_account = || undo_images::table.filter(undo_images::account_id.eq(account));
    let oldest: Vec<(i64, i64, i64)> = of_account()
        .order((undo_images::batch, undo_images::customer))
        .limit(PURGE_LOOK)
        .select((
            undo_images::batch,
            undo_images::customer,
            undo_images::recorded_at,
        ))
        .load(db)?;
    // Batches have their numbers in the order of time.
    let old = oldest.iter().take_while(|(_, _, at)| *at < before_us);
    let Some((batch, customer, _)) = old.last() else {
        return Ok(());
    };
    let up_to = undo_images::batch.lt(batch).or(undo_images::batch
        .eq(batch)
        .and(undo_images::customer.le(customer)));
    diesel::delete(of_account().filter(up_to)).execute(db)?;
    Ok(())
}

/// What is kept of a batch, with all that undoing it has to know. Its transactions are those with numbers from the first
/// up to below the second of `entries`.
pub fn find(
    db: &mut Db,
    account: i32,
    batch: i64,
    entries: (i64, i64),
    (recorded_at, now_us): (i64, i64),
) -> Result<FoundPeople> {
    let rows: Vec<(i64, bool, String)> = undo_images::table
        .filter(undo_images::account_id.eq(account))
        .filter(undo_images::batch.eq(batch))
        .order(undo_images::customer)
        .select((
            undo_images::customer,
            undo_images::created,
            undo_images::image,
        ))
        .load(db)?;
    let images = rows.into_iter().map(|(customer, created, image)| Image {
        batch,
        customer,
        created,
        image,
    });
    let mut found = FoundPeople {
        images: images.collect(),
        recorded_at,
        now_us,
        ..FoundPeople::default()
    };
    if found.images.is_empty() {
        return Ok(found);
    }
    let numbers: Vec<i64> = found.images.iter().map(|image| image.customer).collect();
    let customers = search_texts::customers_with(db, account, &numbers)?.into_iter();
    found.customers = customers.map(|one| (one.person.customer, one)).collect();
    let changed = || found.images.iter().filter(|image| !image.created);
    let cards: Vec<Box<str>> = changed().flat_map(|image| cards_of(&image.image)).collect();
    let names: Vec<(KeyKind, Box<str>)> = changed().flat_map(|one| keys_of(&one.image)).collect();
    found.holders = journal::holders(db, account, cards.iter().map(|card| &**card))?;
    let mut asked: Vec<(i16, &str)> = names
        .iter()
        .map(|(kind, value)| (kind.stored(), &**value))
        .collect();
    asked.sort_unstable();
    asked.dedup();
    for (kind, value, customer) in find_person_keys(db, account, &asked)? {
        if let Some(kind) = KeyKind::from_stored(kind) {
            let held = found.names_held.entry((kind, value.into()));
            held.or_default().push(customer);
        }
    }
    find_used(db, account, batch, entries, &mut found)?;
    Ok(found)
}

/// Finds what has come to the customers who came with the batch. Their numbers lie beside each other, so that each table is
/// read once.
fn find_used(
    db: &mut Db,
    account: i32,
    batch: i64,
    (first, behind): (i64, i64),
    found: &mut FoundPeople,
) -> Result<()> {
    let created = found.images.iter().filter(|image| image.created);
    let created: HashSet<i64> = created.map(|image| image.customer).collect();
    let (Some(lowest), Some(highest)) = (created.iter().min(), created.iter().max()) else {
        return Ok(());
    };
    let (lowest, highest) = (*lowest, *highest);
    let mut note = |customers: Vec<i64>, why: Stays| {
        for customer in customers.into_iter().filter(|one| created.contains(one)) {
            found.used.entry(customer).or_insert(why);
        }
    };
    let others = balances::last_entry
        .lt(first)
        .or(balances::last_entry.ge(behind));
    let rows = balances::table
        .filter(balances::account_id.eq(account))
        .filter(balances::customer.between(lowest, highest))
        .filter(others)
        .select(balances::customer);
    note(rows.load(db)?, Stays::Transactions);
    let rows = contacts::table
        .filter(contacts::account_id.eq(account))
        .filter(contacts::customer.between(lowest, highest))
        .select(contacts::customer);
    note(rows.load(db)?, Stays::Contact);
    let rows = sales::table
        .filter(sales::account_id.eq(account))
        .filter(sales::customer.between(lowest, highest))
        .select(sales::customer)
        .distinct();
    note(rows.load(db)?, Stays::Sales);
    let rows: Vec<(String, i64)> = customer_keys::table
        .filter(customer_keys::account_id.eq(account))
        .filter(customer_keys::customer.between(lowest, highest))
        .filter(customer_keys::replaced.eq(true))
        .select((customer_keys::value, customer_keys::customer))
        .load(db)?;
    let mut replaced: HashMap<i64, Vec<Box<str>>> = HashMap::new();
    for (value, customer) in rows.into_iter().filter(|(_, one)| created.contains(one)) {
        replaced.entry(customer).or_default().push(value.into());
    }
    found.replaced = replaced;
    let rows: Vec<(i64, i64)> = undo_images::table
        .filter(undo_images::account_id.eq(account))
        .filter(undo_images::batch.gt(batch))
        .filter(undo_images::customer.between(lowest, highest))
        .select((undo_images::batch, undo_images::customer))
        .load(db)?;
    found.other_images = rows;
    Ok(())
}
