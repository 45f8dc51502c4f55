//! Tests of the reader: a world with everything in it, and each error once.
use super::*;
use crate::amount::Amount;
use crate::loyalty::account::{Kind, Operand};
use crate::loyalty::rights::Rights;
use chrono::TimeZone;

const WHOLE: &str = r#"
[[account]]
id = "shop"
name = "Shop, LLC"
currency = "USD"
timezone = "America/New_York"
country = "US"
secret = "0123456789abcdef"
email_credits = 10

[[account.user]]
id = "ann"
api_key = "annkey"
campaigns = ["p"]

[[account.user]]
id = "bob"

[[account.brand]]
id = "web"
currency = "JPY"
timezone = "UTC"
token = "webtoken"

[[account.campaign]]
id = "p"
type = "points"
name = "Points"
points_ratio = "1.5"
reward_ratio = "10"
decimals = 1
active = false
allow_negative = true
rewards = [ { id = "1", reward_id = "MUG", level = "10.50", description = "Mug" } ]
promotions = [ { id = "7", operand = "+", value = "0.1234" }, { id = "8", operand = "x", value = "2" } ]

[[account.campaign]]
id = "g"
type = "giftcard"
name = "Gift"

[[account.campaign]]
id = "b"
type = "buyx"
name = "Ten"
items = [
  { id = "21", service_product = "Cafés", buy_amount = 10, description = "Free café" },
  { id = "22", service_product = "21", buy_amount = 1 },
]

[[account.campaign]]
id = "v"
type = "events"
name = "Visits"

[[account.campaign]]
id = "e"
type = "earned"
name = "Earned"
earned_per_event = "0.1250"

[[account.customer]]
id = 7
code = " A1 "
card_number = "A1"
email = "a@b.example"
first_name = ""
created = "2015-12-03 04:05:06"
balances = [
  { campaign = "p", amount = "1.50" },
  { campaign = "g", amount = "0" },
  { campaign = "b", service_product = "cafÉS", amount = "3" },
  { campaign = "b", service_product = "22", amount = "4" },
]

[[account.customer]]
card_number = "C2"
"#;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2020, 1, 2, 3, 4, 5).unwrap()
}

fn faults(text: &str) -> Faults {
    read(text, now()).map(|_| ()).unwrap_err()
}

#[test]
fn a_whole_world_is_read() {
    let world = read(WHOLE, now()).unwrap();
    let [account] = world.accounts.as_slice() else {
        panic!("one account")
    };
    assert_eq!(
        (account.line, account.id.as_str(), account.currency.as_str()),
        (2, "shop", "USD")
    );
    assert_eq!(account.zone.name(), "America/New_York");
    assert_eq!(
        account.secret.as_ref().unwrap().expose(),
        "0123456789abcdef"
    );
    assert_eq!(account.email_credits, Some(10));
    let [ann, bob] = account.users.as_slice() else {
        panic!("two users")
    };
    assert_eq!(ann.campaigns.as_deref(), Some(["p".to_owned()].as_slice()));
    assert!(bob.api_key.is_none() && bob.campaigns.is_none());
    assert_eq!(account.brands[0].currency.as_deref(), Some("JPY"));

    let digits: Vec<_> = account
        .campaigns
        .iter()
        .map(|c| (c.kind, c.digits))
        .collect();
    assert_eq!(
        digits,
        [
            (Kind::Points, 1),
            (Kind::GiftCard, 2),
            (Kind::BuyX, 0),
            (Kind::Events, 0),
            (Kind::Earned, 2)
        ]
    );
    let points = &account.campaigns[0];
    assert!(!points.active && points.allow_negative && account.campaigns[1].active);
    assert_eq!(points.points_ratio.raw(), 15_000);
    assert_eq!(points.reward_ratio.map(Amount::raw), Some(100_000));
    assert_eq!(points.rewards[0].level.raw(), 105_000);
    assert_eq!(points.rewards[0].reward_id.as_deref(), Some("MUG"));
    assert_eq!(points.promotions[0].operand, Operand::Plus);
    assert_eq!(points.promotions[0].value.raw(), 1234);
    assert_eq!(account.campaigns[1].points_ratio.raw(), 10_000);
    assert_eq!(account.campaigns[4].earned_per_event.raw(), 1250);

    let [first, second] = account.customers.as_slice() else {
        panic!("two customers")
    };
    assert_eq!((first.id, first.code.as_deref()), (Some(7), Some("A1")));
    assert_eq!(first.first_name, None, "an empty text is left out");
    assert_eq!(first.created_us, Some(1_449_115_506_000_000));
    let openings: Vec<_> = first
        .openings
        .iter()
        .map(|o| (o.campaign, o.item, o.amount.raw(), o.given.as_str()))
        .collect();
    assert_eq!(
        openings,
        [
            (0, None, 15_000, "1.50"),
            (1, None, 0, "0"),
            (2, Some(0), 30_000, "3"),
            (2, Some(1), 40_000, "4"),
        ]
    );
    assert_eq!(
        (second.code.as_deref(), second.name().as_str()),
        (None, "\"C2\"")
    );
}

