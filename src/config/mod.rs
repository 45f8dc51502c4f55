//! The settings: one table of options, each with its name, type, default, range and meaning.
//!
//! Belongs here: the table, what must hold between options, and their listing. Does not belong here: where texts come
//! from (`layers`), how a text becomes a value ([`value`]), options of a single command (`cli`).
//!
//! An option is set, the later the stronger, by its default, a TOML file (`--config`, `PUNCHCARD_CONFIG`), a variable
//! (`PUNCHCARD_MAX_LINES`, or `PUNCHCARD_MAX_LINES_FILE` for the contents of a file) or, where the command has one, a
//! flag (`--listen`). A value that is wrong is an error even where a stronger one hides it.

pub mod database_url;
mod layers;
pub mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use database_url::{DatabaseUrl, Host, MysqlUrl};
pub use layers::{Flags, Source};
pub use value::{LogFilter, Seconds};

use crate::hooks::address::Allow;
use crate::secrets::{self, Secret};
use layers::Layers;
use value::{Range, Value};

/// One row of the table of options.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Its name in the file; upper-cased after `PUNCHCARD_` it is the variable, with `-` for `_` the flag.
    pub name: &'static str,
    /// The text of its default; empty: not set.
    pub default: &'static str,
    /// What it does, in one sentence or two, with its unit.
    pub doc: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
    /// The least and the greatest value, where it is a number.
    pub range: Range,
}

impl OptionInfo {
    /// The name of its environment variable.
    pub fn variable(&self) -> String {
        format!("{}{}", layers::PREFIX, self.name.to_ascii_uppercase())
    }

    /// Its flag, without the two hyphens.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

macro_rules! range {
    () => {
        None
    };
    ($least:literal $most:literal) => {
        Some(($least, $most))
    };
}

macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:literal $(in $least:literal..=$most:literal)?;)*) => {
        /// Every setting of the server, read and checked.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $type,)*
            sources: BTreeMap<&'static str, Source>,
        }

        /// All options, in the order of the table.
        pub const OPTIONS: &[OptionInfo] = &[$(OptionInfo {
            name: stringify!($name),
            default: $default,
            doc: concat!($($doc),+).trim_ascii(),
            secret: <$type as Value>::SECRET,
            range: range!($($least $most)?),
        },)*];

        impl Settings {
            fn read(layers: &Layers) -> Result<Settings, ConfigError> {
                Ok(Settings {
                    $($name: layers.value::<$type>(stringify!($name), $default, range!($($least $most)?))?,)*
                    sources: layers.sources(),
                })
            }

            /// Each option with its shown value, and whether that stands without quotes in TOML.
            fn shown(&self) -> Vec<(Option<String>, bool)> {
                vec![$((self.$name.show(), <$type as Value>::BARE),)*]
            }
        }
    };
}

