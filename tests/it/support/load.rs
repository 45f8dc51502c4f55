//! Clients that post under load and note what they were told. [`super::audit`] holds the journal against it.

use super::client::{self, Encoding};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Accounts that are posted to, so that a group holds more than one and, on MySQL, writers run side by side.
pub const ACCOUNTS: u64 = 2;
/// Customers of each account.
const CUSTOMERS: u64 = 7;
/// Clients that post at the same time.
const CLIENTS: u64 = 16;

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
    /// A complete 200 reply: all was posted.
    Posted,
    /// A 503 that says that nothing was posted, or no connection at all.
    Nothing,
    /// The connection ended without a complete answer.
    NoAnswer,
}

/// A request by its number, which tells what it is and all of its lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    pub number: u64,
    pub lines: u64,
    pub told: Told,
}

/// One line: campaign, code, whether it redeems, whole amount. No line is ever refused.
pub struct Line {
    pub campaign: &'static str,
    pub customer: u64,
    pub redeemed: bool,
    pub amount: u64,
}

/// The line of a request at a place, from 0.
pub fn line(number: u64, at: u64) -> Line {
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

/// What a request is: a batch, or one of these when it has one line.
enum Kind {
    Batch,
    /// One transaction by itself.
    Single,
    /// A new customer, who is given the amount of the line.
    NewCustomer,
}

impl Kind {
    fn of(number: u64, lines: u64) -> Kind {
        match (lines, number % 4) {
            (1, 0 | 1) => Kind::Single,
            (1, 2) => Kind::NewCustomer,
            _ => Kind::Batch,
        }
    }

    /// What a reply has when all was posted.
    fn success(self) -> &'static str {
        match self {
            Kind::Batch => "<batch status=\"all_imported\">",
            Kind::Single => "<receipt>",
            Kind::NewCustomer => "<customer status=\"new\">",
        }
    }
}

/// The code of the customer that a request creates.
pub fn new_code(number: u64) -> String {
    format!("n{number}")
}

fn request(number: u64, lines: u64) -> Vec<u8> {
    let account = number % ACCOUNTS;
    let mut fields = vec![
        ("API", "1.5".to_owned()),
        ("user_id", format!("clerk-{account}")),
        ("user_api_key", format!("key-of-clerk-{account}")),
        ("account_id", format!("till-{account}")),
    ];
    let one = line(number, 0);
    match Kind::of(number, lines) {
        Kind::Batch => fields.extend(batch(number, lines)),
        Kind::Single => {
            let (kind, amount) = match one.redeemed {
                true => ("redeem", "reward_to_redeem"),
                false => ("record_activity", "amount"),
            };
            fields.extend([
                ("type", kind.to_owned()),
                ("campaign_id", one.campaign.to_owned()),
                ("code", format!("c{}", one.customer)),
                (amount, one.amount.to_string()),
                ("authorization", format!("{number}-0")),
            ]);
        }
        Kind::NewCustomer => fields.extend([
            ("type", "record_customer".to_owned()),
            ("customer_action", "new".to_owned()),
            ("campaign_id", one.campaign.to_owned()),
            ("code", new_code(number)),
            ("card_number", format!("card-{number}")),
            ("email", format!("{number}@example.com")),
            ("auto_add", one.amount.to_string()),
        ]),
    }
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    client::request("/api.php", Encoding::Urlencoded, &[], &fields)
}

/// The fields of a batch.
fn batch(number: u64, lines: u64) -> [(&'static str, String); 8] {
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
    [
        ("type", "batch_transactions".to_owned()),
        ("delimiter", "pipe".to_owned()),
        ("visits_header_1", "campaign_id".to_owned()),
        ("visits_header_2", "code".to_owned()),
        ("visits_header_3", "redeemed".to_owned()),
        ("visits_header_4", "amount".to_owned()),
        ("visits_header_5", "authorization".to_owned()),
        ("Visits_Data", data),
    ]
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

    /// Waits until the first request is answered.
    pub fn wait_until_it_flows(&self) {
        while self.sent.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
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
            let lines = if random.between(1, 20) <= 19 {
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
        let success = Kind::of(number, lines).success();
        let told = ask(address, &request(number, lines), success);
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

fn ask(address: SocketAddr, request: &[u8], success: &str) -> Told {
    let Ok(stream) = std::net::TcpStream::connect(address) else {
        return Told::Nothing;
    };
    let Some(reply) = client::exchange_on(stream, request) else {
        return Told::NoAnswer;
    };
    match reply.status {
        200 if reply.body.contains(success) => Told::Posted,
        503 if reply.body.contains("nothing was posted") => Told::Nothing,
        _ => panic!("an answer that no client should get: {reply:?}"),
    }
}
