//! Rounds: what is due is looked for, errands are sent out, at most so many at a time; and the end of it all.

use super::desk::Desk;
use super::{Ended, STOP_WAIT, Worker, hooks, jobs};
use crate::error::Problem;
use crate::posting::bell::Bell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::{Id, JoinError, JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout};

/// Jobs that are worked off at a time. An account has one at a time.
const JOBS: usize = 4;
/// Webhooks that are sent at a time.
const HOOKS: usize = 16;
/// Webhooks of one account that are sent at a time: a receiver that does not answer must not hold up all others.
const HOOKS_OF_ONE: usize = 4;
/// How many due jobs or webhooks are looked at in a round.
const LOOKED_AT: i64 = 256;

/// Something that is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Errand {
    Job { account: i32, job: i64 },
    Hook { account: i32, event: i64 },
}

/// Errands that are under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Ended>,
    errands: HashMap<Id, Errand>,
}

impl Running {
    fn count(&self, wanted: impl Fn(&Errand) -> bool) -> usize {
        self.errands
            .values()
            .filter(|errand| wanted(errand))
            .count()
    }

    /// Whether there is room for an errand that is due.
    fn takes(&self, errand: Errand) -> bool {
        match errand {
            Errand::Job { account, .. } => {
                let of_account = |other: &Errand| matches!(other, Errand::Job { account: its, .. } if *its == account);
                self.has_room_for_jobs() && self.count(of_account) == 0
            }
            Errand::Hook { account, .. } => {
                let of_account = |other: &Errand| matches!(other, Errand::Hook { account: its, .. } if *its == account);
                self.has_room_for_hooks()
                    && self.count(of_account) < HOOKS_OF_ONE
                    && self.count(|other| *other == errand) == 0
            }
        }
    }

    fn has_room_for_jobs(&self) -> bool {
        self.count(|errand| matches!(errand, Errand::Job { .. })) < JOBS
    }

    fn has_room_for_hooks(&self) -> bool {
        self.count(|errand| matches!(errand, Errand::Hook { .. })) < HOOKS
    }

    fn begin<D: Desk + 'static>(&mut self, worker: &Rc<Worker<D>>, errand: Errand) {
        let worker = Rc::clone(worker);
        let task = self.tasks.spawn_local(async move {
            match errand {
                Errand::Job { account, job } => jobs::run(&worker, account, job).await,
                Errand::Hook { account, event } => hooks::run(&worker, account, event).await,
            }
        });
        self.errands.insert(task.id(), errand);
    }

    /// Notes that an errand has ended.
    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) -> Ended {
        let (id, ended) = ended.unwrap_or_else(|error| (error.id(), Ended::Later));
        let errand = self.errands.remove(&id);
        tracing::trace!(?errand, ?ended, "an errand has ended");
        ended
    }
}

/// Makes rounds until the worker is to stop, then waits for what runs.
pub(super) fn run<D: Desk + 'static>(
    runtime: &Runtime,
    worker: Worker<D>,
    bell: &Bell,
    poll: Duration,
) {
    let worker = Rc::new(worker);
    LocalSet::new().block_on(runtime, async {
        let (mut running, mut failing) = (Running::default(), false);
        loop {
            match round(&worker, &mut running).await {
                Ok(()) => failing = false,
                // Once for each time it begins, not twice a second.
                Err(problem) if !failing => {
                    failing = true;
                    tracing::error!("what is due cannot be read: {}", problem.message());
                }
                Err(_) => {}
            }
            let next = Instant::now() + poll;
            loop {
                tokio::select! {
                    () = worker.stopping() => return finish(running).await,
                    () = bell.heard() => break,
                    () = sleep_until(next) => break,
                    Some(ended) = running.tasks.join_next_with_id() => {
                        if running.ended(ended) == Ended::Done {
                            break;
                        }
                    }
                }
            }
        }
    });
}

/// Looks for what is due and begins it.
async fn round<D: Desk + 'static>(
    worker: &Rc<Worker<D>>,
    running: &mut Running,
) -> Result<(), Problem> {
    if running.has_room_for_jobs() {
        for (account, job) in worker.desk.due_jobs(LOOKED_AT).await? {
            let errand = Errand::Job { account, job };
            if running.takes(errand) {
                running.begin(worker, errand);
            }
        }
    }
    if running.has_room_for_hooks() {
        for (account, event) in worker.desk.due_events(LOOKED_AT).await? {
            let errand = Errand::Hook { account, event };
            if running.takes(errand) {
                running.begin(worker, errand);
            }
        }
    }
    Ok(())
}

/// Waits for what runs. What does not end in time is left: its lease runs out, and it is done again.
async fn finish(mut running: Running) {
    let all = async { while running.tasks.join_next().await.is_some() {} };
    if timeout(STOP_WAIT, all).await.is_err() {
        tracing::warn!("jobs or webhooks under way are left to be taken again");
    }
}

#[cfg(test)]
mod tests;
