//! Webhooks never go where they must not.

use crate::support::app::App;
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::sink::{Answer, Sink};
use crate::sync_stories::Hotel;
use diesel::prelude::*;
use punchcard::hooks::names::Names;
use punchcard::outbox::Outside;
use punchcard::store::schema::{attempts, sync_jobs};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Each name has one list of addresses for each time that it is asked for; the last list is given for ever.
#[derive(Default)]
struct Scripted(Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>);

impl Scripted {
    fn says(&self, name: &str, lists: &[&[&str]]) {
        let lists = lists
            .iter()
            .map(|list| list.iter().map(|text| text.parse().unwrap()).collect());
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), lists.collect());
    }
}

impl Names for Scripted {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let mut names = self.0.lock().unwrap();
        let lists = names.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(if lists.len() > 1 {
            lists.remove(0)
        } else {
            lists[0].clone()
        })
    }
}

fn app(engine: Engine, allow: &str) -> (App, Arc<Scripted>) {
    let names = Arc::new(Scripted::default());
    let outside = Outside {
        names: Arc::clone(&names) as Arc<dyn Names>,
    };
    let settings = [
        ("webhook_allow", allow),
        ("webhook_retry_seconds", ""),
        ("worker_poll_ms", "20"),
    ];
    (
        App::beyond(Database::new(engine), &settings, outside),
        names,
    )
}

fn request(url: &str) -> String {
    json!({"origin": "PMS", "options": {"webhook": {"url": url}}, "contacts": [{"user_id": "u"}]})
        .to_string()
}

/// What is wrong with a URL; `None` if it is taken.
fn refused(hotel: &Hotel<'_>, url: &str) -> Option<String> {
    let reply = hotel.post(&request(url));
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    if reply.status == 201 {
        assert_eq!(body["webhook_url"], url, "as it was sent");
        return None;
    }
    assert_eq!(
        (reply.status, &body["errors"][0]["field"]),
        (422, &json!("options.webhook.url")),
        "{url}: {}",
        reply.body
    );
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert_eq!(body["error"], format!("options.webhook.url: {message}"));
    Some(message.to_owned())
}

fn jobs(hotel: &Hotel<'_>) -> i64 {
    let db = &mut hotel.shop.app.db();
    let account = hotel.shop.number(db);
    sync_jobs::table
        .filter(sync_jobs::account_id.eq(account))
        .count()
        .get_result(db)
        .unwrap()
}

