//! Validation of e-mail addresses, and what it costs.

use crate::support::app::App;
use crate::support::dns::{Dns, NXDOMAIN, REFUSED, Record, SERVFAIL, Zone};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{told, verify};
use crate::sync_stories::Hotel;
use diesel::prelude::*;
use punchcard::store::schema::{credits, sync_heads, sync_items};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr};

pub fn names() -> Dns {
    let mx = || vec![Record::Mx(10, "mail.example")];
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    Dns::start([
        ("ok.example", Zone::Has(mx())),
        ("large.example", Zone::OnlyTcp(mx())),
        (
            "web.example",
            Zone::Has(vec![Record::A(Ipv4Addr::new(192, 0, 2, 1))]),
        ),
        ("web6.example", Zone::Has(vec![Record::Aaaa(v6)])),
        ("null.example", Zone::Has(vec![Record::Mx(0, "")])),
        ("empty.example", Zone::Has(vec![])),
        ("none.example", Zone::Code(NXDOMAIN)),
        ("broken.example", Zone::Code(SERVFAIL)),
        ("refused.example", Zone::Code(REFUSED)),
        ("silent.example", Zone::Silent),
    ])
}

pub fn app(engine: Engine, dns: &Dns) -> App {
    let server = dns.address.to_string();
    App::start(
        engine,
        &[
            ("dns_server", &server),
            ("dns_timeout_ms", "200"),
            ("worker_poll_ms", "20"),
        ],
    )
}

/// A request that wants these addresses validated; `None` is a contact without one.
pub fn request(emails: &[Option<&str>], options: Value) -> String {
    let contact = |(number, email): (usize, &Option<&str>)| match email {
        Some(email) => json!({"user_id": format!("u{number}"), "email": email}),
        None => json!({"user_id": format!("u{number}")}),
    };
    let contacts: Vec<Value> = emails.iter().enumerate().map(contact).collect();
    let mut validation = json!({"validate": true});
    for (name, value) in options.as_object().unwrap() {
        validation[name] = value.clone();
    }
    json!({"origin": "PMS", "options": {"email_validation": validation}, "contacts": contacts})
        .to_string()
}

