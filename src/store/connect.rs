//! Opening connections and checking that the server's settings keep what was acknowledged.
//!
//! Belongs here: settings of a session, the pool of readers. Does not belong here: the form of database addresses
//! ([`crate::config`]).

use super::{Db, Failure};
use crate::config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Why a connection could not be opened, for a person: what was tried, what the database said, what to check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectError(pub String);

impl std::fmt::Display for ConnectError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::Away(error.0)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Writing transactions: each begins with [`super::dialect::begin`]. On MySQL `autocommit` is off.
    Writer,
    /// Single reads, each of a state of its own.
    Reader,
    /// The same, where many of the same kind follow each other.
    LookUp,
    /// Reads and changes of the schema.
    Migrator,
}

/// Opens a connection. Of several MySQL hosts, the first that answers.
pub fn connect(url: &DatabaseUrl, role: Role) -> Result<Db, ConnectError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite(path, role),
        #[cfg(feature = "mysql")]
        DatabaseUrl::Mysql(servers) => mysql(servers, role),
        #[cfg(not(feature = "mysql"))]
        DatabaseUrl::Mysql(_) => Err(ConnectError(
            "this program was built without MySQL: build it with `--features mysql`, or use a sqlite: address"
                .to_owned(),
        )),
    }
}

/// How long SQLite waits for another process that writes.
const SQLITE_BUSY_MS: u32 = 5_000;

/// The page cache of who writes and who looks up: 16 MiB.
const SQLITE_CACHE: &str = "PRAGMA cache_size = -16384;";

fn sqlite(path: &std::path::Path, role: Role) -> Result<Db, ConnectError> {
    let shown = path.display();
    let fail = |error: &dyn std::fmt::Display| {
        ConnectError(format!(
            "the SQLite file {shown} cannot be opened: {error}. Check that its directory exists and may be written."
        ))
    };
    let reads = matches!(role, Role::Reader | Role::LookUp);
    if !reads {
        // The file has people's names in it: nobody else may read it. SQLite gives its other files the same mode.
        let made = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(path);
        if let Err(error) = made
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(fail(&error));
        }
    }
    let text = path
        .to_str()
        .ok_or_else(|| fail(&"the path is not UTF-8"))?;
    let mut conn = SqliteConnection::establish(text).map_err(|error| fail(&error))?;
    // busy_timeout comes first: the pragmas behind it may have to wait for another process.
    let mut pragmas = format!(
        "PRAGMA busy_timeout = {SQLITE_BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA wal_autocheckpoint = 16384;"
    );
    if matches!(role, Role::Writer | Role::LookUp) {
        // Balances are touched all over their table: with the default of 2 MB they are read from the file again and again.
        pragmas.push_str(SQLITE_CACHE);
    }
    if reads {
        pragmas.push_str("PRAGMA query_only = 1;");
    }
    conn.batch_execute(&pragmas).map_err(|error| fail(&error))?;
    let mode: JournalMode = diesel::sql_query("PRAGMA journal_mode")
        .get_result(&mut conn)
        .map_err(|error| fail(&error))?;
    if mode.journal_mode != "wal" {
        // Only with a write-ahead log does synchronous = FULL keep every commit.
        return Err(fail(&format!(
            "its journal mode is {}, and must be wal",
            mode.journal_mode
        )));
    }
    Ok(Db::Sqlite(conn))
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
}

#[cfg(feature = "mysql")]
fn mysql(servers: &crate::config::MysqlUrl, role: Role) -> Result<Db, ConnectError> {
    let mut tried = Vec::new();
    for host in &servers.hosts {
        let place = format!("{}:{}", host.name, host.port);
        match diesel::MysqlConnection::establish(&servers.driver_url(host)) {
            Ok(mut conn) => match mysql_session(&mut conn, role) {
                Ok(true) => tried.push(format!("{place}: it is read-only")),
                Ok(false) => return Ok(Db::Mysql(conn)),
                Err(error) => tried.push(format!("{place}: {error}")),
            },
            Err(error) => tried.push(format!("{place}: {error}")),
        }
    }
    Err(ConnectError(format!(
        "no connection to the MySQL database \"{}\" as user \"{}\" ({}). \
         Check that the server runs, and the address, user and password in database_url.",
        servers.database,
        servers.user,
        tried.join("; ")
    )))
}

