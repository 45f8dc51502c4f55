//! A connection to MariaDB that is lost just before or just after COMMIT: nothing doubled, nothing lost, every answer
//! true.

use crate::support::app::{App, Shop, WORLD};
use crate::support::engine::{Database, Engine};
use crate::support::proxy::{Cut, Proxy};
use diesel::prelude::*;
use punchcard::store::schema::{batches, journal};
use std::sync::atomic::{AtomicI64, Ordering};

/// A gateway that reaches its database through a proxy.
fn behind_a_proxy(settings: &[(&str, &str)]) -> (App, Proxy) {
    let mut database = Database::new(Engine::Mysql);
    let direct = database.url.clone();
    let server = direct
        .rsplit('@')
        .next()
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let proxy = Proxy::before(server.clone());
    database.url = direct.replace(&server, &proxy.address.to_string());
    (App::on(database, settings), proxy)
}

/// How many cuts of each kind: 50, or what `PUNCHCARD_CUTS` says.
fn cuts() -> u32 {
    std::env::var("PUNCHCARD_CUTS").map_or(50, |n| n.parse().unwrap())
}

fn authorizations(shop: &Shop<'_>) -> Vec<String> {
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let mut found: Vec<Option<String>> = journal::table
        .filter(journal::account_id.eq(account))
        .filter(journal::batch.is_not_null())
        .select(journal::authorization)
        .load(db)
        .unwrap();
    found.sort();
    found.into_iter().map(Option::unwrap).collect()
}

fn cut_around_commit(cut: Cut) {
    let (app, proxy) = behind_a_proxy(&[]);
    let shop = app.shop(WORLD);
    let round = AtomicI64::new(0);
    for n in 0..cuts() {
        proxy.cut_next(cut);
        // Two clients, so that some groups hold more than one request.
        std::thread::scope(|scope| {
            for client in 0..2 {
                let (shop, round) = (&shop, &round);
                scope.spawn(move || {
                    let reply = shop.lines(&format!("P|12121|N|1||cut-{n}-{client}\nP|12121|Y|1||cut-{n}-{client}\nP|12122|N|1||cut-{n}-{client}"));
                    assert_eq!(reply.status, 200, "{}", reply.body);
                    assert!(reply.body.contains("<transactions>3<"), "{}", reply.body);
                    round.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
    }
    assert!(
        proxy.cuts() >= cuts(),
        "{} connections were cut",
        proxy.cuts()
    );
    let answered = round.into_inner();
    let expected: Vec<String> = {
        let mut all: Vec<String> = (0..cuts())
            .flat_map(|n| (0..2).flat_map(move |client| vec![format!("cut-{n}-{client}"); 3]))
            .collect();
        all.sort();
        all
    };
    assert_eq!(authorizations(&shop), expected, "each line once");
    assert_eq!(shop.balance("P", "12122"), answered * 10_000);
    assert_eq!(shop.balance("P", "12121"), 1500 * 10_000);
    drop(app.stop());
}

#[test]
fn fifty_connections_cut_just_before_commit() {
    cut_around_commit(Cut::Before);
}

#[test]
fn fifty_connections_cut_just_after_commit() {
    cut_around_commit(Cut::After);
}

/// The database is gone for longer than the gateway asks for it: the answer says that the outcome is unknown, and
/// the reference in it tells later which it was.
fn gone_at_commit(cut: Cut, posted: bool) {
    let (app, proxy) = behind_a_proxy(&[("db_retry_ms", "300")]);
    let shop = app.shop(WORLD);
    proxy.cut_next_and_stay_away(cut);
    let reply = shop.lines("P|12122|N|5||gone");
    proxy.come_back();
    assert_eq!(reply.status, 503);
    let (_, rest) = reply
        .body
        .split_once("outcome unknown, reference ")
        .expect("a reference");
    let reference = hex::decode(&rest[..32]).unwrap();
    let found: i64 = batches::table
        .filter(batches::commit_id.eq(reference))
        .count()
        .get_result(&mut app.db())
        .unwrap();
    assert_eq!(found, i64::from(posted));
    assert_eq!(shop.balance("P", "12122"), if posted { 50_000 } else { 0 });
    // The gateway goes on by itself.
    assert!(shop.lines("P|12122|N|1||").body.contains("all_imported"));
    drop(app.stop());
}

#[test]
fn a_database_gone_before_commit_leaves_an_unknown_outcome_that_proves_not_posted() {
    gone_at_commit(Cut::Before, false);
}

#[test]
fn a_database_gone_after_commit_leaves_an_unknown_outcome_that_proves_posted() {
    gone_at_commit(Cut::After, true);
}

#[test]
fn a_caller_is_not_kept_for_ever_by_a_database_that_has_vanished() {
    let (app, proxy) = behind_a_proxy(&[("write_timeout_ms", "300"), ("queue_timeout_ms", "200")]);
    let shop = app.shop(WORLD);
    proxy.cut_next(Cut::Stall);
    let reply = shop.lines("P|12122|N|5||stalled");
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("outcome unknown"), "{}", reply.body);
    assert_eq!(
        reply.header("retry-after"),
        None,
        "sending it again may post it twice"
    );
    // Once the connection ends the writer finds out and posts it: that was left open by the answer.
    let began = std::time::Instant::now();
    while shop.balance("P", "12122") == 0 && began.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(shop.balance("P", "12122"), 50_000);
    assert!(shop.lines("P|12122|N|1||").body.contains("all_imported"));
    drop(app.stop());
}
