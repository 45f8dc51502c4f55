//! The command line: what the words and flags are, and what each command has in common with the others.
//!
//! Belongs here: the grammar of the command line, errors and exit codes, printing. Each command is a file of its own.
//! Does not belong here: what settings mean ([`crate::config`]), rules, SQL.
//!
//! A command prints its result to stdout. Warnings and errors go to stderr. Exit codes: 0 it was done, 1 it was not,
//! 2 the command line cannot be read.

pub mod apply;
pub mod batches;
pub mod check_config;
pub mod credits;
pub mod demo;
pub mod jobs;
pub mod migrate;
pub mod open;
pub mod outbox;
mod posting;
pub mod rejections;
mod replay;
pub mod sales;
pub mod serve;
mod text;
pub mod verify;

pub use open::{Opened, look, open};

use crate::config::{DatabaseUrl, Flags, OPTIONS, Settings, Source};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The file `demo` works on when no database is named: never the one of `serve`.
const DEMO_DATABASE: &str = "punchcard-demo.db";

/// Why a command was not done: a sentence for a person, with the remedy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fail(String);

impl Fail {
    /// A failure with this text, without a leading `error:`.
    pub fn new(text: impl Into<String>) -> Fail {
        Fail(text.into())
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every error with a text becomes a failure with that text. `Fail` itself is therefore no `std::error::Error`.
impl<E: std::error::Error> From<E> for Fail {
    fn from(error: E) -> Fail {
        Fail(error.to_string())
    }
}

/// A gateway that keeps old loyalty clients working.
#[derive(Parser)]
#[command(name = "punchcard", version, arg_required_else_help = true)]
struct Words {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes, before or after its own words.
#[derive(Args)]
struct Common {
    #[arg(long, global = true, value_name = "URL", help = doc("database_url"))]
    database_url: Option<String>,
    /// The configuration file, in TOML. Not given: the one that PUNCHCARD_CONFIG names, if any.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE", help = doc("key_file"))]
    key_file: Option<String>,
}

/// What only the commands that serve take.
#[derive(Args)]
struct Serving {
    #[arg(long, value_name = "ADDR:PORT", help = doc("listen"))]
    listen: Option<String>,
    #[arg(long, help = doc("unsafe_durability"))]
    unsafe_durability: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(Serving),
    /// Run the server on an example world in a database of its own, and show how to post to it.
    Demo(Serving),
    /// Bring the accounts, campaigns and customers of a world file about. Applied twice, it changes nothing.
    Apply {
        /// The world file, in TOML.
        file: PathBuf,
    },
    /// Bring the tables up to date.
    Migrate,
    /// Recompute every balance from the journal and check all invariants.
    Verify {
        /// Only this account, by its id.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Read the settings and print each with its meaning, source and value, secrets masked.
    CheckConfig,
    /// Look at the lines that were refused, and post them after all.
    #[command(subcommand)]
    Rejections(rejections::Words),
    /// Look at the batches that were posted, and undo them.
    #[command(subcommand)]
    Batches(batches::Words),
    /// Look at the requests of sync_data and what came of their contacts.
    #[command(subcommand)]
    Jobs(jobs::Words),
    /// Look at webhooks and their tries, and have one sent again.
    #[command(subcommand)]
    Outbox(outbox::Words),
    /// Look at the sales that found no customer, and give them to one.
    #[command(subcommand)]
    Sales(sales::Words),
    /// Give, take and list credits for e-mail validation.
    #[command(subcommand)]
    Credits(credits::Words),
}

/// The table's text about an option.
fn doc(name: &str) -> &'static str {
    OPTIONS
        .iter()
        .find(|option| option.name == name)
        .map_or("", |option| option.doc)
}

/// Runs the command that `args` (the program's name first) ask for.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = match Words::try_parse_from(args) {
        Ok(words) => words,
        Err(error) => {
            // Help and version are "errors" too; those go to stdout with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            complain("error", &fail);
            ExitCode::FAILURE
        }
    }
}

fn run(words: Words) -> Result<(), Fail> {
    let mut flags = Flags::default()
        .config(words.common.config)
        .set("database_url", words.common.database_url)
        .set("key_file", words.common.key_file);
    if let Command::Serve(serving) | Command::Demo(serving) = &words.command {
        let unsafe_durability = serving.unsafe_durability.then(|| "true".to_owned());
        flags = flags
            .set("listen", serving.listen.clone())
            .set("unsafe_durability", unsafe_durability);
    }
    let (mut settings, warnings) = Settings::load(flags)?;
    match words.command {
        // These log their warnings.
        Command::Serve(_) => serve::run(settings, warnings),
        Command::Demo(_) => {
            if settings.source("database_url") == &Source::Default {
                settings.database_url = DatabaseUrl::Sqlite(DEMO_DATABASE.into());
            }
            demo::run(settings, warnings)
        }
        command => {
            for warning in &warnings {
                complain("warning", warning);
            }
            match command {
                Command::Apply { file } => apply::run(&settings, &file),
                Command::Migrate => migrate::run(&settings),
                Command::Verify { account } => verify::run(&settings, account.as_deref()),
                Command::Rejections(words) => rejections::run(&settings, &words),
                Command::Batches(words) => batches::run(&settings, &words),
                Command::Jobs(words) => jobs::run(&settings, &words),
                Command::Outbox(words) => outbox::run(&settings, &words),
                Command::Sales(words) => sales::run(&settings, &words),
                Command::Credits(words) => credits::run(&settings, &words),
                _ => check_config::run(&settings),
            }
        }
    }
}

/// Prints one line (or several) to stdout. A reader that went away (`| head`) is no error of ours: unlike `println!`,
/// this does not panic.
pub fn say(text: impl fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints `kind: text` to stderr.
pub fn complain(kind: &str, text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{kind}: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Words::command().debug_assert();
    }

    #[test]
    fn common_flags_stand_before_or_after_the_command() {
        for line in [
            "punchcard --database-url sqlite:a.db --key-file k rejections list shop",
            "punchcard rejections --key-file k list shop --database-url sqlite:a.db",
        ] {
            let words = Words::try_parse_from(line.split(' ')).ok().unwrap();
            assert_eq!(words.common.database_url.as_deref(), Some("sqlite:a.db"));
            assert_eq!(words.common.key_file.as_deref(), Some("k"));
        }
    }

    #[test]
    fn credits_may_be_taken() {
        let line = "punchcard credits add shop -5 --note mistake";
        assert!(Words::try_parse_from(line.split(' ')).is_ok());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "punchcard",
            "punchcard sing",
            "punchcard apply",
            "punchcard apply a.toml --listen 127.0.0.1:0",
            "punchcard rejections list shop --state closed",
            "punchcard credits add shop 0 --note why",
            "punchcard credits add shop 5",
            "punchcard outbox list --state open",
            "punchcard outbox retry",
            "punchcard jobs list shop --state done",
            "punchcard sales assign shop 1",
            "punchcard sales assign shop 1 7 --code 12121",
            "punchcard sales assign shop 1 7 --set match_key=8",
        ] {
            assert!(Words::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