/// Sets up a session; tells whether the server is of no use in this role because it is read-only.
#[cfg(feature = "mysql")]
fn mysql_session(conn: &mut diesel::MysqlConnection, role: Role) -> QueryResult<bool> {
    // Errors are told apart by their English texts.
    conn.batch_execute(
        "SET SESSION lc_messages = 'en_US'; \
         SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION innodb_lock_wait_timeout = 5",
    )?;
    if role != Role::Writer {
        return Ok(false);
    }
    if variable(conn, "version")?.contains("MariaDB") {
        // A gateway that hangs in a transaction must not hold an account's head for long, whether it has written already
        // or not; and a reply that got lost between a killed statement and us must not be waited for.
        conn.batch_execute(
            "SET SESSION idle_transaction_timeout = 10; SET SESSION idle_write_transaction_timeout = 10",
        )?;
    }
    conn.batch_execute("SET SESSION autocommit = 0")?;
    Ok(!is_off(&variable(conn, "read_only")?))
}

#[cfg(feature = "mysql")]
fn variable(conn: &mut diesel::MysqlConnection, name: &str) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }
    // The names are our own constants.
    let sql = format!("SELECT CAST(@@{name} AS CHAR CHARACTER SET utf8mb4) AS value");
    Ok(diesel::sql_query(sql).get_result::<Row>(conn)?.value)
}

/// A switch reads as a word on MariaDB and as a digit on MySQL.
#[cfg(feature = "mysql")]
fn is_off(switch: &str) -> bool {
    switch == "0" || switch.eq_ignore_ascii_case("off")
}

/// What is unsafe about the server's settings: each a setting with its value and the remedy. SQLite's are our own.
pub fn unsafe_settings(db: &mut Db) -> Result<Vec<String>, Failure> {
    match db {
        Db::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => {
            let mut found = Vec::new();
            let flush = variable(conn, "innodb_flush_log_at_trx_commit")?;
            if flush != "1" {
                found.push(format!(
                    "innodb_flush_log_at_trx_commit is {flush}, and must be 1"
                ));
            }
            let binlog = variable(conn, "log_bin")?;
            let sync = variable(conn, "sync_binlog")?;
            if !is_off(&binlog) && sync != "1" {
                found.push(format!(
                    "the binary log is on and sync_binlog is {sync}, which must be 1"
                ));
            }
            Ok(found)
        }
    }
}

/// Opens readers for [`Readers`]; says what is wrong with the database, not with its address.
#[derive(Clone, Debug)]
pub struct Opener(DatabaseUrl);

impl r2d2::ManageConnection for Opener {
    type Connection = Db;
    type Error = ConnectError;

    fn connect(&self) -> Result<Db, ConnectError> {
        connect(&self.0, Role::Reader)
    }

    fn is_valid(&self, conn: &mut Db) -> Result<(), ConnectError> {
        conn.batch_execute("SELECT 1")
            .map_err(|error| ConnectError(error.to_string()))
    }

    fn has_broken(&self, _conn: &mut Db) -> bool {
        std::thread::panicking()
    }
}

/// The pool of reading connections.
#[derive(Clone)]
pub struct Readers(r2d2::Pool<Opener>);

impl Readers {
    /// A pool of at most `size` connections, opened when they are needed.
    pub fn new(url: &DatabaseUrl, size: u32, wait: Duration) -> Result<Readers, ConnectError> {
        r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(wait)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build(Opener(url.clone()))
            .map(Readers)
            .map_err(|error| ConnectError(error.to_string()))
    }

    /// A connection; waits for one at most as long as the pool was told.
    pub fn get(&self) -> Result<r2d2::PooledConnection<Opener>, Failure> {
        self.0
            .get()
            .map_err(|error| Failure::Away(error.to_string()))
    }
}
