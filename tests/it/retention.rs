//! Refused lines lose their text when their time is over, and nothing else of them.

use crate::commands::{post, world};
use crate::support::app::fields;
use crate::support::client::{Encoding, exchange, request};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{Serve, apply, succeed, told, verify};
use chrono::Utc;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::rejections::{self as stored, Expired};
use punchcard::store::schema::{accounts, rejections};
use punchcard::store::{Db, migrate};

const KEY: &str = "the till's key";
const DAY_US: i64 = 24 * 3600 * 1_000_000;

fn account(db: &mut Db) -> i32 {
    accounts::table.select(accounts::id).first(db).unwrap()
}

/// Makes a rejection so many days old, and its state so many.
fn age(db: &mut Db, number: i64, recorded: i64, since: i64) {
    let account = account(db);
    let before = |days: i64| Utc::now().timestamp_micros() - days * DAY_US;
    diesel::update(rejections::table.find((account, number)))
        .set((
            rejections::recorded_at.eq(before(recorded)),
            rejections::state_since.eq(before(since)),
        ))
        .execute(db)
        .unwrap();
}

/// Number, state, code and text of all rejections.
fn all(db: &mut Db) -> Vec<String> {
    let rows: Vec<(i64, String, String, Option<String>)> = rejections::table
        .order(rejections::number)
        .select((
            rejections::number,
            rejections::state,
            rejections::code,
            rejections::raw,
        ))
        .load(db)
        .unwrap();
    let shown = |(number, state, code, raw): (i64, String, String, Option<String>)| {
        format!("{number} {state} {code} {}", raw.unwrap_or_default())
    };
    rows.into_iter().map(shown).collect()
}

