use super::*;
use proptest::prelude::*;

const LIMITS: BodyLimits = BodyLimits {
    max_body_bytes: 10_000,
    max_fields: 20,
};
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const MULTIPART: Option<&str> = Some("multipart/form-data; boundary=XyZ");

fn form(body: impl AsRef<[u8]>) -> Params {
    read("", FORM, body.as_ref(), LIMITS).expect("readable")
}

fn refused(query: &str, content_type: Option<&str>, body: impl AsRef<[u8]>) -> ReadError {
    read(query, content_type, body.as_ref(), LIMITS).expect_err("refused")
}

fn part(name: &str, value: &str) -> String {
    format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[test]
fn all_kinds_of_body_say_the_same() {
    let pairs = "output=JSON&Visits_Data=1%7Cb%0Ac+d&empty=&bare";
    let parts = part("output", "JSON")
        + &part("Visits_Data", "1|b\nc d")
        + &part("empty", "")
        + &part("bare", "")
        + "--XyZ--\r\n";
    for (content_type, body) in [
        (None, pairs),
        (Some(""), pairs),
        (FORM, pairs),
        (
            Some("Application/X-WWW-Form-URLEncoded ; charset=UTF-8"),
            pairs,
        ),
        (Some("text/plain;charset=utf-8"), pairs),
        (MULTIPART, parts.as_str()),
        (
            Some("Multipart/Form-Data; charset=utf-8; Boundary=\"XyZ\""),
            parts.as_str(),
        ),
    ] {
        let params = read("", content_type, body.as_bytes(), LIMITS).expect("readable");
        let all: Vec<_> = params.iter().collect();
        assert_eq!(
            all,
            [
                ("bare", ""),
                ("empty", ""),
                ("output", "JSON"),
                ("visits_data", "1|b\nc d")
            ],
            "{content_type:?}"
        );
        assert!(!params.was_windows_1252());
    }
    let params = read(pairs, None, b"", LIMITS).expect("readable");
    assert_eq!(params.get("visits_data"), Some("1|b\nc d"));
}

#[test]
fn the_body_counts_over_the_query_and_the_last_over_the_first() {
    let params = read(
        "a=query&b=query&A=again",
        FORM,
        b"b=one&B=two&a-b=1&A_B=2",
        LIMITS,
    )
    .expect("readable");
    let all: Vec<_> = params.iter().collect();
    assert_eq!(all, [("a", "again"), ("a_b", "2"), ("b", "two")]);
    let body = part("b", "one") + &part("B", "two") + "--XyZ--";
    let params = read("b=query", MULTIPART, body.as_bytes(), LIMITS).expect("readable");
    assert_eq!(params.get("b"), Some("two"));
}

#[test]
fn malformed_escapes_stay_as_they_are() {
    let params = form("a=100%&b=%zz%4&c=%+1&d=%%41&e=%C3%A4%2B%26&f=a=b=c&%3D=x&=y&&%");
    let all: Vec<_> = params.iter().collect();
    assert_eq!(
        all,
        [
            ("%", ""),
            ("=", "x"),
            ("a", "100%"),
            ("b", "%zz%4"),
            ("c", "% 1"),
            ("d", "%A"),
            ("e", "ä+&"),
            ("f", "a=b=c")
        ]
    );
}

#[test]
fn byte_order_marks_are_dropped() {
    let params = form(b"\xEF\xBB\xBFtype=x&a=%EF%BB%BFb&c=\xEF\xBB\xBFd".as_slice());
    assert_eq!(params.get("type"), Some("x"));
    assert_eq!(params.get("a"), Some("b"));
    assert_eq!(params.get("c"), Some("d"));
}

#[test]
fn windows_1252_is_read_value_by_value() {
    let params = form(b"a=caf\xE9&b=caf%C3%A9&c=%805".as_slice());
    assert_eq!(params.get("a"), Some("café"));
    assert_eq!(params.get("b"), Some("café"));
    assert_eq!(params.get("c"), Some("€5"));
    assert!(params.was_windows_1252());
    // A value that does not count leaves no trace.
    assert!(!form(b"a=caf\xE9&a=cafe".as_slice()).was_windows_1252());
    let body = b"--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\n\xE9\r\n--XyZ--";
    let params = read("", MULTIPART, body, LIMITS).expect("readable");
    assert_eq!(params.get("a"), Some("é"));
    assert!(params.was_windows_1252());
}

#[test]
fn undecodable_values_are_named_and_reading_goes_on() {
    let error = refused("", FORM, "a=1&note=ab%81c&output=JSON&other=%9D");
    assert_eq!(
        error.problem,
        Problem::new(Code::Undecodable)
            .field("note")
            .detail("byte 0x81 at position 3")
    );
    assert_eq!(error.partial.get("output"), Some("JSON"));
    assert_eq!(error.partial.get("note"), None);
    // A name that is no text is no name of ours.
    let params = form("%81=1&a=2");
    assert_eq!(params.iter().collect::<Vec<_>>(), [("a", "2")]);
}

#[test]
fn other_content_types_are_refused_by_name() {
    for named in [
        "application/json",
        "text/xml",
        "multipart/mixed",
        "nonsense",
    ] {
        let header = format!(" {named} ; charset=utf-8");
        let error = refused("output=JSON", Some(&header), "{}");
        assert_eq!(
            error.problem,
            Problem::new(Code::BadContentType).value(named)
        );
        assert_eq!(error.partial.get("output"), Some("JSON"));
        assert!(read("a=1", Some(&header), b"", LIMITS).is_ok());
    }
}

#[test]
fn a_cut_multipart_body_keeps_what_came_before() {
    let body = part("output", "JSON") + &part("amount", "1000") + "--XyZ--\r\n";
    let whole = read("", MULTIPART, body.as_bytes(), LIMITS).expect("readable");
    assert_eq!(whole.get("amount"), Some("1000"));
    let after_output = part("output", "JSON").len() + "--XyZ\r\n".len();
    for length in 0..body.len() - "\r\n".len() {
        let error = refused("q=1", MULTIPART, &body.as_bytes()[..length]);
        assert_eq!(error.problem.code, Code::BadMultipart, "{length}");
        assert_eq!(error.partial.get("q"), Some("1"));
        let format = error.partial.get("output");
        assert_eq!(
            format,
            (length >= after_output).then_some("JSON"),
            "{length}"
        );
        let amount = error.partial.get("amount");
        assert!(
            amount.is_none_or(|amount| amount == "1000"),
            "{length}: {amount:?}"
        );
    }
}

#[test]
fn a_multipart_body_needs_a_boundary_and_names() {
    for header in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
    ] {
        let error = refused("", Some(header), part("a", "1"));
        assert_eq!(
            error.problem,
            Problem::new(Code::BadMultipart).detail("its Content-Type names no boundary")
        );
    }
    let body = part("output", "JSON")
        + "--XyZ\r\nContent-Type: text/plain\r\n\r\n1\r\n"
        + &part("b", "2")
        + "--XyZ--";
    let error = refused("", MULTIPART, body);
    assert_eq!(error.problem.code, Code::BadMultipart);
    assert_eq!(error.partial.get("output"), Some("JSON"));
    assert_eq!(error.partial.get("b"), Some("2"));
}

