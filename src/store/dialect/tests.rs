//! What errors mean, and by which index rows are found.

use super::errors::{AWAY, CONFLICTS, without_values};
use super::*;
use crate::config::DatabaseUrl;
use crate::store::connect::{Role, connect};
use crate::store::{Failure, migrate};
use diesel::result::{DatabaseErrorKind, Error};

fn unknown(text: &str) -> Failure {
    classify(&Error::DatabaseError(
        DatabaseErrorKind::Unknown,
        Box::new(text.to_owned()),
    ))
}

#[test]
fn an_error_that_no_line_can_cause_is_never_the_datas_fault() {
    for text in CONFLICTS {
        assert!(matches!(unknown(text), Failure::Conflict(_)), "{text}");
    }
    for text in AWAY {
        assert!(matches!(unknown(text), Failure::Away(_)), "{text}");
    }
    for text in ["Data too long for column 'given' at row 1", "poisoned", ""] {
        assert!(matches!(unknown(text), Failure::Data(_)), "{text}");
    }
}

#[test]
fn values_that_the_database_repeats_stay_out_of_the_log() {
    let text = "Duplicate entry '1-O'Neil's card' for key 'PRIMARY'";
    assert_eq!(
        without_values(text),
        "Duplicate entry '…' for key 'PRIMARY'"
    );
    let text = "Incorrect string value: '\\xF0' for column `p`.`journal`.`given` at row 1";
    assert_eq!(
        without_values(text),
        "Incorrect string value: '…' for column `p`.`journal`.`given` at row 1"
    );
    assert_eq!(without_values("disk I/O error"), "disk I/O error");
}

/// Two names: with several, SQLite would rather walk the index on `expires_at` if the statement gave it one.
const TWO: &str = r#"[["api15","u","key:a"],["api15","u","key:b"]]"#;

#[test]
fn kept_outcomes_are_found_by_the_whole_primary_key_on_sqlite() {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("p.db").display());
    let db = &mut connect(&DatabaseUrl::parse(&url).unwrap(), Role::Migrator).unwrap();
    migrate::run(db).unwrap();
    let steps: Vec<Step> =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {}", KEPT_SQLITE.join("?")))
            .bind::<Text, _>(TWO)
            .bind::<Integer, _>(1)
            .load(db)
            .unwrap();
    let plan: Vec<&str> = steps.iter().map(|step| step.detail.as_str()).collect();
    let wanted = "SEARCH k USING PRIMARY KEY (account_id=? AND dialect=? AND caller=? AND name=?)";
    assert!(plan.contains(&wanted), "{plan:?}");
}

#[cfg(feature = "mysql")]
#[test]
fn kept_outcomes_are_found_by_the_whole_primary_key_on_mysql() {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        table: String,
        #[diesel(sql_type = Text)]
        r#type: String,
        #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
        key: Option<String>,
    }
    let Ok(server) = std::env::var("PUNCHCARD_TEST_MYSQL_URL") else {
        return;
    };
    let open = |name: &str| {
        let url = DatabaseUrl::parse(&format!("{server}{name}")).unwrap();
        connect(&url, Role::Migrator).unwrap()
    };
    let name = format!("punchcard_explain_{}", std::process::id());
    let admin = &mut open("information_schema");
    admin
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .unwrap();
    let db = &mut open(&name);
    migrate::run(db).unwrap();
    // An empty table would be left out of the plan.
    for n in 0..50 {
        db.batch_execute(&format!(
            "INSERT INTO idempotency VALUES (1, 'api15', 'u', 'key:{n}', REPEAT('f', 32), '{{}}', {n})"
        ))
        .unwrap();
    }
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN {}", KEPT_MYSQL.join("?")))
        .bind::<Text, _>(TWO)
        .bind::<Integer, _>(1)
        .load(db)
        .unwrap();
    admin
        .batch_execute(&format!("DROP DATABASE {name}"))
        .unwrap();
    let of_table = steps.iter().find(|step| step.table == "k").unwrap();
    assert_eq!(
        (of_table.r#type.as_str(), of_table.key.as_deref()),
        ("eq_ref", Some("PRIMARY"))
    );
}
