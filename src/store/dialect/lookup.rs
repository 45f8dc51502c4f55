//! Customers looked up by number.
//!
//! Belongs here: these statements. Does not belong here: who asks, and what for.

use super::KEYS_PER_LOOKUP;
use super::statement::{Bind, fixed};
use crate::loyalty::customers::named::Names;
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::HashMap;

type T = Nullable<Text>;
type Value = Option<String>;

/// A customer's number; code, card number, first and last name, e-mail address.
type Row = (i64, (Value, Value, Value, Value, Value));

/// What the customers with these numbers are called.
pub fn find_names(db: &mut Db, account: i32, numbers: &[i64]) -> Result<HashMap<i64, Names>> {
    type Columns = (BigInt, (T, T, T, T, T));
    let mut found = HashMap::new();
    for chunk in numbers.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        let binds = [Bind::Text(&document), Bind::Int(account)];
        let rows = match db {
            Db::Sqlite(conn) => fixed!(
                Columns,
                [
                    "SELECT c.number, c.code, c.card_number, c.first_name, c.last_name, c.email FROM json_each(",
                    ") AS j CROSS JOIN customers AS c ON c.number = j.value AND c.account_id = ",
                    ""
                ],
                binds
            )
            .load::<Row>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!(
                Columns,
                [
                    "SELECT c.number, c.code, c.card_number, c.first_name, c.last_name, c.email FROM JSON_TABLE(",
                    ", '$[*]' COLUMNS(number BIGINT PATH '$')) AS j \
                     STRAIGHT_JOIN customers AS c ON c.number = j.number AND c.account_id = ",
                    ""
                ],
                binds
            )
            .load::<Row>(conn)?,
        };
        found.extend(rows.into_iter().map(named));
    }
    Ok(found)
}

fn named((number, row): Row) -> (i64, Names) {
    let short = |value: Value| value.map(String::into_boxed_str);
    let (code, card_number, first_name, last_name, email) = row;
    let names = Names {
        code: short(code),
        card_number: short(card_number),
        first_name: short(first_name),
        last_name: short(last_name),
        email: short(email),
    };
    (number, names)
}
