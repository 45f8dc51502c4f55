//! Webhooks: tries, waits, ends.

use crate::support::app::App;
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::told;
use crate::support::sink::{Answer, Request, Sink};
use crate::sync_stories::Hotel;
use diesel::prelude::*;
use punchcard::store::schema::attempts;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A server whose webhooks may go to this machine, with waits of no length.
fn app(engine: Engine, more: &[(&str, &str)]) -> App {
    let mut settings = vec![
        ("webhook_allow", "127.0.0.0/8"),
        ("webhook_retry_seconds", "0,0,0"),
        ("worker_poll_ms", "20"),
    ];
    settings.extend(more);
    App::start(engine, &settings)
}

/// A request with one contact, which is to be told to a URL.
fn request(url: &str) -> String {
    json!({
        "origin": "PMS",
        "options": {"webhook": {"url": url, "contacts_extra_fields": ["name_first", "stars", "phone"]}},
        "contacts": [{"user_id": "u1", "email": "Amy@Example.com", "name_first": "Amy", "stars": 4}],
    })
    .to_string()
}

/// The lines of `outbox list`, of one account, as soon as they show what is waited for.
fn listed(database: &Database, account: &str, words: &[&str], wanted: &str) -> Vec<String> {
    let began = Instant::now();
    loop {
        let words = [&["outbox", "list"], words].concat();
        let text = told(database, &words).unwrap();
        let of_account = text
            .lines()
            .filter(|line| line.contains(&format!("account: {account} ")));
        let lines: Vec<String> = of_account.map(str::to_owned).collect();
        if lines.iter().any(|line| line.contains(wanted)) {
            return lines;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{wanted}: {text}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn member(request: &Request, name: &str) -> Value {
    serde_json::from_slice::<Value>(&request.body).unwrap()[name].clone()
}

/// Has libraries of other people check both signatures.
fn check(secret: &str, request: &Request) {
    let mut headers = ureq::http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, request.header(name).unwrap().parse().unwrap());
    }
    let library = standardwebhooks::Webhook::from_bytes(secret.as_bytes().to_vec()).unwrap();
    library.verify(&request.body, &headers).unwrap();

    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), json!(value)));
    let headers: serde_json::Map<String, Value> = headers.collect();
    let whole = json!({"secret": secret, "headers": headers, "body": request.text()});
    let mut python = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/hook.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed: run scripts/test, which installs it");
    python
        .stdin
        .take()
        .unwrap()
        .write_all(whole.to_string().as_bytes())
        .unwrap();
    let said = python.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(
        said,
        json!({"vendor": true, "standard": true, "timestamp": true, "token": true})
    );
}

/// A try as it is stored: which one, status, error, answer.
type Try = (i32, Option<i32>, Option<String>, Option<String>);

