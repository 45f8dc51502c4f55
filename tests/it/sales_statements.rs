//! A thousand sales cost a handful of statements. Counted at the connection on which they are decided and written.

use crate::support::engine::{Database, Engine, server_key};
use crate::support::on_both_engines;
use crate::support::process;
use crate::support::sales::world;
use diesel::connection::{Connection, InstrumentationEvent};
use punchcard::dates;
use punchcard::loyalty::account::Account;
use punchcard::loyalty::sales::read::{Item, Terms};
use punchcard::loyalty::sales::{SaleOutcome, Sales, Source};
use punchcard::posting::codes::Codes;
use punchcard::posting::command::{Command, Done};
use punchcard::posting::days::Days;
use punchcard::posting::directory::Directory;
use punchcard::posting::group::{self, Desk};
use punchcard::posting::purge::Purge;
use punchcard::posting::queue::Job;
use punchcard::store::connect::{Readers, Role};
use punchcard::store::{Db, world as stored};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Customers with an e-mail address of their own.
const PEOPLE: usize = 1000;

/// A writer whose statements are seen.
struct Seen {
    db: Db,
    directory: Directory,
    account: Arc<Account>,
    queries: Arc<Mutex<Vec<String>>>,
    purge: Purge,
    groups: u8,
}

/// What a group has cost.
#[derive(Debug)]
struct Cost {
    /// Statements that read.
    reads: usize,
    /// Statements that write, or end the transaction; those of one text are told apart.
    writes: usize,
    /// Different texts among all of them.
    texts: HashSet<String>,
}

impl Seen {
    fn new(database: &Database) -> Seen {
        let people: String = (0..PEOPLE)
            .map(|n| {
                format!("[[account.customer]]\ncode = \"p{n}\"\nemail = \"p{n}@example.com\"\n")
            })
            .collect();
        let text = (world("campaign = \"P\"") + &people)
            .replace("{account}", "shop")
            .replace("{user}", "till")
            .replace("{key}", "key-of-the-till-1234567890");
        let read = punchcard::world::read(&text, chrono::Utc::now()).unwrap();
        let mut db = database.connect(Role::Writer);
        stored::apply(
            &mut db,
            &server_key(),
            &read,
            &mut stored::Report::default(),
        )
        .unwrap();
        let settings = database.settings(&[]);
        let readers = Readers::new(&settings.database_url, 2, Duration::from_secs(30)).unwrap();
        let directory = Directory::load(readers).unwrap();
        let queries: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&queries);
        db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                seen.lock().unwrap().push(query.to_string());
            }
        });
        Seen {
            db,
            account: directory.by_id("shop").unwrap(),
            directory,
            queries,
            purge: Purge::new(&settings),
            groups: 0,
        }
    }

    /// Posts sales as one group of one request; what became of them, and what it has cost.
    fn post(&mut self, raws: impl Iterator<Item = String>) -> (Vec<SaleOutcome>, Cost) {
        let brand = &self.account.brands[0];
        let terms = Terms::of(&self.account, brand);
        let sales = Sales {
            account: self.account.number,
            brand: brand.number,
            source: Source::Caller { token: brand.token },
            items: raws.map(|raw| Item::read(&raw, &terms)).collect(),
            today: dates::today(self.account.zone, chrono::Utc::now()),
            planned_for: self.account.config_version,
        };
        let mut job = [Job::new(Command::Sales(sales), None)];
        let mut desk = Desk {
            directory: &self.directory,
            max_open_faults: 1_000_000,
            purge: &mut self.purge,
            codes: &mut Codes::new(0),
            days: &mut Days::default(),
        };
        self.groups += 1;
        self.queries.lock().unwrap().clear();
        group::attempt(&mut self.db, &mut job, &mut desk, [self.groups; 16], &[]).unwrap();
        let Some(Ok(Done::Sales(outcomes))) = job[0].answer.take() else {
            panic!("{:?}", job[0].answer);
        };
        (outcomes, cost(&self.queries.lock().unwrap()))
    }
}

