//! Where SQLite and MySQL differ: transactions, locks, bulk writes, set-based look-ups, and what errors mean.
//!
//! Belongs here: every statement that is not the same on both engines. Nothing else but `writes` matches on [`Db`].

pub mod customers;
mod errors;
pub mod history;
#[cfg(feature = "mysql")]
mod literals;
pub mod lookup;
pub mod people;
pub mod queue;
pub(super) mod rows;
pub mod sales;
pub mod search;
pub(super) mod statement;
mod writes;

pub use errors::{classify, is_missing_table};
pub(super) use writes::insert_rows;
pub(super) use writes::save_entries;
pub use writes::{Writes, save_balances, save_dates, save_head};

use super::heads::Head;
use super::schema::account_heads;
use super::{Db, Result};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Text};
use statement::{Bind, fixed};

/// Begins a writing transaction. On MySQL writers run with `autocommit=0`, so the first statement begins it.
pub fn begin(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(conn) => conn.batch_execute("BEGIN IMMEDIATE")?,
        #[cfg(feature = "mysql")]
        Db::Mysql(_) => {}
    }
    Ok(())
}

/// Commits. When it returns, the rows are on disk (with the settings that [`super::connect`] demands).
pub fn commit(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(conn) => conn.batch_execute("COMMIT")?,
        // One round trip; Diesel's own commit takes three.
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => {
            fixed!(Integer, ["COMMIT"], []).execute(conn)?;
        }
    }
    Ok(())
}

/// Rolls back. A connection on which this fails must be dropped.
pub fn rollback(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(conn) => conn.batch_execute("ROLLBACK")?,
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => {
            fixed!(Integer, ["ROLLBACK"], []).execute(conn)?;
        }
    }
    Ok(())
}

/// Ends what reads outside a transaction have begun on a writer's connection: on MySQL, with `autocommit=0`, they do.
pub fn end_read(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(_) => Ok(()),
        #[cfg(feature = "mysql")]
        Db::Mysql(_) => rollback(db),
    }
}

/// Begins a reading transaction that sees one state of the database until [`rollback`].
pub fn begin_snapshot(db: &mut Db) -> Result<()> {
    match db {
        Db::Sqlite(conn) => conn.batch_execute("BEGIN DEFERRED")?,
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => conn.batch_execute(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT",
        )?,
    }
    Ok(())
}

/// Takes account heads: locked on MySQL; on SQLite the transaction is the lock.
pub fn lock_heads(db: &mut Db, accounts: &[i32]) -> Result<Vec<Head>> {
    match db {
        Db::Sqlite(conn) => {
            let mut heads = Vec::with_capacity(accounts.len());
            for account in accounts {
                heads.extend(
                    account_heads::table
                        .find(account)
                        .select(Head::as_select())
                        .first(conn)
                        .optional()?,
                );
            }
            Ok(heads)
        }
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => match accounts {
            // The common case stays prepared.
            [account] => Ok(account_heads::table
                .find(account)
                .select(Head::as_select())
                .for_update()
                .load(conn)?),
            _ => Ok(account_heads::table
                .filter(account_heads::account_id.eq_any(accounts))
                .order(account_heads::account_id)
                .select(Head::as_select())
                .for_update()
                .load(conn)?),
        },
    }
}

/// Keys of one look-up: keeps the JSON document below three megabytes, that of [`find_kept`] below eight.
const KEYS_PER_LOOKUP: usize = 10_000;

/// A row of [`find_keys`]: value, customer, whether replaced.
pub type FoundKey = (String, i64, bool);

