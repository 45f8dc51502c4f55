//! What an error of either engine means.
//!
//! Belongs here: kinds and texts of errors. Does not belong here: what follows from them ([`crate::posting`]).

use crate::store::Failure;
use diesel::result::{DatabaseErrorKind, Error};

/// Tells what an error means by its kind and, where the driver keeps only the text, by its text.
pub fn classify(error: &Error) -> Failure {
    let text = without_values(&error.to_string());
    let Error::DatabaseError(kind, _) = error else {
        return match error {
            Error::BrokenTransactionManager => Failure::Away(text),
            _ => Failure::Data(text),
        };
    };
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    match kind {
        DatabaseErrorKind::SerializationFailure => Failure::Conflict(text),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction => {
            Failure::Away(text)
        }
        DatabaseErrorKind::Unknown if says(CONFLICTS) => Failure::Conflict(text),
        DatabaseErrorKind::Unknown if says(AWAY) => Failure::Away(text),
        _ => Failure::Data(text),
    }
}

/// Whether the error is that a table is not there.
pub fn is_missing_table(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("no such table") || text.contains("doesn't exist")
}

/// MySQL repeats the value that it refuses, which may be a card number: the log gets the rest.
pub(super) fn without_values(text: &str) -> String {
    for mark in ["entry '", "value: '", "value '"] {
        if let Some((before, rest)) = text.split_once(mark) {
            // The value may hold quotes itself; behind the last one stands the name of the column or key.
            let after = rest.rsplit_once("' for ").map_or("", |(_, after)| after);
            return format!("{before}{mark}…' for {after}");
        }
    }
    text.to_owned()
}

/// MySQL 1213, 1205, 1020 and 1615. The texts are English because every session asks for that ([`crate::store::connect`]).
pub(super) const CONFLICTS: &[&str] = &[
    "Deadlock found",
    "Lock wait timeout exceeded",
    "Record has changed since last read",
    "needs to be re-prepared",
];

/// Errors that no line of data can cause.
pub(super) const AWAY: &[&str] = &[
    // MySQL: the connection, the server, the disk.
    "gone away",
    "Lost connection",
    "Can't connect",
    "Connection was killed",
    "Query execution was interrupted",
    "shutdown in progress",
    "Commands out of sync",
    "Malformed packet",
    "read-only",
    "is read only",
    "denied",
    "Error writing file",
    "Errcode",
    "Out of memory",
    "doesn't exist",
    "Unknown column",
    "Disk full",
    "is full",
    "from storage engine",
    "Too many connections",
    "communication packets",
    "disconnected by the server because of inactivity",
    "max_prepared_stmt_count",
    "WSREP has not yet prepared node",
    // SQLite: SQLITE_BUSY, _LOCKED, _IOERR, _FULL, _CANTOPEN, _READONLY, _CORRUPT, _NOMEM.
    "database is locked",
    "database table is locked",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
    "database disk image is malformed",
    "out of memory",
    "no such table",
    "no such column",
];