#[test]
fn items_are_found_by_id_then_product_then_description() {
    let world = read(WHOLE, now()).unwrap();
    let campaign = &world.accounts[0].campaigns[2];
    assert_eq!(
        campaign.item("21"),
        Some(0),
        "the id beats the product of another"
    );
    assert_eq!(campaign.item("CAFÉS "), Some(0));
    assert_eq!(campaign.item("free CAFÉ"), Some(0));
    assert_eq!(campaign.item("tea"), None);
}

#[test]
fn an_empty_file_is_an_empty_world() {
    assert!(read("# nothing\n", now()).unwrap().accounts.is_empty());
}

/// Replaces `from` in the whole world by `to`; the one fault that follows must read like `expected`, on the line where
/// `at` stands in the changed file.
#[track_caller]
fn one_fault(from: &str, to: &str, at: &str, expected: &str) {
    assert!(WHOLE.contains(from), "{from}");
    let text = WHOLE.replacen(from, to, 1);
    let faults = faults(&text);
    assert_eq!(faults.list.len(), 1, "{faults}");
    let line = text.lines().position(|line| line.contains(at)).unwrap() + 1;
    assert_eq!(faults.to_string(), format!("line {line}, {expected}"));
}

#[test]
fn what_is_no_toml_is_told_without_its_text() {
    let faults = faults("[[account]]\nid = \"a\"\nsecret = \"hush\n");
    assert!(
        faults
            .to_string()
            .starts_with("line 3, the file: this is not TOML: "),
        "{faults}"
    );
    assert!(!faults.to_string().contains("hush"), "{faults}");
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    one_fault(
        "api_key = \"annkey\"",
        "apikey = \"annkey\"",
        "apikey",
        "apikey: [[account.user]] has no such key. Did you mean api_key? The keys are: id, api_key, campaigns, permissions, password.",
    );
    one_fault(
        "id = \"bob\"",
        "id = \"bob\"\nnickname = \"b\"",
        "nickname",
        "nickname: [[account.user]] has no such key. The keys are: id, api_key, campaigns, permissions, password.",
    );
    one_fault(
        "operand = \"+\"",
        "operand = \"+\", until = \"x\"",
        "until",
        "until: a promotion has no such key. The keys are: id, operand, value, description.",
    );
    let root = faults("[[acount]]\nid = \"a\"\n").to_string();
    assert_eq!(
        root,
        "line 1, acount: the file has no such key. Did you mean account? The keys are: account."
    );
}

#[test]
fn users_have_permissions_and_a_password() {
    let text = WHOLE.replace(
        "id = \"bob\"",
        "id = \"bob\"\npermissions = [\"post\", \"read\"]\npassword = \"hush hush\"",
    );
    let world = read(&text, now()).unwrap();
    let [ann, bob] = world.accounts[0].users.as_slice() else {
        panic!("two users")
    };
    assert_eq!(
        (ann.rights, bob.rights.words().as_str()),
        (Rights::ALL, "read,post")
    );
    assert_eq!(bob.password.as_ref().unwrap().expose(), "hush hush");
    let none = WHOLE.replace("id = \"bob\"", "id = \"bob\"\npermissions = []");
    let world = read(&none, now()).unwrap();
    assert_eq!(world.accounts[0].users[1].rights, Rights::NONE);
    one_fault(
        "id = \"bob\"",
        "id = \"bob\"\npermissions = [\"write\"]",
        "permissions = ",
        "permissions = \"write\": there is no such permission. Write some of: read, post, redeem, manage.",
    );
    one_fault(
        "id = \"bob\"",
        "id = \"bob\"\npassword = \"hush\"",
        "password = ",
        "password: it is shorter than 8 characters. Choose a longer one.",
    );
}

