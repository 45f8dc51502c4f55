//! A server that is killed while it works off a job: each contact is worked off once, each credit is spent once, the
//! purchase is there once, and the webhook is the same one however often it comes.

use crate::support::dns::{Dns, Record, Zone};
use crate::support::engine::{Database, Engine};
use crate::support::jobs::{self, account};
use crate::support::load::Random;
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};
use crate::support::sink::{Answer, Sink};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{
    contacts, credits, customers, purchases, sync_heads, sync_items, sync_queue,
};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How many kills: 5, or what `PUNCHCARD_SYNC_KILLS` says.
fn kills() -> u64 {
    std::env::var("PUNCHCARD_SYNC_KILLS").map_or(5, |n| n.parse().unwrap())
}

/// Kills of one job: fewer than those after which an item is taken for the cause.
const KILLS_OF_A_JOB: u64 = 5;
const LEASE_MS: u64 = 500;
const CONTACTS: usize = 1000;
const CREDITS: i64 = 700;

fn request(url: &str) -> String {
    let contacts: Vec<String> = (0..CONTACTS)
        .map(|n| {
            format!(
                r#"{{"user_id":"u{n}","email":"u{n}@d{}.example","gdpr_accept_terms":true}}"#,
                n % 40
            )
        })
        .collect();
    format!(
        r#"{{"origin":"PMS","options":{{"email_validation":{{"validate":true}},"webhook":{{"url":"{url}"}}}},"contacts":[{}],"purchase":{{"uuid":"p","transaction_code":"T1","price":545.50,"currency":"EUR"}}}}"#,
        contacts.join(",")
    )
}

fn serve(database: &Database, dns: &Dns) -> Server {
    Serve::on(database)
        .with("dns_server", &dns.address.to_string())
        .with("webhook_allow", "127.0.0.0/8")
        .with("lease_ms", &LEASE_MS.to_string())
        .with("worker_poll_ms", "20")
        // A killed server's claim on the webhook holds for as long as a try may take, and then some.
        .with("webhook_timeout_ms", "1000")
        .start()
}

/// How far the job is, if it is not done.
fn cursor(database: &Database) -> Option<i32> {
    let row = sync_queue::table.select(sync_queue::cursor_at);
    row.first(&mut database.connect(Role::Reader))
        .optional()
        .unwrap()
}

/// Everything the job has brought is there once.
fn check(database: &Database, view: &serde_json::Value) {
    assert_eq!(view["status"], "completed", "{view}");
    assert_eq!(view["contacts_valid_count"], CONTACTS, "{view}");
    assert_eq!(view["credits_charged"], CREDITS);
    let db = &mut database.connect(Role::Reader);
    let items: Vec<(i32, Option<i64>)> = sync_items::table
        .order(sync_items::item)
        .select((sync_items::item, sync_items::customer))
        .load(db)
        .unwrap();
    let places: Vec<usize> = items.iter().map(|(item, _)| *item as usize).collect();
    assert_eq!(places, (0..CONTACTS).collect::<Vec<usize>>());
    let people: HashSet<i64> = items.iter().filter_map(|(_, customer)| *customer).collect();
    assert_eq!(people.len(), CONTACTS);
    let count = |all: i64| all as usize;
    assert_eq!(
        count(customers::table.count().get_result(db).unwrap()),
        CONTACTS
    );
    assert_eq!(
        count(contacts::table.count().get_result(db).unwrap()),
        CONTACTS
    );
    assert_eq!(count(purchases::table.count().get_result(db).unwrap()), 1);
    let heads: (i64, Option<i64>) = sync_heads::table
        .select((sync_heads::next_consent, sync_heads::credits))
        .first(db)
        .unwrap();
    assert_eq!(heads, (CONTACTS as i64 + 1, Some(0)));
    let spent: Vec<i64> = credits::table
        .filter(credits::kind.eq("spent"))
        .select(credits::amount)
        .load(db)
        .unwrap();
    assert_eq!(spent.iter().sum::<i64>(), -CREDITS);
    process::verify(database);
}

on_both_engines! {
    fn kill_9_while_a_job_is_worked_off(engine: Engine) {
        let began = Instant::now();
        let mut random = Random::new();
        let (mut left, mut inside, mut halves, mut sent) = (kills(), 0, 0, 0);
        while left > 0 {
            // Every name a little late, so that a kill may fall between two commits as well.
            let dns = Dns::start([]);
            dns.otherwise(Zone::Late(30, vec![Record::Mx(10, "mx.example")]));
            let sink = Sink::start([Answer::Late(200, 30)]);
            let database = Database::new(engine);
            process::apply(&database, &account("hotel", &format!("email_credits = {CREDITS}")));
            let mut server = serve(&database, &dns);
            let job = jobs::post(server.address, "hotel", &request(&sink.url("/hook")));
            for nth in 0..left.min(KILLS_OF_A_JOB) {
                left -= 1;
                // The claim of the server that was killed holds for a while.
                let wait = if nth == 0 { random.between(5, 150) } else { random.between(LEASE_MS / 2, LEASE_MS + 100) };
                std::thread::sleep(Duration::from_millis(wait));
                drop(server.kill());
                database.wait_until_alone();
                let cursor = cursor(&database);
                inside += u64::from(cursor.is_some());
                halves += u64::from(cursor.is_some_and(|cursor| cursor > 0));
                process::verify(&database);
                server = serve(&database, &dns);
                if cursor.is_none() {
                    break;
                }
            }
            let view = jobs::done(server.address, "hotel", &job);
            let hooks = sink.wait_for(1);
            sent += hooks.len();
            let ids: HashSet<&str> = hooks.iter().filter_map(|hook| hook.header("webhook-id")).collect();
            assert_eq!(ids.len(), 1, "{ids:?}");
            assert!(hooks[0].text().contains(&job));
            // The worker has noted the answer by the time that it has stopped.
            server.stop();
            check(&database, &view);
        }
        // `scripts/soak` reads this line.
        println!(
            "RESULT {engine:?}: {} kills, {inside} before the job was done, {halves} between its first and last contact, \
             {sent} webhooks received, {} s",
            kills(),
            began.elapsed().as_secs()
        );
        assert!(inside > 0, "none of {} kills came before the job was done", kills());
    }
}