#[test]
fn fields_are_limited() {
    let many = |count: usize| {
        (0..count)
            .map(|nth| format!("f{nth}=1"))
            .collect::<Vec<_>>()
            .join("&")
    };
    assert!(read("", FORM, many(20).as_bytes(), LIMITS).is_ok());
    assert!(read("&&&", FORM, (many(20) + "&&").as_bytes(), LIMITS).is_ok());
    let error = refused("", FORM, format!("output=JSON&{}", many(20)));
    assert_eq!(error.problem, Problem::new(Code::TooManyFields).detail(20));
    assert_eq!(error.partial.get("output"), Some("JSON"));
    assert_eq!(
        refused("a=1", FORM, many(20)).problem.code,
        Code::TooManyFields
    );
    let parts = part("f", "1").repeat(21) + "--XyZ--";
    assert_eq!(
        refused("", MULTIPART, parts).problem.code,
        Code::TooManyFields
    );
}

#[test]
fn an_oversized_body_still_tells_its_format() {
    let data = "x".repeat(LIMITS.max_body_bytes);
    let error = refused(
        "",
        FORM,
        format!("output=JSON&callback=f&Visits_Data={data}"),
    );
    assert_eq!(
        error.problem,
        Problem::new(Code::BodyTooLarge).detail(10_000)
    );
    assert_eq!(error.partial.get("output"), Some("JSON"));
    assert_eq!(error.partial.get("callback"), Some("f"));
    assert_eq!(error.partial.get("visits_data"), None);
    let body = part("output", "JSON") + &part("Visits_Data", &data) + "--XyZ--";
    let error = refused("", MULTIPART, body);
    assert_eq!(error.problem.code, Code::BodyTooLarge);
    assert_eq!(error.partial.get("output"), Some("JSON"));
    assert!(read("", FORM, data.as_bytes(), LIMITS).is_ok());
}

