//! A server that is killed while sales come in: what was acknowledged is there once, what was not is there whole or not at
//! all, and a sale and its points are never apart.

use crate::support::engine::{Database, Engine};
use crate::support::load::Random;
use crate::support::on_both_engines;
use crate::support::process::{self, Serve};
use crate::support::sales::{outcomes, send, world};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{journal, sales};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const CLIENTS: usize = 8;
const TOKEN: &str = "key-of-the-till-1234567890-web";

/// How many kills: 6, or what `PUNCHCARD_SALES_KILLS` says.
fn kills() -> usize {
    std::env::var("PUNCHCARD_SALES_KILLS").map_or(6, |n| n.parse().unwrap())
}

/// A request by its number: so many sales, each with an order of its own. Its value and customer are those of the first
/// or of the second time that it is sent.
#[derive(Clone, Copy, Debug)]
struct Request {
    number: usize,
    sales: usize,
    second: bool,
}

impl Request {
    fn orders(self) -> impl Iterator<Item = String> {
        (0..self.sales).map(move |n| format!("O{}-{n}", self.number))
    }

    fn value(self) -> usize {
        if self.second { 7 } else { 5 }
    }

    fn body(self) -> String {
        let (customer, value) = (1 + usize::from(self.second), self.value());
        let sale = |order| {
            format!(
                r#"{{"match_key":{{"id":{customer}}},"event_time":"2020-01-02","order_id":"{order}","value":{value}}}"#
            )
        };
        let sales: Vec<String> = self.orders().map(sale).collect();
        format!("[{}]", sales.join(","))
    }
}

/// What clients have sent: each request with whether it was acknowledged.
type Sent = Vec<(Request, bool)>;

/// Sends without pause until the server is gone.
fn client(address: SocketAddr, next: &AtomicUsize, ending: &AtomicBool, sent: &Mutex<Sent>) {
    let mut random = Random::new();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let sales = random.between(1, 60) as usize;
        for second in [false, true] {
            let request = Request {
                number,
                sales,
                second,
            };
            let reply = send(address, TOKEN, &request.body());
            let word = if second { "updated" } else { "created" };
            if let Some(reply) = &reply {
                for outcome in outcomes(reply) {
                    assert_eq!(outcome["status"], word, "{outcome}");
                }
            }
            sent.lock().unwrap().push((request, reply.is_some()));
            if reply.is_none() {
                assert!(
                    ending.load(Ordering::SeqCst),
                    "no answer by a healthy server"
                );
                return;
            }
        }
    }
}

/// The values of the sales by their orders.
fn values(database: &Database) -> HashMap<String, usize> {
    let rows: Vec<(Option<String>, Option<i64>)> = sales::table
        .select((sales::order_id, sales::value))
        .load(&mut database.connect(Role::Reader))
        .unwrap();
    let count = rows.len();
    let values: HashMap<String, usize> = rows
        .into_iter()
        .map(|(order, value)| (order.unwrap(), value.unwrap() as usize / 10_000))
        .collect();
    assert_eq!(values.len(), count, "an order is there twice");
    values
}

/// What was told is so. Tells how many requests without an answer were stored, and how many were not.
fn check(database: &Database, sent: &Sent) -> (usize, usize) {
    let values = values(database);
    let (mut stored, mut absent) = (0, 0);
    for (request, acknowledged) in sent {
        let found: Vec<Option<&usize>> = request.orders().map(|order| values.get(&order)).collect();
        assert!(
            found.windows(2).all(|two| two[0] == two[1]),
            "{request:?} is half there: {found:?}"
        );
        let found = found[0].copied();
        // The second time may have come meanwhile.
        let is_there = found.is_some_and(|value| value >= request.value());
        assert!(
            is_there || !acknowledged,
            "{request:?} was acknowledged: {found:?}"
        );
        if !acknowledged {
            if is_there { stored += 1 } else { absent += 1 }
        }
    }
    (stored, absent)
}

/// All points that sales have are those that the journal has given them.
fn check_points(database: &Database) {
    let db = &mut database.connect(Role::Reader);
    let of_sales: Vec<Option<i64>> = sales::table.select(sales::points).load(db).unwrap();
    let given: Vec<i64> = journal::table
        .filter(journal::kind.eq_any([1_i16, 4]))
        .select(journal::amount)
        .load(db)
        .unwrap();
    let points: i64 = of_sales.into_iter().flatten().sum();
    assert_eq!(points, given.into_iter().sum::<i64>());
    process::verify(database);
}

on_both_engines! {
    fn kill_9_while_sales_come_in(engine: Engine) {
        let database = Database::new(engine);
        let text = world("campaign = \"P\"")
            .replace("{account}", "shop")
            .replace("{user}", "till")
            .replace("{key}", "key-of-the-till-1234567890");
        process::apply(&database, &text);
        let (next, mut random) = (AtomicUsize::new(0), Random::new());
        let (mut acknowledged, mut stored, mut absent, mut inside) = (0, 0, 0, 0);
        for _ in 0..kills() {
            let server = Serve::on(&database).with("log", "punchcard::posting=trace").start();
            let address = server.address;
            let (ending, sent) = (AtomicBool::new(false), Mutex::<Sent>::default());
            let wait = Duration::from_millis(random.between(60, 300));
            let mut log = String::new();
            std::thread::scope(|scope| {
                for _ in 0..CLIENTS {
                    scope.spawn(|| client(address, &next, &ending, &sent));
                }
                while sent.lock().unwrap().is_empty() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                std::thread::sleep(wait);
                ending.store(true, Ordering::SeqCst);
                log = server.kill();
            });
            database.wait_until_alone();
            let times = |text| log.matches(text).count();
            inside += usize::from(
                times(": group begins ") > times(": group is answered ") + times(": a group is written again"),
            );
            let sent = sent.into_inner().unwrap();
            acknowledged += sent.iter().filter(|(_, acknowledged)| *acknowledged).count();
            let (is_there, is_not) = check(&database, &sent);
            (stored, absent) = (stored + is_there, absent + is_not);
            check_points(&database);
            // Who had no answer sends it again, and has one sale of each.
            let server = Serve::on(&database).start();
            let unanswered = sent.iter().filter(|(_, acknowledged)| !acknowledged);
            let again: Sent = unanswered.map(|(request, _)| (*request, true)).collect();
            for (request, _) in &again {
                let told = outcomes(&send(server.address, TOKEN, &request.body()).unwrap());
                assert_eq!(told.len(), request.sales);
            }
            server.stop();
            assert_eq!(check(&database, &again), (0, 0));
            check_points(&database);
        }
        println!(
            "RESULT {engine:?}: {} kills, {inside} inside a group, {acknowledged} requests acknowledged, {} without an \
             answer of which {stored} were stored whole and {absent} not at all",
            kills(),
            stored + absent
        );
        assert!(acknowledged > kills());
    }
}