on_both_engines! {
    fn what_was_refused_long_ago_loses_its_text_and_cannot_be_posted_any_more(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let replay = |words: &[&str]| told(&database, &[&["rejections", "replay", "shop"], words].concat());
        // Three that wait, two declines, one that is put aside, and one that was posted after all.
        let server = Serve::on(&database).start();
        post(
            server.address,
            KEY,
            "P|12121|N|x||till 1\nP|12121|N|x||till 2\nP|12121|N|x||till 3\n\
             P|12121|Y|88881||till 4\nP|12121|Y|88882||till 5\nP|12121|N|x||till 6\nP|12121|N|x||till 7",
        );
        server.stop();
        replay(&["3", "--set", "amount=1"]).unwrap();
        replay(&["7", "--set", "amount=1"]).unwrap();
        succeed(&database, &["rejections", "dismiss", "shop", "6"]);
        let db = &mut database.connect(Role::Migrator);
        // The third one is as old as the first, but was posted only just now.
        for (number, recorded, since) in [(1, 401, 401), (2, 399, 399), (3, 401, 0), (4, 91, 91), (5, 89, 89), (6, 401, 91), (7, 401, 91)] {
            age(db, number, recorded, since);
        }
        let before = all(db);
        // The settings of a command may be others than those of the server.
        replay(&["2", "--set", "amount=1"]).unwrap();
        assert_eq!(all(db), before.iter().map(|row| row.replace("2 open", "2 replayed")).collect::<Vec<_>>());
        let server = Serve::on(&database).start();
        assert!(post(server.address, KEY, "P|12121|N|1||").contains("all_imported"));
        assert_eq!(all(db), [
            "1 expired bad_amount ",
            "2 replayed bad_amount P|12121|N|x||till 2",
            "3 replayed bad_amount P|12121|N|x||till 3",
            "4 expired reward_exceeds_points ",
            "5 record reward_exceeds_points P|12121|Y|88882||till 5",
            "6 expired bad_amount ",
            "7 expired bad_amount ",
        ]);
        let shown = succeed(&database, &["rejections", "show", "shop", "1"]);
        assert!(shown.contains("expired") && !shown.contains("till 1"), "{shown}");
        assert!(succeed(&database, &["rejections", "list", "shop"]).contains("no open rejections"));
        let why = replay(&["1", "--set", "amount=1"]).unwrap_err();
        assert!(why.contains("is not open but expired"), "{why}");
        // The batch that the seventh line became can still be undone; the line stays what it is.
        let undone = succeed(&database, &["batches", "list", "shop"]);
        assert!(undone.contains("3 "), "{undone}");
        told(&database, &["batches", "undo", "shop", "3", "--yes"]).unwrap();
        assert_eq!(all(db)[6], "7 expired bad_amount ");
        server.stop();
        verify(&database);
    }

    fn a_full_inbox_has_room_again_when_what_waits_is_too_old(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let serve = || Serve::on(&database).with("max_open_faults", "2").start();
        let server = serve();
        post(server.address, KEY, "P|12121|N|x||\nP|12121|N|y||");
        let full = post(server.address, KEY, "P|12121|N|1||");
        assert!(full.contains("2 refused lines that wait"), "{full}");
        server.stop();
        let db = &mut database.connect(Role::Migrator);
        age(db, 1, 401, 401);
        age(db, 2, 399, 399);
        let server = serve();
        assert!(post(server.address, KEY, "P|12121|N|1||").contains("all_imported"));
        // A group of which nothing is stored keeps what it has found out.
        age(db, 2, 401, 401);
        server.stop();
        let server = serve();
        let mut single = fields(&[("API", "1.5"), ("user_id", "till"), ("user_api_key", KEY), ("account_id", "shop")]);
        single.extend(fields(&[("type", "record_activity"), ("campaign_id", "P"), ("code", "nobody"), ("amount", "1")]));
        let refused = exchange(server.address, &request("/api.php", Encoding::Urlencoded, &[], &single));
        assert!(refused.body.contains("nobody"), "{}", refused.body);
        assert_eq!(all(db), ["1 expired bad_amount ", "2 expired bad_amount "]);
        server.stop();
        verify(&database);
    }

    fn what_expires_with_whoever_is_forgotten_is_counted_once(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let server = Serve::on(&database).start();
        post(server.address, KEY, "P|12122|N|x||\nP|12121|N|x||");
        server.stop();
        let db = &mut database.connect(Role::Migrator);
        age(db, 1, 401, 401);
        // The first commit is the one that forgets the customer of a line that is too old.
        let server = Serve::on(&database).start();
        let mut erase = fields(&[("API", "1.5"), ("user_id", "till"), ("user_api_key", KEY), ("account_id", "shop")]);
        erase.extend(fields(&[("type", "customer_delete"), ("code", "12122")]));
        let told = exchange(server.address, &request("/api.php", Encoding::Urlencoded, &[], &erase));
        assert!(told.body.contains("deleted"), "{}", told.body);
        server.stop();
        assert_eq!(all(db), ["1 expired bad_amount ", "2 open bad_amount P|12121|N|x||"]);
        verify(&database);
    }

    fn one_look_expires_a_bounded_number(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let server = Serve::on(&database).start();
        let lines: Vec<String> = (0..1500).map(|n| format!("P|12121|N|x{n}||\nP|12121|Y|9999{n}||")).collect();
        post(server.address, KEY, &lines.join("\n"));
        server.stop();
        let db = &mut database.connect(Role::Migrator);
        let account = account(db);
        let now = Utc::now().timestamp_micros();
        let mut looks = Vec::new();
        for _ in 0..3 {
            let Expired { open, closed } = stored::purge(db, account, (now + 1, now + 1), now).unwrap();
            looks.push((open, closed));
        }
        assert_eq!(looks, [(1000, 1000), (500, 500), (0, 0)]);
    }

    fn lines_that_were_there_before_their_states_had_times_get_them(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let server = Serve::on(&database).start();
        post(server.address, KEY, "P|12121|N|x||");
        server.stop();
        let db = &mut database.connect(Role::Migrator);
        age(db, 1, 30, 3);
        for _ in 0..3 {
            migrate::revert_last(db).unwrap();
        }
        assert_eq!(migrate::run(db).unwrap().len(), 3);
        let times: (i64, i64) = rejections::table.select((rejections::recorded_at, rejections::state_since)).first(db).unwrap();
        assert_eq!(times.0, times.1);
        verify(&database);
    }
}
