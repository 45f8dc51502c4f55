//! Where SQLite and MySQL differ: transactions, locks, bulk writes, set-based look-ups, and what errors mean.
//!
//! Belongs here: every statement that is not the same on both engines. Nothing else matches on [`Db`].

mod errors;

pub use errors::{classify, is_missing_table};

use super::heads::Head;
use super::journal::{BalanceRow, DateRow};
use super::schema::{account_heads, balances, entry_dates};
use super::{Db, Result};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Text};

/// A statement kept prepared under its text: `sql_query` would prepare it anew each time.
struct Fixed<'a, T> {
    sql: &'static str,
    document: Option<&'a str>,
    account: Option<i32>,
    row: std::marker::PhantomData<T>,
}

impl<'a, T> Fixed<'a, T> {
    fn new(sql: &'static str) -> Fixed<'a, T> {
        Fixed {
            sql,
            document: None,
            account: None,
            row: std::marker::PhantomData,
        }
    }

    /// A statement with two parameters: a JSON document, then the account.
    fn of(sql: &'static str, document: &'a str, account: i32) -> Fixed<'a, T> {
        Fixed {
            document: Some(document),
            account: Some(account),
            ..Fixed::new(sql)
        }
    }
}

impl<T> QueryId for Fixed<'_, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Fixed<'_, T> {
    type SqlType = T;
}

impl<T, Conn> RunQueryDsl<Conn> for Fixed<'_, T> {}

impl<T, DB> QueryFragment<DB> for Fixed<'_, T>
where
    DB: diesel::backend::Backend
        + diesel::sql_types::HasSqlType<Text>
        + diesel::sql_types::HasSqlType<Integer>,
    str: diesel::serialize::ToSql<Text, DB>,
    i32: diesel::serialize::ToSql<Integer, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut parts = self.sql.split('?');
        out.push_sql(parts.next().unwrap_or(""));
        if let Some(document) = &self.document {
            out.push_bind_param::<Text, str>(document)?;
        }
        out.push_sql(parts.next().unwrap_or(""));
        if let Some(account) = &self.account {
            out.push_bind_param::<Integer, i32>(account)?;
        }
        out.push_sql(parts.next().unwrap_or(""));
        Ok(())
    }
}

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
            Fixed::<Integer>::new("COMMIT").execute(conn)?;
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
            Fixed::<Integer>::new("ROLLBACK").execute(conn)?;
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

/// Inserts rows of a table that has no conflict to expect: one prepared statement per row on SQLite, where there is
/// no round trip to save, and several rows a statement on MySQL. The weight of a row is the bytes of its long texts.
macro_rules! insert_rows {
    ($db:expr, $table:expr, $rows:expr) => {
        $crate::store::dialect::insert_rows!($db, $table, $rows, |_| 0)
    };
    ($db:expr, $table:expr, $rows:expr, $weight:expr) => {{
        let rows = $rows;
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                for row in rows {
                    diesel::insert_into($table).values(row).execute(conn)?;
                }
            }
            #[cfg(feature = "mysql")]
            $crate::store::Db::Mysql(conn) => {
                for chunk in $crate::store::dialect::chunks(rows, $weight) {
                    match <&[_; $crate::store::dialect::ROWS_PER_INSERT]>::try_from(chunk) {
                        Ok(rows) => {
                            let insert = diesel::insert_into($table).values(rows);
                            $crate::store::dialect::Kept(insert).execute(conn)?;
                        }
                        Err(_) => {
                            diesel::insert_into($table).values(chunk).execute(conn)?;
                        }
                    }
                }
            }
        }
    }};
}
pub(super) use insert_rows;

/// Rows of one INSERT on MySQL: few enough for its 65,535 parameters, and for a statement that stays prepared.
#[cfg(feature = "mysql")]
pub(super) const ROWS_PER_INSERT: usize = 250;

/// An INSERT of exactly [`ROWS_PER_INSERT`] rows, given as an array: kept prepared under its text. Diesel prepares an
/// INSERT of a slice anew each time, since any number of rows may come, and to read so many placeholders costs the
/// server more than the rows. An array it would keep by its type, if that had no lifetimes.
#[cfg(feature = "mysql")]
pub(super) struct Kept<I>(pub(super) I);

