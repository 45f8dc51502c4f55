//! `punchcard credits add|list`: credits for e-mail validation, for a person.

use super::posting::Session;
use super::text::{account_number, counted, escaped};
use super::{Fail, look, say};
use crate::config::Settings;
use crate::dates;
use crate::loyalty::sync::credit::{AddCredits, CreditEntry};
use crate::posting::Poster;
use crate::store::{Db, credits, sync_heads};
use clap::Subcommand;

/// Characters that a note may have.
const MAX_NOTE: usize = 255;
/// The most credits that are given or taken at once.
const MOST: i64 = 1_000_000_000_000;

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// Give credits to an account that has a limited number of them; a number below zero takes some.
    Add {
        /// The id of the account.
        account: String,
        /// How many.
        #[arg(allow_negative_numbers = true, value_parser = amount)]
        amount: i64,
        /// Why, for whoever reads the list later.
        #[arg(long, value_name = "TEXT", value_parser = note)]
        note: String,
    },
    /// Show what is left, and list what was given and spent, the newest first.
    List {
        /// The id of the account.
        account: String,
        /// The most entries to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
    },
}

/// Reads how many.
fn amount(text: &str) -> Result<i64, String> {
    let amount: Option<i64> = text.parse().ok();
    amount
        .filter(|amount| *amount != 0 && (-MOST..=MOST).contains(amount))
        .ok_or_else(|| format!("write a whole number from -{MOST} to {MOST} that is not 0"))
}

/// Reads why.
fn note(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NOTE || text.contains(char::is_control) {
        return Err(format!("write 1 to {MAX_NOTE} characters, in one line"));
    }
    Ok(text.to_owned())
}

/// Gives, takes or lists.
///
/// # Errors
/// No database, an account that does not exist or has credits without limit, more taken than there are.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::Add {
            account,
            amount,
            note,
        } => {
            let number = account_number(&mut db, account)?;
            let session = Session::start(settings, number)?;
            let left = session.run(async |poster: &Poster| {
                let add = AddCredits {
                    account: number,
                    amount: *amount,
                    note: note.clone(),
                };
                poster.add_credits(add).await
            })?;
            say(format_args!(
                "account {}: {amount:+}, {} left",
                escaped(account),
                counted(left, "credit", "credits")
            ));
            Ok(())
        }
        Words::List { account, limit } => list(&mut db, account, i64::from(*limit)),
    }
}

fn list(db: &mut Db, account_id: &str, limit: i64) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    say(match sync_heads::read(db, account)?.credits {
        Some(left) => format!("{} left", counted(left, "credit", "credits")),
        None => "credits without limit".to_owned(),
    });
    // One more than is to be printed tells whether there are more.
    let entries = credits::list(db, account, limit.saturating_add(1))?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    for entry in entries.iter().take(shown) {
        say(short(entry));
    }
    if entries.len() > shown {
        say("there are more: raise --limit");
    }
    Ok(())
}

fn short(entry: &CreditEntry) -> String {
    let mut out = format!(
        "{} {} {} {:+}, {} left",
        entry.number,
        dates::stamp(entry.recorded_at),
        entry.kind,
        entry.amount,
        entry.balance_after
    );
    if let Some(job) = entry.job {
        out.push_str(&format!(", by job number {job}"));
    }
    if let Some(note) = entry.note.as_deref().filter(|note| !note.is_empty()) {
        out.push_str(&format!(": {}", escaped(note)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_and_not_nothing() {
        assert_eq!(
            (amount("5"), amount("-5"), amount("+5")),
            (Ok(5), Ok(-5), Ok(5))
        );
        for wrong in [
            "0",
            "-0",
            "",
            "1.5",
            "1e3",
            "x",
            "9999999999999",
            "99999999999999999999",
        ] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn notes_are_one_line() {
        assert_eq!(note(" paid in May "), Ok("paid in May".to_owned()));
        assert!(note(&"ü".repeat(255)).is_ok());
        for wrong in ["", "  ", "a\nb", &"a".repeat(256)] {
            assert!(note(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_entry_says_who_spent_it_or_why_it_came() {
        let entry = CreditEntry {
            number: 3,
            kind: "spent".to_owned(),
            amount: -12,
            balance_after: 88,
            job: Some(7),
            note: None,
            recorded_at: 0,
        };
        assert_eq!(
            short(&entry),
            "3 1970-01-01 00:00:00 UTC spent -12, 88 left, by job number 7"
        );
        let entry = CreditEntry {
            kind: "added".to_owned(),
            amount: 50,
            job: None,
            note: Some("paid\u{1b}".to_owned()),
            ..entry
        };
        assert_eq!(
            short(&entry),
            "3 1970-01-01 00:00:00 UTC added +50, 88 left: paid\\u{1b}"
        );
    }
}
