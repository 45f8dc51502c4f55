//! What customers are searched by.
//!
//! Belongs here: that it follows from their rows. Does not belong here: the search itself.

use super::super::schema::search_texts as stored;
use super::super::{Failure, Result, installation, search_texts};
use super::{CHUNK, Check};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Every customer has the search text that follows from it, and nobody else has one. A database whose customers have no
/// texts yet is not wrong: the next command that opens it gives them.
pub(super) fn check(check: &mut Check<'_>) -> Result<()> {
    if installation::notes_search_texts(check.db)? {
        missing(check)?;
    }
    wrong(check)
}

/// Customers without a text.
fn missing(check: &mut Check<'_>) -> Result<()> {
    let mut after = 0;
    loop {
        let numbers = search_texts::next(check.db, check.account, after)?;
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return Ok(());
        };
        after = *last;
        let found = texts(check, first.saturating_sub(1), Some(*last))?;
        let found: HashMap<i64, String> = found.into_iter().collect();
        for customer in expected(check, &numbers)?.unwrap_or_default().into_keys() {
            if !found.contains_key(&customer) {
                check.add("search_texts", customer, "no row", "the customer's text");
            }
        }
    }
}

/// Texts that are not their customers'.
fn wrong(check: &mut Check<'_>) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let found = texts(check, after, None)?;
        let Some((last, _)) = found.last() else {
            return Ok(());
        };
        after = *last;
        let numbers: Vec<i64> = found.iter().map(|(customer, _)| *customer).collect();
        let Some(expected) = expected(check, &numbers)? else {
            continue;
        };
        for (customer, text) in &found {
            match expected.get(customer) {
                Some(own) if own == text => {}
                Some(_) => check.add(
                    "search_texts",
                    customer,
                    "another text",
                    "the text of what the customer has",
                ),
                None => check.add("search_texts", customer, "a text", "no row: nobody has it"),
            }
        }
    }
}

/// The texts that these customers must have; `None` where something of them cannot be read, which is told elsewhere.
fn expected(check: &mut Check<'_>, numbers: &[i64]) -> Result<Option<BTreeMap<i64, String>>> {
    match search_texts::expected(check.db, check.account, numbers) {
        Ok(texts) => Ok(Some(texts.into_iter().collect())),
        Err(Failure::Data(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn texts(check: &mut Check<'_>, after: i64, until: Option<i64>) -> Result<Vec<(i64, String)>> {
    Ok(stored::table
        .filter(stored::account_id.eq(check.account))
        .filter(stored::customer.gt(after))
        .filter(stored::customer.le(until.unwrap_or(i64::MAX)))
        .order(stored::customer)
        .limit(CHUNK)
        .select((stored::customer, stored::folded))
        .load(check.db)?)
}
