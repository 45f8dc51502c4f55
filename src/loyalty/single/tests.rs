//! A single transaction and a line of a batch with the same values are the same.

use super::*;
use crate::loyalty::account::{Item, Operand, Promotion, Reward, User};
use crate::loyalty::batch;
use crate::loyalty::ledger::{Balance, Holder, Holders, Numbers, SyncNumbers};
use crate::loyalty::lines::Layout;
use crate::loyalty::rights::Need;
use chrono_tz::Tz;
use proptest::prelude::*;
use std::sync::Arc;

fn account() -> Account {
    let raw = Amount::from_raw;
    let of = |number: i32, (kind, word): (Kind, &str)| Campaign {
        points_ratio: raw(25_000),
        reward_ratio: Some(raw(100_000)),
        earned_per_event: raw(12_550),
        rewards: vec![Reward {
            number,
            id: "7".to_owned(),
            reward_id: Some("own".to_owned()),
            level: raw(70_000),
            description: String::new(),
        }],
        promotions: vec![Promotion {
            id: "9".to_owned(),
            operand: Operand::Times,
            value: raw(15_000),
            description: String::new(),
        }],
        items: vec![Item {
            number: 1,
            id: "i".to_owned(),
            service_product: "Coffee".to_owned(),
            description: String::new(),
            buy_amount: 10,
        }],
        ..Campaign::new(number, word, word, kind)
    };
    let campaigns = (1..).zip(Kind::ALL).map(|(number, kind)| of(number, kind));
    let users = vec![User::new(1, "u", &[[1; 32]])];
    let (id, name) = ("a".to_owned(), "A".to_owned());
    Account::new(1, id, name, Tz::UTC, 1, users, campaigns.collect())
}

fn caller(need: Need) -> Caller {
    Caller {
        account: 1,
        user_id: "u".to_owned(),
        key: [1; 32],
        need,
    }
}

fn ledger(balance: i64) -> Ledger {
    let holder = |customer, replaced| Holder { customer, replaced };
    let known: Holders = [
        ("11".into(), holder(1, false)),
        ("12".into(), holder(2, false)),
        ("old".into(), holder(1, true)),
    ]
    .into();
    let numbers = Numbers {
        entry: 100,
        batch: 7,
        customer: 3,
        rejection: 1,
        sale: 1,
        sync: SyncNumbers::default(),
    };
    let mut ledger = Ledger::new(numbers, vec![Arc::new(known)]);
    let balance = Balance {
        amount: Amount::from_raw(balance),
        last_entry: 42,
    };
    ledger.load((1..=5).map(|campaign| {
        let item = i32::from(campaign == 3);
        let key = BalanceKey {
            customer: 1,
            campaign,
            item,
        };
        (key, balance)
    }));
    ledger
}

fn single(values: &[(Column, &str)], how: (bool, bool)) -> Result<Single, Problem> {
    let caller = caller(Need::POST);
    Single::new(caller, values, how, Utc::now(), &account())
}

proptest! {
    #[test]
    fn a_single_transaction_does_what_a_line_does(
        kind in 0..5_usize,
        code in prop::sample::select(vec!["11", "12", "13", "old", ""]),
        card in prop::sample::select(vec!["", "11", "12", "13"]),
        redeemed in prop::sample::select(vec!["N", "Y"]),
        amount in "(|0|7|own|[0-9]{1,3}(\\.[0-9]{1,3})?|1,5|x)",
        promotions in prop::sample::select(vec!["", "9", "9,9", "8"]),
        item in prop::sample::select(vec!["", "i", "COFFEE", "Tea"]),
        authorization in "[a-z ]{0,5}",
        ratio: bool,
        balance in 0..1_000_000_i64,
    ) {
        let account = account();
        let campaign = Kind::ALL[kind].1;
        let values = [
            (Column::Campaign, campaign),
            (Column::Code, code),
            (Column::Card, card),
            (Column::Redeemed, redeemed),
            (Column::Amount, amount.as_str()),
            (Column::Promotions, promotions),
            (Column::Item, item),
            (Column::Authorization, authorization.as_str()),
            (Column::Custom(4), "red"),
        ];
        let layout = Layout {
            columns: values.iter().map(|(column, _)| *column).collect(),
            delimiter: '|',
            apply_ratio: ratio,
            old_generation: false,
            create_customers: false,
        };
        let line: Vec<&str> = values.iter().map(|(_, value)| *value).collect();
        let lines = Lines::find(line.join("|"), layout, 1, 1000).unwrap();
        let source = Source::Caller(caller(Need::POST_OR_REDEEM));
        let batch = Batch::new(source, lines, Wishes::default(), Utc::now(), &account).unwrap();
        let ledger = ledger(balance);
        let (rows, _) = batch::decide(&account, &batch, &ledger).stored.unwrap();
        let one = single(&values, (ratio, false)).unwrap();
        prop_assert_eq!(one.keys().len(), batch.keys().count());
        match one.decide(&account, &ledger) {
            Ok(decided) => {
                let (own, _) = decided.stored.unwrap();
                let [entry] = own.entries.as_slice() else { panic!("one entry") };
                let line = Entry { line: None, ..rows.entries[0].clone() };
                prop_assert_eq!(entry, &line);
                prop_assert!(own.batch.is_none() && own.refused.is_empty());
                let receipt = decided.outcome;
                prop_assert_eq!(receipt.balance, line.balance_after);
                prop_assert_eq!(receipt.amount.raw(), line.amount.raw().abs());
                prop_assert_eq!(receipt.redeem, redeemed == "Y");
            }
            Err(problem) => {
                let refused = &rows.refused[0].problem;
                prop_assert_eq!(&problem, &own_words(refused.clone()));
                prop_assert!(problem.code != Code::UnknownCustomer && problem.code != Code::UnknownReward);
            }
        }
    }
}

#[test]
fn money_is_redeemed_as_points() {
    let values = [
        (Column::Campaign, "points"),
        (Column::Code, "11"),
        (Column::Redeemed, "Y"),
        (Column::Amount, "1.495"),
    ];
    let one = single(&values, (false, true)).unwrap();
    let account = account();
    let decided = one.decide(&account, &ledger(200_000)).unwrap();
    assert_eq!(decided.outcome.amount, Amount::from_raw(149_500));
    assert_eq!(decided.outcome.balance, Amount::from_raw(50_500));
    let (rows, _) = decided.stored.unwrap();
    assert_eq!(rows.entries[0].formula.as_deref(), Some("1.495 x 10"));
    let too_much = one.decide(&account, &ledger(149_499)).unwrap_err();
    assert_eq!(too_much.code, Code::RewardExceedsPoints);
}
