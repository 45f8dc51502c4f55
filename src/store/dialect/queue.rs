//! Statements on queues that differ between the engines: each compares with the database's own time, so that gateways
//! whose clocks differ agree on what is due.

use super::statement::{Bind, fixed};
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, Text};

/// The database's time in microseconds since 1970.
macro_rules! now {
    (sqlite) => {
        "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"
    };
    (mysql) => {
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
    };
}

/// A statement with the same text on both engines, but for the time.
macro_rules! timed {
    ($db:expr, $row:ty, [$($part:expr),+ $(,)?], $binds:expr, $load:ident) => {
        match $db {
            Db::Sqlite(conn) => fixed!($row, timed!(@parts sqlite $($part),+), $binds).$load(conn),
            #[cfg(feature = "mysql")]
            Db::Mysql(conn) => fixed!($row, timed!(@parts mysql $($part),+), $binds).$load(conn),
        }
    };
    (@parts $engine:ident $($part:expr),+) => {
        [$(timed!(@part $engine $part)),+]
    };
    (@part sqlite $part:expr) => { $part.0 };
    (@part mysql $part:expr) => { $part.1 };
}

/// A part of a text for each engine.
macro_rules! part {
    ($first:literal $(now $next:literal)*) => {
        (
            concat!($first $(, now!(sqlite), $next)*),
            concat!($first $(, now!(mysql), $next)*),
        )
    };
}

/// The database's time in microseconds since 1970.
pub fn now_us(db: &mut Db) -> Result<i64> {
    let binds: [Bind<'_>; 0] = [];
    Ok(timed!(
        db,
        BigInt,
        [part!("SELECT " now "")],
        binds,
        get_result
    )?)
}

/// Jobs that nobody works on: of each account only the oldest that is not done.
pub fn due_jobs(db: &mut Db, limit: i64) -> Result<Vec<(i32, i64)>> {
    Ok(timed!(
        db,
        (Integer, BigInt),
        [
            part!(
                "SELECT q.account_id, q.job FROM (SELECT account_id, MIN(job) AS job FROM sync_queue GROUP BY account_id) \
                 AS m JOIN sync_queue AS q ON q.account_id = m.account_id AND q.job = m.job \
                 WHERE q.claimed_until <= " now " ORDER BY q.claimed_until, q.account_id LIMIT "
            ),
            part!("")
        ],
        [Bind::Big(limit)],
        load
    )?)
}

/// A row of [`find_job`]: the queue's cursor, valid, failed, charged, claims, stuck, started at, claimed until and token;
/// the job's id, origin, contacts, purchases, options, address and time; the time now; whether it is the oldest.
pub type JobFound = (
    (i32, i32, i32, i32, i32, i32),
    (Option<i64>, i64, Option<String>),
    (String, String, i32, i16, String, Option<String>, i64),
    (i64, bool),
);
type JobColumns = (
    (Integer, Integer, Integer, Integer, Integer, Integer),
    (Nullable<BigInt>, BigInt, Nullable<Text>),
    (Text, Text, Integer, SmallInt, Text, Nullable<Text>, BigInt),
    (BigInt, Bool),
);

/// A job that is not done.
pub fn find_job(db: &mut Db, account: i32, job: i64) -> Result<Option<JobFound>> {
    Ok(timed!(
        db,
        JobColumns,
        [
            part!(
                "SELECT q.cursor_at, q.valid, q.failed, q.charged, q.claims, q.stuck, q.started_at, q.claimed_until, \
                 q.token, j.job_id, j.origin, j.contacts, j.purchases, j.options, j.webhook_url, j.created_at, " now
                ", NOT EXISTS (SELECT 1 FROM sync_queue AS o WHERE o.account_id = q.account_id AND o.job < q.job) \
                 FROM sync_queue AS q JOIN sync_jobs AS j ON j.account_id = q.account_id AND j.number = q.job \
                 WHERE q.account_id = "
            ),
            part!(" AND q.job = "),
            part!("")
        ],
        [Bind::Int(account), Bind::Big(job)],
        get_result
    )
    .optional()?)
}

/// Webhooks that are to be sent now and that nobody has taken.
pub fn due_events(db: &mut Db, limit: i64) -> Result<Vec<(i32, i64)>> {
    Ok(timed!(
        db,
        (Integer, BigInt),
        [
            part!(
                "SELECT account_id, event FROM outbox_queue WHERE due_at <= " now " AND claimed_until <= " now
                " ORDER BY due_at LIMIT "
            ),
            part!("")
        ],
        [Bind::Big(limit)],
        load
    )?)
}
