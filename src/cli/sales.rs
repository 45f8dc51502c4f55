//! `punchcard sales list|show|assign`: the sales that were kept because nobody could say whose they are, for a person.

use super::posting::Session;
use super::rejections::{State, print_rows, print_whole, unknown};
use super::text::{account_number, escaped};
use super::{Fail, look, say};
use crate::config::Settings;
use crate::error::{Code, Problem};
use crate::json::{self, Fields, Scalar};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::person::Person;
use crate::loyalty::once::SALES;
use crate::loyalty::sales::matching::{self, Found};
use crate::loyalty::sales::read::{Item, Terms};
use crate::loyalty::sales::{SaleOutcome, Sales, Source};
use crate::posting::Poster;
use crate::store::rejections::{KeptSale, Whole};
use crate::store::{Db, accounts, journal, people, rejections, sales};
use crate::{dates, store};
use chrono::Utc;
use clap::{Args, Subcommand};
use std::fmt::Write;

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// List sales that were kept, the oldest first.
    List {
        /// The id of the account.
        account: String,
        /// open: those that wait; all: also those that were closed. Sales are never kept as a mere record.
        #[arg(long, value_enum, default_value = "open")]
        state: State,
        /// The most lines to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Begin behind the rejection with this number.
        #[arg(long, default_value = "0", value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(0..))]
        after: i64,
    },
    /// Show all that is kept of one sale, and the customers that it may mean as they are now.
    Show {
        /// The id of the account.
        account: String,
        /// The number of the rejection in its account.
        number: i64,
    },
    /// Store a sale that waits as one of this customer, with the time it was sent with.
    Assign(Assign),
}

/// How a sale is given to a customer.
#[derive(Args)]
pub struct Assign {
    /// The id of the account.
    account: String,
    /// The number of the rejection in its account.
    number: i64,
    /// The customer's number, which replies call userdata_id.
    #[arg(required_unless_present = "code")]
    customer: Option<i64>,
    /// The customer's code or card number, instead of the number.
    #[arg(long, conflicts_with = "customer")]
    code: Option<String>,
    /// Give a member of the sale another value, such as value=14.95; an empty one says nothing. For several members, say
    /// it several times.
    #[arg(long = "set", value_name = "MEMBER=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Only tell what would become of it.
    #[arg(long)]
    dry_run: bool,
}

/// The members that can be mended.
const MEMBERS: [&str; 5] = [
    "event_time",
    "value",
    "currency",
    "order_id",
    "external_sale_id",
];

/// Reads MEMBER=VALUE.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write MEMBER=VALUE, such as value=14.95")?;
    let name = name.trim();
    if !MEMBERS.contains(&name) {
        return Err(format!("give one of {}", MEMBERS.join(", ")));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Lists, shows or assigns.
///
/// # Errors
/// No database, an account, a sale or a customer that does not exist, a sale that does not wait or is refused again.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List {
            account,
            state,
            limit,
            after,
        } => list(&mut db, account, *state, (i64::from(*limit), *after)),
        Words::Show { account, number } => show(&mut db, account, *number),
        Words::Assign(words) => assign(settings, &mut db, words),
    }
}

fn list(db: &mut Db, account_id: &str, state: State, range: (i64, i64)) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    let read = |after, wanted| rejections::list_sales(db, account, state.word(), after, wanted);
    let any = print_rows(range, read, |row| (row.number, short(row)))?;
    if !any {
        say(match state {
            State::Open => "no sales that wait",
            _ => "no sales that were kept",
        });
    }
    Ok(())
}

fn short(row: &KeptSale) -> String {
    let mut out = format!("{} {}", row.number, row.state);
    if let Some(brand) = &row.brand {
        let _ = write!(out, " brand {}", escaped(brand));
    }
    let _ = write!(out, " {}", row.code);
    if let Some(reason) = &row.reason {
        let _ = write!(out, ": {}", escaped(reason));
    }
    let sent = row.raw.as_deref().and_then(Fields::parse);
    for name in ["order_id", "external_sale_id"] {
        let value = sent.as_ref().and_then(|sent| sent.get(name)).map(scalar);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(out, ", {name} {}", escaped(&value));
        }
    }
    out
}

