//! Customers that API 1.5 creates, changes and forgets.
//!
//! Belongs here: what is written of them, and in which tables. Does not belong here: what `sync_data` writes
//! ([`super::people`]), how customers are forgotten ([`super::erase`]).

use super::dialect::customers::remove_keys;
use super::dialect::{Writes, rows::rows};
use super::{Result, erase, person_keys, profiles, search_texts, undo_images};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::customers::{Customer, CustomerChange, KeyMove, PeopleRows};
use std::collections::HashSet;

rows! {
    struct Row<'a> in customers {
        account_id: i32,
        number: i64,
        code: Option<&'a str>,
        card_number: Option<&'a str>,
        first_name: Option<&'a str>,
        last_name: Option<&'a str>,
        email: Option<&'a str>,
        phone: Option<&'a str>,
        cellphone: Option<&'a str>,
        document: Option<&'a str>,
        created_at: i64,
        street1: Option<&'a str>,
        city: Option<&'a str>,
        state: Option<&'a str>,
        postal_code: Option<&'a str>,
        country: Option<&'a str>,
    }
    key account_id, number;
    set code, card_number, first_name, last_name, email, phone, cellphone, document, street1, city, state, postal_code, country
}

rows! {
    struct KeyRow<'a> in customer_keys {
        account_id: i32,
        value: &'a str,
        customer: i64,
        replaced: bool,
    }
    key account_id, value;
    set customer, replaced
}

/// Customers whose rows are made at a time: those of all at once would take as much memory again.
const AT_A_TIME: usize = 5_000;

/// Takes codes and card numbers from their holders, before anybody else gets them.
pub fn free(writes: &mut Writes<'_>, account: i32, requests: &[&PeopleRows]) -> Result<()> {
    let freed = requests.iter().flat_map(|rows| &rows.keys);
    let mut freed = freed
        .filter_map(|moved| match moved {
            KeyMove::Free { value } => Some(&**value),
            KeyMove::Give { .. } | KeyMove::Replace { .. } => None,
        })
        .peekable();
    if freed.peek().is_none() {
        return Ok(());
    }
    remove_keys(writes, account, freed)?;
    writes.flush()
}

/// Writes the customers of some requests, with their codes, profiles, keys and search texts.
pub fn save(
    writes: &mut Writes<'_>,
    account: &Account,
    requests: &[&PeopleRows],
    now_us: i64,
) -> Result<()> {
    for rows in requests {
        for part in rows.customers.chunks(AT_A_TIME) {
            save_customers(writes, account, part, now_us)?;
        }
        undo_images::save(writes, account.number, &rows.images, now_us)?;
        if !rows.images_gone.is_empty() {
            undo_images::remove(writes.db()?, account.number, &rows.images_gone)?;
        }
        save_keys(writes, account.number, &rows.keys)?;
        for plan in &rows.erased {
            erase::forget(writes, account, plan, now_us)?;
        }
    }
    Ok(())
}

fn save_customers(
    writes: &mut Writes<'_>,
    account: &Account,
    changes: &[CustomerChange],
    now_us: i64,
) -> Result<()> {
    let number = account.number;
    let changed: Vec<&CustomerChange> = changes
        .iter()
        .filter(|change| change.before.as_ref() != Some(&change.after))
        .collect();
    let person = |change: &&CustomerChange| {
        let before = change.before.as_ref();
        before.is_none_or(|before| before.person != change.after.person)
    };
    let rows: Vec<Row<'_>> = changed
        .iter()
        .copied()
        .filter(person)
        .map(|change| row(number, &change.after))
        .collect();
    Row::save(writes, &rows)?;
    let changed_profiles: Vec<_> = changed
        .iter()
        .filter(|change| {
            let before = change.before.as_ref();
            before.is_none_or(|before| before.profile != change.after.profile)
        })
        .filter_map(|change| {
            let profile = change.after.profile.as_ref()?;
            Some((change.after.person.customer, profile))
        })
        .collect();
    profiles::save(writes, number, &changed_profiles, now_us)?;
    // Of those who have neither code nor card any more nothing is left.
    let gone = changed.iter().filter(|change| change.after.is_erased());
    let gone: Vec<i64> = gone.map(|change| change.after.person.customer).collect();
    if !gone.is_empty() {
        profiles::remove(writes.db()?, number, &gone)?;
        search_texts::remove(writes.db()?, number, &gone)?;
    }
    let (mut old, mut new, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for change in &changed {
        let customer = change.after.person.customer;
        let country = account.country.as_deref();
        let before = change.before.as_ref();
        let before_keys = before.map_or_else(HashSet::new, |before| keys_of(before, country));
        let after_keys = keys_of(&change.after, country);
        let gone = before_keys.difference(&after_keys);
        old.extend(gone.map(|(kind, value)| (*kind, value.clone(), customer)));
        let come = after_keys.difference(&before_keys);
        new.extend(come.map(|(kind, value)| (*kind, value.clone(), customer)));
        let text = search_texts::of(&change.after);
        if !change.after.is_erased() && before.map(search_texts::of).as_ref() != Some(&text) {
            texts.push((customer, text));
        }
    }
    person_keys::insert(writes, number, person_keys::each(&new))?;
    person_keys::remove(writes, number, person_keys::each(&old))?;
    search_texts::save(writes, number, &texts)
}

/// All keys of a customer but codes and cards.
pub(super) fn keys_of(customer: &Customer, country: Option<&str>) -> HashSet<(KeyKind, Box<str>)> {
    let person = &customer.person;
    let user_id = person.contact.as_ref();
    let user_id = user_id.and_then(|contact| contact.user_id.as_deref());
    let keys = keys::of_person(&person.columns, user_id, country);
    let profile = customer.profile.iter();
    let profile = profile.flat_map(|one| keys::of_profile(one.username.as_deref(), &one.custom));
    keys.into_iter().chain(profile).collect()
}

fn row(account: i32, customer: &Customer) -> Row<'_> {
    let person = &customer.person;
    let columns = &person.columns;
    Row {
        account_id: account,
        number: person.customer,
        code: person.code.as_deref(),
        card_number: person.card_number.as_deref(),
        first_name: columns.first_name.as_deref(),
        last_name: columns.last_name.as_deref(),
        email: columns.email.as_deref(),
        phone: columns.phone.as_deref(),
        cellphone: columns.cellphone.as_deref(),
        document: columns.document.as_deref(),
        created_at: person.created_at,
        street1: columns.street1.as_deref(),
        city: columns.city.as_deref(),
        state: columns.state.as_deref(),
        postal_code: columns.postal_code.as_deref(),
        country: columns.country.as_deref(),
    }
}

fn save_keys(writes: &mut Writes<'_>, account: i32, moves: &[KeyMove]) -> Result<()> {
    let mut rows: Vec<KeyRow<'_>> = moves
        .iter()
        .filter_map(|moved| {
            let (value, customer, replaced) = match moved {
                KeyMove::Give { value, customer } => (value, *customer, false),
                KeyMove::Replace { value, customer } => (value, *customer, true),
                KeyMove::Free { .. } => return None,
            };
            Some(KeyRow {
                account_id: account,
                value,
                customer,
                replaced,
            })
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.value);
    KeyRow::save(writes, &rows)
}
