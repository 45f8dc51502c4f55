//! A server that is killed or told to end under load. What it acknowledged is there exactly once, nothing is half
//! there, and `verify` holds.

use crate::support::app::fields;
use crate::support::audit::Books;
use crate::support::client;
use crate::support::engine::{Database, Engine};
use crate::support::load::{self, Load, Random, Told};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve};
use punchcard::store::connect::Role;
use punchcard::store::{dialect, heads};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How many kills: 8, or what `PUNCHCARD_KILLS` says.
fn kills() -> u64 {
    std::env::var("PUNCHCARD_KILLS").map_or(8, |n| n.parse().unwrap())
}

/// Whether a group had begun and was not answered when the log ended. Writers may work side by side, and a group that
/// met a conflict begins again.
fn inside_a_group(log: &str) -> bool {
    let times = |text| log.matches(text).count();
    times(": group begins ") > times(": group is answered ") + times(": a group is written again")
}

fn prepared(engine: Engine) -> Database {
    let database = Database::new(engine);
    process::apply(&database, &load::world());
    database
}

on_both_engines! {
    fn kill_9_at_random_moments_under_load(engine: Engine) {
        let began = Instant::now();
        let database = prepared(engine);
        let mut random = Random::new();
        let mut books = Books::default();
        let (mut inside, mut next) = (0, 1);
        for _ in 0..kills() {
            let server = Serve::on(&database).with("log", "punchcard::posting=trace").start();
            let load = Load::new(next);
            let wait = Duration::from_millis(random.between(30, 250));
            let mut log = String::new();
            load.run(server.address, || {
                load.wait_until_it_flows();
                std::thread::sleep(wait);
                load.ending();
                log = server.kill();
            });
            inside += u64::from(inside_a_group(&log));
            let sent;
            (sent, next) = load.into_books();
            books.check(&database, &sent);
            process::verify(&database);
        }
        // The last restart works as well as the first start did.
        let server = Serve::on(&database).start();
        let load = Load::new(next);
        assert_eq!(load.post(server.address, 3), Told::Posted);
        server.stop();
        books.check(&database, &load.into_books().0);
        let tally = books.tally;
        // `scripts/soak` reads this line.
        println!(
            "RESULT {engine:?}: {} rounds, {inside} inside a group, {} lines in {} requests acknowledged, {} requests \
             without an answer of which {} were posted whole and {} not at all, {} s",
            kills(),
            tally.lines,
            tally.acknowledged,
            tally.unanswered_posted + tally.unanswered_absent,
            tally.unanswered_posted,
            tally.unanswered_absent,
            began.elapsed().as_secs()
        );
        assert!(tally.acknowledged > kills(), "{tally:?}");
        assert!(inside * 2 >= kills(), "only {inside} of {} kills were inside a group", kills());
    }

    fn sigterm_under_load_posts_nothing_without_an_answer(engine: Engine) {
        let database = prepared(engine);
        let mut books = Books::default();
        let mut next = 1;
        for _ in 0..3 {
            let mut server = Serve::on(&database).with("log", "punchcard::posting=trace").start();
            let load = Load::new(next);
            load.run(server.address, || {
                std::thread::sleep(Duration::from_millis(200));
                load.ending();
                server.terminate();
                let status = server.wait();
                assert_eq!(status.code(), Some(0), "{}", server.log());
            });
            // And this is how we know that the count of kills inside a group is right.
            let log = server.log();
            assert!(log.contains(": group begins ") && !inside_a_group(&log), "{log}");
            let sent;
            (sent, next) = load.into_books();
            books.check(&database, &sent);
            // A connection that nobody had looked at yet may end without an answer; what was taken may not.
            assert_eq!(books.tally.unanswered_posted, 0, "{sent:?}");
        }
        let tally = books.tally;
        println!(
            "SIGTERM, {engine:?}: {} requests answered, {} that found nobody, {} cut before they were taken",
            tally.acknowledged, tally.told_nothing, tally.unanswered_absent
        );
        assert!(tally.acknowledged > 0);
        process::verify(&database);
    }

    fn sigterm_ends_a_server_well_from_the_moment_it_says_that_it_listens(engine: Engine) {
        let database = prepared(engine);
        for _ in 0..10 {
            Serve::on(&database).start().stop();
        }
    }

    fn requests_that_wait_when_sigterm_comes_are_answered(engine: Engine) {
        let database = prepared(engine);
        let mut server = Serve::on(&database).with("db_retry_ms", "60000").with("queue_timeout_ms", "60000").start();
        // A connection that was used and stays open must not hold up the end.
        let mut idle = TcpStream::connect(server.address).unwrap();
        idle.write_all(b"GET /api.php?type=none HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(idle.read(&mut [0; 4096]).unwrap() > 0);
        // A body that is half sent when the signal comes.
        let form = client::request("/api.php", client::Encoding::Urlencoded, &[], &fields(&[("type", "none")]));
        let (first, second) = form.split_at(form.len() - 3);
        let mut slow = TcpStream::connect(server.address).unwrap();
        slow.write_all(first).unwrap();
        // Somebody else holds the heads, so that nothing is written until we let go.
        let mut other = database.connect(Role::Writer);
        dialect::begin(&mut other).unwrap();
        heads::take(&mut other, &[1, 2]).unwrap();
        let load = Load::new(1);
        std::thread::scope(|scope| {
            let clients: Vec<_> =
                (1..=12).map(|lines| { let (load, server) = (&load, &server); scope.spawn(move || load.post(server.address, lines)) }).collect();
            std::thread::sleep(Duration::from_millis(1500));
            server.terminate();
            std::thread::sleep(Duration::from_millis(500));
            dialect::rollback(&mut other).unwrap();
            drop(other);
            slow.write_all(second).unwrap();
            for client in clients {
                assert_eq!(client.join().unwrap(), Told::Posted);
            }
        });
        let mut answer = String::new();
        slow.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let since = Instant::now();
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
        assert!(since.elapsed() < Duration::from_secs(20), "it took {:?} to end", since.elapsed());
        drop(idle);
        let mut books = Books::default();
        books.check(&database, &load.into_books().0);
        assert_eq!(books.tally.acknowledged, 12);
        process::verify(&database);
    }
}
