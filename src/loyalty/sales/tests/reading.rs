//! What an item may say.

use super::*;
use crate::loyalty::sales::read::{SentSale, canonical};
use proptest::prelude::*;

const START: &str = r#""match_key":{"id":"1"},"event_time":"2019-07-13 12:34:21""#;

fn shop() -> Account {
    let mut dollars = brand(2, None);
    dollars.currency = "USD".to_owned();
    account(vec![], vec![brand(1, None), dollars])
}

fn with(members: &str) -> String {
    match members {
        "" => format!("{{{START}}}"),
        members => format!("{{{START},{members}}}"),
    }
}

fn sent(raw: &str) -> SentSale {
    let read = item(&shop(), 1, raw).read;
    read.unwrap_or_else(|problem| panic!("{raw}: {}", problem.text()))
}

fn message(raw: &str) -> String {
    let read = item(&shop(), 1, raw).read;
    read.map_or_else(
        |problem| problem.message(),
        |sent| panic!("{raw}: {sent:?}"),
    )
}

#[test]
fn published_samples() {
    let raw = r#"{"match_key":{"phone":"4692023332"},"event_time":"2019-07-13 12:34:21","order_id":"12332223421"}"#;
    let sent = sent(raw);
    assert_eq!(sent.order_id.as_deref(), Some("12332223421"));
    assert_eq!((sent.external_sale_id, sent.value), (None, None));
    assert_eq!((&*sent.currency, &*sent.given), ("EUR", ""));
    assert_eq!(
        (sent.event_at, sent.day),
        (1_563_021_261_000_000, day(20_190_713))
    );
    assert_eq!(sent.extra, None);

    let raw = r#"{"match_key":{"id":"4136799999"},"event_time":"30-02-2020","value":545.5}"#;
    let item = item(&shop(), 1, raw);
    assert_eq!(item.id.as_deref(), Some("4136799999"));
    assert_eq!(item.day, None);
    let problem = item.read.unwrap_err();
    assert_eq!(problem.code, Code::BadEventTime);
    assert_eq!(problem.message(), "The parsed event_time was invalid");
    assert_eq!(problem.value.as_deref(), Some("30-02-2020"));
}

