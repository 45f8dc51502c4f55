//! Passwords of users, and the keys that they are given for them.

use crate::rights::between;
use crate::support::app::{App, Shop, fields};
use crate::support::client::{Encoding, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{account_heads, api_keys, users};

const WORLD: &str = r#"
[[account]]
id = "{account}"
name = "Logins"
currency = "EUR"
timezone = "UTC"

[[account.user]]
id = "{user}"
api_key = "{key}"
password = "hush hush"
"#;

fn login(shop: &Shop<'_>, password: &str, address: &str) -> Reply {
    let all = fields(&[
        ("type", "user_login"),
        ("user_id", &shop.user),
        ("user_password", password),
    ]);
    shop.send(
        Encoding::Urlencoded,
        &fields(&[("X-Forwarded-For", address)]),
        &all,
    )
}

fn key(reply: &Reply) -> String {
    between(&reply.body, "<user_api_key>", "<")
}

fn works(shop: &Shop<'_>, key: &str) -> bool {
    let reply = shop.post_as(&shop.user, key, "user_info", &[]);
    reply.body.contains("<permissions>")
}

/// How many keys of this kind there are.
fn keys(shop: &Shop<'_>, kind: &str) -> i64 {
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let rows = api_keys::table.filter(api_keys::account_id.eq(account));
    rows.filter(api_keys::kind.eq(kind))
        .count()
        .get_result(db)
        .unwrap()
}

/// Says of all keys that were given for a password that they were used so long ago.
fn age(shop: &Shop<'_>, days: i64) {
    let db = &mut shop.app.database.connect(Role::Migrator);
    let account = shop.number(db);
    let then = chrono::Utc::now().timestamp_micros() - days * 24 * 3600 * 1_000_000 - 1_000_000;
    let rows = api_keys::table
        .filter(api_keys::account_id.eq(account))
        .filter(api_keys::kind.eq("login"));
    diesel::update(rows)
        .set(api_keys::last_used_at.eq(Some(then)))
        .execute(db)
        .unwrap();
    let head = account_heads::table.find(account);
    diesel::update(head)
        .set(account_heads::config_version.eq(account_heads::config_version + 1))
        .execute(db)
        .unwrap();
}

fn wait_until(what: &str, is: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is() {
        assert!(
            began.elapsed() < std::time::Duration::from_secs(30),
            "{what}"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

on_both_engines! {
    fn a_password_of_the_world_file_gives_keys(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        assert!(login(&shop, "hush", "10.2.0.1").body.contains("is wrong"));
        let first = key(&login(&shop, "hush hush", "10.2.0.1"));
        assert_eq!(first.len(), 40);
        assert!(works(&shop, &first) && works(&shop, &shop.key));
        // Applied again, nothing changes; with another password the keys given for the older one end.
        shop.apply(WORLD);
        assert!(works(&shop, &first));
        shop.apply(&WORLD.replace("hush hush", "hush hash"));
        wait_until("the older key still works", || !works(&shop, &first));
        assert!(works(&shop, &shop.key));
        assert!(login(&shop, "hush hush", "10.2.0.1").body.contains("is wrong"));
        assert!(works(&shop, &key(&login(&shop, "hush hash", "10.2.0.1"))));
        let db = &mut shop.app.db();
        let stored: Option<String> = users::table
            .filter(users::user_id.eq(&shop.user))
            .select(users::password)
            .first(db)
            .unwrap();
        assert!(stored.unwrap().starts_with("$argon2id$"));
    }

    fn keys_end_unused_and_there_are_ten_at_most(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let mut given: Vec<String> = (0..11).map(|_| key(&login(&shop, "hush hush", "10.2.0.2"))).collect();
        assert_eq!(keys(&shop, "login"), 10);
        let last = given.pop().unwrap();
        assert!(works(&shop, &last) && !works(&shop, &given[0]));
        // Used more than a day ago, a key is noted as used today.
        age(&shop, 2);
        wait_until("its use is not noted", || {
            assert!(works(&shop, &last));
            let db = &mut shop.app.db();
            let account = shop.number(db);
            let used: Vec<Option<i64>> = api_keys::table
                .filter(api_keys::account_id.eq(account))
                .filter(api_keys::kind.eq("login"))
                .select(api_keys::last_used_at)
                .load(db)
                .unwrap();
            let today = chrono::Utc::now().timestamp_micros() - 3600 * 1_000_000;
            used.iter().flatten().filter(|used| **used > today).count() == 1
        });
        age(&shop, 30);
        wait_until("an old key still works", || !works(&shop, &last));
        assert!(works(&shop, &shop.key), "keys of the file do not end");
        assert!(works(&shop, &key(&login(&shop, "hush hush", "10.2.0.2"))));
        assert_eq!(keys(&shop, "login"), 1, "what is too old is gone");
    }

    fn ten_wrong_passwords_close_the_way_for_one_address(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let wrong = login(&shop, "hush", "10.2.0.3");
        for _ in 2..=10 {
            assert_eq!(login(&shop, "hush", "10.2.0.3").body, wrong.body);
        }
        let right = login(&shop, "hush hush", "10.2.0.3");
        assert_eq!((right.status, right.body), (200, wrong.body), "the same, right or wrong");
        assert!(works(&shop, &key(&login(&shop, "hush hush", "10.2.0.4"))));
    }
}

#[cfg(feature = "mysql")]
mod two_gateways {
    use super::*;
    use crate::support::client;
    use crate::support::process::Serve;

    #[test]
    fn a_key_that_one_has_given_is_known_to_the_other_at_once() {
        let app = App::start(Engine::Mysql, &[]);
        let shop = app.shop(WORLD);
        // By itself it would look for changes in a minute.
        let other = Serve::on(&app.database)
            .with("config_max_age_ms", "60000")
            .start();
        let ask = |key: &str| {
            let all = fields(&[
                ("user_id", &shop.user),
                ("user_api_key", key),
                ("account_id", &shop.account),
                ("type", "users_list"),
            ]);
            let request = client::request("/", Encoding::Urlencoded, &[], &all);
            client::exchange(other.address, &request).body
        };
        assert!(ask(&shop.key).contains("<users>"));
        let key = key(&login(&shop, "hush hush", "10.2.0.5"));
        assert!(ask(&key).contains("<users>"), "{}", ask(&key));
        assert!(ask("made up").contains("is wrong"));
        other.stop();
        drop(app.stop());
    }
}
