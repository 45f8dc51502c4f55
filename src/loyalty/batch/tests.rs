//! What holds for any sequence of lines.

use super::*;
use crate::amount::Amount;
use crate::loyalty::account::{Campaign, Kind};
use crate::loyalty::ledger::{Balance, Holder, Holders, SyncNumbers};
use crate::loyalty::lines::{Column, Layout};
use crate::loyalty::rights::{Right, Rights};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

fn campaign(number: i32, id: &str, kind: Kind) -> Campaign {
    Campaign {
        points_ratio: Amount::from_raw(20_000),
        ..Campaign::new(number, id, id, kind)
    }
}

fn account() -> Account {
    account_of(Rights::ALL)
}

/// An account with a user who may do this.
fn account_of(rights: Rights) -> Account {
    let user = User {
        rights,
        ..User::new(1, "u", &[[1; 32]])
    };
    let campaigns = vec![
        campaign(1, "P", Kind::Points),
        campaign(2, "G", Kind::GiftCard),
    ];
    Account::new(
        1,
        "a".to_owned(),
        "A".to_owned(),
        Tz::UTC,
        1,
        vec![user],
        campaigns,
    )
}

fn batch(account: &Account, data: &str, create_customers: bool) -> Batch {
    let layout = Layout {
        columns: vec![
            Column::Campaign,
            Column::Code,
            Column::Redeemed,
            Column::Amount,
        ],
        delimiter: '|',
        apply_ratio: false,
        old_generation: false,
        create_customers,
    };
    let lines = Lines::find(data.to_owned(), layout, 1000, 1000).unwrap();
    let caller = Caller {
        account: 1,
        user_id: "u".to_owned(),
        key: [1; 32],
        need: Need::POST_OR_REDEEM,
    };
    Batch::new(
        Source::Caller(caller),
        lines,
        Wishes::default(),
        Utc::now(),
        account,
    )
    .unwrap()
}

fn ledger() -> Ledger {
    let holder = |customer| Holder {
        customer,
        replaced: false,
    };
    let known: Holders = [
        ("11".into(), holder(1)),
        ("12".into(), holder(2)),
        ("13".into(), holder(2)),
    ]
    .into();
    let mut ledger = Ledger::new(
        Numbers {
            entry: 100,
            batch: 7,
            customer: 3,
            rejection: 1,
            sale: 1,
            sync: SyncNumbers::default(),
        },
        vec![Arc::new(known)],
    );
    let key = BalanceKey {
        customer: 1,
        campaign: 1,
        item: 0,
    };
    ledger.load([(
        key,
        Balance {
            amount: Amount::from_raw(500_000),
            last_entry: 42,
        },
    )]);
    ledger
}

#[test]
fn lines_need_the_right_of_what_they_do() {
    for (right, missing) in [
        (Right::Post, Code::MayNotRedeem),
        (Right::Redeem, Code::MayNotPost),
    ] {
        let account = account_of(Rights::of(&[right]));
        let batch = batch(&account, "P|11|N|5\nP|11|Y|5", false);
        let decided = decide(&account, &batch, &ledger());
        let (rows, _) = decided.stored.unwrap();
        let codes: Vec<Code> = rows.refused.iter().map(|one| one.problem.code).collect();
        assert_eq!((rows.entries.len(), codes), (1, vec![missing]), "{right:?}");
    }
    let caller = Caller {
        account: 1,
        user_id: "u".to_owned(),
        key: [1; 32],
        need: Need::POST_OR_REDEEM,
    };
    let refused =
        |account: &Account, caller: &Caller| caller.permitted(account).err().map(|one| one.code);
    let reader = account_of(Rights::of(&[Right::Read]));
    assert_eq!(refused(&account(), &caller), None);
    assert_eq!(refused(&reader, &caller), Some(Code::NotPermitted));
    let wrong = Caller {
        key: [2; 32],
        ..caller
    };
    assert_eq!(refused(&reader, &wrong), Some(Code::BadCredentials));
}