options! {
    /// The IP address and port to listen on. Port 0 takes a free one.
    listen: SocketAddr = "127.0.0.1:8015";
    /// The database: sqlite:PATH or mysql://user:password@host:port/database, several hosts separated by commas.
    database_url: DatabaseUrl = "sqlite:punchcard.db";
    /// The password of the database's user. It replaces the one in database_url.
    database_password: Option<Secret> = "";
    /// The file with the server key, under which secrets are kept. Not set: beside the SQLite file, with the extension
    /// "key"; with MySQL it must be given, the same on all gateways.
    key_file: Option<PathBuf> = "";
    /// Whether to start on a database that may lose acknowledged postings when the power fails.
    unsafe_durability: bool = "false";
    /// The longest request body, in bytes.
    max_body_bytes: usize = "67108864" in 1024..=1073741824;
    /// The longest body of a JSON request, in bytes.
    max_json_body_bytes: usize = "5242880" in 1024..=67108864;
    /// The most fields of one request, query and body together.
    max_fields: usize = "2000" in 32..=100000;
    /// The most lines of one batch.
    max_lines: usize = "200000" in 1..=1000000;
    /// The longest line of a batch, in bytes.
    max_line_bytes: usize = "65536" in 256..=1048576;
    /// A batch with more lines than this is a large one: written by itself, one at a time.
    large_request_lines: usize = "5000" in 1..=1000000;
    /// The most lines of the small requests that share one commit.
    group_lines: usize = "20000" in 1..=1000000;
    /// The most requests that wait for one writer. One more is answered with 503.
    queue_requests: usize = "10000" in 1..=1000000;
    /// The most bytes of the requests that wait for one writer, and of all bodies that are arriving; at least
    /// max_body_bytes. Beyond, 503.
    queue_bytes: usize = "268435456" in 65536..=68719476736;
    /// How long a request may wait to be written, in milliseconds. Then it is answered with 503.
    queue_timeout_ms: u64 = "4000" in 1..=600000;
    /// The most codes of customers that each writer remembers, so that they need not be looked up.
    cached_codes: usize = "200000" in 0..=100000000;
    /// How long a large request may wait to be written, in milliseconds. Then it is answered with 503.
    large_queue_timeout_ms: u64 = "60000" in 1..=3600000;
    /// How long a request may be being written, in milliseconds; beyond, 503 with an unknown outcome.
    write_timeout_ms: u64 = "120000" in 100..=3600000;
    /// How long a lost database is tried again before those who wait get 503, in milliseconds.
    db_retry_ms: u64 = "3000" in 0..=600000;
    /// How old the accounts, users and campaigns that a reading request sees may be, in milliseconds.
    config_max_age_ms: u64 = "1000" in 0..=60000;
    /// Connections that write, on MySQL. SQLite always has one.
    writers: usize = "2" in 1..=64;
    /// Connections that only read.
    reader_connections: usize = "4" in 1..=256;
    /// Threads that read requests and write answers.
    http_workers: usize = "2" in 1..=256;
    /// How long a client may take to send the head of a request, in milliseconds.
    client_timeout_ms: u64 = "30000" in 10..=600000;
    /// How long a client may take to send the body of a request, in milliseconds.
    body_timeout_ms: u64 = "60000" in 10..=3600000;
    /// How long a client may take to receive an answer, in milliseconds. Then its connection is cut.
    reply_timeout_ms: u64 = "300000" in 1000..=3600000;
    /// How long a connection without a request is kept open, in seconds.
    keep_alive_s: u64 = "75" in 1..=3600;
    /// The most connections at a time, over all http_workers.
    max_connections: usize = "10000" in 1..=1000000;
    /// How long accepted requests are given to finish after SIGTERM, in seconds.
    shutdown_timeout_s: u64 = "60" in 1..=3600;
    /// The most refused lines of one account that wait to be looked at. Beyond, its batches and sales are refused.
    max_open_faults: u64 = "1000000" in 1..=1000000000;
    /// How long a refused line that waits to be looked at is kept, in days. Then its text goes, and it cannot be posted any more.
    open_fault_kept_days: u64 = "400" in 1..=3650;
    /// How long the text of a refused line is kept that was closed, or that is only a record, in days.
    closed_fault_kept_days: u64 = "90" in 1..=3650;
    /// How long the outcome of a request with an idempotency key is kept, in days.
    idempotency_kept_days: u64 = "30" in 1..=3650;
    /// Address ranges that webhooks may reach although they are not public: a list such as 10.0.0.0/8,fd00::/8.
    webhook_allow: Allow = "";
    /// Proxies whose X-Forwarded-For says where a request comes from: ranges, such as 10.0.0.0/8. Wrong keys and passwords are counted by it.
    trusted_proxies: Allow = "";
    /// The waits between the tries to send a webhook, in seconds: at most 20 numbers from 0 to 86400. Empty: one try only.
    webhook_retry_seconds: Seconds = "300,300,600,600,1800,3600,7200";
    /// How long one try to send a webhook may take, in milliseconds.
    webhook_timeout_ms: u64 = "15000" in 100..=120000;
    /// The name server that e-mail validation asks, as IP address and port. Not set: those of the system.
    dns_server: Option<SocketAddr> = "";
    /// How long e-mail validation waits for an answer of the name server, in milliseconds.
    dns_timeout_ms: u64 = "2000" in 10..=30000;
    /// How long a job of sync_data stays with a gateway that is not heard of, in milliseconds. Then another one takes it.
    lease_ms: u64 = "30000" in 500..=3600000;
    /// How often the database is asked for jobs and webhooks that are due, in milliseconds.
    worker_poll_ms: u64 = "500" in 10..=60000;
    /// How long the results of jobs, and webhooks with their tries, are kept, in days.
    job_kept_days: u64 = "90" in 1..=3650;
    /// How long it is kept what a batch of customers has changed, so that it can be undone, in days.
    undo_kept_days: u64 = "90" in 1..=3650;
    /// What to log: off, error, warn, info, debug or trace, or a list such as warn,punchcard=debug.
    log: LogFilter = "info";
}

