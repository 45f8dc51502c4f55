//! Jobs whose outcome is known.

use super::*;

#[test]
fn two_rows_of_one_person_are_applied_in_order() {
    let contacts = [
        r#"{"email":"a@x.example","name_first":"Ann","gdpr_accept_terms":true}"#,
        r#"{"user_id":"u1","email":"A@x.example","name_first":"Bea","gdpr_accept_terms":true}"#,
        r#"{"user_id":"u2","email":"a@x.example"}"#,
        r#"{"user_id":"u1","gdpr_accept_terms":false}"#,
        r#"{"fault":1}"#,
    ];
    let mut shop = Shop::new(None);
    let ended = job(&contacts, Options::default()).run(&mut shop, &[10], &[0]);
    assert_eq!(ended.counts, (4, 1, 0));
    assert_eq!(states(&shop), "cucuf");
    let ann = &shop.people[&1];
    assert_eq!(ann.columns.first_name.as_deref(), Some("Bea"));
    assert_eq!(ann.code.as_deref(), Some("0000000000000000"));
    let answers = [
        (1, "terms", Some(true), 1, None),
        (1, "terms", Some(false), 2, Some(1)),
    ];
    assert_eq!(shop.consents, answers);
    assert_eq!(ann.contact.as_ref().unwrap().last_consent, Some(2));
    assert_eq!(shop.items[4].errors, [Fault::new("fault", "is there")]);
}

#[test]
fn a_contact_that_several_people_may_be_is_kept() {
    let contacts = [
        r#"{"user_id":"u1","email":"a@x.example"}"#,
        r#"{"user_id":"u2","email":"a@x.example"}"#,
        r#"{"email":"a@x.example","vip":1}"#,
    ];
    let mut shop = Shop::new(None);
    job(&contacts, Options::default()).run(&mut shop, &[2], &[0]);
    assert_eq!(states(&shop), "ccf");
    assert_eq!(
        shop.rejections,
        [(3, Code::AmbiguousContact, contacts[2].into())]
    );
    assert_eq!(shop.items[2].errors[0].field, "email");
    assert_eq!(shop.numbers.rejection, 2);
    // A custom field is known once somebody has it.
    assert!(shop.names.is_empty());
}

