//! Work on many like things, shared among the processors.
//!
//! Belongs here: how much is worth a thread. Does not belong here: work that waits; writers, which have their own
//! threads ([`crate::posting`]).

use std::thread;

/// Things from which on a share of them is worth a thread.
pub const SHARE: usize = 8192;
/// Threads that one piece of work may take.
const THREADS_MAX: usize = 4;

/// What `work` makes of the items, in their order: a part of them on this thread, the others on as many as there are
/// processors, up to four; few items on this thread alone.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let most = (items.len() / SHARE).min(THREADS_MAX);
    // To ask for the number of processors takes longer than to work on a few items.
    let threads = if most < 2 {
        1
    } else {
        thread::available_parallelism().map_or(1, |processors| processors.get().min(most))
    };
    if threads < 2 {
        return work(items);
    }
    let mut parts = items.chunks(items.len().div_ceil(threads));
    let own = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let mut done = work(own);
        for other in others {
            match other.join() {
                Ok(mut part) => done.append(&mut part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_comes_in_the_order_of_the_items() {
        for many in [0, 1, SHARE - 1, SHARE, 2 * SHARE, 10 * SHARE + 7] {
            let items: Vec<usize> = (0..many).collect();
            let doubled = map(&items, |part| part.iter().map(|item| item * 2).collect());
            assert!(
                doubled
                    .iter()
                    .enumerate()
                    .all(|(place, item)| *item == place * 2)
            );
            assert_eq!(doubled.len(), many);
        }
    }
}
