//! How fast the pure parts are: reading forms, finding and planning lines, deciding them, writing replies; deciding
//! contacts; reading and deciding sales.
//!
//! Belongs here: what needs neither a socket nor a database. Does not belong here: the whole system (`scripts/bench`).

#![allow(missing_docs, reason = "criterion's macros make functions without any")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on shall stop")]

use chrono::Utc;
use chrono_tz::Tz;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use punchcard::amount::Amount;
use punchcard::api15::body::{self, BodyLimits};
use punchcard::api15::pieces::Pieces;
use punchcard::api15::render::Format;
use punchcard::api15::reply::Reply;
use punchcard::dates;
use punchcard::json::{self, Fields};
use punchcard::loyalty::account::{Account, Brand, Campaign, Kind, User};
use punchcard::loyalty::batch::{self, Batch, Caller, Source, Wishes};
use punchcard::loyalty::contacts::keys;
use punchcard::loyalty::contacts::people::People;
use punchcard::loyalty::contacts::sent::{KeyKind, Mail, Sent};
use punchcard::loyalty::ledger::{
    Balance, BalanceKey, Holder, Holders, Ledger, Numbers, SyncNumbers,
};
use punchcard::loyalty::lines::{Column, Layout, Lines};
use punchcard::loyalty::plan;
use punchcard::loyalty::rights::Need;
use punchcard::loyalty::sales::book::Book;
use punchcard::loyalty::sales::read::{Item as SaleItem, Terms};
use punchcard::loyalty::sales::{self, Sales};
use punchcard::loyalty::sync::claim::{Found, Queued};
use punchcard::loyalty::sync::id::JobId;
use punchcard::loyalty::sync::job::{JobHead, Options, PART_CONTACTS};
use punchcard::loyalty::sync::work::{self, Item, Work, WorkFound};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const CAMPAIGN: &str = "1111222233334401";
const CUSTOMERS: i64 = 20_000;
const KEY: [u8; 32] = [7; 32];
const COLUMNS: [(Column, &str); 7] = [
    (Column::Campaign, "campaign_id"),
    (Column::Code, "code"),
    (Column::Redeemed, "redeemed"),
    (Column::Amount, "amount"),
    (Column::Date, "date"),
    (Column::Authorization, "authorization"),
    (Column::Promotions, "promo_id"),
];
const LIMITS: BodyLimits = BodyLimits {
    max_body_bytes: 64 << 20,
    max_fields: 2000,
};
/// Lines of a POST: what a till sends, what an export sends.
const SIZES: [i64; 2] = [1, 1000];

fn code(customer: i64) -> String {
    format!("4638{:012}", customer * 7919 % 1_000_000_000_000)
}

/// So many lines as a till writes them; one in ten redeems.
fn text(lines: i64) -> String {
    let line = |n: i64| {
        let (redeemed, amount) = match n % 10 {
            9 => ("Y", "25".to_owned()),
            _ => ("N", format!("{}.{:02}", n % 199 + 1, n % 100)),
        };
        let (code, day) = (code(n * 7 % CUSTOMERS), n % 28 + 1);
        format!("{CAMPAIGN}|{code}|{redeemed}|{amount}|2025-03-{day:02}|receipt {n}|")
    };
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

fn fields(lines: i64) -> Vec<(String, String)> {
    let fixed = [
        ("API", "1.5"),
        ("user_id", "till"),
        ("user_api_key", "1959caadac9a8f7e42938a7b13dcb3"),
        ("account_id", "shop"),
        ("type", "batch_transactions"),
        ("delimiter", "pipe"),
        ("apply_ratio", "no"),
    ];
    let fixed = fixed
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let headers = COLUMNS.iter().zip(1..);
    let headers =
        headers.map(|((_, name), nth)| (format!("visits_header_{nth}"), (*name).to_owned()));
    let text = std::iter::once(("Visits_Data".to_owned(), text(lines)));
    fixed.chain(headers).chain(text).collect()
}

fn multipart(lines: i64) -> Vec<u8> {
    let part = |(name, value): &(String, String)| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: String = fields(lines).iter().map(part).collect();
    format!("{parts}--edge--\r\n").into_bytes()
}

fn account() -> Account {
    let user = User::new(1, "till", &[KEY]);
    let points = Campaign::new(1, CAMPAIGN, "Points", Kind::Points);
    let name = "Shop".to_owned();
    Account::new(
        1,
        "shop".to_owned(),
        name,
        Tz::UTC,
        1,
        vec![user],
        vec![points],
    )
}

fn find(text: String) -> Lines {
    let layout = Layout {
        columns: COLUMNS.iter().map(|(column, _)| *column).collect(),
        delimiter: '|',
        apply_ratio: false,
        old_generation: false,
        create_customers: false,
    };
    Lines::find(text, layout, 200_000, 65_536).unwrap()
}

fn planned(account: &Account, lines: i64, details: bool) -> Batch {
    let caller = Caller {
        account: 1,
        user_id: "till".to_owned(),
        key: KEY,
        need: Need::POST_OR_REDEEM,
    };
    let wishes = Wishes {
        details,
        ..Wishes::default()
    };
    let source = Source::Caller(caller);
    Batch::new(source, find(text(lines)), wishes, Utc::now(), account).unwrap()
}

/// A ledger that knows every customer and has a balance for each.
fn ledger() -> Ledger {
    let numbers = Numbers {
        entry: 1_000_000,
        batch: 1,
        customer: CUSTOMERS + 1,
        rejection: 1,
        sale: 1,
        sync: SyncNumbers::default(),
    };
    let holder = |customer| Holder {
        customer,
        replaced: false,
    };
    let known: Holders = (0..CUSTOMERS)
        .map(|n| (code(n).into_boxed_str(), holder(n + 1)))
        .collect();
    let balance = Balance {
        amount: Amount::from_whole(1_000_000).unwrap(),
        last_entry: 1,
    };
    let key = |customer| BalanceKey {
        customer,
        campaign: 1,
        item: 0,
    };
    let mut ledger = Ledger::new(numbers, vec![Arc::new(known)]);
    ledger.load(
        (1..=CUSTOMERS)
            .map(|n| (key(n), balance))
            .collect::<HashMap<_, _>>(),
    );
    ledger
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30);
    group
}

