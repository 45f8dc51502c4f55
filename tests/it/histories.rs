//! A customer with very many transactions: all of them are told, newest first, in little memory.

use crate::big;
use crate::support::app::fields;
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};

/// What telling a hundred thousand transactions may add to what the server has resident.
const MEMORY_MAX: u64 = 30_000_000;

fn ask(server: &Server, kind: &str, more: &[(&str, &str)]) -> Reply {
    let mut all = fields(&[
        ("user_id", "clerk"),
        ("user_api_key", "key-of-the-clerk"),
        ("account_id", "big"),
        ("type", kind),
        ("campaign_id", "P"),
        ("code", "c0"),
    ]);
    all.extend(fields(more));
    server.exchange(&client::request(
        "/api.php",
        Encoding::Urlencoded,
        &[],
        &all,
    ))
}

/// The numbers of the transactions that are told.
fn told(body: &str) -> Vec<usize> {
    assert!(body.ends_with("</transactions></customer></campaign></response>"));
    let entries = body.split("<transaction><id>").skip(1);
    entries
        .map(|entry| entry.split_once('<').unwrap().0.parse().unwrap())
        .collect()
}

on_both_engines! {
    fn a_hundred_thousand_transactions_of_one_customer(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &big::world(1));
        let server = Serve::on(&database).start();
        let lines = big::lines(big::LINES, 1, |_| false);
        let posted = server.exchange(&big::request(Encoding::Urlencoded, &[], lines));
        assert!(posted.body.contains("all_imported"), "{}", posted.body);
        server.stop();

        let server = Serve::on(&database).start();
        let short = ask(&server, "customer_balance", &[("transactions_number", "3")]);
        assert!(short.header("content-length").is_some());
        assert_eq!(told(&short.body), [100_000, 99_999, 99_998]);
        let before = server.peak_memory();
        let all = ask(&server, "customer_balance", &[]);
        let peak = server.peak_memory();
        assert_eq!(all.header("content-length"), None);
        assert!(told(&all.body).into_iter().eq((1..=big::LINES).rev()));
        println!("peak memory: {before} bytes before, {peak} after");
        assert!(peak < before + MEMORY_MAX, "{peak} bytes after {before}");

        // What is taken back in the middle is left out, with what took it back.
        let deleted = ask(&server, "transaction_delete", &[("transaction_id", "50000")]);
        assert!(deleted.body.contains("deleted"), "{}", deleted.body);
        let most = ask(&server, "balance", &[("transactions_number", "60000")]);
        let expected = (1..=big::LINES).rev().filter(|number| *number != 50_000).take(60_000);
        assert!(told(&most.body).into_iter().eq(expected));
        server.stop();
        process::verify(&database);
    }
}
