//! By what people are found beside code and card number.

use super::dialect::{self, Writes, rows::rows};
use super::schema::{accounts, contacts, customers, profiles};
use super::{Db, Result, fill, installation};
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::person::Columns;
use crate::loyalty::contacts::sent::KeyKind;
use diesel::prelude::*;
use std::collections::HashSet;

rows! {
    struct Row<'a> in person_keys {
        account_id: i32,
        kind: i16,
        value: &'a str,
        customer: i64,
    }
    keep account_id, kind, value, customer
}

/// Adds keys; those that are there stay.
pub fn insert<'k>(
    writes: &mut Writes<'_>,
    account: i32,
    keys: impl Iterator<Item = (KeyKind, &'k str, i64)>,
) -> Result<()> {
    let mut rows: Vec<Row<'_>> = keys
        .map(|(kind, value, customer)| Row {
            account_id: account,
            kind: kind.stored(),
            value,
            customer,
        })
        .collect();
    // Rows of a table come fastest in its order.
    rows.sort_unstable_by_key(|row| (row.kind, row.value, row.customer));
    Row::save(writes, &rows)
}

/// Takes keys away.
pub fn remove<'k>(
    writes: &mut Writes<'_>,
    account: i32,
    keys: impl Iterator<Item = (KeyKind, &'k str, i64)>,
) -> Result<()> {
    let keys: Vec<(i16, &str, i64)> = keys
        .map(|(kind, value, customer)| (kind.stored(), value, customer))
        .collect();
    dialect::people::remove_person_keys(writes, account, &keys)
}

/// Customers of one transaction, or of one look.
const CHUNK: i64 = 5_000;

/// What the keys of a customer are made of: number, e-mail, phone, cellphone, document, country, the client's id,
/// username, custom fields.
type Source = (
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Keys of several customers.
pub(super) type Keys = Vec<(KeyKind, Box<str>, i64)>;

/// What the keys of customers are made of, to be narrowed down.
macro_rules! sources {
    ($account:expr) => {
        customers::table
            .left_join(
                contacts::table.on(contacts::account_id
                    .eq(customers::account_id)
                    .and(contacts::customer.eq(customers::number))),
            )
            .left_join(
                profiles::table.on(profiles::account_id
                    .eq(customers::account_id)
                    .and(profiles::customer.eq(customers::number))),
            )
            .filter(customers::account_id.eq($account))
            .select((
                customers::number,
                customers::email,
                customers::phone,
                customers::cellphone,
                customers::document,
                customers::country,
                contacts::user_id.nullable(),
                profiles::username.nullable(),
                profiles::custom.nullable(),
            ))
    };
}

/// The next customers behind `after`, in the order of their numbers.
fn next(db: &mut Db, account: i32, after: i64) -> Result<Vec<Source>> {
    Ok(sources!(account)
        .filter(customers::number.gt(after))
        .order(customers::number)
        .limit(CHUNK)
        .load(db)?)
}

fn keys_of(source: &[Source], country: Option<&str>) -> Keys {
    let short = |text: &Option<String>| text.as_deref().map(Box::from);
    let mut all = Vec::new();
    for source in source {
        let (number, email, phone, cellphone, document, own, user_id, username, custom) = source;
        let columns = Columns {
            email: short(email),
            phone: short(phone),
            cellphone: short(cellphone),
            document: short(document),
            country: short(own),
            ..Columns::default()
        };
        // What cannot be read is told by `verify`.
        let custom = custom.as_deref().map(serde_json::from_str);
        let custom = custom.and_then(std::result::Result::ok).unwrap_or_default();
        let keys = keys::of_person(&columns, user_id.as_deref(), country);
        let profile = keys::of_profile(username.as_deref(), &custom);
        let keys = keys.into_iter().chain(profile);
        all.extend(keys.map(|(kind, value)| (kind, value, *number)));
    }
    all
}

/// Each of them.
pub(super) fn each(keys: &Keys) -> impl Iterator<Item = (KeyKind, &str, i64)> {
    keys.iter()
        .map(|(kind, value, customer)| (*kind, &**value, *customer))
}

/// The keys that the next customers behind `after` must have, and the last one's number.
pub(super) fn expected(
    db: &mut Db,
    account: i32,
    after: i64,
    country: Option<&str>,
) -> Result<(Option<i64>, Keys)> {
    let source = next(db, account, after)?;
    let last = source.last().map(|source| source.0);
    Ok((last, keys_of(&source, country)))
}

/// The keys that these customers must have: no more of them than a statement may have parameters.
pub(super) fn own(
    db: &mut Db,
    account: i32,
    numbers: &[i64],
    country: Option<&str>,
) -> Result<Keys> {
    let source = sources!(account)
        .filter(customers::number.eq_any(numbers))
        .load(db)?;
    Ok(keys_of(&source, country))
}

/// Makes the keys of an account's customers anew, in the transaction that gives the account another country.
pub fn move_country(
    db: &mut Db,
    account: i32,
    (old, new): (Option<&str>, Option<&str>),
) -> Result<()> {
    let mut after = 0;
    loop {
        let source = next(db, account, after)?;
        let Some(last) = source.last() else {
            return Ok(());
        };
        after = last.0;
        replace(db, account, &keys_of(&source, old), &keys_of(&source, new))?;
    }
}

/// Takes away keys that are not wanted any more, and adds those that are new.
pub(super) fn replace(db: &mut Db, account: i32, old: &Keys, new: &Keys) -> Result<()> {
    let (before, after): (HashSet<_>, HashSet<_>) = (each(old).collect(), each(new).collect());
    let mut writes = Writes::new(db);
    remove(&mut writes, account, before.difference(&after).copied())?;
    insert(&mut writes, account, after.difference(&before).copied())?;
    writes.flush()
}

/// Gives keys to the customers that were stored before there were any. Does nothing where that was done. The connection is
/// a writer's, in no transaction.
pub fn fill(db: &mut Db) -> Result<()> {
    if installation::has_person_keys(db)? {
        return Ok(());
    }
    fill::each_account(db, fill_chunk)?;
    installation::mark_person_keys(db)
}

/// Gives keys to the next customers of an account; tells the last one.
fn fill_chunk(db: &mut Db, account: i32, after: i64) -> Result<Option<i64>> {
    let country: Option<String> = accounts::table
        .find(account)
        .select(accounts::country)
        .first(db)?;
    let source = next(db, account, after)?;
    let keys = keys_of(&source, country.as_deref());
    let mut writes = Writes::new(db);
    insert(&mut writes, account, each(&keys))?;
    writes.flush()?;
    Ok(source.last().map(|source| source.0))
}