/// A text or a number as it was sent; empty where it is neither.
fn scalar(raw: &str) -> String {
    match json::scalar(raw) {
        Scalar::Text(text) => text.into_owned(),
        Scalar::Number(number) => number.to_owned(),
        _ => String::new(),
    }
}

fn find(db: &mut Db, account_id: &str, number: i64) -> Result<(i32, Whole), Fail> {
    let account = account_number(db, account_id)?;
    let found = rejections::show(db, account, number)?;
    let found = found.ok_or_else(|| unknown(account_id, number))?;
    if found.rejection.source != SALES {
        return Err(Fail::new(not_a_sale(number).text()));
    }
    Ok((account, found))
}

fn not_a_sale(number: i64) -> Problem {
    Problem::new(Code::NotASale).value(&number.to_string())
}

fn show(db: &mut Db, account_id: &str, number: i64) -> Result<(), Fail> {
    let (account, found) = find(db, account_id, number)?;
    print_whole(account_id, &found);
    let mut candidates = candidates(db, account, &found)?;
    candidates.sort_unstable_by_key(|person| person.customer);
    for person in &candidates {
        say(format_args!("{:<15} {}", "may be", described(person)));
    }
    Ok(())
}

/// The customers that a sale may mean as they are now.
fn candidates(db: &mut Db, account: i32, found: &Whole) -> store::Result<Vec<Person>> {
    let Some(account) = accounts::load(db, account)? else {
        return Ok(Vec::new());
    };
    let Some(sales) = kept(&account, found, |raw| Some(raw.to_owned())) else {
        return Ok(Vec::new());
    };
    let book = sales::load(db, account.number, &[&sales])?;
    let read = sales.items.first().and_then(|item| item.read.as_ref().ok());
    let numbers = match read.map(|sale| matching::find(&sale.keys, &book)) {
        Some(Found::One(customer)) => vec![customer],
        Some(Found::Several(customers)) => customers,
        Some(Found::Nobody) | None => Vec::new(),
    };
    people::of(db, account.number, &numbers)
}

/// A kept sale as a request to assign it, after `mend` has seen what was sent; `None` where that is not kept any more, or
/// the brand is gone.
fn kept(
    account: &Account,
    found: &Whole,
    mend: impl FnOnce(&str) -> Option<String>,
) -> Option<Sales> {
    let row = &found.rejection;
    let brand = account.brand(row.brand?)?;
    let raw = mend(row.raw.as_deref()?)?;
    Some(Sales {
        account: account.number,
        brand: brand.number,
        source: Source::Assign {
            rejection: row.number,
        },
        items: vec![Item::read(&raw, &Terms::of(account, brand))],
        today: dates::today(account.zone, Utc::now()),
        planned_for: account.config_version,
    })
}

/// A customer in short: number, name, e-mail address.
fn described(person: &Person) -> String {
    let columns = &person.columns;
    let names = [
        columns.first_name.as_deref(),
        columns.last_name.as_deref(),
        columns.email.as_deref(),
    ];
    let mut out = person.customer.to_string();
    for text in names.into_iter().flatten() {
        let _ = write!(out, " {}", escaped(text));
    }
    out
}

/// The reasons for which a sale waits that can be assigned. What is owed or was not given is about one that is stored.
fn waits(code: &str) -> bool {
    [
        Code::SaleNotFound,
        Code::SaleNotUnique,
        Code::BadEventTime,
        Code::BadSale,
    ]
    .iter()
    .any(|known| known.word() == code)
}

