//! What holds for any sales.

use super::*;
use proptest::prelude::*;

/// How a brand is configured for a while.
fn shops() -> [Account; 4] {
    let mut off = brand(1, None);
    off.currency = "USD".to_owned();
    let mut idle = campaign(1, "1.5");
    idle.active = false;
    let two = || vec![campaign(1, "1.5"), campaign(2, "0.333")];
    [
        account(two(), vec![brand(1, Some(1)), brand(2, Some(1))]),
        account(two(), vec![brand(1, Some(2)), brand(2, Some(1))]),
        account(two(), vec![off, brand(2, None)]),
        account(vec![idle], vec![brand(1, Some(1)), brand(2, Some(1))]),
    ]
}

fn people() -> Shop {
    Shop::new(
        &[
            (KeyKind::Email, "a@a.example", 1),
            (KeyKind::Email, "b@a.example", 2),
            (KeyKind::Email, "b@a.example", 3),
        ],
        &[4],
    )
}

fn any_item() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        r#"{"id":"1"}"#,
        r#"{"id":2}"#,
        r#"{"id":"4"}"#,
        r#"{"id":"77"}"#,
        r#"{"email":"a@a.example"}"#,
        r#"{"email":"b@a.example"}"#,
        r#"{"email":"x@a.example"}"#,
        "{}",
    ]);
    let time = prop::sample::select(vec!["2019-07-13 10:00:00", "2019-07-14", "1850-01-01", "x"]);
    let id = |name: &'static str| {
        prop::option::weighted(0.7, 0..4_u8)
            .prop_map(move |id| id.map_or(String::new(), |id| format!(r#","{name}":"{id}""#)))
    };
    let value = prop::option::weighted(0.8, -2_i64..9).prop_map(|value| match value {
        Some(8) => r#","value":999999999999.99"#.to_owned(),
        Some(value) => format!(r#","value":{}"#, value * 10),
        None => String::new(),
    });
    let currency = prop::sample::select(vec!["", "", "", r#","currency":"usd""#]);
    let note = prop::option::of(0..3_u8)
        .prop_map(|note| note.map_or(String::new(), |note| format!(r#","note{note}":{note}"#)));
    let parts = (
        keys,
        time,
        id("external_sale_id"),
        id("order_id"),
        value,
        currency,
        note,
    );
    parts.prop_map(|(keys, time, external, order, value, currency, note)| {
        format!(
            r#"{{"match_key":{keys},"event_time":"{time}"{external}{order}{value}{currency}{note}}}"#
        )
    })
}

/// What happens in a shop.
#[derive(Clone, Debug)]
enum Step {
    Post { brand: i32, items: Vec<String> },
    Spend { customer: i64, campaign: i32 },
    Configure(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let items = prop::collection::vec(any_item(), 1..6);
    prop_oneof![
        8 => (1..3, items).prop_map(|(brand, items)| Step::Post { brand, items }),
        2 => (1_i64..5, 1..3).prop_map(|(customer, campaign)| Step::Spend { customer, campaign }),
        1 => (0_usize..4).prop_map(Step::Configure),
    ]
}

/// Takes the steps. Requests that follow each other make a group of at most `size`; with `apart` each item is a request
/// of its own.
fn run(steps: &[Step], size: usize, apart: bool) -> (Shop, Vec<SaleOutcome>) {
    let shops = shops();
    let (mut shop, mut outcomes) = (people(), Vec::new());
    let mut account = &shops[0];
    let mut group: Vec<Sales> = Vec::new();
    let mut flush = |shop: &mut Shop, group: &mut Vec<Sales>, account: &Account| {
        for answer in shop.group(account, group) {
            outcomes.extend(answer.unwrap());
        }
        group.clear();
    };
    for step in steps {
        match step {
            Step::Post { brand, items } => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                let at_once = if apart { 1 } else { items.len() };
                for items in items.chunks(at_once) {
                    group.push(request(account, *brand, items));
                    if group.len() >= size {
                        flush(&mut shop, &mut group, account);
                    }
                }
            }
            Step::Spend { customer, campaign } => {
                flush(&mut shop, &mut group, account);
                let key = key(*customer, *campaign);
                let balance = shop.balances.get(&key).map(|one| one.amount);
                let may = account.campaign_by_number(*campaign).is_some();
                if let Some(balance) = balance.filter(|one| may && *one > Amount::ZERO) {
                    shop.spend(account, key, balance);
                }
            }
            Step::Configure(to) => {
                flush(&mut shop, &mut group, account);
                account = &shops[*to];
            }
        }
    }
    flush(&mut shop, &mut group, account);
    // The place in its request is no law.
    shop.kept.iter_mut().for_each(|item| item.place = 0);
    (shop, outcomes)
}

fn state(outcome: &SaleOutcome) -> (u8, Vec<i64>) {
    match outcome {
        SaleOutcome::Created { customer, .. } => (0, vec![*customer]),
        SaleOutcome::Updated { customer, .. } => (1, vec![*customer]),
        SaleOutcome::NotFound => (2, Vec::new()),
        SaleOutcome::NotUnique { customers } => (3, customers.clone()),
        SaleOutcome::Invalid => (4, Vec::new()),
    }
}

/// An item with ids that are the same whenever it is about sale `n`.
fn known_item() -> impl Strategy<Value = (u8, String)> {
    (0..20_u8, 1_i64..6, -2_i64..9, any::<bool>()).prop_map(|(n, customer, value, both)| {
        let order = if both { format!(r#""order_id":"O{n}","#) } else { String::new() };
        let raw = format!(
            r#"{{"match_key":{{"id":"{customer}"}},"event_time":"2019-07-13","external_sale_id":"X{n}",{order}"value":{value}}}"#
        );
        (n, raw)
    })
}

proptest! {
    #[test]
    fn groups_and_requests_make_no_difference(
        steps in prop::collection::vec(any_step(), 1..14),
        size in 2_usize..5,
    ) {
        // The shop checks its books after each group.
        let (alone, outcomes) = run(&steps, 1, false);
        let items = steps.iter().map(|step| match step {
            Step::Post { items, .. } => items.len(),
            _ => 0,
        });
        prop_assert_eq!(outcomes.len(), items.sum::<usize>());
        let kept = alone.kept.iter().filter(|item| {
            ![Code::PointsOwed, Code::PointsNotGiven].contains(&item.problem.code)
        });
        let stored = outcomes.iter().filter(|outcome| outcome.is_stored()).count();
        prop_assert_eq!(stored + kept.count(), outcomes.len());
        // Of equal sales without ids that wait, each waits for itself when they come in one request; of those that come in
        // two, the later takes the place of the earlier.
        let shops = shops();
        let twice = steps.iter().any(|step| match step {
            Step::Post { brand, items } => shops.iter().any(|account| {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                let sales = request(account, *brand, &items);
                let mut seen = BTreeSet::new();
                let without_ids = sales.items.iter().filter(|item| item.prints.of_content);
                without_ids.map(|item| item.prints.own).any(|print| !seen.insert(print))
            }),
            _ => false,
        });
        for (other, apart) in [(size, false), (1, true), (size, true)] {
            if apart && twice {
                continue;
            }
            let (shop, again) = run(&steps, other, apart);
            prop_assert_eq!(&again, &outcomes);
            prop_assert_eq!(&shop, &alone);
        }
    }

    #[test]
    fn independent_items_may_come_in_any_order(
        items in prop::collection::vec(known_item(), 1..16),
        keys in prop::collection::vec(any::<u32>(), 16),
    ) {
        let mut seen = BTreeSet::new();
        let items: Vec<&str> = items
            .iter()
            .filter(|(n, _)| seen.insert(*n))
            .map(|(_, raw)| raw.as_str())
            .collect();
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_key(|at| keys[*at]);
        let turned: Vec<&str> = order.iter().map(|at| items[*at]).collect();
        let account = &shops()[0];
        let (mut one, mut other) = (people(), people());
        let outcomes = one.post(account, &items);
        let turned = other.post(account, &turned);
        for (at, outcome) in order.iter().zip(&turned) {
            prop_assert_eq!(state(outcome), state(&outcomes[*at]));
        }
        for customer in 1..6 {
            prop_assert_eq!(one.balance(customer, 1), other.balance(customer, 1));
        }
    }

    #[test]
    fn what_is_sent_again_is_only_updated(items in prop::collection::vec(known_item(), 1..16)) {
        let items: Vec<&str> = items.iter().map(|(_, raw)| raw.as_str()).collect();
        let account = &shops()[0];
        let mut shop = people();
        let first = shop.post(account, &items);
        let after = shop.clone();
        let again = shop.post(account, &items);
        for (first, again) in first.iter().zip(&again) {
            match first {
                SaleOutcome::Created { sale, customer } | SaleOutcome::Updated { sale, customer } => {
                    prop_assert_eq!(again, &updated(*sale, *customer));
                }
                other => prop_assert_eq!(again, other),
            }
        }
        // Sales end as they were, and so do balances.
        for (number, sale) in &after.sales {
            let mut now = shop.sales[number].clone();
            now.earned = sale.earned;
            prop_assert_eq!(&now, sale);
        }
        for customer in 1..6 {
            prop_assert_eq!(shop.balance(customer, 1), after.balance(customer, 1));
        }
    }
}