/// Elements are lines: with one line for each request, also requests.
fn lines_of(count: i64) -> Throughput {
    Throughput::Elements(count.unsigned_abs())
}

fn forms(criterion: &mut Criterion) {
    let mut group = group(criterion, "form");
    for lines in SIZES {
        group.throughput(lines_of(lines));
        let urlencoded = serde_urlencoded::to_string(fields(lines)).unwrap();
        let bodies = [
            (
                "urlencoded",
                "application/x-www-form-urlencoded",
                urlencoded.into_bytes(),
            ),
            (
                "multipart",
                "multipart/form-data; boundary=edge",
                multipart(lines),
            ),
        ];
        for (name, content_type, bytes) in &bodies {
            group.bench_function(format!("{name}, {lines} lines"), |bench| {
                bench
                    .iter(|| body::read("", Some(content_type), black_box(bytes), LIMITS).unwrap());
            });
        }
    }
}

fn lines(criterion: &mut Criterion) {
    let account = account();
    let user = account.user("till").unwrap();
    let today = dates::today(Tz::UTC, Utc::now());
    let mut group = group(criterion, "lines");
    for lines in SIZES {
        group.throughput(lines_of(lines));
        let sent = text(lines);
        group.bench_function(format!("find, {lines} lines"), |bench| {
            bench.iter_batched(|| sent.clone(), find, BatchSize::SmallInput);
        });
        let found = find(sent.clone());
        group.bench_function(format!("plan, {lines} lines"), |bench| {
            bench.iter(|| plan::all(&account, user, black_box(&found), (today, today)));
        });
    }
}

fn decide(criterion: &mut Criterion) {
    let account = account();
    let ledger = ledger();
    let mut group = group(criterion, "decide");
    for lines in SIZES {
        group.throughput(lines_of(lines));
        for (name, details) in [("plain", false), ("details", true)] {
            let batch = planned(&account, lines, details);
            group.bench_function(format!("{name}, {lines} lines"), |bench| {
                bench.iter(|| batch::decide(&account, black_box(&batch), &ledger));
            });
        }
    }
}

