use super::*;
use crate::outbox::desk::fake::{ACCOUNT, JOB, Say, Seen, State};
use crate::outbox::testing::{block_on, problem, worker};
use std::cell::Cell;
use std::time::{Duration, Instant};

mod mail;
mod poison;

fn contacts(count: usize) -> State {
    State {
        contacts: (0..count)
            .map(|number| format!("{{\"user_id\":\"u{number}\"}}"))
            .collect(),
        part_length: 500,
        ..State::default()
    }
}

/// Runs one errand and gives back what the desk has seen.
fn work_off(state: State) -> (Ended, State) {
    let (worker, _stop) = worker(state, None);
    let ended = block_on(run(&worker, ACCOUNT, JOB));
    (ended, worker.desk.state.into_inner())
}

/// Each item was stored once, in its order.
fn each_once(state: &State) {
    let stored: Vec<&String> = state.stored.iter().map(|(text, ..)| text).collect();
    assert_eq!(stored, state.contacts.iter().collect::<Vec<_>>());
}

fn seen(first: i32, items: usize, finish: bool) -> Seen {
    Seen {
        first,
        items,
        finish,
        poisoned: None,
        purchase: false,
    }
}

#[test]
fn a_job_is_worked_off_part_by_part() {
    let (ended, state) = work_off(contacts(1200));
    assert_eq!(ended, Ended::Done);
    each_once(&state);
    assert_eq!(
        state.seen,
        [
            seen(0, 500, false),
            seen(500, 500, false),
            seen(1000, 200, true)
        ]
    );
    assert_eq!(state.wishes, [Wish::Take]);
    let (_, state) = work_off(contacts(1));
    assert_eq!(state.seen, [seen(0, 1, true)]);
}

#[test]
fn a_purchase_alone_is_an_end_without_items() {
    let purchase = Some("{}".to_owned());
    let (ended, state) = work_off(State {
        purchase,
        ..State::default()
    });
    assert_eq!(ended, Ended::Done);
    assert_eq!(
        state.seen,
        [Seen {
            purchase: true,
            ..seen(0, 0, true)
        }]
    );
    // Beside contacts it comes with the last of them.
    let purchase = Some("{}".to_owned());
    let (_, state) = work_off(State {
        purchase,
        ..contacts(501)
    });
    let with_purchase: Vec<bool> = state.seen.iter().map(|seen| seen.purchase).collect();
    assert_eq!(with_purchase, [false, true]);
}

#[test]
fn what_belongs_to_others_is_left_alone() {
    let taken = State {
        token: Some("other".to_owned()),
        until: Some(Instant::now() + Duration::from_secs(9)),
        ..contacts(3)
    };
    let (ended, state) = work_off(taken);
    assert_eq!(
        (ended, state.seen.len(), state.stored.len()),
        (Ended::Later, 0, 0)
    );
    let (worker, _stop) = worker(contacts(3), None);
    assert_eq!(block_on(run(&worker, ACCOUNT + 1, JOB)), Ended::Later);
    assert!(worker.desk.state.borrow().wishes.is_empty());
}

#[test]
fn a_refusal_for_now_is_waited_out() {
    let count = Cell::new(0);
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(move |_| {
            count.set(count.get() + 1);
            (count.get() < 3).then(|| Say::Refuse(problem(Code::Unavailable)))
        })),
        ..contacts(600)
    });
    assert_eq!(ended, Ended::Done);
    each_once(&state);
    assert_eq!(state.wishes, [Wish::Take, Wish::Renew, Wish::Renew]);
    // For ever: until the lease would have been over.
    let begun = Instant::now();
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(|_| Some(Say::Refuse(problem(Code::Unavailable))))),
        ..contacts(3)
    });
    assert_eq!((ended, state.stored.len()), (Ended::Later, 0));
    assert!(
        begun.elapsed() >= Duration::from_millis(600) && begun.elapsed() < Duration::from_secs(3)
    );
}

#[test]
fn a_lost_answer_is_looked_up() {
    let count = Cell::new(0);
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(move |_| {
            count.set(count.get() + 1);
            (count.get() % 2 == 1).then_some(Say::LoseAnswer)
        })),
        ..contacts(1200)
    });
    assert_eq!(ended, Ended::Done);
    each_once(&state);
}

#[test]
fn whoever_lost_the_claim_writes_nothing_more() {
    let (ended, state) = work_off(State {
        on_work: Some(Box::new(|work| {
            (work.first == 500).then(|| Say::Refuse(problem(Code::ClaimLost)))
        })),
        ..contacts(1200)
    });
    assert_eq!(
        (ended, state.stored.len(), state.seen.len()),
        (Ended::Later, 500, 2)
    );
    assert_eq!(state.wishes, [Wish::Take]);
}

#[test]
fn an_order_to_stop_gives_the_job_back() {
    let (worker, stop) = worker(contacts(1200), None);
    let stop_after_first = move |_: &Work| {
        stop.send(true).unwrap();
        None
    };
    worker.desk.state.borrow_mut().on_work = Some(Box::new(stop_after_first));
    assert_eq!(block_on(run(&worker, ACCOUNT, JOB)), Ended::Later);
    let state = worker.desk.state.into_inner();
    assert_eq!((state.stored.len(), state.until), (500, None));
    assert_eq!(state.wishes, [Wish::Take, Wish::Release]);
}
