//! What users change of the configuration.
//!
//! Belongs here: users, keys, campaigns they see and custom fields, written. Does not belong here: world files
//! ([`super::world`]), reading ([`super::accounts`]).
//!
//! These are rare, and written one by one: an upsert of a user could, on MySQL, meet the row of another account that has
//! the same user id.

use super::accounts::LOGIN_KEY;
use super::dialect::Writes;
use super::schema::{api_keys, custom_fields, profiles, user_campaigns, users};
use super::sync_queue::broken;
use super::{Db, Failure, Result};
use crate::loyalty::account::CustomField;
use crate::loyalty::config::{ConfigRows, NewKey, UserRow};
use crate::loyalty::rows::Rows;
use crate::text;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// The kind of the keys that users are given once and for all.
const API_KEY: &str = "api";

/// Writes the configuration of some requests.
pub fn save(writes: &mut Writes<'_>, account: i32, requests: &[Rows<'_>]) -> Result<()> {
    for rows in requests.iter().filter_map(|rows| rows.config.as_deref()) {
        save_one(writes.db()?, account, rows)?;
    }
    Ok(())
}

fn save_one(db: &mut Db, account: i32, rows: &ConfigRows) -> Result<()> {
    for user in &rows.users {
        save_user(db, account, user)?;
    }
    for (user, digest) in &rows.keys_gone {
        let key = api_keys::table.find((account, *user, digest.as_slice()));
        diesel::delete(key).execute(db)?;
    }
    for key in &rows.keys_new {
        add_key(db, account, key)?;
    }
    for (user, digest, used_at) in &rows.touched {
        let key = api_keys::table.find((account, *user, digest.as_slice()));
        diesel::update(key)
            .set(api_keys::last_used_at.eq(Some(*used_at)))
            .execute(db)?;
    }
    for (user, seen) in &rows.visible {
        let stored = user_campaigns::table
            .filter(user_campaigns::account_id.eq(account))
            .filter(user_campaigns::user.eq(*user));
        diesel::delete(stored).execute(db)?;
        for campaign in seen.iter().flatten() {
            diesel::insert_into(user_campaigns::table)
                .values((
                    user_campaigns::account_id.eq(account),
                    user_campaigns::user.eq(*user),
                    user_campaigns::campaign.eq(*campaign),
                ))
                .execute(db)?;
        }
    }
    let changed = rows.fields.iter().map(|field| field.number);
    for number in changed.chain(rows.fields_gone.iter().copied()) {
        let stored = custom_fields::table.find((account, i16::from(number)));
        diesel::delete(stored).execute(db)?;
    }
    for field in &rows.fields {
        add_field(db, account, field)?;
    }
    Ok(())
}

fn save_user(db: &mut Db, account: i32, user: &UserRow) -> Result<()> {
    let known: Option<i32> = users::table
        .find((account, user.number))
        .select(users::number)
        .first(db)
        .optional()?;
    if known.is_none() {
        let inserted = diesel::insert_into(users::table)
            .values((
                users::account_id.eq(account),
                users::number.eq(user.number),
                users::user_id.eq(&user.user_id),
                users::all_campaigns.eq(user.all_campaigns),
                users::created_at.eq(user.created_at),
            ))
            .execute(db);
        inserted.map_err(|error| match Failure::from(error) {
            // Another account has created a user of this id since it was looked up: it is decided anew.
            Failure::Data(text) => Failure::Conflict(text),
            other => other,
        })?;
    }
    diesel::update(users::table.find((account, user.number)))
        .set((
            users::all_campaigns.eq(user.all_campaigns),
            users::created_at.eq(user.created_at),
            users::permissions.eq(user.rights.0),
            users::password.eq(user.password.as_deref()),
            users::active.eq(user.active),
        ))
        .execute(db)?;
    Ok(())
}

fn add_key(db: &mut Db, account: i32, key: &NewKey) -> Result<()> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::account_id.eq(account),
            api_keys::user.eq(key.user),
            api_keys::hash.eq(key.digest.as_slice()),
            api_keys::kind.eq(if key.login { LOGIN_KEY } else { API_KEY }),
            api_keys::created_at.eq(key.created_at),
            api_keys::last_used_at.eq(None::<i64>),
        ))
        .execute(db)?;
    Ok(())
}

fn add_field(db: &mut Db, account: i32, field: &CustomField) -> Result<()> {
    let choices = match field.choices.is_empty() {
        true => None,
        false => Some(serde_json::to_string(&field.choices).map_err(|_| broken("choices"))?),
    };
    diesel::insert_into(custom_fields::table)
        .values((
            custom_fields::account_id.eq(account),
            custom_fields::number.eq(i16::from(field.number)),
            custom_fields::label.eq(&field.label),
            custom_fields::shown.eq(field.shown),
            custom_fields::kind.eq(field.kind.stored()),
            custom_fields::choices.eq(choices),
            custom_fields::searchable.eq(field.searchable),
            custom_fields::is_unique.eq(field.unique),
            custom_fields::required.eq(field.required),
        ))
        .execute(db)?;
    Ok(())
}

/// Whether another account has a user of this id. Ids of users are unique in the installation, those of deleted ones too.
pub fn is_elsewhere(db: &mut Db, account: i32, user_id: &str) -> Result<bool> {
    let holder: Option<i32> = users::table
        .filter(users::user_id.eq(user_id))
        .select(users::account_id)
        .first(db)
        .optional()?;
    Ok(holder.is_some_and(|holder| holder != account))
}

/// Profiles of one statement.
const CHUNK: i64 = 5_000;

/// Of these custom fields, those in which two customers have the same value, without regard to case; each with one such
/// value.
pub fn shared_values(db: &mut Db, account: i32, numbers: &[u8]) -> Result<Vec<(u8, String)>> {
    let mut seen: HashSet<(u8, String)> = HashSet::new();
    let mut shared: Vec<(u8, String)> = Vec::new();
    let mut after = i64::MIN;
    while !numbers.is_empty() {
        let rows: Vec<(i64, Option<String>)> = profiles::table
            .filter(profiles::account_id.eq(account))
            .filter(profiles::customer.gt(after))
            .order(profiles::customer)
            .limit(CHUNK)
            .select((profiles::customer, profiles::custom))
            .load(db)?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        for json in rows.iter().filter_map(|(_, custom)| custom.as_deref()) {
            let custom: BTreeMap<u8, String> =
                serde_json::from_str(json).map_err(|_| broken("custom fields"))?;
            for (number, value) in custom {
                let known = shared.iter().any(|(known, _)| *known == number);
                if numbers.contains(&number)
                    && !known
                    && !seen.insert((number, text::fold(value.trim())))
                {
                    shared.push((number, value));
                }
            }
        }
    }
    Ok(shared)
}
