//! The contact side of customers, the keys that people are found by, consents, purchases.

use super::super::schema::{
    accounts, consents, contacts, person_keys as stored_keys, purchase_contacts, purchases,
};
use super::super::{Result, dialect, installation, person_keys};
use super::customers::NumberSet;
use super::{CHUNK, Check, or_none};
use crate::json::Fields;
use crate::loyalty::ledger::SyncNumbers;
use crate::loyalty::purchases::STATUSES;
use crate::text;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Checks the tables of people; `customers` are those that there are.
pub(super) fn check(
    check: &mut Check<'_>,
    numbers: &SyncNumbers,
    customers: &NumberSet,
) -> Result<()> {
    let newest = check_consents(check, numbers, customers)?;
    check_contacts(check, customers, newest)?;
    check_keys(check)?;
    check_purchases(check, customers)
}

/// Consents have all numbers, and each names the customer's one before. Gives each customer's newest.
fn check_consents(
    check: &mut Check<'_>,
    numbers: &SyncNumbers,
    customers: &NumberSet,
) -> Result<HashMap<i64, i64>> {
    let mut newest: HashMap<i64, i64> = HashMap::new();
    let mut last = 0_i64;
    loop {
        let rows: Vec<(i64, i64, Option<i64>)> = consents::table
            .filter(consents::account_id.eq(check.account))
            .filter(consents::number.gt(last))
            .order(consents::number)
            .limit(CHUNK)
            .select((consents::number, consents::customer, consents::previous))
            .load(check.db)?;
        if rows.is_empty() {
            break;
        }
        for (number, customer, previous) in rows {
            let next = last.saturating_add(1);
            if number != next {
                check.add("consents", number, format!("follows {last}"), next);
            }
            last = number;
            if !customers.contains(customer) {
                let is = format!("customer {customer}, who does not exist");
                check.add("consents", number, is, "a customer");
            }
            let before = newest.insert(customer, number);
            if previous != before {
                let is = format!("previous {}", or_none(previous));
                let should = format!("previous {}", or_none(before));
                check.add("consents", number, is, should);
            }
        }
    }
    let next = last.saturating_add(1);
    if numbers.consent != next {
        check.add("sync_heads", "next_consent", numbers.consent, next);
    }
    Ok(newest)
}

fn check_contacts(
    check: &mut Check<'_>,
    customers: &NumberSet,
    mut newest: HashMap<i64, i64>,
) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, String, Option<i64>, String)> = contacts::table
            .filter(contacts::account_id.eq(check.account))
            .filter(contacts::customer.gt(after))
            .order(contacts::customer)
            .limit(CHUNK)
            .select((
                contacts::customer,
                contacts::contact_id,
                contacts::last_consent,
                contacts::profile,
            ))
            .load(check.db)?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        for (customer, id, consent, profile) in rows {
            if !customers.contains(customer) {
                let is = format!("customer {customer}, who does not exist");
                check.add("contacts", customer, is, "a customer");
            }
            if id.len() != 24 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let is = format!("contact_id {}", text::shown(&id));
                check.add("contacts", customer, is, "24 hexadecimal digits");
            }
            if Fields::parse(&profile).is_none() {
                check.add("contacts", customer, "a profile that is no object", "one");
            }
            let known = newest.remove(&customer);
            if consent != known {
                let is = format!("last_consent {}", or_none(consent));
                let should = format!("last_consent {}", or_none(known));
                check.add("contacts", customer, is, should);
            }
        }
    }
    let mut strays: Vec<(i64, i64)> = newest.into_iter().collect();
    strays.sort_unstable();
    for (customer, number) in strays {
        let is = format!("customer {customer}, who has no contact");
        check.add("consents", number, is, "a contact");
    }
    Ok(())
}

