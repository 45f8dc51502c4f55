//! What a failing database does to the requests of a group.

use crate::support::app::{App, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use std::sync::Barrier;

/// A trigger that refuses one authorization: what a constraint, a wrong length or a broken page would do.
pub fn poison(app: &App) {
    let sql = match app.database.engine {
        Engine::Sqlite => {
            "CREATE TRIGGER poison BEFORE INSERT ON journal WHEN NEW.authorization = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            "CREATE TRIGGER poison BEFORE INSERT ON journal FOR EACH ROW \
             BEGIN IF NEW.authorization = 'poison' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poisoned'; END IF; END"
        }
    };
    app.database
        .connect(Role::Migrator)
        .batch_execute(sql)
        .unwrap();
}

on_both_engines! {
    fn one_neighbours_poison_fails_only_that_request(engine: Engine) {
        let app = App::start(engine, &[]);
        poison(&app);
        let shop = app.shop(WORLD);
        let barrier = Barrier::new(24);
        let replies: Vec<(usize, String)> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..24)
                .map(|client| {
                    let (barrier, shop) = (&barrier, &shop);
                    scope.spawn(move || {
                        let authorization = if client % 8 == 3 { "poison" } else { "fine" };
                        barrier.wait();
                        (client, shop.lines(&format!("P|12122|N|1||{authorization}\nP|12122|N|2||fine")).body)
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        for (client, body) in replies {
            if client % 8 == 3 {
                assert!(body.contains("could not be stored; nothing was posted (reference "), "{body}");
                assert!(!body.contains("poison"), "the cause is for the log: {body}");
            } else {
                assert!(body.contains("all_imported"), "{body}");
            }
        }
        assert_eq!(shop.counts(), (21, 42, 0));
        assert_eq!(shop.balance("P", "12122"), 63 * 10_000);
        // The writer goes on.
        assert!(shop.lines("P|12122|N|1||").body.contains("all_imported"));
        drop(app.stop());
    }

    fn a_request_that_waits_too_long_is_told_that_nothing_was_posted(engine: Engine) {
        let app = App::start(engine, &[("queue_timeout_ms", "100"), ("db_retry_ms", "100")]);
        let shop = app.shop(WORLD);
        // Somebody else holds the account's head.
        let mut other = app.database.connect(Role::Writer);
        punchcard::store::dialect::begin(&mut other).unwrap();
        let account = shop.number(&mut app.db());
        punchcard::store::heads::take(&mut other, &[account]).unwrap();
        let reply = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| shop.lines("P|12122|N|1||"));
            std::thread::sleep(std::time::Duration::from_millis(300));
            punchcard::store::dialect::rollback(&mut other).unwrap();
            waiting.join().unwrap()
        });
        assert_eq!(reply.status, 503);
        assert!(reply.body.contains("nothing was posted"), "{}", reply.body);
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(shop.counts(), (0, 0, 0));
        drop(app.stop());
    }

    fn a_full_queue_refuses_and_says_that_nothing_was_posted(engine: Engine) {
        let app = App::start(engine, &[("queue_requests", "2")]);
        let shop = app.shop(WORLD);
        let mut other = app.database.connect(Role::Writer);
        punchcard::store::dialect::begin(&mut other).unwrap();
        let account = shop.number(&mut app.db());
        punchcard::store::heads::take(&mut other, &[account]).unwrap();
        let replies: Vec<u16> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..12).map(|_| scope.spawn(|| shop.lines("P|12122|N|1||").status)).collect();
            std::thread::sleep(std::time::Duration::from_millis(500));
            punchcard::store::dialect::rollback(&mut other).unwrap();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let posted = replies.iter().filter(|status| **status == 200).count();
        let refused = replies.iter().filter(|status| **status == 503).count();
        assert_eq!(posted + refused, 12);
        assert!((2..=11).contains(&posted), "{posted} of 12 were posted");
        assert_eq!(shop.balance("P", "12122"), i64::try_from(posted).unwrap() * 10_000);
        drop(app.stop());
    }

    fn a_client_that_hangs_up_while_it_waits_is_not_posted(engine: Engine) {
        let app = App::start(engine, &[]);
        let shop = app.shop(WORLD);
        let mut other = app.database.connect(Role::Writer);
        punchcard::store::dialect::begin(&mut other).unwrap();
        let account = shop.number(&mut app.db());
        punchcard::store::heads::take(&mut other, &[account]).unwrap();
        // The first request occupies the writer, which waits for the head; the second waits in the queue.
        let first = std::thread::scope(|scope| {
            let first = scope.spawn(|| shop.lines("P|12122|N|1||"));
            std::thread::sleep(std::time::Duration::from_millis(300));
            let mut all = shop.common();
            all.extend(crate::support::app::fields(&crate::support::app::COLUMNS));
            all.push(("Visits_Data".to_owned(), "P|12122|N|100||".to_owned()));
            let bytes = crate::support::client::request("/", crate::support::client::Encoding::Urlencoded, &[], &all);
            let mut stream = std::net::TcpStream::connect(app.address).unwrap();
            std::io::Write::write_all(&mut stream, &bytes).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(200));
            drop(stream);
            std::thread::sleep(std::time::Duration::from_millis(200));
            punchcard::store::dialect::rollback(&mut other).unwrap();
            first.join().unwrap()
        });
        assert_eq!(first.status, 200);
        assert_eq!(shop.balance("P", "12122"), 10_000);
        drop(app.stop());
    }

    fn a_large_batch_prepared_under_another_configuration_is_looked_up_again(engine: Engine) {
        let app = App::start(engine, &[("large_request_lines", "1")]);
        let shop = app.shop(&WORLD.replace("id = \"P\"\ntype", "id = \"P\"\nactive = false\ntype"));
        let mut other = app.database.connect(Role::Writer);
        punchcard::store::dialect::begin(&mut other).unwrap();
        let account = shop.number(&mut app.db());
        punchcard::store::heads::take(&mut other, &[account]).unwrap();
        let reply = std::thread::scope(|scope| {
            let large = scope.spawn(|| {
                let lines = [&crate::support::app::COLUMNS[..], &[
                    ("create_new_customers", "Y"),
                    ("Visits_Data", "P|12121|N|1||\nP|12122|N|2||\nG|12121|N|1||"),
                ]].concat();
                shop.post(&lines)
            });
            std::thread::sleep(std::time::Duration::from_millis(400));
            // While it waits, the campaign becomes active.
            diesel::sql_query(format!("UPDATE campaigns SET active = 1 WHERE account_id = {account} AND campaign_id = 'P'"))
                .execute(&mut other)
                .unwrap();
            diesel::sql_query(format!("UPDATE account_heads SET config_version = config_version + 1 WHERE account_id = {account}"))
                .execute(&mut other)
                .unwrap();
            punchcard::store::dialect::commit(&mut other).unwrap();
            large.join().unwrap()
        });
        assert!(reply.body.contains("all_imported"), "{}", reply.body);
        assert!(!reply.body.contains("new_customers"), "{}", reply.body);
        assert_eq!(shop.balance("P", "12122"), 20_000);
        drop(app.stop());
    }
}
