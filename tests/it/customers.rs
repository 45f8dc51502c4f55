//! Customers created, registered and changed, many at once.

use crate::concurrency::together;
use crate::support::app::{App, COLUMNS, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::succeed;

fn verify(shop: &Shop<'_>) {
    succeed(&shop.app.database, &["verify", "--account", &shop.account]);
}

/// Defines a custom field of which no two customers may have the same value.
const UNIQUE_FIELD: [(&str, &str); 4] = [
    ("type", "manage_fields"),
    ("action", "add"),
    ("custom_field_5_label", "Member"),
    ("custom_field_5_unique", "Y"),
];

/// A new customer with a value that only one may have, beside a code of its own where it is not the code.
fn new<'f>(code: &'f str, field: &'f str, value: &'f str) -> Vec<(&'f str, &'f str)> {
    let mut sent = vec![
        ("type", "record_customer"),
        ("customer_action", "new"),
        ("campaign_id", "P"),
        ("auto_add", "5"),
    ];
    if field != "code" {
        sent.push(("code", code));
    }
    sent.push((field, value));
    sent
}

/// Fields whose values only one customer may have, and what all others are told.
const ONCE: [(&str, &str); 4] = [
    ("code", "is already held"),
    ("card_number", "is already held"),
    ("customer_username", "is taken"),
    ("custom_field_5", "Another customer has the value"),
];

