//! `punchcard batches list|show|undo`: what was posted, for a person.

use super::posting::{self, Session};
use super::text::{account_number, counted, escaped};
use super::{Fail, look, say};
use crate::amount::Amount;
use crate::config::Settings;
use crate::dates;
use crate::loyalty::account::Account;
use crate::loyalty::customers::undo::{PersonEffect, PersonUndone, Stays};
use crate::loyalty::undo::{Effect, Undo, Undone};
use crate::store::batches::{self, Listed, Wanted};
use crate::store::{Db, accounts, heads, journal, rejections};
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
        #[arg(long, value_name = "HEX", value_parser = reference,
            conflicts_with_all = ["account", "undoable", "limit", "before"])]
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

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// Lists, shows or undoes.
///
/// # Errors
/// No database, an account or a batch that does not exist, a batch that cannot be undone.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List {
            commit: Some(commit),
            ..
        } => list_commit(&mut db, commit),
        Words::List {
            account,
            undoable,
            limit,
            before,
            ..
        } => {
            let account = account_number(&mut db, account.as_deref().unwrap_or(""))?;
            let wanted = Wanted {
                before: *before,
                undoable: *undoable,
                ..Wanted::default()
            };
            list(&mut db, account, &wanted, i64::from(*limit))
        }
        Words::Show { account, number } => show(&mut db, account, *number),
        Words::Undo(words) => undo(settings, &mut db, words),
    }
}

/// Batches read at a time.
const CHUNK: i64 = 1000;

fn list(db: &mut Db, account: i32, wanted: &Wanted<'_>, limit: i64) -> Result<(), Fail> {
    let (mut left, mut before) = (limit, wanted.before);
    loop {
        // One more than is to be printed tells whether there are more.
        let size = CHUNK.min(left.saturating_add(1));
        let wanted = Wanted {
            account: Some(account),
            before,
            ..*wanted
        };
        let rows = batches::list(db, &wanted, size)?;
        let undone = batches::reversed(db, &rows)?;
        for row in &rows {
            if let (0, Some(last)) = (left, before) {
                say(format_args!(
                    "there are more: add --before {last}, or raise --limit"
                ));
                return Ok(());
            }
            say(short(row, &undone));
            before = Some(row.number);
            left = left.saturating_sub(1);
        }
        if i64::try_from(rows.len()).unwrap_or(0) < size {
            break;
        }
    }
    if left == limit {
        say("no batches");
    }
    Ok(())
}

/// What a commit stored. It has at most one group of requests, so that all of it is read at once.
fn list_commit(db: &mut Db, commit: &[u8; 16]) -> Result<(), Fail> {
    let wanted = Wanted {
        commit: Some(commit.as_slice()),
        ..Wanted::default()
    };
    let rows = batches::list(db, &wanted, i64::MAX)?;
    let undone = batches::reversed(db, &rows)?;
    for row in &rows {
        say(format_args!(
            "{} {}",
            escaped(&row.account_id),
            short(row, &undone)
        ));
    }
    if rows.is_empty() {
        say(if heads::was_made(db, commit)? {
            "no batch has this reference, but the commit was made: what it stored was the undoing of a batch, or came from sync_data"
        } else {
            "no batch has this reference: what was asked for with it was not posted, and can be sent again. (Commits are \
             kept for 30 days: an undoing that is older would not be found.)"
        });
    }
    Ok(())
}

