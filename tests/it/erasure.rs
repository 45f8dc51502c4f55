//! Customers forgotten: one whose marker stands in every field of every dialect leaves no trace of it in any table.

use crate::support::app::{App, Shop};
use crate::support::engine::{Engine, unique};
use crate::support::on_both_engines;
use crate::support::process::{succeed, told};
use crate::support::sales;
use crate::support::sink::{Answer, Sink};
use crate::sync_stories::Hotel;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use punchcard::posting::people;
use punchcard::store::Db;
use punchcard::store::schema::{attempts, balances, journal, rejections};
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    held_by: String,
    #[diesel(sql_type = Text)]
    named: String,
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = Nullable<Text>)]
    told: Option<String>,
}

/// All columns of all tables, as the engine knows them.
fn columns(engine: Engine, db: &mut Db) -> Vec<Column> {
    let asked = match engine {
        Engine::Sqlite => {
            "SELECT t.name AS held_by, c.name AS named FROM sqlite_master AS t \
             JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'"
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            "SELECT table_name AS held_by, column_name AS named FROM information_schema.columns \
             WHERE table_schema = DATABASE()"
        }
    };
    let found: Vec<Column> = diesel::sql_query(asked).load(db).unwrap();
    assert!(found.len() > 200, "only {} columns", found.len());
    found
}

/// Where the database holds one of these, in any case: every column of every table is looked through as a text.
fn traces(app: &App, engine: Engine, needles: &[String]) -> Vec<String> {
    let db = &mut app.db();
    let mut found = Vec::new();
    for Column { held_by, named } in columns(engine, db) {
        let (text, quote) = match engine {
            Engine::Sqlite => (format!("CAST(\"{named}\" AS TEXT)"), '"'),
            #[cfg(feature = "mysql")]
            // Of bytes and texts alike, and needles are ASCII.
            Engine::Mysql => (format!("CONVERT(`{named}` USING latin1)"), '`'),
        };
        for needle in needles {
            let held = format!(
                "SELECT {text} AS told FROM {quote}{held_by}{quote} WHERE INSTR(LOWER({text}), '{needle}') > 0"
            );
            let rows: Vec<Held> = diesel::sql_query(held).load(db).unwrap();
            let told = rows.into_iter().filter_map(|row| row.told);
            found.extend(told.map(|told| format!("{held_by}.{named}: {told}")));
        }
    }
    found.sort();
    found
}

/// Somebody of whom every dialect has told all it can.
struct Somebody {
    marker: String,
    /// Digits of a phone number that nobody else has.
    digits: String,
}

impl Somebody {
    fn new() -> Somebody {
        let number = unique("n");
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        Somebody {
            marker: format!("mark{digits}x"),
            digits: format!("77{digits:0>9}"),
        }
    }

    fn with(&self, name: &str) -> String {
        format!("{}-{name}", self.marker)
    }

    fn needles(&self) -> Vec<String> {
        vec![self.marker.clone(), self.digits.clone()]
    }