#[test]
fn credits_run_out_at_the_right_item() {
    let contacts: Vec<String> = [1, 3, 2, 1, 1, 2, 4]
        .iter()
        .enumerate()
        .map(|(place, mail)| format!(r#"{{"email":"p{place}@x.example","mail":{mail}}}"#))
        .collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    for (create_if_no_credit, create_if_invalid, expected) in [
        (true, false, "CcFCccf"),
        (false, false, "CcFCfff"),
        (true, true, "CcCCccc"),
        (false, true, "CcCCffc"),
    ] {
        let options = Options {
            create_if_no_credit,
            create_if_invalid,
            ..validating()
        };
        for (sizes, looks) in [
            (&[7][..], &[7][..]),
            (&[7], &[3, 1]),
            (&[1], &[1]),
            (&[2, 3], &[0, 2]),
        ] {
            let mut shop = Shop::new(Some(3));
            let ended = job(&contacts, options.clone()).run(&mut shop, sizes, looks);
            assert_eq!(states(&shop), expected);
            assert_eq!(
                (ended.counts.2, shop.spent, shop.numbers.sync.credits),
                (3, 3, Some(0))
            );
        }
    }
    let mut shop = Shop::new(None);
    let ended = job(&contacts, validating()).run(&mut shop, &[7], &[7]);
    assert_eq!((ended.counts, shop.numbers.sync.credit), ((4, 3, 0), 1));
}

#[test]
fn what_nobody_has_looked_at_is_not_decided() {
    let job = job(&[r#"{"email":"a@x.example","mail":1}"#], validating());
    let mut shop = Shop::new(Some(1));
    job.queue(&mut shop);
    let before = shop.clone();
    let (worked, ended) = commit(&mut shop, job.work(0, 1, 0), &job.head).unwrap();
    assert!(worked.lacks_verdict && worked.cursor == 0 && ended.is_none());
    assert_eq!(shop, before);
}

#[test]
fn who_has_lost_the_claim_stores_nothing() {
    let job = job(&[r#"{"user_id":"u"}"#], Options::default());
    let mut shop = Shop::new(None);
    let lost = |shop: &mut Shop, work: Work| {
        let problem = commit(shop, work, &job.head).unwrap_err();
        problem.code == Code::ClaimLost && shop.items.is_empty()
    };
    assert!(lost(&mut shop, job.work(0, 1, 0)), "the job is done");
    job.queue(&mut shop);
    let other = Work {
        token: "another".to_owned(),
        ..job.work(0, 1, 0)
    };
    assert!(lost(&mut shop, other), "somebody else has it");
    assert!(lost(&mut shop, job.work(1, 1, 0)), "it is elsewhere");
    assert!(commit(&mut shop, job.work(0, 1, 0), &job.head).is_ok());
}

const STAY: &str = r#"{"transaction_code":"T","UUID":"room","price":545.50,"currency":"EUR"}"#;

fn with_purchase(contacts: &[&str], purchase: &str) -> Job {
    let mut job = job(contacts, Options::default());
    job.purchase = Some(purchase.to_owned());
    job.head.purchases = 1;
    job.head.url = Some("https://pms.example/hook".to_owned());
    job
}

#[test]
fn a_purchase_belongs_to_all_contacts_of_its_request() {
    let contacts = [
        r#"{"fault":1}"#,
        r#"{"user_id":"b"}"#,
        r#"{"user_id":"a"}"#,
        r#"{"user_id":"b"}"#,
    ];
    for size in 1..5 {
        let mut shop = Shop::new(None);
        let ended = with_purchase(&contacts, STAY).run(&mut shop, &[size], &[0]);
        let (state, errors, told) = ended.purchase.unwrap();
        assert_eq!((state, errors), (ItemState::Created, vec![]));
        let id = "f".repeat(24);
        assert_eq!(
            told,
            Some(format!(r#"{{"transaction_code":"T","_id":"{id}"}}"#))
        );
        assert_eq!(shop.links, Some(vec![1, 2]));
        assert_eq!(shop.purchase.as_ref().unwrap().customer, Some(1));
        assert_eq!(ended.url.as_deref(), Some("https://pms.example/hook"));
        // A change of its status alone moves nobody.
        shop.items.clear();
        let alone = with_purchase(
            &[],
            r#"{"transaction_code":"T","status":"check_in","seat":4}"#,
        );
        let ended = alone.run(&mut shop, &[1], &[0]);
        assert_eq!(ended.purchase.unwrap().0, ItemState::Updated);
        assert_eq!(shop.links, Some(vec![1, 2]));
        assert_eq!(&*shop.purchase.as_ref().unwrap().status, "check_in");
        assert_eq!(shop.names, BTreeSet::from([(2, "seat".to_owned())]));
    }
}

#[test]
fn a_purchase_fails_without_its_contacts() {
    for (purchase, field) in [
        (r#"{"transaction_code":"T","status":"sold"}"#, "status"),
        (
            r#"{"transaction_code":"T","price":1,"currency":"EUR"}"#,
            "UUID",
        ),
        (r#"{"price":1}"#, "transaction_code"),
    ] {
        let mut shop = Shop::new(None);
        let ended = with_purchase(&[r#"{"user_id":"a"}"#], purchase).run(&mut shop, &[1], &[0]);
        let (state, errors, told) = ended.purchase.unwrap();
        assert_eq!((state, errors), (ItemState::Failed, vec![field.to_owned()]));
        assert_eq!(told.as_deref(), Some(purchase));
        assert_eq!(
            (ended.counts, ended.reason, shop.purchase),
            ((1, 0, 0), None, None)
        );
    }
}

#[test]
fn what_cannot_be_stored_fails_alone() {
    let job = with_purchase(&[r#"{"user_id":"a"}"#, r#"{"user_id":"b"}"#], STAY);
    let mut shop = Shop::new(None);
    job.queue(&mut shop);
    let poisoned = |work: Work| Work {
        poisoned: Some("0a1b".to_owned()),
        ..work
    };
    commit(&mut shop, poisoned(job.work(0, 1, 0)), &job.head).unwrap();
    assert_eq!(
        shop.items[0].errors[0].text(),
        "contact: could not be stored (reference 0a1b)"
    );
    assert_eq!(shop.items[0].told.as_deref(), Some(r#"{"user_id":"a"}"#));
    let there = shop.clone();
    // The purchase, when all contacts are worked off.
    let work = Work {
        finish: false,
        ..job.work(1, 2, 0)
    };
    commit(&mut shop, work, &job.head).unwrap();
    let (_, ended) = commit(&mut shop, poisoned(job.work(2, 2, 0)), &job.head).unwrap();
    let ended = ended.unwrap();
    assert_eq!((ended.counts, ended.reason), ((1, 1, 0), None));
    assert_eq!(
        ended.purchase,
        Some((
            ItemState::Failed,
            vec!["purchase".to_owned()],
            Some(STAY.to_owned())
        ))
    );
    // The job, when some are left.
    let mut shop = there;
    shop.left = vec![Part {
        first: 0,
        contacts: r#"[{"user_id":"a"}, {"user_id":"b"}]"#.to_owned(),
    }];
    let given_up = Work {
        finish: true,
        items: Vec::new(),
        ..poisoned(job.work(1, 2, 0))
    };
    let (_, ended) = commit(&mut shop, given_up, &job.head).unwrap();
    let ended = ended.unwrap();
    assert_eq!(
        (ended.counts, ended.reason.as_deref()),
        ((0, 2, 0), Some("0a1b"))
    );
    assert_eq!(ended.purchase.unwrap().0, ItemState::Failed);
    assert_eq!(
        shop.items[1].errors[0].text(),
        "contact: was not reached, because the job was given up: 0a1b"
    );
    assert_eq!(shop.items[1].told.as_deref(), Some(r#"{"user_id":"b"}"#));
}

#[test]
fn keys_are_read_again_when_the_country_changes() {
    let job = job(&[r#"{"phone_number":"600123456"}"#], Options::default());
    let mut work = job.work(0, 1, 0);
    let keys = |work: &Work| {
        work.keys()
            .map(|(kind, value)| (kind.stored(), value.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&work).len(), 4);
    let mut account = account();
    account.country = None;
    work.plan(&account);
    assert_eq!(keys(&work).len(), 4, "the configuration has not moved");
    account.config_version = 2;
    work.plan(&account);
    let expected = [(3, "600123456".to_owned()), (4, "600123456".to_owned())];
    assert_eq!(
        (keys(&work).as_slice(), work.planned_for),
        (&expected[..], 2)
    );
}

#[test]
fn a_person_does_not_grow_without_bound() {
    let part = |nth: usize| {
        let long = "x".repeat(15_000);
        format!(r#"{{"user_id":"a","c{nth}":"{long}"}}"#)
    };
    let mut contacts: Vec<String> = (0..5).map(part).collect();
    // What takes the place of something else still fits.
    contacts.push(part(3));
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let mut shop = Shop::new(None);
    job(&contacts, Options::default()).run(&mut shop, &[10], &[0]);
    assert_eq!(states(&shop), "cuuufu");
    let said = shop.items[4].errors[0].text();
    assert!(
        said.starts_with("contact: has more than 65536 bytes with what is stored of it: it has "),
        "{said}"
    );
}