/// What became of each contact: created, updated or failed, and what was found out, `-` for nothing.
fn results(view: &Value) -> Vec<String> {
    let result = |row: &Value| {
        let verdict = row["email_validation"].as_str().unwrap_or("-");
        let field = row["errors"][0]["field"]
            .as_str()
            .map_or_else(String::new, |field| format!(" {field}"));
        format!("{} {verdict}{field}", row["status"].as_str().unwrap())
    };
    view["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(result)
        .collect()
}

/// Checks that what is left, the ledger and the items say the same; tells what is left and what was spent.
pub fn books(hotel: &Hotel<'_>) -> (Option<i64>, i64) {
    let db = &mut hotel.shop.app.db();
    let account = hotel.shop.number(db);
    let left: Option<i64> = sync_heads::table
        .find(account)
        .select(sync_heads::credits)
        .first(db)
        .unwrap();
    let entries: Vec<(String, i64, i64)> = credits::table
        .filter(credits::account_id.eq(account))
        .order(credits::number)
        .select((credits::kind, credits::amount, credits::balance_after))
        .load(db)
        .unwrap();
    let mut sum = 0;
    for (kind, amount, after) in &entries {
        sum += amount;
        assert!(*after == sum && sum >= 0, "{kind}: {entries:?}");
    }
    let spent: i64 = -entries
        .iter()
        .filter(|(kind, ..)| kind == "spent")
        .map(|(_, amount, _)| amount)
        .sum::<i64>();
    let charged: i64 = sync_items::table
        .filter(sync_items::account_id.eq(account))
        .filter(sync_items::charged.eq(true))
        .count()
        .get_result(db)
        .unwrap();
    assert_eq!(charged, spent);
    match left {
        Some(left) => assert_eq!(left, sum),
        None => assert!(entries.is_empty()),
    }
    (left, spent)
}

on_both_engines! {
    fn every_verdict_has_its_effect_and_its_price(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let table = [
            (Some("a@ok.example"), "created valid", "created valid", 1),
            (Some("b@LARGE.example"), "created valid", "created valid", 1),
            (Some("c@web.example"), "created valid", "created valid", 1),
            (Some("d@web6.example"), "created valid", "created valid", 1),
            (Some("e@null.example"), "created invalid", "failed invalid email", 1),
            (Some("f@empty.example"), "created invalid", "failed invalid email", 1),
            (Some("g@none.example"), "created invalid", "failed invalid email", 1),
            (Some("h@broken.example"), "created unknown", "created unknown", 0),
            (Some("i@refused.example"), "created unknown", "created unknown", 0),
            (Some("j@silent.example"), "created unknown", "created unknown", 0),
            (Some("not an address"), "created invalid", "failed invalid email", 0),
            (Some("k@127.0.0.1"), "created invalid", "failed invalid email", 0),
            (None, "created -", "created -", 0),
        ];
        let emails: Vec<Option<&str>> = table.iter().map(|row| row.0).collect();
        let price: i64 = table.iter().map(|row| row.3).sum();
        for (create_if_invalid, expected) in [
            (json!({"create_if_invalid": true}), table.map(|row| row.1)),
            (json!({"create_if_invalid": false}), table.map(|row| row.2)),
            (json!({}), table.map(|row| row.2)),
        ] {
            let hotel = Hotel::with(&app, "email_credits = 100");
            let view = hotel.sync(&request(&emails, create_if_invalid));
            assert_eq!(results(&view), expected);
            assert_eq!(view["credits_charged"], price);
            assert_eq!(books(&hotel), (Some(100 - price), price));
            // Without limit the same, and nothing is charged.
            let free = Hotel::on(&app);
            let view = free.sync(&request(&emails, json!({"create_if_invalid": true})));
            assert_eq!(results(&view), table.map(|row| row.1));
            assert_eq!((&view["credits_charged"], books(&free)), (&json!(0), (None, 0)));
        }
        // Nobody is asked for who does not want to know.
        let asked = dns.asked().len();
        let hotel = Hotel::with(&app, "email_credits = 100");
        let view = hotel.sync(&request(&emails, json!({"validate": false})));
        assert!(results(&view).iter().all(|result| result == "created -"), "{:?}", results(&view));
        assert_eq!((dns.asked().len(), books(&hotel)), (asked, (Some(100), 0)));
    }

    fn updates_are_judged_like_new_contacts(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let hotel = Hotel::with(&app, "email_credits = 10");
        assert_eq!(results(&hotel.sync(&request(&[Some("a@ok.example")], json!({})))), ["created valid"]);
        assert_eq!(results(&hotel.sync(&request(&[Some("a@none.example")], json!({})))), ["failed invalid email"]);
        let view = hotel.sync(&request(&[Some("a@none.example")], json!({"create_if_invalid": true})));
        assert_eq!(results(&view), ["updated invalid"]);
        assert_eq!(results(&hotel.sync(&request(&[Some("a@ok.example")], json!({})))), ["updated valid"]);
        assert_eq!(books(&hotel), (Some(6), 4));
    }

    fn credits_run_out_at_exactly_the_right_contact(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let emails = [
            "a@ok.example", "b@broken.example", "c@web.example", "no address", "d@none.example", "e@silent.example", "f@ok.example", "g@ok.example", "bad@",
        ].map(Some);
        // Three credits: a, c and d. What comes after d meets none.
        for (flag, last) in [
            (json!({}), ["created -", "created -", "created -"]),
            (json!({"create_if_no_credit": true}), ["created -", "created -", "created -"]),
            (json!({"create_if_no_credit": false}), ["failed - email", "failed - email", "failed - email"]),
        ] {
            let hotel = Hotel::with(&app, "email_credits = 3");
            let view = hotel.sync(&request(&emails, flag.clone()));
            let expected = [
                "created valid", "created unknown", "created valid", "failed invalid email", "failed invalid email",
                last[0], last[1], last[2], "failed invalid email",
            ];
            assert_eq!(results(&view), expected, "{flag}");
            assert_eq!((&view["credits_charged"], books(&hotel)), (&json!(3), (Some(0), 3)), "{flag}");
            let view = hotel.sync(&request(&[Some("z@ok.example"), None], flag));
            assert_eq!(results(&view)[1], "updated -", "without an address nothing is needed");
            assert_eq!(books(&hotel), (Some(0), 3));
        }
    }

    fn a_domain_is_asked_for_once(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let hotel = Hotel::with(&app, "email_credits = 5000");
        let emails: Vec<String> = (0..900)
            .map(|number| format!("p{number}@{}.example", ["ok", "none", "web"][number % 3]))
            .collect();
        let emails: Vec<Option<&str>> = emails.iter().map(|email| Some(email.as_str())).collect();
        for _ in 0..2 {
            let view = hotel.sync(&request(&emails, json!({"create_if_invalid": true})));
            assert_eq!((&view["contacts_valid_count"], &view["credits_charged"]), (&json!(900), &json!(900)));
        }
        let asked = ["ok.example", "none.example", "web.example"].map(|name| dns.asked_about(name));
        assert_eq!(asked, [1, 1, 3], "an address of web.example is looked for where it has no MX");
        assert_eq!(books(&hotel), (Some(3_200), 1_800));
    }

    fn many_at_once_never_spend_more_than_there_is(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let hotels: Vec<Hotel<'_>> = (0..8).map(|_| Hotel::with(&app, "email_credits = 40")).collect();
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (hotels, app) = (&hotels, &app);
                scope.spawn(move || {
                    let hotel = &hotels[thread % 8];
                    for round in 0..3 {
                        let emails: Vec<String> = (0..20).map(|number| format!("t{thread}r{round}n{number}@ok.example")).collect();
                        let emails: Vec<Option<&str>> = emails.iter().map(|email| Some(email.as_str())).collect();
                        let view = hotel.sync(&request(&emails, json!({})));
                        assert_eq!(view["contacts_valid_count"], 20);
                        if thread == round {
                            told(&app.database, &["credits", "add", &hotel.shop.account, "15", "--note", "more"]).unwrap();
                        }
                    }
                });
            }
        });
        let mut left = 0;
        for (place, hotel) in hotels.iter().enumerate() {
            // 120 addresses in each account, and 40 or 55 credits.
            let given = if place < 3 { 55 } else { 40 };
            let (rest, spent) = books(hotel);
            assert!(rest == Some(given - spent) && spent <= given, "{rest:?} {spent}");
            left += given - spent;
        }
        // Credits that came after the last job may be left, and no others.
        assert!(left <= 45, "{left}");
        verify(&app.stop());
    }
}
