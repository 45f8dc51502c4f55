//! The points of sales.

use super::*;

fn earning(ratio: &str) -> Account {
    account(
        vec![campaign(1, ratio), campaign(2, "1")],
        vec![brand(1, Some(1)), brand(2, Some(2))],
    )
}

fn people() -> Shop {
    Shop::new(&[], &[1, 2])
}

/// A sale of an order, on a day of July.
fn sale(customer: i64, order: &str, value: &str) -> String {
    format!(
        r#"{{"match_key":{{"id":"{customer}"}},"event_time":"2019-07-13 12:34:21","order_id":"{order}","value":{value}}}"#
    )
}

/// Number, customer, kind, amount, reversed entry.
fn told(shop: &Shop) -> Vec<(i64, i64, i16, String, Option<i64>)> {
    let entries = shop.entries.iter();
    entries
        .map(|one| {
            let kind = one.kind.stored();
            (
                one.number,
                one.key.customer,
                kind,
                one.amount.text(2),
                one.reverses,
            )
        })
        .collect()
}

#[test]
fn a_sale_earns_once() {
    let account = earning("0.1");
    let mut shop = people();
    let raw = r#"{"match_key":{"id":"1"},"event_time":"2019-07-13 12:34:21","order_id":"O","external_sale_id":"X","value":"545.50"}"#;
    shop.post(&account, &[raw]);
    assert_eq!(
        shop.entries,
        [Posted {
            number: 1,
            key: key(1, 1),
            kind: EntryKind::Add,
            amount: money("54.55"),
            after: money("54.55"),
            day: day(20_190_713),
            given: "545.50".to_owned(),
            formula: Some("545.5 x 0.1".to_owned()),
            authorization: "O".to_owned(),
            reverses: None,
        }]
    );
    let earned = shop.sales[&1].earned.unwrap();
    assert_eq!((earned.entry, earned.points), (1, money("54.55")));
    // The same again, in one request and in another; only its order changes, or what else it says.
    shop.post(&account, &[raw, raw]);
    let order = raw
        .replace("\"O\"", "\"P\"")
        .replace("12:34:21", "23:59:59");
    shop.post(&account, &[&order]);
    shop.post(
        &account,
        &[r#"{"match_key":{"id":"1"},"event_time":"2019-07-13 00:00:00","order_id":"P","note":1}"#],
    );
    assert_eq!(shop.entries.len(), 1);
    assert_eq!(shop.sales[&1].earned, Some(earned));
}

#[test]
fn points_are_rounded_once_and_half_up() {
    for (ratio, value, points) in [
        ("1", "545.5", "545.50"),
        ("0.1", "0.05", "0.01"),
        ("0.1", "0.04", "0.00"),
        ("0.333", "10", "3.33"),
        ("0.3335", "10", "3.34"),
        ("1.5", "0.01", "0.02"),
        ("2", "999999999999.99", "0.00"),
        ("1", "999999999999.99", "999999999999.99"),
        ("0", "5", "0.00"),
        ("1", "0", "0.00"),
        ("1", "-5", "0.00"),
    ] {
        let account = earning(ratio);
        let mut shop = people();
        shop.post(&account, &[&sale(1, "O", value)]);
        assert_eq!(shop.balance(1, 1), points, "{value} x {ratio}");
        let has_entry = points != "0.00";
        assert_eq!(
            shop.entries.len(),
            usize::from(has_entry),
            "{value} x {ratio}"
        );
        assert_eq!(shop.sales[&1].earned.is_some(), has_entry);
    }
}

#[test]
fn what_earns_nothing() {
    let dollars = sale(1, "O", r#"5,"currency":"USD""#);
    let silent = sale(1, "O", "null");
    let mut off = earning("1");
    off.brands[0].campaign = None;
    let mut gone = earning("1");
    gone.brands[0].campaign = Some(9);
    let mut idle = campaign(1, "1");
    idle.active = false;
    let idle = account(vec![idle], vec![brand(1, Some(1))]);
    let mut cards = campaign(1, "1");
    cards.kind = Kind::GiftCard;
    let cards = account(vec![cards], vec![brand(1, Some(1))]);
    let euros = sale(1, "O", "5");
    for (account, raw) in [
        (&earning("1"), &dollars),
        (&earning("1"), &silent),
        (&off, &euros),
        (&gone, &euros),
        (&idle, &euros),
        (&cards, &euros),
    ] {
        let mut shop = people();
        assert_eq!(shop.post(account, &[raw]), [created(1, 1)]);
        assert_eq!(shop.entries, [], "{raw}");
    }
}

#[test]
fn a_changed_value_is_posted_anew() {
    let account = earning("1");
    let mut shop = people();
    for value in ["100", "80.5", "120", "-1", "7"] {
        shop.post(&account, &[&sale(1, "O", value)]);
    }
    assert_eq!(
        told(&shop),
        [
            (1, 1, 1, "100.00".to_owned(), None),
            // What is given comes first.
            (2, 1, 1, "80.50".to_owned(), None),
            (3, 1, 4, "-100.00".to_owned(), Some(1)),
            (4, 1, 1, "120.00".to_owned(), None),
            (5, 1, 4, "-80.50".to_owned(), Some(2)),
            (6, 1, 4, "-120.00".to_owned(), Some(4)),
            (7, 1, 1, "7.00".to_owned(), None),
        ]
    );
    assert_eq!(shop.balance(1, 1), "7.00");
    assert_eq!(shop.open(), []);
    // In one request too.
    let mut one = people();
    let raws = ["100", "80.5", "120", "-1", "7"].map(|value| sale(1, "O", value));
    one.post(&account, &raws.each_ref().map(String::as_str));
    assert_eq!(told(&one), told(&shop));
    // Another value of as many points is none.
    let coarse = earning("0.001");
    let mut shop = people();
    shop.post(&coarse, &[&sale(1, "O", "10")]);
    shop.post(&coarse, &[&sale(1, "O", "10.5")]);
    assert_eq!(shop.entries.len(), 1);
    assert_eq!(shop.sales[&1].value, Some(money("10.5")));
}

#[test]
fn a_sale_is_moved_with_its_points() {
    let account = earning("1");
    let mut shop = people();
    shop.post(&account, &[&sale(1, "O", "100")]);
    // Without a value: from the one that is stored.
    let raw = r#"{"match_key":{"id":"2"},"event_time":"2019-07-13 12:34:21","order_id":"O"}"#;
    assert_eq!(shop.post(&account, &[raw]), [updated(1, 2)]);
    assert_eq!(
        told(&shop),
        [
            (1, 1, 1, "100.00".to_owned(), None),
            (2, 2, 1, "100.00".to_owned(), None),
            (3, 1, 4, "-100.00".to_owned(), Some(1)),
        ]
    );
    assert_eq!(
        (shop.balance(1, 1), shop.balance(2, 1)),
        ("0.00".into(), "100.00".into())
    );
    assert_eq!(
        (&*shop.entries[1].given, &*shop.entries[1].authorization),
        ("100", "O")
    );
    // To another day.
    let raw = r#"{"match_key":{"id":"2"},"event_time":"2019-07-14 12:34:21","order_id":"O"}"#;
    shop.post(&account, &[raw]);
    let days: Vec<i32> = shop.entries.iter().map(|one| one.day.number()).collect();
    assert_eq!(
        days,
        [20_190_713, 20_190_713, 20_190_713, 20_190_714, 20_190_713]
    );
    // To another currency.
    shop.post(&account, &[&sale(2, "O", r#"100,"currency":"USD""#)]);
    assert_eq!(shop.balance(2, 1), "0.00");
    assert_eq!(shop.sales[&1].earned, None);
}

#[test]
fn spent_points_are_owed_and_the_sale_changes_all_the_same() {
    let account = earning("1");
    let mut shop = people();
    shop.post(&account, &[&sale(1, "O", "100")]);
    shop.spend(&account, key(1, 1), money("70"));
    assert_eq!(shop.post(&account, &[&sale(2, "O", "90")]), [updated(1, 2)]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(2, 1)),
        ("30.00".into(), "90.00".into())
    );
    let owed = shop.kept[0].clone();
    assert_eq!(owed.problem.code, Code::PointsOwed);
    assert_eq!(
        owed.problem.message(),
        "The entry 1 of a sale that has changed could not be taken back: the balance in the campaign \"C1\" is 30.00, and 70.00 are missing"
    );
    assert_eq!(
        (owed.place, owed.day, &*owed.raw),
        (1, day(20_190_713), &*sale(2, "O", "90"))
    );
    let earned = shop.sales[&1].earned.unwrap();
    assert_eq!((earned.key, earned.points), (key(2, 1), money("90")));
    // The sale comes again, changes and moves on: what is owed stays open, once.
    shop.post(
        &account,
        &[
            &sale(2, "O", "90"),
            &sale(2, "O", "95"),
            &sale(1, "O", "95"),
        ],
    );
    assert_eq!(shop.open(), [Code::PointsOwed]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(2, 1)),
        ("125.00".into(), "0.00".into())
    );
    // On one balance only the net matters.
    let mut shop = people();
    shop.post(&account, &[&sale(1, "O", "100")]);
    shop.spend(&account, key(1, 1), money("70"));
    shop.post(&account, &[&sale(1, "O", "70")]);
    assert_eq!((shop.balance(1, 1), shop.open()), ("0.00".into(), vec![]));
    shop.post(&account, &[&sale(1, "O", "69.99")]);
    assert_eq!(shop.open(), [Code::PointsOwed]);
    assert_eq!(shop.balance(1, 1), "69.99");
    assert_eq!(shop.sales[&1].earned.unwrap().points, money("69.99"));
    // Two owe in one request: both stay.
    shop.spend(&account, key(1, 1), money("69.99"));
    shop.post(&account, &[&sale(1, "O", "5"), &sale(2, "O", "5")]);
    assert_eq!(shop.open(), [Code::PointsOwed; 2]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(2, 1)),
        ("0.00".into(), "5.00".into())
    );
}

#[test]
fn where_balances_may_fall_below_zero_nothing_is_owed() {
    let mut deep = campaign(1, "1");
    deep.allow_negative = true;
    let account = account(vec![deep], vec![brand(1, Some(1))]);
    let mut shop = people();
    shop.post(&account, &[&sale(1, "O", "100")]);
    shop.spend(&account, key(1, 1), money("70"));
    shop.post(&account, &[&sale(1, "O", "-1")]);
    assert_eq!((shop.balance(1, 1), shop.open()), ("-70.00".into(), vec![]));
}

#[test]
fn points_that_cannot_be_held_are_kept_for_a_person() {
    let account = earning("1");
    let mut shop = people();
    let most = "999999999999.99";
    shop.post(&account, &[&sale(1, "A", most)]);
    assert_eq!(shop.post(&account, &[&sale(1, "B", "10")]), [created(2, 1)]);
    assert_eq!(shop.sales[&2].earned, None);
    assert_eq!(
        shop.kept[0].problem.message(),
        "The points of the sale 2 could not be given: the balance of the campaign C1 would pass 1000000000000"
    );
    // Equal: nothing happens. Changed: it is tried again, and the newer failure counts.
    shop.post(&account, &[&sale(1, "B", "10")]);
    assert_eq!(shop.open(), [Code::PointsNotGiven]);
    shop.post(&account, &[&sale(1, "B", "11")]);
    assert_eq!(shop.open(), [Code::PointsNotGiven]);
    assert!(shop.kept[1].open);
    // Beyond the limit only because the old points are still there.
    shop.post(&account, &[&sale(1, "A", "999999999999.98")]);
    assert_eq!(shop.balance(1, 1), "999999999999.98");
    shop.post(&account, &[&sale(1, "A", "5")]);
    assert_eq!(shop.balance(1, 1), "5.00");
    // Given at last: closed.
    shop.post(&account, &[&sale(1, "B", "12")]);
    assert_eq!((shop.balance(1, 1), shop.open()), ("17.00".into(), vec![]));
    // A product that nothing can hold; the old points are taken back.
    let account = earning("123456.789");
    shop.post(&account, &[&sale(1, "B", most)]);
    assert_eq!(
        (shop.balance(1, 1), shop.open()),
        ("5.00".into(), vec![Code::PointsNotGiven])
    );
    assert_eq!(
        shop.kept.last().unwrap().problem.message(),
        "The points of the sale 2 could not be given: they are more than 1000000000000"
    );
}

#[test]
fn a_campaign_that_is_switched_off_or_changed() {
    let on = earning("1");
    let mut off = earning("1");
    off.brands[0].campaign = None;
    let mut other = earning("3");
    other.brands[0].campaign = Some(2);
    let mut shop = people();
    shop.post(&on, &[&sale(1, "O", "100"), &sale(1, "P", "10")]);
    // An equal sale keeps its points, whatever the brand is like by now.
    for account in [&off, &other, &earning("2")] {
        shop.post(account, &[&sale(1, "O", "100")]);
        assert_eq!(shop.entries.len(), 2);
    }
    // A changed one is what the brand makes of it now.
    shop.post(&other, &[&sale(1, "O", "101")]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(1, 2)),
        ("10.00".into(), "101.00".into())
    );
    shop.post(&off, &[&sale(2, "O", "101"), &sale(1, "P", "11")]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(1, 2)),
        ("0.00".into(), "0.00".into())
    );
    assert_eq!(shop.balance(2, 1), "0.00");
    // Equal sales of before earn nothing when it is on again; changed ones do.
    shop.post(&on, &[&sale(2, "O", "101"), &sale(1, "P", "12")]);
    assert_eq!(
        (shop.balance(1, 1), shop.balance(2, 1)),
        ("12.00".into(), "0.00".into())
    );
    // Points of a campaign that is gone cannot be taken.
    let gone = account(vec![campaign(2, "1")], vec![brand(1, Some(2))]);
    shop.post(&gone, &[&sale(1, "P", "13")]);
    assert_eq!(shop.balance(1, 2), "13.00");
    assert_eq!(
        shop.kept.last().unwrap().problem.detail.as_deref(),
        Some("its campaign is gone")
    );
}

#[test]
fn points_count_for_the_day_of_the_sale_if_that_can_be() {
    let account = earning("1");
    for (time, expected) in [
        ("1900-01-01", 19_000_101),
        ("1899-12-31", TODAY),
        ("2020-01-01", 20_200_101),
        ("2020-01-02", TODAY),
        ("2019-12-31 23:59:59-01:00", 20_200_101),
    ] {
        let raw = sale(1, "O", "5").replace("2019-07-13 12:34:21", time);
        let mut shop = people();
        shop.post(&account, &[&raw]);
        assert_eq!(shop.entries[0].day.number(), expected, "{time}");
    }
}