fn replies(criterion: &mut Criterion) {
    let account = account();
    let ledger = ledger();
    let formats = [
        ("XML", Format::Xml),
        ("JSON", Format::Json { condensed: false }),
    ];
    let mut group = group(criterion, "reply");
    for (what, lines, details) in [("small", 1, false), ("details of 1000 lines", 1000, true)] {
        group.throughput(lines_of(lines));
        let batch = planned(&account, lines, details);
        let outcome = batch::decide(&account, &batch, &ledger).outcome;
        for (name, format) in &formats {
            group.bench_function(format!("{name}, {what}"), |bench| {
                bench.iter_batched(
                    || Reply::Batch(outcome.clone()),
                    |reply| {
                        Pieces::of(reply, format)
                            .map(|piece| piece.len())
                            .sum::<usize>()
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
}

/// A contact as a hotel's system writes it.
fn contact(n: usize) -> String {
    format!(
        r#"{{"name_first":"Ann","name_last":"Lee {n}","email":"Ann.Lee{n}@guests.example","user_id":"guest-{n}","phone_countrycode":"+34","phone_number":"6{n:08}","city":"Palma","country":"ES","zip":"07001","full_address":"Calle Mayor {n}","born_date":"1990-01-01T00:00:00Z","gender":"FEMALE","language":"es_ES","tags":["vip","spa"],"gdpr_accept_terms":true,"gdpr_marketing_consent":false,"gdpr_date":"2024-05-01T12:00:00Z","room_NUMBER":{n}}}"#
    )
}

fn item(n: usize) -> Item {
    let raw = contact(n);
    let members = Fields::parse(&raw).unwrap();
    let value = |raw: &str| (json::scalar(raw) != json::Scalar::Null).then(|| raw.into());
    let fields = members.iter().map(|(name, raw)| (name.into(), value(raw)));
    let fields: Vec<_> = fields.collect();
    Item {
        sent: Sent {
            keys: keys::of_fields(&fields, Some("ES")),
            raw: raw.into(),
            fields,
            faults: Vec::new(),
            print: KEY,
        },
        mail: Mail::None,
        new_code: format!("{n:016}"),
        new_id: format!("{n:024x}"),
    }
}

/// The contacts of a part, with the people whom they may mean.
fn work(people: People) -> Work {
    let contacts = i32::try_from(PART_CONTACTS).unwrap();
    let token = "00112233445566778899aabbccddeeff".to_owned();
    let queued = Queued {
        job: 1,
        cursor: 0,
        valid: 0,
        failed: 0,
        charged: 0,
        claims: 1,
        stuck: 1,
        started_at: None,
        claimed_until: 0,
        token: Some(token.clone()),
    };
    let head = JobHead {
        number: 1,
        id: JobId::new(0, [0; 3], 1),
        origin: "PMS".to_owned(),
        contacts,
        purchases: 0,
        options: Options::default(),
        url: Some("https://pms.example/hook".to_owned()),
        created_at: 0,
    };
    Work {
        account: 1,
        job: 1,
        token,
        lease_us: 1,
        first: 0,
        items: (0..PART_CONTACTS).map(item).collect(),
        part: Some((0, true)),
        finish: true,
        poisoned: None,
        untold: false,
        purchase: None,
        purchase_raw: None,
        new_purchase_id: String::new(),
        event_random: [0; 8],
        found: Some(WorkFound {
            claim: Found {
                queued,
                oldest: true,
                now_us: 0,
                head,
            },
            people,
            purchase: None,
            linked: Vec::new(),
            left: Vec::new(),
        }),
        planned_for: 1,
    }
}

fn contacts(criterion: &mut Criterion) {
    let (account, ledger) = (account(), ledger());
    let new = work(People::default());
    let mut known = People::default();
    let decided = work::decide(&account, &new, &ledger).unwrap();
    for change in decided.stored.unwrap().0.sync.unwrap().people {
        for (kind, value) in &change.new_keys {
            known.add_key(*kind, value, change.person.customer);
        }
        known.add(change.person);
    }
    let known = work(known);
    let mut group = group(criterion, "contacts");
    group.throughput(Throughput::Elements(PART_CONTACTS.try_into().unwrap()));
    for (name, work) in [("new", &new), ("known", &known)] {
        group.bench_function(format!("{name}, {PART_CONTACTS} contacts"), |bench| {
            bench.iter(|| work::decide(&account, black_box(work), &ledger).unwrap());
        });
    }
}

/// A sale as a shop's system writes it: found by its e-mail address, with both ids.
fn sale(n: i64) -> String {
    format!(
        r#"{{"match_key":{{"email":"Ann.Lee{n}@guests.example"}},"event_time":"2019-07-13 12:34:21","order_id":"order-{n}","external_sale_id":"{n}","value":{}.50,"currency":"EUR","shop":"Palma"}}"#,
        n % 199 + 1
    )
}

/// So many sales, and a ledger that knows their customers.
fn sold(account: &Account, count: i64) -> (Sales, Ledger) {
    let terms = Terms::of(account, account.brand(1).unwrap());
    let mut ledger = ledger();
    ledger.sales = Book::default();
    for n in 0..count {
        let address = keys::email(&format!("Ann.Lee{n}@guests.example")).unwrap();
        ledger.sales.add_key(KeyKind::Email, &address, n + 1);
    }
    let sales = Sales {
        account: 1,
        brand: 1,
        source: sales::Source::Caller { token: KEY },
        items: (0..count)
            .map(|n| SaleItem::read(&sale(n), &terms))
            .collect(),
        today: dates::today(Tz::UTC, Utc::now()),
        planned_for: 1,
    };
    (sales, ledger)
}

fn sales(criterion: &mut Criterion) {
    let mut account = account();
    account.brands = vec![Brand {
        number: 1,
        id: "brand".to_owned(),
        currency: "EUR".to_owned(),
        zone: Tz::Europe__Madrid,
        campaign: Some(1),
        token: KEY,
    }];
    let account = &account;
    let terms = Terms::of(account, account.brand(1).unwrap());
    let mut group = group(criterion, "sales");
    for count in SIZES {
        group.throughput(lines_of(count));
        let raws: Vec<String> = (0..count).map(sale).collect();
        group.bench_function(format!("read, {count} sales"), |bench| {
            bench.iter(|| {
                let items = raws
                    .iter()
                    .map(|raw| SaleItem::read(black_box(raw), &terms));
                items.collect::<Vec<_>>()
            });
        });
        let (sales, mut ledger) = sold(account, count);
        for name in ["new", "equal"] {
            group.bench_function(format!("{name}, {count} sales"), |bench| {
                bench.iter(|| sales::decide::decide(account, black_box(&sales), &ledger).unwrap());
            });
            let decided = sales::decide::decide(account, &sales, &ledger).unwrap();
            ledger.accept(decided.stored.unwrap().1);
        }
    }
}

criterion_group!(benches, forms, lines, decide, replies, contacts, sales);
criterion_main!(benches);
