//! Which sale an item is about, what it changes, what is kept.

use super::*;
use crate::loyalty::sales::read::EXTRA_MAX_BYTES;
use SaleOutcome::{Invalid, NotFound, NotUnique};

fn plain() -> Account {
    account(vec![], vec![brand(1, None), brand(2, None)])
}

fn people() -> Shop {
    Shop::new(
        &[
            (KeyKind::Email, "ann@a.example", 1),
            (KeyKind::Email, "home@a.example", 1),
            (KeyKind::Email, "home@a.example", 2),
        ],
        &[3, 41_367],
    )
}

/// An item about a customer, with more members.
fn of(customer: i64, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"match_key":{{"id":"{customer}"}},"event_time":"2019-07-13 12:34:21"{comma}{members}}}"#
    )
}

fn post(shop: &mut Shop, items: &[String]) -> Vec<SaleOutcome> {
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    shop.post(&plain(), &items)
}

#[test]
fn created_then_updated_by_its_ids() {
    let mut shop = people();
    for (members, expected) in [
        // Unknown ids: new. The external id comes first, the order id second.
        (r#""external_sale_id":"X1","order_id":"O1""#, created(1, 3)),
        (r#""external_sale_id":"X1""#, updated(1, 3)),
        (r#""order_id":"O1""#, updated(1, 3)),
        (r#""order_id":"O2""#, created(2, 3)),
        (r#""external_sale_id":"X1","order_id":"O2""#, updated(1, 3)),
        // Both have the order now: the newest counts.
        (r#""order_id":"O2""#, updated(2, 3)),
        // The sale has another order: not found under the old one.
        (r#""order_id":"O1""#, created(3, 3)),
        // An unknown external id with a known order is that order's sale, which gets the id.
        (r#""external_sale_id":"X2","order_id":"O1""#, updated(3, 3)),
        (r#""external_sale_id":"X2""#, updated(3, 3)),
        (r#""external_sale_id":"X3","order_id":"O1""#, updated(3, 3)),
        (r#""external_sale_id":"X2""#, created(4, 3)),
        // Ids of one kind are none of the other, and are compared exactly.
        (r#""order_id":"X1""#, created(5, 3)),
        (r#""order_id":"o2""#, created(6, 3)),
        // Without ids: always new.
        ("", created(7, 3)),
        ("", created(8, 3)),
        (r#""order_id":"","external_sale_id":null"#, created(9, 3)),
    ] {
        assert_eq!(post(&mut shop, &[of(3, members)]), [expected], "{members}");
    }
    assert_eq!(shop.kept, []);
}

#[test]
fn one_request_is_as_good_as_many() {
    let items: Vec<String> = [
        (3, r#""order_id":"O""#),
        (41_367, r#""order_id":"O","value":5"#),
        (3, r#""external_sale_id":"X","order_id":"O""#),
        (77, r#""order_id":"O""#),
        (3, r#""order_id":"P","external_sale_id":"X""#),
        (3, r#""order_id":"O""#),
    ]
    .map(|(customer, members)| of(customer, members))
    .to_vec();
    let mut one = people();
    let outcomes = post(&mut one, &items);
    assert_eq!(
        outcomes,
        [
            created(1, 3),
            updated(1, 41_367),
            updated(1, 3),
            NotFound,
            updated(1, 3),
            created(2, 3)
        ]
    );
    let mut many = people();
    for (item, outcome) in items.iter().zip(outcomes) {
        assert_eq!(post(&mut many, std::slice::from_ref(item)), [outcome]);
    }
    // But for the places of kept items.
    many.kept.iter_mut().for_each(|item| item.place = 4);
    assert_eq!(one, many);
}

#[test]
fn brands_know_nothing_of_each_other() {
    let mut shop = people();
    let account = plain();
    let raw = of(3, r#""order_id":"O","external_sale_id":"X""#);
    let posted = |shop: &mut Shop, brand| {
        let sales = request(&account, brand, &[&raw]);
        shop.group(&account, &[sales]).remove(0).unwrap()
    };
    assert_eq!(posted(&mut shop, 1), [created(1, 3)]);
    assert_eq!(posted(&mut shop, 2), [created(2, 3)]);
    assert_eq!(posted(&mut shop, 1), [updated(1, 3)]);
    assert_eq!(posted(&mut shop, 2), [updated(2, 3)]);
}

#[test]
fn requests_of_one_group_see_each_other() {
    let mut shop = people();
    let account = plain();
    let raws = [
        of(3, r#""order_id":"O""#),
        of(3, r#""order_id":"O","external_sale_id":"X""#),
        of(41_367, r#""external_sale_id":"X","order_id":"P""#),
        of(3, r#""order_id":"O""#),
        of(3, r#""order_id":"P""#),
    ];
    let group: Vec<Sales> = raws
        .iter()
        .map(|raw| request(&account, 1, &[raw]))
        .collect();
    let answers = shop.group(&account, &group);
    let answers: Vec<SaleOutcome> = answers.into_iter().flat_map(Result::unwrap).collect();
    let expected = [
        created(1, 3),
        updated(1, 3),
        updated(1, 41_367),
        created(2, 3),
        updated(1, 3),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn an_update_changes_what_it_says() {
    let mut shop = people();
    post(
        &mut shop,
        &[of(
            3,
            r#""external_sale_id":"X","order_id":"O","value":"10.50","currency":"usd","shop":"A","n":1"#,
        )],
    );
    let before = shop.sales[&1].clone();
    assert_eq!(
        (before.value, &*before.currency),
        (Some(money("10.5")), "USD")
    );
    // Only who and when are always said. A currency alone is nothing.
    let raw = r#"{"match_key":{"email":"ann@a.example"},"event_time":"14-07-2019 01:00:00","order_id":"O","currency":"JPY","value":null}"#;
    assert_eq!(shop.post(&plain(), &[raw]), [updated(1, 1)]);
    let moved = StoredSale {
        customer: 1,
        event_at: before.event_at + (12 * 3600 + 25 * 60 + 39) * 1_000_000,
        day: day(20_190_714),
        ..before.clone()
    };
    assert_eq!(shop.sales[&1], moved);
    // A value has its own currency: the brand's, if it does not say another.
    let raw = of(
        3,
        r#""external_sale_id":"X","order_id":"P","value":7,"n":null,"m":[1]"#,
    );
    assert_eq!(post(&mut shop, &[raw]), [updated(1, 3)]);
    let changed = StoredSale {
        value: Some(money("7")),
        currency: "EUR".into(),
        order_id: Some("P".into()),
        extra: Some(r#"{"shop":"A","n":null,"m":[1]}"#.into()),
        ..before
    };
    assert_eq!(shop.sales[&1], changed);
}

#[test]
fn nothing_is_written_where_nothing_changes() {
    let account = plain();
    let mut shop = people();
    let raw = of(3, r#""order_id":"O","value":7,"n":1"#);
    shop.post(&account, &[&raw]);
    let before = shop.clone();
    let sales = request(&account, 1, &[&raw, &raw]);
    let ledger = shop.load(&account, std::slice::from_ref(&sales));
    let decided = decide::decide(&account, &sales, &ledger).unwrap();
    assert_eq!(decided.outcome, [updated(1, 3), updated(1, 3)]);
    let (rows, _) = decided.stored.unwrap();
    assert_eq!((rows.entries.len(), rows.refused.len()), (0, 0));
    let rows = rows.sales.unwrap();
    assert_eq!(rows.changes, []);
    // What was kept under the same order would be closed.
    assert_eq!(rows.prints, [(sales.items[0].prints.own, i64::MAX); 2]);
    assert_eq!(shop.post(&account, &[&raw]), [updated(1, 3)]);
    assert_eq!(shop, before);
    // Changed and changed back.
    let other = of(41_367, r#""order_id":"O","value":8,"n":2"#);
    shop.post(&account, &[&other, &raw]);
    assert_eq!(shop, before);
    // No items, nothing at all.
    let none = request(&account, 1, &[]);
    let ledger = shop.load(&account, std::slice::from_ref(&none));
    let decided = decide::decide(&account, &none, &ledger).unwrap();
    assert!(decided.outcome.is_empty() && decided.stored.is_none());
}

#[test]
fn what_cannot_be_stored_is_kept() {
    let mut shop = people();
    let raws = [
        of(77, ""),
        r#"{"match_key":{"email":"home@a.example"},"event_time":"2016-08-10 11:14:13","value":2200}"#
            .to_owned(),
        r#"{"match_key":{"id":"3"},"event_time":"30-02-2020"}"#.to_owned(),
        r#"{"match_key":{"id":"3"},"event_time":"2016-08-10 11:14:13","value":"x"}"#.to_owned(),
        "17".to_owned(),
        of(3, ""),
        r#"{"match_key":{"email":"NONE@a.example","phone":"+34 600 000 000"},"event_time":"2016-08-10"}"#
            .to_owned(),
    ];
    assert_eq!(
        post(&mut shop, &raws),
        [
            NotFound,
            NotUnique {
                customers: vec![1, 2]
            },
            Invalid,
            Invalid,
            Invalid,
            created(1, 3),
            NotFound
        ]
    );
    let kept = shop.kept.iter().map(|item| {
        let (field, value) = (&item.problem.field, &item.problem.value);
        let about = (field.as_deref().unwrap(), value.as_deref().unwrap());
        let raw = usize::try_from(item.place).unwrap() - 1;
        assert_eq!(item.raw, raws[raw]);
        (
            item.number,
            item.place,
            item.problem.code,
            about,
            item.day.number(),
        )
    });
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [
            (1, 1, Code::SaleNotFound, ("match_key", "77"), 20_190_713),
            (
                2,
                2,
                Code::SaleNotUnique,
                ("match_key", "home@a.example"),
                20_160_810
            ),
            (
                3,
                3,
                Code::BadEventTime,
                ("event_time", "30-02-2020"),
                TODAY
            ),
            (4, 4, Code::BadSale, ("value", "x"), 20_160_810),
            (5, 5, Code::BadSale, ("item", "17"), TODAY),
            (
                6,
                7,
                Code::SaleNotFound,
                ("match_key", "none@a.example, 34600000000"),
                20_160_810
            ),
        ]
    );
    let texts = [0, 1].map(|at| shop.kept[at].problem.message());
    assert_eq!(
        texts,
        [
            "Userdata not found",
            "Can't resolve unique registry by attribution"
        ]
    );
}

#[test]
fn what_comes_again_closes_what_was_kept() {
    let mut shop = people();
    let lost = |members: &str| of(77, members);
    // The same again: the newer one stays open.
    post(&mut shop, &[lost(r#""order_id":"O""#)]);
    post(&mut shop, &[lost(r#""order_id":"O","value":5"#)]);
    assert_eq!(shop.open(), [Code::SaleNotFound]);
    assert!(shop.kept[1].open);
    // In one request too.
    post(
        &mut shop,
        &[lost(r#""order_id":"O""#), lost(r#""order_id":"O""#)],
    );
    assert_eq!(shop.open().len(), 1);
    assert!(shop.kept[3].open);
    // Stored: closed, also in the request that opened it.
    post(&mut shop, &[of(3, r#""order_id":"O""#)]);
    assert_eq!(shop.open(), []);
    post(
        &mut shop,
        &[lost(r#""order_id":"P""#), of(3, r#""order_id":"P""#)],
    );
    assert_eq!(shop.open(), []);
    // The other way round it stays.
    post(
        &mut shop,
        &[of(3, r#""order_id":"P""#), lost(r#""order_id":"P""#)],
    );
    assert_eq!(shop.open(), [Code::SaleNotFound]);
    // By the external id, and by the order that comes with it.
    post(&mut shop, &[lost(r#""external_sale_id":"X""#)]);
    assert_eq!(shop.open().len(), 2);
    post(
        &mut shop,
        &[of(3, r#""order_id":"P","external_sale_id":"X""#)],
    );
    assert_eq!(shop.open(), []);
    // Kept with both it is known by the external id.
    post(
        &mut shop,
        &[lost(r#""order_id":"Q","external_sale_id":"Y""#)],
    );
    post(&mut shop, &[of(3, r#""order_id":"Q""#)]);
    assert_eq!(shop.open().len(), 1);
    post(&mut shop, &[of(3, r#""external_sale_id":"Y""#)]);
    assert_eq!(shop.open(), []);
    // Invalid ones have ids too; without ids it is all that is documented.
    let bad = r#"{"match_key":{"id":"3"},"event_time":"x","order_id":"R"}"#;
    shop.post(&plain(), &[bad, &lost("")]);
    assert_eq!(shop.open(), [Code::BadEventTime, Code::SaleNotFound]);
    post(
        &mut shop,
        &[of(3, r#""order_id":"R""#), lost(r#""note":1"#)],
    );
    assert_eq!(shop.open(), [Code::SaleNotFound]);
    assert_eq!(shop.kept.last().map(|item| item.open), Some(true));
}

#[test]
fn one_is_assigned_or_nothing_changes() {
    let account = plain();
    let mut shop = people();
    shop.post(&account, &[&of(77, r#""order_id":"O""#)]);
    let before = shop.clone();
    let assign = |raw: &str| Sales {
        source: Source::Assign { rejection: 1 },
        ..request(&account, 1, &[raw])
    };
    for (raw, code) in [
        (of(78, r#""order_id":"O""#), Code::SaleNotFound),
        (of(3, r#""order_id":"O","value":"x""#), Code::BadSale),
        (
            r#"{"match_key":{"id":"3"},"event_time":"x"}"#.to_owned(),
            Code::BadEventTime,
        ),
    ] {
        let answer = shop.group(&account, &[assign(&raw)]).remove(0);
        assert_eq!(answer.unwrap_err().code, code, "{raw}");
        assert_eq!(shop, before);
    }
    let answer = shop.group(&account, &[assign(&of(3, r#""order_id":"O""#))]);
    assert_eq!(answer, [Ok(vec![created(1, 3)])]);
}

#[test]
fn a_brand_that_is_gone_posts_nothing() {
    let with = plain();
    let sales = request(&with, 2, &[&of(3, "")]);
    let without = account(vec![], vec![brand(1, None)]);
    let answer = people().group(&without, &[sales]).remove(0);
    assert_eq!(answer.unwrap_err().code, Code::BadCredentials);
}

#[test]
fn members_that_pile_up_go_when_they_are_old() {
    let mut shop = people();
    let fill = "x".repeat(EXTRA_MAX_BYTES / 4);
    for at in 0..6 {
        let members = format!(r#""order_id":"O","m{at}":"{fill}","last":{at}"#);
        post(&mut shop, &[of(3, &members)]);
    }
    let extra = shop.sales[&1].extra.as_deref().unwrap();
    assert!(extra.len() <= EXTRA_MAX_BYTES, "{}", extra.len());
    let names: Vec<String> = crate::json::object(extra)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(names, ["last", "m3", "m4", "m5"]);
    // As much as one item may say stays whole.
    let huge = "y".repeat(EXTRA_MAX_BYTES - r#"{"huge":""}"#.len());
    let said = of(3, &format!(r#""order_id":"O","huge":"{huge}""#));
    post(&mut shop, &[said]);
    let extra = shop.sales[&1].extra.as_deref().unwrap();
    assert_eq!(extra, format!(r#"{{"huge":"{huge}"}}"#));
    // More is kept as it was sent, and the sale stays as it is.
    let more = of(3, &format!(r#""order_id":"O","huge":"{huge}y""#));
    let outcome = post(&mut shop, &[more]);
    assert_eq!(outcome, [SaleOutcome::Invalid]);
    assert_eq!(
        shop.sales[&1].extra.as_deref().unwrap().len(),
        EXTRA_MAX_BYTES
    );
}
