//! Purchases and their customers.

use super::dialect::{Writes, rows::rows};
use super::schema::{purchase_contacts, purchases};
use super::sync_queue::broken;
use super::{Db, Result};
use crate::json::Fields;
use crate::loyalty::purchases::{PurchaseChange, StoredPurchase};
use diesel::prelude::*;

rows! {
    struct Row<'a> in purchases {
        account_id: i32,
        transaction_code: &'a str,
        purchase_id: &'a str,
        customer: Option<i64>,
        product_uuid: &'a str,
        price: i64,
        currency: &'a str,
        status: &'a str,
        fields: String,
        origin: &'a str,
        created_at: i64,
        updated_at: i64,
    }
    key account_id, transaction_code;
    set customer, product_uuid, price, currency, status, fields, origin, updated_at
}

rows! {
    struct LinkRow<'a> in purchase_contacts {
        account_id: i32,
        transaction_code: &'a str,
        place: i32,
        customer: i64,
    }
}

/// The purchase with this transaction code.
pub fn load(db: &mut Db, account: i32, code: &str) -> Result<Option<StoredPurchase>> {
    type Columns = (
        String,
        Option<i64>,
        String,
        i64,
        String,
        String,
        String,
        String,
        i64,
        i64,
    );
    let row: Option<Columns> = purchases::table
        .find((account, code))
        .select((
            purchases::purchase_id,
            purchases::customer,
            purchases::product_uuid,
            purchases::price,
            purchases::currency,
            purchases::status,
            purchases::fields,
            purchases::origin,
            purchases::created_at,
            purchases::updated_at,
        ))
        .first(db)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let (id, customer, product, price, currency, status, fields, origin, created_at, updated_at) =
        row;
    Ok(Some(StoredPurchase {
        code: code.into(),
        id: id.into(),
        customer,
        product_uuid: product.into(),
        price,
        currency: currency.into(),
        status: status.into(),
        fields: Fields::parse(&fields).ok_or_else(|| broken("purchase"))?,
        origin: origin.into(),
        created_at,
        updated_at,
    }))
}

/// Whether there is a purchase with this transaction code.
pub fn is_known(db: &mut Db, account: i32, code: &str) -> Result<bool> {
    let found: Option<String> = purchases::table
        .find((account, code))
        .select(purchases::purchase_id)
        .first(db)
        .optional()?;
    Ok(found.is_some())
}

/// Writes a purchase, new or changed, and its customers where they are given.
pub fn save(writes: &mut Writes<'_>, account: i32, change: &PurchaseChange) -> Result<()> {
    let purchase = &change.purchase;
    let row = Row {
        account_id: account,
        transaction_code: &purchase.code,
        purchase_id: &purchase.id,
        customer: purchase.customer,
        product_uuid: &purchase.product_uuid,
        price: purchase.price,
        currency: &purchase.currency,
        status: &purchase.status,
        fields: purchase.fields.json(),
        origin: &purchase.origin,
        created_at: purchase.created_at,
        updated_at: purchase.updated_at,
    };
    Row::save(writes, std::slice::from_ref(&row))?;
    let Some(links) = &change.links else {
        return Ok(());
    };
    if !change.is_new {
        // Done at once: what waits on MySQL has no order.
        let old = purchase_contacts::table
            .filter(purchase_contacts::account_id.eq(account))
            .filter(purchase_contacts::transaction_code.eq(&*purchase.code));
        diesel::delete(old).execute(writes.db()?)?;
    }
    let rows: Vec<LinkRow<'_>> = (0..)
        .zip(links)
        .map(|(place, customer)| LinkRow {
            account_id: account,
            transaction_code: &purchase.code,
            place,
            customer: *customer,
        })
        .collect();
    LinkRow::save(writes, &rows)
}