/// Lines of which some are good, some too dear, some broken, some blank.
fn data() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => ("[PG]", "1[1-6]", "[YN]", 0_u32..90_00)
            .prop_map(|(campaign, code, redeemed, cents)| format!("{campaign}|{code}|{redeemed}|{}.{:02}", cents / 100, cents % 100)),
        1 => "[PGX|YN0-9,. ]{0,20}",
        1 => Just(String::new()),
    ];
    proptest::collection::vec(line, 1..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn balances_are_the_sums_of_their_entries_and_chains_are_whole(
        texts in proptest::collection::vec(data(), 1..4),
        create: bool,
    ) {
        let account = account();
        let mut ledger = ledger();
        let mut sums: HashMap<BalanceKey, (Amount, Option<i64>)> = HashMap::new();
        sums.insert(BalanceKey { customer: 1, campaign: 1, item: 0 }, (Amount::from_raw(500_000), Some(42)));
        let mut next_entry = 100;
        let mut created = HashSet::new();
        for text in texts {
            if text.lines().all(|line| line.trim().is_empty()) {
                continue;
            }
            let batch = batch(&account, &text, create);
            let decided = decide(&account, &batch, &ledger);
            let (rows, changes) = decided.stored.unwrap();
            let filled = text.lines().filter(|line| !line.trim().is_empty()).count();
            prop_assert_eq!(decided.outcome.transactions + decided.outcome.rejected, filled);
            prop_assert_eq!(rows.entries.len(), decided.outcome.transactions);
            for entry in &rows.entries {
                prop_assert_eq!(entry.number, next_entry);
                next_entry += 1;
                let (sum, last) = sums.entry(entry.key).or_insert((Amount::ZERO, None));
                *sum = sum.checked_add(entry.amount).unwrap();
                prop_assert_eq!(entry.balance_after, *sum);
                prop_assert_eq!(entry.previous, *last);
                prop_assert!(!sum.is_negative());
                *last = Some(entry.number);
            }
            for customer in &rows.customers {
                prop_assert!(create && created.insert(customer.number), "a customer is created once");
                prop_assert!(rows.entries.iter().any(|entry| entry.key.customer == customer.number));
            }
            let kept: HashSet<u32> = rows.refused.iter().map(|refused| refused.line).collect();
            prop_assert_eq!(kept.len(), decided.outcome.rejected);
            ledger.accept(changes);
        }
        for (key, balance) in ledger.changed() {
            prop_assert_eq!((balance.amount, Some(balance.last_entry)), sums[&key]);
        }
    }
}

#[test]
fn a_dropped_overlay_leaves_no_trace() {
    let account = account();
    let ledger = ledger();
    let batch = batch(&account, "P|11|N|5\nP|99|N|1", true);
    let first = decide(&account, &batch, &ledger);
    let second = decide(&account, &batch, &ledger);
    assert_eq!(first.outcome, second.outcome);
    assert_eq!(first.stored.unwrap().0, second.stored.unwrap().0);
}

#[test]
fn a_new_code_is_one_customer_for_the_whole_batch_and_only_if_a_line_is_imported() {
    let account = account();
    let ledger = ledger();
    let batch = batch(&account, "P|77|Y|5\nP|77|N|5\nP|77|Y|2\nP|88|Y|1", true);
    let decided = decide(&account, &batch, &ledger);
    assert_eq!(
        decided.stored.unwrap().0.customers,
        [NewCustomer {
            number: 3,
            code: "77",
            card: None
        }]
    );
    assert_eq!(
        (decided.outcome.transactions, decided.outcome.rejected),
        (2, 2)
    );
}

#[test]
fn equal_refused_lines_of_a_batch_have_fingerprints_of_their_own_and_those_of_another_batch_the_same()
 {
    let account = account();
    let ledger = ledger();
    let prints = |data: &str| {
        let batch = batch(&account, data, false);
        let (rows, _) = decide(&account, &batch, &ledger).stored.unwrap();
        rows.refused
            .iter()
            .map(|refused| refused.fingerprint)
            .collect::<Vec<_>>()
    };
    let first = prints("P|99|N|5\n P | 99 |N|5\nP|11|N|1\nP|99|N|6");
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 3);
    assert_eq!(
        prints("P|99|N|6\n\nP|99|N|5\nP|99|N|5"),
        [first[2], first[0], first[1]]
    );
}