#[cfg(feature = "mysql")]
impl<I> QueryId for Kept<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(feature = "mysql")]
impl<I, Conn> RunQueryDsl<Conn> for Kept<I> {}

#[cfg(feature = "mysql")]
impl<I, DB> QueryFragment<DB> for Kept<I>
where
    DB: diesel::backend::Backend,
    I: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// Rows of one INSERT of numbers, which are part of its text.
#[cfg(feature = "mysql")]
const NUMBERS_PER_INSERT: usize = 1000;

/// Bytes of long texts in one INSERT on MySQL: a statement beyond its `max_allowed_packet` (16 MiB by default) would
/// cost the connection.
#[cfg(feature = "mysql")]
const BYTES_PER_INSERT: usize = 4 * 1024 * 1024;

/// Cuts rows into statements of at most [`ROWS_PER_INSERT`] rows and, but for a single heavier row,
/// [`BYTES_PER_INSERT`].
#[cfg(feature = "mysql")]
pub(super) fn chunks<T>(rows: &[T], weight: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0_usize;
        let fitting = rest
            .iter()
            .take(ROWS_PER_INSERT)
            .take_while(|row| {
                bytes = bytes.saturating_add(weight(row));
                bytes <= BYTES_PER_INSERT
            })
            .count();
        let (chunk, behind) = rest.split_at_checked(fitting.max(1))?;
        rest = behind;
        Some(chunk)
    })
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
            Db::Sqlite(conn) => Fixed::<(Text, BigInt, Bool)>::of(
                "SELECT k.value, k.customer, k.replaced FROM json_each(?) AS j \
                 CROSS JOIN customer_keys AS k ON k.value = j.value AND k.account_id = ?",
                &document,
                account,
            )
            .load::<KeyRow>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => Fixed::<(Text, BigInt, Bool)>::of(
                "SELECT k.value, k.customer, k.replaced FROM JSON_TABLE(?, '$[*]' COLUMNS(value VARCHAR(64) \
                 CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) AS j \
                 STRAIGHT_JOIN customer_keys AS k ON k.value = j.value AND k.account_id = ?",
                &document,
                account,
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
    for chunk in keys.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            Db::Sqlite(conn) => Fixed::<(BigInt, Integer, Integer, BigInt, BigInt)>::of(
                "SELECT b.customer, b.campaign, b.item, b.balance, b.last_entry FROM json_each(?) AS j \
                 CROSS JOIN balances AS b ON b.account_id = ? AND b.customer = json_extract(j.value, '$[0]') \
                 AND b.campaign = json_extract(j.value, '$[1]') AND b.item = json_extract(j.value, '$[2]')",
                &document,
                account,
            )
            .load::<FoundBalance>(conn)?,
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => Fixed::<(BigInt, Integer, Integer, BigInt, BigInt)>::of(
                "SELECT b.customer, b.campaign, b.item, b.balance, b.last_entry FROM JSON_TABLE(?, '$[*]' COLUMNS(\
                 customer BIGINT PATH '$[0]', campaign INTEGER PATH '$[1]', item INTEGER PATH '$[2]')) AS j \
                 STRAIGHT_JOIN balances AS b ON b.account_id = ? AND b.customer = j.customer \
                 AND b.campaign = j.campaign AND b.item = j.item",
                &document,
                account,
            )
            .load::<FoundBalance>(conn)?,
        });
    }
    Ok(found)
}

/// A row of [`find_kept`]: dialect, caller, name, fingerprint, outcome, until when.
pub type KeptRow = (String, String, String, Vec<u8>, String, i64);

const KEPT_SQLITE: &str = "SELECT k.dialect, k.caller, k.name, k.fingerprint, k.outcome, k.expires_at \
    FROM json_each(?) AS j CROSS JOIN idempotency AS k ON k.account_id = ? \
    AND k.dialect = json_extract(j.value, '$[0]') AND k.caller = json_extract(j.value, '$[1]') \
    AND k.name = json_extract(j.value, '$[2]')";

