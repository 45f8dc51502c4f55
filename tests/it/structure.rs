//! The picture in docs/architecture.md, held against the sources: which module may name which, and the migrations of
//! both engines.

use crate::support::engine::{Database, Engine};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::{Db, migrate};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All sources with their path below `src`, comments left out.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found)
            } else {
                found.push(path)
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            (
                path.strip_prefix(root().join("src"))
                    .unwrap()
                    .display()
                    .to_string(),
                code.join("\n"),
            )
        })
        .collect()
}

fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        edge(code[..at].chars().next_back()) && edge(code[at + word.len()..].chars().next())
    })
}

#[test]
fn outside_crates_are_named_only_where_they_belong() {
    let rules: [(&str, &[&str]); 10] = [
        ("actix_web", &["server.rs", "server/"]),
        ("diesel", &["store/"]),
        ("diesel_migrations", &["store/migrate.rs"]),
        ("quick_xml", &["api15/render"]),
        ("clap", &["cli/"]),
        ("argon2", &["secrets/"]),
        ("chacha20poly1305", &["secrets/"]),
        ("ureq", &["hooks/client.rs"]),
        ("hickory_resolver", &["mailcheck/dns.rs"]),
        ("email_address", &["mailcheck/syntax.rs"]),
    ];
    for (path, code) in sources() {
        for (word, homes) in rules {
            let home = homes.iter().any(|home| path.starts_with(home));
            assert!(
                home || !names(&code, word),
                "{path} names {word}, which belongs to {homes:?}"
            );
        }
    }
}

#[test]
fn there_is_one_way_to_earn_and_one_to_redeem() {
    let rules: [(&str, &[&str]); 4] = [
        ("amounts::add(", &["loyalty/plan.rs"]),
        ("amounts::redeem", &["loyalty/plan.rs"]),
        ("amounts::of_money(", &["loyalty/sales/"]),
        (
            ".post(campaign",
            &[
                "loyalty/post.rs",
                "loyalty/undo.rs",
                "loyalty/reverse.rs",
                "loyalty/sales/",
                // Opening balances of world files.
                "store/world/",
            ],
        ),
    ];
    let sources = sources();
    for (call, homes) in rules {
        let callers = sources.iter().filter(|(_, code)| code.contains(call));
        let callers: Vec<&String> = callers.map(|(path, _)| path).collect();
        assert!(!callers.is_empty(), "nobody has {call}");
        for path in callers {
            let home = homes.iter().any(|home| path.starts_with(home));
            assert!(home, "{path} has {call}, which belongs to {homes:?}");
        }
    }
}

#[test]
fn arrows_point_one_way() {
    // What knows nothing of all these is used by anybody.
    let upper: &[&str] = &[
        "api15",
        "cli",
        "config",
        "hooks",
        "loyalty",
        "mailcheck",
        "outbox",
        "posting",
        "sales_v4",
        "server",
        "store",
        "sync_data",
        "world",
    ];
    // Each part, and the parts of ours that it must not name.
    let rules: [(&str, &[&str]); 20] = [
        ("amount.rs", upper),
        ("dates.rs", upper),
        ("parallel.rs", upper),
        ("text.rs", upper),
        ("error.rs", upper),
        ("json", upper),
        ("phones", upper),
        ("instants.rs", upper),
        ("wire.rs", upper),
        (
            "loyalty/",
            &[
                "api15",
                "cli",
                "config",
                "hooks",
                "mailcheck",
                "outbox",
                "posting",
                "sales_v4",
                "server",
                "store",
                "sync_data",
                "world",
            ],
        ),
        (
            "world/",
            &["api15", "cli", "config", "posting", "server", "store"],
        ),
        (
            "store/",
            &[
                "api15",
                "cli",
                "hooks",
                "mailcheck",
                "outbox",
                "posting",
                "sales_v4",
                "server",
                "sync_data",
            ],
        ),
        (
            "posting/",
            &[
                "api15",
                "cli",
                "hooks",
                "outbox",
                "sales_v4",
                "server",
                "sync_data",
                "world",
            ],
        ),
        (
            "api15/",
            &["cli", "sales_v4", "server", "store", "sync_data", "world"],
        ),
        (
            "sync_data/",
            &[
                "api15", "cli", "outbox", "sales_v4", "server", "store", "world",
            ],
        ),
        (
            "hooks/",
            &[
                "api15",
                "cli",
                "config",
                "loyalty",
                "posting",
                "sales_v4",
                "server",
                "store",
                "sync_data",
                "world",
            ],
        ),
        (
            "mailcheck/",
            &[
                "api15",
                "cli",
                "config",
                "loyalty",
                "posting",
                "sales_v4",
                "server",
                "store",
                "sync_data",
                "world",
            ],
        ),
        ("outbox/", &["api15", "cli", "server", "store", "world"]),
        (
            "sales_v4/",
            &[
                "api15",
                "cli",
                "hooks",
                "mailcheck",
                "outbox",
                "server",
                "store",
                "sync_data",
                "world",
            ],
        ),
        (
            "config/",
            &[
                "api15", "cli", "loyalty", "posting", "server", "store", "world",
            ],
        ),
    ];
    let mut seen = BTreeSet::new();
    for (path, code) in sources() {
        for (part, forbidden) in rules {
            if !path.starts_with(part) {
                continue;
            }
            seen.insert(part);
            for other in forbidden {
                assert!(
                    !names(&code, &format!("crate::{other}")),
                    "{path} names crate::{other}"
                );
            }
        }
    }
    assert_eq!(
        seen.len(),
        rules.len(),
        "a part of the rules is gone: only {seen:?} are left"
    );
}

