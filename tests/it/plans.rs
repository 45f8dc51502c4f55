//! How the engines read what requests of API 1.5 ask for: by primary keys, without walking a table.

use crate::support::app::{App, WORLD};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use punchcard::loyalty::ledger::BalanceKey;
use punchcard::store::dialect::lookup::find_names;
use punchcard::store::rejections::{self, Expired};
use punchcard::store::schema::balances;
use punchcard::store::{Db, history, journal};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

/// Runs `work`; returns the statements that it sent, with their values put in.
fn statements(db: &mut Db, work: impl FnOnce(&mut Db)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&seen);
    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            sent.lock().unwrap().push(query.to_string());
        }
    });
    work(db);
    db.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let seen = seen.lock().unwrap();
    seen.iter().map(|statement| filled(statement)).collect()
}

/// A statement as Diesel shows it, `text -- binds: [values]`, with the values in their places.
fn filled(shown: &str) -> String {
    let (text, binds) = shown.split_once(" -- binds: [").unwrap();
    let mut rest = binds.strip_suffix(']').unwrap();
    let mut out = String::new();
    let mut parts = text.split('?');
    out.push_str(parts.next().unwrap());
    for part in parts {
        rest = rest.trim_start_matches(", ");
        let length = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.unwrap() + 2
            }
            None => rest.find(", ").unwrap_or(rest.len()),
        };
        let (value, behind) = rest.split_at(length);
        match value.strip_prefix('"') {
            Some(text) => {
                let text = text.strip_suffix('"').unwrap().replace("\\\"", "\"");
                assert!(!text.contains(['\\', '\'']), "{text}");
                out.push_str(&format!("'{text}'"));
            }
            None => out.push_str(value),
        }
        out.push_str(part);
        rest = behind;
    }
    out
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[cfg(feature = "mysql")]
#[derive(QueryableByName)]
struct Access {
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    table: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>, column_name = "type")]
    how: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    key: Option<String>,
}

/// How each table of a statement is read, as the engine says it; what is read whole is marked.
fn plan(db: &mut Db, statement: &str) -> Vec<String> {
    match db {
        Db::Sqlite(conn) => {
            let rows = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
            let rows: Vec<Detail> = rows.load(conn).unwrap();
            rows.into_iter().map(|row| row.detail).collect()
        }
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => {
            let rows: Vec<Access> = diesel::sql_query(format!("EXPLAIN {statement}"))
                .load(conn)
                .unwrap();
            let step = |row: Access| {
                let table = row.table.unwrap_or_default();
                let (how, key) = (row.how.unwrap_or_default(), row.key.unwrap_or_default());
                let word = if how == "ALL" || how == "index" {
                    "SCAN"
                } else {
                    "SEARCH"
                };
                format!("{word} {table} {how} {key}")
            };
            rows.into_iter().map(step).collect()
        }
    }
}

/// Fails where a statement reads more than the values that it was given, or the steps of a chain.
fn assert_searches(db: &mut Db, statements: &[String], may_scan: &[&str]) {
    assert!(!statements.is_empty());
    for statement in statements {
        let plan = plan(db, statement);
        for step in &plan {
            let table = step
                .strip_prefix("SCAN ")
                .and_then(|rest| rest.split(' ').next());
            let fine = table.is_none_or(|table| {
                may_scan.contains(&table) || table == "CONSTANT" || table.starts_with('<')
            });
            assert!(fine, "{step}\n{statement}\n{plan:#?}");
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

on_both_engines! {
    fn histories_and_look_ups_walk_no_table(engine: Engine) {
        // Tables of a few rows are read whole, whatever there is to search them by.
        let mut world = WORLD.to_owned();
        for n in 0..3000 {
            write!(world, "[[account.customer]]\ncode = \"c{n}\"\nbalances = [{{ campaign = \"P\", amount = \"1\" }}]\n").unwrap();
        }
        let shop = App::shared(engine).shop(&world);
        shop.lines("P|12121|N|1||\nP|12121|N|2||\nP|12121|Y|1||");
        let db = &mut shop.app.db();
        #[cfg(feature = "mysql")]
        if let Db::Mysql(conn) = db {
            let tables = "balances, customer_keys, customers, journal, reversals";
            diesel::sql_query(format!("ANALYZE TABLE {tables}")).execute(conn).unwrap();
        }
        let account = shop.number(db);
        let newest: (i64, i32, i32, i64) = balances::table
            .filter(balances::account_id.eq(account))
            .order(balances::last_entry.desc())
            .select((balances::customer, balances::campaign, balances::item, balances::last_entry))
            .first(db)
            .unwrap();
        let (customer, campaign, item, entry) = newest;
        let asked = statements(db, |db| {
            assert_eq!(history::read(db, account, entry, history::STEPS).unwrap().0.len(), 4);
        });
        assert_searches(db, &asked, &["h"]);
        let asked = statements(db, |db| {
            let key = BalanceKey { customer, campaign, item };
            let other = BalanceKey { item: 9, ..key };
            let holders = journal::holders(db, account, ["12121", "12122"].into_iter()).unwrap();
            assert_eq!(holders.len(), 2);
            assert_eq!(find_names(db, account, &[customer]).unwrap().len(), 1);
            for keys in [vec![key], vec![key, other]] {
                assert_eq!(journal::load_balances(db, vec![(account, keys)]).unwrap().len(), 1);
            }
        });
        assert_eq!(asked.len(), 4);
        assert_searches(db, &asked, &["j", "a"]);
        let asked = statements(db, |db| {
            assert_eq!(rejections::purge(db, account, (1, 1), 1).unwrap(), Expired::default());
            assert!(rejections::open_among(db, account, &[1, 2, 3]).unwrap().is_empty());
        });
        assert_eq!(asked.len(), 6);
        assert_searches(db, &asked, &[]);
        if engine == Engine::Sqlite {
            // By their numbers, not through all that are open.
            let steps = plan(db, &asked[5]);
            assert!(steps.iter().all(|step| step.contains("PRIMARY KEY")), "{steps:?}");
        }
        let asked = statements(db, |db| {
            assert!(history::to_delete(db, account, entry).unwrap().is_some());
        });
        assert_searches(db, &asked, &[]);
    }

    fn the_journal_has_one_index(engine: Engine) {
        let db = &mut App::shared(engine).db();
        let text = match db {
            Db::Sqlite(_) => "SELECT COUNT(*) AS count FROM pragma_index_list('journal')",
            #[cfg(feature = "mysql")]
            Db::Mysql(_) => "SELECT COUNT(DISTINCT index_name) AS count FROM information_schema.statistics \
                             WHERE table_schema = DATABASE() AND table_name = 'journal'",
        };
        let found: Vec<Count> = diesel::sql_query(text).load(db).unwrap();
        assert_eq!(found[0].count, 1);
    }
}
