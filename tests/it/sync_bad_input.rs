//! `sync_data` and input that is wrong: what is told of it, and that nothing of it is stored.

use crate::support::app::App;
use crate::support::client::Reply;
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::sync_stories::{FORM, Hotel, JSON};
use diesel::prelude::*;
use punchcard::store::schema::{customers, purchases, sync_jobs};
use serde_json::Value;

/// How many jobs, customers and purchases an account has.
fn counts(hotel: &Hotel<'_>) -> (i64, i64, i64) {
    let db = &mut hotel.shop.app.db();
    let account = hotel.shop.number(db);
    (
        sync_jobs::table
            .filter(sync_jobs::account_id.eq(account))
            .count()
            .get_result(db)
            .unwrap(),
        customers::table
            .filter(customers::account_id.eq(account))
            .count()
            .get_result(db)
            .unwrap(),
        purchases::table
            .filter(purchases::account_id.eq(account))
            .count()
            .get_result(db)
            .unwrap(),
    )
}

/// The field and the sentence of the first error.
fn first(reply: &Reply) -> (String, String) {
    let body: Value =
        serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body));
    let error = body["error"].as_str().unwrap().to_owned();
    let field = body["errors"][0]["field"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if !field.is_empty() {
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert_eq!(error, format!("{field}: {message}"));
    }
    (field, error)
}

fn still_works(hotel: &Hotel<'_>) {
    let reply = hotel.post("{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"fine\"}]}");
    assert_eq!(reply.status, 201, "{}", reply.body);
}

/// A request with one contact and these options.
fn with_options(options: &str) -> String {
    format!("{{\"origin\":\"PMS\",\"options\":{options},\"contacts\":[{{\"user_id\":\"a\"}}]}}")
}

