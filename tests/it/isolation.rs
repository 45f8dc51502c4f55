//! What is another account's is, to whoever asks, what nobody has.
//!
//! Two accounts share some names and differ in others. Each request type, under each of its names, is sent with an id of
//! the other account and with an id that nobody has: the replies must be the same, byte for byte, in every format. No
//! row of the other account changes, and nothing of it is in any reply.

use crate::rights::between;
use crate::support::app::{App, Shop, fields};
use crate::support::client::Encoding;
use crate::support::engine::{Engine, unique};
use crate::support::on_both_engines;
use diesel::prelude::*;
use diesel::sql_types::Text;
use punchcard::api15::calls;
use punchcard::store::Db;
use std::sync::atomic::{AtomicU16, Ordering};

/// Each name of each type at least once, with fields in which `{campaign}` and so on stand for ids. The one exception:
/// `user_new` with the id of another account's user tells `user_taken`, because ids of users are unique in the installation.
pub const SAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "batch_transactions",
        &[
            ("delimiter", "pipe"),
            ("visits_header_1", "campaign_id"),
            ("visits_header_2", "code"),
            ("visits_header_3", "redeemed"),
            ("visits_header_4", "amount"),
            ("Visits_Data", "{campaign}|{code}|N|1\n"),
            ("details", "lines"),
        ],
    ),
    (
        "record_activity",
        &[
            ("campaign_id", "{campaign}"),
            ("code", "{code}"),
            ("amount", "1"),
        ],
    ),
    (
        "redeem",
        &[
            ("campaign_id", "{campaign}"),
            ("card_number", "{card}"),
            ("reward_to_redeem", "{reward}"),
        ],
    ),
    (
        "redeem",
        &[
            ("campaign_id", "P"),
            ("code", "{code}"),
            ("custom_points_redeem", "1"),
        ],
    ),
    (
        "transaction_delete",
        &[
            ("campaign_id", "{campaign}"),
            ("code", "{code}"),
            ("transaction_id", "{entry}"),
        ],
    ),
    (
        "customer_balance",
        &[("campaign_id", "{campaign}"), ("code", "{code}")],
    ),
    (
        "balance",
        &[("campaign_id", "{campaign}"), ("card_number", "{card}")],
    ),
    (
        "campaigns_list",
        &[
            ("searchField", "name"),
            ("searchOper", "cn"),
            ("searchValue", "{campaign}"),
        ],
    ),
    ("campaigns_inactive_list", &[]),
    ("campaign_rewards", &[("campaign_id", "{campaign}")]),
    ("campaign_promos", &[("campaign_id", "{campaign}")]),
    ("buyx_items_list", &[("campaign_id", "{campaign}")]),
    (
        "record_customer",
        &[
            ("customer_action", "register"),
            ("campaign_id", "{campaign}"),
            ("card_number", "{card}"),
        ],
    ),
    (
        "customer_info",
        &[("code", "{code}"), ("campaign_id", "{campaign}")],
    ),
    (
        "customer_info",
        &[("card_number", "{card}"), ("include_balances", "N")],
    ),
    ("customer_delete", &[("code", "{code}")]),
    ("customer_delete", &[("code", "{card}")]),
    (
        "card_replace",
        &[("previous_card", "{card}"), ("new_code", "newcode0001")],
    ),
    (
        "card_replace",
        &[
            ("previous_code", "{code}"),
            ("new_card_number", "newcard0001"),
        ],
    ),
    (
        "customer_search",
        &[("code", "{code}"), ("customer_username", "{username}")],
    ),
    ("customer_search", &[("email", "{email}")]),
    (
        "customer_search",
        &[
            ("customer_username", "{username}"),
            ("exact_match", "sensitive"),
            ("include_balances", "Y"),
        ],
    ),
    ("customer_find", &[("find_customer", "{code}")]),
    (
        "customer_find",
        &[("find_customer", "{email} , {username}")],
    ),
    ("find_customer", &[("find_customer", "{card}")]),
    (
        "customers_batch",
        &[
            ("API", "1.5"),
            ("delimiter", "pipe"),
            ("overwrite_duplicates", "yes"),
            ("campaigns_to_include", "{campaign}"),
            ("profiles_header_1", "code"),
            ("profiles_header_2", "first_name"),
            ("profiles_data", "{code}|Ann\n"),
        ],
    ),
    (
        "batch_customers",
        &[
            ("API", "1.5"),
            ("delimiter", "pipe"),
            ("overwrite_duplicates", "ignore"),
            ("campaigns_to_include", "{campaign}"),
            ("profiles_header_1", "code"),
            ("profiles_header_2", "first_name"),
            ("profiles_data", "{card}|Ann\n"),
        ],
    ),
    ("generate_card_number", &[]),
    (
        "validate_customer_password",
        &[("code", "{code}"), ("customer_password", "hush hush")],
    ),
    (
        "validate_customer_password",
        &[
            ("customer_username", "{username}"),
            ("customer_password", "hush hush"),
        ],
    ),
    (
        "validate_customer_password",
        &[
            ("card_number", "{card}"),
            ("customer_username", "{username}"),
            ("customer_PIN", "1234"),
        ],
    ),
    ("account_info", &[]),
    ("user_login", &[("user_password", "hush")]),
    ("user_info", &[("user_name", "{user_name}")]),
    ("users_list", &[]),
    (
        "user_new",
        &[
            ("user_name", "some new user"),
            ("campaign_id", "{campaign}"),
        ],
    ),
    (
        "user_update",
        &[("user_name", "{user_name}"), ("campaign_id", "{campaign}")],
    ),
    ("user_delete", &[("user_name", "{user_name}")]),
    (
        "campaign_users",
        &[
            ("campaign_id", "{campaign}"),
            ("user_name", "{user_name}"),
            ("action", "add"),
        ],
    ),
    (
        "campaign_users",
        &[
            ("campaign_id", "P"),
            ("user_name", "{user_name}"),
            ("action", "remove"),
        ],
    ),
    ("campaign_users", &[("campaign_id", "{campaign}")]),
    ("manage_fields", &[("action", "list")]),
    ("manage_fields", &[("action", "delete"), ("{field}", "Y")]),
    (
        "manage_fields",
        &[("action", "update"), ("{field}_label", "Colour")],
    ),
    ("generate_time_token", &[]),
    ("validate_time_token", &[("token", "{token}")]),
];

