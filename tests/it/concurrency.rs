//! Many clients at once: on one gateway, and on two gateways over one MariaDB.

use crate::support::app::{App, Shop, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work` in so many threads that begin together; returns how often it said yes.
pub fn together(clients: usize, work: impl Fn(usize) -> bool + Sync) -> usize {
    let barrier = Barrier::new(clients);
    let yes = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (barrier, yes, work) = (&barrier, &yes, &work);
            scope.spawn(move || {
                barrier.wait();
                if work(client) {
                    yes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    yes.into_inner()
}

fn imported(shop: &Shop<'_>, line: &str) -> bool {
    let reply = shop.lines(line);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body.contains("all_imported")
}

on_both_engines! {
    fn of_sixteen_clients_that_redeem_at_once_exactly_the_affordable_ones_succeed(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        // 1500 points, 200 each: seven can.
        let paid = together(16, |_| imported(&shop, "P|12121|Y|200||"));
        assert_eq!(paid, 7);
        assert_eq!(shop.balance("P", "12121"), 100_0000);
        assert_eq!(shop.counts(), (16, 7, 9));
    }

    fn first_adds_to_a_balance_that_has_no_row_yet_give_their_sum(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let paid = together(16, |client| imported(&shop, &format!("P|12122|N|{}||", client + 1)));
        assert_eq!(paid, 16);
        assert_eq!(shop.balance("P", "12122"), (1..=16).sum::<i64>() * 10_000);
    }

    fn a_new_customer_is_created_once_by_many_clients(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let fields = |line: String| {
            let data = [&crate::support::app::COLUMNS[..], &[("create_new_customers", "Y"), ("Visits_Data", &line)]].concat();
            shop.post(&data).body
        };
        let created = together(12, |_| fields("P|new-1|N|5||".to_owned()).contains("<new_customers>1<"));
        assert_eq!(created, 1);
        assert_eq!(shop.balance("P", "new-1"), 60_0000);
    }

    fn a_poll_by_last_id_misses_nothing(engine: Engine) {
        use diesel::prelude::*;
        use punchcard::store::schema::journal;
        let shop = App::shared(engine).shop(WORLD);
        let db = &mut shop.app.db();
        let account = shop.number(db);
        let done = std::sync::atomic::AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            let poll = scope.spawn(|| {
                let db = &mut shop.app.db();
                let mut seen: Vec<i64> = Vec::new();
                loop {
                    let last_round = done.load(Ordering::Acquire);
                    let last = seen.last().copied().unwrap_or(0);
                    let more: Vec<i64> = journal::table
                        .filter(journal::account_id.eq(account))
                        .filter(journal::number.gt(last))
                        .order(journal::number)
                        .select(journal::number)
                        .load(db)
                        .unwrap();
                    seen.extend(more);
                    if last_round {
                        return seen;
                    }
                }
            });
            together(8, |client| (0..25).all(|n| imported(&shop, &format!("P|1212{}|N|{}||", client % 2 + 1, n + 1))));
            done.store(true, Ordering::Release);
            poll.join().unwrap()
        });
        let total = i64::try_from(seen.len()).unwrap();
        // Two opening balances, then 200 entries, without a gap.
        assert_eq!(seen, (1..=202).collect::<Vec<i64>>());
        assert_eq!(total, 202);
    }

    fn small_posts_go_between_large_ones(engine: Engine) {
        let app = App::start(engine, &[("large_request_lines", "50")]);
        let shop = app.shop(WORLD);
        let large = "P|12121|N|1||\n".repeat(400);
        let all = together(12, |client| {
            if client < 4 { imported(&shop, &large) } else { (0..5).all(|_| imported(&shop, "P|12122|N|1||")) }
        });
        assert_eq!(all, 12);
        assert_eq!(shop.balance("P", "12121"), (1500 + 1600) * 10_000);
        assert_eq!(shop.balance("P", "12122"), 40 * 10_000);
        drop(app.stop());
    }
}

#[cfg(feature = "mysql")]
mod two_gateways {
    use super::*;
    use crate::support::process::Serve;

    #[test]
    fn races_over_two_gateways_end_as_on_one() {
        let app = App::start(Engine::Mysql, &[]);
        let shop = app.shop(WORLD);
        // The second gateway is a process of its own, with caches, queues and connections of its own.
        let other = Serve::on(&app.database).start();
        let send = |client: usize, line: &str| {
            let address = if client.is_multiple_of(2) {
                app.address
            } else {
                other.address
            };
            let mut all = shop.common();
            all.extend(crate::support::app::fields(&crate::support::app::COLUMNS));
            all.push(("Visits_Data".to_owned(), line.to_owned()));
            let request = crate::support::client::request(
                "/",
                crate::support::client::Encoding::Urlencoded,
                &[],
                &all,
            );
            let reply = crate::support::client::exchange(address, &request);
            assert_eq!(reply.status, 200, "{}", reply.body);
            reply.body.contains("all_imported")
        };
        assert_eq!(together(16, |client| send(client, "P|12121|Y|200||")), 7);
        assert_eq!(shop.balance("P", "12121"), 100_0000);
        assert_eq!(together(16, |client| send(client, "G|12122|N|1.25||")), 16);
        assert_eq!(shop.balance("G", "12122"), 20_0000);
        let entries = shop.entries();
        let numbers: Vec<i64> = entries
            .lines()
            .map(|line| line.split(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(
            numbers,
            (3..=25).collect::<Vec<i64>>(),
            "numbers without a gap over both gateways"
        );
        other.stop();
        drop(app.stop());
    }
}
