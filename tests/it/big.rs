//! A hundred thousand lines in one request, against the real program: taken, within bounded memory.

use crate::support::app::fields;
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};
use std::fmt::Write;

const LINES: usize = 100_000;
/// What the server may have resident at its worst.
const MEMORY_MAX: u64 = 300_000_000;

/// One account with a thousand customers.
fn world() -> String {
    let mut text = "[[account]]\nid = \"big\"\nname = \"Big\"\ncurrency = \"EUR\"\ntimezone = \"Europe/Berlin\"\n\
                    country = \"DE\"\n[[account.user]]\nid = \"clerk\"\napi_key = \"key-of-the-clerk\"\n\
                    [[account.campaign]]\nid = \"P\"\ntype = \"points\"\nname = \"Points\"\n"
        .to_owned();
    for customer in 0..1000 {
        writeln!(text, "[[account.customer]]\ncode = \"c{customer}\"").unwrap();
    }
    text
}

/// A request of so many lines, of which those that `bad` picks have an amount that is none.
fn request(encoding: Encoding, bad: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut data = String::new();
    for line in 0..LINES {
        let mark = if bad(line) { "x" } else { "" };
        writeln!(
            data,
            "P|c{}|N|{}.25{mark}|2015-06-{:02}|auth-{line}",
            line % 1000,
            line % 50 + 1,
            line % 28 + 1
        )
        .unwrap();
    }
    let mut all = fields(&[
        ("API", "1.5"),
        ("user_id", "clerk"),
        ("user_api_key", "key-of-the-clerk"),
        ("account_id", "big"),
        ("type", "batch_transactions"),
    ]);
    all.extend(fields(&crate::support::app::COLUMNS));
    all.push(("Visits_Data".to_owned(), data));
    client::request("/api.php", encoding, &[], &all)
}

fn assert_all(reply: &Reply) {
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        reply.body.contains("<batch status=\"all_imported\">")
            && reply.body.contains("<transactions>100000</transactions>"),
        "{}",
        reply.body
    );
}

fn assert_small(server: &Server, after: &str) {
    let peak = server.peak_memory();
    println!("peak memory after {after}: {} MB", peak / 1_000_000);
    assert!(peak < MEMORY_MAX, "{peak} bytes after {after}");
}

on_both_engines! {
    fn a_hundred_thousand_lines_in_one_post(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &world());
        let server = Serve::on(&database).start();
        assert_all(&server.exchange(&request(Encoding::Urlencoded, |_| false)));
        assert_small(&server, "an urlencoded request");
        assert_all(&server.exchange(&request(Encoding::Multipart, |_| false)));
        assert_small(&server, "a multipart request");
        let reply = server.exchange(&request(Encoding::Multipart, |line| line % 10 < 3));
        assert_eq!(reply.status, 200);
        for part in [
            "<batch status=\"partially_imported\">",
            "<transactions>70000</transactions>",
            "<rejected>30000</rejected>",
        ] {
            assert!(reply.body.contains(part), "{}", reply.body);
        }
        assert_small(&server, "a request with 30,000 refused lines");
        server.stop();
        process::verify(&database);
    }
}
