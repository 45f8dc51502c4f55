//! `punchcard rejections list|show|replay|dismiss`: the lines that were refused, for a person.

use super::text::{account_number, day, escaped};
use super::{Fail, look, replay, say};
use crate::config::Settings;
use crate::dates;
use crate::store::connect::{Role, connect};
use crate::store::{self, Db, rejections};
use clap::{Subcommand, ValueEnum};
use std::fmt::Write;

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// List refused lines, the oldest first.
    List {
        /// The id of the account.
        account: String,
        /// open: faults that can be mended; record: declines, kept for the record; all: both.
        #[arg(long, value_enum, default_value = "open")]
        state: State,
        /// The most lines to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Begin behind the rejection with this number.
        #[arg(long, default_value = "0", value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(0..))]
        after: i64,
    },
    /// Show all that is kept of one refused line.
    Show {
        /// The id of the account.
        account: String,
        /// The number of the rejection in its account.
        number: i64,
    },
    /// Post an open fault after all, mended or as it was sent, with its original date. Each at most once.
    Replay(replay::Words),
    /// Close an open fault that nobody will mend. What is kept of it stays.
    Dismiss {
        /// The id of the account.
        account: String,
        /// The number of the rejection in its account.
        number: i64,
    },
}

/// Which rejections to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum State {
    /// Faults that wait to be looked at.
    Open,
    /// Declines.
    Record,
    /// Every state.
    All,
}

impl State {
    /// The stored word; `None` for all.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            State::Open => Some("open"),
            State::Record => Some("record"),
            State::All => None,
        }
    }
}

/// Rejections read at a time.
const CHUNK: i64 = 1000;

/// Lists, shows or dismisses.
///
/// # Errors
/// No database, an account or a rejection that does not exist.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List {
            account,
            state,
            limit,
            after,
        } => list(&mut db, account, *state, i64::from(*limit), *after),
        Words::Show { account, number } => show(&mut db, account, *number),
        Words::Replay(words) => replay::run(settings, &mut db, words),
        Words::Dismiss { account, number } => {
            let id = account_number(&mut db, account)?;
            dismiss(
                &mut connect(&settings.database_url, Role::Writer)?,
                id,
                account,
                *number,
            )
        }
    }
}

/// The failure to find a rejection.
pub(super) fn unknown(account_id: &str, number: i64) -> Fail {
    let account = escaped(account_id);
    Fail::new(format!(
        "the account \"{account}\" has no rejection {number}: see punchcard rejections list {account} --state all"
    ))
}

fn dismiss(db: &mut Db, account: i32, account_id: &str, number: i64) -> Result<(), Fail> {
    match rejections::dismiss(db, account, number)?.as_deref() {
        Some("open") => {
            say(format_args!("rejection {number} is dismissed"));
            Ok(())
        }
        Some(state) => Err(Fail::new(format!(
            "rejection {number} is not open but {state}: only open ones can be dismissed"
        ))),
        None => Err(unknown(account_id, number)),
    }
}

fn list(db: &mut Db, account_id: &str, state: State, limit: i64, after: i64) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    let read = |after, wanted| rejections::list(db, account, state.word(), after, wanted);
    let any = print_rows((limit, after), read, |row| (row.number, short(row)))?;
    if !any {
        say(match state {
            State::Open => "no open rejections",
            _ => "no rejections",
        });
    }
    Ok(())
}

/// Prints rows behind the number `after`, at most `limit`, in the order of their numbers; `read` gives the next ones, at
/// most as many as it is told. Tells whether there was any.
pub(super) fn print_rows<T>(
    (limit, after): (i64, i64),
    mut read: impl FnMut(i64, i64) -> store::Result<Vec<T>>,
    shown: impl Fn(&T) -> (i64, String),
) -> Result<bool, Fail> {
    let mut last = after;
    let mut left = limit;
    loop {
        // One more than is to be printed tells whether there are more.
        let wanted = CHUNK.min(left.saturating_add(1));
        let rows = read(last, wanted)?;
        for row in &rows {
            if left == 0 {
                say(format_args!(
                    "there are more: add --after {last}, or raise --limit"
                ));
                return Ok(true);
            }
            let (number, text) = shown(row);
            say(text);
            last = number;
            left = left.saturating_sub(1);
        }
        if i64::try_from(rows.len()).unwrap_or(0) < wanted {
            return Ok(left < limit);
        }
    }
}

fn short(row: &rejections::Listed) -> String {
    let mut out = format!("{} {} {}", row.number, row.state, row.class);
    if let Some(batch) = row.batch {
        let _ = write!(out, " batch {batch}");
    }
    if let Some(brand) = &row.brand {
        let _ = write!(out, " brand {}", escaped(brand));
    }
    if let Some(line) = row.line {
        let _ = write!(out, " line {line}");
    }
    let _ = write!(out, " {}", row.code);
    if let Some(reason) = &row.reason {
        let _ = write!(out, ": {}", escaped(reason));
    }
    out
}

fn show(db: &mut Db, account_id: &str, number: i64) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    let found = rejections::show(db, account, number)?;
    print_whole(
        account_id,
        &found.ok_or_else(|| unknown(account_id, number))?,
    );
    Ok(())
}

/// Prints all that is kept of a refused line.
pub(super) fn print_whole(account_id: &str, found: &rejections::Whole) {
    let row = &found.rejection;
    let text = |value: &Option<String>| value.as_deref().map(escaped);
    let lines = [
        ("rejection", Some(row.number.to_string())),
        ("account", Some(escaped(account_id))),
        ("state", Some(row.state.clone())),
        ("became batch", found.became.map(|batch| batch.to_string())),
        ("class", Some(row.class.clone())),
        ("recorded", Some(dates::stamp(row.recorded_at))),
        ("source", Some(row.source.clone())),
        ("user", text(&found.user_id)),
        ("brand", text(&found.brand_id)),
        ("batch", row.batch.map(|batch| batch.to_string())),
        ("line", row.line.map(|line| line.to_string())),
        ("effective date", row.effective_date.map(day)),
        ("code", Some(row.code.clone())),
        ("column", text(&row.field)),
        ("value", text(&row.value)),
        ("reason", text(&row.reason)),
        ("remedy", text(&row.remedy)),
        ("as sent", text(&row.raw)),
        ("read with", text(&found.layout)),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            say(format_args!("{name:<15} {value}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_line_says_where_and_why() {
        let row = rejections::Listed {
            number: 7,
            state: "open".to_owned(),
            class: "fault".to_owned(),
            batch: Some(3),
            line: Some(2),
            code: "bad_date".to_owned(),
            reason: Some("The date \"x\n\" cannot be read".to_owned()),
            brand: None,
        };
        assert_eq!(
            short(&row),
            "7 open fault batch 3 line 2 bad_date: The date \"x\\n\" cannot be read"
        );
        let of_brand = rejections::Listed {
            batch: None,
            brand: Some("madrid".to_owned()),
            reason: None,
            ..row
        };
        assert_eq!(
            short(&of_brand),
            "7 open fault brand madrid line 2 bad_date"
        );
    }
}