on_both_engines! {
    fn bodies_that_cannot_be_read_are_400(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let before = counts(&hotel);
        let deep = format!("{{\"origin\":{}{}}}", "[".repeat(33), "]".repeat(33));
        for (content_type, body, begin) in [
            (JSON, &b""[..], "the body is empty"),
            (JSON, b"{", "the body is not JSON"),
            (JSON, b"{\"origin\":\"PMS\",}", "the body is not JSON"),
            (JSON, b"{'origin':'PMS'}", "the body is not JSON"),
            (JSON, b"origin=PMS", "the body is not JSON"),
            (JSON, b"{} {}", "the body is not JSON"),
            (JSON, b"{\"origin\":\"\xff\"}", "the body is not UTF-8"),
            (JSON, b"\xff\xfe{\0}\0", "the body is not UTF-8"),
            (JSON, deep.as_bytes(), "the body is nested deeper than 32 levels"),
            (JSON, b"[]", "the body is not a JSON object"),
            (JSON, b"[{\"origin\":\"PMS\"}]", "the body is not a JSON object"),
            (JSON, b"null", "the body is not a JSON object"),
            (JSON, b"{\"\\ud800\":1}", "the body has a name"),
            (FORM, b"origin=%ff", "the form is not UTF-8"),
            (FORM, b"a=1&a[b]=2", "the form's field \"a[b]\""),
            ("multipart/form-data; boundary=x", b"--x--", "the body has a Content-Type that is not read"),
            ("text/plain", b"origin=PMS", "the body has a Content-Type that is not read"),
        ] {
            let reply = hotel.post_as(content_type, &[], body);
            assert_eq!(reply.status, 400, "{}", reply.body);
            let (field, error) = first(&reply);
            assert!(field.is_empty() && error.starts_with(begin), "{begin}: {error}");
        }
        let flood = "[".repeat(200_000);
        assert_eq!(hotel.post(&flood).status, 400);
        assert_eq!(counts(&hotel), before);
        still_works(&hotel);
    }

    fn requests_that_break_a_rule_are_422_and_not_stored(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let before = counts(&hotel);
        let url = |url: &str| with_options(&format!("{{\"webhook\":{{\"url\":\"{url}\"}}}}"));
        let contacts = |count: usize| format!("{{\"origin\":\"PMS\",\"contacts\":[{}{{}}]}}", "{},".repeat(count - 1));
        let purchase = |fields: &str| format!("{{\"origin\":\"PMS\",\"purchase\":{{\"transaction_code\":\"T\",{fields}}}}}");
        for (body, field) in [
            ("{\"contacts\":[{\"user_id\":1}]}".to_owned(), "origin"),
            ("{\"origin\":\"\",\"contacts\":[{}]}".to_owned(), "origin"),
            ("{\"origin\":5,\"contacts\":[{}]}".to_owned(), "origin"),
            ("{\"origin\":\"\\ud800\",\"contacts\":[{}]}".to_owned(), "origin"),
            (format!("{{\"origin\":\"{}\",\"contacts\":[{{}}]}}", "x".repeat(256)), "origin"),
            (with_options("\"all\""), "options"),
            (with_options("{\"email_validation\":[]}"), "options.email_validation"),
            (with_options("{\"email_validation\":{\"validate\":\"maybe\"}}"), "options.email_validation.validate"),
            (with_options("{\"email_validation\":{\"create_if_invalid\":2}}"), "options.email_validation.create_if_invalid"),
            (with_options("{\"webhook\":1}"), "options.webhook"),
            (with_options("{\"webhook\":{\"url\":[]}}"), "options.webhook.url"),
            (with_options("{\"webhook\":{\"contacts_extra_fields\":5}}"), "options.webhook.contacts_extra_fields"),
            (with_options("{\"webhook\":{\"purchase_extra_fields\":[5]}}"), "options.webhook.purchase_extra_fields.0"),
            (url("ftp://example.com/"), "options.webhook.url"),
            (url("https://user@example.com/"), "options.webhook.url"),
            (url("https://example.com:22/"), "options.webhook.url"),
            (url("example.com/hook"), "options.webhook.url"),
            (url(&format!("https://example.com/{}", "x".repeat(2030))), "options.webhook.url"),
            (url("http://127.0.0.1:8080/"), "options.webhook.url"),
            (url("http://2130706433/"), "options.webhook.url"),
            (url("http://localhost/"), "options.webhook.url"),
            ("{\"origin\":\"PMS\",\"contacts\":\"a\"}".to_owned(), "contacts"),
            ("{\"origin\":\"PMS\",\"contacts\":7}".to_owned(), "contacts"),
            ("{\"origin\":\"PMS\"}".to_owned(), "contacts"),
            ("{\"origin\":\"PMS\",\"contacts\":[],\"purchase\":null}".to_owned(), "contacts"),
            (contacts(1001), "contacts"),
            ("{\"origin\":\"PMS\",\"contacts\":[{}],\"purchase\":[{}]}".to_owned(), "purchase"),
            ("{\"origin\":\"PMS\",\"contacts\":[{}],\"purchase\":\"x\"}".to_owned(), "purchase"),
            ("{\"origin\":\"PMS\",\"purchase\":{}}".to_owned(), "purchase.transaction_code"),
            (purchase("\"status\":\"sold\""), "purchase.status"),
            (purchase("\"price\":1e3"), "purchase.price"),
            (purchase("\"price\":\"x\""), "purchase.price"),
            (purchase("\"price\":1.00001"), "purchase.price"),
            (purchase("\"currency\":\"XXX1\""), "purchase.currency"),
            (purchase("\"UUID\":[]"), "purchase.UUID"),
            (purchase("\"status\":\"check_in\""), "purchase.transaction_code"),
        ] {
            let reply = hotel.post(&body);
            assert_eq!(reply.status, 422, "{body}: {}", reply.body);
            assert_eq!(first(&reply).0, field, "{body}: {}", reply.body);
        }
        for key in ["k".repeat(256).as_str(), "caf\u{e9}"] {
            let reply = hotel.post_as(JSON, &[("Idempotency-Key", key)], with_options("null").as_bytes());
            assert_eq!((reply.status, first(&reply).0.as_str()), (422, "Idempotency-Key"));
        }
        assert_eq!(counts(&hotel), before);
        still_works(&hotel);
    }

    fn everything_wrong_is_told_at_once(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let reply = hotel.post("{\"options\":{\"email_validation\":{\"validate\":3},\"webhook\":{\"url\":\"x\"}},\"contacts\":1,\"purchase\":2}");
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        let fields: Vec<&str> = body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["origin", "options.email_validation.validate", "options.webhook.url", "contacts", "purchase"]);
    }

    fn a_body_over_the_limit_is_413(engine: Engine) {
        let app = App::start(engine, &[("max_json_body_bytes", "20000")]);
        let hotel = Hotel::on(&app);
        let body = |size: usize| {
            let body = "{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"a\"}]}";
            format!("{body}{}", " ".repeat(size - body.len()))
        };
        assert_eq!(hotel.post(&body(20_000)).status, 201);
        for size in [20_001, 30_000, 2_000_000] {
            let reply = hotel.post(&body(size));
            assert_eq!((reply.status, first(&reply).1.as_str()), (413, "The body is larger than 20000 bytes"));
        }
        // Whoever has not the secret learns nothing else.
        let reply = hotel.send("POST", &hotel.path(), &[], body(30_000).as_bytes());
        assert_eq!(reply.status, 401);
        // Of one that says itself that it is too large not all has to come.
        let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nContent-Length: 99999999999\r\n\r\n{{", hotel.path(), hotel.token());
        let reply = crate::support::client::exchange(app.address, head.as_bytes());
        assert_eq!(reply.status, 413);
        still_works(&hotel);
        drop(app.stop());
    }

    fn contacts_that_are_wrong_fail_alone(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let long = |name: &str, chars: usize| format!("{{\"user_id\":\"x\",\"{name}\":\"{}\"}}", "n".repeat(chars));
        let custom: Vec<String> = (0..201).map(|nth| format!("\"f{nth}\":1")).collect();
        let cases = [
            ("{}".to_owned(), "user_id"),
            ("\"a text\"".to_owned(), "contact"),
            ("null".to_owned(), "contact"),
            ("{\"email\":{\"a\":1}}".to_owned(), "email"),
            (format!("{{\"email\":\"{}@example.com\"}}", "x".repeat(243)), "email"),
            ("{\"user_id\":\"x\",\"born_date\":\"1990-02-30\"}".to_owned(), "born_date"),
            ("{\"user_id\":\"x\",\"gender\":\"x\"}".to_owned(), "gender"),
            ("{\"user_id\":\"x\",\"language\":\"x\"}".to_owned(), "language"),
            ("{\"user_id\":\"x\",\"facebook_friends\":-1}".to_owned(), "facebook_friends"),
            ("{\"user_id\":\"x\",\"tags\":7}".to_owned(), "tags"),
            ("{\"user_id\":\"x\",\"channel_subscriptions\":[{\"channel\":\"fax\",\"blacklisted\":true}]}".to_owned(), "channel_subscriptions.0.channel"),
            ("{\"user_id\":\"x\",\"list_subscriptions\":[{\"subscribed\":true}]}".to_owned(), "list_subscriptions.0.list_id"),
            ("{\"user_id\":\"x\",\"gdpr_remote_ip\":\"1.2.3\"}".to_owned(), "gdpr_remote_ip"),
            (long("name_first", 256), "name_first"),
            (long("custom", 17 * 1024), "contact"),
            (format!("{{\"user_id\":\"x\",{}}}", custom.join(",")), "contact"),
        ];
        let before = counts(&hotel);
        let list: Vec<&str> = cases.iter().map(|(contact, _)| contact.as_str()).collect();
        let view = hotel.sync(&format!("{{\"origin\":\"PMS\",\"contacts\":[{},{{\"user_id\":\"good\"}}]}}", list.join(",")));
        for ((contact, field), result) in cases.iter().zip(view["results"].as_array().unwrap()) {
            assert_eq!(result["status"], "failed", "{contact}");
            assert_eq!(result["errors"][0]["field"], *field, "{contact}: {result}");
            assert_eq!(result["contact"], Value::Null);
        }
        assert_eq!(view["contacts_valid_count"], 1, "{view}");
        assert_eq!(view["contacts_failed_count"], cases.len(), "{view}");
        let after = counts(&hotel);
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
        still_works(&hotel);
    }

    fn purchases_that_are_wrong_fail_beside_their_contacts(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        for (nth, (fields, field)) in [
            ("\"UUID\":\"r\",\"price\":1,\"currency\":\"EUR\",\"status\":\"sold\"", "status"),
            ("\"UUID\":\"r\",\"price\":1e3,\"currency\":\"EUR\"", "price"),
            ("\"UUID\":\"r\",\"price\":\"x\",\"currency\":\"EUR\"", "price"),
            ("\"UUID\":\"r\",\"price\":1.12345,\"currency\":\"EUR\"", "price"),
            ("\"UUID\":\"r\",\"price\":1,\"currency\":\"XXX1\"", "currency"),
            ("\"price\":1,\"currency\":\"EUR\"", "UUID"),
        ]
        .into_iter()
        .enumerate()
        {
            let view = hotel.sync(&format!("{{\"origin\":\"PMS\",\"contacts\":[{{\"user_id\":\"{nth}\"}}],\"purchase\":{{\"transaction_code\":\"T{nth}\",{fields}}}}}"));
            assert_eq!(view["results"][0]["status"], "created", "{view}");
            assert_eq!(view["purchase_result"]["status"], "failed", "{view}");
            assert_eq!(view["purchase_result"]["errors"][0]["field"], field, "{view}");
            assert_eq!(view["purchase_result"]["transaction_code"], format!("T{nth}"), "{view}");
        }
        assert_eq!(counts(&hotel).2, 0);
        still_works(&hotel);
    }
}
