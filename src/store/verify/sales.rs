//! Sales, the ids by which they are found, and the points they have earned.

use super::super::schema::{sale_keys, sales};
use super::super::{Result, dialect};
use super::customers::NumberSet;
use super::entry::{self, shown};
use super::{CHUNK, Check, or_none};
use crate::amount::{Amount, currency_digits};
use crate::dates::Day;
use crate::loyalty::ledger::EntryKind;
use crate::loyalty::sales::book::LinkKind;
use crate::text;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

#[derive(Queryable)]
struct Row {
    number: i64,
    brand: i32,
    customer: i64,
    event_date: i32,
    external_sale_id: Option<String>,
    order_id: Option<String>,
    value: Option<i64>,
    currency: String,
    campaign: Option<i32>,
    entry: Option<i64>,
    points: Option<i64>,
}

/// A row of `sale_keys` without its account: brand, kind, value, sale.
type Key<'a> = (i32, i16, &'a str, i64);

impl Row {
    /// The ids by which it must be found.
    fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let ids = [
            (LinkKind::External, self.external_sale_id.as_deref()),
            (LinkKind::Order, self.order_id.as_deref()),
        ];
        ids.into_iter()
            .filter_map(|(kind, id)| Some((self.brand, kind.stored(), id?, self.number)))
    }
}

/// Checks the sales of an account; `customers` are those that there are.
pub(super) fn check(check: &mut Check<'_>, customers: &NumberSet) -> Result<()> {
    let mut entries = NumberSet::default();
    let mut last = 0_i64;
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Row> = sales::table
            .filter(sales::account_id.eq(check.account))
            .filter(sales::number.gt(after))
            .order(sales::number)
            .limit(CHUNK)
            .select((
                sales::number,
                sales::brand,
                sales::customer,
                sales::event_date,
                sales::external_sale_id,
                sales::order_id,
                sales::value,
                sales::currency,
                sales::campaign,
                sales::entry,
                sales::points,
            ))
            .load(check.db)?;
        let Some(newest) = rows.last() else { break };
        after = newest.number;
        for row in &rows {
            let next = last.saturating_add(1);
            if row.number != next {
                check.add("sales", row.number, format!("follows {last}"), next);
            }
            last = row.number;
            check_row(check, row, customers);
        }
        check_points(check, &rows, &mut entries)?;
        check_own_keys(check, &rows)?;
    }
    let next = last.saturating_add(1);
    if check.head.next_sale != next {
        let is = check.head.next_sale;
        check.add("account_heads", "next_sale", is, next);
    }
    check_keys(check)
}

fn check_row(check: &mut Check<'_>, row: &Row, customers: &NumberSet) {
    let number = row.number;
    if !check.config.brands.contains(&row.brand) {
        let is = format!("brand {}, which does not exist", row.brand);
        check.add("sales", number, is, "a brand");
    }
    if !customers.contains(row.customer) {
        let is = format!("customer {}, who does not exist", row.customer);
        check.add("sales", number, is, "a customer");
    }
    if Day::from_number(row.event_date).is_none() {
        let is = format!("event_date {}", row.event_date);
        check.add("sales", number, is, "a day of the calendar");
    }
    let Some(digits) = currency_digits(&row.currency) else {
        let is = format!("currency {}", text::shown(&row.currency));
        check.add("sales", number, is, "a currency of ISO 4217");
        return;
    };
    if let Some(value) = row.value
        && Amount::from_raw(value).decimals() > digits
    {
        let is = format!("value {}", shown(value));
        check.add("sales", number, is, format!("at most {digits} decimals"));
    }
}