/// What is only in the other account, wherever a name can be chosen.
const MARK: &str = "Zwetschge";

/// Both accounts have the campaign `P`, the code `12121` and the card `6001`; what has `{half}` in its name differs.
const WORLD: &str = r#"
[[account]]
id = "{account}"
name = "{mark} Widgets"
currency = "USD"
timezone = "UTC"

[[account.user]]
id = "{user}"
api_key = "{key}"

[[account.campaign]]
id = "P"
type = "points"
name = "{mark} Points"
rewards = [ { id = "7001", level = "1", description = "{mark}" } ]

[[account.campaign]]
id = "campaign-{half}"
type = "points"
name = "{mark} more"
rewards = [ { id = "reward-{half}", level = "1", description = "{mark}" } ]

[[account.customer]]
code = "12121"
card_number = "6001"
first_name = "{mark}"
balances = [ { campaign = "P", amount = "100" }, { campaign = "campaign-{half}", amount = "100" } ]

[[account.customer]]
code = "code-{half}"
card_number = "card-{half}"
last_name = "{mark}"
email = "{mark}@example.com"
balances = [ { campaign = "P", amount = "100" }, { campaign = "campaign-{half}", amount = "100" } ]
"#;

/// What stands for a placeholder: the caller's own, the other account's, and nobody's.
struct Ids {
    name: &'static str,
    own: String,
    foreign: String,
    nobody: String,
}