/// Who holds these codes and card numbers. Values that nobody holds are missing from the answer.
pub fn find_keys(db: &mut Db, account: i32, values: &[&str]) -> Result<Vec<FoundKey>> {
    let mut found = Vec::new();
    for chunk in values.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            Db::Sqlite(conn) => fixed!(
                (Text, BigInt, Bool),
                [
                    "SELECT k.value, k.customer, k.replaced FROM json_each(",
                    ") AS j \
                 CROSS JOIN customer_keys AS k ON k.value = j.value AND k.account_id = ",
                    ""
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<FoundKey>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!(
                (Text, BigInt, Bool),
                [
                    "SELECT k.value, k.customer, k.replaced FROM JSON_TABLE(",
                    ", '$[*]' COLUMNS(value VARCHAR(64) \
                 CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) AS j \
                 STRAIGHT_JOIN customer_keys AS k ON k.value = j.value AND k.account_id = ",
                    ""
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<FoundKey>(conn)?,
        });
    }
    Ok(found)
}

/// A balance: account, customer, campaign, item, balance, last entry.
pub type FoundBalance = (i32, i64, i32, i32, i64, i64);
type BalanceColumns = (Integer, BigInt, Integer, Integer, BigInt, BigInt);

/// The balances with these keys: account, customer, campaign, item; sorted. Those that have no row are missing from the
/// answer.
pub fn find_balances(db: &mut Db, keys: &[(i32, i64, i32, i32)]) -> Result<Vec<FoundBalance>> {
    let mut found = Vec::new();
    // Most requests are about one campaign, and then a list of customers says it all: numbers are read faster than lists
    // of numbers. Where a statement costs a round trip, the accounts of a group go together.
    let same =
        |a: &(i32, i64, i32, i32), b: &(i32, i64, i32, i32)| (a.0, a.2, a.3) == (b.0, b.2, b.3);
    let groups: Vec<_> = match db {
        Db::Sqlite(_) => keys.chunk_by(|a, b| a.0 == b.0).collect(),
        #[cfg(feature = "mysql")]
        Db::Mysql(_) => vec![keys],
    };
    for keys in groups {
        for chunk in keys.chunks(KEYS_PER_LOOKUP) {
            let Some(first) = chunk.first() else { continue };
            let rows = if chunk.iter().all(|key| same(key, first)) {
                let customers: Vec<i64> = chunk.iter().map(|key| key.1).collect();
                let document = serde_json::to_string(&customers).unwrap_or_default();
                balances_of_one(db, &document, (first.0, first.2, first.3))?
            } else {
                let document = serde_json::to_string(chunk).unwrap_or_default();
                balances_of_several(db, &document)?
            };
            found.extend(rows);
        }
    }
    Ok(found)
}

/// The balances of one account, campaign and item.
fn balances_of_one(
    db: &mut Db,
    customers: &str,
    (account, campaign, item): (i32, i32, i32),
) -> Result<Vec<FoundBalance>> {
    let binds = [
        Bind::Text(customers),
        Bind::Int(account),
        Bind::Int(campaign),
        Bind::Int(item),
    ];
    Ok(match db {
        Db::Sqlite(conn) => fixed!(
            BalanceColumns,
            [
                "WITH asked (document, account_id, campaign, item) AS (VALUES (",
                ", ",
                ")) SELECT b.account_id, b.customer, b.campaign, b.item, b.balance, b.last_entry \
                 FROM asked AS a CROSS JOIN json_each(a.document) AS j CROSS JOIN balances AS b \
                 ON b.account_id = a.account_id AND b.customer = j.value AND b.campaign = a.campaign \
                 AND b.item = a.item"
            ],
            binds
        )
        .load(conn)?,
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => fixed!(
            BalanceColumns,
            [
                "SELECT b.account_id, b.customer, b.campaign, b.item, b.balance, b.last_entry FROM JSON_TABLE(",
                ", '$[*]' COLUMNS(customer BIGINT PATH '$')) AS j STRAIGHT_JOIN balances AS b \
                 ON b.customer = j.customer AND b.account_id = ",
                " AND b.campaign = ",
                " AND b.item = ",
                "",
            ],
            binds
        )
        .load(conn)?,
    })
}

/// The balances of several accounts, campaigns or items.
fn balances_of_several(db: &mut Db, keys: &str) -> Result<Vec<FoundBalance>> {
    let binds = [Bind::Text(keys)];
    Ok(match db {
        Db::Sqlite(conn) => fixed!(
            BalanceColumns,
            [
                "SELECT b.account_id, b.customer, b.campaign, b.item, b.balance, b.last_entry FROM json_each(",
                ") AS j CROSS JOIN balances AS b ON b.account_id = json_extract(j.value, '$[0]') \
                 AND b.customer = json_extract(j.value, '$[1]') AND b.campaign = json_extract(j.value, '$[2]') \
                 AND b.item = json_extract(j.value, '$[3]')"
            ],
            binds
        )
        .load(conn)?,
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => fixed!(
            BalanceColumns,
            [
                "SELECT b.account_id, b.customer, b.campaign, b.item, b.balance, b.last_entry FROM JSON_TABLE(",
                ", '$[*]' COLUMNS(account INTEGER PATH '$[0]', customer BIGINT PATH '$[1]', \
                 campaign INTEGER PATH '$[2]', item INTEGER PATH '$[3]')) AS j STRAIGHT_JOIN balances AS b \
                 ON b.account_id = j.account AND b.customer = j.customer AND b.campaign = j.campaign \
                 AND b.item = j.item"
            ],
            binds
        )
        .load(conn)?,
    })
}

/// A row of [`find_kept`]: dialect, caller, name, fingerprint, outcome, until when.
pub type KeptRow = (String, String, String, Vec<u8>, String, i64);

const KEPT_SQLITE: [&str; 3] = [
    "SELECT k.dialect, k.caller, k.name, k.fingerprint, k.outcome, k.expires_at \
    FROM json_each(",
    ") AS j CROSS JOIN idempotency AS k ON k.account_id = ",
    " \
    AND k.dialect = json_extract(j.value, '$[0]') AND k.caller = json_extract(j.value, '$[1]') \
    AND k.name = json_extract(j.value, '$[2]')",
];

#[cfg(feature = "mysql")]
const KEPT_MYSQL: [&str; 3] = [
    "SELECT k.dialect, k.caller, k.name, k.fingerprint, k.outcome, k.expires_at \
    FROM JSON_TABLE(",
    ", '$[*]' COLUMNS(\
    dialect VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]', \
    caller VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]', \
    name VARCHAR(264) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]')) AS j \
    STRAIGHT_JOIN idempotency AS k ON k.account_id = ",
    " AND k.dialect = j.dialect AND k.caller = j.caller \
    AND k.name = j.name",
];

/// What is kept of requests that came before, by dialect, caller and name; rows whose time is over are among them.
/// Each is found by the whole primary key: a filter on `expires_at` would have SQLite walk that index instead.
pub fn find_kept(db: &mut Db, account: i32, ids: &[(&str, &str, &str)]) -> Result<Vec<KeptRow>> {
    type Columns = (Text, Text, Text, Binary, Text, BigInt);
    let mut found = Vec::new();
    for chunk in ids.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            Db::Sqlite(conn) => fixed!(
                Columns,
                KEPT_SQLITE,
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<KeptRow>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!(
                Columns,
                KEPT_MYSQL,
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<KeptRow>(conn)?,
        });
    }
    Ok(found)
}