/// What a sale has earned was given by one entry, which is this sale's alone and was not taken back.
fn check_points(check: &mut Check<'_>, rows: &[Row], entries: &mut NumberSet) -> Result<()> {
    let named: Vec<i64> = rows.iter().filter_map(|row| row.entry).collect();
    let found: HashMap<i64, entry::Row> = entry::find(check, &named)?
        .into_iter()
        .map(|entry| (entry.number, entry))
        .collect();
    let reversed = super::reversals::reversed(check, &named)?;
    for row in rows {
        let number = row.number;
        let (Some(campaign), Some(entry), Some(points)) = (row.campaign, row.entry, row.points)
        else {
            if row.campaign.is_some() || row.entry.is_some() || row.points.is_some() {
                let (campaign, entry) = (or_none(row.campaign), or_none(row.entry));
                let points = row.points.map(shown);
                let is = format!(
                    "campaign {campaign}, entry {entry}, points {}",
                    or_none(points)
                );
                check.add("sales", number, is, "all or none");
            }
            continue;
        };
        let Some(given) = found.get(&entry) else {
            let is = format!("entry {entry}, which does not exist");
            check.add("sales", number, is, "an entry");
            continue;
        };
        let is_its = given.is_kind(EntryKind::Add)
            && (given.customer, given.campaign, given.item, given.amount)
                == (row.customer, campaign, 0, points);
        if !is_its {
            let is = format!("entry {entry}, which gave something else");
            let should = format!(
                "one that gave customer {} {} in campaign {campaign}",
                row.customer,
                shown(points)
            );
            check.add("sales", number, is, should);
        }
        if let Some(by) = reversed.get(&entry) {
            let is = format!("entry {entry}, which {by} has taken back");
            check.add("sales", number, is, "one that still counts");
        }
        if entries.contains(entry) {
            let is = format!("entry {entry}, which an earlier sale has");
            check.add("sales", number, is, "an entry of its own");
        }
        entries.insert(entry);
    }
    Ok(())
}

fn named(key: Key<'_>) -> String {
    let (brand, kind, value, sale) = key;
    format!("{brand}/{kind}/{}/{sale}", text::shown(value))
}

/// These sales are found by the ids that they have.
fn check_own_keys(check: &mut Check<'_>, rows: &[Row]) -> Result<()> {
    let expected: Vec<Key<'_>> = rows.iter().flat_map(Row::keys).collect();
    let found = dialect::sales::those_there(check.db, check.account, &expected)?;
    let found: HashSet<Key<'_>> = found
        .iter()
        .map(|(brand, kind, value, sale)| (*brand, *kind, value.as_str(), *sale))
        .collect();
    for key in expected {
        if !found.contains(&key) {
            check.add("sale_keys", named(key), "no row", "an id of its sale");
        }
    }
    Ok(())
}

/// Whatever leads to a sale is an id that the sale has.
fn check_keys(check: &mut Check<'_>) -> Result<()> {
    let mut after = (i32::MIN, i16::MIN, String::new(), i64::MIN);
    loop {
        let rows = keys_behind(check, after)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.clone();
        let mut numbers: Vec<i64> = rows.iter().map(|row| row.3).collect();
        numbers.sort_unstable();
        numbers.dedup();
        type Ids = (i32, Option<String>, Option<String>);
        let sales: Vec<(i64, Ids)> = sales::table
            .filter(sales::account_id.eq(check.account))
            .filter(sales::number.eq_any(numbers))
            .select((
                sales::number,
                (sales::brand, sales::external_sale_id, sales::order_id),
            ))
            .load(check.db)?;
        let sales: HashMap<i64, Ids> = sales.into_iter().collect();
        for (brand, kind, value, sale) in &rows {
            let own = sales.get(sale).filter(|ids| ids.0 == *brand);
            let id = own.and_then(|ids| match LinkKind::from_stored(*kind)? {
                LinkKind::External => ids.1.as_ref(),
                LinkKind::Order => ids.2.as_ref(),
            });
            if id != Some(value) {
                let is = format!("sale {sale}, whose it is not");
                let key = named((*brand, *kind, value, *sale));
                check.add("sale_keys", key, is, "an id of its sale");
            }
        }
    }
}

type StoredKey = (i32, i16, String, i64);

fn keys_behind(
    check: &mut Check<'_>,
    (brand, kind, value, sale): StoredKey,
) -> Result<Vec<StoredKey>> {
    let same_brand = sale_keys::brand.eq(brand);
    let same_kind = sale_keys::kind.eq(kind);
    let same_value = sale_keys::value.eq(value.clone());
    let behind = sale_keys::brand
        .gt(brand)
        .or(same_brand.and(sale_keys::kind.gt(kind)))
        .or(same_brand
            .and(same_kind)
            .and(sale_keys::value.gt(value.clone())))
        .or(same_brand
            .and(same_kind)
            .and(same_value)
            .and(sale_keys::sale.gt(sale)));
    Ok(sale_keys::table
        .filter(sale_keys::account_id.eq(check.account))
        .filter(behind)
        .order((
            sale_keys::brand,
            sale_keys::kind,
            sale_keys::value,
            sale_keys::sale,
        ))
        .limit(CHUNK)
        .select((
            sale_keys::brand,
            sale_keys::kind,
            sale_keys::value,
            sale_keys::sale,
        ))
        .load(check.db)?)
}
