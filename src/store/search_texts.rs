//! What customers are searched by: the rows of their search texts.
//!
//! Belongs here: these rows, written, made anew, filled in. Does not belong here: how a text follows from a customer, and
//! what a search means ([`crate::loyalty::customers::search`]); how the texts are searched ([`super::dialect::search`]).

use super::dialect::Writes;
use super::dialect::rows::rows;
use super::schema::{customers, search_texts};
use super::{Db, Result, fill, installation, people, profiles};
use crate::loyalty::contacts::person::{Columns, Person, PersonChange};
use crate::loyalty::customers::Customer;
pub use crate::loyalty::customers::search::text_of as of;
use diesel::prelude::*;
use std::collections::HashMap;

rows! {
    struct Row<'a> in search_texts {
        account_id: i32,
        customer: i64,
        folded: &'a str,
    }
    key account_id, customer;
    set folded
}

/// Writes search texts, new or changed, each customer's once.
pub fn save(writes: &mut Writes<'_>, account: i32, texts: &[(i64, String)]) -> Result<()> {
    let mut rows: Vec<Row<'_>> = texts
        .iter()
        .map(|(customer, folded)| Row {
            account_id: account,
            customer: *customer,
            folded,
        })
        .collect();
    // Rows of a table come fastest in its order.
    rows.sort_unstable_by_key(|row| row.customer);
    Row::save(writes, &rows)
}

/// Writes the search texts of people, each once; their API 1.5 side stays as it is stored.
pub fn save_people(writes: &mut Writes<'_>, account: i32, changes: &[PersonChange]) -> Result<()> {
    // A new one has none.
    let old = changes.iter().filter(|change| !change.is_new);
    let old: Vec<i64> = old.map(|change| change.person.customer).collect();
    let mut profiles = match old.is_empty() {
        true => HashMap::new(),
        false => profiles::of(writes.db()?, account, &old)?,
    };
    let texts: Vec<(i64, String)> = changes
        .iter()
        .map(|change| Customer {
            profile: profiles.remove(&change.person.customer),
            person: change.person.clone(),
        })
        .map(|customer| (customer.person.customer, of(&customer)))
        .collect();
    save(writes, account, &texts)
}

/// Deletes the search texts of these customers.
pub fn remove(db: &mut Db, account: i32, customers: &[i64]) -> Result<()> {
    for chunk in customers.chunks(LOOK) {
        let own = search_texts::table
            .filter(search_texts::account_id.eq(account))
            .filter(search_texts::customer.eq_any(chunk));
        diesel::delete(own).execute(db)?;
    }
    Ok(())
}

/// Customers of one transaction, or of one look.
const CHUNK: i64 = 5_000;
/// Customers of one statement.
const LOOK: usize = 5_000;

/// Makes the search texts of these customers anew, from what is stored.
pub fn renew(db: &mut Db, account: i32, numbers: &[i64]) -> Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let texts = expected(db, account, numbers)?;
    let mut writes = Writes::new(db);
    save(&mut writes, account, &texts)?;
    writes.flush()
}

/// What search texts are made of, but for profiles.
#[derive(Queryable, Selectable)]
#[diesel(table_name = customers)]
struct Named {
    number: i64,
    code: Option<String>,
    card_number: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    cellphone: Option<String>,
    street1: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

/// The search texts that these customers must have, sorted. Those who were erased have none. Contacts are not read: they are
/// no part of the texts, and one that cannot be read is not found here.
pub(super) fn expected(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<(i64, String)>> {
    let mut found = profiles::of(db, account, numbers)?;
    let mut texts = Vec::with_capacity(numbers.len());
    for chunk in numbers.chunks(LOOK) {
        let rows: Vec<Named> = customers::table
            .filter(customers::account_id.eq(account))
            .filter(customers::number.eq_any(chunk))
            .select(Named::as_select())
            .load(db)?;
        for row in rows {
            let short = |text: Option<String>| text.map(String::into_boxed_str);
            let (code, card) = (short(row.code), short(row.card_number));
            let mut customer = Customer::bare(row.number, code, card, 0);
            customer.person.columns = Columns {
                first_name: short(row.first_name),
                last_name: short(row.last_name),
                email: short(row.email),
                phone: short(row.phone),
                cellphone: short(row.cellphone),
                street1: short(row.street1),
                city: short(row.city),
                state: short(row.state),
                postal_code: short(row.postal_code),
                country: short(row.country),
                ..Columns::default()
            };
            customer.profile = found.remove(&row.number);
            if !customer.is_erased() {
                texts.push((row.number, of(&customer)));
            }
        }
    }
    texts.sort_unstable_by_key(|(customer, _)| *customer);
    Ok(texts)
}

/// The customers with these numbers, in no order.
pub fn customers_with(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<Customer>> {
    let mut found = profiles::of(db, account, numbers)?;
    let customer = |person: Person| Customer {
        profile: found.remove(&person.customer),
        person,
    };
    let people = people::of(db, account, numbers)?;
    Ok(people.into_iter().map(customer).collect())
}

/// The highest number of a customer, or 0.
pub fn last_customer(db: &mut Db, account: i32) -> Result<i64> {
    Ok(customers::table
        .filter(customers::account_id.eq(account))
        .order(customers::number.desc())
        .select(customers::number)
        .first(db)
        .optional()?
        .unwrap_or(0))
}

/// The numbers of customers behind `after` and up to `until`, at most `most`, but of those who were erased.
pub fn numbers(
    db: &mut Db,
    account: i32,
    (after, until): (i64, i64),
    most: i64,
) -> Result<Vec<i64>> {
    let is_there = customers::code
        .is_not_null()
        .or(customers::card_number.is_not_null());
    Ok(customers::table
        .filter(customers::account_id.eq(account))
        .filter(customers::number.gt(after))
        .filter(customers::number.le(until))
        .filter(is_there)
        .order(customers::number)
        .limit(most)
        .select(customers::number)
        .load(db)?)
}

/// The numbers of the next customers behind `after`.
pub(super) fn next(db: &mut Db, account: i32, after: i64) -> Result<Vec<i64>> {
    Ok(customers::table
        .filter(customers::account_id.eq(account))
        .filter(customers::number.gt(after))
        .order(customers::number)
        .limit(CHUNK)
        .select(customers::number)
        .load(db)?)
}

/// Gives search texts to the customers that were stored before there were any. Does nothing where that was done. The
/// connection is a writer's, in no transaction.
pub fn fill(db: &mut Db) -> Result<()> {
    if installation::has_search_texts(db)? {
        return Ok(());
    }
    fill::each_account(db, fill_chunk)?;
    installation::mark_search_texts(db)
}

/// Gives search texts to the next customers of an account; tells the last one.
fn fill_chunk(db: &mut Db, account: i32, after: i64) -> Result<Option<i64>> {
    let numbers = next(db, account, after)?;
    renew(db, account, &numbers)?;
    Ok(numbers.last().copied())
}
