//! The program as its operators run it: what each command prints, and what it refuses.

use crate::support::app::WORLD;
use crate::support::client::{Encoding, exchange, request};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{Serve, apply, run, succeed};
use diesel::connection::SimpleConnection;
use punchcard::store::connect::Role;
use std::path::PathBuf;

pub fn world() -> String {
    WORLD
        .replace("{account}", "shop")
        .replace("{user}", "till")
        .replace("{key}", "the till's key")
}

fn file(database: &Database, text: &str) -> String {
    let path = database.dir.path().join("world.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs a command that must fail with exit code 1; returns what it said on stderr.
fn refused(database: &Database, words: &[&str]) -> String {
    let output = run(database, words);
    assert_eq!(output.status.code(), Some(1), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

pub fn post(address: std::net::SocketAddr, key: &str, data: &str) -> String {
    let mut all = crate::support::app::fields(&[
        ("API", "1.5"),
        ("user_id", "till"),
        ("user_api_key", key),
        ("account_id", "shop"),
        ("type", "batch_transactions"),
    ]);
    all.extend(crate::support::app::fields(&crate::support::app::COLUMNS));
    all.push(("Visits_Data".to_owned(), data.to_owned()));
    exchange(
        address,
        &request("/api.php", Encoding::Multipart, &[], &all),
    )
    .body
}

on_both_engines! {
    fn applying_twice_changes_nothing_and_differences_are_told(engine: Engine) {
        let database = Database::new(engine);
        let path = file(&database, &world());
        let first = succeed(&database, &["apply", &path]);
        assert!(first.contains("account shop: created"), "{first}");
        assert!(first.contains("customers: 2 created"), "{first}");
        assert!(first.contains("opening balances: 2 posted"), "{first}");
        assert!(!first.contains("the till's key"), "{first}");
        let second = succeed(&database, &["apply", &path]);
        assert!(second.contains("nothing changed"), "{second}");
        let smaller = world().replace("Widget Points", "Gadget Points").replace("first_name = \"Amy\"", "first_name = \"Ann\"");
        let third = succeed(&database, &["apply", &file(&database, &smaller)]);
        assert!(third.contains("name \"Widget Points\" -> \"Gadget Points\""), "{third}");
        assert!(third.contains("customers: 0 created, 1 changed, 1 unchanged"), "{third}");
        let cut = smaller.split("[[account.customer]]").next().unwrap().to_owned();
        let fourth = succeed(&database, &["apply", &file(&database, &cut)]);
        assert!(fourth.contains("nothing changed") && fourth.contains("2 customers"), "{fourth}");
        succeed(&database, &["verify"]);
    }

    fn what_a_world_file_says_wrong_is_named_with_its_line_and_nothing_is_applied(engine: Engine) {
        let database = Database::new(engine);
        for (wrong, says) in [
            (world().replace("timezone", "timezones"), "timezones"),
            (world().replace("api_key = \"the till's key\"", "api_key = \"k\"\npermissions = [\"write\"]"), "permissions"),
            (world().replace("api_key = \"the till's key\"", "api_key = \"k\"\npassword = \"p\""), "password"),
            (world().replace("country = \"US\"", "duplicate_window_s = -5"), "duplicate_window_s"),
            (world().replace("currency = \"USD\"", "currency = \"XXL\""), "XXL"),
            (world().replace("operand = \"x\", value = \"2\"", "operand = \"-\", value = \"2\""), "operand"),
            (world().replace("amount = \"1500\"", "amount = \"1,500\""), "1,500"),
        ] {
            let error = refused(&database, &["apply", &file(&database, &wrong)]);
            assert!(error.contains(says) && error.contains("line "), "{says}: {error}");
        }
        let listed = refused(&database, &["rejections", "list", "shop"]);
        assert!(listed.contains("shop"), "no such account yet: {listed}");
    }

    fn another_server_key_is_refused_with_the_remedy(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let key = database.dir.path().join("server.key");
        std::fs::write(&key, "08".repeat(32)).unwrap();
        let path = file(&database, &world());
        for words in [&["apply", path.as_str()][..], &["serve", "--listen", "127.0.0.1:0", "--unsafe-durability"]] {
            let error = refused(&database, words);
            assert!(error.contains("use the key file this database was made with"), "{error}");
        }
        std::fs::remove_file(&key).unwrap();
        assert!(refused(&database, &["apply", &path]).contains("server.key"));
        assert!(!key.exists(), "a database that has a key never gets another one");
    }

    fn refused_lines_are_listed_and_shown(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        let server = Serve::on(&database).start();
        let reply = post(server.address, "the till's key", "P|99|N|5||\nP|12121|N|1||\nP|12121|Y|99999||\nX|12121|N|1|2020-02-30|");
        assert!(reply.contains("partially_imported") && reply.contains("<rejected>3<"), "{reply}");
        let list = succeed(&database, &["rejections", "list", "shop", "--state", "all"]);
        for part in ["unknown_customer", "reward_exceeds_points", "unknown_campaign"] {
            assert!(list.contains(part), "{part}: {list}");
        }
        let open = succeed(&database, &["rejections", "list", "shop", "--state", "open"]);
        assert!(!open.contains("reward_exceeds_points") && open.contains("unknown_customer"), "{open}");
        let shown = succeed(&database, &["rejections", "show", "shop", "1"]);
        for part in ["P|99|N|5||", "unknown_customer", "\"99\"", "till", "create_new_customers=Y"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(refused(&database, &["rejections", "show", "shop", "9"]).contains('9'));
        // An equal line closes the fault that is open; somebody has to close the other one.
        let reply = post(server.address, "the till's key", "P|12121|N|1||\nP|99|N|5||");
        assert!(reply.contains("partially_imported"), "{reply}");
        let open = succeed(&database, &["rejections", "list", "shop"]);
        assert!(open.starts_with("3 open") && open.contains("\n4 open"), "{open}");
        succeed(&database, &["rejections", "dismiss", "shop", "4"]);
        let again = refused(&database, &["rejections", "dismiss", "shop", "4"]);
        assert!(again.contains("is not open but dismissed"), "{again}");
        assert!(refused(&database, &["rejections", "dismiss", "shop", "2"]).contains("record"));
        let open = succeed(&database, &["rejections", "list", "shop"]);
        assert!(open.starts_with("3 open") && !open.contains("\n4"), "{open}");
        server.stop();
        succeed(&database, &["verify"]);
    }

    fn verify_exits_1_with_a_list_when_the_books_are_wrong(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        assert!(succeed(&database, &["verify"]).contains("shop: entries 2"));
        database.connect(Role::Migrator).batch_execute("UPDATE balances SET balance = balance + 1 WHERE campaign = 1").unwrap();
        let output = run(&database, &["verify"]);
        assert_eq!(output.status.code(), Some(1));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains("balances") && printed.contains("shop"), "{printed}");
    }

    fn a_published_sample_secret_is_served_on_loopback_only(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world().replace("the till's key", "1959caadac9a8f7e42938a7b13dcb3"));
        let error = refused(&database, &["serve", "--listen", "0.0.0.0:0", "--unsafe-durability"]);
        assert!(error.contains("published sample") && error.contains("till"), "{error}");
        let server = Serve::on(&database).start();
        assert!(post(server.address, "1959caadac9a8f7e42938a7b13dcb3", "P|12121|N|1||").contains("all_imported"));
        server.stop();
    }

    fn keys_are_hashed_and_account_secrets_sealed(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::schema::{accounts, api_keys};
        let database = Database::new(engine);
        apply(&database, &world().replace("country = \"US\"", "country = \"US\"\nsecret = \"an account's secret\""));
        let db = &mut database.connect(Role::Reader);
        let hashes: Vec<Vec<u8>> = api_keys::table.select(api_keys::hash).load(db).unwrap();
        assert_eq!(hashes, [crate::support::engine::server_key().digest(b"the till's key").to_vec()]);
        let sealed: Vec<Option<Vec<u8>>> = accounts::table.select(accounts::secret).load(db).unwrap();
        let sealed = sealed[0].clone().unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
    }

    fn a_configuration_that_moved_counts_for_the_next_request(engine: Engine) {
        let database = Database::new(engine);
        apply(&database, &world());
        // The cache may be old for a minute: posting compares versions inside its transaction all the same.
        let server = Serve::on(&database).with("config_max_age_ms", "60000").start();
        let ratio = |n: &str| world().replace("points_ratio = \"2\"", &format!("points_ratio = \"{n}\""));
        let spend = || {
            let mut all = crate::support::app::fields(&[
                ("user_id", "till"), ("user_password", "the till's key"), ("account_id", "shop"),
                ("type", "batch_transactions"), ("apply_ratio", "yes"),
            ]);
            all.extend(crate::support::app::fields(&crate::support::app::COLUMNS));
            all.push(("Visits_Data".to_owned(), "P|12122|N|1||".to_owned()));
            exchange(server.address, &request("/", Encoding::Urlencoded, &[], &all)).body
        };
        assert!(spend().contains("all_imported"));
        apply(&database, &ratio("3"));
        assert!(spend().contains("all_imported"));
        apply(&database, &ratio("3").replace("id = \"P\"\ntype", "id = \"P\"\nactive = false\ntype"));
        assert!(spend().contains("is not active"), "{}", spend());
        server.stop();
        use diesel::prelude::*;
        use punchcard::store::schema::journal;
        let amounts: Vec<i64> = journal::table
            .filter(journal::batch.is_not_null())
            .order(journal::number)
            .select(journal::amount)
            .load(&mut database.connect(Role::Reader))
            .unwrap();
        assert_eq!(amounts, [20_000, 30_000]);
    }
}

#[test]
fn one_server_per_sqlite_file() {
    let database = Database::new(Engine::Sqlite);
    apply(&database, &world());
    let first = Serve::on(&database).start();
    let error = refused(&database, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(error.contains("another server already serves"), "{error}");
    first.stop();
    Serve::on(&database).start().stop();
}

#[test]
fn a_second_name_of_the_database_does_not_get_round_the_lock() {
    let database = Database::new(Engine::Sqlite);
    apply(&database, &world());
    let path = database.dir.path().join("punchcard.db");
    let other = database.dir.path().join("other.db");
    std::os::unix::fs::symlink(&path, &other).unwrap();
    let url = format!("sqlite:{}", other.display());
    let key = database.dir.path().join("server.key");
    let by_other_name = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_punchcard"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url])
            .args(["--key-file", key.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let server = Serve::on(&database).start();
    assert!(by_other_name().contains("another server already serves"));
    server.stop();
    std::fs::remove_file(&other).unwrap();
    std::fs::hard_link(&path, &other).unwrap();
    assert!(by_other_name().contains("hard link"));
}

#[test]
fn a_database_file_that_was_deleted_takes_no_more_posts() {
    let database = Database::new(Engine::Sqlite);
    apply(&database, &world());
    let server = Serve::on(&database).with("config_max_age_ms", "20").start();
    assert!(post(server.address, "the till's key", "P|12121|N|1||").contains("all_imported"));
    std::fs::remove_file(database.dir.path().join("punchcard.db")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let reply = post(server.address, "the till's key", "P|12121|N|1||");
    assert!(
        reply.contains("its database file is gone") && reply.contains("nothing was posted"),
        "{reply}"
    );
    server.stop();
}

#[test]
fn sqlite_is_made_on_the_way_with_a_key_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let world_file = dir.path().join("world.toml");
    std::fs::write(&world_file, world()).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_punchcard"))
        .args(["apply", "world.toml"])
        .current_dir(dir.path())
        .env_remove("PUNCHCARD_DATABASE_URL")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let key: PathBuf = dir.path().join("punchcard.key");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(dir.path().join("punchcard.db").exists());
}

#[test]
fn check_config_masks_secrets_and_names_unknown_options() {
    let database = Database::empty(Engine::Sqlite);
    let printed = succeed(&database, &["check-config"]);
    assert!(printed.contains("queue_timeout_ms = 4000"), "{printed}");
    let config = database.dir.path().join("punchcard.toml");
    std::fs::write(&config, "listne = \"127.0.0.1:1\"\n").unwrap();
    let error = refused(
        &database,
        &["check-config", "--config", config.to_str().unwrap()],
    );
    assert!(
        error.contains("listne") && error.contains("listen"),
        "{error}"
    );
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_is_migrated_only_when_asked() {
    let database = Database::empty(Engine::Mysql);
    let path = file(&database, &world());
    for words in [
        &["apply", path.as_str()][..],
        &["serve", "--unsafe-durability"],
    ] {
        let error = refused(&database, words);
        assert!(error.contains("run punchcard migrate"), "{error}");
    }
    assert!(succeed(&database, &["migrate"]).contains("journal"));
    succeed(&database, &["apply", &path]);
}

#[test]
fn the_demo_has_its_own_file_and_goes_on_where_it_was() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for _ in 0..2 {
        let mut demo = std::process::Command::new(env!("CARGO_BIN_EXE_punchcard"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .current_dir(dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        let mut address = None;
        for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            text.push_str(&line);
            text.push('\n');
            if let Some(found) = line.strip_prefix("listening on http://") {
                address = Some(found.to_owned());
                break;
            }
        }
        // The curl line on the screen, as it is printed, in a shell.
        let curl = &text[text.find("curl ").unwrap()..text.find("Or with PHP").unwrap()];
        let output = std::process::Command::new("sh")
            .args(["-c", curl])
            .output()
            .unwrap();
        let reply = String::from_utf8(output.stdout).unwrap();
        assert!(
            reply.contains("<transactions>3</transactions>"),
            "{reply}\n{text}"
        );
        // So is the PHP script.
        let script = &text[text.find("<?php").unwrap()..text.rfind("The database is").unwrap()];
        std::fs::write(dir.path().join("post.php"), script).unwrap();
        let output = std::process::Command::new("php")
            .arg("post.php")
            .current_dir(dir.path())
            .output()
            .unwrap();
        let reply = String::from_utf8(output.stdout).unwrap();
        assert!(reply.contains("\"transactions\": \"2\""), "{reply}");
        assert!(address.is_some());
        demo.kill().unwrap();
        demo.wait().unwrap();
        said.push(text);
    }
    assert!(said[0].contains("it is new") && said[1].contains("it goes on where it was"));
    assert!(dir.path().join("punchcard-demo.db").exists());
    let open = std::process::Command::new(env!("CARGO_BIN_EXE_punchcard"))
        .args([
            "serve",
            "--database-url",
            "sqlite:punchcard-demo.db",
            "--listen",
            "0.0.0.0:0",
        ])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(!open.status.success());
    let error = String::from_utf8(open.stderr).unwrap();
    assert!(
        error.contains("demo") && error.contains("loopback only"),
        "{error}"
    );
}
