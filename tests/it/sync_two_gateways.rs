//! Two gateways over one MariaDB share the jobs. One of them hangs for longer than its claims hold and then goes on:
//! what it had begun is done by the other, and it notices.

use crate::support::dns::{Dns, Record, Zone};
use crate::support::engine::{Database, Engine};
use crate::support::jobs::{self, account};
use crate::support::process::{self, Serve, Server};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{consents, credits, customers, purchases, sync_items};
use std::time::Duration;

const ACCOUNTS: usize = 8;
const CONTACTS: usize = 20;
const LEASE: Duration = Duration::from_millis(2000);

/// How many jobs: 40, or what `PUNCHCARD_SYNC_JOBS` says.
fn jobs() -> usize {
    std::env::var("PUNCHCARD_SYNC_JOBS").map_or(40, |n| n.parse().unwrap())
}

fn request(job: usize) -> String {
    // A domain of its own for each job: its verdicts are not known from another one.
    let contacts: Vec<String> = (0..CONTACTS)
        .map(|n| format!(r#"{{"user_id":"j{job}u{n}","email":"u{n}@job{job}.example","gdpr_accept_terms":true}}"#))
        .collect();
    format!(
        r#"{{"origin":"PMS","options":{{"email_validation":{{"validate":true}}}},"contacts":[{}],"purchase":{{"uuid":"p","transaction_code":"T{job}","price":1,"currency":"EUR"}}}}"#,
        contacts.join(",")
    )
}

fn serve(database: &Database, dns: &Dns, log: &'static str) -> Server {
    Serve::on(database)
        .with("dns_server", &dns.address.to_string())
        .with("lease_ms", &LEASE.as_millis().to_string())
        .with("worker_poll_ms", "50")
        .log_to(log)
        .start()
}

#[test]
fn two_gateways_share_the_jobs_and_one_that_hung_changes_nothing() {
    let dns = Dns::start([]);
    dns.otherwise(Zone::Late(150, vec![Record::Mx(10, "mx.example")]));
    let database = Database::new(Engine::Mysql);
    let credits_given = CONTACTS * jobs();
    let world: String = (0..ACCOUNTS)
        .map(|n| {
            account(
                &format!("hotel{n}"),
                &format!("email_credits = {credits_given}"),
            )
        })
        .collect();
    process::apply(&database, &world);
    let one = serve(&database, &dns, "one.log");
    let other = serve(&database, &dns, "other.log");
    let all: Vec<(String, String)> = (0..jobs())
        .map(|n| {
            let server = if n % 2 == 0 { &one } else { &other };
            let account = format!("hotel{}", n % ACCOUNTS);
            let job = jobs::post(server.address, &account, &request(n));
            (account, job)
        })
        .collect();
    while !one.log().contains("a job is done") {
        std::thread::sleep(Duration::from_millis(5));
    }
    // It has begun others by now, and most of the time they wait for the name server.
    std::thread::sleep(Duration::from_millis(50));
    process::kill("STOP", one.pid);
    std::thread::sleep(LEASE + Duration::from_millis(1500));
    process::kill("CONT", one.pid);
    for (account, job) in &all {
        let view = jobs::done(other.address, account, job);
        assert_eq!(view["status"], "completed", "{view}");
        assert_eq!(view["contacts_valid_count"], CONTACTS, "{view}");
        assert_eq!(view["credits_charged"], CONTACTS, "{view}");
        assert_eq!(view["purchase_result"]["status"], "created", "{view}");
        let results = view["results"].as_array().unwrap();
        let indexes: Vec<u64> = results
            .iter()
            .map(|result| result["index"].as_u64().unwrap())
            .collect();
        assert_eq!(indexes, (0..CONTACTS as u64).collect::<Vec<u64>>());
    }
    // Whoever woke up has had the time to notice.
    std::thread::sleep(Duration::from_millis(500));
    let logs = [one.log(), other.log()];
    one.stop();
    other.stop();
    for log in &logs {
        assert!(log.contains("a job is done"), "{log}");
    }
    assert!(logs[0].contains("claim lost"), "{}", logs[0]);
    let db = &mut database.connect(Role::Reader);
    let whole = jobs() * CONTACTS;
    let same = |found: i64, wanted: usize, what: &str| assert_eq!(found as usize, wanted, "{what}");
    same(
        sync_items::table.count().get_result(db).unwrap(),
        whole,
        "items",
    );
    same(
        customers::table.count().get_result(db).unwrap(),
        whole,
        "customers",
    );
    same(
        consents::table.count().get_result(db).unwrap(),
        whole,
        "consents",
    );
    same(
        purchases::table.count().get_result(db).unwrap(),
        jobs(),
        "purchases",
    );
    let spent: Vec<i64> = credits::table
        .filter(credits::kind.eq("spent"))
        .select(credits::amount)
        .load(db)
        .unwrap();
    same(-spent.iter().sum::<i64>(), whole, "credits");
    process::verify(&database);
    let done: Vec<usize> = logs
        .iter()
        .map(|log| log.matches("a job is done").count())
        .collect();
    println!("RESULT two gateways: {} jobs, done by {done:?}", jobs());
}