/// A setting that is wrong. Says where it was given, its value (secrets masked) and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    place: String,
    wrong: String,
}

impl ConfigError {
    fn new(place: impl fmt::Display, wrong: impl fmt::Display) -> ConfigError {
        ConfigError {
            place: place.to_string(),
            wrong: wrong.to_string(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.wrong)
    }
}

impl std::error::Error for ConfigError {}

impl Settings {
    /// The settings of this process: defaults, then the file, the environment and `flags`. The second value holds
    /// warnings for the operator.
    ///
    /// # Errors
    /// The first wrong setting.
    pub fn load(flags: Flags) -> Result<(Settings, Vec<String>), ConfigError> {
        Settings::load_from(flags, std::env::vars_os())
    }

    /// As [`Settings::load`], with `variables` for the environment: for tests, and for whoever wants none.
    ///
    /// # Errors
    /// The first wrong setting.
    pub fn load_from(
        flags: Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(Settings, Vec<String>), ConfigError> {
        let mut layers = Layers::gather(flags, variables)?;
        let mut settings = Settings::read(&layers)?;
        let mut warnings = std::mem::take(&mut layers.warnings);
        settings.check(&mut warnings)?;
        if let (DatabaseUrl::Mysql(url), Some(password)) =
            (&mut settings.database_url, &settings.database_password)
        {
            url.password = Some(password.clone());
        }
        Ok((settings, warnings))
    }

    /// What must hold between options.
    fn check(&self, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
        if self.queue_bytes < self.max_body_bytes {
            let name = if self.source("queue_bytes") == &Source::Default {
                "max_body_bytes"
            } else {
                "queue_bytes"
            };
            return Err(ConfigError::new(
                self.source(name).place(name),
                format!(
                    "queue_bytes ({}) is less than max_body_bytes ({}), so that the longest request could never wait: give at least as much",
                    self.queue_bytes, self.max_body_bytes
                ),
            ));
        }
        if self.database_url.sqlite_path().is_some() {
            for name in ["database_password", "writers"] {
                let source = self.source(name);
                if source != &Source::Default {
                    warnings.push(format!(
                        "{}: it has no effect on SQLite",
                        source.place(name)
                    ));
                }
            }
        }
        Ok(())
    }

    /// Where the value of the option `name` comes from.
    pub fn source(&self, name: &str) -> &Source {
        self.sources.get(name).unwrap_or(&Source::Default)
    }

    /// The file with the server key: `key_file`, or its default beside the SQLite database.
    ///
    /// # Errors
    /// On MySQL it must be given, and also where the SQLite file itself has the extension `key`.
    pub fn key_path(&self) -> Result<PathBuf, ConfigError> {
        if let Some(path) = &self.key_file {
            return Ok(path.clone());
        }
        let wanted = "give the file with the server key by --key-file or PUNCHCARD_KEY_FILE";
        match self.database_url.sqlite_path() {
            Some(path) => secrets::default_key_path(path).ok_or_else(|| {
                ConfigError::new(
                    "key_file",
                    format!("the database itself has the extension \"key\": {wanted}"),
                )
            }),
            None => Err(ConfigError::new(
                "key_file",
                format!("with MySQL it has no default: {wanted}, the same on all gateways"),
            )),
        }
    }

    /// Every option with its meaning, its source and its value, secrets masked, in the form of a configuration file.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for (option, (value, bare)) in OPTIONS.iter().zip(self.shown()) {
            let name = option.name;
            let line = match value {
                None => format!("# {name} is not set"),
                // Not a line that could be taken over: it would set the password to three asterisks.
                Some(value) if option.secret => format!("# {name} = {value}"),
                Some(value) if bare => format!("{name} = {value}"),
                Some(value) => format!("{name} = {}", toml::Value::String(value)),
            };
            let gap = if out.is_empty() { "" } else { "\n" };
            out.push_str(&format!(
                "{gap}# {}\n# From {}.\n{line}\n",
                option.doc,
                self.source(name)
            ));
        }
        out
    }
}

#[cfg(test)]
mod tests;
