//! Searches for customers: a hundred thousand in little memory, over the primary key, in texts that follow every change.

use crate::support::app::{App, WORLD, fields};
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine, server_key};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;
use punchcard::loyalty::customers::Name;
use punchcard::loyalty::customers::search::{Compare, Criterion, Filter, Place};
use punchcard::posting::lists::{self, Search};
use punchcard::store::connect::Role;
use punchcard::store::schema::{customers, installation, search_texts};
use punchcard::store::world as stored;
use punchcard::store::{Db, search_texts as texts};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const MANY: usize = 100_000;

/// What the server may need beside what it needed for a short answer.
const MEMORY_MORE: u64 = 30_000_000;

/// What `apply` may take for [`MANY`] customers, in a debug build and beside other tests.
const APPLY_MAX: Duration = Duration::from_secs(60);

fn world(customers: usize) -> String {
    let mut text = WORLD
        .replace("{account}", "big")
        .replace("{user}", "clerk")
        .replace("{key}", "key-of-the-clerk");
    for n in 0..customers {
        writeln!(
            text,
            "[[account.customer]]\ncode = \"c{n}\"\nfirst_name = \"First{}\"\nlast_name = \"L\u{e1}st{n}\"\n\
             email = \"Person{n}@example.com\"\nphone = \"+1 212 {:07}\"",
            n % 1000,
            n
        )
        .unwrap();
    }
    text
}

fn request(call: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut all = fields(&[
        ("API", "1.5"),
        ("user_id", "clerk"),
        ("user_api_key", "key-of-the-clerk"),
        ("account_id", "big"),
        ("type", call),
    ]);
    all.extend(fields(more));
    client::request("/api.php", Encoding::Urlencoded, &[], &all)
}

fn ask(server: &Server, call: &str, more: &[(&str, &str)]) -> Reply {
    server.exchange(&request(call, more))
}

fn codes(reply: &Reply) -> Vec<String> {
    let parts = reply.body.split("<code>").skip(1);
    parts
        .map(|part| part.split_once('<').unwrap().0.to_owned())
        .collect()
}

