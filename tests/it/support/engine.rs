//! The engines, and databases on them.

use punchcard::config::{Flags, Settings};
use punchcard::secrets::ServerKey;
use punchcard::store::connect::{Role, connect};
use punchcard::store::{Db, migrate};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Sqlite,
    #[cfg(feature = "mysql")]
    Mysql,
}

impl Engine {
    pub fn all() -> Vec<Engine> {
        vec![
            Engine::Sqlite,
            #[cfg(feature = "mysql")]
            Engine::Mysql,
        ]
    }
}

/// A database of its own, migrated, gone at the end.
pub struct Database {
    pub engine: Engine,
    pub url: String,
    pub dir: tempfile::TempDir,
}

/// The key of all test databases.
pub fn server_key() -> ServerKey {
    ServerKey::from_bytes(&[7; 32])
}

impl Database {
    /// An empty database without tables.
    pub fn empty(engine: Engine) -> Database {
        let dir = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", dir.path().join("punchcard.db").display()),
            #[cfg(feature = "mysql")]
            Engine::Mysql => mysql::create(),
        };
        std::fs::write(dir.path().join("server.key"), "07".repeat(32)).unwrap();
        restrict(&dir.path().join("server.key"));
        Database { engine, url, dir }
    }

    /// A database with all tables.
    pub fn new(engine: Engine) -> Database {
        let database = Database::empty(engine);
        migrate::run(&mut database.connect(Role::Migrator)).unwrap();
        database
    }

    /// Settings for it: everything as by default but for what tests need to be quick.
    pub fn settings(&self, more: &[(&str, &str)]) -> Settings {
        let mut flags = Flags::default();
        let all = [
            ("database_url", self.url.as_str()),
            ("listen", "127.0.0.1:0"),
            ("config_max_age_ms", "20"),
            ("unsafe_durability", "true"),
        ];
        for (name, value) in all.iter().chain(more) {
            flags = flags.set(name, (*value).to_owned());
        }
        Settings::load_from(flags, []).unwrap().0
    }

    pub fn connect(&self, role: Role) -> Db {
        connect(&self.settings(&[]).database_url, role).unwrap()
    }

    /// The arguments that name it to the program.
    pub fn arguments(&self) -> Vec<String> {
        let key = self.dir.path().join("server.key");
        vec![
            "--database-url".to_owned(),
            self.url.clone(),
            "--key-file".to_owned(),
            key.display().to_string(),
        ]
    }
}

fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        #[cfg(feature = "mysql")]
        if self.engine == Engine::Mysql {
            mysql::drop(&self.url);
        }
    }
}

static NAMES: AtomicU32 = AtomicU32::new(1);

/// A name that no other test of this run has.
pub fn unique(stem: &str) -> String {
    format!(
        "{stem}-{}-{}",
        std::process::id(),
        NAMES.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::prelude::*;

    fn base() -> String {
        std::env::var("PUNCHCARD_TEST_MYSQL_URL").expect(
            "the tests of MariaDB need a server: run scripts/test, or scripts/lib/mariadb.sh cargo test --features mysql",
        )
    }

    fn execute(sql: &str) {
        let mut conn = MysqlConnection::establish(&format!("{}mysql", base())).unwrap();
        diesel::sql_query(sql).execute(&mut conn).unwrap();
    }

    pub fn create() -> String {
        let name = super::unique("punchcard_it").replace('-', "_");
        execute(&format!(
            "CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        ));
        format!("{}{name}", base())
    }

    pub fn drop(url: &str) {
        let name = url.rsplit('/').next().unwrap();
        execute(&format!("DROP DATABASE {name}"));
    }
}
