//! Batches of customers: many at once, two at once, taken back, and what they cost.

use crate::concurrency::together;
use crate::support::app::{App, Shop, WORLD, fields};
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine, server_key};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, succeed, told};
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use punchcard::loyalty::batch::{Caller, Wishes};
use punchcard::loyalty::customers::import::Import;
use punchcard::loyalty::customers::sheet::{Column, Layout, Mode, Sheet};
use punchcard::loyalty::customers::{Name, PeopleCommand, PeopleDone};
use punchcard::loyalty::rights::Need;
use punchcard::posting::codes::Codes;
use punchcard::posting::command::{Command, Done};
use punchcard::posting::days::Days;
use punchcard::posting::directory::Directory;
use punchcard::posting::group::{self, Desk};
use punchcard::posting::people::customers as people;
use punchcard::posting::purge::Purge;
use punchcard::posting::queue::Job;
use punchcard::store::connect::{Readers, Role};
use punchcard::store::schema::{batches, customer_keys, customers, rejections, undo_images};
use punchcard::store::world as stored;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request with these columns, `|` between values.
fn import(columns: &[&str], more: &[(&str, &str)], data: &str) -> Vec<(String, String)> {
    let mut all = fields(&[
        ("type", "customers_batch"),
        ("delimiter", "pipe"),
        ("campaigns_to_include", "P"),
    ]);
    for (number, column) in (1..).zip(columns) {
        all.push((format!("profiles_header_{number}"), (*column).to_owned()));
    }
    all.extend(fields(more));
    all.push(("profiles_data".to_owned(), data.to_owned()));
    all
}

fn send(shop: &Shop<'_>, all: Vec<(String, String)>) -> Reply {
    let mut common = shop.common();
    common.retain(|(name, _)| name != "type");
    common.extend(all);
    shop.send(Encoding::Urlencoded, &[], &common)
}

/// Sends a batch that can be undone.
fn undoable(shop: &Shop<'_>, columns: &[&str], mode: &str, data: &str) {
    let more = [("allow_undo", "yes"), ("overwrite_duplicates", mode)];
    let reply = send(shop, import(columns, &more, data));
    assert!(reply.body.contains("all_imported"), "{}", reply.body);
}

fn batch(shop: &Shop<'_>, word: &str, more: &[&str]) -> Result<String, String> {
    told(
        &shop.app.database,
        &[&["batches", word, &shop.account], more].concat(),
    )
}

fn verify(shop: &Shop<'_>) {
    succeed(&shop.app.database, &["verify", "--account", &shop.account]);
}

/// What one calls a customer who has this code, and those of its fields that are filled; nothing where nobody has it.
fn look(shop: &Shop<'_>, code: &str) -> String {
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let found: Option<(i64, bool)> = customer_keys::table
        .find((account, code))
        .select((customer_keys::customer, customer_keys::replaced))
        .first(db)
        .optional()
        .unwrap();
    let Some((number, replaced)) = found else {
        return String::new();
    };
    let one = people(db, account, &[number]).unwrap().remove(0);
    let card = one.person.card_number.as_deref().unwrap_or("no card");
    let mut out = format!("{} {card}", one.person.code.as_deref().unwrap());
    for name in Name::plain().chain([Name::Custom(1), Name::Custom(2)]) {
        if let Some(value) = one.get(name) {
            write!(out, " {}={value}", name.word()).unwrap();
        }
    }
    if replaced {
        out.push_str(" replaced");
    }
    out
}

fn images(shop: &Shop<'_>) -> i64 {
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let own = undo_images::table.filter(undo_images::account_id.eq(account));
    own.count().get_result(db).unwrap()
}

