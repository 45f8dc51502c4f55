//! Sales v4 as its clients see it: requests, answers, and what is stored by them.

use crate::support::app::{App, Shop, WORLD};
use crate::support::client::{self, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::sync_stories::Hotel;
use diesel::prelude::*;
use punchcard::store::schema::{rejections, sales};
use serde_json::{Value, json};

/// A brand whose token is known.
pub struct Web<'a> {
    pub shop: Shop<'a>,
    pub token: String,
}

/// Two brands, and customers with numbers of their own.
const BRANDS: &str = r#"
[[account.brand]]
id = "web"
token = "web-{key}"

[[account.brand]]
id = "tokyo"
currency = "JPY"
timezone = "Asia/Tokyo"
token = "tokyo-{key}"

[[account.campaign]]"#;

const PEOPLE: &str = r#"

[[account.customer]]
id = 41367
code = "c1"
first_name = "Lena"
email = "lena@example.com"
phone = "4692023332"
document = "1.234.567-8"

[[account.customer]]
id = 41369
code = "c2"
first_name = "Mateo"
last_name = "Menestrina"
email = "shared@example.com"
created = "2015-12-03 00:00:00"

[[account.customer]]
id = 41370
code = "c3"
first_name = "Jow"
last_name = "Doe"
email = "Shared@Example.com"
phone = "555-0199"
cellphone = "555-0100"
created = "2015-12-04 10:20:30"
"#;

/// The time of most sales here.
const TIME: &str = "\"event_time\":\"2019-07-13 12:34:21\"";

impl<'a> Web<'a> {
    pub fn on(app: &'a App) -> Web<'a> {
        Web::with(app, "")
    }

    /// With more lines for its account in the world file.
    pub fn with(app: &'a App, lines: &str) -> Web<'a> {
        let shop = app.shop(&Web::world(lines));
        let token = format!("web-{}", shop.key);
        Web { shop, token }
    }

    fn world(lines: &str) -> String {
        let account = format!("country = \"US\"\n{lines}");
        let world = WORLD.replacen("country = \"US\"", &account, 1);
        world.replacen("[[account.campaign]]", BRANDS.trim_start(), 1) + PEOPLE
    }

    /// Sends anything.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        client::send(self.shop.app.address, method, path, headers, body)
    }

    /// Posts a body with more headers, to a path that may have a query string.
    pub fn post_as(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let token = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", token.as_str())];
        all.extend(headers);
        self.send("POST", path, &all, body.as_bytes())
    }

    pub fn post(&self, body: &str) -> Reply {
        self.post_as("/api/v4/sales", &[], body)
    }

    /// What was answered to a body that is well-formed.
    pub fn told(&self, body: &str) -> String {
        let reply = self.post(body);
        assert_eq!(reply.status, 200, "{body}: {}", reply.body);
        reply.body
    }

    /// The response to one sale.
    pub fn response(&self, item: &str) -> Value {
        // Half a surrogate pair comes back as it was sent, but is nothing that could be read here.
        let told = self.told(item).replace("\\ud800", "");
        let told: Value = serde_json::from_str(&told).unwrap();
        told["response"].clone()
    }

    /// The response to a sale at a time that is right, with these members.
    fn sale(&self, members: &str) -> Value {
        self.response(&format!("{{{members},{TIME}}}"))
    }

    /// The same account once more.
    fn same_shop(&self) -> Shop<'a> {
        Shop {
            app: self.shop.app,
            account: self.shop.account.clone(),
            user: self.shop.user.clone(),
            key: self.shop.key.clone(),
            path: self.shop.path.clone(),
        }
    }

    /// The same account's other brand.
    fn tokyo(&self) -> Web<'a> {
        Web {
            token: format!("tokyo-{}", self.shop.key),
            shop: self.same_shop(),
        }
    }

    /// How many sales and kept items the account has.
    pub fn counts(&self) -> (i64, i64) {
        let db = &mut self.shop.app.db();
        let account = self.shop.number(db);
        let stored = sales::table
            .filter(sales::account_id.eq(account))
            .count()
            .get_result(db);
        let kept = rejections::table
            .filter(rejections::account_id.eq(account))
            .count()
            .get_result(db);
        (stored.unwrap(), kept.unwrap())
    }
}

