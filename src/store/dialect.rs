//! Where SQLite and MySQL differ: transactions, locks, bulk writes, set-based look-ups, and what errors mean.
//!
//! Belongs here: every statement that is not the same on both engines. Nothing else but `writes` matches on [`Db`].

mod errors;
#[cfg(feature = "mysql")]
mod literals;
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
            fixed!(Integer, ["COMMIT", "", ""], []).execute(conn)?;
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
            fixed!(Integer, ["ROLLBACK", "", ""], []).execute(conn)?;
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
pub type KeyRow = (String, i64, bool);

/// Who holds these codes and card numbers. Values that nobody holds are missing from the answer.
pub fn find_keys(db: &mut Db, account: i32, values: &[&str]) -> Result<Vec<KeyRow>> {
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
            .load::<KeyRow>(conn)?,
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
            .load::<KeyRow>(conn)?,
        });
    }
    Ok(found)
}

/// A row of [`find_balances`]: customer, campaign, item, balance, last entry.
pub type FoundBalance = (i64, i32, i32, i64, i64);

/// The balances with these keys: customer, campaign, item. Those that have no row are missing from the answer.
pub fn find_balances(
    db: &mut Db,
    account: i32,
    keys: &[(i64, i32, i32)],
) -> Result<Vec<FoundBalance>> {
    let mut found = Vec::new();
    // Most requests are about one campaign, and then a list of customers says it all: numbers are
    // read faster than lists of numbers.
    let mut rest = keys;
    let of_first = |keys: &[(i64, i32, i32)]| {
        let first = keys.first().map(|(_, campaign, item)| (*campaign, *item));
        first.filter(|first| keys.iter().all(|key| (key.1, key.2) == *first))
    };
    if let (Db::Sqlite(conn), Some((campaign, item))) = (&mut *db, of_first(keys)) {
        rest = &[];
        for chunk in keys.chunks(KEYS_PER_LOOKUP) {
            let customers: Vec<i64> = chunk.iter().map(|(customer, _, _)| *customer).collect();
            let document = serde_json::to_string(&customers).unwrap_or_default();
            let select = fixed!(
                (BigInt, Integer, Integer, BigInt, BigInt),
                [
                    "WITH asked (document, account_id, campaign, item) AS (VALUES (",
                    ", ",
                    ")) SELECT b.customer, b.campaign, b.item, b.balance, b.last_entry \
                     FROM asked AS a CROSS JOIN json_each(a.document) AS j CROSS JOIN balances AS b \
                     ON b.account_id = a.account_id AND b.customer = j.value AND b.campaign = a.campaign \
                     AND b.item = a.item"
                ],
                [
                    Bind::Text(&document),
                    Bind::Int(account),
                    Bind::Int(campaign),
                    Bind::Int(item)
                ]
            );
            found.append(&mut select.load::<FoundBalance>(conn)?);
        }
    }
    for chunk in rest.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            Db::Sqlite(conn) => fixed!(
                (BigInt, Integer, Integer, BigInt, BigInt),
                [
                    "SELECT b.customer, b.campaign, b.item, b.balance, b.last_entry FROM json_each(",
                    ") AS j CROSS JOIN balances AS b ON b.account_id = ",
                    " AND b.customer = json_extract(j.value, '$[0]') \
                     AND b.campaign = json_extract(j.value, '$[1]') AND b.item = json_extract(j.value, '$[2]')"
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<FoundBalance>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!(
                (BigInt, Integer, Integer, BigInt, BigInt),
                [
                    "SELECT b.customer, b.campaign, b.item, b.balance, b.last_entry FROM JSON_TABLE(",
                    ", '$[*]' COLUMNS(\
                     customer BIGINT PATH '$[0]', campaign INTEGER PATH '$[1]', item INTEGER PATH '$[2]')) AS j \
                     STRAIGHT_JOIN balances AS b ON b.account_id = ",
                    " AND b.customer = j.customer AND b.campaign = j.campaign AND b.item = j.item"
                ],
                [Bind::Text(&document), Bind::Int(account)]
            )
            .load::<FoundBalance>(conn)?,
        });
    }
    Ok(found)
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
