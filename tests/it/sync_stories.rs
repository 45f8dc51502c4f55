//! `sync_data` as its clients see it: requests in every spelling, the answers, and the jobs that come of them.

use crate::support::app::{App, Shop, WORLD};
use crate::support::client::{self, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An account whose secret is known.
pub struct Hotel<'a> {
    pub shop: Shop<'a>,
    pub secret: String,
}

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The published request, as it stands in the vendor's document.
pub const PUBLISHED: &str = include_str!("../../src/sync_data/request/published.json");

impl<'a> Hotel<'a> {
    pub fn on(app: &'a App) -> Hotel<'a> {
        Hotel::with(app, "")
    }

    /// With more lines for its account in the world file.
    pub fn with(app: &'a App, lines: &str) -> Hotel<'a> {
        let account = format!("country = \"US\"\nsecret = \"s-{{key}}\"\n{lines}");
        let shop = app.shop(&WORLD.replacen("country = \"US\"", &account, 1));
        let secret = format!("s-{}", shop.key);
        Hotel { shop, secret }
    }

    pub fn path(&self) -> String {
        format!("/account/{}/sync_data", self.shop.account)
    }

    /// Sends anything.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        client::send(self.shop.app.address, method, path, headers, body)
    }

    pub fn token(&self) -> String {
        format!("Token token={}", self.secret)
    }

    /// Posts a body with the right secret and more headers.
    pub fn post_as(&self, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let token = self.token();
        let mut all = vec![
            ("Authorization", token.as_str()),
            ("Content-Type", content_type),
        ];
        all.extend(headers);
        self.send("POST", &self.path(), &all, body)
    }

    pub fn post(&self, body: &str) -> Reply {
        self.post_as(JSON, &[], body.as_bytes())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[("Authorization", &self.token())], b"")
    }

    /// Posts a body that is taken, and gives the job's id.
    pub fn job(&self, body: &str) -> String {
        let reply = self.post(body);
        assert_eq!(reply.status, 201, "{}", reply.body);
        id(&reply)
    }

