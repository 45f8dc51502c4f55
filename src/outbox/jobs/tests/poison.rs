//! Items, purchases and jobs that cannot be stored.

use super::*;
use crate::loyalty::sync::claim::Queued;
use crate::outbox::desk::fake::{Fake, OnWork};
use crate::outbox::jobs::progress::At;
use crate::outbox::testing::account;

/// Refuses whatever holds an item, or the purchase, unless that is to be noted as failed.
fn poison(code: Code, culprits: &'static [&'static str]) -> OnWork {
    Box::new(move |work| {
        let is_in = work.items.iter().any(|item| {
            culprits
                .iter()
                .any(|culprit| item.sent.raw.contains(culprit))
        });
        let purchase = work.purchase.is_some() && culprits.contains(&"purchase");
        let spared = work.poisoned.is_some()
            && work.items.len() <= 1
            && !(work.items.len() == 1 && purchase);
        ((is_in || purchase) && !spared).then(|| Say::Refuse(problem(code)))
    })
}
#[test]
fn only_the_item_that_cannot_be_stored_fails() {
    for code in [Code::NotStored, Code::OutcomeUnknown] {
        let (ended, state) = work_off(State {
            on_work: Some(poison(code, &["\"u317\"", "\"u318\"", "\"u999\""])),
            ..contacts(1000)
        });
        assert_eq!(ended, Ended::Done, "{code:?}");
        each_once(&state);
        let failed: Vec<usize> = (0..1000)
            .filter(|place| state.stored[*place].2.is_some())
            .collect();
        assert_eq!(failed, [317, 318, 999], "{code:?}");
        assert!(
            state.given_up.is_none() && state.seen.len() < 100,
            "{}",
            state.seen.len()
        );
    }
}

#[test]
fn the_reference_of_the_log_is_told() {
    let (_, state) = work_off(State {
        on_work: Some(poison(Code::NotStored, &["\"u1\""])),
        ..contacts(3)
    });
    assert_eq!(state.stored[1].2.as_deref(), Some("ref-1"));
}

#[test]
fn a_purchase_that_cannot_be_stored_fails_alone() {
    for code in [Code::NotStored, Code::OutcomeUnknown] {
        for count in [0, 1, 700] {
            let (ended, state) = work_off(State {
                purchase: Some("{}".to_owned()),
                on_work: Some(poison(code, &["purchase"])),
                ..contacts(count)
            });
            assert_eq!(ended, Ended::Done, "{code:?} {count}");
            each_once(&state);
            assert!(
                state.stored.iter().all(|(.., poisoned)| poisoned.is_none()),
                "{code:?} {count}"
            );
            let last = state.seen.last().unwrap();
            assert!(
                last.poisoned.is_some() && last.items == 0 && last.finish,
                "{code:?} {count}"
            );
        }
    }
}

#[test]
fn a_job_that_cannot_go_on_is_given_up() {
    let nothing_with_items =
        |work: &Work| (!work.items.is_empty()).then(|| Say::Refuse(problem(Code::NotStored)));
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(nothing_with_items)),
        ..contacts(40)
    });
    assert_eq!(
        (ended, state.given_up.as_deref()),
        (Ended::Done, Some("ref-1"))
    );
    // Not even that.
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(|_| Some(Say::Refuse(problem(Code::NotStored))))),
        ..contacts(40)
    });
    assert_eq!((ended, state.finished), (Ended::Later, false));
    // Its contacts are gone.
    let (ended, state) = work_off(State {
        no_parts: true,
        ..contacts(40)
    });
    assert_eq!(
        (ended, state.given_up.as_deref()),
        (Ended::Done, Some("its contacts are not there"))
    );
    // Twenty workers were lost over it.
    let (ended, state) = work_off(State {
        stuck: 19,
        ..contacts(40)
    });
    assert_eq!(
        (ended, state.given_up.is_some(), state.seen.len()),
        (Ended::Done, true, 1)
    );
}

#[test]
fn the_more_often_it_was_taken_the_fewer_at_once() {
    let fake = Fake {
        state: contacts(9).into(),
        account: account().0,
    };
    let limits = [0, 1, 2, 3, 4, 5, 11, 12, 19, 20, 1000].map(|stuck| {
        let queued = Queued {
            job: JOB,
            cursor: 0,
            valid: 0,
            failed: 0,
            charged: 0,
            claims: stuck,
            stuck,
            started_at: None,
            claimed_until: 0,
            token: None,
        };
        let at = At::of(&Claimed {
            queued,
            head: fake.head(),
            purchase: None,
        });
        (at.limit, at.poisoned.is_some(), at.given_up.is_some())
    });
    let (fresh, poisoned, given_up) = ((1, false, false), (1, true, false), (1, false, true));
    assert_eq!(
        limits[..4],
        [
            (500, false, false),
            (500, false, false),
            (62, false, false),
            (7, false, false)
        ]
    );
    assert_eq!(
        limits[4..],
        [fresh, fresh, fresh, poisoned, poisoned, given_up, given_up]
    );
}