on_both_engines! {
    fn what_a_batch_has_changed_is_given_back(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let columns = ["code", "card_number", "city", "customer_username", "customer_password", "custom_field_2"];
        undoable(&shop, &columns, "update", "12121|K1|Rome|amy|first secret|red\n12122||Oslo|||");
        let before: Vec<String> = ["12121", "12122"].iter().map(|code| look(&shop, code)).collect();
        undoable(&shop, &columns, "yes", "12121|K2|Bergen|anne|second secret|\n12122||||bo|blue");
        assert!(!look(&shop, "12121").contains("first_name"), "{}", look(&shop, "12121"));
        assert_eq!(look(&shop, "K1"), look(&shop, "12121") + " replaced");
        assert_eq!(images(&shop), 4);
        let foretold = batch(&shop, "undo", &["2"]).unwrap();
        assert!(foretold.contains("batch 2: 0 customers erased, 2 as before, 0 stay\n"), "{foretold}");
        assert!(foretold.ends_with("Nothing was changed. Add --yes to undo it.\n"), "{foretold}");
        assert_eq!(images(&shop), 4);
        let done = batch(&shop, "undo", &["2", "--yes"]).unwrap();
        assert!(done.ends_with("Undone: 0 transactions reversed; 0 customers erased, 2 as before, 0 stay.\n"), "{done}");
        let after: Vec<String> = ["12121", "12122"].iter().map(|code| look(&shop, code)).collect();
        assert_eq!(after, before);
        assert_eq!(look(&shop, "K2"), "", "the new card is nobody's");
        let valid = |password: &str| {
            let all = fields(&[("type", "validate_customer_password"), ("code", "12121"), ("customer_password", password)]);
            send(&shop, all).body.contains("success")
        };
        assert!(valid("first secret") && !valid("second secret"));
        assert!(batch(&shop, "undo", &["2", "--yes"]).unwrap_err().contains("The batch 2 is undone already"));
        assert_eq!(images(&shop), 2);
        verify(&shop);
        batch(&shop, "undo", &["1", "--yes"]).unwrap();
        assert_eq!(look(&shop, "K1"), "");
        assert!(!valid("first secret"));
        assert_eq!(images(&shop), 0);
        verify(&shop);
    }

    fn what_was_changed_since_stays(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        undoable(&shop, &["code", "city", "customer_username"], "update", "12121|Rome|amy\n12122|Oslo|bo");
        undoable(&shop, &["code", "city", "customer_username"], "update", "12121|Bergen|anne\n12122|Paris|ben");
        // She moves, and somebody else takes the username that she had.
        for (code, name, value) in [("12121", "city", "Kyiv"), ("12122", "customer_username", "Amy")] {
            let all = fields(&[("type", "record_customer"), ("customer_action", "edit"), ("code", code), (name, value)]);
            assert!(send(&shop, all).body.contains("success"));
        }
        let done = batch(&shop, "undo", &["2", "--yes"]).unwrap();
        assert!(done.contains("customer   12121 changed since, and left: city, customer_username\n"), "{done}");
        assert!(done.contains("customer   12122 changed since, and left: customer_username\n"), "{done}");
        assert!(look(&shop, "12121").contains("city=Kyiv customer_username=anne"), "{}", look(&shop, "12121"));
        assert!(look(&shop, "12122").contains("city=Oslo customer_username=Amy"), "{}", look(&shop, "12122"));
        verify(&shop);
    }

    fn customers_who_came_with_a_batch_go_with_it_unless_something_has_come_to_them(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let columns = ["code", "card_number", "first_name", "email", "auto_add"];
        undoable(&shop, &columns, "update", "n1|k1|Ann|ann@example.com|5\nn2||Bo||5\nn3||Cy||\nn4||Di||5\n12121||Amy||9");
        assert_eq!((shop.balance("P", "n1"), shop.balance("P", "12121")), (5_0000, 1500_0000));
        let replace = fields(&[("type", "card_replace"), ("previous_card", "k1"), ("new_card_number", "k9")]);
        assert!(send(&shop, replace).body.contains("success"));
        undoable(&shop, &["code", "city"], "update", "n1|Rome");
        shop.lines("P|n2|N|1||");
        let register = fields(&[("type", "record_customer"), ("customer_action", "register"), ("code", "n3")]);
        assert!(send(&shop, register).body.contains("success"));
        shop.lines("P|n4|Y|2||");
        let foretold = batch(&shop, "undo", &["1"]).unwrap();
        assert!(foretold.starts_with("in the way n4 P: 3.00 -> -2.00"), "{foretold}");
        assert!(foretold.ends_with("\nNothing was changed.\n"), "{foretold}");
        let done = batch(&shop, "undo", &["1", "--yes", "--skip-blocked"]).unwrap();
        for line in [
            "customer   n2 stays: it has other transactions\n",
            "customer   n3 stays: it has registered since\n",
            "customer   n4 stays: it has spent what the batch gave it\n",
            "Undone: 2 transactions reversed, 1 left; 1 customer erased, 0 as before, 3 stay.\n",
        ] {
            assert!(done.contains(line), "{done}");
        }
        for gone in ["n1", "k1", "k9"] {
            assert_eq!(look(&shop, gone), "", "{gone}");
        }
        assert_eq!((shop.balance("P", "n2"), shop.balance("P", "n4")), (1_0000, 3_0000));
        let found = send(&shop, fields(&[("type", "customer_find"), ("find_customer", "ann")]));
        assert!(found.body.contains("no_match"), "{}", found.body);
        verify(&shop);
        // The codes are free, and she who has got back what she had spent can go.
        undoable(&shop, &["code", "card_number"], "ignore", "n1|k1");
        shop.lines("P|n4|N|2||");
        let done = batch(&shop, "undo", &["1", "--yes"]).unwrap();
        assert!(done.contains("customer   n4 stays: it has other transactions\n"), "{done}");
        assert_eq!(shop.balance("P", "n4"), 0);
        assert!(batch(&shop, "undo", &["1", "--yes"]).unwrap_err().contains("undone already"));
        verify(&shop);
    }

    fn what_is_not_kept_cannot_be_undone(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let reply = send(&shop, import(&["code"], &[], "n1"));
        assert!(reply.body.contains("all_imported"), "{}", reply.body);
        for more in [&["1", "--yes"][..], &["1", "--yes", "--force"]] {
            let refused = batch(&shop, "undo", more).unwrap_err();
            assert!(refused.contains("Of the batch 1 nothing was kept to undo it by"), "{refused}");
        }
        undoable(&shop, &["code"], "ignore", "n2");
        let db = &mut shop.app.database.connect(Role::Migrator);
        let account = shop.number(db);
        let long_ago = punchcard::dates::micros(chrono::Utc::now()) - 91 * 24 * 3600 * 1_000_000;
        diesel::update(batches::table.find((account, 2))).set(batches::recorded_at.eq(long_ago)).execute(db).unwrap();
        let own = undo_images::table.filter(undo_images::account_id.eq(account));
        diesel::update(own).set(undo_images::recorded_at.eq(long_ago)).execute(db).unwrap();
        let refused = batch(&shop, "undo", &["2", "--yes"]).unwrap_err();
        assert!(refused.contains("What the batch 2 changed is not kept any more"), "{refused}");
        // The next one takes away what is old.
        undoable(&shop, &["code"], "ignore", "n3");
        assert_eq!(images(&shop), 1);
        assert!(batch(&shop, "undo", &["2", "--yes"]).unwrap_err().contains("not kept any more"));
        let list = batch(&shop, "list", &[]).unwrap();
        assert!(list.contains(": 1 customer, 1 new customer, can be undone\n"), "{list}");
        let shown = batch(&shop, "show", &["3"]).unwrap();
        assert!(shown.contains("customers       1\n"), "{shown}");
        verify(&shop);
        let image = || undo_images::table.filter(undo_images::account_id.eq(account)).filter(undo_images::batch.eq(3));
        diesel::update(image()).set(undo_images::image.eq("x")).execute(db).unwrap();
        let found = process::run(&shop.app.database, &["verify", "--account", &shop.account]);
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.contains(": another image; should be: fields with two values each"), "{found}");
        diesel::update(image()).set(undo_images::image.eq("{}")).execute(db).unwrap();
    }

    fn a_refused_line_is_kept_without_its_secrets(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let columns = ["code", "customer_password", "custom_date"];
        let reply = send(&shop, import(&columns, &[], "n1|hush hush|soon\nn2|x|"));
        assert!(reply.body.contains("<rejected>1</rejected>"), "{}", reply.body);
        let words = |word: &str| told(&shop.app.database, &["rejections", word, &shop.account, "1"]);
        let shown = words("show").unwrap();
        assert!(shown.contains("source          customers\n") && shown.contains("as sent         n1|***|soon\n"), "{shown}");
        let replayed = words("replay").unwrap_err();
        assert!(replayed.contains("have it sent again"), "{replayed}");
        words("dismiss").unwrap();
        let long = "hush".repeat(33);
        let reply = send(&shop, import(&columns, &[("details", "lines")], &format!("n4|{long}|")));
        assert!(reply.body.contains("is longer than 128 characters") && !reply.body.contains("hush"), "{}", reply.body);
        let shown = told(&shop.app.database, &["rejections", "show", &shop.account, "2"]).unwrap();
        assert!(shown.contains("as sent         n4|***|\n") && !shown.contains("hush"), "{shown}");
        // Equal lines close older ones, whatever the password.
        send(&shop, import(&columns, &[], "n3|a|soon"));
        send(&shop, import(&columns, &[], "n3|b|soon"));
        let db = &mut shop.app.db();
        let account = shop.number(db);
        let states: Vec<String> = rejections::table
            .filter(rejections::account_id.eq(account))
            .order(rejections::number)
            .select(rejections::state)
            .load(db)
            .unwrap();
        assert_eq!(states, ["dismissed", "open", "superseded", "open"]);
        verify(&shop);
    }

    fn more_than_a_thousand_secrets_are_too_many(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let mut data = String::new();
        for line in 0..=1000 {
            writeln!(data, "s{line}|1234").unwrap();
        }
        let reply = send(&shop, import(&["code", "customer_PIN"], &[], &data));
        assert!(reply.body.contains("More than 1000 lines have a password or PIN"), "{}", reply.body);
        assert_eq!(look(&shop, "s0"), "");
    }

    fn whoever_gives_something_needs_the_right_to_post(engine: Engine) {
        let world = WORLD.to_owned()
            + "[[account.user]]\nid = \"{user}-m\"\napi_key = \"{key}\"\npermissions = [\"manage\"]\n";
        let shop = App::shared(engine).shop(&world);
        let manager = format!("{}-m", shop.user);
        let post = |columns: &[&str], data: &str| {
            let all = import(columns, &[], data);
            let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            shop.post_as(&manager, &shop.key, "customers_batch", &all).body
        };
        let refused = post(&["code", "auto_add"], "n1|1");
        assert!(refused.contains("This user may not post transactions"), "{refused}");
        assert!(post(&["code"], "n1").contains("all_imported"));
    }

    fn equal_batches_with_a_key_at_once_are_one(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let mut data = String::new();
        for line in 0..500 {
            writeln!(data, "Name{line}|1").unwrap();
        }
        let columns = ["first_name", "auto_add"];
        let more = [("card_number_generate", "16"), ("idempotency_key", "monday")];
        let repeated = together(8, |_| {
            let reply = send(&shop, import(&columns, &more, &data));
            assert!(reply.body.contains("<new_customers>500</new_customers><transactions>500</transactions>"), "{}", reply.body);
            reply.header("idempotent-replayed").is_some()
        });
        assert_eq!(repeated, 7);
        let db = &mut shop.app.db();
        let account = shop.number(db);
        let own = customers::table.filter(customers::account_id.eq(account));
        assert_eq!(own.count().get_result::<i64>(db).unwrap(), 502);
        verify(&shop);
    }

    fn a_batch_that_brought_nothing_has_nothing_to_undo(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let reply = send(&shop, import(&["code", "custom_date"], &[("allow_undo", "yes")], "z|nodate"));
        assert!(reply.body.contains("none_imported"), "{}", reply.body);
        let why = batch(&shop, "undo", &["1", "--yes"]).unwrap_err();
        assert!(why.contains("nothing to undo"), "{why}");
    }

    fn a_card_is_used_in_the_moment_in_which_a_batch_gives_it(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        // Amy has points already, which whoever posts by the new card must find.
        for round in 0..12 {
            let (card, line) = (format!("new-{round}"), format!("12121|new-{round}"));
            together(8, |client| {
                if client == 0 {
                    let columns = ["code", "card_number"];
                    let reply = send(&shop, import(&columns, &[("overwrite_duplicates", "update")], &line));
                    return reply.body.contains("all_imported");
                }
                shop.lines(&format!("P|{card}|N|1||\n")).body.contains("all_imported")
            });
        }
        verify(&shop);
    }

    fn the_guard_knows_what_has_brought_customers_until_it_is_undone(engine: Engine) {
        let world = WORLD.replace("country = \"US\"", "country = \"US\"\nduplicate_window_s = 600");
        let shop = App::shared(engine).shop(&world);
        let post = |city: &str| {
            let more = [("allow_undo", "yes"), ("overwrite_duplicates", "update")];
            let data = format!("12121|{city}");
            send(&shop, import(&["code", "city"], &more, &data)).header("idempotent-replayed").is_some()
        };
        // Changed, changed back and changed again: three changes.
        assert!(!post("Rome") && !post("Oslo") && !post("Rome"));
        assert!(look(&shop, "12121").contains("city=Rome"));
        let draw = || {
            let more = [("allow_undo", "yes"), ("card_number_generate", "Y")];
            send(&shop, import(&["first_name"], &more, "Ann")).header("idempotent-replayed").is_some()
        };
        assert!(!draw() && draw());
        batch(&shop, "undo", &["4", "--yes"]).unwrap();
        assert!(!draw());
        verify(&shop);
    }

    fn thousands_of_customers_in_one_post(engine: Engine) {
        many(engine, 10_000);
    }

    #[ignore = "takes times: run scripts/soak customers"]
    fn a_hundred_thousand_customers_in_one_post(engine: Engine) {
        many(engine, 100_000);
    }
}