#[test]
fn sales_of_a_brand_earn_in_a_points_campaign_of_its_account() {
    for (id, fault) in [
        (
            "g",
            "it is not a points campaign. Sales earn points: name a campaign of the type points.",
        ),
        (
            "x",
            "no campaign of this account has that id in this file. Name an id of one of its [[account.campaign]] tables.",
        ),
    ] {
        one_fault(
            "id = \"web\"",
            &format!("id = \"web\"\ncampaign = \"{id}\""),
            "campaign = ",
            &format!("campaign = \"{id}\": {fault}"),
        );
    }
}

#[test]
fn texts_have_a_type_a_length_and_no_control_characters() {
    one_fault(
        "name = \"Gift\"",
        "name = 12",
        "name = 12",
        "name = \"12\": it is a whole number, not a text. Write it in quotes.",
    );
    let long = "x".repeat(65);
    one_fault(
        "code = \" A1 \"",
        &format!("code = \"{long}\""),
        "xxxx",
        &format!(
            "code = \"{}…\": it is longer than 64 characters. Shorten it.",
            "x".repeat(64)
        ),
    );
    one_fault(
        "email = \"a@b.example\"",
        "email = \"a\\tb\"",
        "email = ",
        "email = \"a\\tb\": it has a control character. Take it out.",
    );
    let text = WHOLE.replacen("name = \"Gift\"\n", "", 1);
    assert_eq!(
        faults(&text).to_string(),
        "line 37, name: [[account.campaign]] needs this key, and it is missing or empty. Add name = \"...\"."
    );
}

#[test]
fn accounts_are_checked() {
    one_fault(
        "currency = \"USD\"",
        "currency = \"usd\"",
        "\"usd\"",
        "currency = \"usd\": ISO 4217 has no such currency. Write its three capital letters, such as \"USD\".",
    );
    one_fault(
        "America/New_York",
        "America/Gotham",
        "Gotham",
        "timezone = \"America/Gotham\": there is no such time zone. \
         Write a name of the IANA database, such as \"America/New_York\" or \"UTC\".",
    );
    one_fault(
        "country = \"US\"",
        "country = \"us\"",
        "country",
        "country = \"us\": it is not a country of ISO 3166. Write its two capital letters, such as \"US\".",
    );
    one_fault(
        "email_credits = 10",
        "email_credits = -1",
        "email_credits",
        "email_credits = \"-1\": it is out of range. Write a whole number from 0 to 1000000000000.",
    );
    one_fault(
        "email_credits = 10",
        "email_credits = \"10\"",
        "email_credits",
        "email_credits = \"10\": it is a text, not a whole number. \
         Write a whole number from 0 to 1000000000000, without quotes.",
    );
    one_fault(
        "campaigns = [\"p\"]",
        "campaigns = [\"p\", \"q\"]",
        "\"q\"",
        "campaigns = \"q\": no campaign of this account has that id in this file. \
         Name an id of one of its [[account.campaign]] tables.",
    );
    one_fault(
        "token = \"webtoken\"",
        "token = \"hush\"\n\n[[account.brand]]\nid = \"app\"\ntoken = \"hush\" # again",
        "# again",
        "token: another brand has the same token. Give each its own.",
    );
    assert_eq!(
        faults("account = 5").to_string(),
        "line 1, account = \"5\": it is a whole number, not a list. Write [[account]] with its keys below it."
    );
}

