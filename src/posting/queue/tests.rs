use super::*;
use crate::loyalty::undo::Undo;
use std::sync::Arc;
use std::time::Duration;

/// A request of an account that is known by its number.
fn job(account: i32, number: i64, large: bool) -> Job {
    let undo = Undo {
        account,
        batch: number,
        skip_blocked: false,
        even_unlisted: false,
        images_kept_us: 0,
        found: None,
    };
    Job {
        large,
        ..Job::new(Command::Undo(undo), None)
    }
}

fn queue(writers: usize, shared: bool) -> Queue {
    Queue::new(writers, shared, (100, 1_000_000), 3)
}

fn push(queue: &Queue, jobs: &[(i32, i64)], large: bool) {
    for (account, number) in jobs {
        queue.push(job(*account, *number, large)).unwrap();
    }
}

fn numbers(taken: &Taken) -> Vec<i64> {
    let number = |job: &Job| match &job.command {
        Command::Undo(undo) => undo.batch,
        _ => 0,
    };
    taken.jobs.iter().map(number).collect()
}

/// What a lane gets at once; nothing if it would have to wait.
fn now(queue: &Queue, lane: Lane) -> Option<Taken> {
    let mut state = queue.lock();
    match lane {
        Lane::Small(nth) => state.take_small(nth, queue.group_lines, Instant::now()),
        Lane::Large => state.take_large(Instant::now()),
        Lane::All => {
            let large = state.take_large(Instant::now());
            large.or_else(|| state.take_small(0, queue.group_lines, Instant::now()))
        }
    }
}

#[test]
fn a_group_has_at_most_so_many_lines_and_the_rest_keeps_its_order() {
    let queue = queue(1, true);
    push(&queue, &[(1, 1), (2, 2), (1, 3), (2, 4), (1, 5)], false);
    let first = queue.take(Lane::All).unwrap();
    assert_eq!(numbers(&first), [1, 2, 3]);
    queue.done(first.held);
    assert_eq!(numbers(&queue.take(Lane::All).unwrap()), [4, 5]);
}

#[test]
fn only_the_account_of_a_large_request_waits_for_it() {
    let queue = queue(1, false);
    push(&queue, &[(1, 1)], true);
    let large = queue.take(Lane::Large).unwrap();
    push(&queue, &[(1, 2), (2, 3), (1, 4)], false);
    let small = queue.take(Lane::Small(0)).unwrap();
    assert_eq!(numbers(&small), [3]);
    queue.done(small.held);
    assert!(now(&queue, Lane::Small(0)).is_none());
    queue.done(large.held);
    assert_eq!(numbers(&queue.take(Lane::Small(0)).unwrap()), [2, 4]);
}

#[test]
fn an_account_is_with_one_writer_only() {
    let queue = queue(2, false);
    push(&queue, &[(1, 1), (2, 2)], false);
    let odd = queue.take(Lane::Small(1)).unwrap();
    let even = queue.take(Lane::Small(0)).unwrap();
    assert_eq!((numbers(&odd), numbers(&even)), (vec![1], vec![2]));
    push(&queue, &[(1, 3)], true);
    assert!(now(&queue, Lane::Large).is_none());
    // The large one is next: what comes later does not go before it.
    push(&queue, &[(1, 4)], false);
    queue.done(odd.held);
    assert!(now(&queue, Lane::Small(1)).is_none());
    assert_eq!(numbers(&now(&queue, Lane::Large).unwrap()), [3]);
}

#[test]
fn small_requests_go_before_the_next_large_one() {
    let queue = queue(1, true);
    push(&queue, &[(1, 1), (1, 2)], true);
    let large = queue.take(Lane::All).unwrap();
    assert_eq!(numbers(&large), [1]);
    push(&queue, &[(1, 3), (2, 4), (3, 5), (4, 6)], false);
    std::thread::sleep(Duration::from_millis(40));
    queue.done(large.held);
    for expected in [vec![3, 4, 5], vec![6]] {
        let small = now(&queue, Lane::All).unwrap();
        assert_eq!(numbers(&small), expected);
        queue.done(small.held);
    }
    // They have come and may go on coming, for half of the time that the large one took; not longer.
    assert!(now(&queue, Lane::All).is_none());
    assert_eq!(numbers(&queue.take(Lane::All).unwrap()), [2]);
}

#[test]
fn a_large_request_does_not_wait_for_small_ones_that_do_not_come() {
    for shared in [true, false] {
        let queue = queue(1, shared);
        push(&queue, &[(1, 1), (1, 2)], true);
        let lane = queue.lanes().pop().unwrap();
        let large = queue.take(lane).unwrap();
        std::thread::sleep(Duration::from_millis(40));
        // One of another account, which has had a writer all the time on MySQL.
        if !shared {
            push(&queue, &[(2, 3)], false);
        }
        queue.done(large.held);
        assert_eq!(numbers(&now(&queue, lane).unwrap()), [2]);
    }
}

#[test]
fn a_closed_queue_gives_out_what_waits_and_ends() {
    let queue = Arc::new(queue(1, false));
    push(&queue, &[(1, 1)], false);
    push(&queue, &[(1, 2)], true);
    let others: Vec<_> = queue
        .lanes()
        .into_iter()
        .map(|lane| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                while let Some(taken) = queue.take(lane) {
                    seen.extend(numbers(&taken));
                    queue.done(taken.held);
                }
                seen
            })
        })
        .collect();
    queue.close();
    let seen: Vec<Vec<i64>> = others.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(seen, [vec![1], vec![2]]);
    assert!(queue.push(job(1, 3, false)).is_err());
}
