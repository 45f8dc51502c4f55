//! `punchcard batches list|show|undo`: what was posted, for a person.

use super::posting::{self, Session};
use super::text::{account_number, counted, escaped};
use super::{Fail, look, say};
use crate::amount::Amount;
use crate::config::Settings;
use crate::dates;
use crate::loyalty::account::Account;
use crate::loyalty::undo::{Effect, Undo, Undone};
use crate::store::batches::{self, Listed, Wanted};
use crate::store::{Db, accounts, journal};
use clap::{Args, Subcommand};
use std::collections::{HashMap, HashSet};

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// List batches, the newest first.
    List {
        /// The id of the account; not needed with --commit.
        #[arg(required_unless_present = "commit")]
        account: Option<String>,
        /// Only batches that were sent as ones that can be undone.
        #[arg(long)]
        undoable: bool,
        /// Only what the commit with this reference stored: it tells what became of a request whose answer was
        /// "outcome unknown".
        #[arg(long, value_name = "HEX", value_parser = reference)]
        commit: Option<[u8; 16]>,
        /// The most batches to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Begin below the batch with this number.
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// Show what is kept of one batch, and what it changed.
    Show {
        /// The id of the account.
        account: String,
        /// The number of the batch in its account.
        number: i64,
    },
    /// Show who would gain and who would lose if a batch were undone; with --yes, undo it.
    Undo(UndoWords),
}

/// What can be said about an undoing.
#[derive(Args)]
pub struct UndoWords {
    /// The id of the account.
    account: String,
    /// The number of the batch in its account.
    number: i64,
    /// Do it: write the opposite of each entry, in one commit.
    #[arg(long)]
    yes: bool,
    /// Leave out customers who have spent what the batch gave them, instead of undoing nothing.
    #[arg(long)]
    skip_blocked: bool,
    /// Undo it although it was not sent as one that can be undone.
    #[arg(long)]
    force: bool,
    /// The most balances to print.
    #[arg(long, default_value = "1000")]
    limit: usize,
}

/// Reads the reference of a commit.
fn reference(text: &str) -> Result<[u8; 16], String> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| "a reference has 32 hexadecimal digits".to_owned())?;
    Ok(bytes)
}

/// Lists, shows or undoes.
///
/// # Errors
/// No database, an account or a batch that does not exist, a batch that cannot be undone.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List {
            account,
            undoable,
            commit,
            limit,
            before,
        } => {
            let account = account
                .as_deref()
                .map(|id| account_number(&mut db, id))
                .transpose()?;
            let wanted = Wanted {
                account,
                before: *before,
                commit: commit.as_ref().map(<[u8; 16]>::as_slice),
                undoable: *undoable,
                number: None,
            };
            list(&mut db, &wanted, i64::from(*limit))
        }
        Words::Show { account, number } => show(&mut db, account, *number),
        Words::Undo(words) => undo(settings, &mut db, words),
    }
}

fn list(db: &mut Db, wanted: &Wanted<'_>, limit: i64) -> Result<(), Fail> {
    // One more than is to be printed tells whether there are more.
    let mut rows = batches::list(db, wanted, limit.saturating_add(1))?;
    let more = i64::try_from(rows.len()).unwrap_or(0) > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    for row in &rows {
        let account = match wanted.account {
            Some(account) => account,
            None => account_number(db, &row.account_id)?,
        };
        let undone = batches::reversed(db, account, row)?;
        let of = match wanted.account {
            Some(_) => String::new(),
            None => format!("{} ", escaped(&row.account_id)),
        };
        say(format_args!("{of}{}", short(row, undone)));
    }
    match rows.last() {
        Some(last) if more => say(format_args!(
            "there are more: add --before {}, or raise --limit",
            last.number
        )),
        None if wanted.commit.is_some() => say(
            "no batch has this reference: what was asked for with it was not posted, and can be sent again",
        ),
        None => say("no batches"),
        Some(_) => {}
    }
    Ok(())
}

