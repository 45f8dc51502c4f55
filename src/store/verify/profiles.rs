//! The API 1.5 side of customers, and what is left of those who were erased.

use super::super::Result;
use super::super::schema::{customers, profiles, search_texts};
use super::customers::NumberSet;
use super::{CHUNK, Check};
use crate::loyalty::customers::CUSTOM_MAX;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Checks the profiles; `customers` are those that there are.
pub(super) fn check(check: &mut Check<'_>, known: &NumberSet) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, Option<String>)> = profiles::table
            .filter(profiles::account_id.eq(check.account))
            .filter(profiles::customer.gt(after))
            .order(profiles::customer)
            .limit(CHUNK)
            .select((profiles::customer, profiles::custom))
            .load(check.db)?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        for (customer, custom) in rows {
            if !known.contains(customer) {
                let is = format!("customer {customer}, who does not exist");
                check.add("profiles", customer, is, "a customer");
            }
            let Some(custom) = custom else { continue };
            let fields: Option<BTreeMap<u8, String>> = serde_json::from_str(&custom).ok();
            let good = fields.is_some_and(|fields| {
                let numbers = 1..=CUSTOM_MAX;
                fields.keys().all(|number| numbers.contains(number))
            });
            if !good {
                let should = "an object of texts by the numbers 1 to 99";
                check.add("profiles", customer, "other custom fields", should);
            }
        }
    }
    check_erased(check)
}

type Text = Option<String>;

/// Of an erased customer nothing is left but the number that entries have.
fn check_erased(check: &mut Check<'_>) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, [Text; 11])> = customers::table
            .filter(customers::account_id.eq(check.account))
            .filter(customers::number.gt(after))
            .filter(customers::code.is_null())
            .filter(customers::card_number.is_null())
            .order(customers::number)
            .limit(CHUNK)
            .select((
                customers::number,
                customers::first_name,
                customers::last_name,
                customers::email,
                customers::phone,
                customers::cellphone,
                customers::document,
                customers::street1,
                customers::city,
                customers::state,
                customers::postal_code,
                customers::country,
            ))
            .load::<(
                i64,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
                Text,
            )>(check.db)?
            .into_iter()
            .map(|(number, a, b, c, d, e, f, g, h, i, j, k)| {
                (number, [a, b, c, d, e, f, g, h, i, j, k])
            })
            .collect();
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.0;
        for (customer, columns) in rows {
            let mut left = Vec::new();
            if columns.iter().any(Option::is_some) {
                left.push("a name or an address");
            }
            macro_rules! look {
                ($table:ident) => {{
                    let found: i64 = $table::table
                        .filter($table::account_id.eq(check.account))
                        .filter($table::customer.eq(customer))
                        .count()
                        .get_result(check.db)?;
                    if found > 0 {
                        left.push(stringify!($table));
                    }
                }};
            }
            look!(profiles);
            look!(search_texts);
            for rest in left {
                let should = "nothing, for it has neither code nor card number";
                check.add("customers", customer, rest, should);
            }
        }
    }
}
