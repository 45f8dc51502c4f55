//! Statements on sales that differ between the engines: sets that are handed over as one JSON document.

use super::Writes;
use super::statement::{Bind, fixed, look_up};
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text};

/// A row of [`find_sale_keys`]: brand, kind, value, sale.
pub type SaleKey = (i32, i16, String, i64);

/// The first of the sales of an id that are looked at: the newest 16. Orders that thousands of sales name are not read
/// whole for the newest of them; those behind it matter only where requests of one group take it away from the order. The
/// account stands before `$brand`.
macro_rules! first_sale {
    () => {
        " AND k.sale >= COALESCE((SELECT q.sale FROM sale_keys AS q WHERE q.account_id = "
    };
    ($brand:literal, $kind:literal, $value:literal) => {
        concat!(
            " AND q.brand = ",
            $brand,
            " AND q.kind = ",
            $kind,
            " AND q.value = ",
            $value,
            " ORDER BY q.sale DESC LIMIT 1 OFFSET 15), 0)"
        )
    };
}

/// The columns of ids in a JSON document on MySQL.
#[cfg(feature = "mysql")]
macro_rules! id_columns {
    () => {
        "'$[*]' COLUMNS(brand INTEGER PATH '$[0]', kind SMALLINT PATH '$[1]', value VARCHAR(255) \
         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]', sale BIGINT PATH '$[3]')"
    };
}

/// Where an id is the one of a JSON document on MySQL.
#[cfg(feature = "mysql")]
macro_rules! same_id {
    () => {
        " AND k.brand = j.brand AND k.kind = j.kind AND k.value = j.value AND k.sale = j.sale"
    };
}

/// The sales that these ids lead to, by brand, kind and value; at most 16 for each, the newest.
pub fn find_sale_keys(
    db: &mut Db,
    account: i32,
    keys: &[(i32, i16, &str)],
) -> Result<Vec<SaleKey>> {
    type Columns = (Integer, SmallInt, Text, BigInt);
    look_up!(
        db, keys, [account, account], Columns => SaleKey,
        [
            "SELECT k.brand, k.kind, k.value, k.sale FROM json_each(",
            ") AS j CROSS JOIN sale_keys AS k ON k.account_id = ",
            concat!(
                " AND k.brand = json_extract(j.value, '$[0]') AND k.kind = json_extract(j.value, '$[1]') \
                 AND k.value = json_extract(j.value, '$[2]')",
                first_sale!()
            ),
            first_sale!(
                "json_extract(j.value, '$[0]')",
                "json_extract(j.value, '$[1]')",
                "json_extract(j.value, '$[2]')"
            )
        ],
        [
            "SELECT k.brand, k.kind, k.value, k.sale FROM JSON_TABLE(",
            ", '$[*]' COLUMNS(brand INTEGER PATH '$[0]', kind SMALLINT PATH '$[1]', value VARCHAR(255) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]')) AS j \
             STRAIGHT_JOIN sale_keys AS k ON k.account_id = ",
            concat!(
                " AND k.brand = j.brand AND k.kind = j.kind AND k.value = j.value",
                first_sale!()
            ),
            first_sale!("j.brand", "j.kind", "j.value")
        ]
    )
}

/// Those of these ids that there are: brand, kind, value, sale.
pub fn those_there(
    db: &mut Db,
    account: i32,
    keys: &[(i32, i16, &str, i64)],
) -> Result<Vec<SaleKey>> {
    type Columns = (Integer, SmallInt, Text, BigInt);
    look_up!(
        db, keys, [account], Columns => SaleKey,
        [
            "SELECT k.brand, k.kind, k.value, k.sale FROM json_each(",
            ") AS j CROSS JOIN sale_keys AS k ON k.account_id = ",
            " AND k.brand = json_extract(j.value, '$[0]') AND k.kind = json_extract(j.value, '$[1]') \
             AND k.value = json_extract(j.value, '$[2]') AND k.sale = json_extract(j.value, '$[3]')"
        ],
        [
            "SELECT k.brand, k.kind, k.value, k.sale FROM JSON_TABLE(",
            concat!(", ", id_columns!(), ") AS j STRAIGHT_JOIN sale_keys AS k ON k.account_id = "),
            same_id!()
        ]
    )
}