fn short(row: &Listed, undone: i64) -> String {
    let mut parts = vec![counted(
        i64::from(row.transactions),
        "transaction",
        "transactions",
    )];
    if row.rejected > 0 {
        parts.push(format!("{} rejected", row.rejected));
    }
    if row.new_customers > 0 {
        parts.push(counted(
            i64::from(row.new_customers),
            "new customer",
            "new customers",
        ));
    }
    if undone > 0 && undone == i64::from(row.transactions) {
        parts.push("undone".to_owned());
    } else if undone > 0 {
        parts.push(format!("{undone} undone"));
    } else if row.undoable {
        parts.push("can be undone".to_owned());
    }
    format!(
        "{} {} by {}: {}",
        row.number,
        dates::stamp(row.recorded_at),
        escaped(&row.user_id),
        parts.join(", ")
    )
}

fn unknown(account_id: &str, number: i64) -> Fail {
    let account = escaped(account_id);
    Fail::new(format!(
        "the account \"{account}\" has no batch {number}: see punchcard batches list {account}"
    ))
}

fn show(db: &mut Db, account_id: &str, number: i64) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    let wanted = Wanted {
        account: Some(account),
        number: Some(number),
        ..Wanted::default()
    };
    let found = batches::list(db, &wanted, 1)?.pop();
    let row = found.ok_or_else(|| unknown(account_id, number))?;
    let account = accounts::load(db, account)?.ok_or_else(|| unknown(account_id, number))?;
    let undone = batches::reversed(db, account.number, &row)?;
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for (name, value) in [
        ("batch", row.number.to_string()),
        ("account", escaped(account_id)),
        ("user", escaped(&row.user_id)),
        ("recorded", dates::stamp(row.recorded_at)),
        ("commit", hex::encode(&row.commit_id)),
        ("transactions", row.transactions.to_string()),
        ("rejected", row.rejected.to_string()),
        ("new customers", row.new_customers.to_string()),
        ("can be undone", yes(row.undoable)),
        ("undone", undone.to_string()),
    ] {
        say(format_args!("{name:<15} {value}"));
    }
    for (id, total) in batches::totals(db, &account, &row)? {
        let digits = account
            .find_campaign(&id)
            .and_then(|index| account.campaign(index))
            .map_or(0, |campaign| campaign.digits);
        let entries = i64::try_from(total.entries).unwrap_or(i64::MAX);
        say(format_args!(
            "campaign {}: {}, added {}, taken {}",
            escaped(&id),
            counted(entries, "transaction", "transactions"),
            total.added.text(digits),
            positive(total.taken).text(digits)
        ));
    }
    Ok(())
}

fn positive(amount: Amount) -> Amount {
    Amount::from_raw(amount.raw().saturating_abs())
}

