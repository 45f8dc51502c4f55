//! The check of a journal against what the clients of [`super::load`] were told.

use super::engine::Database;
use super::load::{ACCOUNTS, Sent, Told, line, new_code};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{accounts, balances, campaigns, customers, journal};
use std::collections::{BTreeMap, HashMap};

/// What the books of several runs come to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Requests that were acknowledged, and their lines. All of them are there exactly once.
    pub acknowledged: u64,
    pub lines: u64,
    /// Requests without an answer that are there, wholly.
    pub unanswered_posted: u64,
    /// Requests without an answer that are not there at all.
    pub unanswered_absent: u64,
    /// Requests that were told that nothing was posted, or that found no server.
    pub told_nothing: u64,
}

/// The journal as it must be, after each run.
#[derive(Default)]
pub struct Books {
    /// The newest entry that was checked, by account.
    seen: HashMap<String, i64>,
    /// Balances in whole units by account, campaign and code.
    balances: BTreeMap<(String, String, String), i64>,
    /// The customers that requests have created.
    created: i64,
    pub tally: Tally,
}

struct Found {
    /// `None`: it was posted by itself.
    batch: Option<i64>,
    lines: u64,
}

impl Books {
    /// Reads what the journal has got since the last check and holds it against what the clients of one run were told:
    /// acknowledged is there once, refused is not there, unanswered is there wholly or not at all, and there is
    /// nothing else; balances are the sums.
    pub fn check(&mut self, database: &Database, sent: &[Sent]) {
        database.wait_until_alone();
        let asked: HashMap<u64, Sent> = sent.iter().map(|one| (one.number, *one)).collect();
        let found = self.read(database, &asked);
        for one in sent {
            let posted = found.get(&one.number);
            if let Some(Found { lines, .. }) = posted {
                assert_eq!(*lines, one.lines, "{one:?} is there only in part");
            }
            let tally = &mut self.tally;
            match (one.told, posted.is_some()) {
                (Told::Posted, true) => {
                    tally.acknowledged += 1;
                    tally.lines += one.lines;
                }
                (Told::Posted, false) => panic!("{one:?} was acknowledged and is lost"),
                (Told::Nothing, true) => panic!("{one:?} is there all the same"),
                (Told::Nothing, false) => tally.told_nothing += 1,
                (Told::NoAnswer, true) => tally.unanswered_posted += 1,
                (Told::NoAnswer, false) => tally.unanswered_absent += 1,
            }
        }
        assert_eq!(stored_balances(database), self.balances);
        // A customer is created together with what it is given, or not at all.
        assert_eq!(created(database), self.created);
    }

    /// New entries by request. Each must be the next line of a request that was sent.
    fn read(&mut self, database: &Database, asked: &HashMap<u64, Sent>) -> HashMap<u64, Found> {
        let mut found: HashMap<u64, Found> = HashMap::new();
        for account in 0..ACCOUNTS {
            let name = format!("till-{account}");
            let seen = self.seen.entry(name.clone()).or_default();
            for entry in new_entries(database, &name, *seen) {
                assert_eq!(entry.number, *seen + 1, "numbers have a gap in {name}");
                *seen = entry.number;
                let (number, at) = entry.of_request();
                assert!(
                    asked.contains_key(&number),
                    "{entry:?} is of a request that was not sent in this run"
                );
                assert_eq!(number % ACCOUNTS, account, "{entry:?} is in {name}");
                let request = found.entry(number).or_insert(Found {
                    batch: entry.batch,
                    lines: 0,
                });
                assert_eq!(at, request.lines, "{entry:?} is twice there or out of turn");
                assert_eq!(entry.batch, request.batch, "{entry:?}");
                request.lines += 1;
                assert!(entry.batch.is_some() || request.lines == 1, "{entry:?}");
                let line = line(number, at);
                let created = entry.created();
                self.created += i64::from(created);
                let sign = if line.redeemed && !created { -1 } else { 1 };
                let amount = sign * i64::try_from(line.amount).unwrap();
                let code = match created {
                    true => new_code(number),
                    false => format!("c{}", line.customer),
                };
                assert_eq!(
                    (entry.campaign.as_str(), &entry.code, entry.amount),
                    (line.campaign, &Some(code.clone()), amount * 10_000),
                    "{entry:?}"
                );
                let key = (name.clone(), line.campaign.to_owned(), code);
                let balance = self.balances.entry(key).or_default();
                *balance += amount;
                assert_eq!(entry.balance_after, *balance * 10_000, "{entry:?}");
            }
        }
        found
    }
}

#[derive(Queryable, Debug)]
struct Entry {
    number: i64,
    batch: Option<i64>,
    amount: i64,
    balance_after: i64,
    authorization: Option<String>,
    campaign: String,
    code: Option<String>,
}

impl Entry {
    /// Whether it is what a new customer was given.
    fn created(&self) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| code.starts_with('n'))
    }

    /// The number of the request that it is of, and the line.
    fn of_request(&self) -> (u64, u64) {
        let (number, at) = match &self.code {
            Some(code) if self.created() => (code.strip_prefix('n'), "0"),
            _ => match self
                .authorization
                .as_deref()
                .and_then(|text| text.split_once('-'))
            {
                Some((number, at)) => (Some(number), at),
                None => (None, ""),
            },
        };
        let number = number.unwrap_or_else(|| panic!("{self:?} was never sent"));
        (number.parse().unwrap(), at.parse().unwrap())
    }
}

fn created(database: &Database) -> i64 {
    customers::table
        .filter(customers::code.like("n%"))
        .count()
        .get_result(&mut database.connect(Role::Reader))
        .unwrap()
}

fn new_entries(database: &Database, account: &str, seen: i64) -> Vec<Entry> {
    journal::table
        .inner_join(accounts::table.on(accounts::id.eq(journal::account_id)))
        .inner_join(
            campaigns::table.on(campaigns::account_id
                .eq(journal::account_id)
                .and(campaigns::number.eq(journal::campaign))),
        )
        .inner_join(
            customers::table.on(customers::account_id
                .eq(journal::account_id)
                .and(customers::number.eq(journal::customer))),
        )
        .filter(accounts::account_id.eq(account))
        .filter(journal::number.gt(seen))
        .order(journal::number)
        .select((
            journal::number,
            journal::batch,
            journal::amount,
            journal::balance_after,
            journal::authorization,
            campaigns::campaign_id,
            customers::code,
        ))
        .load(&mut database.connect(Role::Reader))
        .unwrap()
}

fn stored_balances(database: &Database) -> BTreeMap<(String, String, String), i64> {
    let rows: Vec<(String, String, Option<String>, i64)> = balances::table
        .inner_join(accounts::table.on(accounts::id.eq(balances::account_id)))
        .inner_join(
            campaigns::table.on(campaigns::account_id
                .eq(balances::account_id)
                .and(campaigns::number.eq(balances::campaign))),
        )
        .inner_join(
            customers::table.on(customers::account_id
                .eq(balances::account_id)
                .and(customers::number.eq(balances::customer))),
        )
        .select((
            accounts::account_id,
            campaigns::campaign_id,
            customers::code,
            balances::balance,
        ))
        .load(&mut database.connect(Role::Reader))
        .unwrap();
    rows.into_iter()
        .map(|(account, campaign, code, balance)| {
            assert_eq!(balance % 10_000, 0);
            ((account, campaign, code.unwrap()), balance / 10_000)
        })
        .collect()
}