/// The numbers and fingerprints of open rejections that have one of these fingerprints.
pub fn find_open(
    db: &mut Db,
    account: i32,
    fingerprints: impl Iterator<Item = [u8; 32]>,
) -> Result<Vec<(i64, Vec<u8>)>> {
    let digits: Vec<String> = fingerprints.map(hex::encode).collect();
    let mut found = Vec::new();
    for chunk in digits.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            // Left to itself, the engine reads all rejections of the account.
            Db::Sqlite(conn) => fixed!(
                (BigInt, Binary),
                [
                    "SELECT r.number, r.fingerprint FROM json_each(",
                    ") AS j \
                 CROSS JOIN rejections AS r INDEXED BY rejections_fingerprint \
                 ON r.fingerprint = unhex(j.value) AND r.account_id = ",
                    " WHERE r.state = 'open'"
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<(i64, Vec<u8>)>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!(
                (BigInt, Binary),
                [
                    "SELECT r.number, r.fingerprint FROM JSON_TABLE(",
                    ", '$[*]' COLUMNS(digits VARCHAR(64) PATH '$')) AS j \
                 STRAIGHT_JOIN rejections AS r FORCE INDEX (rejections_fingerprint) \
                 ON r.fingerprint = UNHEX(j.digits) AND r.account_id = ",
                    " WHERE r.state = 'open'"
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<(i64, Vec<u8>)>(conn)?,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
