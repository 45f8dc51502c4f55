//! The migrations of both engines: embedded, with the same names.

use super::{Db, dialect};
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "mysql")]
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// An error of a migration, for a person.
pub type MigrateError = Box<dyn std::error::Error + Send + Sync>;

macro_rules! on_each_engine {
    ($db:expr, |$conn:ident, $migrations:ident| $body:expr) => {
        match $db {
            Db::Sqlite($conn) => {
                let $migrations = SQLITE;
                $body
            }
            #[cfg(feature = "mysql")]
            Db::Mysql($conn) => {
                let $migrations = MYSQL;
                $body
            }
        }
    };
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// The names of the migrations that have not been run, in their order. Only reads: it needs no right to make tables.
pub fn pending(db: &mut Db) -> Result<Vec<String>, MigrateError> {
    let run: Vec<Version> = diesel::sql_query("SELECT version FROM __diesel_schema_migrations")
        .load(db)
        .or_else(|error| {
            if dialect::is_missing_table(&error) {
                Ok(Vec::new())
            } else {
                Err(error)
            }
        })?;
    fn names<DB: diesel::backend::Backend>(
        migrations: impl MigrationSource<DB>,
        run: &[Version],
    ) -> Result<Vec<String>, MigrateError> {
        let mut list = migrations.migrations()?;
        list.retain(|one| {
            !run.iter()
                .any(|row| one.name().version() == row.version.as_str().into())
        });
        let mut names: Vec<String> = list.iter().map(|one| one.name().to_string()).collect();
        names.sort();
        Ok(names)
    }
    match db {
        Db::Sqlite(_) => names::<diesel::sqlite::Sqlite>(SQLITE, &run),
        #[cfg(feature = "mysql")]
        Db::Mysql(_) => names::<diesel::mysql::Mysql>(MYSQL, &run),
    }
}

/// Runs what is pending and names it.
///
/// On SQLite in one transaction that waits for other writers, so that two programs that start at once on a new file do
/// not make the same table twice. On MySQL a change of the schema is not transactional.
pub fn run(db: &mut Db) -> Result<Vec<String>, MigrateError> {
    if pending(db)?.is_empty() {
        return Ok(Vec::new());
    }
    match db {
        Db::Sqlite(conn) => conn.immediate_transaction(|conn| run_on(conn, SQLITE)),
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => run_on(conn, MYSQL),
    }
}

fn run_on<C, DB>(conn: &mut C, migrations: EmbeddedMigrations) -> Result<Vec<String>, MigrateError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut names = Vec::new();
    for migration in conn.pending_migrations(migrations)? {
        conn.run_migration(&migration)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}

/// Takes all migrations back: everything is lost. For tests of the migrations themselves.
pub fn revert_all(db: &mut Db) -> Result<(), MigrateError> {
    on_each_engine!(db, |conn, migrations| {
        conn.revert_all_migrations(migrations)?;
        Ok(())
    })
}

/// Takes the newest migration back, with what only it has brought. For tests of the migrations themselves.
pub fn revert_last(db: &mut Db) -> Result<(), MigrateError> {
    on_each_engine!(db, |conn, migrations| {
        conn.revert_last_migration(migrations)?;
        Ok(())
    })
}
