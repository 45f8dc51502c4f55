//! Sales v4 and input that is wrong: what is told of it, and that nothing of it is stored but what is kept for a person.

use crate::sales_stories::Web;
use crate::support::app::App;
use crate::support::client::{self, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use serde_json::Value;

/// The sentence of an error, whose other members are checked.
fn detail(reply: &Reply) -> String {
    let body: Value =
        serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body));
    assert_eq!(body["status"], reply.status);
    let begin = format!("{{\"status\":{},\"title\":\"", reply.status);
    assert!(reply.body.starts_with(&begin), "{}", reply.body);
    assert!(!body["title"].as_str().unwrap().is_empty());
    assert_eq!(body.as_object().unwrap().len(), 3, "{}", reply.body);
    body["detail"].as_str().unwrap().to_owned()
}

fn still_works(web: &Web<'_>) {
    let (before, _) = web.counts();
    let response = web.response("{\"match_key\":{\"id\":41367},\"event_time\":\"2019-07-13\"}");
    assert_eq!(response["status"], "created", "{response}");
    assert_eq!(web.counts().0, before + 1);
}

on_both_engines! {
    fn bodies_that_cannot_be_read_are_refused_as_a_whole(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let token = format!("Bearer {}", web.token);
        let deep = format!("[{{\"match_key\":{}{}}}]", "[".repeat(31), "]".repeat(31));
        let good = "{\"match_key\":{\"id\":41367},\"event_time\":\"2019-07-13\"}";
        let many = format!("[{}{good}]", format!("{good},").repeat(1000));
        let half = format!("[{good},{}", &good[..20]);
        for (body, status, begin) in [
            (&b""[..], 400, "the body is empty"),
            (b" \r\n\t", 400, "the body is empty"),
            (b"\xEF\xBB\xBF", 400, "the body is empty"),
            (b"{", 400, "the body is not JSON"),
            (b"[{}", 400, "the body is not JSON"),
            (b"[{},]", 400, "the body is not JSON"),
            (b"[] []", 400, "the body is not JSON"),
            (b"{'event_time':1}", 400, "the body is not JSON"),
            (b"match_key[id]=41367", 400, "the body is not JSON"),
            (half.as_bytes(), 400, "the body is not JSON"),
            (b"[\"\xff\"]", 400, "the body is not UTF-8"),
            (b"\xff\xfe[\0]\0", 400, "the body is not UTF-8"),
            (b"[{\"\\ud800\":1}]", 400, "the body has a name"),
            (deep.as_bytes(), 400, "the body is nested deeper than 32 levels"),
            (b"null", 422, "the body is neither a list of sales nor one sale"),
            (b"true", 422, "the body is neither"),
            (b"7", 422, "the body is neither"),
            (b"\"[]\"", 422, "the body is neither"),
            (many.as_bytes(), 413, "the body has more than 1000 sales"),
        ] {
            let reply = web.send("POST", "/api/v4/sales", &[("Authorization", &token)], body);
            assert_eq!(reply.status, status, "{begin}: {}", reply.body);
            assert!(detail(&reply).starts_with(begin), "{begin}: {}", reply.body);
        }
        let flood = "[".repeat(200_000);
        assert_eq!(web.post(&flood).status, 400);
        assert_eq!(web.counts(), (0, 0));
        still_works(&web);
    }

    fn wrong_parameters_and_keys_are_422(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let good = "{\"match_key\":{\"id\":41367},\"event_time\":\"2019-07-13\"}";
        for query in ["dry_run=maybe", "dry_run=2", "dry_run=tru", "dryrun=true", "dry_runs=1", "Dry--Run=1", "dry_run=%00"] {
            let reply = web.post_as(&format!("/api/v4/sales?{query}"), &[], good);
            assert_eq!(reply.status, 422, "{query}");
            assert!(detail(&reply).contains("dry_run"), "{query}: {}", reply.body);
        }
        for key in ["k".repeat(256).as_str(), "caf\u{e9}", ""] {
            // Refused before anything else is looked at.
            for body in [good, "broken"] {
                let reply = web.post_as("/api/v4/sales", &[("Idempotency-Key", key)], body);
                assert_eq!(reply.status, 422, "{key}");
                assert!(detail(&reply).contains("Idempotency-Key"), "{}", reply.body);
            }
        }
        assert_eq!(web.counts(), (0, 0));
        // Others are nobody's business.
        for query in ["", "dry_run=", "dry_run=off", "limit=1&x", "run=1", "%zz=%", "&&&"] {
            assert_eq!(web.post_as(&format!("/api/v4/sales?{query}"), &[], good).status, 200, "{query}");
        }
        assert_eq!(web.counts(), (7, 0));
    }

    fn a_body_over_the_limit_is_413(engine: Engine) {
        let app = App::start(engine, &[("max_json_body_bytes", "20000")]);
        let web = Web::on(&app);
        let body = |size: usize| {
            let body = "[{\"match_key\":{\"id\":41367},\"event_time\":\"2019-07-13\"}]";
            format!("{body}{}", " ".repeat(size - body.len()))
        };
        assert_eq!(web.post(&body(20_000)).status, 200);
        for size in [20_001, 30_000, 2_000_000] {
            let reply = web.post(&body(size));
            assert_eq!((reply.status, detail(&reply).as_str()), (413, "The body is larger than 20000 bytes"));
        }
        let reply = web.send("POST", "/api/v4/sales", &[], body(30_000).as_bytes());
        assert_eq!(reply.status, 401);
        let head = format!("POST /api/v4/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: 99999999999\r\n\r\n[", web.token);
        assert_eq!(client::exchange(app.address, head.as_bytes()).status, 413);
        assert_eq!(web.counts(), (1, 0));
        still_works(&web);
        drop(app.stop());
    }

    fn a_body_that_is_cut_short_is_400(engine: Engine) {
        let app = App::start(engine, &[("body_timeout_ms", "300")]);
        let web = Web::on(&app);
        let head = format!("POST /api/v4/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: 50\r\n\r\n[", web.token);
        let reply = client::exchange(app.address, head.as_bytes());
        assert_eq!(reply.status, 400, "{}", reply.body);
        detail(&reply);
        drop(app.stop());
    }

    fn too_many_kept_sales_are_503(engine: Engine) {
        let app = App::start(engine, &[("max_open_faults", "2")]);
        let web = Web::on(&app);
        let good = "{\"match_key\":{\"id\":41367},\"event_time\":\"2019-07-13\"}";
        assert_eq!(web.post(&format!("[7,8,9,{good}]")).status, 200);
        for _ in 0..2 {
            let reply = web.post(good);
            assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{}", reply.body);
            assert!(detail(&reply).contains("wait to be looked at"), "{}", reply.body);
        }
        assert_eq!(web.counts(), (1, 3));
        drop(app.stop());
    }

    fn items_that_are_wrong_are_invalid_alone(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let time = "\"event_time\":\"2019-07-13 12:34:21\"";
        let lena = "\"match_key\":{\"id\":41367}";
        let with = |members: &str| format!("{{{lena},{time},{members}}}");
        let at = |time: &str| format!("{{{lena},\"event_time\":{time}}}");
        let keys = |keys: &str| format!("{{\"match_key\":{keys},{time}}}");
        let long = "x".repeat(256);
        let published = "The parsed event_time was invalid";
        let mut cases: Vec<(String, &str)> = [
            "null", "\"\"", "\" \"", "7", "1562983200", "true", "[]", "{}", "\"\\ud800\"", "\"30-02-2020\"", "\"2020-02-30\"",
            "\"2019-07-13 24:00:00\"", "\"2019-07-13 12:34:61\"", "\"2019-07-13 12:60:00\"", "\"2019/07/13\"", "\"13/07/2019\"",
            "\"07/13/2019 12:34\"", "\"tomorrow\"", "\"now\"", "\"2019-13-01\"", "\"2019-07-13 12:34:21 PM\"", "\"2019-07-13T12:34:21+99:00\"",
            "\"13-07-19\"", "\"0000-00-00 00:00:00\"", "\"2019-07-13 12:34:21 Europe/Paris\"",
        ]
        .iter()
        .map(|time| (at(time), published))
        .collect();
        cases.extend([
            ("7".to_owned(), "The item 7 is not an object"),
            ("null".to_owned(), "The item null is not an object"),
            (format!("[{{{lena},{time}}}]"), "The item [{"),
            ("{}".to_owned(), published),
            (format!("{{{lena}}}"), published),
            (format!("{{{time}}}"), "The match_key is missing"),
            (keys("null"), "The match_key is missing"),
            (keys("\"41367\""), "The match_key \"41367\" is not an object"),
            (keys("[{\"id\":41367}]"), "The match_key [{"),
            (keys("{}"), "The match_key has nothing"),
            (keys("{\"id\":\"\",\"email\":null,\"phone\":\" \",\"name\":\"Lena\"}"), "The match_key has nothing"),
            (keys("{\"id\":[41367]}"), "The match_key has [41367] as id"),
            (keys("{\"id\":41367,\"email\":{}}"), "The match_key has {} as email"),
            (keys("{\"email\":true}"), "The match_key has true as email"),
            (with("\"value\":1e3"), "The value \"1e3\" is not a number"),
            (with("\"value\":\"+5\""), "The value \"+5\" is not a number"),
            (with("\"value\":\"5,50\""), "The value \"5,50\" is not a number"),
            (with("\"value\":\"5 EUR\""), "The value \"5 EUR\" is not a number"),
            (with("\"value\":\"NaN\""), "The value \"NaN\" is not a number"),
            (with("\"value\":[5]"), "The value [5] is not a number"),
            (with("\"value\":true"), "The value true is not a number"),
            (with("\"value\":5.005"), "The value \"5.005\" has more decimals than USD has"),
            (with("\"value\":5.5,\"currency\":\"JPY\""), "The value \"5.5\" has more decimals than JPY has"),
            (with("\"value\":1234567890123"), "The value \"1234567890123\" is too large"),
            (with("\"value\":-1234567890123"), "The value \"-1234567890123\" is too large"),
            (with("\"currency\":\"EURO\""), "The currency \"EURO\""),
            (with("\"currency\":\"XXZ\""), "The currency \"XXZ\""),
            (with("\"currency\":{}"), "The currency {}"),
            (with("\"order_id\":{}"), "The order_id {}"),
            (with("\"order_id\":false"), "The order_id false"),
            (with(&format!("\"order_id\":\"{long}\"")), "The order_id \"xxx"),
            (with("\"order_id\":\"a\\u0000b\""), "The order_id \"a\\u{0}b\""),
            (with(&format!("\"external_sale_id\":\"{long}\"")), "The external_sale_id \"xxx"),
            (with("\"external_sale_id\":\"a\\nb\""), "The external_sale_id \"a\\nb\""),
        ]);
        let good = with("\"order_id\":\"fine\"");
        let list: Vec<&str> = cases.iter().map(|(item, _)| item.as_str()).collect();
        let told = web.told(&format!("[{},{good}]", list.join(","))).replace("\\ud800", "");
        let told: Value = serde_json::from_str(&told).unwrap();
        for ((item, reason), told) in cases.iter().zip(told.as_array().unwrap()) {
            let response = &told["response"];
            assert_eq!(response["status"], "invalid", "{item}: {response}");
            let text = response["reason"].as_str().unwrap();
            assert!(text.starts_with(reason), "{item}: {text}");
            assert!(text.chars().count() < 300, "{text}");
            let id = item.contains("\"match_key\":{\"id\":41367}").then_some("41367");
            assert!(id.is_none() || response["userdata_id"] == "41367" || item.starts_with('['), "{item}: {response}");
        }
        let last = told.as_array().unwrap().last().unwrap();
        assert_eq!(last["response"]["status"], "created");
        assert_eq!(web.counts().0, 1);
        still_works(&web);
    }

    fn odd_input_is_taken_where_it_means_something(engine: Engine) {
        let web = Web::on(App::shared(engine));
        for members in [
            "\"value\":\"2200.50\"",
            "\"value\":-5.25",
            "\"value\":0",
            "\"value\":\"007.10\"",
            "\"value\":5.500000",
            "\"value\":999999999999.99",
            "\"value\":null,\"currency\":\"\"",
            "\"value\":5,\"currency\":\"jpy\"",
            "\"currency\":\"EUR\"",
            "\"order_id\":123456789012345678901234567890",
            "\"order_id\":\"\u{65e5}\u{672c} \u{1f600}\"",
            "\"x\\u0000y\":\"\\u0000\"",
            "\"note\":\"\\ud800\"",
        ] {
            let response = web.response(&format!("{{\"match_key\":{{\"id\":41367}},\"event_time\":\"2019-07-13\",{members}}}"));
            assert_eq!(response["status"], "created", "{members}: {response}");
        }
        // Twice the same member: the last counts.
        let response = web.response("{\"match_key\":{\"id\":1},\"event_time\":\"x\",\"event_time\":\"2019-07-13\",\"match_key\":{\"id\":41367}}");
        assert_eq!(response["status"], "created", "{response}");
    }
}