fn undo(settings: &Settings, db: &mut Db, words: &UndoWords) -> Result<(), Fail> {
    let account = account_number(db, &words.account)?;
    let session = Session::start(settings, account)?;
    let make = || Undo {
        account,
        batch: words.number,
        skip_blocked: words.skip_blocked,
        even_unlisted: words.force,
        found: None,
    };
    let foretold = session.run(async |poster| poster.rehearse_undo(make()).await)?;
    print(db, &session.account, &foretold, words.limit)?;
    if !words.yes {
        say("Nothing was changed. Add --yes to undo it.");
        return Ok(());
    }
    let undone = session.run(async |poster| poster.undo(make()).await)?;
    if let Some(problem) = &undone.refused {
        return Err(posting::fail(problem));
    }
    if undone.reversed == 0 {
        return Err(Fail::new(
            "nothing was undone: every customer of the batch is in the way",
        ));
    }
    say(format_args!(
        "Undone: {} reversed{}.",
        counted(count(undone.reversed), "transaction", "transactions"),
        if undone.left > 0 {
            format!(", {} left", undone.left)
        } else {
            String::new()
        }
    ));
    Ok(())
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Prints what undoing does to each balance, then a summary.
fn print(db: &mut Db, account: &Account, undone: &Undone, limit: usize) -> Result<(), Fail> {
    // Who is in the way matters most, and must not fall behind the limit.
    let mut effects: Vec<&Effect> = undone.effects.iter().collect();
    effects.sort_by_key(|effect| effect.blocked.is_none());
    let shown = effects.get(..limit.min(effects.len())).unwrap_or_default();
    let customers: Vec<i64> = shown.iter().map(|effect| effect.key.customer).collect();
    let codes = journal::codes(db, account.number, &customers)?;
    for effect in shown {
        say(line(account, &codes, effect));
    }
    if effects.len() > shown.len() {
        say(format_args!(
            "and {} more: raise --limit to see them",
            effects.len().saturating_sub(shown.len())
        ));
    }
    let who = |of: &dyn Fn(&Effect) -> bool| {
        let customers: HashSet<i64> = undone
            .effects
            .iter()
            .filter(|effect| of(effect))
            .map(|effect| effect.key.customer)
            .collect();
        count(customers.len())
    };
    say(format_args!(
        "batch {}: {} to reverse; {}, {}, {}",
        undone.batch,
        counted(
            count(undone.reversed.saturating_add(undone.left)),
            "transaction",
            "transactions"
        ),
        counted(
            who(&|effect| effect.after > effect.before),
            "customer gains",
            "customers gain"
        ),
        counted(who(&|effect| effect.after < effect.before), "loses", "lose"),
        counted(
            who(&|effect| effect.blocked.is_some()),
            "is in the way",
            "are in the way"
        ),
    ));
    if undone.effects.iter().any(|effect| effect.blocked.is_some()) {
        say(if undone.refused.is_some() {
            "With customers in the way nothing is undone. Add --skip-blocked to undo it for all others."
        } else {
            "Customers in the way keep all that the batch gave and took."
        });
    }
    Ok(())
}

fn line(account: &Account, codes: &HashMap<i64, String>, effect: &Effect) -> String {
    let campaign = account.campaign_by_number(effect.key.campaign);
    let digits = campaign.map_or(0, |campaign| campaign.digits);
    let id = campaign.map_or("", |campaign| campaign.id.as_str());
    let item = campaign.and_then(|campaign| {
        let item = campaign
            .items
            .iter()
            .find(|item| item.number == effect.key.item)?;
        Some(format!(" item {}", escaped(&item.id)))
    });
    let word = match &effect.blocked {
        Some(_) => "in the way",
        None if effect.after > effect.before => "gains",
        None if effect.after < effect.before => "loses",
        None => "keeps",
    };
    let code = codes.get(&effect.key.customer);
    let code = code.map_or_else(|| effect.key.customer.to_string(), |code| escaped(code));
    let mut line = format!(
        "{word:<10} {code} {}{}: {} -> {}",
        escaped(id),
        item.unwrap_or_default(),
        effect.before.text(digits),
        effect.after.text(digits)
    );
    if let Some(problem) = &effect.blocked {
        line.push_str(": ");
        line.push_str(&escaped(&problem.message()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_sixteen_bytes() {
        assert_eq!(reference(&"0f".repeat(16)), Ok([15; 16]));
        for bad in ["", "0f", "zz", &"0f".repeat(17)] {
            assert!(reference(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_listed_batch_says_what_became_of_it() {
        let row = Listed {
            account_id: "shop".to_owned(),
            number: 7,
            user_id: "till\u{1b}".to_owned(),
            recorded_at: 0,
            first_entry: 1,
            transactions: 3,
            rejected: 1,
            new_customers: 1,
            undoable: true,
            commit_id: vec![0; 16],
        };
        let head =
            "7 1970-01-01 00:00:00 UTC by till\\u{1b}: 3 transactions, 1 rejected, 1 new customer";
        assert_eq!(short(&row, 0), format!("{head}, can be undone"));
        assert_eq!(short(&row, 2), format!("{head}, 2 undone"));
        assert_eq!(short(&row, 3), format!("{head}, undone"));
    }
}