on_both_engines! {
    fn a_webhook_is_tried_until_it_is_taken(engine: Engine) {
        let app = app(engine, &[]);
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Status(500), Answer::Close, Answer::Whole(200, vec![], b"thanks".to_vec())]);
        let job = hotel.job(&request(&sink.url("/hook?key=hush")));
        let requests = sink.wait_for(3);
        let lines = listed(&app.database, &hotel.shop.account, &[], " delivered ");
        assert_eq!(lines.len(), 1);
        let id = requests[0].header("webhook-id").unwrap().to_owned();
        assert!(lines[0].starts_with(&format!("{id} delivered tries: 500 none 200 account: ")), "{}", lines[0]);
        assert!(lines[0].contains(&format!(" job: {job} url: http://127.0.0.1:")) && !lines[0].contains("hush"), "{}", lines[0]);
        let (mut tokens, mut signatures) = (Vec::new(), Vec::new());
        for request in &requests {
            check(&hotel.secret, request);
            assert_eq!((request.header("webhook-id"), request.path.as_str()), (Some(id.as_str()), "/hook?key=hush"));
            tokens.push(member(request, "token"));
            signatures.push(request.header("authorization").unwrap().to_owned());
        }
        tokens.dedup();
        signatures.dedup();
        assert_eq!((tokens.len(), signatures.len()), (3, 3));

        let body: Value = serde_json::from_slice(&requests[2].body).unwrap();
        let contact = hotel.done(&job, "")["results"][0]["_id"].clone();
        assert_eq!(body["valid_contacts"], json!([{
            "_id": contact, "user_id": "u1", "email": "Amy@Example.com", "phone_countrycode": null, "phone_number": null,
            "name_first": "Amy", "stars": 4, "phone": null,
        }]));
        let rest: Vec<&Value> = ["account_id", "sync_data_id", "status", "contacts_valid_count", "contacts_failed_count",
            "failed_contacts", "valid_purchases", "failed_purchases"].iter().map(|name| &body[name]).collect();
        assert_eq!(rest, [&json!(hotel.shop.account), &json!(job), &json!("completed"), &json!(1), &json!(0), &json!([]), &json!([]), &json!([])]);
        assert!(body["timestamp"].is_i64() && body["token"].as_str().unwrap().len() == 50);

        // What each try brought.
        let db = &mut app.db();
        let tries: Vec<Try> = attempts::table
            .filter(attempts::account_id.eq(hotel.shop.number(db)))
            .order(attempts::nth)
            .select((attempts::nth, attempts::status, attempts::error, attempts::answer))
            .load(db)
            .unwrap();
        assert_eq!(tries.iter().map(|(nth, status, ..)| (*nth, *status)).collect::<Vec<_>>(), [(1, Some(500)), (2, None), (3, Some(200))]);
        assert!(tries[1].2.as_deref().unwrap().starts_with("the connection failed"), "{tries:?}");
        assert_eq!(tries[2].3.as_deref(), Some("thanks"));
    }

    fn a_receiver_that_does_not_want_it_is_asked_once(engine: Engine) {
        let app = app(engine, &[]);
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Status(406)]);
        let view = hotel.sync(&request(&sink.url("/")));
        assert_eq!(view["status"], "completed");
        let lines = listed(&app.database, &hotel.shop.account, &["--state", "refused"], " refused ");
        assert!(lines[0].contains(" refused tries: 406 account"), "{}", lines[0]);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(sink.requests().len(), 1);
    }

    fn after_the_last_try_it_is_parked_and_a_person_may_have_it_sent_again(engine: Engine) {
        let app = app(engine, &[]);
        let hotel = Hotel::on(&app);
        let inside = Sink::start([Answer::Status(200)]);
        let away = vec![("Location", inside.url("/secret"))];
        let sink = Sink::start([Answer::Status(500), Answer::Whole(302, away, Vec::new()), Answer::Status(404), Answer::Status(410)]);
        let view = hotel.sync(&request(&sink.url("/")));
        assert_eq!(view["status"], "completed", "a webhook that cannot be delivered does not fail its job");
        let lines = listed(&app.database, &hotel.shop.account, &["--state", "parked"], " parked ");
        assert!(lines[0].contains(" parked tries: 500 302 404 410 account"), "{}", lines[0]);
        assert_eq!((sink.requests().len(), inside.connections()), (4, 0));

        let id = lines[0].split(' ').next().unwrap();
        sink.then([Answer::Status(500), Answer::Status(204)]);
        let said = told(&app.database, &["outbox", "retry", id]).unwrap();
        assert!(said.contains(id), "{said}");
        // One try for each asking: it parks again.
        listed(&app.database, &hotel.shop.account, &[], "parked tries: 500 302 404 410 500 account");
        told(&app.database, &["outbox", "retry", id]).unwrap();
        listed(&app.database, &hotel.shop.account, &[], "delivered tries: 500 302 404 410 500 204 account");
        told(&app.database, &["outbox", "retry", id]).unwrap();
        let requests = sink.wait_for(7);
        listed(&app.database, &hotel.shop.account, &[], "delivered tries: 500 302 404 410 500 204 204 account");
        assert!(requests.iter().all(|request| request.header("webhook-id") == Some(id)));
        for (nth, request) in requests.iter().enumerate() {
            check(&hotel.secret, request);
            assert!(requests[..nth].iter().all(|other| member(other, "token") != member(request, "token")));
        }
        let other = format!("{}0", &id[..id.len() - 1]);
        let unknown = if other == id { format!("{}1", &id[..id.len() - 1]) } else { other };
        for wrong in [unknown.as_str(), "evt_1_1", "evt_7fffffff_1_0011223344556677", "x", ""] {
            let said = told(&app.database, &["outbox", "retry", wrong]).unwrap_err();
            assert!(said.contains("there is no webhook"), "{said}");
        }
        assert_eq!(sink.requests().len(), 7);
    }

    fn waits_are_kept_and_the_receiver_may_ask_for_longer_ones(engine: Engine) {
        let app = app(engine, &[("webhook_retry_seconds", "1,0,0")]);
        let hotel = Hotel::on(&app);
        let after = |status, seconds: &str| Answer::Whole(status, vec![("Retry-After", seconds.to_owned())], Vec::new());
        let sink = Sink::start([after(503, "0"), after(429, "2"), after(503, "999999")]);
        hotel.job(&request(&sink.url("/")));
        let requests = sink.wait_for(3);
        let waits: Vec<Duration> = requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        let around = |wait: Duration, least: u64| wait >= Duration::from_millis(least) && wait < Duration::from_millis(least + 1_500);
        assert!(around(waits[0], 1_000) && around(waits[1], 2_000), "{waits:?}");
        // An hour at most.
        let lines = listed(&app.database, &hotel.shop.account, &["--state", "pending"], "tries: 503 429 503 next: ");
        let next = lines[0].split("next: ").nth(1).unwrap().split(" UTC").next().unwrap();
        let next = chrono::NaiveDateTime::parse_from_str(next, "%Y-%m-%d %H:%M:%S").unwrap().and_utc();
        let wait = (next - chrono::Utc::now()).num_seconds();
        assert!((3_500..=3_600).contains(&wait), "{wait}");
    }

    fn a_receiver_that_does_not_come_to_an_end_is_left(engine: Engine) {
        let app = app(engine, &[("webhook_timeout_ms", "300")]);
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Silence, Answer::Late(200, 2_000), Answer::Endless(500, 1 << 30), Answer::Dripping(200, 20)]);
        hotel.job(&request(&sink.url("/")));
        listed(&app.database, &hotel.shop.account, &[], " delivered tries: none none 500 200 ");
        let db = &mut app.db();
        let tries: Vec<(i32, Option<String>, Option<String>)> = attempts::table
            .filter(attempts::account_id.eq(hotel.shop.number(db)))
            .order(attempts::nth)
            .select((attempts::took_ms, attempts::error, attempts::answer))
            .load(db)
            .unwrap();
        for (took, error, _) in &tries[..2] {
            assert!((290..1_500).contains(took) && error.as_deref() == Some("no answer within 300 ms"), "{tries:?}");
        }
        assert_eq!(tries[2].2.as_ref().map(String::len), Some(16 * 1024));
        assert!(tries[3].1.as_deref().unwrap().contains("not whole") && tries[3].0 < 1_500, "{tries:?}");
        assert!(sink.taken() < 64 << 20, "{}", sink.taken());
    }

    fn a_thousand_contacts_are_told_in_their_order(engine: Engine) {
        let app = app(engine, &[]);
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Status(200)]);
        let contacts: Vec<Value> = (0..1_000)
            .map(|number| if number % 10 == 3 { json!({"user_id": format!("u{number}"), "gender": "x"}) } else { json!({"user_id": format!("u{number}"), "n": number}) })
            .collect();
        let body = json!({"origin": "PMS", "contacts": contacts,
            "options": {"webhook": {"url": sink.url("/"), "contacts_extra_fields": ["n"]}}});
        let view = hotel.sync(&body.to_string());
        assert_eq!((&view["contacts_valid_count"], &view["contacts_failed_count"]), (&json!(900), &json!(100)));
        let request = &sink.wait_for(1)[0];
        check(&hotel.secret, request);
        let numbers: Vec<i64> = member(request, "valid_contacts").as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()).collect();
        let expected: Vec<i64> = (0..1_000).filter(|number| number % 10 != 3).collect();
        assert_eq!(numbers, expected);
        let failed = member(request, "failed_contacts");
        assert_eq!(failed.as_array().unwrap().len(), 100);
        assert_eq!(failed[1]["contact"], json!({"user_id": "u13", "gender": "x"}));
        assert!(failed[1]["error"].as_str().unwrap().starts_with("gender: ") && failed[1]["errors"][0]["field"] == "gender", "{}", failed[1]);
    }

    fn a_slow_receiver_holds_nobody_up(engine: Engine) {
        let app = app(engine, &[]);
        let (slow, quick) = (Hotel::on(&app), Hotel::on(&app));
        let (silent, sink) = (Sink::start([Answer::Silence]), Sink::start([Answer::Status(200)]));
        for _ in 0..20 {
            slow.job(&request(&silent.url("/")));
        }
        silent.wait_for(4);
        let begun = Instant::now();
        quick.job(&request(&sink.url("/")));
        sink.wait_for(1);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(silent.requests().len(), 4, "an account has four places");
        // Tries that hang do not hold up the end for longer than five seconds.
        let begun = Instant::now();
        drop(app.stop());
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
}
