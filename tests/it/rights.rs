//! What users may do: each request type is refused exactly where the table says so, whoever gave the rights.

use crate::support::app::{App, Shop};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use punchcard::api15::calls;
use punchcard::api15::params::Params;
use punchcard::loyalty::rights::{Need, Right, Rights};

/// Users with each of the rights alone, with none and with all, by the words of their rights.
fn each() -> Vec<Rights> {
    let alone = Right::ALL.iter().map(|(right, ..)| Rights::of(&[*right]));
    alone.chain([Rights::NONE, Rights::ALL]).collect()
}

fn world() -> String {
    let mut text = r#"
[[account]]
id = "{account}"
name = "Rights"
currency = "USD"
timezone = "UTC"

[[account.user]]
id = "{user}"
api_key = "{key}"

[[account.campaign]]
id = "P"
type = "points"
name = "Points"
"#
    .to_owned();
    for rights in each() {
        let quoted: Vec<String> = rights
            .words()
            .split(',')
            .map(|word| format!("{word:?}"))
            .collect();
        let list = quoted.join(", ").replace("\"\"", "");
        text.push_str(&format!(
            "[[account.user]]\nid = \"{{user}}-{}\"\napi_key = \"{{key}}\"\npermissions = [{list}]\n",
            rights.0
        ));
    }
    text
}

/// Sends each type as this user, and those whose fields may ask for more with each of those fields.
fn check(shop: &Shop<'_>, user: &str, key: &str, rights: Rights) {
    let asking = ["", "list", "add", "update", "delete", "remove"];
    let mut more = asking.map(|word| ("action", word)).to_vec();
    more.push(("auto_add", "1"));
    for row in calls::all().filter(|row| row.need != Need::Open) {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            for field in &more {
                if row.raise.is_none() && !field.1.is_empty() {
                    continue;
                }
                let params: Params = [*field].into_iter().collect();
                let refused = row.needs(&params).met(rights).err();
                let reply = shop.post_as(user, key, name, &[*field]);
                let told = reply.body.contains("This user may not");
                assert_eq!(
                    told,
                    refused.is_some(),
                    "{name} {field:?} {rights:?}: {}",
                    reply.body
                );
                if let Some(right) = refused {
                    let text = right.missing().text();
                    assert!(reply.body.contains(&text), "{name} {text}: {}", reply.body);
                }
            }
        }
    }
}

/// What the fields of a request ask for beyond its type.
#[test]
fn fields_ask_for_more() {
    for (name, field, need) in [
        ("record_customer", ("auto_add", ""), Need::MANAGE),
        ("record_customer", ("auto_add", "1"), Need::MANAGE_AND_POST),
        ("campaign_users", ("action", "list"), Need::READ),
        ("campaign_users", ("action", "Add"), Need::MANAGE),
        ("campaign_users", ("action", "remove"), Need::MANAGE),
        ("manage_fields", ("action", ""), Need::READ),
        ("manage_fields", ("action", "add"), Need::MANAGE),
        ("manage_fields", ("action", "Update"), Need::MANAGE),
        ("manage_fields", ("action", "delete"), Need::MANAGE),
        ("users_list", ("action", "delete"), Need::READ),
        ("customer_delete", ("action", "list"), Need::MANAGE),
        ("batch_transactions", ("action", ""), Need::POST_OR_REDEEM),
        ("transaction_delete", ("action", ""), Need::MANAGE),
        ("record_activity", ("action", ""), Need::POST),
        ("redeem", ("action", ""), Need::REDEEM),
        ("user_login", ("action", ""), Need::Open),
    ] {
        let params: Params = [field].into_iter().collect();
        assert_eq!(
            calls::find(name).unwrap().needs(&params),
            need,
            "{name} {field:?}"
        );
    }
}

on_both_engines! {
    fn the_table_says_what_each_type_needs(engine: Engine) {
        let shop = App::shared(engine).shop(&world());
        for rights in each() {
            let user = format!("{}-{}", shop.user, rights.0);
            check(&shop, &user, &shop.key, rights);
        }
    }

    fn rights_given_by_a_request_are_the_same(engine: Engine) {
        let shop = App::shared(engine).shop(&world());
        // A user without any cannot be made by a request: blank means those of the caller. So does a comma.
        for rights in each().into_iter().filter(|rights| *rights != Rights::NONE) {
            let user = format!("{}-new-{}", shop.user, rights.0);
            let reply = shop.post(&[
                ("type", "user_new"),
                ("user_name", &user),
                ("permissions", &rights.words()),
            ]);
            let key = between(&reply.body, "<user_api_key>", "<");
            check(&shop, &user, &key, rights);
        }
    }

    fn what_is_taken_away_is_gone_at_once(engine: Engine) {
        let shop = App::shared(engine).shop(&world());
        let user = format!("{}-15", shop.user);
        let list = || shop.post_as(&user, &shop.key, "users_list", &[]).body;
        assert!(list().contains("<users>"), "{}", list());
        let reply = shop.post(&[
            ("type", "user_update"),
            ("user_name", &user),
            ("permissions", "post"),
        ]);
        assert!(reply.body.contains("updated"), "{}", reply.body);
        assert!(list().contains("This user may not read"), "{}", list());
        let gone = shop.post(&[("type", "user_delete"), ("user_name", &user)]);
        assert!(gone.body.contains("deleted"), "{}", gone.body);
        assert!(list().contains("The user, the account or the key is wrong"), "{}", list());
    }
}

/// What stands between two texts.
pub fn between(text: &str, begin: &str, end: &str) -> String {
    let found = text
        .split_once(begin)
        .and_then(|(_, rest)| rest.split_once(end));
    found
        .unwrap_or_else(|| panic!("no {begin} in {text}"))
        .0
        .to_owned()
}
