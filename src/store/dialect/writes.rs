//! The writes of a transaction: row by row on SQLite, as one text on MySQL.
//!
//! Belongs here: inserts, upserts and updates of the hot path.

#[cfg(feature = "mysql")]
use super::literals::{Columns, Unfit};
use super::statement::{Bind, Kept, fixed};
#[cfg(feature = "mysql")]
use crate::store::Failure;
use crate::store::heads::Head;
use crate::store::journal::{BalanceRow, DateRow, EntryRow};
use crate::store::schema::journal;
use crate::store::{Db, Result};
#[cfg(feature = "mysql")]
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

/// The writes of a transaction. On SQLite, where there is no round trip to save, each is done at once, by a statement
/// that stays prepared; on MySQL they wait and travel together as one text.
pub struct Writes<'d> {
    db: &'d mut Db,
    #[cfg(feature = "mysql")]
    statements: Vec<Statement>,
}

/// A statement on MySQL that more rows may join: those of another account, say.
#[cfg(feature = "mysql")]
struct Statement {
    /// What it is, up to the first row.
    begin: String,
    rows: String,
    /// What stands behind the last row.
    end: &'static str,
}

/// Bytes of the rows of one text on MySQL. With more the server is slower, for it keeps what it has read of all of them; a
/// text beyond its `max_allowed_packet` (16 MiB by default) would cost the
/// connection.
#[cfg(feature = "mysql")]
const SCRIPT_BYTES: usize = 512 * 1024;

