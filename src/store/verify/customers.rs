//! Customers, and the codes and card numbers they hold.

use super::super::schema::{customer_keys, customers};
use super::super::{Result, dialect};
use super::{CHUNK, Check};
use crate::text;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// A set of numbers that lie close together: a bit each.
#[derive(Default)]
pub(super) struct NumberSet(HashMap<i64, u64>);

impl NumberSet {
    fn place(number: i64) -> (i64, u64) {
        (number.div_euclid(64), 1 << number.rem_euclid(64))
    }

    pub(super) fn insert(&mut self, number: i64) {
        let (word, bit) = NumberSet::place(number);
        *self.0.entry(word).or_default() |= bit;
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        let (word, bit) = NumberSet::place(number);
        self.0.get(&word).is_some_and(|bits| bits & bit != 0)
    }
}

#[derive(Queryable)]
struct Row {
    number: i64,
    code: Option<String>,
    card: Option<String>,
}

/// Checks both tables; gives the numbers of the customers.
pub(super) fn check(check: &mut Check<'_>) -> Result<NumberSet> {
    let mut known = NumberSet::default();
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Row> = customers::table
            .filter(customers::account_id.eq(check.account))
            .filter(customers::number.gt(after))
            .order(customers::number)
            .limit(CHUNK)
            .select((customers::number, customers::code, customers::card_number))
            .load(check.db)?;
        let Some(last) = rows.last() else { break };
        after = last.number;
        for row in &rows {
            known.insert(row.number);
            let next = check.head.next_customer;
            if row.number < 1 || row.number >= next {
                let should = format!("from 1 to below next_customer {next}");
                check.add(
                    "customers",
                    row.number,
                    format!("number {}", row.number),
                    should,
                );
            }
        }
        held(check, &rows)?;
    }
    keys(check, &known)?;
    Ok(known)
}

/// The codes and cards of these customers are theirs.
fn held(check: &mut Check<'_>, rows: &[Row]) -> Result<()> {
    let values: HashSet<&str> = rows
        .iter()
        .flat_map(|row| [row.code.as_deref(), row.card.as_deref()])
        .flatten()
        .collect();
    let values: Vec<&str> = values.into_iter().collect();
    let holders: HashMap<String, (i64, bool)> =
        dialect::find_keys(check.db, check.account, &values)?
            .into_iter()
            .map(|(value, customer, replaced)| (value, (customer, replaced)))
            .collect();
    for row in rows {
        for (name, value) in [("code", &row.code), ("card_number", &row.card)] {
            let Some(value) = value else { continue };
            let shown = text::shown(value);
            let wrong = match holders.get(value) {
                None => format!("{name} {shown} held by nobody"),
                Some((customer, _)) if *customer != row.number => {
                    format!("{name} {shown} held by {customer}")
                }
                Some((_, true)) => {
                    check.add(
                        "customers",
                        row.number,
                        format!("{name} {shown} marked as replaced"),
                        "a value that was not replaced",
                    );
                    continue;
                }
                Some(_) => continue,
            };
            let should = format!("held by {}", row.number);
            check.add("customers", row.number, wrong, should);
        }
    }
    Ok(())
}

/// A key, its customer, whether replaced, and the customer's own code and card number.
type KeyRow = (String, i64, bool, Option<String>, Option<String>);

/// Whoever holds a code or card exists, and it is theirs unless it was replaced: any other key would lead somebody's
/// points to a stranger.
fn keys(check: &mut Check<'_>, known: &NumberSet) -> Result<()> {
    let mut after: Option<String> = None;
    loop {
        let holder = customers::account_id
            .eq(customer_keys::account_id)
            .and(customers::number.eq(customer_keys::customer));
        let mut query = customer_keys::table
            .left_join(customers::table.on(holder))
            .filter(customer_keys::account_id.eq(check.account))
            .order(customer_keys::value)
            .limit(CHUNK)
            .select((
                customer_keys::value,
                customer_keys::customer,
                customer_keys::replaced,
                customers::code.nullable(),
                customers::card_number.nullable(),
            ))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(customer_keys::value.gt(after));
        }
        let rows: Vec<KeyRow> = query.load(check.db)?;
        for (value, customer, replaced, code, card) in &rows {
            let (is, should) = if !known.contains(*customer) {
                (
                    format!("customer {customer}, who does not exist"),
                    "a customer",
                )
            } else if !replaced && code.as_ref() != Some(value) && card.as_ref() != Some(value) {
                (
                    format!("customer {customer}, whose code or card it is not"),
                    "the customer's own, or replaced",
                )
            } else {
                continue;
            };
            check.add("customer_keys", text::shown(value), is, should);
        }
        match rows.into_iter().next_back() {
            Some((value, ..)) => after = Some(value),
            None => return Ok(()),
        }
    }
}
