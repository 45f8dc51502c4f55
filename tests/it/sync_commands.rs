//! What an operator of `sync_data` sees and does: credits, jobs, the inbox. Webhooks are in `sync_hooks`.

use crate::support::app::App;
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{told, verify};
use crate::sync_mail::{app, books, names, request};
use crate::sync_stories::Hotel;
use serde_json::json;

on_both_engines! {
    fn credits_are_given_taken_and_listed(engine: Engine) {
        let database = Database::new(engine);
        let app = App::on(database, &[]);
        let (hotel, free) = (Hotel::with(&app, "email_credits = 40"), Hotel::on(&app));
        let credits = |words: &[&str]| told(&app.database, &[&["credits"], words].concat());
        let account = hotel.shop.account.as_str();
        let said = credits(&["add", account, "60", "--note", "paid in May"]).unwrap();
        assert!(said.contains("+60, 100 credits left"), "{said}");
        assert!(credits(&["add", account, "-99", "--note", "mistake"]).unwrap().contains("1 credit left"));
        let said = credits(&["add", account, "-2", "--note", "too many"]).unwrap_err();
        assert!(said.contains("1 credits, and") || said.contains("has 1 credit"), "{said}");
        assert_eq!(books(&hotel).0, Some(1));
        let listed = credits(&["list", account]).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!((lines.len(), lines[0]), (4, "1 credit left"));
        assert!(lines[1].starts_with("3 ") && lines[1].ends_with(" added -99, 1 left: mistake"), "{listed}");
        assert!(lines[2].ends_with(" added +60, 100 left: paid in May") && lines[3].ends_with(" opening +40, 40 left"), "{listed}");
        assert!(credits(&["list", account, "--limit", "1"]).unwrap().contains("there are more"));
        // Without limit nothing can be added: that would be a limit.
        let said = credits(&["add", &free.shop.account, "5", "--note", "why"]).unwrap_err();
        assert!(said.contains("without limit"), "{said}");
        assert_eq!(credits(&["list", &free.shop.account]).unwrap(), "credits without limit\n");
        assert!(credits(&["list", "nobody"]).unwrap_err().contains("nobody"));
        verify(&app.stop());
    }

    fn jobs_are_listed_and_shown(engine: Engine) {
        let dns = names();
        let app = app(engine, &dns);
        let hotel = Hotel::with(&app, "email_credits = 40");
        let account = hotel.shop.account.as_str();
        let jobs = |words: &[&str]| told(&app.database, &[&["jobs"], words].concat());
        assert_eq!(jobs(&["list", account]).unwrap(), "no jobs\n");
        let first = hotel.job(&request(&[Some("a@ok.example")], json!({})));
        let second = hotel.job(&request(&[Some("b@none.example"), None, Some("no\u{7}address")], json!({})));
        hotel.done(&second, "");
        let listed = jobs(&["list", account]).unwrap();
        let lines: Vec<&str> = listed.lines().collect();
        assert!(lines[0].starts_with(&format!("2 {second} ")) && lines[0].ends_with(" completed: 3 contacts, 1 valid, 2 failed, 1 credit spent"), "{listed}");
        assert!(lines[1].starts_with(&format!("1 {first} ")) && lines[1].ends_with(" completed: 1 contact, 1 valid, 0 failed, 1 credit spent"), "{listed}");
        assert_eq!(jobs(&["list", account, "--before", "2"]).unwrap().trim_end(), lines[1]);
        assert!(jobs(&["list", account, "--limit", "1"]).unwrap().contains("there are more: add --before 2,"));
        assert_eq!(jobs(&["list", account, "--state", "failed"]).unwrap(), "no jobs\n");
        let shown = jobs(&["show", account, &second]).unwrap();
        for line in ["state           completed", "failed          2", "credits spent   1", "contact 0       email: ", "contact 2       email: "] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        for wrong in ["x", "6553f100abcdef0000000102", ""] {
            assert!(jobs(&["show", account, wrong]).unwrap_err().contains("has no job"));
        }
        let other = Hotel::on(&app);
        assert!(jobs(&["show", &other.shop.account, &second]).unwrap_err().contains("has no job"));
    }

    fn a_contact_in_the_inbox_is_not_posted_as_a_transaction(engine: Engine) {
        let app = App::start(engine, &[("worker_poll_ms", "20")]);
        let hotel = Hotel::on(&app);
        let account = hotel.shop.account.as_str();
        for user in ["u1", "u2"] {
            hotel.sync(&json!({"origin": "PMS", "contacts": {"user_id": user, "email": "both@example.com"}}).to_string());
        }
        let view = hotel.sync(&json!({"origin": "PMS", "contacts": {"email": "both@example.com"}}).to_string());
        assert_eq!(view["results"][0]["errors"][0]["field"], "email", "{view}");
        let rejections = |words: &[&str]| told(&app.database, &[&["rejections"], words].concat());
        let listed = rejections(&["list", account]).unwrap();
        assert!(listed.starts_with("1 open fault line 1 ambiguous_contact"), "{listed}");
        for more in [&[][..], &["--dry-run"], &["--set", "amount=1"], &["--line", "P|12121|N|1"]] {
            let said = rejections(&[&["replay", account, "1"], more].concat()).unwrap_err();
            assert!(said.contains("a contact of sync_data"), "{said}");
        }
        assert!(rejections(&["show", account, "1"]).unwrap().contains("both@example.com"));
        rejections(&["dismiss", account, "1"]).unwrap();
        assert!(rejections(&["list", account]).unwrap().contains("no open rejections"));
        verify(&app.stop());
    }
}