#[test]
fn campaigns_are_checked() {
    one_fault(
        "type = \"events\"",
        "type = \"visits\"",
        "\"visits\"",
        "type = \"visits\": there is no such type of campaign. \
         Write one of: points, giftcard, buyx, events, earned.",
    );
    for (from, key) in [
        ("type = \"giftcard\"", "points_ratio = \"2\""),
        ("type = \"giftcard\"", "decimals = 2"),
        ("type = \"giftcard\"", "rewards = []"),
        ("type = \"giftcard\"", "items = []"),
        ("type = \"giftcard\"", "promotions = []"),
        ("type = \"giftcard\"", "earned_per_event = \"1\""),
    ] {
        let name = key.split(' ').next().unwrap();
        let text = WHOLE.replacen(from, &format!("{from}\n{key}"), 1);
        assert_eq!(
            faults(&text).to_string(),
            format!(
                "line 40, {name}: a campaign of the type giftcard has no such key. Leave it out."
            )
        );
    }
    one_fault(
        "decimals = 1",
        "decimals = 5",
        "decimals",
        "decimals = \"5\": it is out of range. Write a whole number from 0 to 4.",
    );
    one_fault(
        "points_ratio = \"1.5\"",
        "points_ratio = 1.5",
        "points_ratio",
        "points_ratio = \"1.5\": it is a number with a point, not a text. Write it in quotes.",
    );
    one_fault(
        "points_ratio = \"1.5\"",
        "points_ratio = \"0.0\"",
        "points_ratio",
        "points_ratio = \"0.0\": it is zero. Write a number above zero.",
    );
    one_fault(
        "level = \"10.50\"",
        "level = \"10.55\"",
        "level",
        "level = \"10.55\": it has more than 1 decimals. Write it with fewer; amounts are never rounded.",
    );
    one_fault(
        "level = \"10.50\"",
        "level = \"0\"",
        "level",
        "level = \"0\": it is zero. Write what the reward costs.",
    );
    one_fault(
        "operand = \"+\"",
        "operand = \"*\"",
        "operand = \"*\"",
        "operand = \"*\": there is no such operand. Write \"x\" to multiply or \"+\" to add.",
    );
    one_fault(
        "id = \"8\"",
        "id = \"7\"",
        "promotions",
        "id = \"7\": line 35 has it already, and it must be unique in its account. Give each its own.",
    );
    one_fault(
        "id = \"8\"",
        "id = \"8,9\"",
        "\"8,9\"",
        "id = \"8,9\": it has a comma, which separates promotions on a line. Write it without.",
    );
    one_fault(
        "buy_amount = 10",
        "buy_amount = 0",
        "buy_amount = 0",
        "buy_amount = \"0\": it is out of range. Write a whole number from 1 to 1000000000.",
    );
    let text = WHOLE.replacen("earned_per_event = \"0.1250\"\n", "", 1);
    assert_eq!(
        faults(&text).to_string(),
        "line 56, earned_per_event: [[account.campaign]] needs this key, and it is missing or empty. \
         Add earned_per_event = \"...\"."
    );
}

#[test]
fn customers_are_checked() {
    one_fault(
        "card_number = \"C2\"",
        "card_number = \"A1\" # again",
        "# again",
        "card_number = \"A1\": the customer of line 62 has it already, as code or card number. \
         Codes and card numbers share one name space: give each customer its own.",
    );
    one_fault(
        "card_number = \"C2\"",
        "id = 7 # again\ncode = \"B\"",
        "# again",
        "id = \"7\": the customer of line 62 has it already. Give each its own.",
    );
    assert_eq!(
        faults(&WHOLE.replace("card_number = \"C2\"", "last_name = \"N\"")).to_string(),
        "line 76, [[account.customer]]: without code, card_number and id it could not be recognised the second time. \
         Add code, card_number or id."
    );
    one_fault(
        "2015-12-03 04:05:06",
        "2015-12-3 04:05:06",
        "2015-12-3",
        "created = \"2015-12-3 04:05:06\": it is not a time. Write \"YYYY-MM-DD HH:MM:SS\", in UTC.",
    );
    one_fault(
        "2015-12-03 04:05:06",
        "2020-01-03 03:04:06",
        "2020-01-03",
        "created = \"2020-01-03 03:04:06\": it is out of range. \
         Write a time after 1900-01-01 that is not in the future.",
    );
}

