//! Facts about the installation as a whole: which server key it has, whether it is a demo.
//!
//! Belongs here: the table `installation`. Does not belong here: what follows from the facts (`cli`, `serve`).

use super::schema::{accounts, api_keys, brands, installation, users};
use super::{Db, Result, dialect};
use crate::secrets::{self, PUBLISHED_SAMPLES, ServerKey};
use diesel::prelude::*;

const KEY_CHECK: &str = "key_check";
const DEMO: &str = "demo";
const PERSON_KEYS: &str = "person_keys";
const SEARCH_TEXTS: &str = "search_texts";

fn read(db: &mut Db, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(installation::table
        .find(name)
        .select(installation::value)
        .first(db)
        .optional()?)
}

/// Writes a fact in a transaction of its own. No account is touched, so no head is taken.
fn write(db: &mut Db, name: &str, value: &[u8]) -> Result<()> {
    dialect::begin(db)?;
    let written = diesel::insert_into(installation::table)
        .values((installation::name.eq(name), installation::value.eq(value)))
        .execute(db)
        .map_err(Into::into)
        .and_then(|_| dialect::commit(db));
    if written.is_err() {
        dialect::rollback(db)?;
    }
    written
}

/// Whether the database belongs to a server key already.
pub fn has_key(db: &mut Db) -> Result<bool> {
    Ok(read(db, KEY_CHECK)?.is_some())
}

/// Tells whether the database belongs to this key; the first key that asks gets it. The connection is a writer's, in
/// no transaction.
pub fn claim(db: &mut Db, key: &ServerKey) -> Result<bool> {
    let own = key.check_value();
    let mut stored = read(db, KEY_CHECK)?;
    if stored.is_none() {
        match write(db, KEY_CHECK, &own) {
            Ok(()) => return Ok(true),
            Err(failure) => {
                // Another process may have been faster.
                stored = read(db, KEY_CHECK)?;
                if stored.is_none() {
                    return Err(failure);
                }
            }
        }
    }
    leave(db)?;
    Ok(stored.is_some_and(|stored| secrets::same(&stored, &own)))
}

/// Whether `demo` made this database. On a writer's connection it leaves no transaction open.
pub fn is_demo(db: &mut Db) -> Result<bool> {
    let found = read(db, DEMO)?.is_some();
    leave(db)?;
    Ok(found)
}

/// Whether there is any account.
pub fn has_accounts(db: &mut Db) -> Result<bool> {
    let first: Option<i32> = accounts::table.select(accounts::id).first(db).optional()?;
    Ok(first.is_some())
}

/// Marks the database as a demo's, for ever. The connection is a writer's, in no transaction.
pub fn mark_demo(db: &mut Db) -> Result<()> {
    if is_demo(db)? {
        return Ok(());
    }
    write(db, DEMO, b"1")
}

/// As [`has_person_keys`], inside a transaction.
pub fn notes_person_keys(db: &mut Db) -> Result<bool> {
    Ok(read(db, PERSON_KEYS)?.is_some())
}

/// Whether every customer has the keys that people are found by. On a writer's connection it leaves no transaction open.
pub fn has_person_keys(db: &mut Db) -> Result<bool> {
    let found = notes_person_keys(db)?;
    leave(db)?;
    Ok(found)
}

/// Notes that every customer has the keys that people are found by. The connection is a writer's, in no transaction.
pub fn mark_person_keys(db: &mut Db) -> Result<()> {
    match write(db, PERSON_KEYS, b"1") {
        // Another process may have been faster.
        Err(failure) if !has_person_keys(db)? => Err(failure),
        _ => Ok(()),
    }
}

/// As [`has_search_texts`], inside a transaction.
pub fn notes_search_texts(db: &mut Db) -> Result<bool> {
    Ok(read(db, SEARCH_TEXTS)?.is_some())
}

/// Whether every customer has a search text. On a writer's connection it leaves no transaction open.
pub fn has_search_texts(db: &mut Db) -> Result<bool> {
    let found = notes_search_texts(db)?;
    leave(db)?;
    Ok(found)
}

/// Notes that every customer has a search text. The connection is a writer's, in no transaction.
pub fn mark_search_texts(db: &mut Db) -> Result<()> {
    match write(db, SEARCH_TEXTS, b"1") {
        // Another process may have been faster.
        Err(failure) if !has_search_texts(db)? => Err(failure),
        _ => Ok(()),
    }
}

/// Which users, brands and accounts have a secret that was published as a sample, each named for a person. On a
/// writer's connection it leaves no transaction open.
pub fn published_samples(db: &mut Db, key: &ServerKey) -> Result<Vec<String>> {
    let digests: Vec<Vec<u8>> = PUBLISHED_SAMPLES
        .iter()
        .map(|sample| key.digest(sample.as_bytes()).to_vec())
        .collect();
    let mut found = Vec::new();
    let keys: Vec<String> = api_keys::table
        .inner_join(
            users::table.on(users::account_id
                .eq(api_keys::account_id)
                .and(users::number.eq(api_keys::user))),
        )
        .filter(api_keys::hash.eq_any(&digests))
        .select(users::user_id)
        .load(db)?;
    found.extend(
        keys.iter()
            .map(|user| format!("the key of the user \"{user}\"")),
    );
    let tokens: Vec<String> = brands::table
        .filter(brands::token_hash.eq_any(&digests))
        .select(brands::brand_id)
        .load(db)?;
    found.extend(
        tokens
            .iter()
            .map(|brand| format!("the token of the brand \"{brand}\"")),
    );
    let secrets: Vec<(String, Option<Vec<u8>>)> = accounts::table
        .select((accounts::account_id, accounts::secret))
        .load(db)?;
    for (account, sealed) in secrets {
        let opened = sealed.and_then(|sealed| {
            key.open(&sealed, &super::world::secret_context(&account))
                .ok()
        });
        if opened.is_some_and(|secret| {
            PUBLISHED_SAMPLES
                .iter()
                .any(|sample| sample.as_bytes() == secret)
        }) {
            found.push(format!("the secret of the account \"{account}\""));
        }
    }
    leave(db)?;
    Ok(found)
}

/// On MySQL a writer's first read has begun a transaction, which would see the past later.
fn leave(db: &mut Db) -> Result<()> {
    dialect::end_read(db)
}