fn ids(own: &Shop<'_>, other: &Shop<'_>) -> Vec<Ids> {
    let plain = |name, own: &str, foreign: &str, nobody: &str| Ids {
        name,
        own: own.to_owned(),
        foreign: foreign.to_owned(),
        nobody: nobody.to_owned(),
    };
    let token = |shop: &Shop<'_>| {
        let reply = shop.post(&[("type", "generate_time_token")]);
        between(&reply.body, "<token>", "<")
    };
    vec![
        plain("{campaign}", "P", "campaign-theirs", "campaign-nobody"),
        plain("{code}", "12121", "code-theirs", "code-nobody"),
        plain("{card}", "6001", "card-theirs", "card-nobody"),
        // More than the caller ever has.
        plain("{entry}", "1", "205", "999"),
        plain(
            "{email}",
            "ours@example.com",
            "theirs@example.com",
            "nobody@example.com",
        ),
        plain("{reward}", "7001", "reward-theirs", "reward-nobody"),
        plain("{user_name}", &own.user, &other.user, "user-nobody"),
        plain(
            "{field}",
            "custom_field_3",
            "custom_field_4",
            "custom_field_5",
        ),
        plain("{username}", "ours", "theirs", "nobody"),
        plain("{token}", &token(own), &token(other), &"Q".repeat(36)),
    ]
}

/// The formats, by the fields that ask for them.
const FORMATS: [&[(&str, &str)]; 3] = [
    &[],
    &[("output", "JSON")],
    &[("callback", "shop.done"), ("condensed", "yes")],
];

/// Every row of an account, in every table that has accounts.
fn rows(shop: &Shop<'_>, engine: Engine) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        line: String,
    }
    fn lines(db: &mut Db, sql: String) -> Vec<String> {
        let found: Vec<Line> = diesel::sql_query(sql).load(db).unwrap();
        found.into_iter().map(|one| one.line).collect()
    }
    let db = &mut shop.app.db();
    let account = shop.number(db);
    let sqlite = engine == Engine::Sqlite;
    let tables = match sqlite {
        true => "SELECT name AS line FROM sqlite_master WHERE type = 'table' ORDER BY name",
        false => {
            "SELECT CAST(table_name AS CHAR) AS line FROM information_schema.tables \
             WHERE table_schema = DATABASE() ORDER BY table_name"
        }
    };
    let mut all = Vec::new();
    for table in lines(db, tables.to_owned()) {
        let columns = match sqlite {
            true => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
            false => format!(
                "SELECT CAST(column_name AS CHAR) AS line FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = '{table}'"
            ),
        };
        let columns = lines(db, columns);
        if !columns.iter().any(|column| column == "account_id") || table == "accounts" {
            continue;
        }
        let each: Vec<String> = columns
            .iter()
            .map(|column| match sqlite {
                true => format!("quote(`{column}`)"),
                false => format!("COALESCE(HEX(`{column}`), 'NULL')"),
            })
            .collect();
        let whole = match sqlite {
            true => each.join(" || '|' || "),
            false => format!("CAST(CONCAT_WS('|', {}) AS CHAR)", each.join(", ")),
        };
        let sql = format!(
            "SELECT {whole} AS line FROM `{table}` WHERE account_id = {account} ORDER BY 1"
        );
        let found = lines(db, sql);
        all.extend(found.into_iter().map(|line| format!("{table}: {line}")));
    }
    assert!(all.len() > 10, "{all:?}");
    all
}

/// Sends a sample with one placeholder filled by `one`, and the others by the caller's own ids; gives the reply with that
/// id masked.
fn send(
    shop: &Shop<'_>,
    sample: &(&str, &[(&str, &str)]),
    all: &[Ids],
    (name, one): (&str, &str),
    asking: &[(&str, &str)],
) -> String {
    send_as(shop, &[], sample, all, (name, one), asking)
}

