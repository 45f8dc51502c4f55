//! The API 1.5 side of customers.
//!
//! Belongs here: these rows, read and written. Does not belong here: the columns that all dialects share
//! ([`super::people`]).

use super::dialect::{Writes, rows::rows};
use super::schema::profiles;
use super::sync_queue::broken;
use super::{Db, Result};
use crate::loyalty::customers::Profile;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

rows! {
    struct Row<'a> in profiles {
        account_id: i32,
        customer: i64,
        street2: Option<&'a str>,
        custom_date: Option<&'a str>,
        custom: Option<String>,
        username: Option<&'a str>,
        password: Option<&'a str>,
        pin: Option<&'a str>,
        registered: bool,
        updated_at: i64,
    }
    key account_id, customer;
    set street2, custom_date, custom, username, password, pin, registered, updated_at
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = profiles)]
struct Found {
    customer: i64,
    street2: Option<String>,
    custom_date: Option<String>,
    custom: Option<String>,
    username: Option<String>,
    password: Option<String>,
    pin: Option<String>,
    registered: bool,
}

/// Customers of one statement.
const CHUNK: usize = 5_000;

/// The profiles of these customers, as far as they have one.
pub fn of(db: &mut Db, account: i32, customers: &[i64]) -> Result<HashMap<i64, Profile>> {
    let mut all = HashMap::new();
    for chunk in customers.chunks(CHUNK) {
        let found: Vec<Found> = profiles::table
            .filter(profiles::account_id.eq(account))
            .filter(profiles::customer.eq_any(chunk))
            .select(Found::as_select())
            .load(db)?;
        for row in found {
            all.insert(row.customer, profile(row)?);
        }
    }
    Ok(all)
}

fn profile(row: Found) -> Result<Profile> {
    let short = |text: Option<String>| text.map(String::into_boxed_str);
    let custom = match row.custom {
        Some(json) => serde_json::from_str(&json).map_err(|_| broken("custom fields"))?,
        None => BTreeMap::new(),
    };
    Ok(Profile {
        street2: short(row.street2),
        custom_date: short(row.custom_date),
        username: short(row.username),
        password: short(row.password),
        pin: short(row.pin),
        custom,
        registered: row.registered,
    })
}

/// Deletes the profiles of these customers.
pub fn remove(db: &mut Db, account: i32, customers: &[i64]) -> Result<()> {
    for chunk in customers.chunks(CHUNK) {
        let own = profiles::table
            .filter(profiles::account_id.eq(account))
            .filter(profiles::customer.eq_any(chunk));
        diesel::delete(own).execute(db)?;
    }
    Ok(())
}

/// Writes profiles, new or changed, each customer's once.
pub fn save(
    writes: &mut Writes<'_>,
    account: i32,
    changed: &[(i64, &Profile)],
    now_us: i64,
) -> Result<()> {
    let mut rows: Vec<Row<'_>> = changed
        .iter()
        .map(|(customer, profile)| Row {
            account_id: account,
            customer: *customer,
            street2: profile.street2.as_deref(),
            custom_date: profile.custom_date.as_deref(),
            custom: match profile.custom.is_empty() {
                true => None,
                false => serde_json::to_string(&profile.custom).ok(),
            },
            username: profile.username.as_deref(),
            password: profile.password.as_deref(),
            pin: profile.pin.as_deref(),
            registered: profile.registered,
            updated_at: now_us,
        })
        .collect();
    // Rows of a table come fastest in its order.
    rows.sort_unstable_by_key(|row| row.customer);
    Row::save(writes, &rows)
}