/// Every customer is found by what it has, and by nothing else. A database whose customers have no keys yet is not
/// wrong: the next command that opens it gives them.
fn check_keys(check: &mut Check<'_>) -> Result<()> {
    let country: Option<String> = accounts::table
        .find(check.account)
        .select(accounts::country)
        .first(check.db)?;
    let mut after = if installation::notes_person_keys(check.db)? {
        0
    } else {
        i64::MAX
    };
    loop {
        let (last, expected) =
            person_keys::expected(check.db, check.account, after, country.as_deref())?;
        let Some(last) = last else { break };
        after = last;
        let asked: Vec<(i16, &str, i64)> = expected
            .iter()
            .map(|(kind, value, customer)| (kind.stored(), &**value, *customer))
            .collect();
        let found = dialect::people::those_there(check.db, check.account, &asked)?;
        let found: HashSet<(i16, &str, i64)> = found
            .iter()
            .map(|(kind, value, customer)| (*kind, value.as_str(), *customer))
            .collect();
        for (kind, value, customer) in &expected {
            let kind = kind.stored();
            if !found.contains(&(kind, &**value, *customer)) {
                let key = format!("{kind}/{}", text::shown(value));
                let should = format!("a key of customer {customer}");
                check.add("person_keys", key, "no row", should);
            }
        }
    }
    let mut after = (i16::MIN, String::new(), i64::MIN);
    loop {
        let rows = keys_behind(check, after)?;
        let Some((kind, value, customer)) = rows.last() else {
            return Ok(());
        };
        after = (*kind, value.clone(), *customer);
        let mut owners: Vec<i64> = rows.iter().map(|row| row.2).collect();
        owners.sort_unstable();
        owners.dedup();
        let own = person_keys::own(check.db, check.account, &owners, country.as_deref())?;
        let own: HashSet<(i16, &str, i64)> = own
            .iter()
            .map(|(kind, value, customer)| (kind.stored(), &**value, *customer))
            .collect();
        for (kind, value, customer) in &rows {
            if !own.contains(&(*kind, value.as_str(), *customer)) {
                let key = format!("{kind}/{}", text::shown(value));
                let is = format!("customer {customer}, whose it is not");
                check.add("person_keys", key, is, "the customer's own");
            }
        }
    }
}

type Key = (i16, String, i64);

fn keys_behind(check: &mut Check<'_>, (kind, value, customer): Key) -> Result<Vec<Key>> {
    let same_kind = stored_keys::kind.eq(kind);
    let same_value = stored_keys::value.eq(value.clone());
    let behind = stored_keys::kind
        .gt(kind)
        .or(same_kind.and(stored_keys::value.gt(value)))
        .or(same_kind
            .and(same_value)
            .and(stored_keys::customer.gt(customer)));
    Ok(stored_keys::table
        .filter(stored_keys::account_id.eq(check.account))
        .filter(behind)
        .order((stored_keys::kind, stored_keys::value, stored_keys::customer))
        .limit(CHUNK)
        .select((stored_keys::kind, stored_keys::value, stored_keys::customer))
        .load(check.db)?)
}

/// Purchases are of customers, the first of whom is named in the purchase.
fn check_purchases(check: &mut Check<'_>, customers: &NumberSet) -> Result<()> {
    let mut after = String::new();
    loop {
        let rows: Vec<(String, Option<i64>, String, String)> = purchases::table
            .filter(purchases::account_id.eq(check.account))
            .filter(purchases::transaction_code.gt(after))
            .order(purchases::transaction_code)
            .limit(CHUNK)
            .select((
                purchases::transaction_code,
                purchases::customer,
                purchases::status,
                purchases::fields,
            ))
            .load(check.db)?;
        let Some(last) = rows.last() else { break };
        after = last.0.clone();
        let first = rows.first().map_or("", |first| first.0.as_str());
        let links: Vec<(String, i32, i64)> = purchase_contacts::table
            .filter(purchase_contacts::account_id.eq(check.account))
            .filter(purchase_contacts::transaction_code.between(first, &after))
            .order((
                purchase_contacts::transaction_code,
                purchase_contacts::place,
            ))
            .select((
                purchase_contacts::transaction_code,
                purchase_contacts::place,
                purchase_contacts::customer,
            ))
            .load(check.db)?;
        let mut firsts: HashMap<&str, i64> = HashMap::new();
        for (code, place, customer) in &links {
            if *place == 0 {
                firsts.insert(code, *customer);
            }
            if !customers.contains(*customer) {
                let key = format!("{}/{place}", text::shown(code));
                let is = format!("customer {customer}, who does not exist");
                check.add("purchase_contacts", key, is, "a customer");
            }
        }
        for (code, customer, status, fields) in &rows {
            let key = text::shown(code);
            let linked = firsts.get(code.as_str()).copied();
            if *customer != linked {
                let is = format!("customer {}", or_none(*customer));
                let should = format!("customer {}", or_none(linked));
                check.add("purchases", &key, is, should);
            }
            if !STATUSES.contains(&status.as_str()) {
                let is = format!("status {}", text::shown(status));
                check.add("purchases", &key, is, "a documented one");
            }
            if Fields::parse(fields).is_none() {
                check.add("purchases", &key, "fields that are no object", "one");
            }
        }
    }
    Ok(())
}