/// As [`send`], as somebody else, and so from an address of its own: wrong keys of one address are counted.
fn send_as(
    shop: &Shop<'_>,
    who: &[(&str, &str)],
    sample: &(&str, &[(&str, &str)]),
    all: &[Ids],
    (name, one): (&str, &str),
    asking: &[(&str, &str)],
) -> String {
    let put_in = |text: &str| {
        all.iter().fold(text.to_owned(), |text, ids| {
            let value = if ids.name == name {
                one
            } else {
                ids.own.as_str()
            };
            text.replace(ids.name, value)
        })
    };
    let mut sent = shop.common();
    sent.extend(fields(asking));
    sent.extend(fields(&[("type", sample.0)]));
    sent.extend(
        sample
            .1
            .iter()
            .map(|(name, value)| (put_in(name), put_in(value))),
    );
    sent.extend(fields(who));
    static ADDRESSES: AtomicU16 = AtomicU16::new(0);
    let [high, low] = ADDRESSES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let from = format!("10.7.{high}.{low}");
    let headers = fields(&[("X-Forwarded-For", &from)]);
    let reply = shop.send(Encoding::Urlencoded, &headers, &sent);
    format!("{} {}", reply.status, reply.body.replace(one, "{id}"))
}

/// The samples of all names. Those that take away what the others ask for come last.
fn samples() -> Vec<&'static (&'static str, &'static [(&'static str, &'static str)])> {
    let names =
        calls::all().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()));
    let mut found: Vec<&(_, _)> = Vec::new();
    for name in names {
        let of_name: Vec<_> = SAMPLES.iter().filter(|sample| sample.0 == name).collect();
        assert!(!of_name.is_empty(), "there is no sample of {name}");
        found.extend(of_name);
    }
    let last = [
        "campaign_users",
        "card_replace",
        "customer_delete",
        "user_update",
        // They create the customers that they name.
        "customers_batch",
        "batch_customers",
    ];
    found.sort_by_key(|sample| last.iter().position(|name| *name == sample.0));
    found
}

