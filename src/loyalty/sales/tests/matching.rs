//! Whose sale it is.

use super::*;
use crate::loyalty::sales::MATCHES_MAX;
use finding::Found;

/// Who is known by what.
fn known() -> Shop {
    Shop::new(
        &[
            (KeyKind::Email, "one@a.example", 1),
            (KeyKind::Email, "both@a.example", 1),
            (KeyKind::Email, "both@a.example", 2),
            (KeyKind::Phone, "600000001", 1),
            (KeyKind::Phone, "34600000001", 1),
            (KeyKind::Cellphone, "600000002", 2),
            (KeyKind::Phone, "600000003", 3),
            (KeyKind::Cellphone, "600000003", 2),
            (KeyKind::Document, "1234567X", 2),
            // The number of a household.
            (KeyKind::Phone, "900", 1),
            (KeyKind::Phone, "900", 2),
            (KeyKind::Phone, "900", 3),
            // No way to be found here.
            (KeyKind::UserId, "u-1", 1),
        ],
        &[41_367],
    )
}

fn found(match_key: &str) -> Found {
    let account = account(vec![], vec![brand(1, None)]);
    let raw = format!(r#"{{"match_key":{match_key},"event_time":"2019-07-13 12:34:21"}}"#);
    let sales = request(&account, 1, &[&raw]);
    let ledger = known().load(&account, std::slice::from_ref(&sales));
    let sent = sales.items[0].read.as_ref().unwrap();
    finding::find(&sent.keys, &ledger.sales)
}

#[test]
fn who_is_meant() {
    use Found::{Nobody, One};
    let several = |customers: &[i64]| Found::Several(customers.to_vec());
    for (keys, expected) in [
        // The number alone decides, exactly as it is written.
        (r#"{"id":"41367"}"#, One(41_367)),
        (r#"{"id":41367}"#, One(41_367)),
        (r#"{"id":" 41367 "}"#, One(41_367)),
        (r#"{"id":"041367"}"#, Nobody),
        (r#"{"id":"+41367"}"#, Nobody),
        (r#"{"id":41367.0}"#, Nobody),
        (r#"{"id":4.1367e4}"#, Nobody),
        (r#"{"id":"4136799999"}"#, Nobody),
        (r#"{"id":"0"}"#, Nobody),
        (r#"{"id":"-1"}"#, Nobody),
        (r#"{"id":"99999999999999999999999"}"#, Nobody),
        (r#"{"id":"u-1"}"#, Nobody),
        (r#"{"id":"1","email":"both@a.example"}"#, One(1)),
        (r#"{"id":"3","email":"one@a.example"}"#, One(3)),
        (r#"{"id":"77","email":"one@a.example"}"#, Nobody),
        // Without it, the others. Null, empty and unknown ones do not count.
        (r#"{"id":null,"email":"one@a.example"}"#, One(1)),
        (r#"{"id":"","email":"one@a.example"}"#, One(1)),
        (r#"{"id":"  ","email":"one@a.example"}"#, One(1)),
        (
            r#"{"email":"one@a.example","user_id":"x","nif":[]}"#,
            One(1),
        ),
        (r#"{"email":" ONE@A.example "}"#, One(1)),
        (r#"{"email":"none@a.example"}"#, Nobody),
        (r#"{"document":"1.234.567-x"}"#, One(2)),
        (r#"{"document":"---"}"#, Nobody),
        // A phone number in its own kind, else in the other; any of its forms.
        (r#"{"phone":"600 000 001"}"#, One(1)),
        (r#"{"phone":600000001}"#, One(1)),
        (r#"{"phone":"+34 600 000 001"}"#, One(1)),
        (r#"{"phone":"600000002"}"#, One(2)),
        (r#"{"cellphone":"600000001"}"#, One(1)),
        (r#"{"phone":"600000003"}"#, One(3)),
        (r#"{"cellphone":"600000003"}"#, One(2)),
        (r#"{"phone":"no digits"}"#, Nobody),
        // Several keys: whoever has all of them.
        (r#"{"email":"both@a.example"}"#, several(&[1, 2])),
        (r#"{"phone":"900"}"#, several(&[1, 2, 3])),
        (
            r#"{"email":"both@a.example","phone":"900"}"#,
            several(&[1, 2]),
        ),
        (r#"{"email":"both@a.example","phone":"600000001"}"#, One(1)),
        (
            r#"{"email":"both@a.example","phone":"900","document":"1234567x"}"#,
            One(2),
        ),
        // Nobody has all of them: whoever has any.
        (r#"{"email":"one@a.example","document":"unknown"}"#, One(1)),
        (
            r#"{"email":"none@a.example","phone":"600000002","document":"1234567X"}"#,
            One(2),
        ),
        (
            r#"{"email":"one@a.example","phone":"600000002"}"#,
            several(&[1, 2]),
        ),
        (
            r#"{"email":"one@a.example","document":"1234567X","phone":"600000003"}"#,
            several(&[1, 2, 3]),
        ),
        (r#"{"email":"none@a.example","document":"unknown"}"#, Nobody),
    ] {
        assert_eq!(found(keys), expected, "{keys}");
    }
}

#[test]
fn so_many_are_named_and_no_more() {
    let mut book = Book::default();
    for customer in (1..=250).rev() {
        book.add_key(KeyKind::Email, "x@a.example", customer);
        book.add_key(KeyKind::Email, "x@a.example", customer);
    }
    let keys = MatchKeys::Keys(vec![(KeyKind::Email, vec!["x@a.example".into()])]);
    let Found::Several(customers) = finding::find(&keys, &book) else {
        panic!("not several");
    };
    assert_eq!(customers, (1..=100).collect::<Vec<_>>());
    assert_eq!(customers.len(), MATCHES_MAX);
}

#[test]
fn a_key_that_is_too_long_is_nobodys() {
    let long = "x".repeat(256);
    for keys in [
        format!(r#"{{"email":"{long}"}}"#),
        format!(r#"{{"document":"{long}"}}"#),
        format!(r#"{{"phone":"{}"}}"#, "1".repeat(256)),
        format!(r#"{{"id":"{}"}}"#, "1".repeat(256)),
    ] {
        assert_eq!(found(&keys), Found::Nobody, "{keys}");
    }
}
