//! What is left of a customer.
//!
//! Belongs here: what becomes of each row that was found. Does not belong here: finding them.

use super::super::dialect::Writes;
use super::super::dialect::sales::remove_sale_keys;
use super::super::schema::{
    attempts, consents, contacts, customer_keys, customers, journal, profiles, purchase_contacts,
    purchases, sales, search_texts, sync_items, sync_jobs, undo_images,
};
use super::super::{Db, Result, customers as stored, idempotency, person_keys, rejections};
use super::CHUNK;
use crate::loyalty::account::Account;
use crate::loyalty::customers::Customer;
use crate::loyalty::customers::erase::ErasePlan;
use crate::loyalty::sales::book::LinkKind;
use diesel::prelude::*;

/// Forgets a customer.
pub fn forget(
    writes: &mut Writes<'_>,
    account: &Account,
    plan: &ErasePlan,
    now_us: i64,
) -> Result<()> {
    let Some(customer) = plan.was.as_deref() else {
        return Ok(());
    };
    let keys = stored::keys_of(customer, account.country.as_deref());
    let own = keys
        .iter()
        .map(|(kind, value)| (*kind, &**value, plan.customer));
    person_keys::remove(writes, account.number, own)?;
    forget_sales(writes, account.number, plan)?;
    let db = writes.db()?;
    let (account, number) = (account.number, plan.customer);
    forget_person(db, account, number, plan)?;
    forget_consents(db, account, customer)?;
    for chunk in plan.entries.chunks(CHUNK) {
        let entries = journal::table
            .filter(journal::account_id.eq(account))
            .filter(journal::number.eq_any(chunk));
        diesel::update(entries)
            .set((
                journal::authorization.eq(None::<String>),
                journal::custom.eq(None::<String>),
            ))
            .execute(db)?;
    }
    forget_items(db, account, plan)?;
    let refused: Vec<i64> = plan.rejections.iter().map(|(number, _)| *number).collect();
    rejections::expire(db, account, &refused, now_us)?;
    idempotency::forget_guarded_customer(db, account, number)
}

fn forget_sales(writes: &mut Writes<'_>, account: i32, plan: &ErasePlan) -> Result<()> {
    type Ids = (i64, i32, Option<String>, Option<String>);
    for chunk in plan.sales.chunks(CHUNK) {
        let db = writes.db()?;
        let own = sales::table
            .filter(sales::account_id.eq(account))
            .filter(sales::number.eq_any(chunk));
        let rows: Vec<Ids> = own
            .select((
                sales::number,
                sales::brand,
                sales::external_sale_id,
                sales::order_id,
            ))
            .load(db)?;
        let own = sales::table
            .filter(sales::account_id.eq(account))
            .filter(sales::number.eq_any(chunk));
        diesel::update(own)
            .set((
                sales::extra.eq(None::<String>),
                sales::external_sale_id.eq(None::<String>),
                sales::order_id.eq(None::<String>),
            ))
            .execute(db)?;
        let keys = rows.iter().flat_map(|(sale, brand, external, order)| {
            let external = external.as_deref().map(|id| (LinkKind::External, id));
            let order = order.as_deref().map(|id| (LinkKind::Order, id));
            let links = external.into_iter().chain(order);
            links.map(|(kind, value)| (*brand, kind.stored(), value, *sale))
        });
        let keys: Vec<(i32, i16, &str, i64)> = keys.collect();
        remove_sale_keys(writes, account, &keys)?;
        writes.flush()?;
    }
    Ok(())
}