/// One row of `matches`; what stands behind these labels is as given, all others are `null`.
fn row(id: &str, known: &[(&str, &str)]) -> String {
    let labels = [
        "CampaignRefID",
        "First Name",
        "Last Name",
        "Email",
        "Record created at",
        "Document",
        "Document Type",
        "Document Country",
        "Phone",
        "Cellphone",
        "Gender",
        "Birthday",
        "Address",
        "City",
        "State",
        "Country",
        "Postal Code",
        "Device",
    ];
    let members: Vec<String> = labels
        .iter()
        .map(|label| match known.iter().find(|(name, _)| name == label) {
            Some((_, value)) => format!("\"{label}\":\"{value}\""),
            None => format!("\"{label}\":null"),
        })
        .collect();
    format!("{{\"BunkerID\":\"{id}\",{}}}", members.join(","))
}

fn mateo() -> String {
    row(
        "41369",
        &[
            ("First Name", "Mateo"),
            ("Last Name", "Menestrina"),
            ("Email", "shared@example.com"),
            ("Record created at", "2015-12-03 00:00:00"),
        ],
    )
}

fn jow() -> String {
    row(
        "41370",
        &[
            ("First Name", "Jow"),
            ("Last Name", "Doe"),
            ("Email", "Shared@Example.com"),
            ("Record created at", "2015-12-04 10:20:30"),
            ("Phone", "555-0199"),
            ("Cellphone", "555-0100"),
        ],
    )
}

