use super::*;

fn faults(raw: &str) -> Vec<String> {
    read(raw, None).faults.iter().map(Fault::text).collect()
}

/// What is wrong with a field beside a user_id; empty if nothing is.
fn of_field(name: &str, raw: &str) -> String {
    faults(&format!("{{\"user_id\":\"u\",\"{name}\":{raw}}}")).join("; ")
}

#[test]
fn the_published_contact_is_taken() {
    let raw = r#"{
      "email": "jhon.doe@pushtech.com", "name_first": "Jhon", "name_last": "Doe",
      "user_id": "jhon.doe@pushtech.com", "born_date": "1990-01-01T00:00:00Z", "language": "EN",
      "country": "Germany", "city": "Berlin", "gender": "male"
    }"#;
    let sent = read(raw, Some("DE"));
    assert_eq!(sent.faults, []);
    assert_eq!(&*sent.raw, raw);
    let names: Vec<&str> = sent.fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "email",
            "name_first",
            "name_last",
            "user_id",
            "born_date",
            "language",
            "country",
            "city",
            "gender"
        ]
    );
    assert_eq!(sent.keys.user_id.as_deref(), Some("jhon.doe@pushtech.com"));
    assert_eq!(sent.keys.email.as_deref(), Some("jhon.doe@pushtech.com"));
}

#[test]
fn good_values_of_every_kind() {
    for (name, values) in [
        (
            "name_first",
            &["\"A\"", "7", "\"\\u00e9\"", "null", "\"\"", "\" \""][..],
        ),
        ("email", &["\"no address\"", "\" a@b.c \"", "null", "\"\""]),
        (
            "phone_countrycode",
            &[
                "\"+34\"",
                "\"34\"",
                "\"0034\"",
                "34",
                "\"+1-242\"",
                "\" +7 \"",
            ],
        ),
        (
            "phone_number",
            &["\"612 345 678\"", "12", "\"(0)30/123456\""],
        ),
        ("phone", &["\"+34 612345678\"", "34612345678", "\"1234\""]),
        (
            "born_date",
            &[
                "\"1990-01-01\"",
                "\"1990-01-01T00:00:00Z\"",
                "\"1990-01-01 12:30:00\"",
                "\"1990-01-01T00:00:00+02:00\"",
                "null",
            ],
        ),
        ("gender", &["\"male\"", "\"FEMALE\"", "\"Male\"", "\"\""]),
        (
            "language",
            &[
                "\"EN\"",
                "\"es_ES\"",
                "\"zh-Hans\"",
                "\"deu\"",
                "\"es-419\"",
            ],
        ),
        ("facebook_friends", &["0", "12", "\"12\"", "null"]),
        ("tags", &["[]", "[\"a\",\"b\"]", "\"a\"", "null", "\"\""]),
        (
            "list_subscriptions",
            &[
                "[]",
                "[{\"list_id\":\"a\",\"subscribed\":true}]",
                "{\"list_id\":5,\"subscribed\":\"0\"}",
                "[{\"list_id\":\"a\"}]",
            ],
        ),
        (
            "channel_subscriptions",
            &[
                "[{\"channel\":\"EMAIL\",\"blacklisted\":false}]",
                "{\"channel\":\"push\",\"blacklisted\":\"1\"}",
            ],
        ),
        (
            "gdpr_accept_terms",
            &["true", "\"false\"", "1", "\"0\"", "null"],
        ),
        (
            "gdpr_remote_ip",
            &["\"192.0.2.7\"", "\"2001:db8::1\"", "\" 192.0.2.7 \""],
        ),
        (
            "Room Size",
            &["{\"a\":[1,2]}", "545.50", "\"\"", "true", "null"],
        ),
    ] {
        for value in values {
            assert_eq!(of_field(name, value), "", "{name}: {value}");
        }
    }
}

