//! A hundred thousand lines in one request, against the real program: taken, within bounded memory.

use crate::support::app::fields;
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const LINES: usize = 100_000;
/// What the server may have resident at its worst.
const MEMORY_MAX: u64 = 300_000_000;

/// One account with so many customers.
pub fn world(customers: usize) -> String {
    let mut text = "[[account]]\nid = \"big\"\nname = \"Big\"\ncurrency = \"EUR\"\ntimezone = \"Europe/Berlin\"\n\
                    country = \"DE\"\n[[account.user]]\nid = \"clerk\"\napi_key = \"key-of-the-clerk\"\n\
                    [[account.campaign]]\nid = \"P\"\ntype = \"points\"\nname = \"Points\"\n"
        .to_owned();
    for customer in 0..customers {
        writeln!(text, "[[account.customer]]\ncode = \"c{customer}\"").unwrap();
    }
    text
}

/// The lines of a request, spread over so many customers; those that `bad` picks have an amount that is none.
pub fn lines(lines: usize, customers: usize, bad: impl Fn(usize) -> bool) -> String {
    let mut data = String::new();
    for line in 0..lines {
        let mark = if bad(line) { "x" } else { "" };
        writeln!(
            data,
            "P|c{}|N|{}.25{mark}|2015-06-{:02}|auth-{line}",
            line * 7919 % customers,
            line % 50 + 1,
            line % 28 + 1
        )
        .unwrap();
    }
    data
}

/// A request with these lines and fields.
pub fn request(encoding: Encoding, more: &[(&str, &str)], lines: String) -> Vec<u8> {
    let mut all = fields(&[
        ("API", "1.5"),
        ("user_id", "clerk"),
        ("user_api_key", "key-of-the-clerk"),
        ("account_id", "big"),
        ("type", "batch_transactions"),
    ]);
    all.extend(fields(&crate::support::app::COLUMNS));
    all.extend(fields(more));
    all.push(("Visits_Data".to_owned(), lines));
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
        process::apply(&database, &world(1000));
        let server = Serve::on(&database).start();
        let good = lines(LINES, 1000, |_| false);
        assert_all(&server.exchange(&request(Encoding::Urlencoded, &[], good.clone())));
        assert_small(&server, "an urlencoded request");
        assert_all(&server.exchange(&request(Encoding::Multipart, &[], good)));
        assert_small(&server, "a multipart request");
        let bad = lines(LINES, 1000, |line| line % 10 < 3);
        let reply = server.exchange(&request(Encoding::Multipart, &[], bad));
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

/// Runs sqlite3 on a database file.
fn sqlite3(database: &Path, script: &str) -> String {
    use std::io::Write;
    let mut child = Command::new("sqlite3")
        .arg("-bail")
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sqlite3 cannot be started: scripts/test installs it");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}");
    String::from_utf8(output.stdout).unwrap()
}

/// How long sqlite3 takes to import the journal of a database into an empty table of the same shape, in one
/// transaction that is synced as the server's are, and without a checkpoint, which the server does not make either.
fn import(journal_of: &Path) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let (rows, empty) = (dir.path().join("rows.csv"), dir.path().join("import.db"));
    let (rows_shown, from) = (rows.display(), journal_of);
    sqlite3(
        from,
        &format!(
            ".mode csv\n.output {rows_shown}\nSELECT * FROM journal ORDER BY account_id, number;\n"
        ),
    );
    let table = sqlite3(from, ".schema journal\n");
    sqlite3(&empty, &format!("PRAGMA journal_mode = WAL;\n{table}"));
    let since = Instant::now();
    sqlite3(
        &empty,
        &format!(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16384;\n.dbconfig no_ckpt_on_close on\n\
             .mode csv\n.import {rows_shown} journal\n"
        ),
    );
    let took = since.elapsed();
    let count = sqlite3(&empty, "SELECT COUNT(*) FROM journal;\n");
    assert_eq!(count.trim(), LINES.to_string());
    took
}

pub fn median<T: Copy + Ord>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}

/// Times mean something only in a release build on a quiet machine, with a MariaDB that syncs: `scripts/soak big`.
#[test]
#[ignore = "takes times: run scripts/soak big"]
fn the_time_of_a_hundred_thousand_lines_against_an_import_by_sqlite3() {
    let bytes = request(Encoding::Urlencoded, &[], lines(LINES, 1000, |_| false));
    let mut posts = vec![Vec::new(); Engine::all().len()];
    let mut imports = Vec::new();
    for _ in 0..3 {
        for (engine, times) in Engine::all().into_iter().zip(&mut posts) {
            let database = Database::new(engine);
            process::apply(&database, &world(1000));
            let server = Serve::on(&database).durable().start();
            let since = Instant::now();
            let reply = server.exchange(&bytes);
            times.push(since.elapsed());
            assert_all(&reply);
            assert_small(&server, &format!("a request on {engine:?}"));
            server.stop();
            if engine == Engine::Sqlite {
                imports.push(import(Path::new(
                    database.url.strip_prefix("sqlite:").unwrap(),
                )));
            }
        }
    }
    let base = median(imports.clone());
    println!("RESULT import: {imports:.3?}, median {base:.3?}");
    for (engine, times) in Engine::all().into_iter().zip(posts) {
        let median = median(times.clone());
        let ratio = median.as_secs_f64() / base.as_secs_f64();
        println!(
            "RESULT {engine:?}: {times:.3?}, median {median:.3?}, {ratio:.2} times the import"
        );
    }
}
