//! A small consistent world; then one thing at a time is broken in it, seen, and taken back.
//!
//! Runs on SQLite, and on MySQL as well where `PUNCHCARD_TEST_MYSQL_URL` names a server.

mod breaks;
mod sales;
mod sync;
mod world;

use super::*;
use crate::dates;
use breaks::BREAKS;
use chrono::TimeDelta;
use proptest::prelude::*;
use world::{configure, fill, now, on, on_each_engine, post, sql};

fn lines(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

/// What is found after these statements, which are taken back.
fn found(db: &mut Db, statements: &str) -> Vec<String> {
    dialect::begin(db).unwrap();
    for statement in statements.split("; ") {
        sql(db, statement);
    }
    let report = examine(db, None, dates::micros(now())).unwrap().unwrap();
    dialect::rollback(db).unwrap();
    lines(&report)
}

#[test]
fn a_world_made_by_the_rules_holds() {
    on_each_engine("holds", |db| {
        configure(db);
        fill(db);
        let report = run(db, None, dates::micros(now())).unwrap().unwrap();
        assert_eq!(
            report.to_string(),
            "shop: entries 9, balances 6, batches 4, rejections 2: all holds\n\
             cafe: entries 1, balances 1, batches 1, rejections 0: all holds\n"
        );
    });
}

#[test]
fn one_account_is_checked_by_itself() {
    on_each_engine("one", |db| {
        configure(db);
        fill(db);
        dialect::begin(db).unwrap();
        sql(db, "UPDATE balances SET balance = 7 WHERE account_id = 2");
        sql(db, "DELETE FROM commits WHERE account_id = 2");
        dialect::commit(db).unwrap();
        let now_us = dates::micros(now());
        let shop = run(db, Some("shop"), now_us).unwrap().unwrap();
        assert!(shop.holds(), "{shop}");
        assert_eq!(shop.checked.len(), 1);
        let cafe = run(db, Some("cafe"), now_us).unwrap().unwrap();
        assert_eq!(cafe.findings.len(), 2, "{cafe}");
        assert_eq!(run(db, Some("Shop"), now_us).unwrap(), None);
        // Commits are dropped after 30 days, so that a batch may then name one that is gone.
        let later = dates::micros(now() + TimeDelta::days(30));
        assert_eq!(
            run(db, Some("cafe"), later)
                .unwrap()
                .unwrap()
                .findings
                .len(),
            1
        );
    });
}

#[test]
fn tables_larger_than_a_chunk_are_read_whole() {
    on_each_engine("large", |db| {
        configure(db);
        // 9,000 new customers with a balance each, a fault at every tenth line, then a second entry for all.
        let text: String = (1..=10_000)
            .map(|n| match n % 10 {
                0 => format!("points|c{n}|N|x\n"),
                _ => format!("points|c{n}|N|{n}\n"),
            })
            .collect();
        post(db, 1, &[&text]);
        post(db, 1, &["points|c1|Y|0.5", &text, "points|c7|N|1"]);
        let now_us = dates::micros(now());
        let report = run(db, None, now_us).unwrap().unwrap();
        assert_eq!(
            report.to_string(),
            "shop: entries 18002, balances 9000, batches 4, rejections 2000: all holds\n\
             cafe: entries 0, balances 0, batches 0, rejections 0: all holds\n"
        );
        dialect::begin(db).unwrap();
        sql(
            db,
            "UPDATE balances SET balance = balance + 1 WHERE account_id = 1",
        );
        sql(db, "DELETE FROM commits WHERE account_id = 1");
        dialect::commit(db).unwrap();
        let report = run(db, None, now_us).unwrap().unwrap();
        assert_eq!(report.findings.len(), report::FINDINGS_KEPT);
        assert_eq!(report.more, 9_000 + 4 - 100);
        let text = report.to_string();
        assert!(text.ends_with("\nand 8904 more\n"), "{text}");
        assert_eq!(text.lines().count(), 101);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_lines_are_posted_all_holds(
        groups in prop::collection::vec(
            prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::sample::select(vec!["points", "gift", "tab", "coffee", "none"]),
                        prop::sample::select(vec!["amy", "card-1", "ben", "new", "newer", ""]),
                        prop::sample::select(vec!["Y", "N", "N"]),
                        prop::sample::select(vec!["1", "0.5", "3,25", "1000000000", "0", "", "1.005"]),
                        prop::sample::select(vec!["", "2015-12-04", "20130315", "2015-12-05", "1899-12-31"]),
                    ),
                    1..8,
                ),
                1..4,
            ),
            1..4,
        )
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("punchcard.db");
        on(&format!("sqlite:{}", path.display()), &|db: &mut Db| {
            configure(db);
            for batches in &groups {
                let texts: Vec<String> = batches
                    .iter()
                    .map(|lines| {
                        lines
                            .iter()
                            .map(|(campaign, code, redeemed, amount, date)| {
                                format!("{campaign}|{code}|{redeemed}|{amount}|{date}\n")
                            })
                            .collect()
                    })
                    .collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                post(db, 1, &texts);
            }
            let report = run(db, None, dates::micros(now())).unwrap().unwrap();
            assert!(report.holds(), "{report}");
        });
    }
}

#[test]
fn each_break_is_found_and_nothing_else() {
    on_each_engine("breaks", |db| {
        configure(db);
        fill(db);
        for (statements, expected) in BREAKS {
            assert_eq!(found(db, statements), *expected, "{statements}");
        }
        let report = run(db, None, dates::micros(now())).unwrap().unwrap();
        assert!(report.holds(), "{report}");
    });
}

#[test]
fn each_break_of_jobs_and_people_is_found_and_nothing_else() {
    on_each_engine("sync", |db| {
        configure(db);
        fill(db);
        sync::fill_sync(db);
        let holds = |db: &mut Db| {
            let report = run(db, None, dates::micros(now())).unwrap().unwrap();
            assert!(report.holds(), "{report}");
        };
        holds(db);
        for (statements, expected) in sync::BREAKS {
            assert_eq!(found(db, statements), *expected, "{statements}");
        }
        holds(db);
    });
}

#[test]
fn each_break_of_sales_is_found_and_nothing_else() {
    on_each_engine("sales", |db| {
        configure(db);
        fill(db);
        sales::fill_sales(db);
        let holds = |db: &mut Db| {
            let report = run(db, None, dates::micros(now())).unwrap().unwrap();
            assert!(report.holds(), "{report}");
        };
        holds(db);
        for (statements, expected) in sales::BREAKS {
            assert_eq!(found(db, statements), *expected, "{statements}");
        }
        holds(db);
    });
}