    /// `record_customer`, with a card that is replaced by `card_replace`, and one that an edit replaces.
    fn record(&self, shop: &Shop<'_>) {
        let mut sent = vec![
            ("type", "record_customer".to_owned()),
            ("customer_action", "new".to_owned()),
            ("campaign_id", "P,G".to_owned()),
            ("auto_add", "3".to_owned()),
            ("code", self.with("code")),
            ("card_number", self.with("card")),
            ("email", format!("{}@Example.com", self.marker)),
            ("phone", format!("+1 {}", self.digits)),
            ("custom_date", "2015-12-03".to_owned()),
            ("customer_password", self.with("password")),
        ];
        for name in [
            "first_name",
            "last_name",
            "street1",
            "street2",
            "city",
            "state",
            "postal_code",
            "country",
            "custom_field",
            "custom_field_7",
            "custom_field_99",
            "customer_username",
        ] {
            sent.push((name, self.with(name)));
        }
        let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, &**value)).collect();
        let reply = shop.post(&sent).body;
        assert!(reply.contains("status=\"new\""), "{reply}");
        let edit = [
            ("type", "record_customer"),
            ("customer_action", "edit"),
            ("code", &self.with("code")),
            ("card_number", &self.with("card2")),
        ];
        assert!(shop.post(&edit).body.contains("updated"));
        let replace = [
            ("type", "card_replace"),
            ("previous_card", &self.with("card2")),
            ("new_card_number", &self.with("card3")),
        ];
        assert!(shop.post(&replace).body.contains("replaced"));
    }

    /// Lines of a batch, of which two are refused, and a single transaction.
    fn transactions(&self, shop: &Shop<'_>) {
        let (code, card) = (self.with("code"), self.with("card3"));
        let (authorization, custom) = (self.with("authorization"), self.with("custom"));
        let (email, much) = (format!("{}@example.com", self.marker), self.with("much"));
        let lines = format!(
            "P|{code}|N|10|{authorization}|{custom}\nP|{card}|N|1||{custom}\n\
             P|{code}|N|{much}|{authorization}|{custom}\nP|nobody|N|7|{email}|{custom}\nP|{code}|Y|100000||\n"
        );
        let batch = [
            ("delimiter", "pipe"),
            ("visits_header_1", "campaign_id"),
            ("visits_header_2", "code"),
            ("visits_header_3", "redeemed"),
            ("visits_header_4", "amount"),
            ("visits_header_5", "authorization"),
            ("visits_header_6", "custom_field_3"),
            ("Visits_Data", &lines),
        ];
        let reply = shop.post(&batch).body;
        assert!(reply.contains("<rejected>3</rejected>"), "{reply}");
        let single = [
            ("type", "record_activity"),
            ("campaign_id", "P"),
            ("code", &code),
            ("amount", "2"),
            ("authorization", &authorization),
            ("custom_field_4", &custom),
        ];
        assert!(shop.post(&single).body.contains("<receipt>"));
    }

    /// A batch of customers that changes the person, and can be undone, with a line that is refused.
    fn customers(&self, shop: &Shop<'_>) {
        let (code, street, day) = (self.with("code"), self.with("street"), self.with("day"));
        let batch = [
            ("type", "customers_batch"),
            ("delimiter", "pipe"),
            ("campaigns_to_include", "P"),
            ("allow_undo", "yes"),
            ("overwrite_duplicates", "update"),
            ("profiles_header_1", "code"),
            ("profiles_header_2", "street2"),
            ("profiles_header_3", "custom_date"),
            (
                "profiles_data",
                &format!("{code}|{street}|\n{code}|{street}|{day}"),
            ),
        ];
        let reply = shop.post(&batch).body;
        assert!(reply.contains("<customers>1</customers>"), "{reply}");
        assert!(reply.contains("<rejected>1</rejected>"), "{reply}");
    }

    /// Contacts with everything, one that fails, purchases, one that fails, and a webhook whose answer names the person.
    /// Gives the first job.
    fn sync(&self, hotel: &Hotel<'_>, sink: &Sink) -> String {
        let answer = self.with("answer").into_bytes();
        sink.then([Answer::Whole(200, vec![], answer)]);
        let contact = json!({
            "user_id": self.with("uid"),
            "email": format!("{}@example.com", self.marker),
            "name_first": self.with("given"),
            "name_last": self.with("family"),
            "phone_countrycode": "+1",
            "phone_number": self.digits,
            "city": self.with("city"),
            "country": self.with("country"),
            "region": self.with("region"),
            "zip": self.with("zip"),
            "full_address": self.with("address"),
            "facebook_id": self.with("facebook"),
            "twitter_id": self.with("twitter"),
            "tags": [self.with("tag")],
            "gdpr_accept_terms": true,
            "gdpr_date": "2015-12-03T00:00:00Z",
            "gdpr_remote_ip": "203.0.113.77",
            "room": self.with("room"),
        });
        let options = json!({"webhook": {
            "url": sink.url("/hook"),
            "contacts_extra_fields": ["name_first", "room"],
            "purchase_extra_fields": ["note"],
        }});
        let purchase = |price: &str| {
            json!({
                "transaction_code": self.with("transaction"),
                "product_uuid": self.with("product"),
                "price": price,
                "currency": "USD",
                "status": "check_in",
                "note": self.with("note"),
            })
        };
        let taken = json!({
            "origin": self.with("origin"), "options": options, "contacts": [contact], "purchase": purchase("12"),
        });
        let job = hotel.job(&taken.to_string());
        let view = hotel.done(&job, "expand=contact");
        assert_eq!(view["results"][0]["status"], "updated", "{view}");
        assert_eq!(
            view["results"][0]["contact"]["room"],
            self.with("room"),
            "{view}"
        );
        assert_eq!(view["purchase_result"]["status"], "created", "{view}");
        // The purchase fails, and then the contact.
        let mut other = taken.clone();
        other["purchase"] = purchase("dear");
        other["purchase"]["transaction_code"] = json!(self.with("transaction2"));
        let reply = hotel.post(&other.to_string());
        if reply.status == 201 {
            hotel.done(&crate::sync_stories::id(&reply), "");
        }
        let mut failing = taken;
        failing.as_object_mut().unwrap().remove("purchase");
        failing["contacts"][0]["born_date"] = json!(self.with("born"));
        let view = hotel.sync(&failing.to_string());
        assert_eq!(view["results"][0]["status"], "failed", "{view}");
        job
    }

    /// A sale that is stored and one that is kept.
    fn sales(&self, shop: &Shop<'_>) {
        let sale = |time: &str, order: &str| {
            json!({
                "match_key": {"email": format!("{}@example.com", self.marker)},
                "event_time": time,
                "value": 22,
                "order_id": self.with(order),
                "external_sale_id": self.with(&format!("{order}-sale")),
                "note": self.with("note"),
            })
        };
        let both = [
            sale("2016-08-10 11:14:13", "order").to_string(),
            sale("never", "order2").to_string(),
        ];
        let became = sales::post(shop.app.address, &sales::token(shop), &both);
        let became: Vec<&str> = became.iter().map(|(status, _)| status.as_str()).collect();
        assert_eq!(became, ["created", "invalid"]);
    }

    fn all(&self, hotel: &Hotel<'_>, sink: &Sink) -> String {
        self.record(&hotel.shop);
        self.transactions(&hotel.shop);
        self.customers(&hotel.shop);
        let job = self.sync(hotel, sink);
        self.sales(&hotel.shop);
        self.wait_for_answer(&hotel.shop);
        job
    }

    /// Waits until what the webhooks' receiver answered is stored.
    fn wait_for_answer(&self, shop: &Shop<'_>) {
        let began = Instant::now();
        let (db, answer) = (&mut shop.app.db(), self.with("answer"));
        let stored = |db: &mut Db| {
            let answered = attempts::table.filter(attempts::answer.eq(&answer));
            answered.count().get_result::<i64>(db).unwrap()
        };
        while stored(db) < 2 {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn app(engine: Engine) -> App {
    App::start(
        engine,
        &[
            ("webhook_allow", "127.0.0.0/8"),
            ("webhook_retry_seconds", "0,0,0"),
            ("worker_poll_ms", "20"),
        ],
    )
}

/// A shop in which all dialects may be spoken, and in which sales earn.
fn hotel(app: &App) -> Hotel<'_> {
    let text = sales::world("campaign = \"P\"");
    let country = "country = \"US\"";
    let shop = app.shop(&text.replacen(country, &format!("{country}\nsecret = \"s-{{key}}\""), 1));
    let secret = format!("s-{}", shop.key);
    Hotel { shop, secret }
}

fn delete(shop: &Shop<'_>, code: &str) -> String {
    shop.post(&[("type", "customer_delete"), ("code", code)])
        .body
}

fn verify(shop: &Shop<'_>) {
    succeed(&shop.app.database, &["verify", "--account", &shop.account]);
}

/// An entry: number, customer, amount and balance.
type EntrySum = (i64, i64, i64, i64);

/// All entries, and each customer's balances.
fn sums(shop: &Shop<'_>) -> (Vec<EntrySum>, Vec<(i64, i64)>) {
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let entries = journal::table
        .filter(journal::account_id.eq(account))
        .order(journal::number)
        .select((
            journal::number,
            journal::customer,
            journal::amount,
            journal::balance_after,
        ))
        .load(db)
        .unwrap();
    let held = balances::table
        .filter(balances::account_id.eq(account))
        .order((balances::customer, balances::campaign))
        .select((balances::customer, balances::balance))
        .load(db)
        .unwrap();
    (entries, held)
}

on_both_engines! {
    fn nothing_is_left_of_whoever_is_forgotten(engine: Engine) {
        let app = app(engine);
        let hotel = hotel(&app);
        let sink = Sink::start([Answer::Status(200)]);
        let (one, other) = (Somebody::new(), Somebody::new());
        let job = one.all(&hotel, &sink);
        other.all(&hotel, &sink);
        let shop = &hotel.shop;
        verify(shop);
        let (before, others) = (sums(shop), traces(&app, engine, &other.needles()));
        // In every table that holds anything of people; the two are alike.
        let tables = |traces: &[String]| {
            let mut tables: Vec<String> =
                traces.iter().map(|trace| trace.split_once(':').unwrap().0.to_owned()).collect();
            tables.dedup();
            tables
        };
        let of_one = tables(&traces(&app, engine, &one.needles()));
        assert_eq!(of_one, tables(&others));
        assert!(of_one.len() > 38, "only {of_one:?}");
        let reply = delete(shop, &one.with("card3"));
        assert!(reply.contains("status=\"deleted\""), "{reply}");
        assert_eq!(traces(&app, engine, &one.needles()), Vec::<String>::new());
        assert_eq!(traces(&app, engine, &other.needles()), others);
        assert_eq!(sums(shop), before);
        verify(shop);
        for code in ["code", "card", "card2", "card3"] {
            let reply = delete(shop, &one.with(code));
            assert!(reply.contains("No customer has the code"), "{code}: {reply}");
        }
        // What waited is listed and shown without its text.
        for words in [&["rejections", "list"][..], &["sales", "list"], &["batches", "list"]] {
            let listed = succeed(&app.database, &[words, &[&shop.account]].concat());
            assert!(!listed.contains(&one.marker), "{listed}");
        }
        let shown = succeed(&app.database, &["rejections", "show", &shop.account, "1"]);
        assert!(shown.contains("expired") && !shown.contains(&one.marker), "{shown}");
        let replay = told(&app.database, &["rejections", "replay", &shop.account, "1"]);
        assert!(replay.unwrap_err().contains("not open but expired"));
        // The job is told without it, and its number is nobody's for a sale.
        let view = hotel.done(&job, "expand=contact,purchase");
        assert_eq!(view["results"][0]["status"], "updated", "{view}");
        assert!(view["results"][0]["_id"].is_null(), "{view}");
        assert!(view["results"][0]["contact"].is_null(), "{view}");
        let db = &mut app.db();
        let account = shop.number(db);
        let open: Vec<String> = rejections::table
            .filter(rejections::account_id.eq(account))
            .filter(rejections::raw.is_null())
            .select(rejections::state)
            .load(db)
            .unwrap();
        assert!(open.len() >= 4 && open.iter().all(|state| state == "expired"), "{open:?}");
        let of_nobody = r#"{"match_key":{"id":5},"event_time":"2016-08-10 11:14:13","value":1,"order_id":"A1"}"#;
        let became = sales::post(app.address, &sales::token(shop), &[of_nobody.to_owned()]);
        assert_ne!(became[0].0, "created");
        // Codes and cards may be given again, also by whoever was forgotten.
        one.all(&hotel, &sink);
        verify(shop);
    }

    fn a_duplicate_guard_does_not_know_whoever_was_forgotten(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(&crate::support::app::WORLD.replacen(
            "country = \"US\"",
            "country = \"US\"\nduplicate_window_s = 600",
            1,
        ));
        let new = [
            ("type", "record_customer"),
            ("customer_action", "new"),
            ("campaign_id", "P"),
            ("code", "A1"),
        ];
        assert!(shop.post(&new).header("idempotent-replayed").is_none());
        assert_eq!(shop.post(&new).header("idempotent-replayed"), Some("true"));
        assert!(delete(&shop, "A1").contains("deleted"));
        let again = shop.post(&new);
        assert!(again.header("idempotent-replayed").is_none(), "{}", again.body);
        assert!(again.body.contains("status=\"new\""), "{}", again.body);
        verify(&shop);
    }

    fn a_new_customer_with_the_code_of_one_who_was_forgotten_gets_what_is_sent(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(&crate::support::app::WORLD.replacen("country =", "duplicate_window_s = 600\ncountry =", 1));
        let new = || shop.post(&[("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"), ("code", "zz")]);
        let add = || shop.post(&[("type", "record_activity"), ("campaign_id", "G"), ("code", "zz"), ("amount", "5")]);
        assert!(new().body.contains("status=\"new\""));
        assert!(add().header("idempotent-replayed").is_none() && add().header("idempotent-replayed").is_some());
        assert!(delete(&shop, "zz").contains("deleted"));
        assert!(new().body.contains("status=\"new\""));
        let receipt = add();
        assert!(receipt.header("idempotent-replayed").is_none(), "{}", receipt.body);
        assert_eq!(shop.balance("G", "zz"), 5_0000);
        verify(&shop);
    }

    fn what_comes_while_somebody_is_forgotten_leaves_nothing(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(crate::support::app::WORLD);
        for round in 0..6 {
            let marker = unique("mark").to_lowercase();
            let code = format!("{marker}-c");
            let new = [
                ("type", "record_customer"),
                ("customer_action", "new"),
                ("campaign_id", "P"),
                ("code", &code),
                ("first_name", &marker),
            ];
            assert!(shop.post(&new).body.contains("status=\"new\""));
            // Lines with texts come before the erasing and behind it, some in the same moment.
            let erased = crate::concurrency::together(8, |client| {
                if client == round {
                    return delete(&shop, &code).contains("deleted");
                }
                let lines = format!("P|{code}|N|1||{marker}\nP|{code}|N|x||{marker}\n");
                shop.lines(&lines);
                false
            });
            assert_eq!(erased, 1);
            let db = &mut app.db();
            let account = shop.number(db);
            let texts: i64 = journal::table
                .filter(journal::account_id.eq(account))
                .filter(journal::authorization.is_not_null())
                .count()
                .get_result(db)
                .unwrap();
            assert_eq!(texts, 0);
            verify(&shop);
        }
    }
}

#[test]
fn people_are_read_without_whoever_was_forgotten() {
    let app = App::shared(Engine::Sqlite);
    let shop = app.shop(crate::support::app::WORLD);
    assert!(delete(&shop, "12122").contains("deleted"));
    let db = &mut app.db();
    let account = shop.number(db);
    let found = people::customers(db, account, &[1, 2]).unwrap();
    let erased: Vec<(i64, bool)> = found
        .iter()
        .map(|customer| (customer.person.customer, customer.is_erased()))
        .collect();
    assert!(erased.contains(&(1, false)) && erased.contains(&(2, true)));
}
