//! A contact or a purchase that the database refuses fails alone; what stands beside it is stored.

use crate::support::app::App;
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process;
use crate::support::sink::{Answer, Sink};
use crate::sync_stories::Hotel;
use diesel::connection::SimpleConnection;
use punchcard::store::Db;
use punchcard::store::connect::Role;
use serde_json::Value;

/// Has the database refuse every row of a table in which a column has the value `poison`.
fn poison(app: &App, table: &str, column: &str) {
    refuse(app, table, &format!("NEW.{column} = 'poison'"));
}

/// Has the database refuse every row of a table for which a condition holds.
fn refuse(app: &App, table: &str, condition: &str) {
    match &mut app.database.connect(Role::Migrator) {
        Db::Sqlite(conn) => conn
            .batch_execute(&format!(
                "CREATE TRIGGER poison_{table} BEFORE INSERT ON {table} WHEN {condition} \
                 BEGIN SELECT RAISE(ABORT, 'no such row is wanted'); END"
            ))
            .unwrap(),
        #[cfg(feature = "mysql")]
        Db::Mysql(conn) => conn
            .batch_execute(&format!(
                "CREATE TRIGGER poison_{table} BEFORE INSERT ON {table} FOR EACH ROW \
                 IF {condition} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no such row is wanted'; \
                 END IF"
            ))
            .unwrap(),
    }
}

fn request(contacts: usize, bad: &[usize], purchase: &str) -> String {
    let contacts: Vec<String> = (0..contacts)
        .map(|n| {
            let user = if bad.contains(&n) {
                "poison".to_owned()
            } else {
                format!("u{n}")
            };
            format!("{{\"user_id\":\"{user}\",\"name_first\":\"N{n}\"}}")
        })
        .collect();
    format!(
        "{{\"origin\":\"PMS\",\"contacts\":[{}],\"purchase\":{purchase}}}",
        contacts.join(",")
    )
}

fn indexes(view: &Value, status: &str) -> Vec<u64> {
    let results = view["results"].as_array().unwrap().iter();
    let those = results.filter(|result| result["status"] == status);
    those
        .map(|result| result["index"].as_u64().unwrap())
        .collect()
}

on_both_engines! {
    fn a_contact_that_cannot_be_stored_fails_alone(engine: Engine) {
        let app = App::start(engine, &[]);
        poison(&app, "contacts", "user_id");
        let hotel = Hotel::on(&app);
        let purchase = r#"{"uuid":"p","transaction_code":"T1","price":"1","currency":"EUR"}"#;
        let view = hotel.sync(&request(90, &[0, 37, 38, 89], purchase));
        assert_eq!(view["status"], "completed");
        assert_eq!(indexes(&view, "failed"), [0, 37, 38, 89]);
        assert_eq!(indexes(&view, "created").len(), 86);
        let error = &view["results"][37]["errors"][0];
        assert_eq!(error["field"], "contact");
        assert!(error["message"].as_str().unwrap().contains("could not be stored (reference "), "{error}");
        assert_eq!(view["purchase_result"]["status"], "created");
        process::verify(&app.stop());
    }

    fn each_contact_of_a_job_that_is_given_up_is_told(engine: Engine) {
        // First not even the row of the contact that failed can be stored, but those of a job that is given up; then not
        // those either, with what was sent.
        for (condition, contact) in [
            ("NEW.errors LIKE '%could not be stored%' OR NEW.contact_id IS NOT NULL AND NEW.item = 3", true),
            ("NEW.told LIKE '%u3\"%'", false),
        ] {
            let sink = Sink::start([Answer::Status(200)]);
            let app = App::start(engine, &[("webhook_allow", "127.0.0.0/8")]);
            refuse(&app, "sync_items", condition);
            let hotel = Hotel::on(&app);
            let options = format!("\"options\":{{\"webhook\":{{\"url\":\"{}\"}}}},\"contacts\"", sink.url("/"));
            let view = hotel.sync(&request(6, &[], "null").replace("\"contacts\"", &options));
            assert_eq!(view["status"], "failed", "{view}");
            assert_eq!((&view["contacts_valid_count"], &view["contacts_failed_count"]), (&3.into(), &3.into()));
            assert_eq!(indexes(&view, "created"), [0, 1, 2]);
            assert_eq!(indexes(&view, "failed"), [3, 4, 5]);
            let said = view["results"][4]["errors"][0]["message"].as_str().unwrap();
            assert!(said.starts_with("was not reached, because the job was given up: "), "{said}");
            let hook: Value = serde_json::from_str(sink.wait_for(1)[0].text()).unwrap();
            assert_eq!(hook["valid_contacts"].as_array().unwrap().len(), 3);
            let failed = hook["failed_contacts"].as_array().unwrap();
            assert_eq!(failed.len(), 3, "{hook}");
            for (failed, nth) in failed.iter().zip(3..) {
                let sent = if contact { format!("u{nth}").into() } else { Value::Null };
                assert_eq!(failed["contact"]["user_id"], sent);
                assert_eq!(failed["error"], format!("contact: {said}"));
            }
            process::verify(&app.stop());
        }
    }

    fn a_purchase_that_cannot_be_stored_fails_alone(engine: Engine) {
        let app = App::start(engine, &[]);
        poison(&app, "purchases", "transaction_code");
        let hotel = Hotel::on(&app);
        let purchase = r#"{"uuid":"p","transaction_code":"poison","price":"1","currency":"EUR"}"#;
        let view = hotel.sync(&request(12, &[], purchase));
        assert_eq!(view["status"], "completed");
        assert_eq!((&view["contacts_valid_count"], &view["contacts_failed_count"]), (&12.into(), &0.into()));
        assert_eq!(view["purchase_result"]["status"], "failed");
        // The next request is none the wiser.
        assert_eq!(hotel.sync(&request(2, &[], "null"))["contacts_valid_count"], 2);
        process::verify(&app.stop());
    }
}