impl<'d> Writes<'d> {
    /// No writes yet.
    pub fn new(db: &'d mut Db) -> Writes<'d> {
        Writes {
            db,
            #[cfg(feature = "mysql")]
            statements: Vec::new(),
        }
    }

    /// The connection, to read what was written so far.
    pub fn db(&mut self) -> Result<&mut Db> {
        self.flush()?;
        Ok(self.db)
    }

    /// Does what waits. Needed before the transaction is committed.
    pub fn flush(&mut self) -> Result<()> {
        #[cfg(feature = "mysql")]
        if let Db::Mysql(conn) = self.db
            && !self.statements.is_empty()
        {
            let mut text = String::new();
            for Statement { begin, rows, end } in self.statements.drain(..) {
                for part in [&begin, &rows, end, ";"] {
                    text.push_str(part);
                }
            }
            conn.batch_execute(&text)?;
        }
        Ok(())
    }

    /// Inserts rows on MySQL; their fields are named like the columns. `end` says what becomes of rows that are there.
    /// No text of a client's stands in a statement but as hexadecimal digits.
    #[cfg(feature = "mysql")]
    pub(in crate::store) fn insert<T: serde::Serialize>(
        &mut self,
        table: &str,
        rows: &[T],
        end: &'static str,
    ) -> Result<()> {
        let unfit = |unfit: Unfit| Failure::Data(unfit.to_string());
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let columns = Columns::of(rows).map_err(unfit)?;
        let names = columns.names(first).map_err(unfit)?;
        let begin = format!("INSERT INTO {table} {names} VALUES ");
        let mut statement = self.take(&begin, end);
        for row in rows {
            if self.bytes().saturating_add(statement.rows.len()) >= SCRIPT_BYTES {
                // What waits may be too much already, before any row has joined it.
                if !statement.rows.is_empty() {
                    self.statements.push(statement);
                }
                self.flush()?;
                statement = self.take(&begin, end);
            }
            if !statement.rows.is_empty() {
                statement.rows.push(',');
            }
            columns.values(&mut statement.rows, row).map_err(unfit)?;
        }
        self.statements.push(statement);
        Ok(())
    }

    /// A statement of its own on MySQL, with nothing of a client's in it but hexadecimal digits.
    #[cfg(feature = "mysql")]
    pub(in crate::store) fn then(&mut self, text: String) -> Result<()> {
        if self.bytes() >= SCRIPT_BYTES {
            self.flush()?;
        }
        self.statements.push(Statement {
            begin: text,
            rows: String::new(),
            end: "",
        });
        Ok(())
    }

    /// A statement that waits, or a new one.
    #[cfg(feature = "mysql")]
    fn take(&mut self, begin: &str, end: &'static str) -> Statement {
        let mut statements = self.statements.iter();
        match statements.position(|one| one.begin == begin && one.end == end) {
            Some(place) => self.statements.swap_remove(place),
            None => Statement {
                begin: begin.to_owned(),
                rows: String::new(),
                end,
            },
        }
    }

    /// Bytes that wait.
    #[cfg(feature = "mysql")]
    fn bytes(&self) -> usize {
        let texts = self.statements.iter();
        texts.map(|one| one.begin.len() + one.rows.len()).sum()
    }

    /// The connection of an SQLite database, on which writes are done at once; `None` on MySQL.
    pub(in crate::store) fn sqlite(&mut self) -> Option<&mut diesel::SqliteConnection> {
        match self.db {
            Db::Sqlite(conn) => Some(conn),
            #[cfg(feature = "mysql")]
            Db::Mysql(_) => None,
        }
    }
}

/// Inserts rows of a table that has no conflict to expect. The fields of a row are named like the columns.
macro_rules! insert_rows {
    ($writes:expr, $table:ident, $rows:expr) => {{
        let rows = $rows;
        match $writes.sqlite() {
            Some(conn) => {
                /// Names this place.
                struct Here;
                for row in rows {
                    let insert = diesel::insert_into($table::table).values(row);
                    $crate::store::dialect::statement::Kept::<_, Here>::new(insert)
                        .execute(conn)?;
                }
            }
            #[cfg(feature = "mysql")]
            None => $writes.insert(stringify!($table), rows, "")?,
            #[cfg(not(feature = "mysql"))]
            None => {}
        }
    }};
}
pub(in crate::store) use insert_rows;

/// Writes journal entries, which come in the order of their numbers.
pub fn save_entries(writes: &mut Writes<'_>, rows: &[EntryRow<'_>]) -> Result<()> {
    let Some(conn) = writes.sqlite() else {
        #[cfg(feature = "mysql")]
        writes.insert("journal", rows, "")?;
        return Ok(());
    };
    for row in rows {
        let rare = row.formula.is_some()
            || row.promotions.is_some()
            || row.reward.is_some()
            || row.reverses.is_some()
            || row.custom.is_some();
        if rare {
            struct Here;
            let insert = diesel::insert_into(journal::table).values(row);
            Kept::<_, Here>::new(insert).execute(conn)?;
            continue;
        }
        // Most rows have none of these, and the time goes by the number of values.
        fixed!(
            Integer,
            ["INSERT INTO journal (account_id, number, customer, campaign, item, kind, amount, balance_after, date, \
             recorded_at, previous, batch, line, user, given, authorization, flags) VALUES (",
            ", ",
            ")"],
            [
                Bind::Int(row.account_id),
                Bind::Big(row.number),
                Bind::Big(row.customer),
                Bind::Int(row.campaign),
                Bind::Int(row.item),
                Bind::Int(row.kind.into()),
                Bind::Big(row.amount),
                Bind::Big(row.balance_after),
                Bind::Int(row.date),
                Bind::Big(row.recorded_at),
                Bind::MaybeBig(row.previous),
                Bind::MaybeBig(row.batch),
                Bind::MaybeInt(row.line),
                Bind::MaybeInt(row.user),
                Bind::MaybeText(row.given),
                Bind::MaybeText(row.authorization),
                Bind::Int(row.flags),
            ]
        )
        .execute(conn)?;
    }
    Ok(())
}