on_both_engines! {
    fn of_many_at_once_one_gets_a_value(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        assert!(shop.post(&UNIQUE_FIELD).body.contains("success"));
        for (field, refused) in ONCE {
            let created = together(12, |client| {
                let code = format!("{field}-{client}");
                // A card is somebody else's code as well.
                let value = match field {
                    "customer_username" | "custom_field_5" if client % 2 == 0 => "SAME",
                    "code" | "card_number" => "one-name-space",
                    _ => "same",
                };
                let value = if field == "card_number" { "one-card" } else { value };
                let reply = shop.post(&new(&code, field, value)).body;
                let is_new = reply.contains("status=\"new\"");
                assert!(is_new || reply.contains(refused), "{field}: {reply}");
                shop.lines(&format!("P|12121|N|1||\nP|{code}|N|1||\n"));
                is_new
            });
            assert_eq!(created, 1, "{field}");
        }
        verify(&shop);
    }

    fn codes_and_cards_change_hands_while_others_ask_for_them(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let names = ["a", "b", "c", "d", "e"];
        together(8, |client| {
            for round in 0..12 {
                let name = |n: usize| names[(client * 7 + round * 3 + n) % names.len()];
                let (one, two, flag) = (name(0), name(1), if round % 2 == 0 { "Y" } else { "N" });
                let sent: Vec<(&str, &str)> = match (client + round) % 6 {
                    0 => vec![("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"), ("code", one), ("card_number", two)],
                    1 => vec![("type", "record_customer"), ("customer_action", "edit"), ("code", one), ("card_number", two), ("new_code", flag)],
                    2 => vec![("type", "card_replace"), ("previous_code", one), ("new_card_number", two), ("check_override", flag)],
                    3 => vec![("type", "card_replace"), ("previous_card", one), ("new_code", two), ("check_override", flag), ("keep_which", "duplicate")],
                    4 => vec![("type", "customer_delete"), ("code", one)],
                    _ => {
                        let lines = format!("P|{one}|N|1||auth\nP|{two}|N|1||auth\n");
                        let create = [("create_new_customers", flag), ("Visits_Data", &lines)];
                        shop.post(&[&COLUMNS[..], &create].concat());
                        continue;
                    }
                };
                let reply = shop.post(&sent);
                // A customer who came into being in the same moment is not known yet.
                let unknown = reply.status == 503 && reply.body.contains("just created");
                assert!(reply.status == 200 || unknown, "{}", reply.body);
            }
            true
        });
        verify(&shop);
    }

    fn a_card_is_used_in_the_moment_in_which_it_is_given(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        // Amy has points already, which whoever posts by the new card must find.
        for round in 0..12 {
            let card = format!("new-{round}");
            together(8, |client| {
                if client == 0 {
                    let sent = [("type", "card_replace"), ("previous_code", "12121"), ("new_card_number", &card)];
                    return shop.post(&sent).body.contains("replaced");
                }
                let reply = shop.lines(&format!("P|{card}|N|1||\n"));
                reply.body.contains("all_imported")
            });
        }
        verify(&shop);
    }

    fn a_card_number_alone_names_a_customer_and_gives_no_card(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let record = |action: &str, more: &[(&str, &str)]| {
            let fields = [("type", "record_customer"), ("customer_action", action), ("campaign_id", "P")];
            shop.post(&[&fields[..], more].concat()).body
        };
        assert!(record("new", &[("code", "c1"), ("card_number", "k1")]).contains("status=\"new\""));
        // By its code, in the other field.
        let edited = record("edit", &[("card_number", "c1"), ("first_name", "Ann")]);
        assert!(edited.contains("<card_number>k1<") && edited.contains("<first_name>Ann<"), "{edited}");
        let batch = shop.post(&[
            ("type", "customers_batch"),
            ("delimiter", "pipe"),
            ("campaigns_to_include", "P"),
            ("overwrite_duplicates", "update"),
            ("profiles_header_1", "card_number"),
            ("profiles_header_2", "last_name"),
            ("profiles_data", "c1|Lee"),
        ]);
        assert!(batch.body.contains("all_imported"), "{}", batch.body);
        let told = shop.post(&[("type", "customer_info"), ("card_number", "k1")]).body;
        assert!(told.contains("<code>c1<") && told.contains("<card_number>k1<") && told.contains("<last_name>Lee<"), "{told}");
        verify(&shop);
    }

    fn a_lost_card_that_is_the_code_as_well_leads_nowhere_when_a_new_code_is_given(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let new = [("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"), ("card_number", "M1")];
        assert!(shop.post(&new).body.contains("<code>M1<"));
        let replaced = shop.post(&[("type", "card_replace"), ("previous_card", "M1"), ("new_code", "M2")]).body;
        assert!(replaced.contains("<code>M2<") && replaced.contains("<card_number>M2<"), "{replaced}");
        let lost = shop.post(&[("type", "customer_info"), ("card_number", "M1")]).body;
        assert!(lost.contains("status=\"error\"") && lost.contains("replaced"), "{lost}");
        verify(&shop);
    }

    fn a_customer_without_code_and_card_is_found_by_a_date_in_any_form(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let person = [("email", "d@example.com"), ("custom_date", "2000-01-02")];
        let new = [("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"), ("code", "dd")];
        assert!(shop.post(&[&new[..], &person].concat()).body.contains("status=\"new\""));
        let replace = |date: &str, card: &str| {
            shop.post(&[("type", "card_replace"), ("email", "d@example.com"), ("custom_date", date), ("new_card_number", card)]).body
        };
        assert!(replace("20000102", "dd1").contains("<card_number>dd1<"));
        assert!(replace("2000.01.02 00:00:00", "dd2").contains("<card_number>dd2<"));
        let nobody = replace("2001-01-02", "dd3");
        assert!(nobody.contains("none fits"), "{nobody}");
        let unreadable = replace("soon", "dd3");
        assert!(unreadable.contains("The date") && unreadable.contains("soon"), "{unreadable}");
    }

    fn a_password_is_right_only_with_a_card_of_the_customers_own(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let new = [
            ("type", "record_customer"), ("customer_action", "new"), ("campaign_id", "P"),
            ("code", "c1"), ("card_number", "k1"), ("customer_PIN", "1234"),
        ];
        assert!(shop.post(&new).body.contains("status=\"new\""));
        let is_right = |card: &str| {
            let sent = [("type", "validate_customer_password"), ("code", "c1"), ("card_number", card), ("customer_PIN", "1234")];
            shop.post(&sent).body.contains("success")
        };
        assert!(is_right("k1") && is_right("c1") && !is_right("nobody's"));
        assert!(shop.post(&[("type", "card_replace"), ("previous_code", "c1"), ("new_card_number", "k2")]).body.contains("k2"));
        assert!(is_right("k2") && !is_right("k1"));
    }

    fn what_is_changed_back_is_no_repetition(engine: Engine) {
        let app = App::shared(engine);
        let world = WORLD.replacen("country = \"US\"", "country = \"US\"\nduplicate_window_s = 600", 1);
        let shop = app.shop(&world);
        let edit = |city: &str| {
            shop.post(&[
                ("type", "record_customer"),
                ("customer_action", "edit"),
                ("code", "12121"),
                ("city", city),
            ])
        };
        for city in ["Rome", "Oslo", "Rome", "Oslo"] {
            let reply = edit(city);
            assert_eq!(reply.header("idempotent-replayed"), None, "{city}");
            assert!(reply.body.contains(&format!("<city>{city}</city>")), "{}", reply.body);
        }
        let card = |card: &str| {
            let sent = [("type", "card_replace"), ("previous_code", "12121"), ("new_card_number", card)];
            shop.post(&sent).body
        };
        for (number, told) in [("C1", "replaced"), ("C2", "replaced"), ("C1", "was replaced")] {
            assert!(card(number).contains(told), "{number}");
        }
    }

    fn every_field_holds_as_much_as_it_may(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let text = "\u{1f600}".repeat(255);
        let names: Vec<String> = (1..=99).map(|n| format!("custom_field_{n}")).collect();
        let mut sent = vec![
            ("type", "record_customer"),
            ("customer_action", "new"),
            ("campaign_id", "P"),
            ("code", "full"),
        ];
        let plain = ["first_name", "last_name", "phone", "street1", "street2", "city", "state", "postal_code", "country"];
        sent.extend(plain.into_iter().chain(names.iter().map(String::as_str)).map(|name| (name, text.as_str())));
        let reply = shop.post(&sent).body;
        assert!(reply.contains("status=\"new\""), "{}", &reply[..200]);
        let info = shop.post(&[("type", "customer_info"), ("code", "full"), ("include_balances", "N")]).body;
        assert_eq!(info.matches(&format!(">{text}<")).count(), 9 + 99);
        verify(&shop);
        assert!(shop.post(&[("type", "customer_delete"), ("code", "full")]).body.contains("deleted"));
        verify(&shop);
    }

    fn a_secret_is_kept_as_a_hash_only(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        let reply = shop.post(&[
            ("type", "record_customer"),
            ("customer_action", "edit"),
            ("code", "12121"),
            ("customer_password", "open sesame"),
            ("customer_PIN", "4711"),
            ("idempotency_key", "k"),
        ]);
        assert!(reply.body.contains("status=\"updated\""), "{}", reply.body);
        assert!(!reply.body.contains("sesame"));
        let db = &mut app.db();
        let account = shop.number(db);
        let customers = punchcard::posting::people::customers(db, account, &[1]).unwrap();
        let profile = customers[0].profile.clone().unwrap();
        for secret in [profile.password, profile.pin] {
            assert!(secret.unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        }
    }

    fn what_a_customer_has_is_summed_over_many_entries(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(WORLD);
        // More than one look of 500, not a multiple of it.
        let line = |n: usize| match n % 10 {
            9 => format!("P|12122|Y|1|2015-06-{:02}|", n % 28 + 1),
            _ => format!("P|12122|N|{}.5|2015-05-{:02}|", n, n % 28 + 1),
        };
        let lines: Vec<String> = (1..=1337).map(line).collect();
        let reply = shop.lines(&lines.join("\n")).body;
        assert!(reply.contains("all_imported"), "{reply}");
        // The newest and the oldest one go.
        let newest = shop.post(&[("type", "record_activity"), ("campaign_id", "P"), ("code", "12122"), ("amount", "1")]);
        assert!(newest.body.contains("<receipt>"), "{}", newest.body);
        let entry = |n: i64| (n + 2).to_string();
        for n in [1, 2, 1338] {
            let sent = [("type", "transaction_delete"), ("campaign_id", "P"), ("code", "12122"), ("transaction_id", &entry(n))];
            let reply = shop.post(&sent).body;
            assert!(reply.contains("deleted"), "{n}: {reply}");
        }
        // In tenths: what was added and is still there.
        let added: usize = (3..=1337).filter(|n| n % 10 != 9).map(|n| n * 10 + 5).sum();
        let cumulative = format!("<cumulative>{}.{}0</cumulative>", added / 10, added % 10);
        let info = shop.post(&[("type", "customer_info"), ("code", "12122"), ("campaign_id", "P")]).body;
        for part in [
            cumulative.as_str(),
            "<first_transaction>2015-05-01</first_transaction>",
            "<last_transaction>2015-06-28</last_transaction>",
        ] {
            assert!(info.contains(part), "{part}: {info}");
        }
        verify(&shop);
    }
}

#[cfg(feature = "mysql")]
mod two_gateways {
    use super::*;
    use crate::support::app::fields;
    use crate::support::client::{self, Encoding};
    use crate::support::engine::Database;
    use crate::support::process::{self, Serve};
    use std::net::SocketAddr;

    /// Posts fields to any gateway.
    fn post(address: SocketAddr, sent: &[(&str, &str)]) -> String {
        let common = [
            ("API", "1.5"),
            ("user_id", "till"),
            ("user_api_key", "key-of-the-till"),
            ("account_id", "shop"),
        ];
        let all = fields(&[&common[..], sent].concat());
        let request = client::request("/api.php", Encoding::Urlencoded, &[], &all);
        client::exchange(address, &request).body
    }

    #[test]
    fn of_many_on_two_gateways_one_gets_a_value() {
        let database = Database::new(Engine::Mysql);
        let world = WORLD
            .replace("{account}", "shop")
            .replace("{user}", "till")
            .replace("{key}", "key-of-the-till");
        process::apply(&database, &world);
        let gateways = [Serve::on(&database).start(), Serve::on(&database).start()];
        assert!(post(gateways[0].address, &UNIQUE_FIELD).contains("success"));
        for (field, refused) in ONCE {
            let created = together(12, |client| {
                let code = format!("{field}-{client}");
                let value = format!("only-one-{field}");
                let address = gateways[client % 2].address;
                let reply = post(address, &new(&code, field, &value));
                let is_new = reply.contains("status=\"new\"");
                assert!(is_new || reply.contains(refused), "{field}: {reply}");
                // What the other gateway remembers of codes must not outlive them.
                let lines = format!("P|{code}|N|1||\nP|{value}|N|1||\n");
                let lines = [("type", "batch_transactions"), ("Visits_Data", &lines)];
                post(address, &[&COLUMNS[..], &lines].concat());
                let erased = post(
                    gateways[(client + 1) % 2].address,
                    &[("type", "customer_delete"), ("code", &code)],
                );
                assert_eq!(
                    erased.contains("deleted"),
                    is_new && field != "code",
                    "{erased}"
                );
                is_new
            });
            // Whoever was forgotten in between has left the value to the next one.
            match field {
                "code" => assert_eq!(created, 1),
                _ => assert!(created >= 1),
            }
        }
        for gateway in gateways {
            gateway.stop();
        }
        process::verify(&database);
    }
}