on_both_engines! {
    fn a_hundred_thousand_customers_are_told_in_little_memory(engine: Engine) {
        let database = Database::new(engine);
        let began = Instant::now();
        process::apply(&database, &world(MANY));
        println!("apply of {MANY} customers: {:?}", began.elapsed());
        assert!(began.elapsed() < APPLY_MAX, "{:?}", began.elapsed());
        let server = Serve::on(&database).start();
        let one = ask(&server, "customer_search", &[("code", "c77777"), ("exact_match", "sensitive")]);
        assert_eq!(codes(&one), ["c77777"]);
        let idle = server.peak_memory();

        let began = Instant::now();
        let all = ask(&server, "customer_search", &[]);
        println!("all customers: {:?}, {} bytes", began.elapsed(), all.body.len());
        assert_eq!(all.header("content-length"), None);
        let mut expected = vec!["12121".to_owned(), "12122".to_owned()];
        expected.extend((0..MANY).map(|n| format!("c{n}")));
        assert!(codes(&all) == expected);
        assert!(all.body.ends_with("</customer></response>"));

        let all = ask(&server, "customer_search", &[("output", "JSON"), ("include_balances", "Y"), ("campaign_id", "P")]);
        let told: serde_json::Value = serde_json::from_str(&all.body).unwrap();
        let told = told["customers"].as_array().unwrap();
        assert_eq!(told.len(), MANY + 2);
        assert_eq!(told[0]["campaigns"][0]["balance"], "1500.00");
        assert_eq!(told[MANY]["campaigns"][0]["balance"], "0.00");
        drop(all);

        for (call, field, value, found) in [
            ("customer_search", "email", "person4", 11_111),
            ("customer_search", "phone", "2120099", 1000),
            ("customer_find", "find_customer", "first7 l\u{e1}st99", 111),
            ("customer_find", "find_customer", "FIRST999 L\u{c1}ST99, first7 c7007", 14),
            ("customer_find", "find_customer", "nobody", 0),
        ] {
            let began = Instant::now();
            let reply = ask(&server, call, &[(field, value)]);
            println!("{call} {value}: {:?}", began.elapsed());
            assert_eq!(codes(&reply).len(), found, "{value}");
            assert_eq!(reply.body.contains("status=\"no_match\""), found == 0, "{value}");
        }
        let more = server.peak_memory() - idle;
        println!("memory: {idle} bytes for one customer, {more} more for all");
        assert!(more < MEMORY_MORE, "{more} bytes more than for one");
        server.stop();
        process::verify(&database);
    }

    fn a_list_that_is_not_taken_is_cut_off(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &world(20_000));
        let server = Serve::on(&database).with("reply_timeout_ms", "1000").start();
        let mut stream = TcpStream::connect(server.address).unwrap();
        socket2::SockRef::from(&stream).set_recv_buffer_size(64 * 1024).unwrap();
        stream.write_all(&request("customer_search", &[])).unwrap();
        let since = Instant::now();
        while !server.log().contains("a long answer was cut off") {
            assert!(since.elapsed() < Duration::from_secs(60), "the answer goes on and on");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut bytes = Vec::new();
        let _cut = stream.read_to_end(&mut bytes);
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert_eq!(client::parse(&bytes), None);
        assert_eq!(codes(&ask(&server, "customer_search", &[("code", "c7777")])).len(), 1);
        server.stop();
    }

    fn customers_stored_before_there_were_texts_get_them(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &world(6_000));
        let db = &mut database.connect(Role::Migrator);
        diesel::delete(search_texts::table).execute(db).unwrap();
        diesel::delete(installation::table.find("search_texts")).execute(db).unwrap();
        process::verify(&database);
        process::succeed(&database, &["migrate"]);
        let texts: i64 = search_texts::table.count().get_result(db).unwrap();
        assert_eq!(texts, 6_002);
        process::verify(&database);
        // What is missing from then on is found.
        diesel::delete(search_texts::table.filter(search_texts::customer.eq(7))).execute(db).unwrap();
        diesel::update(search_texts::table.filter(search_texts::customer.eq(8)))
            .set(search_texts::folded.eq("\u{1}cx\u{1}"))
            .execute(db)
            .unwrap();
        let found = process::run(&database, &["verify"]);
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.contains("search_texts 7: no row; should be: the customer's text"), "{found}");
        assert!(found.contains("search_texts 8: another text; should be: the text of what the customer has"), "{found}");
    }

    fn texts_follow_worlds_and_batches(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let find = |phrase: &str| {
            let mut all = fields(&[("find_customer", phrase)]);
            all.extend(shop.common().into_iter().filter(|(name, _)| name != "type"));
            all.extend(fields(&[("type", "find_customer")]));
            codes(&shop.send(Encoding::Urlencoded, &[], &all))
        };
        assert_eq!(find("o'smith"), ["12122"]);
        let changed = WORLD.replace("last_name = \"Acker\"", "last_name = \"Baker\"\nphone = \"(212) 555-0100\"");
        let world = punchcard::world::read(&shop.named(&changed), chrono::Utc::now()).unwrap();
        let db = &mut app.database.connect(Role::Writer);
        stored::apply(db, &server_key(), &world, &mut stored::Report::default()).unwrap();
        assert_eq!(find("acker"), [""; 0]);
        assert_eq!(find("amy BAKER"), ["12121"]);
        assert_eq!(find("2125550"), ["12121"]);
        let columns = &crate::support::app::COLUMNS[..];
        let line = [("create_new_customers", "Y"), ("Visits_Data", "P|New-77|N|5")];
        let reply = shop.post(&[columns, &line].concat());
        assert!(reply.body.contains("all_imported"), "{}", reply.body);
        assert_eq!(find("ew-7"), ["New-77"]);
    }

    fn searches_walk_primary_keys(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &world(3_000));
        let mut db = database.connect(Role::Reader);
        let account: i32 = customers::table.select(customers::account_id).first(&mut db).unwrap();
        let queries: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&queries);
        db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                seen.lock().unwrap().push(text.split(" -- binds").next().unwrap().to_owned());
            }
        });
        let one = |place, value: &str, compare| Filter::All(Criterion::new(place, value, compare).into_iter().collect());
        for (filter, found) in [
            (Filter::All(vec![]), 500),
            (one(Place::Field(Name::LastName), "l\u{c1}st29", Compare::Part), 111),
            (one(Place::Code, "c29", Compare::Exact), 1),
            (one(Place::Field(Name::Email), "person29@EXAMPLE.com", Compare::Whole), 1),
            (Filter::phrase("first9 last1, 2120000").unwrap(), 0),
        ] {
            let search = Search { account, filter, balances: vec![] };
            let page = lists::page(&mut db, &search, None).unwrap();
            if found > 0 {
                assert_eq!(page.customers.len(), found, "{:?}", search.filter);
            }
        }
        let queries = std::mem::take(&mut *queries.lock().unwrap());
        let own: Vec<&String> = queries.iter().filter(|text| text.contains("search_texts") || text.contains("FROM `customers`")).collect();
        assert!(own.len() >= 5, "{queries:#?}");
        for text in own {
            walks_a_primary_key(engine, &mut database.connect(Role::Reader), text);
        }
        assert!(texts::last_customer(&mut db, account).unwrap() >= 3_002);
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[cfg(feature = "mysql")]
#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "EXPLAIN")]
    text: String,
}

/// A statement with numbers in place of its values: 1 for the account, then ever higher ones.
fn filled(text: &str) -> String {
    let mut parts = text.split('?');
    let mut out = parts.next().unwrap().to_owned();
    for (n, part) in (1..).zip(parts) {
        write!(out, "{}{part}", n * n).unwrap();
    }
    out
}

fn walks_a_primary_key(engine: Engine, db: &mut Db, text: &str) {
    let text = filled(text);
    match engine {
        Engine::Sqlite => {
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}"))
                .load(db)
                .unwrap();
            for step in steps {
                let detail = step.detail;
                assert!(
                    detail.starts_with("SEARCH ") && detail.contains("USING PRIMARY KEY"),
                    "{detail}: {text}"
                );
            }
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let plans: Vec<Plan> = diesel::sql_query(format!("EXPLAIN FORMAT=JSON {text}"))
                .load(db)
                .unwrap();
            for plan in plans {
                let plan = plan.text;
                assert!(plan.contains("\"key\": \"PRIMARY\""), "{plan}: {text}");
                assert!(
                    !plan.contains("\"ALL\"") && !plan.contains("filesort"),
                    "{plan}: {text}"
                );
            }
        }
    }
}