#[test]
fn bad_values_of_every_kind() {
    let long = format!("\"{}\"", "x".repeat(256));
    let date = "born_date: must be a date in ISO 8601, such as 1990-01-01T00:00:00Z, not ";
    let count = "facebook_friends: must be a whole number of at most 18 digits, not ";
    for (name, raw, fault) in [
        (
            "name_first",
            long.as_str(),
            "name_first: has more than 255 characters: it has 256",
        ),
        (
            "name_last",
            "true",
            "name_last: must be a text or a number, not true",
        ),
        (
            "city",
            "{}",
            "city: must be a text or a number, not an object",
        ),
        (
            "zip",
            "\"\\udc00\"",
            "zip: must be a text or a number, not one with half of a surrogate pair, which is no text",
        ),
        ("email", "{\"a\":1}", "email: must be a text, not an object"),
        ("email", "7", "email: must be a text, not 7"),
        (
            "email",
            &format!("\"{}@b.c\"", "x".repeat(251)),
            "email: has more than 254 characters: it has 255",
        ),
        (
            "email",
            "\"a\\nb@c.d\"",
            "email: has a control character: \"a\\nb@c.d\"",
        ),
        (
            "phone_countrycode",
            "\"+34612\"",
            "phone_countrycode: must be a country code such as +34, not \"+34612\"",
        ),
        (
            "phone_countrycode",
            "\"ES\"",
            "phone_countrycode: must be a country code such as +34, not \"ES\"",
        ),
        (
            "phone_countrycode",
            "\"00\"",
            "phone_countrycode: must be a country code such as +34, not \"00\"",
        ),
        (
            "phone_number",
            "\"1\"",
            "phone_number: must be a number of 2 to 20 digits, not \"1\"",
        ),
        (
            "phone_number",
            "\"123456789012345678901\"",
            "phone_number: must be a number of 2 to 20 digits, not \"123456789012345678901\"",
        ),
        (
            "phone",
            "\"123\"",
            "phone: must be a number of 4 to 20 digits, not \"123\"",
        ),
        (
            "phone",
            "[]",
            "phone: must be a text or a number, not a list",
        ),
        (
            "born_date",
            "\"1990-02-30\"",
            &format!("{date}\"1990-02-30\": there is no such day"),
        ),
        (
            "born_date",
            "\"01/02/1990\"",
            &format!(
                "{date}\"01/02/1990\": it has not the shape YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"
            ),
        ),
        (
            "gdpr_date",
            "19900101",
            "gdpr_date: must be a text, not 19900101",
        ),
        (
            "gender",
            "\"x\"",
            "gender: must be male or female, not \"x\"",
        ),
        ("gender", "1", "gender: must be a text, not 1"),
        (
            "language",
            "\"x\"",
            "language: must be a language such as EN or es_ES, not \"x\"",
        ),
        (
            "language",
            "\"english\"",
            "language: must be a language such as EN or es_ES, not \"english\"",
        ),
        (
            "language",
            "\"en_US_x\"",
            "language: must be a language such as EN or es_ES, not \"en_US_x\"",
        ),
        ("facebook_friends", "-1", &format!("{count}{}", "-1")),
        ("facebook_friends", "1.5", &format!("{count}{}", "1.5")),
        ("facebook_friends", "1e3", &format!("{count}{}", "1e3")),
        (
            "facebook_friends",
            "\"many\"",
            &format!("{count}{}", "\"many\""),
        ),
        ("tags", "7", "tags: must be a list of texts, not 7"),
        ("tags", "{}", "tags: must be a list of texts, not an object"),
        ("tags", "[\"a\",7]", "tags.1: must be a text, not 7"),
        (
            "tags",
            &format!("[\"a\",\"b\",{long}]"),
            "tags.2: has more than 255 characters: it has 256",
        ),
        (
            "tags",
            &long,
            "tags: has more than 255 characters: it has 256",
        ),
        (
            "tags",
            &format!("[{}\"\"]", "\"\",".repeat(200)),
            "tags: has more than 200 values: it has 201",
        ),
        (
            "list_subscriptions",
            "[{\"subscribed\":true}]",
            "list_subscriptions.0.list_id: is required",
        ),
        (
            "list_subscriptions",
            "{}",
            "list_subscriptions.list_id: is required",
        ),
        (
            "list_subscriptions",
            "[{\"list_id\":\"a\"},{\"list_id\":\"b\",\"subscribed\":\"maybe\"}]",
            "list_subscriptions.1.subscribed: must be true or false, not \"maybe\"",
        ),
        (
            "list_subscriptions",
            "[7]",
            "list_subscriptions.0: must be an object, not 7",
        ),
        (
            "list_subscriptions",
            "\"a\"",
            "list_subscriptions: must be a list of objects, not \"a\"",
        ),
        (
            "list_subscriptions",
            &format!("[{}{{}}]", "{},".repeat(200)),
            "list_subscriptions: has more than 200 values: it has 201",
        ),
        (
            "channel_subscriptions",
            "[{\"channel\":\"fax\",\"blacklisted\":true}]",
            "channel_subscriptions.0.channel: must be email, sms or push, not \"fax\"",
        ),
        (
            "channel_subscriptions",
            "[{\"blacklisted\":true}]",
            "channel_subscriptions.0.channel: is required: email, sms or push",
        ),
        (
            "channel_subscriptions",
            "{\"channel\":\"sms\",\"blacklisted\":3}",
            "channel_subscriptions.blacklisted: must be true or false, not 3",
        ),
        (
            "gdpr_accept_terms",
            "\"maybe\"",
            "gdpr_accept_terms: must be true or false, not \"maybe\"",
        ),
        (
            "gdpr_remote_ip",
            "\"1.2.3\"",
            "gdpr_remote_ip: must be an IP address such as 192.0.2.7 or 2001:db8::7, not \"1.2.3\"",
        ),
        (
            "gdpr_remote_ip",
            "1",
            "gdpr_remote_ip: must be a text, not 1",
        ),
        ("", "1", "contact: has a field without a name"),
    ] {
        assert_eq!(of_field(name, raw), fault, "{name}: {raw}");
    }
    let name = "n".repeat(65);
    let fault = format!(
        "{}\u{2026}: has more than 64 characters in its name: it has 65",
        "n".repeat(64)
    );
    assert_eq!(of_field(&name, "1"), fault);
}