fn assign(settings: &Settings, db: &mut Db, words: &Assign) -> Result<(), Fail> {
    let number = words.number;
    let (account, found) = find(db, &words.account, number)?;
    let row = &found.rejection;
    if !waits(&row.code) {
        return Err(Fail::new(not_a_sale(number).text()));
    }
    if row.state != "open" {
        return Err(Fail::new(format!(
            "rejection {number} is not open but {}: only open ones can be assigned",
            row.state
        )));
    }
    let customer = customer(db, account, words)?;
    let session = Session::start(settings, account)?;
    let sales = kept(&session.account, &found, |raw| {
        mended(raw, customer, &words.set)
    });
    let sales = sales.ok_or_else(|| {
        Fail::new(format!(
            "the sale of rejection {number} cannot be stored: it was no object, or is not kept any more, or its brand is gone. Dismiss it"
        ))
    })?;
    let (outcomes, stored) = session.run(async |poster: &Poster| {
        if words.dry_run {
            Ok((poster.rehearse_sales(sales, None).await?, "would be"))
        } else {
            Ok((poster.post_sales(sales, None).await?, "was"))
        }
    })?;
    match outcomes.outcomes.first() {
        Some(SaleOutcome::Created { sale, customer }) => {
            say(format_args!(
                "sale {sale} {stored} created for customer {customer}"
            ));
            Ok(())
        }
        Some(SaleOutcome::Updated { sale, customer }) => {
            say(format_args!(
                "sale {sale} {stored} updated for customer {customer}"
            ));
            Ok(())
        }
        _ => Err(Fail::new("the sale was not stored")),
    }
}

/// The number of the customer that is named.
fn customer(db: &mut Db, account: i32, words: &Assign) -> Result<i64, Fail> {
    let account_id = escaped(&words.account);
    match (&words.code, words.customer) {
        (Some(code), _) => {
            let holders = journal::holders(db, account, std::iter::once(code.as_str()))?;
            let holder = holders.get(code.as_str()).ok_or_else(|| {
                Fail::new(format!(
                    "nobody in the account \"{account_id}\" has the code or card number \"{}\"",
                    escaped(code)
                ))
            })?;
            Ok(holder.customer)
        }
        (None, Some(customer)) if is_there(db, account, customer)? => Ok(customer),
        (None, customer) => Err(Fail::new(format!(
            "the account \"{account_id}\" has no customer {}: give the userdata_id, or --code",
            customer.unwrap_or_default()
        ))),
    }
}

/// Whether the account has this customer, and it is not forgotten.
fn is_there(db: &mut Db, account: i32, customer: i64) -> Result<bool, Fail> {
    let found = people::of(db, account, &[customer])?;
    Ok(found.iter().any(|person| !person.is_erased()))
}

/// The sale as it was sent, with the customer as its only key and other values in some members; `None` if it is no object.
fn mended(raw: &str, customer: i64, set: &[(String, String)]) -> Option<String> {
    let mut fields = Fields::parse(raw)?;
    fields.set("match_key", &format!("{{\"id\":\"{customer}\"}}"));
    for (name, value) in set {
        fields.set(name, &json::quoted(value));
    }
    Some(fields.json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_sale_says_whose_why_and_which() {
        let row = KeptSale {
            number: 7,
            state: "open".to_owned(),
            brand: Some("uy".to_owned()),
            code: "sale_not_found".to_owned(),
            reason: Some("Userdata not found".to_owned()),
            raw: Some(r#"{"order_id":"3325-uy\u001b","external_sale_id":12}"#.to_owned()),
        };
        assert_eq!(
            short(&row),
            "7 open brand uy sale_not_found: Userdata not found, order_id 3325-uy\\u{1b}, external_sale_id 12"
        );
        let bare = KeptSale {
            brand: None,
            raw: Some("[1]".to_owned()),
            reason: None,
            ..row
        };
        assert_eq!(short(&bare), "7 open sale_not_found");
    }

    #[test]
    fn a_mend_changes_its_members_and_nothing_else() {
        let raw = r#"{"match_key":{"email":"a@b.c"},"value":2200.50,"more":[1e3]}"#;
        let set = |text| assignment(text).unwrap();
        assert_eq!(
            mended(raw, 5, &[set("event_time=2020-01-02"), set("value= 1\"=2")]).unwrap(),
            r#"{"match_key":{"id":"5"},"value":" 1\"=2","more":[1e3],"event_time":"2020-01-02"}"#
        );
        assert_eq!(mended("5", 5, &[]), None);
        for bad in ["value", "match_key=1", "more=1", "=1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_waits_for_a_customer_can_be_assigned() {
        let words = Code::ALL.iter().map(|code| code.word());
        let waiting: Vec<&str> = words.filter(|word| waits(word)).collect();
        assert_eq!(
            waiting,
            [
                "bad_event_time",
                "bad_sale",
                "sale_not_found",
                "sale_not_unique"
            ]
        );
    }
}