/// What the server may have resident at its worst for each line, beside what it has without.
const MEMORY_EACH: u64 = 6_000;
const MEMORY_IDLE: u64 = 120_000_000;

/// Batches of so many lines with twelve columns: created, changed, ignored, and the creation undone.
fn many(engine: Engine, lines: usize) {
    let database = Database::new(engine);
    let world = WORLD
        .replace("{account}", "big")
        .replace("{user}", "clerk")
        .replace("{key}", "key-of-the-clerk");
    process::apply(&database, &world);
    let server = Serve::on(&database).start();
    let columns = [
        "code",
        "card_number",
        "first_name",
        "last_name",
        "phone",
        "email",
        "street1",
        "city",
        "postal_code",
        "country",
        "customer_username",
        "auto_add",
    ];
    let data = |city: &str| {
        let mut data = String::new();
        for n in 0..lines {
            writeln!(
                data,
                "c{n}|k{n}|First{n}|Last{}|+1 212 {n:07}|person{n}@example.com|{n} Broadway|{city}|{n:05}|US|user{n}|1",
                n % 1000
            )
            .unwrap();
        }
        data
    };
    let mut took = Vec::new();
    for (city, mode, told) in [
        (
            "Rome",
            "ignore",
            "<new_customers>{n}</new_customers><transactions>{n}</transactions>",
        ),
        (
            "Oslo",
            "update",
            "<customers>{n}</customers><new_customers>0</new_customers></batch>",
        ),
        ("Kyiv", "ignore", "<ignored>{n}</ignored>"),
    ] {
        let mut all = fields(&[
            ("API", "1.5"),
            ("user_id", "clerk"),
            ("user_api_key", "key-of-the-clerk"),
            ("account_id", "big"),
        ]);
        let more = [("allow_undo", "yes"), ("overwrite_duplicates", mode)];
        all.extend(import(&columns, &more, &data(city)));
        let began = Instant::now();
        let request = client::request("/api.php", Encoding::Urlencoded, &[], &all);
        let reply = server.exchange(&request);
        took.push(began.elapsed());
        let told = told.replace("{n}", &lines.to_string());
        assert!(reply.body.contains(&told), "{}", reply.body);
    }
    let peak = server.peak_memory();
    println!(
        "RESULT {engine:?}: {lines} customers created, changed, ignored in {took:?}, peak memory {} MB",
        peak / 1_000_000
    );
    let most = MEMORY_IDLE + MEMORY_EACH * u64::try_from(lines).unwrap();
    assert!(peak < most, "{peak} bytes");
    server.stop();
    process::verify(&database);
    let began = Instant::now();
    let undo = |batch: &str| told(&database, &["batches", "undo", "big", batch, "--yes"]).unwrap();
    let done = undo("2");
    assert!(
        done.contains(&format!("0 customers erased, {lines} as before, 0 stay")),
        "{done}"
    );
    let done = undo("1");
    assert!(
        done.contains(&format!("{lines} customers erased, 0 as before, 0 stay")),
        "{done}"
    );
    println!("RESULT {engine:?}: both undone in {:?}", began.elapsed());
    process::verify(&database);
}