    /// The job once it is done.
    pub fn done(&self, job: &str, query: &str) -> Value {
        let path = format!("{}/{job}?{query}", self.path());
        let began = Instant::now();
        loop {
            let reply = self.get(&path);
            assert_eq!(reply.status, 200, "{}", reply.body);
            let view: Value = serde_json::from_str(&reply.body).unwrap();
            if matches!(view["status"].as_str(), Some("completed" | "failed")) {
                return view;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{view}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Posts a body and waits until it is worked off.
    pub fn sync(&self, body: &str) -> Value {
        self.done(&self.job(body), "expand=contact,purchase")
    }
}

/// The id in an answer.
pub fn id(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    body["_id"].as_str().unwrap().to_owned()
}

fn contact(user: &str) -> String {
    format!("{{\"origin\":\"PMS\",\"contacts\":[{{\"user_id\":\"{user}\"}}]}}")
}

on_both_engines! {
    fn the_published_request_gets_the_published_answer(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let reply = hotel.post(PUBLISHED);
        assert_eq!(reply.status, 201, "{}", reply.body);
        let id = id(&reply);
        assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        assert_eq!(
            reply.body,
            format!("{{\"_id\":\"{id}\",\"number_of_contacts\":1,\"number_of_purchase\":1,\"validate_emails\":true,\"contacts_extra_fields\":[\"name_first\"],\"purchase_extra_fields\":[\"price\"],\"webhook_url\":\"https://xxxxxx.xxx\",\"status\":\"queued\"}}")
        );
        for (name, value) in [
            ("content-type", "application/json; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(reply.header(name), Some(value));
        }
        assert_eq!(reply.header("access-control-allow-origin"), None);
        assert_eq!(reply.header("idempotent-replayed"), None);
        let shown = hotel.get(&format!("{}/{id}", hotel.path()));
        assert_eq!(shown.status, 200);
        assert!(shown.body.starts_with(&reply.body[..reply.body.len() - "queued\"}".len()]), "{}", shown.body);
    }

    fn the_published_request_is_worked_off(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let body = PUBLISHED.replace("\"validate\": true", "\"validate\": false");
        let view = hotel.sync(&body);
        assert_eq!(view["status"], "completed");
        assert_eq!((&view["contacts_valid_count"], &view["contacts_failed_count"]), (&json!(1), &json!(0)));
        assert_eq!(view["results"][0]["status"], "created", "{view}");
        let contact = &view["results"][0]["contact"];
        let sent: Value = serde_json::from_str(PUBLISHED).unwrap();
        for (name, value) in sent["contacts"][0].as_object().unwrap() {
            assert_eq!(&contact[name], value, "{name}");
        }
        assert_eq!(contact["_id"], view["results"][0]["_id"]);
        let purchase = &view["purchase_result"];
        assert_eq!((&purchase["status"], &purchase["transaction_code"]), (&json!("created"), &json!("transaction_code_xxxx")));
        for (name, value) in sent["purchase"].as_object().unwrap() {
            assert_eq!(&purchase["purchase"][name], value, "{name}");
        }
        assert!(view["completed_at"].as_str().unwrap().ends_with('Z'));
    }

    fn every_documented_field_comes_back_as_it_was_sent(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let fields = r#""name_first":"Ana","name_last":"Ruiz","email":"Ana@Example.com","user_id":1042,"phone_countrycode":"+34","phone_number":"612 345 678","phone":"+34612345678","city":"Sevilla","country":"Spain","region":"Andaluc\u00eda","zip":41001,"full_address":"Calle 1\n2","born_date":"1990-01-01","gender":"FEMALE","language":"es_ES","facebook_id":"fb","facebook_friends":12,"twitter_id":77,"twitter_followers":"9","tags":["a","b"],"list_subscriptions":[{"list_id":"l","subscribed":true}],"channel_subscriptions":[{"channel":"sms","blacklisted":false}],"gdpr_accept_terms":true,"gdpr_marketing_consent":"1","gdpr_date":"2026-01-02T03:04:05Z","gdpr_remote_ip":"192.0.2.7","spend":545.50,"Room Type":{"view":["sea",null]},"none":null"#;
        let job = hotel.job(&format!("{{\"origin\":\"PMS\",\"contacts\":[{{{fields}}}]}}"));
        let view = hotel.done(&job, "expand=contact");
        assert_eq!(view["results"][0]["errors"], json!([]), "{view}");
        let contact = &view["results"][0]["contact"];
        let sent: Value = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&contact[name], value, "{name}");
        }
        // Digit for digit, not only as a number.
        let text = hotel.get(&format!("{}/{job}?expand=contact", hotel.path())).body;
        assert!(text.contains("\"spend\":545.50"), "{text}");
    }

    fn every_route_and_every_spelling_of_the_header_leads_in(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let (account, secret) = (&hotel.shop.account, &hotel.secret);
        for prefix in ["/account", "/v2/account", "/api/account", "/api/v2/account"] {
            for end in ["", "/"] {
                for header in [
                    format!("Token token={secret}"),
                    format!("token token=\"{secret}\", nonce=\"def\""),
                ] {
                    let headers = [("Authorization", header.as_str()), ("Content-Type", JSON)];
                    let path = format!("{prefix}/{account}/sync_data{end}");
                    let reply = hotel.send("POST", &path, &headers, contact("u").as_bytes());
                    assert_eq!(reply.status, 201, "{path} {header}: {}", reply.body);
                    let path = format!("{prefix}/{account}/sync_data/{}{end}", id(&reply));
                    assert_eq!(hotel.send("GET", &path, &headers, b"").status, 200, "{path}");
                }
            }
        }
    }

    fn whoever_has_not_the_secret_gets_one_answer(engine: Engine) {
        let app = App::shared(engine);
        let (hotel, other) = (Hotel::on(app), Hotel::on(app));
        let without = app.shop(WORLD);
        let try_with = |account: &str, header: Option<&str>| {
            let mut headers = vec![("Content-Type", JSON)];
            headers.extend(header.map(|header| ("Authorization", header)));
            let path = format!("/account/{account}/sync_data");
            let reply = hotel.send("POST", &path, &headers, contact("u").as_bytes());
            let shown = hotel.send("GET", &format!("{path}/6553f1000102030000000001"), &headers, b"");
            assert_eq!((reply.status, shown.status), (401, 401), "{account} {header:?}");
            assert_eq!(reply.body, shown.body);
            assert_eq!(reply.body, format!("{{\"error\":\"authorization failure for account: {account}\"}}"));
            assert_eq!(reply.header("www-authenticate"), None);
        };
        let mine = &hotel.shop.account;
        let right = hotel.token();
        for header in [
            None,
            Some(""),
            Some("Token"),
            Some("Token token="),
            Some("Token token=\"\""),
            Some("Bearer nothing"),
            Some(format!("Bearer {}", hotel.secret).as_str()),
            Some(format!("Token {}", hotel.secret).as_str()),
            Some(format!("Token token={}x", hotel.secret).as_str()),
            Some(other.token().as_str()),
            Some(format!("Token token={}", hotel.shop.key).as_str()),
        ] {
            try_with(mine, header);
        }
        try_with(&other.shop.account, Some(&right));
        try_with(&without.account, Some(&right));
        try_with(&without.account, Some("Token token="));
        try_with("nobody", Some(&right));
        // The id is told as it was meant, not as it was escaped.
        let reply = hotel.send("POST", "/account/a%20b%22/sync_data", &[("Authorization", &right)], b"{}");
        assert_eq!(reply.body, "{\"error\":\"authorization failure for account: a b\\\"\"}");
        assert_eq!(hotel.post(&contact("u")).status, 201);
    }

    fn other_paths_and_methods_are_refused(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let job = hotel.job(&contact("u"));
        let (jobs, job) = (hotel.path(), format!("{}/{job}", hotel.path()));
        for (method, path, allow) in [
            ("GET", jobs.as_str(), "POST"),
            ("PUT", &jobs, "POST"),
            ("DELETE", &jobs, "POST"),
            ("POST", &job, "GET"),
            ("PATCH", &job, "GET"),
            ("OPTIONS", &job, "GET"),
            ("POST", "/openapi.json", "GET"),
        ] {
            let reply = hotel.send(method, path, &[], b"");
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {path}");
            assert_eq!(reply.body, "{\"error\":\"Method not allowed\"}");
        }
        for path in ["/account", "/v2/account/a/contact", "/api/account/a/sync_data/1/2", "/api/v2/account//sync_data"] {
            for method in ["GET", "POST"] {
                let reply = hotel.send(method, path, &[("Authorization", &hotel.token())], b"");
                assert_eq!(reply.status, 404);
                assert!(reply.body.starts_with("{\"error\":\"Route not found, please visit "), "{}", reply.body);
            }
        }
        let reply = hotel.send("GET", "/nothing", &[], b"");
        assert_eq!((reply.status, reply.body.as_str()), (404, ""));
    }

    fn forms_say_the_same_in_every_spelling(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        for (nth, form) in [
            "origin=PMS&contacts[][user_id]=U1&contacts[][name_first]=A&contacts[][tags][]=x&contacts[][tags][]=y&contacts[][user_id]=U2&options[webhook][contacts_extra_fields][]=city",
            "origin=PMS&contacts[0][user_id]=U1&contacts[0][name_first]=A&contacts[0][tags][0]=x&contacts[0][tags][1]=y&contacts[1][user_id]=U2&options[webhook][contacts_extra_fields][0]=city",
            "origin=PMS&contacts[0[user_id]]=U1&contacts[0[name_first]]=A&contacts[0[tags]][]=x&contacts[0[tags]][]=y&contacts[1[user_id]]=U2&options[webhook[contacts_extra_fields]][]=city",
            "origin=PMS&contacts%5B0%5D%5Buser_id%5D=U1&contacts%5B0%5D%5Bname_first%5D=A&contacts%5B0%5D%5Btags%5D%5B%5D=x&contacts%5B0%5D%5Btags%5D%5B%5D=y&contacts%5B1%5D%5Buser_id%5D=U2&options%5Bwebhook%5D%5Bcontacts_extra_fields%5D=city",
        ]
        .iter()
        .enumerate()
        {
            let form = form.replace("U1", &format!("one-{nth}")).replace("U2", &format!("two-{nth}"));
            let reply = hotel.post_as(FORM, &[], form.as_bytes());
            assert_eq!(reply.status, 201, "{}", reply.body);
            assert!(reply.body.contains("\"number_of_contacts\":2"), "{}", reply.body);
            assert!(reply.body.contains("\"contacts_extra_fields\":[\"city\"]"), "{}", reply.body);
            let view = hotel.done(&id(&reply), "expand=contact");
            let contact = &view["results"][0]["contact"];
            assert_eq!(contact["user_id"], format!("one-{nth}"));
            assert_eq!((&contact["name_first"], &contact["tags"]), (&json!("A"), &json!(["x", "y"])));
            assert_eq!(view["results"][1]["contact"]["user_id"], format!("two-{nth}"));
        }
        // One contact, as the vendor's table spells it, with flags and numbers as texts.
        let form = "origin=PMS&options[email_validation[validate]]=false&contacts[user_id]=lone&contacts[facebook_friends]=3&contacts[gdpr_accept_terms]=1&contacts[list_subscriptions[list_id]]=7&contacts[list_subscriptions[subscribed]]=true&purchase[transaction_code]=form-1&purchase[UUID]=room&purchase[price]=12.50&purchase[currency]=EUR";
        let reply = hotel.post_as(FORM, &[], form.as_bytes());
        let view = hotel.done(&id(&reply), "expand=contact,purchase");
        assert_eq!(view["contacts_failed_count"], 0, "{view}");
        assert_eq!(view["purchase_result"]["purchase"]["price"], "12.50", "{view}");
    }

    fn a_key_makes_a_request_once(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let key = [("Idempotency-Key", "order 7")];
        let first = hotel.post_as(JSON, &key, contact("u").as_bytes());
        assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
        let spaced = format!(" {} ", contact("u").replace(',', " , "));
        for body in [contact("u"), spaced, "{\"contacts\":[{\"user_id\":\"\\u0075\"}],\"origin\":\"PMS\",\"unknown\":1}".to_owned()] {
            let again = hotel.post_as(JSON, &key, body.as_bytes());
            assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")), "{}", again.body);
            assert_eq!(again.body, first.body);
        }
        // A form that says the same is the same request.
        let form = hotel.post_as(FORM, &key, b"origin=PMS&contacts[0][user_id]=u");
        assert_eq!(form.body, first.body);
        let other = hotel.post_as(JSON, &key, contact("v").as_bytes());
        assert_eq!(other.status, 422);
        assert!(other.body.contains("\"field\":\"Idempotency-Key\""), "{}", other.body);
        // A request that was refused has not used its key.
        let key = [("Idempotency-Key", "order 8")];
        assert_eq!(hotel.post_as(JSON, &key, b"{\"origin\":\"PMS\"}").status, 422);
        let later = hotel.post_as(JSON, &key, contact("u").as_bytes());
        assert_eq!((later.status, later.header("idempotent-replayed")), (201, None));
        assert_ne!(later.body, first.body);
        // Another account's key is another key.
        let other = Hotel::on(hotel.shop.app);
        let theirs = other.post_as(JSON, &key, contact("u").as_bytes());
        assert_eq!((theirs.status, theirs.header("idempotent-replayed")), (201, None));
    }

    fn two_at_once_with_one_key_are_one_job(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let bodies: Vec<String> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let reply = hotel.post_as(JSON, &[("Idempotency-Key", "k")], contact("u").as_bytes());
                        assert_eq!(reply.status, 201, "{}", reply.body);
                        reply.body
                    })
                })
                .collect();
            sent.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    }

    fn an_account_may_guard_against_duplicates(engine: Engine) {
        let hotel = Hotel::with(App::shared(engine), "duplicate_window_s = 60");
        let first = hotel.post(&contact("u"));
        let again = hotel.post(&contact("u"));
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
        assert_eq!(again.body, first.body);
        assert_ne!(hotel.post(&contact("v")).body, first.body);
    }

    fn a_purchase_alone_must_be_known(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let status = "{\"origin\":\"PMS\",\"purchase\":{\"transaction_code\":\"T\",\"status\":\"check_out\"}}";
        let reply = hotel.post(status);
        assert_eq!(reply.status, 422);
        assert!(reply.body.contains("\"field\":\"purchase.transaction_code\""), "{}", reply.body);
        let job = hotel.job("{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"g\"}],\"purchase\":{\"transaction_code\":\"T\",\"UUID\":\"room\",\"price\":99.90,\"currency\":\"EUR\"}}");
        // Known from the moment at which it was stored, worked off or not.
        let reply = hotel.post(status);
        assert_eq!(reply.status, 201, "{}", reply.body);
        assert!(reply.body.contains("\"number_of_contacts\":0,\"number_of_purchase\":1"), "{}", reply.body);
        assert_eq!(hotel.done(&job, "")["purchase_result"]["status"], "created");
        let view = hotel.done(&id(&reply), "expand=purchase");
        let purchase = &view["purchase_result"]["purchase"];
        assert_eq!((&purchase["status"], &purchase["price"]), (&json!("check_out"), &json!(99.90)), "{view}");
        assert_eq!(view["results"], json!([]));
        // Of one that failed nothing is told, though a purchase with its code is stored.
        let failed = hotel.job("{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"g\"}],\"purchase\":{\"transaction_code\":\"T\",\"price\":\"x\"}}");
        let view = hotel.done(&failed, "expand=purchase");
        let result = &view["purchase_result"];
        assert_eq!((&result["status"], &result["purchase"]), (&json!("failed"), &json!(null)), "{view}");
    }

    fn results_come_in_pages(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let contacts: Vec<String> = (0..25).map(|nth| format!("{{\"user_id\":\"{nth}\"}}")).collect();
        let job = hotel.job(&format!("{{\"origin\":\"PMS\",\"contacts\":[{}]}}", contacts.join(",")));
        let all = hotel.done(&job, "");
        let indexes = |view: &Value| -> Vec<u64> {
            view["results"].as_array().unwrap().iter().map(|one| one["index"].as_u64().unwrap()).collect()
        };
        assert_eq!(indexes(&all), (0..25).collect::<Vec<_>>());
        assert!(all["results"][0].get("contact").is_none());
        for (query, expected) in [
            ("limit=10", 0..10),
            ("limit=10&offset=20", 20..25),
            ("offset=25", 25..25),
            ("offset=24&limit=1000", 24..25),
        ] {
            assert_eq!(indexes(&hotel.done(&job, query)), expected.collect::<Vec<u64>>(), "{query}");
        }
        for query in ["limit=0", "limit=1001", "offset=-1", "limit=x", "expand=all"] {
            let reply = hotel.get(&format!("{}/{job}?{query}", hotel.path()));
            assert_eq!(reply.status, 422, "{query}");
        }
    }

    fn a_job_of_another_account_looks_like_none(engine: Engine) {
        let app = App::shared(engine);
        let (hotel, other) = (Hotel::on(app), Hotel::on(app));
        let job = other.job(&contact("u"));
        let _mine = hotel.job(&contact("u"));
        let changed = format!("{}{}", &job[..8], "0".repeat(6)) + &job[14..];
        for wrong in [job.as_str(), &changed, "x", "6553f1000102030000000001", &job.to_uppercase()] {
            let reply = hotel.get(&format!("{}/{wrong}", hotel.path()));
            assert_eq!(reply.status, 404, "{wrong}");
            assert_eq!(reply.body, "{\"error\":\"sync_data not found\"}");
        }
    }

    fn items_fail_one_by_one(engine: Engine) {
        let hotel = Hotel::on(App::shared(engine));
        let view = hotel.sync("{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"a\"},7,{\"city\":\"Rome\"},{\"user_id\":\"b\",\"gender\":\"x\",\"born_date\":\"1990-02-30\"},{\"user_id\":\"c\"}],\"purchase\":{\"transaction_code\":\"T\",\"price\":\"x\"}}");
        assert_eq!(view["status"], "completed");
        assert_eq!((&view["contacts_valid_count"], &view["contacts_failed_count"]), (&json!(2), &json!(3)), "{view}");
        let fields: Vec<Vec<&str>> = view["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect())
            .collect();
        assert_eq!(fields, [vec![], vec!["contact"], vec!["user_id"], vec!["gender", "born_date"], vec![]]);
        assert_eq!(view["purchase_result"]["status"], "failed", "{view}");
    }
}