fn cost(queries: &[String]) -> Cost {
    let mut cost = Cost {
        reads: 0,
        writes: 0,
        texts: HashSet::new(),
    };
    for query in queries {
        // What is bound stands behind the text.
        let text = query.split(" -- binds").next().unwrap_or_default();
        // Where texts of clients stand in a statement, they are hexadecimal digits.
        let statements = text.split(';').filter(|one| !one.trim().is_empty());
        for statement in statements {
            match statement.trim_start().to_ascii_uppercase() {
                read if read.starts_with("SELECT") || read.starts_with("WITH") => cost.reads += 1,
                _ => cost.writes += 1,
            }
        }
        cost.texts.insert(text.to_owned());
    }
    cost
}

/// Sales of a series, each of another customer and known by two ids.
fn sales(series: &str, count: usize, value: usize, order: &str) -> impl Iterator<Item = String> {
    let (series, order) = (series.to_owned(), order.to_owned());
    (0..count).map(move |n| {
        format!(
            r#"{{"match_key":{{"email":"p{n}@example.com","phone":"+1 212 555 {n:04}"}},"event_time":"2020-01-02 10:00:00","external_sale_id":"{series}-{n}","order_id":"{order}-{n}","value":{value},"note":"café"}}"#
        )
    })
}

/// Sales of nobody's.
fn strangers(series: &str, count: usize) -> impl Iterator<Item = String> {
    let of_all = sales(series, count, 1, series);
    of_all.map(|raw| {
        raw.replace("@example.com", "@example.net")
            .replace("+1", "+2")
    })
}

on_both_engines! {
    fn statements_do_not_grow_with_the_sales(engine: Engine) {
        let database = Database::new(engine);
        let mut seen = Seen::new(&database);
        // Where nothing is open, nothing is looked for that could be closed.
        seen.post(strangers("first", 1));
        let mut costs: Vec<Vec<Cost>> = Vec::new();
        for count in [1, 10, PEOPLE] {
            let series = format!("S{count}");
            let mut of_count = Vec::new();
            let mut note = |(outcomes, cost): (Vec<SaleOutcome>, Cost), fits: fn(&SaleOutcome) -> bool| {
                assert_eq!(outcomes.len(), count);
                assert!(outcomes.iter().all(fits), "{outcomes:?}");
                of_count.push(cost);
            };
            note(seen.post(sales(&series, count, 3, &series)), |told| matches!(told, SaleOutcome::Created { .. }));
            // Nothing has changed.
            note(seen.post(sales(&series, count, 3, &series)), |told| matches!(told, SaleOutcome::Updated { .. }));
            // Points and ids of each change.
            note(seen.post(sales(&series, count, 4, &format!("T{count}"))), |told| matches!(told, SaleOutcome::Updated { .. }));
            note(seen.post(strangers(&series, count)), |told| *told == SaleOutcome::NotFound);
            // Those that were kept before are superseded.
            note(seen.post(strangers(&series, count)), |told| *told == SaleOutcome::NotFound);
            costs.push(of_count);
        }
        for (step, name) in ["created", "equal", "changed", "kept", "kept again"].into_iter().enumerate() {
            let [one, ten, thousand] = [&costs[0][step], &costs[1][step], &costs[2][step]];
            println!(
                "RESULT {engine:?}: {name}: reads {} {} {}, writes {} {} {}",
                one.reads, ten.reads, thousand.reads, one.writes, ten.writes, thousand.writes
            );
            assert_eq!((one.reads, ten.reads), (ten.reads, thousand.reads), "{name}");
            // Rows are closed by 500 at a time.
            let chunks = if name == "kept again" { 1 } else { 0 };
            match engine {
                Engine::Sqlite => assert!(
                    thousand.texts.len() <= one.texts.len() + chunks + 1,
                    "{name}: {:?}",
                    thousand.texts.difference(&one.texts)
                ),
                #[cfg(feature = "mysql")]
                Engine::Mysql => {
                    assert_eq!(one.writes, ten.writes, "{name}");
                    // A text has half a MiB of rows at most.
                    assert!(thousand.writes <= one.writes + chunks + 4, "{name}: {} writes", thousand.writes);
                }
            }
        }
        drop(seen);
        process::verify(&database);
    }
}
