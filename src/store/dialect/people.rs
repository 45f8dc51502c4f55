//! Statements on people that differ between the engines: sets that are handed over as one JSON document.

use super::Writes;
use super::statement::{Bind, fixed, look_up};
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};

/// A row of [`find_person_keys`]: kind, value, customer.
pub type PersonKey = (i16, String, i64);

/// Of each key only so many customers are looked at, the oldest ones. Placeholders such as one e-mail address for all who
/// have none are shared by thousands, and nobody is found by them. More than a commit has items: whatever these change,
/// several are left.
pub const HOLDERS_MOST: usize = 600;

/// [`HOLDERS_MOST`] in statements: how many stand before the last one that is looked at.
macro_rules! before_the_last {
    () => {
        "599"
    };
}

/// The last customer of a key that is looked at. The account stands before `$kind`.
macro_rules! last_holder {
    () => {
        " AND k.customer <= COALESCE((SELECT q.customer FROM person_keys AS q WHERE q.account_id = "
    };
    ($kind:literal, $value:literal) => {
        concat!(
            " AND q.kind = ",
            $kind,
            " AND q.value = ",
            $value,
            " ORDER BY q.customer LIMIT 1 OFFSET ",
            before_the_last!(),
            "), 9223372036854775807) ORDER BY k.customer"
        )
    };
}

/// The customers that these keys lead to, by kind and value; at most [`HOLDERS_MOST`] for each.
pub fn find_person_keys(db: &mut Db, account: i32, keys: &[(i16, &str)]) -> Result<Vec<PersonKey>> {
    type Columns = (SmallInt, Text, BigInt);
    look_up!(
        db, keys, [account, account], Columns => PersonKey,
        [
            "SELECT k.kind, k.value, k.customer FROM json_each(",
            ") AS j CROSS JOIN person_keys AS k ON k.account_id = ",
            concat!(
                " AND k.kind = json_extract(j.value, '$[0]') AND k.value = json_extract(j.value, '$[1]')",
                last_holder!()
            ),
            last_holder!("json_extract(j.value, '$[0]')", "json_extract(j.value, '$[1]')")
        ],
        [
            "SELECT k.kind, k.value, k.customer FROM JSON_TABLE(",
            ", '$[*]' COLUMNS(kind SMALLINT PATH '$[0]', value VARCHAR(255) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]')) AS j \
             STRAIGHT_JOIN person_keys AS k ON k.account_id = ",
            concat!(" AND k.kind = j.kind AND k.value = j.value", last_holder!()),
            last_holder!("j.kind", "j.value")
        ]
    )
}

/// Those of these keys that there are: kind, value, customer.
pub fn those_there(db: &mut Db, account: i32, keys: &[(i16, &str, i64)]) -> Result<Vec<PersonKey>> {
    type Columns = (SmallInt, Text, BigInt);
    look_up!(
        db, keys, [account], Columns => PersonKey,
        [
            "SELECT k.kind, k.value, k.customer FROM json_each(",
            ") AS j CROSS JOIN person_keys AS k ON k.account_id = ",
            " AND k.kind = json_extract(j.value, '$[0]') AND k.value = json_extract(j.value, '$[1]') \
             AND k.customer = json_extract(j.value, '$[2]')"
        ],
        [
            "SELECT k.kind, k.value, k.customer FROM JSON_TABLE(",
            ", '$[*]' COLUMNS(kind SMALLINT PATH '$[0]', value VARCHAR(255) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]', customer BIGINT PATH '$[2]')) AS j \
             STRAIGHT_JOIN person_keys AS k ON k.account_id = ",
            " AND k.kind = j.kind AND k.value = j.value AND k.customer = j.customer"
        ]
    )
}

/// A row of [`find_people`]: the customer's number, code, card number and time; its eleven columns; its contact side's
/// id, client's id, origin, verdict, time of that, last consent, profile and times.
pub type PersonFound = (
    (i64, Option<String>, Option<String>, i64),
    PersonColumns,
    ContactFound,
);

/// First and last name, e-mail, phone, cellphone, document, street, city, state, postal code, country.
pub type PersonColumns = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The contact side; all are missing where there is none.
pub type ContactFound = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i16>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

type T = Nullable<Text>;
type B = Nullable<BigInt>;
type FoundColumns = (
    (BigInt, T, T, BigInt),
    (T, T, T, T, T, T, T, T, T, T, T),
    (T, T, T, Nullable<SmallInt>, B, B, T, B, B),
);

macro_rules! person_columns {
    () => {
        "c.number, c.code, c.card_number, c.created_at, c.first_name, c.last_name, c.email, c.phone, c.cellphone, \
         c.document, c.street1, c.city, c.state, c.postal_code, c.country, k.contact_id, k.user_id, k.origin, k.verdict, \
         k.checked_at, k.last_consent, k.profile, k.created_at, k.updated_at"
    };
}

/// The customers with these numbers, each with its contact side.
pub fn find_people(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<PersonFound>> {
    look_up!(
        db, numbers, [account], FoundColumns => PersonFound,
        [
            concat!("SELECT ", person_columns!(), " FROM json_each("),
            ") AS j CROSS JOIN customers AS c ON c.number = j.value AND c.account_id = ",
            " LEFT JOIN contacts AS k ON k.account_id = c.account_id AND k.customer = c.number"
        ],
        [
            concat!("SELECT ", person_columns!(), " FROM JSON_TABLE("),
            ", '$[*]' COLUMNS(number BIGINT PATH '$')) AS j \
             STRAIGHT_JOIN customers AS c ON c.number = j.number AND c.account_id = ",
            " LEFT JOIN contacts AS k ON k.account_id = c.account_id AND k.customer = c.number"
        ]
    )
}

/// Deletes keys: kind, value, customer. On MySQL it waits with the other writes, among which there must be none of the
/// same rows.
pub fn remove_person_keys(
    writes: &mut Writes<'_>,
    account: i32,
    keys: &[(i16, &str, i64)],
) -> Result<()> {
    for (kind, value, customer) in keys {
        match writes.sqlite() {
            Some(conn) => {
                fixed!(
                    diesel::sql_types::Integer,
                    [
                        "DELETE FROM person_keys WHERE account_id = ",
                        " AND kind = ",
                        " AND value = ",
                        " AND customer = ",
                        ""
                    ],
                    [
                        Bind::Int(account),
                        Bind::from(kind),
                        Bind::Text(value),
                        Bind::Big(*customer)
                    ]
                )
                .execute(conn)?;
            }
            // With a character set the digits are a text, which the key is found by.
            #[cfg(feature = "mysql")]
            None => writes.then(format!(
                "DELETE FROM person_keys WHERE account_id = {account} AND kind = {kind} \
                 AND value = _utf8mb4 x'{}' AND customer = {customer}",
                hex::encode(value)
            ))?,
            #[cfg(not(feature = "mysql"))]
            None => {}
        }
    }
    Ok(())
}