/// A row of [`find_sales`]: number, brand, customer, time and day; external and order id; value, currency, other members;
/// campaign, entry and points; whose the entry is, and its day.
pub type SaleFound = (
    (i64, i32, i64, i64, i32),
    (Option<String>, Option<String>),
    (Option<i64>, String, Option<String>),
    (Option<i32>, Option<i64>, Option<i64>),
    (Option<i64>, Option<i32>),
);

type FoundColumns = (
    (BigInt, Integer, BigInt, BigInt, Integer),
    (Nullable<Text>, Nullable<Text>),
    (Nullable<BigInt>, Text, Nullable<Text>),
    (Nullable<Integer>, Nullable<BigInt>, Nullable<BigInt>),
    (Nullable<BigInt>, Nullable<Integer>),
);

macro_rules! sale_columns {
    () => {
        "s.number, s.brand, s.customer, s.event_at, s.event_date, s.external_sale_id, s.order_id, s.value, s.currency, \
         s.extra, s.campaign, s.entry, s.points, e.customer, e.date"
    };
}

macro_rules! with_entry {
    () => {
        " LEFT JOIN journal AS e ON e.account_id = s.account_id AND e.number = s.entry"
    };
}

/// The sales with these numbers, each with the entry that gave its points.
pub fn find_sales(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<SaleFound>> {
    look_up!(
        db, numbers, [account], FoundColumns => SaleFound,
        [
            concat!("SELECT ", sale_columns!(), " FROM json_each("),
            ") AS j CROSS JOIN sales AS s ON s.number = j.value AND s.account_id = ",
            with_entry!()
        ],
        [
            concat!("SELECT ", sale_columns!(), " FROM JSON_TABLE("),
            ", '$[*]' COLUMNS(number BIGINT PATH '$')) AS j \
             STRAIGHT_JOIN sales AS s ON s.number = j.number AND s.account_id = ",
            with_entry!()
        ]
    )
}

/// Those of these numbers that customers have. One who was erased has neither code nor card number.
pub fn find_customers(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<i64>> {
    look_up!(
        db, numbers, [account], BigInt => i64,
        [
            "SELECT c.number FROM json_each(",
            ") AS j CROSS JOIN customers AS c ON c.number = j.value AND c.account_id = ",
            " WHERE c.code IS NOT NULL OR c.card_number IS NOT NULL"
        ],
        [
            "SELECT c.number FROM JSON_TABLE(",
            ", '$[*]' COLUMNS(number BIGINT PATH '$')) AS j \
             STRAIGHT_JOIN customers AS c ON c.number = j.number AND c.account_id = ",
            " WHERE c.code IS NOT NULL OR c.card_number IS NOT NULL"
        ]
    )
}

/// Ids of one removal on MySQL: keeps its digits, two for each byte, below two and a half megabytes.
#[cfg(feature = "mysql")]
const KEYS_PER_REMOVAL: usize = 1_000;

/// Deletes ids: brand, kind, value, sale. On MySQL it is one statement for each thousand, and waits with the other writes,
/// among which there must be none of the same rows.
pub fn remove_sale_keys(
    writes: &mut Writes<'_>,
    account: i32,
    keys: &[(i32, i16, &str, i64)],
) -> Result<()> {
    if let Some(conn) = writes.sqlite() {
        for (brand, kind, value, sale) in keys {
            fixed!(
                Integer,
                [
                    "DELETE FROM sale_keys WHERE account_id = ",
                    " AND brand = ",
                    " AND kind = ",
                    " AND value = ",
                    " AND sale = ",
                    ""
                ],
                [
                    Bind::Int(account),
                    Bind::Int(*brand),
                    Bind::from(kind),
                    Bind::Text(value),
                    Bind::Big(*sale)
                ]
            )
            .execute(conn)?;
        }
        return Ok(());
    }
    #[cfg(feature = "mysql")]
    for chunk in keys.chunks(KEYS_PER_REMOVAL) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        // No text of a client's stands in it but as hexadecimal digits.
        writes.then(format!(
            "DELETE k FROM JSON_TABLE(_utf8mb4 x'{}', {}) AS j STRAIGHT_JOIN sale_keys AS k \
             ON k.account_id = {account}{}",
            hex::encode(document),
            id_columns!(),
            same_id!()
        ))?;
    }
    Ok(())
}