on_both_engines! {
    fn the_published_examples_get_the_published_answers(engine: Engine) {
        let web = Web::on(App::shared(engine));
        // Two sales, then one that the published answer calls 3, and another one.
        let known = "[1,2,{\"match_key\":{\"id\":\"41370\"},\"event_time\":\"2016-02-10 11:14:13\",\"order_id\":\"3325-uy\"},4]";
        let known = known
            .replace("1,2,", "{\"match_key\":{\"id\":41367},\"event_time\":\"2016-02-10\"},{\"match_key\":{\"id\":41367},\"event_time\":\"2016-02-10\"},")
            .replace(",4]", ",{\"match_key\":{\"id\":41367},\"event_time\":\"2016-02-10\"}]");
        assert!(web.told(&known).contains("\"sale_id\":3"));
        assert_eq!(
            web.told("[{\"match_key\":{\"id\":\"41367\"},\"event_time\":\"2019-07-13 12:34:21\",\"order_id\":\"12332223421\"},{\"match_key\":{\"email\":\"lena@example.com\"},\"event_time\":\"2016-02-10 11:14:13\",\"order_id\":\"3325-uy\"}]"),
            "[{\"match_key\":{\"id\":\"41367\"},\"event_time\":\"2019-07-13 12:34:21\",\"order_id\":\"12332223421\",\"response\":{\"sale_id\":5,\"status\":\"created\",\"userdata_id\":\"41367\"}},{\"match_key\":{\"email\":\"lena@example.com\"},\"event_time\":\"2016-02-10 11:14:13\",\"order_id\":\"3325-uy\",\"response\":{\"sale_id\":3,\"status\":\"updated\",\"userdata_id\":\"41367\"}}]"
        );
        // The published request.
        assert_eq!(
            web.told("[\n{\n\"match_key\": {\n\"phone\": \"4692023332\"\n},\n\"event_time\": \"2019-07-13 12:34:21\",\n\"order_id\": \"12332223421\"\n}\n]\n"),
            "[{\"match_key\":{\n\"phone\": \"4692023332\"\n},\"event_time\":\"2019-07-13 12:34:21\",\"order_id\":\"12332223421\",\"response\":{\"sale_id\":5,\"status\":\"updated\",\"userdata_id\":\"41367\"}}]"
        );
        assert_eq!(
            web.told("[{\"match_key\":{\"email\":\"shared@example.com\"},\"event_time\":\"2016-08-10 11:14:13\",\"value\":2200}]"),
            format!(
                "[{{\"match_key\":{{\"email\":\"shared@example.com\"}},\"event_time\":\"2016-08-10 11:14:13\",\"value\":2200,\"response\":{{\"status\":\"not unique\",\"reason\":\"Can't resolve unique registry by attribution\",\"matches\":[{},{}]}}}}]",
                mateo(),
                jow()
            )
        );
        assert_eq!(
            web.told("[{\"match_key\":{\"id\":\"4136799999\"},\"event_time\":\"2019-07-13 12:34:21\",\"order_id\":\"12332223421\"}]"),
            "[{\"match_key\":{\"id\":\"4136799999\"},\"event_time\":\"2019-07-13 12:34:21\",\"order_id\":\"12332223421\",\"response\":{\"status\":\"not_found\",\"reason\":\"Userdata not found\",\"userdata_id\":\"4136799999\"}}]"
        );
        assert_eq!(
            web.told("[{\"match_key\":{\"id\":\"4136799999\"},\"event_time\":\"30-02-2020\",\"value\":545.5}]"),
            "[{\"match_key\":{\"id\":\"4136799999\"},\"event_time\":\"30-02-2020\",\"value\":545.5,\"response\":{\"status\":\"invalid\",\"reason\":\"The parsed event_time was invalid\",\"userdata_id\":\"4136799999\"}}]"
        );
        assert_eq!(web.counts(), (5, 3));
    }

    fn an_answer_is_a_whole_json_document_with_its_headers(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let reply = web.post("[]");
        assert_eq!((reply.status, reply.body.as_str()), (200, "[]"));
        for (name, value) in [
            ("content-type", Some("application/json; charset=utf-8")),
            ("cache-control", Some("no-store")),
            ("x-content-type-options", Some("nosniff")),
            ("access-control-allow-origin", None),
            ("idempotent-replayed", None),
        ] {
            assert_eq!(reply.header(name), value);
        }
        // One sale without a list is answered without one; the type is not looked at.
        let one = format!(" {{\"match_key\":{{\"id\":41367}},{TIME}}}\n");
        let reply = web.post_as("/api/v4/sales/?a=b", &[("Content-Type", "text/plain")], &one);
        assert_eq!(
            reply.body,
            format!("{{\"match_key\":{{\"id\":41367}},{TIME},\"response\":{{\"sale_id\":1,\"status\":\"created\",\"userdata_id\":\"41367\"}}}}")
        );
    }

    fn items_are_echoed_in_their_order_and_their_own_bytes(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let long = "9".repeat(400);
        let told = web.told(&format!(
            "[7,\"a\\u00e9\",null,[1],{{}},{{ \"zz\" : {long} , \"caf\\u00e9\":\"\\/\\u0041\",{TIME}, \"response\":{{\"status\":\"mine\"}},\"match_key\":{{\"id\":41367,\"x\":[ 1.50 , -0e-0 ]}},\"value\":\"2200.50\",\"value\":12.50,\"\":null}}]"
        ));
        let items: Value = serde_json::from_str(&told.replace(&long, "1")).unwrap();
        let states: Vec<&str> = items.as_array().unwrap().iter().map(|item| item["response"]["status"].as_str().unwrap()).collect();
        assert_eq!(states, ["invalid", "invalid", "invalid", "invalid", "invalid", "created"]);
        for item in &items.as_array().unwrap()[..4] {
            assert_eq!(item.as_object().unwrap().len(), 1, "{item}");
        }
        assert_eq!(items[4]["response"]["reason"], "The parsed event_time was invalid");
        assert!(
            told.ends_with(&format!(
                "{{\"zz\":{long},\"caf\\u00e9\":\"\\/\\u0041\",{TIME},\"match_key\":{{\"id\":41367,\"x\":[ 1.50 , -0e-0 ]}},\"value\":12.50,\"\":null,\"response\":{{\"sale_id\":1,\"status\":\"created\",\"userdata_id\":\"41367\"}}}}]"
            )),
            "{told}"
        );
        assert_eq!(web.counts(), (1, 5));
    }

    fn customers_are_found_by_every_key(engine: Engine) {
        let web = Web::on(App::shared(engine));
        for (key, customer) in [
            // The number decides alone, as text or number, compared exactly.
            ("\"id\":\"41367\"", Ok("41367")),
            ("\"id\":41367", Ok("41367")),
            ("\"id\":\"41367\",\"email\":\"shared@example.com\"", Ok("41367")),
            ("\"id\":\"041367\"", Err("not_found")),
            ("\"id\":\"41367.0\",\"email\":\"lena@example.com\"", Err("not_found")),
            ("\"id\":\"99999999999999999999\"", Err("not_found")),
            ("\"id\":41367e0", Err("not_found")),
            ("\"id\":\"c1\"", Err("not_found")),
            // Keys in any spelling.
            ("\"email\":\" LENA@example.COM \"", Ok("41367")),
            ("\"phone\":\"(469) 202-3332\"", Ok("41367")),
            ("\"phone\":4692023332", Ok("41367")),
            ("\"phone\":\"+1 469 202 3332\"", Ok("41367")),
            ("\"document\":\"12345678\"", Ok("41367")),
            // Its own column first, then the other.
            ("\"cellphone\":\"4692023332\"", Ok("41367")),
            ("\"phone\":\"5550100\"", Ok("41370")),
            ("\"cellphone\":\"5550100\"", Ok("41370")),
            // All keys, else any of them.
            ("\"email\":\"shared@example.com\",\"phone\":\"5550199\"", Ok("41370")),
            ("\"email\":\"lena@example.com\",\"phone\":\"1\"", Ok("41367")),
            ("\"email\":\"lena@example.com\",\"phone\":\"5550199\"", Err("not unique")),
            ("\"email\":\"shared@example.com\"", Err("not unique")),
            ("\"email\":\"nobody@example.com\"", Err("not_found")),
            ("\"phone\":\"no digits\"", Err("not_found")),
            // What says nothing does not count.
            ("\"id\":null,\"email\":\"\",\"phone\":\" \",\"document\":\"1234567-8\"", Ok("41367")),
            ("\"id\":\"\",\"e-mail\":\"lena@example.com\"", Err("invalid")),
            ("", Err("invalid")),
        ] {
            let response = web.sale(&format!("\"match_key\":{{{key}}}"));
            match customer {
                Ok(customer) => {
                    assert_eq!(response["status"], "created", "{key}: {response}");
                    assert_eq!(response["userdata_id"], customer, "{key}");
                }
                Err(status) => assert_eq!(response["status"], status, "{key}: {response}"),
            }
        }
        // A failure tells the id that was given, and nothing where none was.
        assert_eq!(web.sale("\"match_key\":{\"id\":0.50}")["userdata_id"], "0.50");
        assert_eq!(web.sale("\"match_key\":{\"email\":\"x@example.com\"}").get("userdata_id"), None);
    }

    fn a_sale_is_known_by_its_ids(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let lena = "\"match_key\":{\"id\":41367}";
        let jow = "\"match_key\":{\"id\":41370}";
        for (members, sale, status, customer) in [
            (format!("{lena},\"order_id\":\"A\",\"external_sale_id\":\"X\""), 1, "created", "41367"),
            (format!("{lena},\"order_id\":\"A\""), 1, "updated", "41367"),
            (format!("{lena},\"external_sale_id\":\"X\""), 1, "updated", "41367"),
            // Two name spaces, compared exactly.
            (format!("{lena},\"external_sale_id\":\"A\""), 2, "created", "41367"),
            (format!("{lena},\"order_id\":\"a\""), 3, "created", "41367"),
            (format!("{lena},\"order_id\":\" a \""), 3, "updated", "41367"),
            (format!("{lena},\"order_id\":7"), 4, "created", "41367"),
            (format!("{lena},\"order_id\":\"7\""), 4, "updated", "41367"),
            // An external id that is not known: the order decides.
            (format!("{lena},\"order_id\":\"a\",\"external_sale_id\":\"Y\""), 3, "updated", "41367"),
            (format!("{lena},\"external_sale_id\":\"Y\""), 3, "updated", "41367"),
            // The sale moves to whoever is named now.
            (format!("{jow},\"order_id\":\"A\""), 1, "updated", "41370"),
            // Without ids every sale is a new one.
            (lena.to_owned(), 5, "created", "41367"),
            (lena.to_owned(), 6, "created", "41367"),
            (format!("{lena},\"order_id\":null,\"external_sale_id\":\"\""), 7, "created", "41367"),
            // Another order for it: it is not found under the old one.
            (format!("{lena},\"external_sale_id\":\"X\",\"order_id\":\"B\""), 1, "updated", "41367"),
            (format!("{lena},\"order_id\":\"A\""), 8, "created", "41367"),
        ] {
            let response = web.sale(&members);
            assert_eq!(response, json!({"sale_id": sale, "status": status, "userdata_id": customer}), "{members}");
        }
        assert_eq!(web.counts(), (8, 0));
    }

    fn one_request_sees_its_own_sales(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let item = |value: u32| format!("{{\"match_key\":{{\"id\":41367}},\"order_id\":\"A\",\"value\":{value},{TIME}}}");
        let told: Value = serde_json::from_str(&web.told(&format!("[{},{},{}]", item(1), item(2), item(3)))).unwrap();
        let states: Vec<(u64, &str)> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["response"]["sale_id"].as_u64().unwrap(), item["response"]["status"].as_str().unwrap()))
            .collect();
        assert_eq!(states, [(1, "created"), (1, "updated"), (1, "updated")]);
        assert_eq!(web.counts(), (1, 0));
    }

    fn times_are_in_the_zone_of_the_brand(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let tokyo = web.tokyo();
        let stored = |web: &Web<'_>, time: &str| -> (i64, i32, String) {
            let told: Value = serde_json::from_str(&web.told(&format!("{{\"match_key\":{{\"id\":41367}},\"event_time\":\"{time}\",\"value\":5}}"))).unwrap();
            assert_eq!(told["event_time"], time);
            assert_eq!(told.get("currency"), None);
            let db = &mut web.shop.app.db();
            let account = web.shop.number(db);
            let (at, day, currency): (i64, i32, String) = sales::table
                .filter(sales::account_id.eq(account))
                .filter(sales::number.eq(told["response"]["sale_id"].as_i64().unwrap()))
                .select((sales::event_at, sales::event_date, sales::currency))
                .first(db)
                .unwrap();
            (at / 1_000_000, day, currency)
        };
        let usd = |at, day| (at, day, "USD".to_owned());
        // 12:34:21 in New York is 16:34:21 in UTC; in Tokyo it is 03:34:21.
        assert_eq!(stored(&web, "2019-07-13 12:34:21"), usd(1_563_035_661, 20_190_713));
        assert_eq!(stored(&tokyo, "2019-07-13 12:34:21"), (1_562_988_861, 20_190_713, "JPY".to_owned()));
        assert_eq!(stored(&web, "2019-07-13T12:34:21Z"), usd(1_563_021_261, 20_190_713));
        assert_eq!(stored(&tokyo, "2019-07-13T22:34:21Z").1, 20_190_714);
        assert_eq!(stored(&web, "13-07-2019"), usd(1_562_990_400, 20_190_713));
        // A time that New York's clocks skipped, and one that they showed twice.
        assert_eq!(stored(&web, "2019-03-10 02:30:00"), stored(&web, "2019-03-10 03:30:00"));
        assert_eq!(stored(&web, "2019-11-03 01:30:00"), stored(&web, "2019-11-03 01:30:00-04:00"));
    }

    fn a_dry_run_tells_and_stores_nothing(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let lena = "{\"match_key\":{\"id\":41367},\"order_id\":\"A\",".to_owned() + TIME + "}";
        let body = format!("[{lena},{},{},7]", lena.replace("\"A\"", "\"B\""), lena.replace("41367", "1"));
        let body = format!("{},{lena}]", body.strip_suffix(']').unwrap());
        let mut told = Vec::new();
        for flag in ["true", "YES", "1", "on", "y"] {
            let reply = web.post_as(&format!("/api/v4/sales?x=1&dry_run={flag}"), &[], &body);
            assert_eq!((reply.status, web.counts()), (200, (0, 0)), "{}", reply.body);
            told.push(reply.body);
        }
        told.push(web.post_as("/api/v4/sales?dry_run=no", &[], &body).body);
        assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        assert_eq!(web.counts(), (2, 2));
        // Nothing is kept under its key either.
        let key = [("Idempotency-Key", "k")];
        let foretold = web.post_as("/api/v4/sales?dry_run=1", &key, &lena);
        let first = web.post_as("/api/v4/sales", &key, &lena);
        let again = web.post_as("/api/v4/sales?dry_run=1", &key, &lena);
        let replayed = |reply: &Reply| reply.header("idempotent-replayed").map(str::to_owned);
        assert_eq!((replayed(&foretold), replayed(&first)), (None, None));
        assert_eq!(replayed(&again).as_deref(), Some("true"));
        assert_eq!(foretold.body, first.body);
        assert_eq!(again.body, first.body);
    }

    fn a_key_makes_a_request_once(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let key = [("Idempotency-Key", "order 7")];
        let send = |body: &str| web.post_as("/api/v4/sales", &key, body);
        let body = format!("[{{\"match_key\":{{\"id\":41367}},\"value\":5,{TIME}}},{{\"match_key\":{{\"email\":\"shared@example.com\"}},{TIME}}},{{\"match_key\":{{\"id\":8}}}}]");
        let first = send(&body);
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
        let counts = web.counts();
        assert_eq!(counts, (1, 2));
        let again = send(&body);
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
        assert_eq!(again.body, first.body);
        // The same meaning in other words: the echo is that of this request.
        let other = send(&body.replace("\"value\":5", "\"n\\u006fte\":\"x\", \"value\" : 5"));
        assert_eq!(other.header("idempotent-replayed"), Some("true"));
        assert_eq!(other.body, first.body.replace("\"value\":5", "\"n\\u006fte\":\"x\",\"value\":5"));
        // Persons are told as they are now.
        let renamed = Web::world("").replace("Mateo", "Matteo");
        web.shop.apply(&renamed);
        assert_eq!(send(&body).body, first.body.replace("Mateo", "Matteo"));
        assert_eq!(web.counts(), counts);
        let wrong = send(&body.replace("\"value\":5", "\"value\":6"));
        assert_eq!(wrong.status, 422);
        assert!(wrong.body.starts_with("{\"status\":422,\"title\":\"Unprocessable Entity\",\"detail\":\"The Idempotency-Key belongs to another request"), "{}", wrong.body);
        // A request that was refused has not used its key, and another brand's key is another one.
        let key = [("Idempotency-Key", "order 8")];
        let post = |web: &Web<'_>, body: &str| web.post_as("/api/v4/sales", &key, body);
        assert_eq!(post(&web, "7").status, 422);
        let alone = format!("{{\"match_key\":{{\"id\":41367}},{TIME}}}");
        assert_eq!(post(&web, &alone).header("idempotent-replayed"), None);
        assert_eq!(post(&web.tokyo(), &alone).header("idempotent-replayed"), None);
        // In a list or without one it is the same request.
        let listed = post(&web, &format!("[{alone}]"));
        assert_eq!(listed.header("idempotent-replayed"), Some("true"));
        assert!(listed.body.starts_with('['));
        assert_eq!(web.counts(), (3, 2));
    }

    fn two_at_once_with_one_key_are_posted_once(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let body = format!("[{{\"match_key\":{{\"id\":41367}},{TIME}}}]");
        let bodies: Vec<String> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let reply = web.post_as("/api/v4/sales", &[("Idempotency-Key", "k")], &body);
                        assert_eq!(reply.status, 200, "{}", reply.body);
                        reply.body
                    })
                })
                .collect();
            sent.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        assert_eq!(web.counts(), (1, 0));
    }

    fn an_account_may_guard_against_duplicates(engine: Engine) {
        let web = Web::with(App::shared(engine), "duplicate_window_s = 60");
        let body = format!("[{{\"match_key\":{{\"id\":41367}},{TIME}}}]");
        let first = web.post(&body);
        let again = web.post(&body);
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
        assert_eq!(again.body, first.body);
        assert_eq!(web.tokyo().post(&body).header("idempotent-replayed"), None);
        // What stored no sale is asked anew: somebody may have mended the cause.
        let unknown = body.replace("41367", "1000");
        for _ in 0..2 {
            let reply = web.post(&unknown);
            assert_eq!((reply.status, reply.header("idempotent-replayed")), (200, None));
        }
        assert_eq!(web.counts().0, 2);
    }

    fn accounts_and_brands_do_not_see_each_other(engine: Engine) {
        let app = App::shared(engine);
        let (web, other) = (Web::on(app), Web::on(app));
        let item = format!("{{\"match_key\":{{\"id\":41367}},\"order_id\":\"A\",\"external_sale_id\":\"X\",{TIME}}}");
        let created = |sale: u64| json!({"sale_id": sale, "status": "created", "userdata_id": "41367"});
        assert_eq!(web.response(&item), created(1));
        // The same ids in another brand, and in another account.
        assert_eq!(web.tokyo().response(&item), created(2));
        assert_eq!(other.response(&item), created(1));
        assert_eq!((web.counts(), other.counts()), ((2, 0), (1, 0)));
        // A customer that only the other account has.
        let world = Web::world("") + "\n[[account.customer]]\nid = 50000\ncode = \"only\"\nemail = \"only@example.com\"\n";
        other.shop.apply(&world);
        for key in ["\"id\":50000", "\"email\":\"only@example.com\""] {
            assert_eq!(other.sale(&format!("\"match_key\":{{{key}}}"))["status"], "created");
            assert_eq!(web.sale(&format!("\"match_key\":{{{key}}}"))["status"], "not_found");
        }
    }

    fn contacts_of_sync_data_are_found_and_told(engine: Engine) {
        let web = Web::with(App::shared(engine), "secret = \"s-{key}\"");
        let secret = format!("s-{}", web.shop.key);
        let hotel = Hotel { shop: web.same_shop(), secret };
        let view = hotel.sync(r#"{"origin":"PMS","contacts":[
            {"user_id":"a","email":"Guest@example.com","name_first":"Ana","phone":"+34 612 345 678","gender":"FEMALE","born_date":"1990-01-01","full_address":"Calle 1","city":"Sevilla","region":"SE","country":"Spain","zip":41001,"document_type":"DNI","document_country":"ES"},
            {"user_id":"b","email":"guest@example.com"}]}"#);
        assert_eq!(view["contacts_valid_count"], 2, "{view}");
        assert_eq!(web.sale("\"match_key\":{\"phone\":\"+34 612345678\"}")["userdata_id"], "41373");
        let response = web.sale("\"match_key\":{\"email\":\"guest@EXAMPLE.com\"}");
        let row = &response["matches"][0];
        for (label, value) in [
            ("BunkerID", "41373"),
            ("First Name", "Ana"),
            ("Email", "Guest@example.com"),
            ("Phone", "+34 612 345 678"),
            ("Gender", "FEMALE"),
            ("Birthday", "1990-01-01"),
            ("Address", "Calle 1"),
            ("City", "Sevilla"),
            ("State", "SE"),
            ("Country", "Spain"),
            ("Postal Code", "41001"),
            ("Document Type", "DNI"),
            ("Document Country", "ES"),
        ] {
            assert_eq!(row[label], value, "{label}: {response}");
        }
        assert_eq!(response["matches"][1]["BunkerID"], "41374");
        assert_eq!(response["matches"][1]["Gender"], Value::Null);
    }

    fn at_most_a_hundred_matches_are_told(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let mut world = Web::world("");
        for number in (1000..1101).rev() {
            world.push_str(&format!("\n[[account.customer]]\nid = {number}\ncode = \"many-{number}\"\nemail = \"many@example.com\"\n"));
        }
        web.shop.apply(&world);
        let response = web.sale("\"match_key\":{\"email\":\"many@example.com\"}");
        let ids: Vec<&str> = response["matches"].as_array().unwrap().iter().map(|one| one["BunkerID"].as_str().unwrap()).collect();
        let expected: Vec<String> = (1000..1100).map(|number| number.to_string()).collect();
        assert_eq!(ids, expected);
    }

    fn a_thousand_sales_are_one_request(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let note = "x".repeat(600);
        let items: Vec<String> = (0..1000)
            .map(|nth| format!("{{\"match_key\":{{\"id\":41367}},\"order_id\":\"{nth}\",\"note\":\"{note}\",{TIME}}}"))
            .collect();
        let body = format!("[{}]", items.join(","));
        assert!(body.len() > 512 * 1024);
        for status in ["created", "updated"] {
            let told: Vec<Value> = serde_json::from_str(&web.told(&body)).unwrap();
            assert_eq!(told.len(), 1000);
            for (nth, item) in told.iter().enumerate() {
                assert_eq!(item["order_id"], nth.to_string());
                assert_eq!(item["response"], json!({"sale_id": nth + 1, "status": status, "userdata_id": "41367"}));
            }
        }
        assert_eq!(web.counts(), (1000, 0));
    }

    fn whoever_has_no_token_gets_one_answer(engine: Engine) {
        let web = Web::on(App::shared(engine));
        let right = format!("Bearer {}", web.token);
        for header in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer nothing"),
            Some(web.token.as_str()),
            Some(format!("Token token={}", web.token).as_str()),
            Some(format!("Bearer {}x", web.token).as_str()),
            Some(format!("Bearer \"{}\"", web.token).as_str()),
            Some(format!("Bearer {}", web.shop.key).as_str()),
            Some(format!("Bearer {}", web.token.to_uppercase()).as_str()),
        ] {
            let headers: Vec<_> = header.map(|header| ("Authorization", header)).into_iter().collect();
            for body in ["[]", "broken", ""] {
                let reply = web.send("POST", "/api/v4/sales?dry_run=maybe", &headers, body.as_bytes());
                assert_eq!(reply.status, 401, "{header:?}");
                assert_eq!(
                    reply.body,
                    "{\"status\":401,\"title\":\"Unauthorized\",\"detail\":\"The header Authorization has no valid token. Send: Bearer, then the token of the brand.\"}"
                );
                assert_eq!(reply.header("www-authenticate"), None);
            }
        }
        // No token in the query string.
        let reply = web.send("POST", &format!("/api/v4/sales?token={0}&access_token={0}", web.token), &[], b"[]");
        assert_eq!(reply.status, 401);
        for header in [right.to_lowercase().replace(&web.token.to_lowercase(), &web.token), right.replace(' ', "   ")] {
            let reply = web.send("POST", "/api/v4/sales", &[("Authorization", &header)], b"[]");
            assert_eq!(reply.status, 200, "{header}");
        }
        // A new token takes the place of the old one.
        web.shop.apply(&Web::world("").replace("web-{key}", "new-{key}"));
        let began = std::time::Instant::now();
        while web.post("[]").status == 200 {
            assert!(began.elapsed() < std::time::Duration::from_secs(30));
        }
        assert_eq!(web.post("[]").status, 401);
        let new = Web { token: format!("new-{}", web.shop.key), ..web.tokyo() };
        assert_eq!(new.post("[]").status, 200);
    }

    fn other_paths_and_methods_are_refused(engine: Engine) {
        let web = Web::on(App::shared(engine));
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let reply = web.send(method, "/api/v4/sales", &[], b"");
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method}");
            assert_eq!(reply.body, "{\"status\":405,\"title\":\"Method Not Allowed\",\"detail\":\"Only POST is allowed here\"}");
        }
        for path in ["/api/v4", "/api/v4/", "/api/v4/consumers", "/api/v4/sales/1", "/api/v4/sales//"] {
            let reply = web.send("POST", path, &[], b"[]");
            assert_eq!(reply.status, 404, "{path}");
            assert!(reply.body.starts_with("{\"status\":404,\"title\":\"Not Found\",\"detail\":\""), "{}", reply.body);
            assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
        }
        let reply = web.send("POST", "/v4/sales", &[], b"[]");
        assert_eq!((reply.status, reply.body.as_str()), (404, ""));
    }
}

#[test]
fn the_description_knows_every_member_of_the_answers() {
    use punchcard::loyalty::sales::read::DOCUMENTED;
    use punchcard::sales_v4::matches::LABELS;
    let doc: Value = serde_json::from_str(punchcard::sync_data::OPENAPI).unwrap();
    let schemas = &doc["components"]["schemas"];
    let names = |schema: &str| -> Vec<String> {
        let all = schemas[schema]["properties"].as_object().unwrap();
        all.keys().cloned().collect()
    };
    let mut documented = DOCUMENTED.map(str::to_owned).to_vec();
    documented.sort();
    assert_eq!(names("Sale"), documented);
    let mut labels = LABELS.map(str::to_owned).to_vec();
    labels.push("BunkerID".to_owned());
    labels.sort();
    assert_eq!(names("Match"), labels);
    assert_eq!(names("Problem"), ["detail", "status", "title"]);
    for schema in ["SaleStored", "SaleNotFound", "SaleNotUnique", "SaleInvalid"] {
        assert!(names(schema).contains(&"status".to_owned()), "{schema}");
    }
}
