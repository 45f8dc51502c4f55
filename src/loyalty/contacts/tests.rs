//! What contacts change of people, and whose they are.

use super::merge::{Arrival, current, merged};
use super::people::{Changing, People};
use super::person::Person;
use super::sent::{CONTACT_MAX_BYTES, KeyKind, Sent, Verdict};
use super::{keys, matching, told};
use crate::json::{self, Fields};
use crate::loyalty::sync::job::Options;
use proptest::prelude::*;

/// Fields as a request has them: null and empty texts clear.
pub fn fields(raw: &str) -> Vec<(Box<str>, Option<Box<str>>)> {
    let members = Fields::parse(raw).unwrap();
    let cleared =
        |value: &str| matches!(json::scalar(value), json::Scalar::Null) || value == "\"\"";
    let fields = members.iter();
    fields
        .map(|(name, value)| (name.into(), (!cleared(value)).then(|| value.into())))
        .collect()
}

/// A contact as a request has it.
pub fn sent(raw: &str) -> Sent {
    let fields = fields(raw);
    let keys = keys::of_fields(&fields, None);
    Sent {
        raw: raw.into(),
        fields,
        faults: Vec::new(),
        keys,
        print: [7; 32],
    }
}

const ARRIVAL: Arrival<'static> = Arrival {
    customer: 1,
    code: "1234567890123456",
    id: "0123456789abcdef01234567",
    origin: "PMS",
    verdict: None,
    country: None,
    now_us: 1000,
};

/// Somebody to whom these contacts came, one after the other.
fn person(contacts: &[&str]) -> Person {
    let mut person = None;
    for raw in contacts {
        person = Some(merged(person.as_ref(), &sent(raw), ARRIVAL));
    }
    person.unwrap()
}

/// What is stored of somebody as seen from outside, but for the id.
fn shown(person: &Person) -> String {
    current(person).json()
}

#[test]
fn omitted_stays_null_clears_lists_are_replaced() {
    let first =
        r#"{"user_id":"u","name_first":"Ann","tags":["a","b"],"vip":{"level":1},"price":545.50}"#;
    for (second, expected) in [
        (r#"{"user_id":"u"}"#, first),
        (
            r#"{"name_first":"Bea"}"#,
            r#"{"user_id":"u","name_first":"Bea","tags":["a","b"],"vip":{"level":1},"price":545.50}"#,
        ),
        (
            r#"{"name_first":null,"tags":null}"#,
            r#"{"user_id":"u","vip":{"level":1},"price":545.50}"#,
        ),
        (
            r#"{"tags":["c"],"vip":{"since":2020},"new":0.10}"#,
            r#"{"user_id":"u","name_first":"Ann","tags":["c"],"vip":{"since":2020},"price":545.50,"new":0.10}"#,
        ),
        (
            r#"{"name_first":"","_id":"mine"}"#,
            r#"{"user_id":"u","tags":["a","b"],"vip":{"level":1},"price":545.50}"#,
        ),
        (
            r#"{"user_id":null}"#,
            r#"{"name_first":"Ann","tags":["a","b"],"vip":{"level":1},"price":545.50}"#,
        ),
    ] {
        assert_eq!(shown(&person(&[first, second])), expected, "{second}");
    }
}

#[test]
fn fields_fill_the_columns_that_other_dialects_read() {
    let somebody = person(&[
        r#"{"name_first":" Ann ","name_last":"Lee","email":"Ann@Example.com","phone_countrycode":"+44","phone_number":"07700 900123",
            "city":"Leeds","region":"Yorks","zip":70100,"full_address":"1 High St","country":"GB","user_id":12}"#,
    ]);
    let columns = &somebody.columns;
    for (column, expected) in [
        (&columns.first_name, "Ann"),
        (&columns.last_name, "Lee"),
        (&columns.email, "Ann@Example.com"),
        (&columns.phone, "+447700900123"),
        (&columns.city, "Leeds"),
        (&columns.state, "Yorks"),
        (&columns.postal_code, "70100"),
        (&columns.street1, "1 High St"),
        (&columns.country, "GB"),
    ] {
        assert_eq!(column.as_deref(), Some(expected));
    }
    assert_eq!(columns.cellphone, None);
    let contact = somebody.contact.as_ref().unwrap();
    assert_eq!(contact.user_id.as_deref(), Some("12"));
    assert_eq!(somebody.code.as_deref(), Some(ARRIVAL.code));
    assert_eq!(contact.id.as_ref(), ARRIVAL.id);
}