#[test]
fn a_field_that_may_be_cut_is_not_peeked_at() {
    let params = peek("a=1", FORM, b"output=JSON&callback=f&condensed=y");
    assert_eq!(
        params.iter().collect::<Vec<_>>(),
        [("a", "1"), ("callback", "f"), ("output", "JSON")]
    );
    assert_eq!(peek("", FORM, b"output=JS").iter().count(), 0);
    assert_eq!(
        peek("", Some("image/png"), b"output=JSON&").iter().count(),
        0
    );
}

fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select("&=+%-\r\n\0\u{FEFF}é".chars().collect::<Vec<_>>());
    let letters = prop::collection::vec(prop_oneof![any::<char>(), special], 0..20);
    letters.prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        query in ".{0,40}",
        header in proptest::option::of(prop_oneof![
            Just("multipart/form-data; boundary=-".to_owned()),
            Just("multipart/form-data; boundary=XyZ".to_owned()),
            Just("text/plain".to_owned()),
            "multipart/form-data;.{0,20}",
            ".{0,20}",
        ]),
        body in proptest::collection::vec(prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            Just(b"\r\n".to_vec()), Just(b"--".to_vec()), Just(b"-".to_vec()), Just(b"--XyZ".to_vec()),
            Just(b"Content-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec()),
            Just(b"&a=%".to_vec()), Just(b"%81".to_vec()),
        ], 0..60),
    ) {
        let body = body.concat();
        let limits = BodyLimits { max_body_bytes: 200, max_fields: 5 };
        match read(&query, header.as_deref(), &body, limits) {
            Ok(params) => prop_assert!(params.iter().count() <= 5),
            Err(error) => prop_assert!(error.partial.iter().count() <= PEEK_FIELDS),
        }
        peek(&query, header.as_deref(), &body);
    }

    #[test]
    fn any_text_arrives(pairs in proptest::collection::btree_map("[a-z]{1,5}", any_text(), 0..8)) {
        let expected: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.strip_prefix('\u{FEFF}').unwrap_or(value)))
            .collect();
        let body = serde_urlencoded::to_string(&pairs).unwrap();
        let params = form(body);
        prop_assert_eq!(params.iter().collect::<Vec<_>>(), expected.clone());
        let body: String = pairs.iter().map(|(name, value)| part(name, value)).collect();
        prop_assume!(!body.contains("\n--XyZ\n") && !pairs.values().any(|value| value.contains("--XyZ")));
        let params = read("", MULTIPART, (body + "--XyZ--").as_bytes(), LIMITS).unwrap();
        prop_assert_eq!(params.iter().collect::<Vec<_>>(), expected);
    }
}