/// Reads and writes of a batch of so many lines, half of them of customers who are there; and how many texts were sent.
fn cost(engine: Engine, lines: usize) -> (usize, usize) {
    let database = Database::new(engine);
    let text = WORLD
        .replace("{account}", "shop")
        .replace("{user}", "till")
        .replace("{key}", "key-of-the-till-1234567890");
    let read = punchcard::world::read(&text, chrono::Utc::now()).unwrap();
    let mut db = database.connect(Role::Writer);
    stored::apply(
        &mut db,
        &server_key(),
        &read,
        &mut stored::Report::default(),
    )
    .unwrap();
    let settings = database.settings(&[]);
    let mut purge = Purge::new(&settings);
    let readers = Readers::new(&settings.database_url, 2, Duration::from_secs(30)).unwrap();
    let directory = Directory::load(readers).unwrap();
    let account = directory.by_id("shop").unwrap();
    let queries: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut reads = 0;
    let mut texts = 0;
    for (group, (from, to)) in [(0, lines / 2), (0, lines)].into_iter().enumerate() {
        let mut data = String::new();
        for n in from..to {
            writeln!(data, "c{n}|k{n}|Last{n}|p{n}@example.com|user{n}|red|2").unwrap();
        }
        let layout = Layout {
            columns: vec![
                Column::Code,
                Column::Card,
                Column::Field(Name::LastName),
                Column::Field(Name::Email),
                Column::Field(Name::Username),
                Column::Field(Name::Custom(2)),
                Column::AutoAdd,
            ],
            delimiter: '|',
            mode: Mode::Update,
            campaigns: vec!["P".to_owned()],
            draws: None,
        };
        let sheet = Sheet::find(data, layout, usize::MAX, 10_000).unwrap();
        let caller = Caller {
            account: account.number,
            user_id: "till".to_owned(),
            key: server_key().digest(b"key-of-the-till-1234567890"),
            need: Need::MANAGE_AND_POST,
        };
        let wishes = Wishes {
            undoable: true,
            ..Wishes::default()
        };
        let none = (HashMap::new(), HashMap::new());
        let import =
            Import::new(caller, sheet, wishes, chrono::Utc::now(), none, &account).unwrap();
        let mut job = [Job::new(
            Command::People(Box::new(PeopleCommand::Import(import))),
            None,
        )];
        let mut desk = Desk {
            directory: &directory,
            max_open_faults: 1_000_000,
            purge: &mut purge,
            codes: &mut Codes::new(0),
            days: &mut Days::default(),
        };
        let seen = Arc::clone(&queries);
        db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                seen.lock().unwrap().push(query.to_string());
            }
        });
        queries.lock().unwrap().clear();
        group::attempt(&mut db, &mut job, &mut desk, [group as u8 + 1; 16], &[]).unwrap();
        let Some(Ok(Done::People(PeopleDone::Imported(outcome)))) = job[0].answer.take() else {
            panic!("{:?}", job[0].answer);
        };
        assert_eq!((outcome.customers, outcome.rejected), (to - from, 0));
        let queries = queries.lock().unwrap();
        reads = queries
            .iter()
            .filter(|text| text.trim_start().starts_with("SELECT"))
            .count();
        let text = |query: &String| query.split(" -- binds").next().unwrap().to_owned();
        texts = queries.iter().map(text).collect::<HashSet<_>>().len();
    }
    (reads, texts)
}

on_both_engines! {
    fn a_batch_of_customers_costs_a_handful_of_statements(engine: Engine) {
        let (few, many) = (cost(engine, 10), cost(engine, 2_000));
        println!("reads and texts: {few:?} for 10 lines, {many:?} for 2,000");
        assert_eq!(few.0, many.0, "what is read does not depend on how many lines there are");
        assert!(many.0 <= 16, "{many:?}");
        if engine == Engine::Sqlite {
            // Each row has a statement that stays prepared.
            assert_eq!(few.1, many.1);
        }
    }
}
