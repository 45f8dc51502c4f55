//! The rows of jobs: stored by one commit, claimed, worked off in any steps, read back; credits and webhooks.

use crate::support::app::WORLD;
use crate::support::engine::{Database, Engine};
use crate::support::jobs::{Jobs, LEASE_US};
use crate::support::on_both_engines;
use crate::support::process;
use diesel::prelude::*;
use punchcard::error::Code;
use punchcard::loyalty::contacts::sent::{KeyKind, Mail, Verdict};
use punchcard::loyalty::once::{Once, SYNC};
use punchcard::loyalty::sync::claim::Wish;
use punchcard::loyalty::sync::credit::AddCredits;
use punchcard::loyalty::sync::event::{Attempt, ClaimEvent, EventState};
use punchcard::loyalty::sync::job::Options;
use punchcard::loyalty::sync::view::{ItemState, JobState};
use punchcard::store::connect::Role;
use punchcard::store::dialect::people::HOLDERS_MOST;
use punchcard::store::schema::{
    attempts, contacts, customer_keys, customers, installation, outbox, outbox_queue, person_keys,
    purchase_contacts, sync_items, sync_jobs, sync_parts, sync_queue,
};
use punchcard::store::sync_purge;

fn people(range: std::ops::Range<usize>) -> Vec<String> {
    range
        .map(|n| format!(r#"{{"user_id":"u{n}","email":"Person{n}@Example.com","name_first":"Zoë","age":{n}.50}}"#))
        .collect()
}

fn with_hook() -> Options {
    Options {
        contact_fields: vec!["age".to_owned(), "nothing".to_owned()],
        ..Options::default()
    }
}

on_both_engines! {
    fn of_an_address_that_many_share_only_some_are_looked_at(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let shared = |n: usize| format!(r#"{{"user_id":"u{n}","email":"nobody@example.com"}}"#);
        for from in [0, 500] {
            let some: Vec<String> = (from..from + 500).map(shared).collect();
            let view = jobs.work_off(jobs.accept(jobs.request(&some, 500)), 500);
            assert_eq!((view.valid, view.failed), (500, 0));
        }
        let asked = [(KeyKind::Email, "nobody@example.com"), (KeyKind::UserId, "u999"), (KeyKind::UserId, "u2000")];
        let db = &mut jobs.database.connect(Role::Reader);
        let found = punchcard::store::people::load(db, jobs.account.number, &asked).unwrap();
        let holders = found.holders(KeyKind::Email, "nobody@example.com");
        assert!(holders.len() == HOLDERS_MOST && holders.is_sorted());
        assert!(holders.iter().all(|customer| found.get(*customer).is_some()));
        assert_eq!(found.holders(KeyKind::UserId, "u999").len(), 1);
        // One who is known by the client's own id is found, another one is new, and who has none is nobody of them.
        let some = [shared(999), shared(2000), r#"{"email":"nobody@example.com"}"#.to_owned()];
        let view = jobs.work_off(jobs.accept(jobs.request(&some, 500)), 500);
        let states: Vec<ItemState> = view.results.iter().map(|result| result.state).collect();
        assert_eq!(states, [ItemState::Updated, ItemState::Created, ItemState::Failed]);
        assert_eq!(view.results[2].errors[0].field, "email");
    }

    fn a_job_is_stored_claimed_worked_off_and_told(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let mut request = jobs.request(&people(0..7), 3);
        request.options = with_hook();
        request.custom.insert("age".to_owned());
        request.url = Some("https://example.com/hook".to_owned());
        request.purchase = Jobs::purchase(
            r#"{"UUID":"p-1","transaction_code":"T1","price":545.50,"currency":"EUR","seat":"4a"}"#,
            false,
        );
        let id = jobs.accept(request);
        assert_eq!(jobs.run(jobs.poster.due_jobs(10)).unwrap(), [(jobs.account.number, 1)]);
        let queued = jobs.view(id).unwrap();
        assert_eq!(queued.state, JobState::Queued);
        assert_eq!(queued.head.options.ignored, ["nothing"]);

        let claimed = jobs.claim(id, "a", Wish::Take).unwrap();
        assert!(claimed.purchase.as_deref().unwrap().contains("545.50"));
        assert!(jobs.run(jobs.poster.due_jobs(10)).unwrap().is_empty());
        assert_eq!(jobs.claim(id, "b", Wish::Take), None);
        let done = jobs.work(jobs.next(&claimed, 0, 2));
        assert_eq!((done.cursor, done.finished), (2, false));
        let half = jobs.view(id).unwrap();
        assert_eq!((half.state, half.valid, half.results.len()), (JobState::Processing, 2, 2));
        // Whoever has another token, or stands elsewhere, changes nothing.
        let mut other = jobs.next(&claimed, 2, 5);
        other.token = "b".to_owned();
        assert_eq!(jobs.run(jobs.poster.work(other)).unwrap_err().code, Code::ClaimLost);
        assert_eq!(jobs.run(jobs.poster.work(jobs.next(&claimed, 3, 5))).unwrap_err().code, Code::ClaimLost);
        assert!(jobs.claim(id, "a", Wish::Release).is_some());
        assert_eq!(jobs.work_off(id, 4).state, JobState::Completed);

        let view = jobs.view(id).unwrap();
        assert_eq!((view.valid, view.failed, view.charged), (7, 0, 0));
        assert!(view.started_at.is_some() && view.completed_at.is_some());
        for (n, result) in view.results.iter().enumerate() {
            assert_eq!((result.index as usize, result.state), (n, ItemState::Created));
            let contact = result.contact.as_ref().unwrap();
            assert_eq!(contact.get("age"), Some(format!("{n}.50").as_str()));
            assert_eq!(contact.get("name_first"), Some("\"Zoë\""));
            assert_eq!(contact.get("_id").map(|id| id.trim_matches('"')), result.id.as_deref());
        }
        let purchase = view.purchase.unwrap();
        assert_eq!((purchase.state, purchase.code.as_deref()), (ItemState::Created, Some("T1")));
        assert_eq!(purchase.fields.unwrap().get("seat"), Some("\"4a\""));
        let told = jobs.run(jobs.poster.told(jobs.account.number, 1, 3, 2)).unwrap();
        assert_eq!(told.iter().map(|told| told.item).collect::<Vec<_>>(), [4, 5]);
        assert!(told[0].told.as_deref().unwrap().contains("\"age\":4.50"), "{told:?}");

        let db = &mut jobs.db();
        let links: i64 = purchase_contacts::table.count().get_result(db).unwrap();
        let parts: i64 = sync_parts::table.count().get_result(db).unwrap();
        let waiting: i64 = sync_queue::table.count().get_result(db).unwrap();
        let keys: i64 = person_keys::table.filter(person_keys::kind.eq(1)).count().get_result(db).unwrap();
        assert_eq!((links, parts, waiting, keys), (7, 0, 0, 7));
        let listed = jobs.run(jobs.poster.jobs(jobs.account.number, Some(JobState::Completed), 5, None)).unwrap();
        assert_eq!(listed.len(), 1);
        let none = jobs.run(jobs.poster.jobs(jobs.account.number, Some(JobState::Queued), 5, Some(9))).unwrap();
        assert!(none.is_empty());
        process::verify(&jobs.stop());
    }

    fn a_person_is_found_again_and_changed(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let first = r#"{"user_id":"u1","email":"a@example.com","city":"Cádiz","name_first":"Ann","gdpr_accept_terms":true}"#;
        let id = jobs.accept(jobs.request(&[first.to_owned()], 500));
        let created = jobs.work_off(id, 500).results[0].clone();
        // All columns of the only row are NULL but one: what is left out of the insert must be NULL in the update too.
        let again = r#"{"user_id":"u1","email":null,"city":null,"name_first":null,"gdpr_accept_terms":false}"#;
        let other = r#"{"email":"a@example.com","phone":"+1 212 555 0100"}"#;
        let id = jobs.accept(jobs.request(&[again.to_owned(), other.to_owned()], 500));
        let view = jobs.work_off(id, 1);
        assert_eq!(view.results[0].state, ItemState::Updated);
        assert_eq!(view.results[0].id, created.id);
        // The address was free by then.
        assert_eq!(view.results[1].state, ItemState::Created);
        let db = &mut jobs.db();
        type Row = (Option<String>, Option<String>, Option<String>);
        let rows: Vec<Row> = customers::table
            .inner_join(contacts::table.on(contacts::customer.eq(customers::number)))
            .order(customers::number)
            .select((customers::email, customers::city, customers::first_name))
            .load(db)
            .unwrap();
        assert_eq!(rows, [(None, None, None), (Some("a@example.com".to_owned()), None, None)]);
        let codes: i64 = customer_keys::table
            .inner_join(contacts::table.on(contacts::customer.eq(customer_keys::customer)))
            .count()
            .get_result(db)
            .unwrap();
        assert_eq!(codes, 2);
        // A customer of the world file is found by the address.
        let amy = r#"{"email":" AMY@example.com","user_id":"amy"}"#;
        let id = jobs.accept(jobs.request(&[amy.to_owned()], 500));
        assert_eq!(jobs.work_off(id, 5).results[0].state, ItemState::Updated);
        process::verify(&jobs.stop());
    }

    fn an_ambiguous_contact_is_kept_until_an_equal_one_comes(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let two = [r#"{"user_id":"u1","email":"x@example.com"}"#.to_owned(), r#"{"user_id":"u2","email":"x@example.com"}"#.to_owned()];
        let id = jobs.accept(jobs.request(&two, 500));
        assert_eq!(jobs.work_off(id, 500).valid, 2);
        let vague = [r#"{"email":"x@example.com"}"#.to_owned()];
        for _ in 0..2 {
            let id = jobs.accept(jobs.request(&vague, 500));
            let view = jobs.work_off(id, 500);
            assert_eq!((view.valid, view.failed), (0, 1));
            assert_eq!(view.results[0].errors[0].field, "email");
        }
        let database = jobs.stop();
        let listed = process::succeed(&database, &["rejections", "list", "shop", "--state", "all"]);
        assert!(listed.contains("1 superseded fault") && listed.contains("2 open fault"), "{listed}");
        let shown = process::succeed(&database, &["rejections", "show", "shop", "2"]);
        assert!(shown.contains("sync_data") && shown.contains("x@example.com"), "{shown}");
        process::verify(&database);
    }

    fn an_equal_request_is_stored_once(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let once = |print| Once::keyed(SYNC, "", "k", [print; 32], 3600);
        let accept = |print| {
            let request = jobs.request(&people(0..1), 500);
            jobs.run(jobs.poster.accept(request, Some(once(print))))
        };
        let first = accept(1).unwrap();
        let again = accept(1).unwrap();
        assert!(!first.repeated && again.repeated);
        assert_eq!(first.job, again.job);
        assert_eq!(accept(2).unwrap_err().code, Code::IdempotencyKeyReused);
        let mut stale = jobs.request(&people(0..1), 500);
        stale.sealed.push(0);
        assert_eq!(jobs.run(jobs.poster.accept(stale, None)).unwrap_err().code, Code::BadCredentials);
        process::verify(&jobs.stop());
    }

    fn a_purchase_alone_must_be_known(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let alone = || {
            let mut request = jobs.request(&[], 500);
            request.purchase = Jobs::purchase(r#"{"transaction_code":"T9","status":"canceled"}"#, true);
            request
        };
        let refused = jobs.run(jobs.poster.accept(alone(), None)).unwrap_err();
        assert_eq!(refused.code, Code::UnknownTransaction);
        let mut request = jobs.request(&people(0..1), 500);
        request.purchase = Jobs::purchase(r#"{"uuid":"p","transaction_code":"T9","price":"1","currency":"EUR"}"#, false);
        let first = jobs.accept(request);
        // It is known as soon as it waits.
        let second = jobs.accept(alone());
        assert_eq!(jobs.claim(second, "a", Wish::Take), None);
        assert_eq!(jobs.work_off(first, 500).purchase.unwrap().state, ItemState::Created);
        let view = jobs.work_off(second, 500);
        let purchase = view.purchase.unwrap();
        assert_eq!(purchase.state, ItemState::Updated);
        assert_eq!(purchase.fields.unwrap().get("status"), Some("\"canceled\""));
        let id = jobs.accept(alone());
        jobs.work_off(id, 500);
        process::verify(&jobs.stop());
    }

    fn credits_are_given_spent_and_never_below_zero(engine: Engine) {
        let jobs = Jobs::start(engine, "email_credits = 3");
        let add = |amount| {
            let add = AddCredits { account: jobs.account.number, amount, note: "a gift".to_owned() };
            jobs.run(jobs.poster.add_credits(add))
        };
        assert_eq!(add(2).unwrap(), 5);
        assert_eq!(add(-6).unwrap_err().code, Code::CreditsBelowZero);
        assert_eq!(add(-1).unwrap(), 4);
        let mut request = jobs.request(&people(0..6), 500);
        request.options = Options { validate: true, create_if_invalid: true, create_if_no_credit: false, ..Options::default() };
        let id = jobs.accept(request);
        let claimed = jobs.claim(id, "a", Wish::Take).unwrap();
        let mut work = jobs.next(&claimed, 0, 6);
        for item in work.items.iter_mut().take(2) {
            item.mail = Mail::Verdict(Verdict::Valid);
        }
        work.items[2].mail = Mail::NotAsked;
        let done = jobs.work(work);
        assert_eq!((done.cursor, done.lacks_verdict), (2, true));
        assert_eq!(jobs.run(jobs.poster.credits(jobs.account.number)).unwrap(), Some(2));
        let mut work = jobs.next(&claimed, 2, 6);
        for item in &mut work.items {
            item.mail = Mail::Verdict(Verdict::Valid);
        }
        assert!(jobs.work(work).finished);
        let view = jobs.view(id).unwrap();
        assert_eq!((view.valid, view.failed, view.charged), (4, 2, 4));
        assert_eq!(view.results[1].verdict, Some(Verdict::Valid));
        let entries = jobs.run(jobs.poster.credit_entries(jobs.account.number, 10)).unwrap();
        let ledger: Vec<(&str, i64, i64)> = entries
            .iter()
            .map(|entry| (entry.kind.as_str(), entry.amount, entry.balance_after))
            .collect();
        assert_eq!(
            ledger,
            [("spent", -2, 0), ("spent", -2, 2), ("added", -1, 4), ("added", 2, 5), ("opening", 3, 3)]
        );
        process::verify(&jobs.stop());
    }

    fn credits_without_limit_stay_so_until_the_file_sets_one(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let add = AddCredits { account: jobs.account.number, amount: 5, note: String::new() };
        let refused = jobs.run(jobs.poster.add_credits(add)).unwrap_err();
        assert_eq!((refused.code, refused.value.as_deref()), (Code::UnlimitedCredits, Some("shop")));
        let jobs = Jobs::on(jobs.stop(), "email_credits = 7");
        assert_eq!(jobs.run(jobs.poster.credits(jobs.account.number)).unwrap(), Some(7));
        let jobs = Jobs::on(jobs.stop(), "email_credits = 9");
        assert_eq!(jobs.run(jobs.poster.credits(jobs.account.number)).unwrap(), Some(7));
        process::verify(&jobs.stop());
    }

    fn a_webhook_is_taken_tried_parked_and_asked_for_again(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let mut request = jobs.request(&people(0..1), 500);
        request.url = Some("https://example.com/hook".to_owned());
        let id = jobs.accept(request);
        jobs.work_off(id, 1);
        let account = jobs.account.number;
        let due = || jobs.run(jobs.poster.due_events(10)).unwrap();
        let claim = |token: &str| {
            let claim = ClaimEvent { account, event: 1, token: token.to_owned(), lease_us: LEASE_US, found: None };
            jobs.run(jobs.poster.claim_event(claim)).unwrap()
        };
        let record = |token: &str, status: Option<i32>| {
            let attempt = Attempt {
                account,
                event: 1,
                token: token.to_owned(),
                started_at: 1,
                took_ms: 2,
                status,
                error: status.is_none().then(|| "timed out".to_owned()),
                answer: None,
                retry_after_s: None,
                schedule: vec![0],
                jitter: 100,
                found: None,
            };
            jobs.run(jobs.poster.record(attempt)).unwrap()
        };
        assert_eq!(due(), [(account, 1)]);
        let claimed = claim("a").unwrap();
        assert_eq!(claimed.job.head.id, id);
        assert!(due().is_empty() && claim("b").is_none());
        assert_eq!(record("b", Some(200)), None);
        assert_eq!(record("a", Some(500)), Some(EventState::Pending));
        assert_eq!(record("a", Some(500)), None);
        assert!(claim("c").is_some());
        assert_eq!(record("c", None), Some(EventState::Parked));
        assert!(due().is_empty());
        assert!(jobs.run(jobs.poster.requeue(&claimed.event.id)).unwrap());
        assert!(claim("d").is_some());
        // Somebody asks while it is being sent: once more.
        assert!(jobs.run(jobs.poster.requeue(&claimed.event.id)).unwrap());
        assert_eq!(record("d", Some(204)), Some(EventState::Pending));
        assert!(claim("e").is_some());
        assert_eq!(record("e", Some(204)), Some(EventState::Delivered));
        let listed = jobs.run(jobs.poster.events(Some(EventState::Delivered), 10)).unwrap();
        assert_eq!(listed[0].tries, [Some(500), None, Some(204), Some(204)]);
        assert_eq!((listed[0].account_id.as_str(), listed[0].next), ("shop", None));
        let left: i64 = outbox_queue::table.count().get_result(&mut jobs.db()).unwrap();
        assert_eq!(left, 0);
        process::verify(&jobs.stop());
    }

    fn what_is_old_of_jobs_is_deleted_and_the_jobs_stay(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let account = jobs.account.number;
        for n in 0..3 {
            let mut request = jobs.request(&people(n * 10..n * 10 + 10), 500);
            request.url = Some("https://example.com/hook".to_owned());
            let id = jobs.accept(request);
            jobs.work_off(id, 500);
        }
        let first = jobs.view(jobs.run(jobs.poster.jobs(account, None, 1, Some(2))).unwrap()[0].head.id).unwrap();
        let claim = ClaimEvent { account, event: 1, token: "a".to_owned(), lease_us: LEASE_US, found: None };
        jobs.run(jobs.poster.claim_event(claim)).unwrap().unwrap();
        let attempt = Attempt {
            account,
            event: 1,
            token: "a".to_owned(),
            started_at: 1,
            took_ms: 2,
            status: Some(200),
            error: None,
            answer: Some("thanks".to_owned()),
            retry_after_s: None,
            schedule: Vec::new(),
            jitter: 0,
            found: None,
        };
        assert_eq!(jobs.run(jobs.poster.record(attempt)).unwrap(), Some(EventState::Delivered));
        let db = &mut jobs.database.connect(Role::Migrator);
        let now = chrono::Utc::now().timestamp_micros();
        let (old, day) = (now - 48 * 3_600_000_000, 24 * 3_600_000_000);
        // Two are old; of these the second one's webhook is still to be sent.
        diesel::update(sync_jobs::table.filter(sync_jobs::number.lt(3)))
            .set(sync_jobs::completed_at.eq(old))
            .execute(db)
            .unwrap();
        diesel::update(outbox::table.filter(outbox::number.eq(1)))
            .set(outbox::done_at.eq(old))
            .execute(db)
            .unwrap();
        sync_purge::purge(db, account, now - day).unwrap();
        let left: Vec<i64> = sync_items::table.select(sync_items::job).distinct().order(sync_items::job).load(db).unwrap();
        assert_eq!(left, [2, 3]);
        let hooks: Vec<i64> = outbox::table.select(outbox::number).order(outbox::number).load(db).unwrap();
        assert_eq!(hooks, [2, 3]);
        let tries: i64 = attempts::table.count().get_result(db).unwrap();
        assert_eq!(tries, 0);
        let after = jobs.view(first.head.id).unwrap();
        assert_eq!((after.valid, after.results.len()), (10, 0));
        process::verify(&jobs.stop());
    }

    fn keys_are_given_to_those_who_were_there_before_and_follow_the_country(engine: Engine) {
        let jobs = Jobs::start(engine, "");
        let keys = |database: &Database| {
            let db = &mut database.connect(Role::Reader);
            let columns = (person_keys::kind, person_keys::value, person_keys::customer);
            let mut rows: Vec<(i16, String, i64)> = person_keys::table.select(columns).load(db).unwrap();
            rows.sort();
            rows
        };
        let contact = r#"{"user_id":"u1","phone":"212 555 0100","email":"Zoë@Example.com"}"#;
        let id = jobs.accept(jobs.request(&[contact.to_owned()], 500));
        jobs.work_off(id, 500);
        let database = jobs.stop();
        let whole = keys(&database);
        assert!(whole.iter().any(|(kind, value, _)| *kind == 3 && value == "12125550100"), "{whole:?}");
        let db = &mut database.connect(Role::Migrator);
        diesel::delete(person_keys::table).execute(db).unwrap();
        diesel::delete(installation::table.find("person_keys")).execute(db).unwrap();
        process::succeed(&database, &["migrate"]);
        assert_eq!(keys(&database), whole);
        process::verify(&database);
        let world = WORLD
            .replace("{account}", "shop")
            .replace("{user}", "till")
            .replace("{key}", "key-of-the-till-1234567890")
            .replace("country = \"US\"", "country = \"ES\"");
        process::apply(&database, &world);
        let moved = keys(&database);
        assert!(moved.iter().any(|(kind, value, _)| *kind == 3 && value == "342125550100"), "{moved:?}");
        assert_eq!(moved.len(), whole.len());
        process::verify(&database);
    }
}