/// The errors of all tries of an account, as soon as there are so many.
fn errors(hotel: &Hotel<'_>, count: usize) -> Vec<String> {
    let db = &mut hotel.shop.app.db();
    let account = hotel.shop.number(db);
    let began = Instant::now();
    loop {
        let errors: Vec<Option<String>> = attempts::table
            .filter(attempts::account_id.eq(account))
            .order((attempts::event, attempts::nth))
            .select(attempts::error)
            .load(db)
            .unwrap();
        if errors.len() >= count {
            return errors.into_iter().map(Option::unwrap_or_default).collect();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{errors:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Addresses that only this machine or its network can see, in every spelling.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.1",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "3232235521",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[4000::1]",
    "１２７.０.０.１",
    "127。0。0。1",
    "%31%32%37.0.0.1",
];

on_both_engines! {
    fn an_address_inside_is_refused_when_it_is_sent(engine: Engine) {
        let (app, _) = app(engine, "");
        let hotel = Hotel::on(&app);
        for host in INSIDE {
            for url in [format!("http://{host}/x"), format!("https://{host}:8443/")] {
                let why = refused(&hotel, &url).unwrap_or_else(|| panic!("{url} is taken"));
                assert!(why.contains("is not a public address"), "{url}: {why}");
            }
        }
        let long = format!("https://a.example/{}", "x".repeat(2_048));
        for url in [
            "http://user@a.example/", "http://user:pw@a.example/", "http://8.8.8.8@127.0.0.1/", "http://a.example:25/",
            "http://a.example:22/", "http://a.example:0/", "ftp://a.example/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "a.example",
            "http://", "http://[::1", "http://a b.example/", "//127.0.0.1/", &long,
        ] {
            assert!(refused(&hotel, url).is_some(), "{url}");
        }
        assert_eq!(jobs(&hotel), 0, "nothing of them is stored");
        for url in ["https://xxxxxx.xxx", "http://8.8.8.8:8080/", "https://[2606:4700::1111]/", "http://a.example:1024/?q#f"] {
            assert_eq!(refused(&hotel, url), None, "{url}");
        }
    }

    fn a_name_is_asked_for_when_it_is_sent(engine: Engine) {
        let (app, names) = app(engine, "10.1.0.0/16");
        let hotel = Hotel::on(&app);
        names.says("private.example", &[&["10.0.0.1:80"]]);
        names.says("both.example", &[&["8.8.8.8:80", "127.0.0.1:80"]]);
        names.says("both6.example", &[&["8.8.8.8:80", "[::1]:80"]]);
        names.says("mapped.example", &[&["[::ffff:8.8.8.8]:80"]]);
        names.says("metadata.example", &[&["169.254.169.254:80"]]);
        for host in ["private.example", "both.example", "both6.example", "mapped.example", "metadata.example"] {
            let why = refused(&hotel, &format!("http://{host}/")).unwrap_or_else(|| panic!("{host} is taken"));
            assert!(why.contains("is not a public address"), "{host}: {why}");
        }
        names.says("lan.example", &[&["10.1.2.3:80"]]);
        names.says("public.example", &[&["8.8.8.8:80", "[2606:4700::1111]:80"]]);
        for host in ["lan.example", "public.example", "unknown.example"] {
            assert_eq!(refused(&hotel, &format!("https://{host}/")), None, "{host}");
        }
    }

    fn a_name_that_moves_inside_is_not_followed(engine: Engine) {
        let (app, names) = app(engine, "");
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Status(200)]);
        let (here, port) = (sink.address.to_string(), sink.address.port());
        let mapped = format!("[::ffff:127.0.0.1]:{port}");
        for (name, then) in [
            ("rebind.example", vec![here.as_str()]),
            ("half.example", vec!["8.8.8.8:80", here.as_str()]),
            ("mapped.example", vec![mapped.as_str()]),
        ] {
            // Public when it was given, this machine when it is called.
            names.says(name, &[&["8.8.8.8:80"], &then]);
            assert_eq!(refused(&hotel, &format!("http://{name}:{port}/")), None);
        }
        for error in errors(&hotel, 3) {
            assert!(error.starts_with("refused address"), "{error}");
        }
        // Nobody knew it when it was given.
        assert_eq!(refused(&hotel, &format!("http://later.example:{port}/")), None);
        names.says("later.example", &[&[&here]]);
        let errors = errors(&hotel, 4);
        assert!(errors[3].starts_with("refused address") || errors[3].contains("could not be resolved"), "{errors:?}");
        assert_eq!(sink.connections(), 0);
    }

    fn a_redirect_inside_is_not_followed(engine: Engine) {
        let (app, names) = app(engine, "127.0.0.1/32");
        let hotel = Hotel::on(&app);
        let inside = Sink::on("127.0.0.2:0", [Answer::Status(200)]);
        for status in [301, 302, 303, 307, 308] {
            let location = vec![("Location", inside.url("/secret"))];
            let outside = Sink::start([Answer::Whole(status, location, Vec::new())]);
            names.says("hook.example", &[&[&outside.address.to_string()]]);
            assert_eq!(refused(&hotel, &format!("http://hook.example:{}/", outside.address.port())), None);
            outside.wait_for(1);
        }
        assert_eq!(inside.connections(), 0);
    }

    fn the_allow_list_lets_what_it_names_and_nothing_else(engine: Engine) {
        let (app, _) = app(engine, "127.0.0.0/8");
        let hotel = Hotel::on(&app);
        let sink = Sink::start([Answer::Status(200)]);
        let port = sink.address.port();
        for host in ["127.0.0.1", "127.1", "2130706433", "0x7f000001"] {
            assert_eq!(refused(&hotel, &format!("http://{host}:{port}/")), None, "{host}");
        }
        assert_eq!(sink.wait_for(4).len(), 4);
        for host in INSIDE {
            let url = format!("http://{host}/");
            let address = url::Url::parse(&url).unwrap();
            let loopback = matches!(address.host(), Some(url::Host::Ipv4(v4)) if v4.is_loopback())
                || address.host_str().is_some_and(|host| host.trim_end_matches('.').ends_with("localhost"));
            assert_eq!(refused(&hotel, &url).is_none(), loopback, "{host}");
        }
        assert!(refused(&hotel, "http://127.0.0.1:22/").is_some());
    }
}