on_both_engines! {
    fn what_is_anothers_is_nobodys(engine: Engine) {
        let app = App::shared(engine);
        let world = |half: &str, mark: &str| WORLD.replace("{half}", half).replace("{mark}", mark);
        let own = app.shop(&world("ours", "Widget"));
        let other = app.shop(&world("theirs", MARK));
        for field in ["custom_field_2", "custom_field_4"] {
            let label = format!("{field}_label");
            other.post(&[("type", "manage_fields"), ("action", "add"), (&label, MARK)]);
        }
        for (shop, half, mark) in [(&own, "ours", "Widget"), (&other, "theirs", MARK)] {
            let (code, email) = (format!("code-{half}"), format!("{half}@example.com"));
            let profile = [
                ("type", "record_customer"), ("customer_action", "edit"), ("code", &code),
                ("email", &email), ("customer_username", half),
                ("customer_password", "hush hush"), ("customer_PIN", "1234"), ("custom_field", mark),
            ];
            assert!(shop.post(&profile).body.contains("updated"));
        }
        // Entries of numbers that the caller never has.
        let lines = format!("P|12121|N|1||{MARK}\n").repeat(210);
        assert!(other.lines(&lines).body.contains("all_imported"));
        let all = ids(&own, &other);
        let before = rows(&other, engine);
        let mut sent = 0;
        for sample in samples() {
            let name = sample.0;
            for asking in FORMATS {
                // As it is meant: nothing of the other account is told.
                let told = send(&own, sample, &all, ("", "\0"), asking);
                assert!(!told.contains("Missing required"), "{name}: {told}");
                for secret in [MARK, &other.user, &other.account] {
                    assert!(!told.contains(secret), "{name}: {told}");
                }
                for ids in &all {
                    let whole = format!("{:?}", sample.1);
                    if !whole.contains(ids.name) {
                        continue;
                    }
                    let foreign = send(&own, sample, &all, (ids.name, &ids.foreign), asking);
                    let nobody = send(&own, sample, &all, (ids.name, &ids.nobody), asking);
                    assert_eq!(foreign, nobody, "{name} {}", ids.name);
                    assert!(!foreign.contains(MARK), "{name}: {foreign}");
                    sent += 1;
                }
            }
        }
        assert!(sent >= 100, "only {sent} were compared");
        // The one exception: that somebody has this id.
        let taken = |user: &str| {
            let reply = own.post(&[("type", "user_new"), ("user_name", user)]).body;
            reply.replace(user, "{id}")
        };
        assert_eq!(taken(&other.user), taken(&own.user));
        assert!(taken(&other.user).contains("is taken"));
        assert_eq!(rows(&other, engine), before, "the other account has changed");
    }

    fn another_account_and_another_user_are_unknown_ones(engine: Engine) {
        let app = App::shared(engine);
        let own = app.shop(&WORLD.replace("{half}", "ours").replace("{mark}", "Widget"));
        let other = app.shop(&WORLD.replace("{half}", "theirs").replace("{mark}", MARK));
        let all = ids(&own, &other);
        let before = rows(&other, engine);
        for sample in samples().into_iter().filter(|sample| sample.0 != "user_login") {
            for (field, foreign, nobody) in [
                ("account_id", other.account.as_str(), "account-nobody"),
                ("user_id", other.user.as_str(), "user-nobody"),
            ] {
                let told = |value: &str| {
                    send_as(&own, &[(field, value)], sample, &all, ("", "\0"), FORMATS[1])
                };
                assert_eq!(told(foreign), told(nobody), "{} {field}", sample.0);
            }
        }
        assert_eq!(rows(&other, engine), before, "the other account has changed");
    }

    fn of_accounts_that_create_one_user_at_once_one_gets_it(engine: Engine) {
        let app = App::shared(engine);
        let world = WORLD.replace("{half}", "ours").replace("{mark}", "Widget");
        let shops: Vec<Shop<'_>> = (0..4).map(|_| app.shop(&world)).collect();
        for _ in 0..5 {
            let name = unique("wanted");
            let told: Vec<String> = std::thread::scope(|scope| {
                let each = shops.iter().map(|shop| {
                    let more = [("type", "user_new"), ("user_name", name.as_str())];
                    scope.spawn(move || shop.post(&more).body)
                });
                let each: Vec<_> = each.collect();
                each.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let count = |words: &str| told.iter().filter(|told| told.contains(words)).count();
            assert_eq!((count("status=\"new\""), count("is taken")), (1, 3), "{told:?}");
        }
    }

    fn a_key_of_a_request_is_the_accounts_own(engine: Engine) {
        let app = App::shared(engine);
        let own = app.shop(&WORLD.replace("{half}", "ours").replace("{mark}", "Widget"));
        let other = app.shop(&WORLD.replace("{half}", "theirs").replace("{mark}", MARK));
        let earn = [
            ("type", "record_activity"), ("campaign_id", "P"), ("code", "12121"), ("amount", "1"),
            ("idempotency_key", "isolation-1"),
        ];
        for shop in [&other, &own] {
            let first = shop.post(&earn);
            assert_eq!(first.header("idempotent-replayed"), None, "{}", first.body);
            assert!(first.body.contains("<points>101.00<"), "{}", first.body);
            let again = shop.post(&earn);
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
            assert_eq!(again.body, first.body);
        }
    }

    fn the_key_of_one_account_opens_no_other(engine: Engine) {
        let app = App::shared(engine);
        let own = app.shop(&WORLD.replace("{half}", "ours").replace("{mark}", "Widget"));
        let other = app.shop(&WORLD.replace("{half}", "theirs").replace("{mark}", MARK));
        for (user, key, account) in [
            (&own.user, &own.key, &other.account),
            (&other.user, &own.key, &other.account),
            (&other.user, &own.key, &own.account),
            (&own.user, &other.key, &own.account),
        ] {
            let more = [("account_id", account.as_str())];
            let reply = own.post_as(user, key, "account_info", &more);
            assert!(reply.body.contains("The user, the account or the key is wrong"), "{}", reply.body);
        }
    }
}
