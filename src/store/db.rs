//! A connection to either engine.
#![allow(
    missing_docs,
    reason = "the derive makes public items that cannot carry docs"
)]

/// A connection to SQLite, in a file, or to MySQL or MariaDB.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Sqlite(diesel::SqliteConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
}