#[test]
fn what_is_no_contact_at_all() {
    for raw in ["7", "\"a\"", "null", "[]", "true"] {
        assert_eq!(
            faults(raw),
            [format!(
                "contact: must be an object, not {}",
                value::shown(raw)
            )],
            "{raw}"
        );
    }
    let nobody = "user_id: is required, unless there is an email, a phone or a phone_number";
    for raw in [
        "{}",
        "{\"user_id\":null,\"email\":\" \"}",
        "{\"city\":\"Berlin\",\"phone_countrycode\":\"+34\"}",
    ] {
        assert_eq!(faults(raw), [nobody], "{raw}");
    }
    // SQLite would look for what stands before the NUL, and find somebody else or nobody.
    assert_eq!(
        faults("{\"user_id\":\"a\\u0000b\"}"),
        ["user_id: has a control character: \"a\\u{0}b\""]
    );
    // One that is wrong is still one that was given.
    assert_eq!(faults("{\"email\":7}"), ["email: must be a text, not 7"]);
    for raw in [
        "{\"user_id\":7}",
        "{\"email\":\"a@b.c\"}",
        "{\"phone\":\"1234\"}",
        "{\"phone_number\":\"12\"}",
    ] {
        assert_eq!(faults(raw), [""; 0], "{raw}");
    }
}

#[test]
fn limits_of_a_contact() {
    let many = |count: usize| {
        let fields: Vec<String> = (0..count).map(|nth| format!("\"f{nth}\":1")).collect();
        format!("{{\"user_id\":\"u\",{}}}", fields.join(","))
    };
    assert_eq!(faults(&many(200)), [""; 0]);
    assert_eq!(
        faults(&many(201)),
        ["contact: has more than 200 custom fields: it has 201"]
    );
    let sent = read(&many(3000), None);
    assert_eq!(sent.faults.len(), 1);
    assert_eq!(
        sent.faults[0].message,
        "has more than 16384 bytes: it has 28905"
    );
    assert_eq!(&*sent.raw, "{\"user_id\":\"u\"}");
    let wrong: Vec<String> = (0..50)
        .map(|nth| format!("\"{}{nth}\":1", "n".repeat(65)))
        .collect();
    assert_eq!(
        faults(&format!("{{{}}}", wrong.join(","))).len(),
        FAULTS_MAX
    );
}

#[test]
fn fields_are_kept_as_they_were_sent() {
    let raw = "{\"_id\":\"x\",\"user_id\":7,\"price\":545.50,\"city\":\"\",\"note\":null,\"empty\":\"\",\"city\":\"K\\u00f6ln\"}";
    let sent = read(raw, None);
    let fields: Vec<(&str, Option<&str>)> = sent
        .fields
        .iter()
        .map(|(name, value)| (&**name, value.as_deref()))
        .collect();
    assert_eq!(
        fields,
        [
            ("user_id", Some("7")),
            ("price", Some("545.50")),
            ("city", Some("\"K\\u00f6ln\"")),
            ("note", None),
            ("empty", Some("\"\"")),
        ]
    );
}

#[test]
fn equal_contacts_have_equal_prints() {
    let print = |raw| read(raw, None).print;
    let one = print("{\"user_id\":\"a\",\"city\":\"K\u{f6}ln\",\"x\":{\"b\":1,\"a\":2}}");
    assert_eq!(
        one,
        print("{ \"x\": {\"a\":2,\"b\":1}, \"city\":\"K\\u00f6ln\", \"user_id\":\"\\u0061\" }")
    );
    for other in [
        "{\"user_id\":\"a\",\"city\":\"Koln\",\"x\":{\"b\":1,\"a\":2}}",
        "{\"user_id\":\"a\",\"x\":{\"b\":1,\"a\":2}}",
        "{\"user_id\":\"a\",\"city\":\"K\u{f6}ln\",\"x\":{\"b\":1,\"a\":2.0}}",
        "{\"user_id\":\"a\",\"city\":\"K\u{f6}ln\",\"x\":\"{}\"}",
    ] {
        assert_ne!(one, print(other), "{other}");
    }
    assert_ne!(print("{\"user_id\":7}"), print("{\"user_id\":\"7\"}"));
}
