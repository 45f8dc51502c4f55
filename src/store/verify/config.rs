//! What entries may name: campaigns with their rules, items, rewards, users; and brands.
//!
//! Unlike [`super::super::accounts`] it does not stop at a value that it does not know.

use super::super::Result;
use super::super::schema::{
    accounts, api_keys, brands, campaigns, custom_fields, items, rewards, users,
};
use super::Check;
use crate::amount::currency_digits;
use crate::loyalty::account::{FieldKind, Kind};
use crate::loyalty::config::fields::FIELDS_MAX;
use crate::loyalty::rights::Rights;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// The rules of a campaign.
pub(super) struct Campaign {
    /// `None` if this program does not know its word.
    pub(super) kind: Option<Kind>,
    /// The most decimals of its amounts; `None` if that is not known.
    pub(super) digits: Option<u8>,
    /// Whether a balance may be below zero.
    pub(super) allow_negative: bool,
}

/// All that entries of an account may name, by their numbers.
#[derive(Default)]
pub(super) struct Config {
    pub(super) campaigns: HashMap<i32, Campaign>,
    /// The campaign of each item.
    pub(super) items: HashMap<i32, i32>,
    /// The campaign of each reward.
    pub(super) rewards: HashMap<i32, i32>,
    pub(super) users: HashSet<i32>,
    pub(super) brands: HashSet<i32>,
}

/// Finds what users cannot be, and gives their numbers.
fn check_users(check: &mut Check<'_>) -> Result<Vec<i32>> {
    let account = check.account;
    let rows: Vec<(i32, i16, Option<String>, bool)> = users::table
        .filter(users::account_id.eq(account))
        .order(users::number)
        .select((
            users::number,
            users::permissions,
            users::password,
            users::active,
        ))
        .load(check.db)?;
    let keys: Vec<i32> = api_keys::table
        .filter(api_keys::account_id.eq(account))
        .select(api_keys::user)
        .distinct()
        .load(check.db)?;
    for user in &keys {
        if !rows.iter().any(|(number, ..)| number == user) {
            check.add("api_keys", *user, "a key of no user", "a key of a user");
        }
    }
    for (number, permissions, password, active) in &rows {
        if Rights(*permissions).0 & !Rights::ALL.0 != 0 {
            let is = format!("permissions {permissions}");
            check.add("users", *number, is, "0 to 15");
        }
        let rest = password.is_some() || *permissions != 0 || keys.contains(number);
        if !active && rest {
            let is = "a deleted user with a key, a password or a right";
            check.add("users", *number, is, "none of them");
        }
    }
    Ok(rows.into_iter().map(|(number, ..)| number).collect())
}

fn check_fields(check: &mut Check<'_>) -> Result<()> {
    let rows: Vec<(i16, i16)> = custom_fields::table
        .filter(custom_fields::account_id.eq(check.account))
        .order(custom_fields::number)
        .select((custom_fields::number, custom_fields::kind))
        .load(check.db)?;
    for (number, kind) in rows {
        if !(1..=i16::from(FIELDS_MAX)).contains(&number) {
            check.add("custom_fields", number, "this number", "1 to 99");
        }
        if FieldKind::from_stored(kind).is_none() {
            let is = format!("kind {kind}");
            check.add("custom_fields", number, is, "a kind that is known");
        }
    }
    Ok(())
}

/// The most decimals that points may have.
const POINTS_DIGITS_MAX: u8 = 4;

pub(super) fn load(check: &mut Check<'_>) -> Result<Config> {
    let account = check.account;
    let currency: String = accounts::table
        .find(account)
        .select(accounts::currency)
        .first(check.db)?;
    let money = currency_digits(&currency);
    if money.is_none() {
        let is = format!("currency {}", crate::text::shown(&currency));
        check.add("accounts", "-", is, "a currency of ISO 4217");
    }
    let rows: Vec<(i32, String, i16, bool)> = campaigns::table
        .filter(campaigns::account_id.eq(account))
        .order(campaigns::number)
        .select((
            campaigns::number,
            campaigns::kind,
            campaigns::decimals,
            campaigns::allow_negative,
        ))
        .load(check.db)?;
    let mut found = HashMap::with_capacity(rows.len());
    for (number, word, decimals, allow_negative) in rows {
        let kind = Kind::from_word(&word);
        let points = u8::try_from(decimals)
            .ok()
            .filter(|digits| *digits <= POINTS_DIGITS_MAX);
        let digits = kind.and_then(|kind| kind.digits(points, money));
        if kind.is_none() {
            let is = format!("kind {}", crate::text::shown(&word));
            check.add("campaigns", number, is, "a kind that is known");
        } else if kind == Some(Kind::Points) && digits.is_none() {
            check.add(
                "campaigns",
                number,
                format!("decimals {decimals}"),
                "0 to 4",
            );
        }
        let campaign = Campaign {
            kind,
            digits,
            allow_negative,
        };
        found.insert(number, campaign);
    }
    let items: Vec<(i32, i32)> = items::table
        .filter(items::account_id.eq(account))
        .select((items::number, items::campaign))
        .load(check.db)?;
    let rewards: Vec<(i32, i32)> = rewards::table
        .filter(rewards::account_id.eq(account))
        .select((rewards::number, rewards::campaign))
        .load(check.db)?;
    let users = check_users(check)?;
    check_fields(check)?;
    let brands: Vec<i32> = brands::table
        .filter(brands::account_id.eq(account))
        .select(brands::number)
        .load(check.db)?;
    Ok(Config {
        campaigns: found,
        items: items.into_iter().collect(),
        rewards: rewards.into_iter().collect(),
        users: users.into_iter().collect(),
        brands: brands.into_iter().collect(),
    })
}