#[test]
fn values_and_currencies() {
    for (members, value, given, currency) in [
        (r#""value":2200"#, Some("2200"), "2200", "EUR"),
        (r#""value":545.5"#, Some("545.5"), "545.5", "EUR"),
        (r#""value":"545.50""#, Some("545.5"), "545.50", "EUR"),
        (r#""value":" 7 ""#, Some("7"), "7", "EUR"),
        (r#""value":-3.25"#, Some("-3.25"), "-3.25", "EUR"),
        (r#""value":-0"#, Some("0"), "-0", "EUR"),
        (r#""value":"007""#, Some("7"), "007", "EUR"),
        (r#""value":1.10000000"#, Some("1.1"), "1.10000000", "EUR"),
        (
            r#""value":999999999999.99"#,
            Some("999999999999.99"),
            "999999999999.99",
            "EUR",
        ),
        (r#""value":null"#, None, "", "EUR"),
        (r#""value":"","currency":"""#, None, "", "EUR"),
        (r#""value":"  ","currency":null"#, None, "", "EUR"),
        (r#""value":5,"currency":"usd""#, Some("5"), "5", "USD"),
        (
            r#""value":500,"currency":" jpy ""#,
            Some("500"),
            "500",
            "JPY",
        ),
        (
            r#""value":1.234,"currency":"KWD""#,
            Some("1.234"),
            "1.234",
            "KWD",
        ),
        (r#""currency":"USD""#, None, "", "USD"),
    ] {
        let sent = sent(&with(members));
        assert_eq!(sent.value, value.map(money), "{members}");
        assert_eq!(
            (&*sent.given, &*sent.currency),
            (given, currency),
            "{members}"
        );
    }
}

#[test]
fn ids_of_the_outer_system() {
    let long = "é".repeat(255);
    for (value, expected) in [
        (r#""12332223421""#, Some("12332223421")),
        (r#"" 3325-uy ""#, Some("3325-uy")),
        ("12332223421", Some("12332223421")),
        ("1e3", Some("1e3")),
        ("-0.50", Some("-0.50")),
        (r#""0012""#, Some("0012")),
        (r#""\u0041B""#, Some("AB")),
        (&format!("\"{long}\""), Some(&*long)),
        ("null", None),
        (r#""""#, None),
        (r#"" \t ""#, None),
    ] {
        for name in ["order_id", "external_sale_id"] {
            let sent = sent(&with(&format!(r#""{name}":{value}"#)));
            let (read, other) = match name {
                "order_id" => (sent.order_id, sent.external_sale_id),
                _ => (sent.external_sale_id, sent.order_id),
            };
            assert_eq!((read.as_deref(), other), (expected, None), "{name} {value}");
        }
    }
}

#[test]
fn faults_say_what_is_wrong_and_what_would_be_right() {
    let time = r#""event_time":"2019-07-13 12:34:21""#;
    let keyed = |keys: &str| format!(r#"{{"match_key":{keys},{time}}}"#);
    const KEYS: &str = "send an object with id, document, email, phone or cellphone";
    const VALUE: &str = "send digits with a point before the decimals, such as 545.50";
    for (raw, expected) in [
        ("[1]".to_owned(), "The item [1] is not an object: send one".to_owned()),
        ("null".to_owned(), "The item null is not an object: send one".to_owned()),
        (format!("{{{time}}}"), format!("The match_key is missing: {KEYS}")),
        (keyed("null"), format!("The match_key is missing: {KEYS}")),
        (keyed("\"41367\""), format!("The match_key \"41367\" is not an object: {KEYS}")),
        (keyed("{}"), format!("The match_key has nothing to find a customer by: {KEYS}")),
        (
            keyed(r#"{"email":"","phone":null,"id":" ","name":"Ann"}"#),
            format!("The match_key has nothing to find a customer by: {KEYS}"),
        ),
        (
            keyed(r#"{"id":true}"#),
            "The match_key has true as id: send a text or a number".to_owned(),
        ),
        (
            keyed(r#"{"id":"1","email":["a@b.c"]}"#),
            "The match_key has [\"a@b.c\"] as email: send a text or a number".to_owned(),
        ),
        (
            keyed(r#"{"phone":"\ud800"}"#),
            "The match_key has \"\\ud800\" as phone: send a text or a number".to_owned(),
        ),
        (with(r#""value":"12,50""#), format!("The value \"12,50\" is not a number: {VALUE}")),
        (with(r#""value":"+5""#), format!("The value \"+5\" is not a number: {VALUE}")),
        (with(r#""value":"--5""#), format!("The value \"--5\" is not a number: {VALUE}")),
        (with(r#""value":"5.""#), format!("The value \"5.\" is not a number: {VALUE}")),
        (with(r#""value":".5""#), format!("The value \".5\" is not a number: {VALUE}")),
        (with(r#""value":"1 000""#), format!("The value \"1 000\" is not a number: {VALUE}")),
        (with(r#""value":"$5""#), format!("The value \"$5\" is not a number: {VALUE}")),
        (with(r#""value":1e3"#), format!("The value \"1e3\" is not a number: {VALUE}")),
        (with(r#""value":"٣""#), format!("The value \"٣\" is not a number: {VALUE}")),
        (with(r#""value":true"#), format!("The value true is not a number: {VALUE}")),
        (with(r#""value":{}"#), format!("The value {{}} is not a number: {VALUE}")),
        (
            with(r#""value":1000000000000"#),
            "The value \"1000000000000\" is too large: send at most 12 digits before the point"
                .to_owned(),
        ),
        (
            with(r#""value":1.005"#),
            "The value \"1.005\" has more decimals than EUR has: send 2 at most".to_owned(),
        ),
        (
            with(r#""value":1.5,"currency":"jpy""#),
            "The value \"1.5\" has more decimals than JPY has: send a whole number".to_owned(),
        ),
        (
            with(r#""value":1.00001"#),
            "The value \"1.00001\" has more decimals than any currency: send as many as its currency has"
                .to_owned(),
        ),
        (
            with(r#""currency":"EURO""#),
            "The currency \"EURO\" is no currency of ISO 4217: send its three letters, such as EUR"
                .to_owned(),
        ),
        (
            with(r#""currency":978"#),
            "The currency \"978\" is no currency of ISO 4217: send its three letters, such as EUR"
                .to_owned(),
        ),
        (
            with(r#""currency":[]"#),
            "The currency [] is not a text: send three letters such as EUR".to_owned(),
        ),
        (
            with(r#""order_id":false"#),
            "The order_id false is not a text: send a text or a number".to_owned(),
        ),
        (
            with(r#""external_sale_id":{"a":1}"#),
            "The external_sale_id {\"a\":1} is not a text: send a text or a number".to_owned(),
        ),
        (
            with(r#""order_id":"a\nb""#),
            "The order_id \"a\\nb\" has a control character: send it without".to_owned(),
        ),
    ] {
        assert_eq!(message(&raw), expected, "{raw}");
        let problem = item(&shop(), 1, &raw).read.unwrap_err();
        assert_eq!(problem.code, Code::BadSale, "{raw}");
    }
    let long = with(&format!(r#""order_id":"{}""#, "x".repeat(256)));
    assert_eq!(
        message(&long),
        format!(
            "The order_id \"{}…\" is longer than 255 characters: send the id that the other system has for it",
            "x".repeat(64)
        )
    );
    let zeros = with(&format!(r#""value":"{}1""#, "0".repeat(64)));
    assert!(message(&zeros).ends_with("leave out zeros that say nothing"));
}

#[test]
fn the_first_fault_is_told() {
    let all = [
        (r#""event_time":"x""#, Code::BadEventTime, "event_time"),
        (r#""match_key":7"#, Code::BadSale, "match_key"),
        (r#""value":"x""#, Code::BadSale, "value"),
        (r#""currency":"x""#, Code::BadSale, "currency"),
        (r#""order_id":[]"#, Code::BadSale, "order_id"),
        (
            r#""external_sale_id":[]"#,
            Code::BadSale,
            "external_sale_id",
        ),
    ];
    for first in 0..all.len() {
        // Later members count: those in front are right.
        let faults = all[first..].iter().rev().map(|(fault, _, _)| *fault);
        let raw = with(&faults.collect::<Vec<_>>().join(","));
        let problem = item(&shop(), 1, &raw).read.unwrap_err();
        let (_, code, field) = all[first];
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (code, Some(field)),
            "{raw}"
        );
    }
}

#[test]
fn every_bad_event_time_has_the_published_reason() {
    for time in [
        "",
        r#","event_time":null"#,
        r#","event_time":20190713"#,
        r#","event_time":[]"#,
        r#","event_time":"""#,
        r#","event_time":"\ud800""#,
        r#","event_time":"2019-07-13 24:00:00""#,
    ] {
        let raw = format!(r#"{{"match_key":{{"id":"1"}}{time}}}"#);
        assert_eq!(message(&raw), "The parsed event_time was invalid", "{raw}");
    }
}

#[test]
fn an_item_without_sense_still_has_its_ids_and_its_day() {
    let raw = r#"{"match_key":{"id":41367},"event_time":"2019-07-13","value":"x","order_id":"O"}"#;
    let bad = item(&shop(), 1, raw);
    assert_eq!(
        (bad.id.as_deref(), bad.day),
        (Some("41367"), Some(day(20_190_713)))
    );
    let good = item(&shop(), 1, &with(r#""order_id":"O""#));
    assert_eq!(bad.prints, good.prints);
    for keys in [r#"{"id":null}"#, r#"{"id":[]}"#, r#"{"id":" "}"#, "[]", "7"] {
        let raw = format!(r#"{{"match_key":{keys}}}"#);
        assert_eq!(item(&shop(), 1, &raw).id, None, "{raw}");
    }
}

#[test]
fn members_that_are_not_documented() {
    let raw = with(
        r#""shop":"Ávila \u00e9","total":1.000000000000000000000000000000001,"response":{"status":"created"},"Value":1,"b\"c":[ 1 ,2]"#,
    );
    assert_eq!(
        sent(&raw).extra.as_deref(),
        Some(
            r#"{"shop":"Ávila \u00e9","total":1.000000000000000000000000000000001,"Value":1,"b\"c":[ 1 ,2]}"#
        )
    );
    assert_eq!(sent(&with(r#""response":1"#)).extra, None);
}

#[test]
fn of_equal_names_the_last_counts() {
    let sent = sent(&with(
        r#""value":"x","value":7,"order_id":"a","order_id":"b""#,
    ));
    assert_eq!(
        (sent.value, sent.order_id.as_deref()),
        (Some(money("7")), Some("b"))
    );
}

#[test]
fn prints_are_those_of_a_brands_sale() {
    let shop = shop();
    let prints = |brand: i32, members: &str| item(&shop, brand, &with(members)).prints;
    let external = prints(1, r#""external_sale_id":"1","value":7"#);
    let order = prints(1, r#""order_id":"1""#);
    let both = prints(1, r#""order_id":" 1 ","external_sale_id":1"#);
    assert_eq!((both.own, both.other), (external.own, Some(order.own)));
    assert_eq!((external.other, order.other), (None, None));
    assert_ne!(external.own, order.own);
    assert_ne!(order.own, prints(2, r#""order_id":"1""#).own);
    // Without ids: all that is documented, however it is written.
    let plain = prints(1, r#""value":7"#);
    assert_eq!(
        plain,
        prints(1, r#" "value" : 7 ,"shop":"x","response":[]"#)
    );
    assert_ne!(plain.own, prints(1, r#""value":8"#).own);
    assert_ne!(plain.own, prints(2, r#""value":7"#).own);
    assert_ne!(plain.own, prints(1, "").own);
    let text = |raw: &str| item(&shop, 1, raw).prints.own;
    assert_eq!(text("[1, 2]"), text("[1,2]"));
    assert_ne!(text("[1,2]"), text("[12]"));
    assert_ne!(text("{}"), text("[]"));
}

#[test]
fn canonical_bytes_hold_what_is_documented() {
    let of = |raw: &str| {
        let mut bytes = Vec::new();
        canonical(raw, &mut |piece| bytes.extend_from_slice(piece));
        bytes
    };
    let one = of(r#"{"value":7,"match_key":{"email":"a","id":"1"},"x":1}"#);
    assert_eq!(
        one,
        of(r#"{"match_key":{"id":"\u0031","email":"a"},"response":3,"value":7}"#)
    );
    assert_ne!(one, of(r#"{"match_key":{"id":1,"email":"a"},"value":7}"#));
    assert_ne!(of(r#"{"order_id":"1"}"#), of(r#"{"external_sale_id":"1"}"#));
    assert_ne!(of(r#"{"order_id":null}"#), of("{}"));
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[0-9]{1,30}(\\.[0-9]{1,8})?(e[0-9]{1,3})?",
        "\\PC{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("\"2019-07-13 12:34:21\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "match_key",
            "event_time",
            "order_id",
            "external_sale_id",
            "value",
            "currency",
            "response",
            "id",
            "email",
            "phone",
            "document",
            "cellphone",
        ])
        .prop_map(str::to_owned),
        "[a-z]{0,3}",
    ];
    leaf.prop_recursive(3, 32, 8, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..8);
        let object = members.prop_map(|members| {
            let members = members
                .iter()
                .map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![3 => object, 1 => list.prop_map(|list| format!("[{}]", list.join(",")))]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(raw in any_json()) {
        if crate::json::check(raw.as_bytes()).is_ok() {
            let item = item(&shop(), 1, &raw);
            prop_assert_eq!(&*item.raw, &*raw);
            match item.read {
                Ok(sent) => {
                    prop_assert_eq!(item.day, Some(sent.day));
                    let digits = amount::currency_digits(&sent.currency);
                    prop_assert!(sent.value.is_none_or(|value| Some(value.decimals()) <= digits));
                    prop_assert!(sent.given.chars().count() <= 64);
                    let whole = format!(r#"[{}]"#, sent.extra.as_deref().unwrap_or("{}"));
                    prop_assert!(crate::json::check(whole.as_bytes()).is_ok());
                }
                Err(problem) => {
                    prop_assert!([Code::BadSale, Code::BadEventTime].contains(&problem.code));
                    prop_assert!(problem.message().chars().count() < 300);
                }
            }
        }
    }

    #[test]
    fn values_are_exact(whole in 0_i64..1_000_000_000_000, cents in 0_i64..100, negative: bool, text: bool) {
        let sign = if negative { "-" } else { "" };
        let written = format!("{sign}{whole}.{cents:02}");
        let value = if text { format!("\"{written}\"") } else { written.clone() };
        let sent = sent(&with(&format!(r#""value":{value}"#)));
        let raw = (whole * 100 + cents) * 100;
        prop_assert_eq!(sent.value.unwrap().raw(), if negative { -raw } else { raw });
        prop_assert_eq!(&*sent.given, written);
    }
}
