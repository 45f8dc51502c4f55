//! Purchases read and merged.

use super::merge::{Arrival, failed, merged, taken, view};
use super::read::{code, read};
use super::*;
use crate::loyalty::sync::job::Options;
use proptest::prelude::*;

const FULL: &str = r#"{"campaign_id":77,"product_uuid":"room","transaction_code":"T-1","price":545.50,"currency":"eur",
    "status":"RESERVED","redeem_coupon_code":"C","name":"Stay","description":"Two nights","nights":2}"#;

const ARRIVAL: Arrival<'static> = Arrival {
    id: "0123456789abcdef01234567",
    origin: "PMS",
    customers: &[3, 1],
    now_us: 1000,
};

fn stored(raw: &str) -> StoredPurchase {
    merged(None, &read(raw).unwrap(), ARRIVAL).unwrap().purchase
}

/// The faults' fields with their messages.
fn faults(raw: &str) -> Vec<(String, String)> {
    let faults = read(raw).err().unwrap_or_default();
    let pairs = faults.into_iter();
    pairs.map(|fault| (fault.field, fault.message)).collect()
}

#[test]
fn a_purchase_is_read() {
    let purchase = stored(FULL);
    assert_eq!(&*purchase.code, "T-1");
    assert_eq!(&*purchase.product_uuid, "room");
    assert_eq!((purchase.price, &*purchase.currency), (5_455_000, "EUR"));
    assert_eq!(&*purchase.status, "reserved");
    assert_eq!(purchase.customer, Some(3));
    assert_eq!(purchase.fields.get("price"), Some("545.50"));
    assert_eq!(purchase.fields.get("nights"), Some("2"));
    assert_eq!(code(FULL).as_deref(), Some("T-1"));
    assert_eq!(code(r#"{"transaction_code":17}"#).as_deref(), Some("17"));
    for raw in [
        "[]",
        "{}",
        r#"{"transaction_code":null}"#,
        r#"{"transaction_code":" "}"#,
        r#"{"transaction_code":[1]}"#,
    ] {
        assert_eq!(code(raw), None, "{raw}");
    }
}

#[test]
fn faults_name_their_fields() {
    let with = |field: &str| format!(r#"{{"transaction_code":"T",{field}}}"#);
    let long = |count: usize| "x".repeat(count);
    let price = "must be a number such as 545.50, with at most 12 digits and 4 decimals, not ";
    for (raw, field, words) in [
        ("[]".to_owned(), "purchase", "must be an object, not a list"),
        ("{}".to_owned(), "transaction_code", "is required"),
        (
            r#"{"transaction_code":""}"#.to_owned(),
            "transaction_code",
            "is required",
        ),
        (
            r#"{"transaction_code":true}"#.to_owned(),
            "transaction_code",
            "must be a text or a number, not true",
        ),
        (
            r#"{"transaction_code":"a\u0000b"}"#.to_owned(),
            "transaction_code",
            "has a control character: \"a\\u{0}b\"",
        ),
        (
            format!(r#"{{"transaction_code":"{}"}}"#, long(256)),
            "transaction_code",
            "has more than 255 characters: it has 256",
        ),
        (
            with(r#""price":"x""#),
            "price",
            &format!("{price}{}", r#""x""#),
        ),
        (
            with(r#""price":1e3"#),
            "price",
            &format!("{price}{}", r#"1e3"#),
        ),
        (
            with(r#""price":"1,50""#),
            "price",
            &format!("{price}{}", r#""1,50""#),
        ),
        (
            with(r#""price":".5""#),
            "price",
            &format!("{price}{}", r#"".5""#),
        ),
        (
            with(r#""price":"5.""#),
            "price",
            &format!("{price}{}", r#""5.""#),
        ),
        (
            with(r#""price":"--5""#),
            "price",
            &format!("{price}{}", r#""--5""#),
        ),
        (
            with(r#""price":[5]"#),
            "price",
            "must be a text or a number, not a list",
        ),
        (
            with(r#""price":1.00001"#),
            "price",
            &format!("{price}{}", r#"1.00001"#),
        ),
        (
            with(r#""price":1000000000000"#),
            "price",
            &format!("{price}{}", r#"1000000000000"#),
        ),
        (
            with(r#""currency":"XXX1""#),
            "currency",
            "must be a currency code of ISO 4217 such as EUR, not \"XXX1\"",
        ),
        (
            with(r#""currency":"€""#),
            "currency",
            "must be a currency code of ISO 4217 such as EUR, not \"€\"",
        ),
        (
            with(r#""status":"sold""#),
            "status",
            "must be add_cart, purchase, remove_cart, product_view, product_refund, purchase_failed, canceled, no_show, no_paid, check_in, check_out, reserved or confirmed, not \"sold\"",
        ),
        (
            with(r#""UUID":{}"#),
            "UUID",
            "must be a text or a number, not an object",
        ),
        (
            with(&format!(r#""name":"{}""#, long(256))),
            "name",
            "has more than 255 characters: it has 256",
        ),
        (
            with(&format!(r#""description":"{}""#, long(4097))),
            "description",
            "has more than 4096 characters: it has 4097",
        ),
        (
            with(&format!(r#""x":"{}""#, long(17_000))),
            "purchase",
            "has more than 16384 bytes: it has 17031",
        ),
        (
            with(&format!(r#""{}":1"#, long(65))),
            &format!("{}\u{2026}", long(64)),
            "has more than 64 characters in its name: it has 65",
        ),
    ] {
        assert_eq!(
            faults(&raw),
            [(field.to_owned(), words.to_owned())],
            "{raw}"
        );
    }
    let many: Vec<String> = (0..202).map(|n| format!("\"c{n}\":1")).collect();
    assert_eq!(
        faults(&with(&many.join(","))),
        [(
            "purchase".to_owned(),
            "has more than 200 custom fields: it has 202".to_owned()
        )]
    );
    let two = faults(r#"{"price":"x","status":"y"}"#);
    let fields: Vec<&str> = two.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["price", "status", "transaction_code"]);
}

#[test]
fn prices_are_exact() {
    for (sent, expected) in [
        ("545.50", 5_455_000),
        ("\"545.50\"", 5_455_000),
        ("0", 0),
        ("-0", 0),
        ("-12.3456", -123_456),
        ("\"+1.50000000\"", 15_000),
        ("\"007\"", 70_000),
        ("999999999999.9999", 9_999_999_999_999_999),
    ] {
        let read = read(&format!(r#"{{"transaction_code":"T","price":{sent}}}"#)).unwrap();
        assert_eq!(read.price, Some(expected), "{sent}");
    }
}

#[test]
fn a_known_purchase_keeps_what_is_omitted() {
    let old = stored(FULL);
    let change = |raw: &str| {
        merged(
            Some(&old),
            &read(raw).unwrap(),
            Arrival {
                customers: &[],
                id: "new",
                ..ARRIVAL
            },
        )
    };
    let after = change(
        r#"{"transaction_code":"T-1","status":"Check_In","price":null,"name":null,"nights":3}"#,
    )
    .unwrap();
    assert!(!after.is_new && after.links.is_none());
    let purchase = after.purchase;
    assert_eq!((&purchase.id, purchase.customer), (&old.id, Some(3)));
    assert_eq!((purchase.price, &*purchase.status), (old.price, "check_in"));
    assert_eq!(purchase.fields.get("name"), None);
    assert_eq!(purchase.fields.get("price"), Some("545.50"));
    assert_eq!(purchase.fields.get("nights"), Some("3"));
    // Another name for the product's id, with another product.
    let moved = change(r#"{"transaction_code":"T-1","UUID":"suite"}"#)
        .unwrap()
        .purchase;
    assert_eq!(&*moved.product_uuid, "suite");
    assert_eq!(moved.fields.get("product_uuid"), None);
}

#[test]
fn a_new_purchase_needs_its_product_its_price_and_its_currency() {
    let lacking = |raw: &str| {
        let faults = merged(None, &read(raw).unwrap(), ARRIVAL).unwrap_err();
        faults
            .into_iter()
            .map(|fault| fault.field)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lacking(r#"{"transaction_code":"T"}"#),
        ["UUID", "price", "currency"]
    );
    assert_eq!(
        lacking(r#"{"transaction_code":"T","uuid":"","price":1,"currency":"EUR"}"#),
        ["UUID"]
    );
    let raw = r#"{"transaction_code":"T","uuid":1,"price":1,"currency":"EUR","UUID":null,"product_UUID":"b"}"#;
    let new = merged(
        None,
        &read(raw).unwrap(),
        Arrival {
            customers: &[],
            ..ARRIVAL
        },
    )
    .unwrap();
    assert_eq!(
        (&*new.purchase.product_uuid, &*new.purchase.status),
        ("1", "purchase")
    );
    assert_eq!(
        (new.purchase.customer, new.links, new.is_new),
        (None, None, true)
    );
}

#[test]
fn a_webhook_tells_what_was_asked_for() {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let options = Options {
        purchase_fields: list(&[
            "price", "UUID", "nights", "status", "price", "x", "_id", "name",
        ]),
        ignored: list(&["x"]),
        ..Options::default()
    };
    let purchase = stored(
        r#"{"transaction_code":17,"product_uuid":"room","price":545.50,"currency":"EUR","nights":2}"#,
    );
    assert_eq!(
        taken(&purchase, &options),
        r#"{"transaction_code":17,"_id":"0123456789abcdef01234567","price":545.50,"UUID":"room","nights":2,"status":"purchase","name":null}"#
    );
    assert_eq!(
        view(&purchase).get("_id"),
        Some("\"0123456789abcdef01234567\"")
    );
    assert_eq!(failed("{\"a\": 1}", None), "{\"a\": 1}");
    assert_eq!(
        failed(&"x".repeat(17_000), Some("T")),
        r#"{"transaction_code":"T"}"#
    );
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(raw in r#"\{("(price|status|UUID|x|transaction_code)":("[a-z0-9.-]{0,6}"|-?[0-9]{1,3}|null|\[\]),){0,4}"currency":"[A-Z]{3}"\}"#) {
        if let Ok(sent) = read(&raw) {
            let new = merged(None, &sent, ARRIVAL);
            if let Ok(new) = new {
                let again = merged(Some(&new.purchase), &sent, ARRIVAL).unwrap();
                prop_assert_eq!(again.purchase, new.purchase);
            }
        }
    }

    #[test]
    fn prices_come_back(whole in 0_i64..1_000_000_000_000, decimals in 0_i64..10_000, negative: bool) {
        let sign = if negative { "-" } else { "" };
        let raw = format!(r#"{{"transaction_code":"T","price":{sign}{whole}.{decimals:04}}}"#);
        let expected = whole * 10_000 + decimals;
        let expected = if negative { -expected } else { expected };
        prop_assert_eq!(read(&raw).unwrap().price, Some(expected));
    }
}

#[test]
fn a_purchase_does_not_grow_without_bound() {
    let part = |nth: usize| {
        let long = "x".repeat(15_000);
        format!(r#"{{"transaction_code":"T-1","c{nth}":"{long}"}}"#)
    };
    let mut known = stored(FULL);
    for nth in 0..4 {
        let change = merged(Some(&known), &read(&part(nth)).unwrap(), ARRIVAL).unwrap();
        known = change.purchase;
    }
    let faults = merged(Some(&known), &read(&part(4)).unwrap(), ARRIVAL).unwrap_err();
    assert_eq!(faults[0].field, "purchase");
    assert!(
        faults[0]
            .message
            .starts_with("has more than 65536 bytes with what is stored of it: it has ")
    );
    assert!(merged(Some(&known), &read(&part(3)).unwrap(), ARRIVAL).is_ok());
}