#[test]
fn opening_balances_are_checked() {
    let at = "campaign = \"p\", amount";
    for (amount, wrong) in [
        (
            "1.55",
            "it has more than 1 decimals. Write it with fewer; amounts are never rounded.",
        ),
        (
            "-1",
            "only digits are allowed, with a decimal mark that has digits after it. Write digits with at most one point, such as \"100\" or \"1.5\".",
        ),
    ] {
        one_fault(
            "amount = \"1.50\"",
            &format!("amount = \"{amount}\""),
            at,
            &format!("amount = \"{amount}\": {wrong}"),
        );
    }
    one_fault(
        "campaign = \"g\", amount",
        "campaign = \"h\", amount",
        "\"h\"",
        "campaign = \"h\": no campaign of this account has that id in this file. \
         Name an id of one of its [[account.campaign]] tables.",
    );
    one_fault(
        "campaign = \"g\", amount",
        "campaign = \"g\", service_product = \"tea\", amount",
        "\"tea\"",
        "service_product = \"tea\": only buyx campaigns have items. Leave it out.",
    );
    one_fault(
        "service_product = \"22\", amount",
        "service_product = \"tea\", amount",
        "\"tea\"",
        "service_product = \"tea\": the campaign has no such item. \
         Name an item by its id, service_product or description.",
    );
    one_fault(
        "service_product = \"22\", amount",
        "amount",
        "campaign = \"b\", amount",
        "service_product: a balance of a buyx campaign is one of its items. Add service_product = \"...\".",
    );
    one_fault(
        "service_product = \"22\", amount",
        "service_product = \"free café\", amount",
        "\"free café\"",
        "campaign = \"b\": this customer has a balance of it already. \
         Write one balance for each campaign, or for each item.",
    );
}

#[test]
fn many_faults_are_told_up_to_twenty() {
    let text = "[[account]]\nx = 1\n".repeat(10);
    let faults = faults(&text);
    assert_eq!((faults.list.len(), faults.more), (20, 30));
    assert!(faults.to_string().ends_with("\nand 30 more"));
}

#[test]
fn customers_that_are_split_off_keep_their_lines_and_accounts() {
    let account = |id: &str| {
        format!(
            "[[account]]\nid = \"{id}\"\nname = \"N\"\ncurrency = \"USD\"\ntimezone = \"UTC\"\n"
        )
    };
    let customer = |code: &str| format!("[[account.customer]]\ncode = \"{code}\"\n");
    let user = "  [[account.user]]\nid = \"u\"\n";
    let mut text = account("a");
    for number in 0..2500 {
        text.push_str(&customer(&format!("a{number}")));
    }
    text.push_str(user);
    text.push_str(&customer("after the user"));
    text.push_str(&account("b"));
    text.push_str("[[account.customer]]\ncode = \"a1\"\n[[account.customer.balances]]\n");
    let wrong = faults(&text).to_string();
    assert!(wrong.starts_with("line 5017, campaign: "), "{wrong}");

    let text = text.replace("[[account.customer.balances]]\n", "");
    // A text over several lines: not split.
    for text in [&text, &format!("{text}email = \"\"\"x\"\"\"\n")] {
        let world = read(text, now()).unwrap();
        let [a, b] = world.accounts.as_slice() else {
            panic!("two accounts")
        };
        assert_eq!((a.customers.len(), b.customers.len()), (2501, 1));
        assert_eq!(a.users[0].line, 5006);
        assert_eq!(a.customers[2499].line, 5004);
        assert_eq!(a.customers[2500].code.as_deref(), Some("after the user"));
        assert_eq!((b.line, b.customers[0].line), (5010, 5015));
    }

    let twice = format!("{text}[[account.customer]]\ncode = \"a1\"\n");
    assert!(
        faults(&twice)
            .to_string()
            .starts_with("line 5018, code = \"a1\": the customer of line 5015")
    );
    let odd = text.replace("[[account]]", "[[ account ]]");
    assert_eq!(
        read(&odd, now()).unwrap().accounts.len(),
        2,
        "read as a whole"
    );
    let orphan = faults(&customer("x")).to_string();
    assert!(
        orphan.starts_with("line 1, account: it is a table, not a list."),
        "{orphan}"
    );
}
