//! Clients that send the same request again: at once, later, and after its time.

use crate::concurrency::together;
use crate::support::app::{App, COLUMNS, Shop, WORLD, fields};
use crate::support::client::{self, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::Serve;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::idempotency;
use std::net::SocketAddr;
use std::sync::Mutex;

const GUARDED: (&str, &str) = (
    "country = \"US\"",
    "country = \"US\"\nduplicate_window_s = 600",
);

/// The formats that the clients ask for in turn, and how each says that two of three lines were imported.
const FORMATS: [(&str, &str); 3] = [
    (
        "XML",
        "<transactions>2</transactions><rejected>1</rejected>",
    ),
    ("JSON", "\"transactions\":\"2\",\"rejected\":\"1\""),
    ("JSONP", "\"transactions\":\"2\",\"rejected\":\"1\""),
];

/// What the client with this number sends: the same request as all others, in its own format, with its own boundary.
fn request(shop: &Shop<'_>, client: usize, key: Option<&str>) -> Vec<u8> {
    let mut all = shop.common();
    all.extend(fields(&COLUMNS));
    all.extend(fields(&[
        (
            "Visits_Data",
            "P|12121|N|5||\nP|12122|N|7||\nP|nobody|N|1||",
        ),
        ("_", &format!("17000000{client}")),
        ("condensed", "yes"),
    ]));
    match FORMATS[client % 3].0 {
        "JSON" => all.extend(fields(&[("output", "JSON")])),
        "JSONP" => all.extend(fields(&[("callback", &format!("jQuery{client}"))])),
        _ => {}
    }
    if let Some(key) = key {
        all.extend(fields(&[("idempotency_key", key)]));
    }
    // A retry begins anew, also with the order of its fields.
    all.rotate_left(client % 5);
    let boundary = format!("----------------------------{:012}", client * 7919);
    client::multipart("/api.php", &boundary, &[], &all)
}

/// 32 clients send the same to the gateways in turn: one posting, 32 true answers.
fn storm(shop: &Shop<'_>, gateways: &[SocketAddr], key: Option<&str>) {
    let before = shop.counts();
    let replies: Mutex<Vec<Reply>> = Mutex::default();
    let answered = together(32, |client| {
        let address = gateways[client % gateways.len()];
        let reply = client::exchange(address, &request(shop, client, key));
        assert_eq!(reply.status, 200, "{}", reply.body);
        let (format, says) = FORMATS[client % 3];
        assert!(reply.body.contains(says), "{format}: {}", reply.body);
        let is_jsonp = reply.body.starts_with(&format!("/**/jQuery{client}("));
        assert_eq!(format == "JSONP", is_jsonp, "{}", reply.body);
        replies.lock().unwrap().push(reply);
        true
    });
    assert_eq!(answered, 32);
    let replies = replies.into_inner().unwrap();
    let repeated = replies
        .iter()
        .filter(|reply| reply.header("idempotent-replayed") == Some("true"));
    assert_eq!(repeated.count(), 31);
    let after = shop.counts();
    assert_eq!(
        (after.0 - before.0, after.1 - before.1, after.2 - before.2),
        (1, 2, 1),
        "one batch, two entries, one rejection"
    );
}

/// The gateways of an engine: on MariaDB a second one, a process of its own.
fn storms(engine: Engine, world: &str, key: Option<&str>) {
    let app = App::start(engine, &[]);
    let shop = app.shop(world);
    let other = (engine != Engine::Sqlite).then(|| Serve::on(&app.database).start());
    let mut gateways = vec![app.address];
    gateways.extend(other.iter().map(|other| other.address));
    storm(&shop, &gateways, key);
    if key.is_some() {
        storm(&shop, &gateways, Some("another"));
    }
    if let Some(other) = other {
        other.stop();
    }
    let database = app.stop();
    crate::support::process::verify(&database);
}

on_both_engines! {
    fn of_thirty_two_clients_that_repeat_a_keyed_request_one_is_posted(engine: Engine) {
        storms(engine, WORLD, Some("order 7"));
    }

    fn of_thirty_two_clients_that_repeat_a_request_under_the_guard_one_is_posted(engine: Engine) {
        storms(engine, &WORLD.replace(GUARDED.0, GUARDED.1), None);
    }

    fn a_large_request_is_repeated_like_a_small_one(engine: Engine) {
        let app = App::start(engine, &[("large_request_lines", "50")]);
        let shop = app.shop(WORLD);
        let data = "P|12121|N|1||\nP|nobody|N|1||\n".repeat(400);
        let post = || shop.post(&[&COLUMNS[..], &[("details", "lines"), ("idempotency_key", "big"), ("Visits_Data", &data)]].concat());
        let first = post();
        let second = post();
        assert!(first.body.contains("<transactions>400</transactions><rejected>400</rejected>"));
        assert_eq!(first.body, second.body);
        assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), (None, Some("true")));
        assert_eq!(shop.counts(), (1, 400, 400));
        drop(app.stop());
    }

    fn two_users_of_an_account_have_keys_of_their_own(engine: Engine) {
        let app = App::shared(engine);
        let second = "[[account.user]]\nid = \"second-{user}\"\napi_key = \"second-{key}\"\n\n[[account.campaign]]";
        let mut shop = app.shop(&WORLD.replacen("[[account.campaign]]", second, 1));
        let post = |shop: &Shop<'_>| {
            let reply = shop.post(&[&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||")]].concat());
            assert!(reply.body.contains("all_imported"), "{}", reply.body);
            reply.header("idempotent-replayed").is_some()
        };
        assert!(!post(&shop));
        (shop.user, shop.key) = (format!("second-{}", shop.user), format!("second-{}", shop.key));
        assert!(!post(&shop) && post(&shop));
        assert_eq!(shop.counts().0, 2);
    }

    fn a_key_may_be_used_again_when_its_time_is_over(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let post = |key: &str| {
            let reply = shop.post(&[&COLUMNS[..], &[("idempotency_key", key), ("Visits_Data", "P|12121|N|5||")]].concat());
            assert!(reply.body.contains("all_imported"), "{}", reply.body);
            reply.header("idempotent-replayed").is_some()
        };
        assert!(!post("a") && !post("b") && post("a"));
        let account = shop.number(&mut app.db());
        let own = || idempotency::table.filter(idempotency::account_id.eq(account));
        let kept: Vec<i64> = own().select(idempotency::expires_at).load(&mut app.db()).unwrap();
        let days = |micros: i64| (micros - chrono::Utc::now().timestamp_micros()) / (24 * 3600 * 1_000_000);
        assert!(kept.iter().all(|expires_at| days(*expires_at) == 29), "30 days but for a moment");
        let mut db = app.database.connect(Role::Migrator);
        diesel::update(own()).set(idempotency::expires_at.eq(1)).execute(&mut db).unwrap();
        assert!(!post("a"), "a new request");
        assert!(post("a"));
        let left: Vec<String> = own().select(idempotency::name).load(&mut app.db()).unwrap();
        assert_eq!(left, ["key:a"], "what is over is deleted");
        assert_eq!(shop.counts(), (3, 3, 0));
    }

    fn what_is_over_is_deleted_though_no_key_comes_any_more(engine: Engine) {
        use punchcard::store::schema::account_heads;
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.post(&[&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||")]].concat());
        let account = shop.number(&mut app.db());
        let own = || idempotency::table.filter(idempotency::account_id.eq(account));
        let kept = || own().count().get_result::<i64>(&mut app.db()).unwrap();
        let db = &mut app.database.connect(Role::Migrator);
        diesel::update(own()).set(idempotency::expires_at.eq(1)).execute(db).unwrap();
        shop.lines("P|12121|N|5||");
        assert_eq!(kept(), 1);
        let head = account_heads::table.find(account);
        diesel::update(head).set(account_heads::next_commit.eq(1024)).execute(db).unwrap();
        shop.lines("P|12121|N|5||");
        assert_eq!(kept(), 0);
    }

    fn names_are_found_whatever_they_are_written_with(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let keys = ["\"", "\\", "\\u0041", "a'b", "$[0]", "[1,2]", "7", "null", &"\\\"".repeat(127)];
        for again in [false, true] {
            for key in keys {
                let reply = shop.post(&[&COLUMNS[..], &[("idempotency_key", key), ("Visits_Data", "P|12121|N|5||")]].concat());
                assert_eq!(reply.header("idempotent-replayed").is_some(), again, "{key}: {}", reply.body);
            }
        }
        assert_eq!(shop.counts().0, keys.len() as i64);
    }

    fn a_repetition_whose_outcome_cannot_be_read_is_not_told_that_nothing_was_posted(engine: Engine) {
        use punchcard::store::schema::batches;
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let post = || shop.post(&[&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||")]].concat());
        post();
        let account = shop.number(&mut app.db());
        let db = &mut app.database.connect(Role::Migrator);
        let mut rename = |from: i64, to: i64| {
            let row = batches::table.find((account, from));
            diesel::update(row).set(batches::number.eq(to)).execute(db).unwrap();
        };
        // The batch is out of sight for a while.
        rename(1, 99);
        let reply = post();
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
        assert!(reply.body.contains("was posted before as batch 1; its outcome cannot be read now. Send it again later."), "{}", reply.body);
        rename(99, 1);
        assert!(post().body.contains("all_imported"));
        assert_eq!(shop.counts(), (1, 1, 0));
    }

    fn a_repetition_whose_first_outcome_cannot_be_read_is_told_that_it_was_posted(engine: Engine) {
        use punchcard::store::schema::batches;
        let app = App::start(engine, &[]);
        let shop = app.shop(WORLD);
        let post = || shop.post(&[&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||")]].concat());
        assert!(post().body.contains("all_imported"));
        let account = shop.number(&mut app.db());
        diesel::delete(batches::table.find((account, 1_i64))).execute(&mut app.database.connect(Role::Migrator)).unwrap();
        let reply = post();
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
        assert!(reply.body.contains("posted before as batch 1") && !reply.body.contains("nothing was posted"), "{}", reply.body);
        assert_eq!(shop.balance("P", "12121"), 1505_0000);
        drop(app.stop());
    }

    fn no_person_is_kept_for_a_repetition(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        shop.post(&[&COLUMNS[..], &[("idempotency_key", "k"), ("Visits_Data", "P|12121|N|5||note\nP|Amy|N|5||note")]].concat());
        let account = shop.number(&mut app.db());
        let rows: Vec<(String, String)> = idempotency::table
            .filter(idempotency::account_id.eq(account))
            .select((idempotency::name, idempotency::outcome))
            .load(&mut app.db())
            .unwrap();
        assert_eq!(rows, [("key:k".to_owned(), "{\"batch\":1,\"first_rejection\":1}".to_owned())]);
    }

    fn a_key_is_free_again_when_the_request_it_came_with_was_split_off_as_the_culprit(engine: Engine) {
        use diesel::connection::SimpleConnection;
        let app = App::start(engine, &[]);
        let shop = app.shop(WORLD);
        let db = &mut app.database.connect(Role::Migrator);
        let (make, drop_it) = match engine {
            Engine::Sqlite => (
                "CREATE TRIGGER poison BEFORE INSERT ON journal WHEN NEW.given = '13' BEGIN SELECT RAISE(ABORT, 'no'); END",
                "DROP TRIGGER poison",
            ),
            #[cfg(feature = "mysql")]
            Engine::Mysql => (
                "CREATE TRIGGER poison BEFORE INSERT ON journal FOR EACH ROW IF NEW.given = '13' THEN SIGNAL SQLSTATE '45000'; END IF",
                "DROP TRIGGER poison",
            ),
        };
        db.batch_execute(make).unwrap();
        let post = |key: &str, amount: usize| {
            let line = format!("P|12121|N|{amount}||");
            shop.post(&[&COLUMNS[..], &[("idempotency_key", key), ("Visits_Data", &line)]].concat())
        };
        let good = together(16, |client| {
            let reply = post(&format!("k{client}"), client);
            reply.body.contains("all_imported")
        });
        assert_eq!(good, 15);
        assert!(post("k13", 13).body.contains("could not be stored"));
        db.batch_execute(drop_it).unwrap();
        let reply = post("k13", 13);
        assert!(reply.body.contains("all_imported") && reply.header("idempotent-replayed").is_none());
        assert_eq!(post("k12", 12).header("idempotent-replayed"), Some("true"));
        drop(app.stop());
    }
}
