//! Clients that post under load and keep books of what they were told, and the check of the journal against them.

use super::client::{self, Encoding};
use super::engine::Database;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{accounts, balances, campaigns, customers, journal};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Accounts that are posted to, so that a group holds more than one and, on MySQL, writers run side by side.
const ACCOUNTS: u64 = 2;
/// Customers of each account.
const CUSTOMERS: u64 = 7;
/// Clients that post at the same time.
const CLIENTS: u64 = 8;

/// The world that is posted to.
pub fn world() -> String {
    let mut text = String::new();
    for account in 0..ACCOUNTS {
        text.push_str(&format!(
            "[[account]]\nid = \"till-{account}\"\nname = \"Till {account}\"\ncurrency = \"EUR\"\n\
             timezone = \"Europe/Berlin\"\ncountry = \"DE\"\n\
             [[account.user]]\nid = \"clerk-{account}\"\napi_key = \"key-of-clerk-{account}\"\n\
             [[account.campaign]]\nid = \"P\"\ntype = \"points\"\nname = \"Points\"\n\
             [[account.campaign]]\nid = \"C\"\ntype = \"giftcard\"\nname = \"Credit\"\nallow_negative = true\n"
        ));
        for customer in 0..CUSTOMERS {
            text.push_str(&format!("[[account.customer]]\ncode = \"c{customer}\"\n"));
        }
    }
    text
}

/// What a client was told about a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// A complete 200 reply: all imported.
    Posted,
    /// A 503 that says that nothing was posted, or no connection at all.
    Nothing,
    /// The connection ended without a complete answer.
    NoAnswer,
}

/// A request by its number, which tells all of its lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    pub number: u64,
    pub lines: u64,
    pub told: Told,
}

/// One line: campaign, code, whether it redeems, whole amount. No line is ever refused.
struct Line {
    campaign: &'static str,
    customer: u64,
    redeemed: bool,
    amount: u64,
}

fn line(number: u64, at: u64) -> Line {
    let mixed = number.wrapping_mul(31).wrapping_add(at);
    let redeemed = mixed % 3 == 2;
    Line {
        // Only credit may fall below zero.
        campaign: if redeemed || mixed.is_multiple_of(2) {
            "C"
        } else {
            "P"
        },
        customer: mixed % CUSTOMERS,
        redeemed,
        amount: 1 + mixed % 9,
    }
}

fn request(number: u64, lines: u64) -> Vec<u8> {
    use std::fmt::Write;
    let mut data = String::new();
    for at in 0..lines {
        let Line {
            campaign,
            customer,
            redeemed,
            amount,
        } = line(number, at);
        let mark = if redeemed { 'Y' } else { 'N' };
        writeln!(data, "{campaign}|c{customer}|{mark}|{amount}|{number}-{at}").unwrap();
    }
    let account = number % ACCOUNTS;
    let fields = [
        ("API", "1.5".to_owned()),
        ("user_id", format!("clerk-{account}")),
        ("user_api_key", format!("key-of-clerk-{account}")),
        ("account_id", format!("till-{account}")),
        ("type", "batch_transactions".to_owned()),
        ("delimiter", "pipe".to_owned()),
        ("visits_header_1", "campaign_id".to_owned()),
        ("visits_header_2", "code".to_owned()),
        ("visits_header_3", "redeemed".to_owned()),
        ("visits_header_4", "amount".to_owned()),
        ("visits_header_5", "authorization".to_owned()),
        ("Visits_Data", data),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    client::request("/api.php", Encoding::Urlencoded, &[], &fields)
}

/// A few random numbers; from which seed does not matter, because the timing of threads cannot be repeated anyway.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        use std::hash::{BuildHasher, Hasher};
        let state = std::collections::hash_map::RandomState::new();
        Random(state.build_hasher().finish())
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        least + (mixed ^ (mixed >> 31)) % (most - least + 1)
    }
}

/// Clients at work on one server, and their books.
pub struct Load {
    next: AtomicU64,
    /// The server is about to go: from now on an answer may be missing.
    ending: AtomicBool,
    sent: Mutex<Vec<Sent>>,
}

impl Load {
    /// Requests are numbered from `first`.
    pub fn new(first: u64) -> Load {
        Load {
            next: AtomicU64::new(first),
            ending: AtomicBool::new(false),
            sent: Mutex::default(),
        }
    }

    /// To be called just before the server is ended.
    pub fn ending(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Posts without pause until the server is gone. `meanwhile` runs beside the clients and ends it.
    pub fn run(&self, address: SocketAddr, meanwhile: impl FnOnce()) {
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| self.client(address));
            }
            meanwhile();
        });
    }

    fn client(&self, address: SocketAddr) {
        let mut random = Random::new();
        loop {
            // Mostly what a till sends, and every now and then a night's batch, which keeps the writer busy for long
            // enough that the others have come back before it has finished.
            let lines = if random.between(1, 10) <= 7 {
                random.between(1, 5)
            } else {
                random.between(300, 700)
            };
            let told = self.post(address, lines);
            if told != Told::Posted && self.ending.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Posts one request and notes what was told.
    pub fn post(&self, address: SocketAddr, lines: u64) -> Told {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let told = ask(address, &request(number, lines));
        self.sent.lock().unwrap().push(Sent {
            number,
            lines,
            told,
        });
        assert!(
            told == Told::Posted || self.ending.load(Ordering::SeqCst),
            "request {number} was told {told:?} by a healthy server"
        );
        told
    }

    /// What was sent, and the number of the next request.
    pub fn into_books(self) -> (Vec<Sent>, u64) {
        (self.sent.into_inner().unwrap(), self.next.into_inner())
    }
}

fn ask(address: SocketAddr, request: &[u8]) -> Told {
    let Ok(stream) = std::net::TcpStream::connect(address) else {
        return Told::Nothing;
    };
    let Some(reply) = client::exchange_on(stream, request) else {
        return Told::NoAnswer;
    };
    match reply.status {
        200 if reply.body.contains("<batch status=\"all_imported\">") => Told::Posted,
        503 if reply.body.contains("nothing was posted") => Told::Nothing,
        _ => panic!("an answer that no client should get: {reply:?}"),
    }
}

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
    pub tally: Tally,
}

struct Found {
    batch: i64,
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
                let authorization = entry.authorization.as_deref().unwrap_or_default();
                let (number, at): (u64, u64) = authorization
                    .split_once('-')
                    .map(|(number, at)| (number.parse().unwrap(), at.parse().unwrap()))
                    .unwrap_or_else(|| panic!("{entry:?} was never sent"));
                assert!(
                    asked.contains_key(&number),
                    "{entry:?} is of a request that was not sent in this run"
                );
                assert_eq!(number % ACCOUNTS, account, "{entry:?} is in {name}");
                let request = found.entry(number).or_insert(Found {
                    batch: entry.batch.unwrap(),
                    lines: 0,
                });
                assert_eq!(at, request.lines, "{entry:?} is twice there or out of turn");
                assert_eq!(entry.batch, Some(request.batch), "{entry:?}");
                request.lines += 1;
                let line = line(number, at);
                let sign = if line.redeemed { -1 } else { 1 };
                let amount = sign * i64::try_from(line.amount).unwrap();
                let code = format!("c{}", line.customer);
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