#[cfg(feature = "mysql")]
const KEPT_MYSQL: &str = "SELECT k.dialect, k.caller, k.name, k.fingerprint, k.outcome, k.expires_at \
    FROM JSON_TABLE(?, '$[*]' COLUMNS(\
    dialect VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]', \
    caller VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]', \
    name VARCHAR(264) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]')) AS j \
    STRAIGHT_JOIN idempotency AS k ON k.account_id = ? AND k.dialect = j.dialect AND k.caller = j.caller \
    AND k.name = j.name";

/// What is kept of requests that came before, by dialect, caller and name; rows whose time is over are among them.
/// Each is found by the whole primary key: a filter on `expires_at` would have SQLite walk that index instead.
pub fn find_kept(db: &mut Db, account: i32, ids: &[(&str, &str, &str)]) -> Result<Vec<KeptRow>> {
    type Columns = (Text, Text, Text, Binary, Text, BigInt);
    let mut found = Vec::new();
    for chunk in ids.chunks(KEYS_PER_LOOKUP) {
        let document = serde_json::to_string(chunk).unwrap_or_default();
        found.append(&mut match db {
            Db::Sqlite(conn) => {
                Fixed::<Columns>::of(KEPT_SQLITE, &document, account).load::<KeptRow>(conn)?
            }
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => {
                Fixed::<Columns>::of(KEPT_MYSQL, &document, account).load::<KeptRow>(conn)?
            }
        });
    }
    Ok(found)
}

/// Writes balances, new or changed; sorted by their key, so that all writers touch them in one order.
pub fn save_balances(db: &mut Db, rows: &[BalanceRow]) -> Result<()> {
    match db {
        Db::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(balances::table)
                    .values(row)
                    .on_conflict((
                        balances::account_id,
                        balances::customer,
                        balances::campaign,
                        balances::item,
                    ))
                    .do_update()
                    .set((
                        balances::balance.eq(diesel::upsert::excluded(balances::balance)),
                        balances::last_entry.eq(diesel::upsert::excluded(balances::last_entry)),
                    ))
                    .execute(conn)?;
            }
        }
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => upsert_numbers(
            conn,
            "balances (account_id, customer, campaign, item, balance, last_entry)",
            "balance = VALUES(balance), last_entry = VALUES(last_entry)",
            rows,
            |row| {
                format!(
                    "({},{},{},{},{},{})",
                    row.account_id,
                    row.customer,
                    row.campaign,
                    row.item,
                    row.balance,
                    row.last_entry
                )
            },
        )?,
    }
    Ok(())
}

/// Inserts rows or changes those that are there, several a statement, which Diesel has no words for. `literals` writes
/// a row's numbers in brackets: numbers only, so that nothing has to be escaped.
#[cfg(feature = "mysql")]
fn upsert_numbers<T>(
    conn: &mut diesel::MysqlConnection,
    into: &str,
    changes: &str,
    rows: &[T],
    literals: impl Fn(&T) -> String,
) -> QueryResult<()> {
    for chunk in rows.chunks(NUMBERS_PER_INSERT) {
        let values: Vec<String> = chunk.iter().map(&literals).collect();
        diesel::sql_query(format!(
            "INSERT INTO {into} VALUES {} ON DUPLICATE KEY UPDATE {changes}",
            values.join(",")
        ))
        .execute(conn)?;
    }
    Ok(())
}

/// Widens the range of entry numbers of these dates. Numbers only grow, so a known date keeps its lowest.
pub fn save_dates(db: &mut Db, rows: &[DateRow]) -> Result<()> {
    match db {
        Db::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(entry_dates::table)
                    .values(row)
                    .on_conflict((entry_dates::account_id, entry_dates::date))
                    .do_update()
                    .set(entry_dates::highest.eq(diesel::upsert::excluded(entry_dates::highest)))
                    .execute(conn)?;
            }
        }
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => upsert_numbers(
            conn,
            "entry_dates (account_id, date, lowest, highest)",
            "highest = VALUES(highest)",
            rows,
            |row| {
                format!(
                    "({},{},{},{})",
                    row.account_id, row.date, row.lowest, row.highest
                )
            },
        )?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;
