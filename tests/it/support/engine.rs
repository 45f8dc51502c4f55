//! The engines, and databases on them.

use punchcard::config::{Flags, Settings};
use punchcard::secrets::ServerKey;
use punchcard::store::connect::{Role, connect};
use punchcard::store::{Db, migrate, person_keys, search_texts};
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
    /// Whether it is dropped at the end; if not, it goes with its whole server.
    #[cfg(feature = "mysql")]
    dropped: bool,
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
        Database::at(engine, url, dir)
    }

    /// A database with all tables on a MariaDB of the test's own; the address ends in `/`.
    #[cfg(feature = "mysql")]
    pub fn on_server(base: &str) -> Database {
        let url = mysql::create_on(base);
        let mut database = Database::at(Engine::Mysql, url, tempfile::tempdir().unwrap());
        database.dropped = false;
        migrate::run(&mut database.connect(Role::Migrator)).unwrap();
        database
    }

    fn at(engine: Engine, url: String, dir: tempfile::TempDir) -> Database {
        std::fs::write(dir.path().join("server.key"), "07".repeat(32)).unwrap();
        restrict(&dir.path().join("server.key"));
        Database {
            engine,
            url,
            dir,
            #[cfg(feature = "mysql")]
            dropped: true,
        }
    }

    /// A database with all tables.
    pub fn new(engine: Engine) -> Database {
        let database = Database::empty(engine);
        migrate::run(&mut database.connect(Role::Migrator)).unwrap();
        let db = &mut database.connect(Role::Writer);
        person_keys::fill(db).unwrap();
        search_texts::fill(db).unwrap();
        database
    }

    /// Settings for it: everything as by default but for what tests need to be quick.
    pub fn settings(&self, more: &[(&str, &str)]) -> Settings {
        let mut flags = Flags::default();
        let all = [
            ("database_url", self.url.as_str()),
            ("listen", "127.0.0.1:0"),
            ("config_max_age_ms", "10"),
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

    /// Waits until no other connection is left: a server that was killed may have left a transaction that MariaDB has
    /// yet to end, or a commit that it has yet to finish. SQLite leaves nothing behind.
    pub fn wait_until_alone(&self) {
        #[cfg(feature = "mysql")]
        if self.engine == Engine::Mysql {
            mysql::wait_until_alone(&self.url);
        }
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
        if self.engine == Engine::Mysql && self.dropped {
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

/// What is done to a MySQL server from outside.
#[cfg(feature = "mysql")]
pub mod mysql {
    use diesel::prelude::*;

    fn base() -> String {
        std::env::var("PUNCHCARD_TEST_MYSQL_URL").expect(
            "the tests of MariaDB need a server: run scripts/test, or scripts/lib/mariadb.sh cargo test --features mysql",
        )
    }

    fn connect(base: &str) -> MysqlConnection {
        MysqlConnection::establish(&format!("{base}mysql")).unwrap()
    }

    /// Runs a statement on a server; the address ends in `/`.
    pub fn execute(base: &str, sql: &str) {
        diesel::sql_query(sql).execute(&mut connect(base)).unwrap();
    }

    pub fn create() -> String {
        create_on(&base())
    }

    pub fn create_on(base: &str) -> String {
        let name = super::unique("punchcard_it").replace('-', "_");
        let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        execute(base, &sql);
        format!("{base}{name}")
    }

    pub fn drop(url: &str) {
        let name = url.rsplit('/').next().unwrap();
        execute(&base(), &format!("DROP DATABASE {name}"));
    }

    pub fn wait_until_alone(url: &str) {
        #[derive(QueryableByName)]
        struct Others {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            others: i64,
        }
        let (base, name) = url.split_at(url.rfind('/').unwrap() + 1);
        let mut conn = connect(base);
        for _ in 0..3000 {
            let found: Others = diesel::sql_query(format!(
                "SELECT COUNT(*) AS others FROM information_schema.processlist WHERE db = '{name}'"
            ))
            .get_result(&mut conn)
            .unwrap();
            if found.others == 0 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("connections of a dead server stay open");
    }
}