/// What has the customer in its key, codes, and purchases.
fn forget_person(db: &mut Db, account: i32, customer: i64, plan: &ErasePlan) -> Result<()> {
    type No = Option<String>;
    diesel::update(customers::table.find((account, customer)))
        .set((
            customers::code.eq(No::None),
            customers::card_number.eq(No::None),
            customers::first_name.eq(No::None),
            customers::last_name.eq(No::None),
            customers::email.eq(No::None),
            customers::phone.eq(No::None),
            customers::cellphone.eq(No::None),
            customers::document.eq(No::None),
        ))
        .execute(db)?;
    diesel::update(customers::table.find((account, customer)))
        .set((
            customers::street1.eq(No::None),
            customers::city.eq(No::None),
            customers::state.eq(No::None),
            customers::postal_code.eq(No::None),
            customers::country.eq(No::None),
        ))
        .execute(db)?;
    let values: Vec<&str> = plan.keys.iter().map(|(value, _)| &**value).collect();
    for chunk in values.chunks(CHUNK) {
        let own = customer_keys::table
            .filter(customer_keys::account_id.eq(account))
            .filter(customer_keys::value.eq_any(chunk));
        diesel::delete(own).execute(db)?;
    }
    diesel::delete(profiles::table.find((account, customer))).execute(db)?;
    diesel::delete(search_texts::table.find((account, customer))).execute(db)?;
    let images = undo_images::table
        .filter(undo_images::account_id.eq(account))
        .filter(undo_images::customer.eq(customer));
    diesel::delete(images).execute(db)?;
    diesel::update(contacts::table.find((account, customer)))
        .set((
            contacts::contact_id.eq(&plan.contact_id),
            contacts::user_id.eq(No::None),
            contacts::origin.eq(""),
            contacts::verdict.eq(None::<i16>),
            contacts::checked_at.eq(None::<i64>),
            contacts::profile.eq("{}"),
        ))
        .execute(db)?;
    for chunk in plan.purchases_gone.chunks(CHUNK) {
        let links = purchase_contacts::table
            .filter(purchase_contacts::account_id.eq(account))
            .filter(purchase_contacts::transaction_code.eq_any(chunk));
        diesel::delete(links).execute(db)?;
        let own = purchases::table
            .filter(purchases::account_id.eq(account))
            .filter(purchases::transaction_code.eq_any(chunk));
        diesel::delete(own).execute(db)?;
    }
    for (code, place) in &plan.links_gone {
        diesel::delete(purchase_contacts::table.find((account, code, place))).execute(db)?;
    }
    Ok(())
}

/// Answers stay, with their dates; where they came from does not.
fn forget_consents(db: &mut Db, account: i32, customer: &Customer) -> Result<()> {
    let contact = customer.person.contact.as_ref();
    let mut next = contact.and_then(|contact| contact.last_consent);
    while let Some(number) = next {
        diesel::update(consents::table.find((account, number)))
            .set((
                consents::remote_ip.eq(None::<String>),
                consents::origin.eq(None::<String>),
            ))
            .execute(db)?;
        next = consents::table
            .find((account, number))
            .select(consents::previous)
            .first(db)?;
    }
    Ok(())
}

/// Items of jobs, the purchases of these jobs, and what the tries of their webhooks have told.
fn forget_items(db: &mut Db, account: i32, plan: &ErasePlan) -> Result<()> {
    let mut jobs: Vec<i64> = Vec::new();
    for (job, item) in &plan.items {
        diesel::update(sync_items::table.find((account, job, item)))
            .set((
                sync_items::told.eq(None::<String>),
                sync_items::errors.eq(None::<String>),
                sync_items::contact_id.eq(None::<String>),
            ))
            .execute(db)?;
        jobs.push(*job);
    }
    jobs.dedup();
    for chunk in jobs.chunks(CHUNK) {
        let rows: Vec<(i64, Option<String>, i32, Option<i64>)> = sync_jobs::table
            .filter(sync_jobs::account_id.eq(account))
            .filter(sync_jobs::number.eq_any(chunk))
            .select((
                sync_jobs::number,
                sync_jobs::purchase_code,
                sync_jobs::contacts,
                sync_jobs::event,
            ))
            .load(db)?;
        // A purchase is the first contact's, also one that failed.
        let is_first = |job: i64| plan.items.binary_search(&(job, 0)).is_ok();
        let theirs = rows.iter().filter(|(number, code, ..)| {
            let gone = |code: &String| plan.purchases_gone.contains(code);
            is_first(*number) || code.as_ref().is_some_and(gone)
        });
        let theirs: Vec<i64> = theirs.map(|(number, ..)| *number).collect();
        let alone = rows.iter().filter(|(_, _, contacts, _)| *contacts == 1);
        let alone: Vec<i64> = alone.map(|(number, ..)| *number).collect();
        let own = sync_jobs::table
            .filter(sync_jobs::account_id.eq(account))
            .filter(sync_jobs::number.eq_any(alone));
        diesel::update(own)
            .set(sync_jobs::origin.eq(""))
            .execute(db)?;
        let own = sync_jobs::table
            .filter(sync_jobs::account_id.eq(account))
            .filter(sync_jobs::number.eq_any(theirs));
        diesel::update(own)
            .set((
                sync_jobs::purchase.eq(None::<String>),
                sync_jobs::purchase_code.eq(None::<String>),
                sync_jobs::purchase_errors.eq(None::<String>),
                sync_jobs::purchase_told.eq(None::<String>),
            ))
            .execute(db)?;
        let events: Vec<i64> = rows.iter().filter_map(|row| row.3).collect();
        let tries = attempts::table
            .filter(attempts::account_id.eq(account))
            .filter(attempts::event.eq_any(events));
        diesel::update(tries)
            .set((
                attempts::answer.eq(None::<String>),
                attempts::error.eq(None::<String>),
            ))
            .execute(db)?;
    }
    Ok(())
}