/// Writes balances, new or changed; sorted by their key, so that all writers touch them in one order.
pub fn save_balances(writes: &mut Writes<'_>, rows: &[BalanceRow]) -> Result<()> {
    if let Some(conn) = writes.sqlite() {
        for row in rows {
            fixed!(
                Integer,
                ["INSERT INTO balances (account_id, customer, campaign, item, balance, last_entry) VALUES (",
                ", ",
                ") ON CONFLICT (account_id, customer, campaign, item) \
                 DO UPDATE SET balance = excluded.balance, last_entry = excluded.last_entry"],
                [
                    Bind::Int(row.account_id),
                    Bind::Big(row.customer),
                    Bind::Int(row.campaign),
                    Bind::Int(row.item),
                    Bind::Big(row.balance),
                    Bind::Big(row.last_entry),
                ]
            )
            .execute(conn)?;
        }
    }
    #[cfg(feature = "mysql")]
    if writes.sqlite().is_none() {
        writes.insert(
            "balances",
            rows,
            " ON DUPLICATE KEY UPDATE balance = VALUES(balance), last_entry = VALUES(last_entry)",
        )?;
    }
    Ok(())
}

/// Widens the range of entry numbers of these dates. Numbers only grow, so a known date keeps its lowest.
pub fn save_dates(writes: &mut Writes<'_>, rows: &[DateRow]) -> Result<()> {
    if let Some(conn) = writes.sqlite() {
        for row in rows {
            fixed!(
                Integer,
                [
                    "INSERT INTO entry_dates (account_id, date, lowest, highest) VALUES (",
                    ", ",
                    ") ON CONFLICT (account_id, date) DO UPDATE SET highest = excluded.highest"
                ],
                [
                    Bind::Int(row.account_id),
                    Bind::Int(row.date),
                    Bind::Big(row.lowest),
                    Bind::Big(row.highest),
                ]
            )
            .execute(conn)?;
        }
    }
    #[cfg(feature = "mysql")]
    if writes.sqlite().is_none() {
        writes.insert(
            "entry_dates",
            rows,
            " ON DUPLICATE KEY UPDATE highest = VALUES(highest)",
        )?;
    }
    Ok(())
}

/// Writes a head back.
pub fn save_head(writes: &mut Writes<'_>, head: &Head) -> Result<()> {
    if let Some(conn) = writes.sqlite() {
        fixed!(
            Integer,
            ["INSERT INTO account_heads (next_entry, next_batch, next_customer, next_sale, next_rejection, \
             next_commit, open_faults, keys_version, config_version, account_id) VALUES (",
            ", ",
            ") ON CONFLICT (account_id) DO UPDATE SET next_entry = excluded.next_entry, \
             next_batch = excluded.next_batch, next_customer = excluded.next_customer, \
             next_sale = excluded.next_sale, next_rejection = excluded.next_rejection, \
             next_commit = excluded.next_commit, open_faults = excluded.open_faults, \
             keys_version = excluded.keys_version, config_version = excluded.config_version"],
            [
                Bind::Big(head.next_entry),
                Bind::Big(head.next_batch),
                Bind::Big(head.next_customer),
                Bind::Big(head.next_sale),
                Bind::Big(head.next_rejection),
                Bind::Big(head.next_commit),
                Bind::Big(head.open_faults),
                Bind::Big(head.keys_version),
                Bind::Big(head.config_version),
                Bind::Int(head.account_id),
            ]
        )
        .execute(conn)?;
    }
    #[cfg(feature = "mysql")]
    if writes.sqlite().is_none() {
        writes.insert(
            "account_heads",
            std::slice::from_ref(head),
            " ON DUPLICATE KEY UPDATE next_entry = VALUES(next_entry), next_batch = VALUES(next_batch), \
             next_customer = VALUES(next_customer), next_sale = VALUES(next_sale), \
             next_rejection = VALUES(next_rejection), next_commit = VALUES(next_commit), \
             open_faults = VALUES(open_faults), keys_version = VALUES(keys_version), \
             config_version = VALUES(config_version)",
        )?;
    }
    Ok(())
}
