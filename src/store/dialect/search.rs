//! The search for customers in their search texts.
//!
//! Belongs here: these statements. Does not belong here: what is searched for ([`crate::loyalty::customers::search`]), the
//! rows ([`crate::store::search_texts`]).
//!
//! `instr` is the same on both engines, knows no escapes, and compares as the column does, byte for byte. It reads each
//! text of a stretch, so stretches are short, and found by the primary key.

use crate::store::schema::search_texts;
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use functions::instr;

mod functions {
    use diesel::sql_types::Text;

    diesel::define_sql_function! {
        /// Where a part begins in a text, or 0.
        fn instr(text: Text, part: Text) -> Integer;
    }
}

type Condition =
    Box<dyn BoxableExpression<search_texts::table, <Db as Connection>::Backend, SqlType = Bool>>;

/// Customers of one stretch.
const STRETCH: i64 = 20_000;

/// The last customer of the stretch behind `after`; `None` where it is the last stretch.
pub fn stretch_end(db: &mut Db, account: i32, after: i64) -> Result<Option<i64>> {
    Ok(search_texts::table
        .filter(search_texts::account_id.eq(account))
        .filter(search_texts::customer.gt(after))
        .order(search_texts::customer)
        .offset(STRETCH - 1)
        .limit(1)
        .select(search_texts::customer)
        .first(db)
        .optional()?)
}

/// The customers behind `after` and up to `until` who may fit: whose text holds, for one of the lists, for each place of it
/// one of its parts. In their order, at most `most`.
pub fn find_candidates(
    db: &mut Db,
    account: i32,
    (after, until): (i64, i64),
    needles: &[Vec<Vec<String>>],
    most: i64,
) -> Result<Vec<i64>> {
    let mut query = search_texts::table
        .filter(search_texts::account_id.eq(account))
        .filter(search_texts::customer.gt(after))
        .filter(search_texts::customer.le(until))
        .order(search_texts::customer)
        .limit(most)
        .select(search_texts::customer)
        .into_boxed();
    let any = needles.iter().filter_map(|all| {
        let places = all
            .iter()
            .filter_map(|place| joined(place.iter().map(|needle| part(needle)), or));
        joined(places, and)
    });
    if let Some(condition) = joined(any, or) {
        query = query.filter(condition);
    }
    Ok(query.load(db)?)
}

fn part(needle: &str) -> Condition {
    Box::new(instr(search_texts::folded, needle.to_owned()).gt(0))
}

fn and(a: Condition, b: Condition) -> Condition {
    Box::new(a.and(b))
}

fn or(a: Condition, b: Condition) -> Condition {
    Box::new(a.or(b))
}

fn joined(
    conditions: impl Iterator<Item = Condition>,
    join: fn(Condition, Condition) -> Condition,
) -> Option<Condition> {
    conditions.reduce(join)
}
