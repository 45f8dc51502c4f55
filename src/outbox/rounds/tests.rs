use super::*;
use crate::outbox::desk::fake::{ACCOUNT, JOB, State};
use crate::outbox::testing::worker;
use std::cell::Cell;
use std::time::Instant as Clock;

fn errand(job: bool, account: i32, number: i64) -> Errand {
    if job {
        Errand::Job {
            account,
            job: number,
        }
    } else {
        Errand::Hook {
            account,
            event: number,
        }
    }
}

/// Errands that never end, as far as there is room for them.
fn taken(asked: &[Errand]) -> Vec<Errand> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let mut running = Running::default();
        let mut taken = Vec::new();
        for errand in asked {
            if running.takes(*errand) {
                let task = running.tasks.spawn_local(std::future::pending());
                running.errands.insert(task.id(), *errand);
                taken.push(*errand);
            }
        }
        taken
    })
}

#[test]
fn so_many_at_a_time() {
    let jobs: Vec<Errand> = (0..9).map(|account| errand(true, account, 1)).collect();
    assert_eq!(taken(&jobs), jobs[..4]);
    // One job of an account, four of its webhooks, none twice.
    assert_eq!(
        taken(&[errand(true, 1, 1), errand(true, 1, 2), errand(true, 2, 1)]),
        [errand(true, 1, 1), errand(true, 2, 1)]
    );
    let of_one: Vec<Errand> = (0..9).map(|event| errand(false, 1, event)).collect();
    assert_eq!(taken(&of_one), of_one[..4]);
    assert_eq!(
        taken(&[errand(false, 1, 1), errand(false, 1, 1)]),
        [errand(false, 1, 1)]
    );
    let of_many: Vec<Errand> = (0..20).map(|account| errand(false, account, 1)).collect();
    assert_eq!(taken(&of_many), of_many[..16]);
}

#[test]
fn due_jobs_are_done_and_the_order_to_stop_is_heard() {
    let state = State {
        contacts: vec!["{\"user_id\":\"u\"}".to_owned(); 3],
        part_length: 500,
        due: vec![(ACCOUNT, JOB)],
        ..State::default()
    };
    let (worker, stop) = worker(state, None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let begun = Clock::now();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.send(true).unwrap();
    });
    let seen = Rc::new(Cell::new(0));
    let noted = Rc::clone(&seen);
    worker.desk.state.borrow_mut().on_work = Some(Box::new(move |work| {
        noted.set(noted.get() + work.items.len());
        None
    }));
    run(
        &runtime,
        worker,
        &Bell::default(),
        Duration::from_millis(20),
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < Duration::from_secs(3)
    );
}

#[test]
fn an_errand_that_panics_frees_its_place() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let mut running = Running::default();
        let task = running.tasks.spawn_local(async { panic!("as asked") });
        running.errands.insert(task.id(), errand(true, 1, 1));
        assert!(!running.takes(errand(true, 1, 2)));
        let ended = running.tasks.join_next_with_id().await.unwrap();
        assert_eq!(running.ended(ended), Ended::Later);
        assert!(running.takes(errand(true, 1, 2)) && running.errands.is_empty());
    });
}
