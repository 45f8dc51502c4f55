//! Chains of entries.
//!
//! Belongs here: these statements. Does not belong here: what is asked for ([`crate::store::history`]).

use super::statement::{Bind, fixed};
use crate::store::{Db, Result};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text};

/// A row of [`chain`]: number, kind, amount, date, recorded at, user, authorization, the entry before it, the entry that
/// reverses it.
pub type Step = (
    i64,
    i16,
    i64,
    i32,
    i64,
    Option<i32>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

type Columns = (
    BigInt,
    SmallInt,
    BigInt,
    Integer,
    BigInt,
    Nullable<Integer>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
);

/// Entries of one balance, from this one back, at most `steps`; each is found by its number. MySQL ends a recursion behind
/// 1000 steps.
pub fn chain(db: &mut Db, account: i32, from: i64, steps: i64) -> Result<Vec<Step>> {
    let binds = [
        Bind::Int(account),
        Bind::Big(from),
        Bind::Int(account),
        Bind::Big(steps),
        Bind::Int(account),
        Bind::Int(account),
    ];
    Ok(match db {
        // The joins say in which order the tables are read.
        Db::Sqlite(conn) => fixed!(
            Columns,
            [
                "WITH RECURSIVE h (number, previous, n) AS (\
                 SELECT number, previous, 1 FROM journal WHERE account_id = ",
                " AND number = ",
                " UNION ALL SELECT j.number, j.previous, h.n + 1 FROM h CROSS JOIN journal AS j ON j.account_id = ",
                " AND j.number = h.previous WHERE h.n < ",
                ") SELECT j.number, j.kind, j.amount, j.date, j.recorded_at, j.user, j.authorization, j.previous, \
                 r.by_entry FROM h CROSS JOIN journal AS j ON j.account_id = ",
                " AND j.number = h.number LEFT JOIN reversals AS r ON r.account_id = ",
                " AND r.entry = h.number ORDER BY h.n"
            ],
            binds
        )
        .load::<Step>(conn)?,
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => fixed!(
            Columns,
            [
                "WITH RECURSIVE h (number, previous, n) AS (\
                 SELECT number, previous, 1 FROM journal WHERE account_id = ",
                " AND number = ",
                " UNION ALL SELECT j.number, j.previous, h.n + 1 FROM h STRAIGHT_JOIN journal AS j ON j.account_id = ",
                " AND j.number = h.previous WHERE h.n < ",
                ") SELECT j.number, j.kind, j.amount, j.date, j.recorded_at, j.user, j.authorization, j.previous, \
                 r.by_entry FROM h STRAIGHT_JOIN journal AS j ON j.account_id = ",
                " AND j.number = h.number LEFT JOIN reversals AS r ON r.account_id = ",
                " AND r.entry = h.number ORDER BY h.n"
            ],
            binds
        )
        .load::<Step>(conn)?,
    })
}