fn short(row: &Listed, undone: &HashMap<(i32, i64), i64>) -> String {
    let undone = undone.get(&(row.account, row.number)).copied().unwrap_or(0);
    let mut parts = Vec::new();
    if row.is_of_customers() {
        parts.push(counted(i64::from(row.customers), "customer", "customers"));
    }
    if row.transactions > 0 || !row.is_of_customers() {
        parts.push(counted(
            i64::from(row.transactions),
            "transaction",
            "transactions",
        ));
    }
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

fn find(db: &mut Db, account_id: &str, number: i64) -> Result<Listed, Fail> {
    let wanted = Wanted {
        account: Some(account_number(db, account_id)?),
        number: Some(number),
        ..Wanted::default()
    };
    let found = batches::list(db, &wanted, 1)?.pop();
    found.ok_or_else(|| unknown(account_id, number))
}

fn show(db: &mut Db, account_id: &str, number: i64) -> Result<(), Fail> {
    let row = find(db, account_id, number)?;
    let account = accounts::load(db, row.account)?.ok_or_else(|| unknown(account_id, number))?;
    let undone: i64 = batches::reversed(db, std::slice::from_ref(&row))?
        .into_values()
        .sum();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let customers = row
        .is_of_customers()
        .then(|| ("customers", row.customers.to_string()));
    let head = [
        ("batch", row.number.to_string()),
        ("account", escaped(account_id)),
        ("user", escaped(&row.user_id)),
        ("recorded", dates::stamp(row.recorded_at)),
        ("commit", hex::encode(&row.commit_id)),
    ];
    let counts = [
        ("transactions", row.transactions.to_string()),
        ("rejected", row.rejected.to_string()),
        ("new customers", row.new_customers.to_string()),
        ("can be undone", yes(row.undoable)),
        ("undone", undone.to_string()),
    ];
    for (name, value) in head.into_iter().chain(customers).chain(counts) {
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
    let row = find(db, &words.account, words.number)?;
    let session = Session::start(settings, row.account)?;
    let make = |even_unlisted| Undo {
        account: row.account,
        batch: words.number,
        skip_blocked: words.skip_blocked,
        even_unlisted,
        images_kept_us: i64::try_from(settings.undo_kept_days)
            .unwrap_or(i64::MAX)
            .saturating_mul(DAY_US),
        found: None,
    };
    // To look does no harm.
    let foretold = session.run(async |poster| poster.rehearse_undo(make(true)).await)?;
    print(db, &session.account, &foretold, words.limit)?;
    let open = match row.rejected {
        0 => 0,
        _ => rejections::open_of_batch(db, row.account, row.number)?,
    };
    if open > 0 {
        say(format_args!(
            "{} still open: see punchcard rejections list.",
            counted(open, "refused line of it is", "refused lines of it are")
        ));
    }
    if let Some(rejection) = foretold.reopens {
        say(format_args!(
            "Rejection {rejection}, which became this batch, will be open again."
        ));
    }
    if !words.yes {
        say(if foretold.refused.is_some() || !changes(&foretold) {
            "Nothing was changed."
        } else if row.undoable || words.force {
            "Nothing was changed. Add --yes to undo it."
        } else {
            "Nothing was changed. It was not sent as one that can be undone: add --force --yes to undo it all the same."
        });
        return Ok(());
    }
    let undone = session.run(async |poster| poster.undo(make(words.force)).await)?;
    if undone != foretold {
        say("Meanwhile things have moved:");
        print(db, &session.account, &undone, words.limit)?;
    }
    if let Some(problem) = &undone.refused {
        return Err(posting::fail(problem));
    }
    if !changes(&undone) {
        return Err(Fail::new(
            "nothing was undone: every customer of the batch is in the way",
        ));
    }
    let left = match undone.left {
        0 => String::new(),
        left => format!(", {left} left"),
    };
    let customers = match undone.people.is_empty() {
        true => String::new(),
        false => format!("; {}", of_people(&undone)),
    };
    say(format_args!(
        "Undone: {} reversed{left}{customers}.",
        counted(count(undone.reversed), "transaction", "transactions")
    ));
    if let Some(rejection) = undone.reopens {
        say(format_args!("Rejection {rejection} is open again."));
    }
    Ok(())
}

/// Whether anything is undone, or would be.
fn changes(undone: &Undone) -> bool {
    let stays = |effect: &PersonEffect| effect.what == PersonUndone::Stays(Stays::Blocked);
    undone.reversed > 0 || !undone.people.iter().all(stays)
}

/// How many customers go, get something back and stay.
fn of_people(undone: &Undone) -> String {
    let (mut erased, mut restored, mut stay) = (0, 0, 0);
    for effect in &undone.people {
        *match effect.what {
            PersonUndone::Erased => &mut erased,
            PersonUndone::Restored { .. } => &mut restored,
            PersonUndone::Stays(_) => &mut stay,
        } += 1;
    }
    format!(
        "{}, {restored} as before, {stay} {}",
        counted(erased, "customer erased", "customers erased"),
        if stay == 1 { "stays" } else { "stay" }
    )
}

/// Prints the customers of whom something stays that the batch has brought.
fn print_people(codes: &HashMap<i64, String>, undone: &Undone, limit: usize) {
    let lines = undone.people.iter().filter_map(|effect| {
        let why = match &effect.what {
            PersonUndone::Stays(why) => format!("stays: it {}", why.word()),
            PersonUndone::Restored { left, .. } if !left.is_empty() => {
                format!("changed since, and left: {}", left.join(", "))
            }
            PersonUndone::Erased | PersonUndone::Restored { .. } => return None,
        };
        let code = codes.get(&effect.customer);
        let code = code.map_or_else(|| effect.customer.to_string(), |code| escaped(code));
        Some(format!("customer   {code} {why}"))
    });
    let mut more = 0_usize;
    for (at, line) in lines.enumerate() {
        match at < limit {
            true => say(line),
            false => more = more.saturating_add(1),
        }
    }
    if more > 0 {
        say(format_args!(
            "and {more} more customers: raise --limit to see them"
        ));
    }
    say(format_args!(
        "batch {}: {}",
        undone.batch,
        of_people(undone)
    ));
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
    let mut customers: Vec<i64> = shown.iter().map(|effect| effect.key.customer).collect();
    customers.extend(undone.people.iter().map(|effect| effect.customer));
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
    if !undone.people.is_empty() {
        print_people(&codes, undone, limit);
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
            account: 1,
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
            kind: 0,
            customers: 0,
        };
        let head =
            "7 1970-01-01 00:00:00 UTC by till\\u{1b}: 3 transactions, 1 rejected, 1 new customer";
        let short = |undone| short(&row, &HashMap::from([((1, 7), undone), ((2, 7), 3)]));
        assert_eq!(short(0), format!("{head}, can be undone"));
        assert_eq!(short(2), format!("{head}, 2 undone"));
        assert_eq!(short(3), format!("{head}, undone"));
        let customers = Listed {
            transactions: 0,
            kind: 1,
            customers: 2,
            ..row
        };
        let text = super::short(&customers, &HashMap::new());
        assert!(text.ends_with(": 2 customers, 1 rejected, 1 new customer, can be undone"));
    }
}
