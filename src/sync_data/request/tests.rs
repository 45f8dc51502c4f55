use super::*;

fn try_read(text: &str) -> Result<Request, Refused> {
    read(text, None, true, &Allow::default())
}

fn good(text: &str) -> Request {
    try_read(text).unwrap_or_else(|refused| panic!("{text}: {refused:?}"))
}

fn faults(text: &str) -> Vec<String> {
    match try_read(text) {
        Err(Refused::Faults(faults)) => faults.iter().map(Fault::text).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

/// A request with one contact and these options.
fn with_options(options: &str) -> String {
    format!("{{\"origin\":\"PMS\",\"options\":{options},\"contacts\":[{{\"user_id\":\"a\"}}]}}")
}

const PUBLISHED: &str = include_str!("published.json");

#[test]
fn the_published_request_is_taken() {
    let request = good(PUBLISHED);
    let job = request.job;
    assert_eq!(job.origin, "PMS");
    assert_eq!(
        job.options,
        Options {
            validate: true,
            create_if_invalid: true,
            create_if_no_credit: true,
            contact_fields: vec!["name_first".to_owned()],
            purchase_fields: vec!["price".to_owned()],
            ignored: Vec::new(),
        }
    );
    assert_eq!((job.contacts, job.parts.len()), (1, 1));
    assert_eq!(job.url.as_deref(), Some("https://xxxxxx.xxx"));
    assert_eq!(request.target.unwrap().host, "xxxxxx.xxx");
    let purchase = job.purchase.unwrap();
    assert_eq!(purchase.code.as_deref(), Some("transaction_code_xxxx"));
    assert!(!purchase.alone && purchase.raw.starts_with('{') && purchase.raw.ends_with('}'));
    assert!(job.custom.is_empty());
}

#[test]
fn options_may_be_left_out_and_spelt_in_many_ways() {
    let defaults = Options {
        create_if_no_credit: true,
        ..Options::default()
    };
    for options in [
        "null",
        "{}",
        "{\"email_validation\":null,\"webhook\":{}}",
        "{\"email_validation\":{\"validate\":null,\"create_if_no_credit\":\"\"}}",
        "{\"webhook\":{\"url\":null,\"contacts_extra_fields\":null,\"purchase_extra_fields\":[]}}",
        "{\"webhook\":{\"url\":\"\",\"contacts_extra_fields\":\"\"},\"unknown\":7}",
    ] {
        let job = good(&with_options(options)).job;
        assert_eq!(
            (job.options, job.url),
            (defaults.clone(), None),
            "{options}"
        );
    }
    let job = good(&with_options(
        "{\"email_validation\":{\"validate\":\"1\",\"create_if_invalid\":1,\"create_if_no_credit\":\"false\"},\"webhook\":{\"contacts_extra_fields\":\"city\",\"purchase_extra_fields\":[\"name\",\"name\"]}}",
    ))
    .job;
    let options = job.options;
    assert!(options.validate && options.create_if_invalid && !options.create_if_no_credit);
    assert_eq!(options.contact_fields, ["city"]);
    assert_eq!(options.purchase_fields, ["name", "name"]);
}

#[test]
fn what_is_wrong_with_a_request_is_named_by_its_path() {
    let long = "x".repeat(256);
    let url = |url: &str| with_options(&format!("{{\"webhook\":{{\"url\":\"{url}\"}}}}"));
    for (text, field) in [
        (
            "{\"contacts\":[{}]}".to_owned(),
            "origin: is required: a text that says where this is from",
        ),
        (
            "{\"origin\":null,\"contacts\":[{}]}".to_owned(),
            "origin: is required: a text that says where this is from",
        ),
        (
            "{\"origin\":\" \",\"contacts\":[{}]}".to_owned(),
            "origin: must not be empty: say where this is from",
        ),
        (
            "{\"origin\":7,\"contacts\":[{}]}".to_owned(),
            "origin: must be a text, not 7",
        ),
        (
            format!("{{\"origin\":\"{long}\",\"contacts\":[{{}}]}}"),
            "origin: has more than 255 characters: it has 256",
        ),
        (
            with_options("\"x\""),
            "options: must be an object, not \"x\"",
        ),
        (with_options("[]"), "options: must be an object, not a list"),
        (
            with_options("{\"email_validation\":true}"),
            "options.email_validation: must be an object, not true",
        ),
        (
            with_options("{\"email_validation\":{\"validate\":\"maybe\"}}"),
            "options.email_validation.validate: must be true or false, not \"maybe\"",
        ),
        (
            with_options("{\"email_validation\":{\"create_if_no_credit\":[]}}"),
            "options.email_validation.create_if_no_credit: must be true or false, not a list",
        ),
        (
            with_options("{\"webhook\":\"https://a.b\"}"),
            "options.webhook: must be an object, not \"https://a.b\"",
        ),
        (
            with_options("{\"webhook\":{\"url\":7}}"),
            "options.webhook.url: must be a text, not 7",
        ),
        (
            with_options("{\"webhook\":{\"contacts_extra_fields\":7}}"),
            "options.webhook.contacts_extra_fields: must be a list of texts, not 7",
        ),
        (
            with_options("{\"webhook\":{\"purchase_extra_fields\":{\"0\":\"a\"}}}"),
            "options.webhook.purchase_extra_fields: must be a list of texts, not an object",
        ),
        (
            with_options("{\"webhook\":{\"contacts_extra_fields\":[\"a\",7]}}"),
            "options.webhook.contacts_extra_fields.1: must be a text, not 7",
        ),
        (
            with_options("{\"webhook\":{\"contacts_extra_fields\":[\"\"]}}"),
            "options.webhook.contacts_extra_fields.0: must be the name of a field, not \"\"",
        ),
        (
            with_options(&format!(
                "{{\"webhook\":{{\"contacts_extra_fields\":[\"{}\"]}}}}",
                "n".repeat(65)
            )),
            "options.webhook.contacts_extra_fields.0: has more than 64 characters: it has 65",
        ),
        (
            with_options(&format!(
                "{{\"webhook\":{{\"contacts_extra_fields\":[{}\"a\"]}}}}",
                "\"a\",".repeat(100)
            )),
            "options.webhook.contacts_extra_fields: has more than 100 names: it has 101",
        ),
        (
            url("ftp://example.com/"),
            "options.webhook.url: must begin with http:// or https://, not ftp:",
        ),
        (
            url("https://me@example.com/"),
            "options.webhook.url: must not have a user name or a password",
        ),
        (
            "{\"origin\":\"P\",\"contacts\":\"a\"}".to_owned(),
            "contacts: must be a list of contacts, not \"a\"",
        ),
        (
            "{\"origin\":\"P\"}".to_owned(),
            "contacts: is required, unless there is a purchase",
        ),
        (
            "{\"origin\":\"P\",\"contacts\":[],\"purchase\":null}".to_owned(),
            "contacts: is required, unless there is a purchase",
        ),
        (
            "{\"origin\":\"P\",\"contacts\":[{}],\"purchase\":[]}".to_owned(),
            "purchase: must be an object, not a list",
        ),
        (
            "{\"origin\":\"P\",\"purchase\":\"x\"}".to_owned(),
            "purchase: must be an object, not \"x\"",
        ),
        (
            "{\"origin\":\"P\",\"purchase\":{\"price\":1}}".to_owned(),
            "purchase.transaction_code: is required",
        ),
        (
            "{\"origin\":\"P\",\"purchase\":{\"transaction_code\":\"c\",\"currency\":\"EURO\"}}"
                .to_owned(),
            "purchase.currency: must be a currency code of ISO 4217 such as EUR, not \"EURO\"",
        ),
    ] {
        assert_eq!(faults(&text), [field], "{text}");
    }
    assert_eq!(faults(&url("http://127.1/")).len(), 1);
    assert_eq!(
        faults("{\"options\":1,\"contacts\":7,\"purchase\":8}").len(),
        4
    );
    let flood = format!(
        "{{\"webhook\":{{\"contacts_extra_fields\":[{}1]}}}}",
        "1,".repeat(80)
    );
    assert_eq!(faults(&with_options(&flood)).len(), FAULTS_MAX);
    for text in ["[]", "7", "\"a\"", "null"] {
        assert!(matches!(try_read(text), Err(Refused::NoObject)), "{text}");
    }
}

#[test]
fn keys_are_checked_with_the_rest() {
    let text = with_options("null");
    let read = |key: &[u8]| read(&text, Some(key), true, &Allow::default());
    assert_eq!(read(b"order 7").unwrap().key.as_deref(), Some("order 7"));
    for key in [&b""[..], b"caf\xc3\xa9", b"\xff", &[b'k'; 256]] {
        let Err(Refused::Faults(faults)) = read(key) else {
            panic!("{key:?}");
        };
        assert_eq!(faults[0].field, KEY);
    }
}

#[test]
fn contacts_and_purchases_that_are_wrong_do_not_refuse_the_request() {
    let job = good("{\"origin\":\"P\",\"contacts\":[7,null,\"x\",{\"email\":7}],\"purchase\":{\"price\":\"x\"}}").job;
    assert_eq!(job.contacts, 4);
    assert_eq!(job.parts[0].contacts, "[7,null,\"x\",{\"email\":7}]");
    assert_eq!(job.purchase.unwrap().code, None);
    let job = good("{\"origin\":\"P\",\"contacts\":{\"email\":\"a@b.c\"}}").job;
    assert_eq!(
        (job.contacts, job.parts[0].contacts.as_str()),
        (1, "[{\"email\":\"a@b.c\"}]")
    );
    let alone = good("{\"origin\":\"P\",\"contacts\":[],\"purchase\":{\"transaction_code\":\"c\",\"status\":\"check_in\"}}").job;
    assert!(alone.parts.is_empty() && alone.purchase.unwrap().alone);
}

#[test]
fn parts_are_small_and_in_order() {
    let request =
        |contacts: &[String]| format!("{{\"origin\":\"P\",\"contacts\":[{}]}}", contacts.join(","));
    let small: Vec<String> = (0..1000)
        .map(|nth| format!("{{\"user_id\":{nth}}}"))
        .collect();
    let parts = good(&request(&small)).job.parts;
    assert_eq!(
        parts.iter().map(|part| part.first).collect::<Vec<_>>(),
        [0, 500]
    );
    let large: Vec<String> = (0..40)
        .map(|_| format!("{{\"x\":\"{}\"}}", "y".repeat(30_000)))
        .collect();
    let huge = vec![
        format!("{{\"x\":\"{}\"}}", "y".repeat(600_000)),
        "{}".to_owned(),
    ];
    for contacts in [small, large, huge] {
        let parts = good(&request(&contacts)).job.parts;
        let mut all = Vec::new();
        for part in &parts {
            let list = json::list(&part.contacts).unwrap();
            assert_eq!(usize::try_from(part.first), Ok(all.len()));
            assert!(
                list.len() == 1 || list.len() <= PART_CONTACTS && part.contacts.len() <= PART_BYTES
            );
            all.extend(list);
        }
        assert_eq!(all, contacts);
    }
    let many = vec!["{}".to_owned(); 1001];
    assert_eq!(
        faults(&request(&many)),
        ["contacts: has more than 1000 contacts: it has 1001; send them in several requests"]
    );
}

#[test]
fn custom_names_that_are_asked_for_are_looked_for() {
    let text = "{\"origin\":\"P\",\"options\":{\"webhook\":{\"contacts_extra_fields\":[\"room\",\"city\",\"_id\",\"view\"],\"purchase_extra_fields\":[\"board\",\"uuid\",\"price\"]}},\"contacts\":[{\"user_id\":1,\"other\":1},{\"room\":null}],\"purchase\":{\"transaction_code\":\"c\",\"board\":1}}";
    let mut found: Vec<String> = good(text).job.custom.into_iter().collect();
    found.sort();
    assert_eq!(found, ["board", "room"]);
}

#[test]
fn equal_requests_have_equal_prints() {
    let print = |text: &str| good(text).print;
    let one = "{\"origin\":\"P\",\"contacts\":[{\"user_id\":\"a\",\"n\":1.0}],\"unknown\":1}";
    let same = " { \"contacts\" : [ {\"n\":1.0, \"user_id\":\"\\u0061\"} ],\"purchase\":null,\"origin\":\"P\" } ";
    assert_eq!(print(one), print(same));
    for other in [
        "{\"origin\":\"Q\",\"contacts\":[{\"user_id\":\"a\",\"n\":1.0}]}",
        "{\"origin\":\"P\",\"contacts\":[{\"user_id\":\"a\",\"n\":1}]}",
        "{\"origin\":\"P\",\"contacts\":[{\"user_id\":\"a\",\"n\":1.0},{}]}",
        "{\"origin\":\"P\",\"options\":{},\"contacts\":[{\"user_id\":\"a\",\"n\":1.0}]}",
    ] {
        assert_ne!(print(one), print(other), "{other}");
    }
    assert!(
        read(one, None, false, &Allow::default())
            .unwrap()
            .print
            .is_none()
    );
}