#[test]
fn the_description_has_every_route_and_every_field() {
    use punchcard::loyalty::contacts::fields::FIELDS;
    use punchcard::loyalty::purchases;
    let hotel = Hotel::on(App::shared(Engine::Sqlite));
    let reply = hotel.send("GET", "/openapi.json", &[], b"");
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let doc: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(doc["openapi"], "3.0.3");
    assert_eq!(doc["info"]["version"], env!("CARGO_PKG_VERSION"));
    let servers: Vec<&str> = doc["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["url"].as_str().unwrap())
        .collect();
    assert_eq!(servers, ["/", "/v2", "/api", "/api/v2"]);
    let mut paths: Vec<&String> = doc["paths"].as_object().unwrap().keys().collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/account/{account}/sync_data",
            "/account/{account}/sync_data/{job}",
            "/api/v4/sales",
            "/openapi.json"
        ]
    );
    let schemas = &doc["components"]["schemas"];
    for field in FIELDS {
        assert!(
            !schemas["Contact"]["properties"][field.name]["description"].is_null(),
            "{}",
            field.name
        );
    }
    assert_eq!(
        schemas["Contact"]["properties"].as_object().unwrap().len(),
        FIELDS.len()
    );
    for name in purchases::FIELDS.iter().chain(&purchases::UUID_NAMES) {
        assert!(
            !schemas["Purchase"]["properties"][name]["description"].is_null(),
            "{name}"
        );
    }
    for status in purchases::STATUSES {
        assert!(
            schemas["Purchase"]["properties"]["status"]["description"]
                .as_str()
                .unwrap()
                .contains(status),
            "{status}"
        );
    }
    let example = &doc["paths"]["/account/{account}/sync_data"]["post"]["requestBody"]["content"]["application/json"]
        ["example"];
    assert_eq!(*example, serde_json::from_str::<Value>(PUBLISHED).unwrap());
}