#[test]
fn phones_are_put_together() {
    for (contacts, expected) in [
        (&[r#"{"phone":"600 123 456"}"#][..], Some("600 123 456")),
        (&[r#"{"phone_number":"600123456"}"#], Some("600123456")),
        (
            &[r#"{"phone_number":"600123456","phone_countrycode":"-"}"#],
            Some("600123456"),
        ),
        (
            &[r#"{"phone_number":600123456,"phone_countrycode":34,"phone":"1"}"#],
            Some("+34600123456"),
        ),
        (
            &[
                r#"{"phone_number":"600123456"}"#,
                r#"{"phone_countrycode":"+34"}"#,
            ],
            Some("+34600123456"),
        ),
        (
            &[
                r#"{"phone_number":"600123456","phone_countrycode":"34"}"#,
                r#"{"phone_number":null}"#,
            ],
            None,
        ),
        (
            &[r#"{"phone":"600"}"#, r#"{"phone_countrycode":"+34"}"#],
            Some("600"),
        ),
        (&[r#"{"phone":"600"}"#, r#"{"phone":null}"#], None),
        // The spelling that came last counts.
        (
            &[
                r#"{"phone_countrycode":"34","phone_number":"600"}"#,
                r#"{"phone":"+44700"}"#,
            ],
            Some("+44700"),
        ),
        (
            &[
                r#"{"phone_countrycode":"34","phone_number":"600"}"#,
                r#"{"phone":"+44700","phone_number":null}"#,
            ],
            Some("+44700"),
        ),
        (
            &[
                r#"{"phone":"+44700"}"#,
                r#"{"phone_number":"600"}"#,
                r#"{"phone_number":null}"#,
            ],
            None,
        ),
    ] {
        let columns = person(contacts).columns;
        assert_eq!(columns.phone.as_deref(), expected, "{contacts:?}");
    }
}

#[test]
fn the_same_number_keeps_both_spellings() {
    let parts = r#"{"phone_countrycode":"+44","phone_number":"07700900123"}"#;
    let both = person(&[parts, r#"{"phone":"+44 7700 900123"}"#]);
    let expected =
        r#"{"phone_countrycode":"+44","phone_number":"07700900123","phone":"+44 7700 900123"}"#;
    assert_eq!(shown(&both), expected);
    // Without a calling code it is one of the country's.
    let national = r#"{"phone_number":"912999222"}"#;
    let whole = r#"{"phone":"+351912999222"}"#;
    for (own, country, expected) in [
        (
            "",
            Some("PT"),
            r#"{"phone_number":"912999222","phone":"+351912999222"}"#,
        ),
        ("", Some("ES"), r#"{"phone":"+351912999222"}"#),
        ("", None, r#"{"phone":"+351912999222"}"#),
        (
            r#"{"country":"PT"}"#,
            Some("ES"),
            r#"{"country":"PT","phone_number":"912999222","phone":"+351912999222"}"#,
        ),
    ] {
        let arrival = Arrival { country, ..ARRIVAL };
        let mut person = None;
        for raw in [own, national, whole].iter().filter(|raw| !raw.is_empty()) {
            person = Some(merged(person.as_ref(), &sent(raw), arrival));
        }
        assert_eq!(shown(&person.unwrap()), expected, "{country:?}");
    }
    let other = person(&[parts, r#"{"phone":"+34 600"}"#]);
    assert_eq!(shown(&other), r#"{"phone":"+34 600"}"#);
}

#[test]
fn what_another_dialect_has_written_is_the_truth() {
    let mut somebody = person(&[
        r#"{"user_id":"u","name_first":"Ann","zip":70100,"phone_countrycode":"+34","phone_number":"600","city":"Leeds"}"#,
    ]);
    somebody.columns.first_name = Some("Bea \"B\"".into());
    somebody.columns.email = Some("b@example.com".into());
    somebody.columns.phone = Some("555".into());
    somebody.columns.city = None;
    let expected = r#"{"user_id":"u","name_first":"Bea \"B\"","zip":70100,"email":"b@example.com","phone":"555"}"#;
    assert_eq!(shown(&somebody), expected);
    // A contact that says nothing of them leaves them so; the old calling code is forgotten.
    let after = merged(
        Some(&somebody),
        &sent(r#"{"phone_countrycode":"+44"}"#),
        ARRIVAL,
    );
    assert_eq!(after.columns.phone.as_deref(), Some("555"));
    assert_eq!(after.columns.first_name.as_deref(), Some("Bea \"B\""));
    assert_eq!(after.columns.city, None);
    let view = told::view(&after).json();
    assert!(
        view.starts_with(r#"{"_id":"0123456789abcdef01234567","user_id":"u","#),
        "{view}"
    );
}

#[test]
fn a_verdict_belongs_to_an_address() {
    let valid = Arrival {
        verdict: Some(Verdict::Valid),
        ..ARRIVAL
    };
    let first = merged(None, &sent(r#"{"email":"a@b.example"}"#), valid);
    let verdict = |person: &Person| person.contact.as_ref().unwrap().verdict;
    assert_eq!(verdict(&first), Some(Verdict::Valid));
    for (raw, expected) in [
        (r#"{"city":"Leeds"}"#, Some(Verdict::Valid)),
        (r#"{"email":" A@b.example"}"#, Some(Verdict::Valid)),
        (r#"{"email":"c@b.example"}"#, None),
        (r#"{"email":null}"#, None),
    ] {
        let after = merged(Some(&first), &sent(raw), ARRIVAL);
        assert_eq!(verdict(&after), expected, "{raw}");
        assert_eq!(after.contact.unwrap().checked_at, expected.map(|_| 1000));
    }
}

/// Three people: 1 has an id, 2 and 3 have none, and 4 shares its address with 3.
fn town() -> People {
    let mut people = People::default();
    for (customer, raw, cellphone) in [
        (
            1,
            r#"{"user_id":"u1","email":"one@example.com","phone":"+34600000001"}"#,
            None,
        ),
        (
            2,
            r#"{"email":"two@example.com","phone":"+34600000002"}"#,
            Some("+34600000009"),
        ),
        (
            3,
            r#"{"email":"both@example.com","phone":"+34600000003"}"#,
            Some("+34600000002"),
        ),
        (
            4,
            r#"{"user_id":"u4","email":"both@example.com","phone":"+34600000003"}"#,
            None,
        ),
    ] {
        let arrival = Arrival {
            customer,
            ..ARRIVAL
        };
        let mut person = merged(None, &sent(raw), arrival);
        person.columns.cellphone = cellphone.map(Box::from);
        let user_id = person.contact.as_ref().unwrap().user_id.clone();
        for (kind, value) in keys::of_person(&person.columns, user_id.as_deref(), None) {
            people.add_key(kind, &value, customer);
        }
        people.add(person);
    }
    people
}

#[test]
fn whose_contact_it_is() {
    let town = town();
    let people = Changing::new(&town, None);
    for (raw, expected) in [
        // The client's own id decides alone.
        (r#"{"user_id":"u1"}"#, Ok(Some(1))),
        (r#"{"user_id":"u1","email":"two@example.com"}"#, Ok(Some(1))),
        (r#"{"user_id":"u9"}"#, Ok(None)),
        // An address, of somebody without another id.
        (r#"{"email":" TWO@example.com"}"#, Ok(Some(2))),
        (r#"{"email":"one@example.com"}"#, Ok(Some(1))),
        (r#"{"user_id":"u9","email":"two@example.com"}"#, Ok(Some(2))),
        (r#"{"user_id":"u9","email":"one@example.com"}"#, Ok(None)),
        (
            r#"{"user_id":"u9","email":"both@example.com"}"#,
            Ok(Some(3)),
        ),
        (r#"{"email":"both@example.com"}"#, Err("email")),
        // A number, where the address leads to nobody; mobile phones come last.
        (
            r#"{"email":"nobody@example.com","phone_countrycode":"34","phone_number":"600000002"}"#,
            Ok(Some(2)),
        ),
        (r#"{"phone_number":"+34600000003"}"#, Err("phone_number")),
        (r#"{"phone":"0034600000003"}"#, Err("phone")),
        (r#"{"phone":"600000009"}"#, Ok(None)),
        (r#"{"phone":"+34 600 000 009"}"#, Ok(Some(2))),
        (
            r#"{"user_id":"u9","phone":"+34600000001","email":"nobody@example.com"}"#,
            Ok(None),
        ),
    ] {
        let found = matching::find(&sent(raw), &people).map_err(|problem| problem.field.unwrap());
        assert_eq!(found, expected.map_err(str::to_owned), "{raw}");
    }
}

#[test]
fn those_who_come_later_see_what_those_before_have_changed() {
    let town = town();
    let mut people = Changing::new(&town, None);
    let contact = |people: &Changing<'_>, raw| matching::find(&sent(raw), people);
    // Somebody without an id gets one, and is another person's from then on.
    let two = merged(
        people.get(2),
        &sent(r#"{"user_id":"u2","email":"new@example.com"}"#),
        ARRIVAL,
    );
    people.put(two);
    assert_eq!(contact(&people, r#"{"user_id":"u2"}"#), Ok(Some(2)));
    assert_eq!(contact(&people, r#"{"email":"two@example.com"}"#), Ok(None));
    assert_eq!(
        contact(&people, r#"{"email":"new@example.com"}"#),
        Ok(Some(2))
    );
    assert_eq!(
        contact(&people, r#"{"user_id":"u9","email":"new@example.com"}"#),
        Ok(None)
    );
    let back = merged(
        people.get(2),
        &sent(r#"{"email":"two@example.com"}"#),
        ARRIVAL,
    );
    people.put(back);
    let changes = people.into_changes();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].new_keys, [(KeyKind::UserId, "u2".into())]);
    assert!(changes[0].old_keys.is_empty() && !changes[0].is_new);
}

#[test]
fn a_webhook_tells_what_was_asked_for() {
    let somebody = person(&[r#"{"email":"a@b.example","vip":545.50,"tags":["x"]}"#]);
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let options = Options {
        contact_fields: list(&["vip", "email", "gender", "vip", "nothing", "old", "_id"]),
        ignored: list(&["nothing"]),
        ..Options::default()
    };
    assert_eq!(
        told::taken(&somebody, &options),
        r#"{"_id":"0123456789abcdef01234567","user_id":null,"email":"a@b.example","phone_countrycode":null,"phone_number":null,"vip":545.50,"gender":null,"old":null}"#
    );
    assert_eq!(told::kept(r#"{"email": "a"}"#), r#"{"email": "a"}"#);
    let long = format!(
        r#"{{"email":"A@b.example","x":"{}"}}"#,
        "x".repeat(CONTACT_MAX_BYTES)
    );
    assert_eq!(told::kept(&long), r#"{"email":"A@b.example"}"#);
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(CONTACT_MAX_BYTES));
    assert_eq!(told::kept(&long), "{}");
}

/// A contact of a few fields, with few values, so that they meet again.
pub fn any_contact() -> impl Strategy<Value = String> {
    let value = |values: &'static [&'static str]| prop::sample::select(values);
    let field = prop_oneof![
        value(&["1", "\"u1\"", "\"u2\"", "\"u3\"", "null"]).prop_map(|value| ("user_id", value)),
        value(&[
            "\"a@x.example\"",
            "\"B@x.example\"",
            "\" b@x.example\"",
            "\"c@x.example\"",
            "null",
            "\"\""
        ])
        .prop_map(|value| ("email", value)),
        value(&["\"+34\"", "34", "\"+44\"", "null"]).prop_map(|value| ("phone_countrycode", value)),
        value(&["\"600000001\"", "\"0600000001\"", "600000002", "null"])
            .prop_map(|value| ("phone_number", value)),
        value(&[
            "\"+34600000001\"",
            "\"0034 600000002\"",
            "\"600000001\"",
            "null"
        ])
        .prop_map(|value| ("phone", value)),
        value(&["\"ES\"", "\"gb\"", "\"Spain\"", "\"  \"", "null"])
            .prop_map(|value| ("country", value)),
        value(&["\"Ann\"", "\" Bea \"", "\"\"", "null"]).prop_map(|value| ("name_first", value)),
        value(&["true", "false", "\"1\"", "null"]).prop_map(|value| ("gdpr_accept_terms", value)),
        value(&["\"2024-01-01\"", "\"2024-01-02\"", "null"]).prop_map(|value| ("gdpr_date", value)),
        value(&[
            r#"[{"channel":"email","blacklisted":true}]"#,
            r#"{"channel":"sms","blacklisted":false}"#,
            "null"
        ])
        .prop_map(|value| ("channel_subscriptions", value)),
        value(&["545.50", "[1,2]", "{\"a\":1}", "null"]).prop_map(|value| ("vip", value)),
    ];
    prop::collection::vec(field, 0..6).prop_map(|pairs| {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.set(name, value);
        }
        fields.json()
    })
}

proptest! {
    #[test]
    fn merging_twice_changes_nothing_more(first in any_contact(), second in any_contact()) {
        let once = person(&[&first, &second]);
        let twice = person(&[&first, &second, &second]);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn what_is_sent_comes_back_and_the_rest_stays(first in any_contact(), second in any_contact()) {
        let before = current(&person(&[&first]));
        let after = current(&person(&[&first, &second]));
        let sent = fields(&second);
        for (name, value) in &sent {
            prop_assert_eq!(after.get(name), value.as_deref(), "{}", name);
        }
        // One spelling of a number may replace the other.
        let untouched = |name: &str| !name.starts_with("phone") && sent.iter().all(|(sent, _)| **sent != *name);
        for (name, value) in before.iter().filter(|(name, _)| untouched(name)) {
            prop_assert_eq!(after.get(name), Some(value));
        }
        for (name, _) in after.iter().filter(|(name, _)| untouched(name)) {
            prop_assert!(before.get(name).is_some());
        }
    }

    #[test]
    fn fields_that_do_not_meet_may_come_in_any_order(first in any_contact(), second in any_contact()) {
        let meet = fields(&first).iter().any(|(name, _)| Fields::parse(&second).unwrap().get(name).is_some());
        if meet {
            return Ok(());
        }
        let (mut one, mut other) = (person(&[&first, &second]), person(&[&second, &first]));
        let spellings = [&first, &second].iter().filter(|raw| raw.contains("\"phone")).count();
        if spellings > 1 {
            // Of two spellings of a number the last one counts.
            (one.columns.phone, other.columns.phone) = (None, None);
        }
        prop_assert_eq!(one.columns, other.columns);
    }

    #[test]
    fn whoever_is_stored_is_found_by_what_was_sent(first in any_contact(), raw in any_contact(), alone: bool) {
        let somebody = if alone { person(&[&raw]) } else { person(&[&first, &raw]) };
        let contact = somebody.contact.as_ref().unwrap();
        let stored = keys::of_person(&somebody.columns, contact.user_id.as_deref(), None);
        let sent = sent(&raw);
        for kind in [KeyKind::UserId, KeyKind::Email] {
            for value in matching::values(&sent.keys, kind) {
                prop_assert!(stored.contains(&(kind, value.into())));
            }
        }
        let phones = &sent.keys.phones;
        let has = |name: &str| sent.fields.iter().any(|(known, value)| **known == *name && value.is_some());
        // A number without its calling code goes with the calling code that is known.
        if !alone && has("phone_number") && !has("phone_countrycode") {
            return Ok(());
        }
        let found = phones.iter().any(|form| stored.contains(&(KeyKind::Phone, form.clone())));
        prop_assert_eq!(found, !phones.is_empty());
    }
}

#[test]
fn a_number_sent_whole_takes_the_place_of_one_sent_in_parts() {
    let somebody = person(&[
        r#"{"phone_number":"0600000001"}"#,
        r#"{"phone":"600000001"}"#,
    ]);
    assert_eq!(
        somebody.columns.phone.as_deref(),
        Some("600000001"),
        "{:?}",
        somebody
    );
}