/// The most lines of a family of request types.
const FAMILY_LINES: usize = 320;

#[test]
fn handlers_of_api_1_5_are_short_and_know_no_wire_and_no_rows() {
    let handlers = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("api15/calls/"));
    for (path, code) in handlers {
        for word in ["diesel", "quick_xml", "serde_json", "Db"] {
            assert!(!names(&code, word), "{path} names {word}");
        }
        let lines = code.lines().count();
        assert!(lines <= FAMILY_LINES, "{path} has {lines} lines");
    }
}

#[test]
fn only_the_dialect_matches_on_the_engine() {
    let allowed = [
        "store/dialect.rs",
        "store/db.rs",
        "store/connect.rs",
        "store/migrate.rs",
    ];
    for (path, code) in sources() {
        let matches = code.contains("Db::Sqlite") || code.contains("Db::Mysql");
        assert!(
            !matches || allowed.contains(&path.as_str()) || path.starts_with("store/dialect/"),
            "{path} matches on the engine"
        );
    }
}

#[test]
fn every_error_code_is_documented() {
    let docs = [
        "docs/api-1.5.md",
        "docs/api-1.5-accounts.md",
        "docs/api-1.5-customer-lists.md",
        "docs/api-1.5-customers.md",
        "docs/api-1.5-transactions.md",
        "docs/sync-data.md",
        "docs/sales-v4.md",
    ]
    .map(|path| std::fs::read_to_string(root().join(path)).unwrap());
    for code in punchcard::error::Code::ALL {
        let word = format!("`{}`", code.word());
        assert!(
            docs.iter().any(|docs| docs.contains(&word)),
            "no page lists {word}"
        );
    }
}

#[test]
fn every_option_is_documented_with_its_default() {
    let docs = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    for option in punchcard::config::OPTIONS {
        let row = docs
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` ", option.name)))
            .unwrap_or_else(|| panic!("docs/configuration.md lacks {}", option.name));
        let row = row.replace('`', "");
        assert!(row.contains(option.default), "{}: {row}", option.name);
        assert!(
            row.contains(option.doc),
            "{}: {row}\n{}",
            option.name,
            option.doc
        );
    }
}

#[test]
fn migrations_of_both_engines_have_the_same_names() {
    let names = |engine: &str| -> BTreeSet<String> {
        std::fs::read_dir(root().join("migrations").join(engine))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("sqlite"), names("mysql"));
    assert!(!names("sqlite").is_empty());
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

/// Every column as `table.column null?`.
fn columns(db: &mut Db) -> Vec<String> {
    let sql = match db {
        Db::Sqlite(_) => {
            "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 THEN ' not null' ELSE '' END AS value \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
        }
        #[cfg(feature = "mysql")]
        Db::Mysql(_) => {
            "SELECT CAST(CONCAT(table_name, '.', column_name, IF(is_nullable = 'NO', ' not null', '')) AS CHAR) AS value \
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut rows: Vec<String> = diesel::sql_query(sql)
        .load::<Text>(db)
        .unwrap()
        .into_iter()
        .map(|row| row.value)
        .collect();
    rows.sort();
    rows
}

/// The columns that Diesel is told of.
fn declared() -> Vec<String> {
    let schema = std::fs::read_to_string(root().join("src/store/schema.rs")).unwrap();
    let (mut table, mut found) = (String::new(), Vec::new());
    for line in schema.lines().map(str::trim) {
        if let Some((column, kind)) = line.split_once(" -> ") {
            let null = if kind.starts_with("Nullable") {
                ""
            } else {
                " not null"
            };
            found.push(format!("{table}.{column}{null}"));
        } else if let Some((name, _)) = line.split_once(" (")
            && line.ends_with('{')
        {
            table = name.to_owned();
        }
    }
    found.sort();
    found
}

#[test]
fn migrations_go_up_down_and_up_again_and_give_both_engines_the_same_columns() {
    let mut all = Vec::new();
    for engine in Engine::all() {
        let database = Database::empty(engine);
        let db = &mut database.connect(Role::Migrator);
        let run = migrate::run(db).unwrap();
        assert!(!run.is_empty());
        let first = columns(db);
        migrate::revert_all(db).unwrap();
        assert!(columns(db).is_empty(), "down leaves nothing");
        assert_eq!(migrate::run(db).unwrap(), run);
        assert_eq!(columns(db), first);
        assert!(migrate::pending(db).unwrap().is_empty());
        all.push(first);
    }
    for one in &all {
        assert_eq!(*one, declared());
    }
}
