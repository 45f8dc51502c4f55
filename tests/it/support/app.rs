//! A running server, shared by the tests of an engine, and shops on it: each test has an account of its own.

use super::client::{self, Encoding, Reply};
use super::engine::{Database, Engine, server_key, unique};
use punchcard::outbox::Outside;
use punchcard::server::{self, Running};
use punchcard::store::Db;
use punchcard::store::connect::Role;
use punchcard::store::world as stored;
use punchcard::world::{self, World};
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A server with its database.
pub struct App {
    pub address: SocketAddr,
    pub database: Database,
    running: Mutex<Option<Running>>,
}

impl App {
    /// The server that all tests of an engine share; it lives as long as the test run.
    pub fn shared(engine: Engine) -> &'static App {
        static SQLITE: OnceLock<App> = OnceLock::new();
        #[cfg(feature = "mysql")]
        static MYSQL: OnceLock<App> = OnceLock::new();
        match engine {
            Engine::Sqlite => SQLITE.get_or_init(|| App::start(engine, &[])),
            #[cfg(feature = "mysql")]
            Engine::Mysql => MYSQL.get_or_init(|| App::start(engine, &[])),
        }
    }

    /// A server of its own, with settings of its own.
    pub fn start(engine: Engine, settings: &[(&str, &str)]) -> App {
        App::on(Database::new(engine), settings)
    }

    /// A server on a database that exists.
    pub fn on(database: Database, settings: &[(&str, &str)]) -> App {
        App::beyond(database, settings, Outside::system())
    }

    /// As [`App::on`], with an outside of the test's own.
    pub fn beyond(database: Database, settings: &[(&str, &str)], outside: Outside) -> App {
        let mut all = vec![("trusted_proxies", "127.0.0.0/8")];
        all.extend_from_slice(settings);
        let settings = database.settings(&all);
        let running = server::start_with(&settings, server_key(), outside).unwrap();
        App {
            address: running.address,
            database,
            running: Mutex::new(Some(running)),
        }
    }

    /// Ends the server: what was accepted is finished. Gives back the database.
    pub fn stop(self) -> Database {
        self.running.lock().unwrap().take().unwrap().stop().unwrap();
        self.database
    }

    pub fn db(&self) -> Db {
        self.database.connect(Role::Reader)
    }

    /// An account of its own, made from a world text in which `{account}`, `{user}` and `{key}` stand for its names.
    pub fn shop(&self, text: &str) -> Shop<'_> {
        let shop = Shop {
            app: self,
            account: unique("account"),
            user: unique("user"),
            key: unique("key"),
            path: "/api.php".to_owned(),
        };
        shop.apply(text);
        shop
    }
}

/// The world that most tests use.
pub const WORLD: &str = include_str!("world.toml");

/// An account on a server, and its user.
pub struct Shop<'a> {
    pub app: &'a App,
    pub account: String,
    pub user: String,
    pub key: String,
    pub path: String,
}

impl Shop<'_> {
    /// Puts the shop's names into a text.
    pub fn named(&self, text: &str) -> String {
        text.replace("{account}", &self.account)
            .replace("{user}", &self.user)
            .replace("{key}", &self.key)
    }

    /// Takes the shop's names out of a text.
    pub fn unnamed(&self, text: &str) -> String {
        text.replace(&self.account, "{account}")
            .replace(&self.user, "{user}")
            .replace(&self.key, "{key}")
    }

    /// Applies a world text, as the command does, and waits until the server knows it.
    pub fn apply(&self, text: &str) {
        let world = world::read(&self.named(text), chrono::Utc::now()).unwrap();
        let db = &mut self.app.database.connect(Role::Writer);
        stored::apply(db, &server_key(), &world, &mut stored::Report::default()).unwrap();
        self.wait_until_known(&world);
    }

    /// The server reads the configuration again from time to time: waits until it knows all users of the file.
    fn wait_until_known(&self, world: &World) {
        let began = Instant::now();
        for account in &world.accounts {
            for user in account.users.iter().filter(|user| user.api_key.is_some()) {
                let key = user.api_key.as_ref().unwrap();
                let all = fields(&[
                    ("user_id", &user.id),
                    ("user_api_key", key.expose()),
                    ("account_id", &account.id),
                    ("type", "none"),
                ]);
                // Until then the key is a wrong one: that must not be counted for those who send one on purpose.
                let elsewhere = fields(&[("X-Forwarded-For", "10.9.9.9")]);
                while !self
                    .send(Encoding::Urlencoded, &elsewhere, &all)
                    .body
                    .contains("Unknown request type")
                {
                    assert!(
                        began.elapsed() < Duration::from_secs(30),
                        "{} stays unknown",
                        account.id
                    );
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    /// The fields that every request of the current generation carries.
    pub fn common(&self) -> Vec<(String, String)> {
        fields(&[
            ("API", "1.5"),
            ("user_id", &self.user),
            ("user_api_key", &self.key),
            ("account_id", &self.account),
            ("type", "batch_transactions"),
        ])
    }

    /// Posts a request of this type as another user of the account.
    pub fn post_as(&self, user: &str, key: &str, call: &str, more: &[(&str, &str)]) -> Reply {
        let who = [("user_id", user), ("user_api_key", key), ("type", call)];
        self.post(&[&who[..], more].concat())
    }

    /// Posts fields, the common ones first.
    pub fn post(&self, more: &[(&str, &str)]) -> Reply {
        let mut all = self.common();
        all.extend(fields(more));
        self.send(Encoding::Urlencoded, &[], &all)
    }

    /// Sends exactly these fields.
    pub fn send(
        &self,
        encoding: Encoding,
        headers: &[(String, String)],
        all: &[(String, String)],
    ) -> Reply {
        client::exchange(
            self.app.address,
            &client::request(&self.path, encoding, headers, all),
        )
    }

    /// Posts lines with the columns campaign_id, code, redeemed, amount, date, authorization.
    pub fn lines(&self, data: &str) -> Reply {
        self.post(&[&COLUMNS[..], &[("Visits_Data", data)]].concat())
    }
}

/// The columns of [`Shop::lines`].
pub const COLUMNS: [(&str, &str); 7] = [
    ("delimiter", "pipe"),
    ("visits_header_1", "campaign_id"),
    ("visits_header_2", "code"),
    ("visits_header_3", "redeemed"),
    ("visits_header_4", "amount"),
    ("visits_header_5", "date"),
    ("visits_header_6", "authorization"),
];

/// Owned pairs.
pub fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
