use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn print(raw: &str) -> Vec<u8> {
    let mut out = Vec::new();
    canonical(raw, &mut |bytes| out.extend_from_slice(bytes));
    out
}

#[test]
fn a_body_is_one_value_in_utf8() {
    for right in [
        "{}",
        " [1, 2] ",
        "null",
        "\u{feff}{\"a\":1e999}",
        "\"\\ud800\"",
        "-0.50",
    ] {
        let text = check(right.as_bytes()).unwrap();
        assert!(right.ends_with(text) && !text.starts_with('\u{feff}'));
    }
    for wrong in [
        "",
        " ",
        "{",
        "{}x",
        "{} {}",
        "{'a':1}",
        "{a:1}",
        "[1,]",
        "01",
        "+1",
        ".5",
        "NaN",
        "tru",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "{\"a\":1,}",
        "// x\n{}",
    ] {
        let error = check(wrong.as_bytes()).unwrap_err();
        assert!(matches!(error, BadJson::Malformed(_)), "{wrong}: {error}");
    }
    assert_eq!(check(b"{\"a\":\"\xE9\"}"), Err(BadJson::NotUtf8));
    assert_eq!(check(b"\xFF\xFE{\0}\0"), Err(BadJson::NotUtf8));
}

#[test]
fn what_is_wrong_is_said_without_the_body() {
    let error = check(b"{\"password\": hush}").unwrap_err().to_string();
    assert!(error.starts_with("the body is not JSON: "), "{error}");
    assert!(
        error.contains("line 1") && !error.contains("hush"),
        "{error}"
    );
}

#[test]
fn depth_ends_at_32() {
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "1" + &close.repeat(depth);
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        assert!(check(nested(open, close, 32).as_bytes()).is_ok());
        for depth in [33, 34, 1_000, 200_000] {
            let text = nested(open, close, depth);
            assert_eq!(check(text.as_bytes()), Err(BadJson::TooDeep), "{depth}");
        }
    }
    // Side by side is not deep, and neither is what stands in a string.
    assert!(check(format!("[{}[]]", "[],".repeat(100)).as_bytes()).is_ok());
    assert!(check(format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99)).as_bytes()).is_ok());
}

#[test]
fn names_are_texts() {
    for wrong in [
        "{\"\\ud800\":1}",
        "{\"a\\udc00\" : 1}",
        "[{\"\\ud800\\ud800\\udc00\":1}]",
        "{\"a\":1,\"\\uD800x\":2}",
    ] {
        assert_eq!(check(wrong.as_bytes()), Err(BadJson::BadName), "{wrong}");
    }
    for right in [
        "{\"\\ud83d\\ude00\":1}",
        "{\"a\":\"\\ud800\",\"b\":1}",
        "{\"a\":[\"\\ud800\"],\"b\":{\"c\":1}}",
        "{\"\\\\ud800\":1}",
        "{\"\\u0061\":1}",
    ] {
        let text = check(right.as_bytes()).unwrap();
        assert!(object(text).is_some(), "{right}");
    }
}

#[test]
fn members_come_in_their_order_as_they_were_sent() {
    let text = " { \"b\" : 545.50 , \"a\\u0062\": [ 1 ,2 ] ,\"c\":{\"d\": null},\"b\":\"x\" } ";
    let members = object(text).unwrap();
    let members: Vec<(&str, &str)> = members.iter().map(|(name, raw)| (&**name, *raw)).collect();
    assert_eq!(
        members,
        [("b", "\"x\""), ("ab", "[ 1 ,2 ]"), ("c", "{\"d\": null}")]
    );
    let many: Vec<String> = (0..1_000)
        .map(|n| format!("\"n{}\":{n}", n % 300))
        .collect();
    let many = format!("{{{}}}", many.join(","));
    let members = object(&many).unwrap();
    assert_eq!(members.len(), 300);
    assert_eq!(members[7], ("n7".into(), "907"));
    assert_eq!(members[299], ("n299".into(), "899"));
    for other in ["[]", "1", "null", "\"{}\"", "true"] {
        assert_eq!(object(other), None);
    }
    assert_eq!(
        list("[1.0, \"a\" ,[ ],{}]").unwrap(),
        ["1.0", "\"a\"", "[ ]", "{}"]
    );
    assert_eq!(list("[]"), Some(vec![]));
    assert_eq!(list("{}"), None);
    assert_eq!(list("\"[]\""), None);
}

#[test]
fn values_are_told_apart() {
    let cases = [
        ("null", Scalar::Null),
        (" true ", Scalar::Bool(true)),
        ("false", Scalar::Bool(false)),
        ("-1.50e+3", Scalar::Number("-1.50e+3")),
        ("\"\"", Scalar::Text("".into())),
        ("\"a b\"", Scalar::Text("a b".into())),
        ("\"\\\"\\u00e9\"", Scalar::Text("\"é".into())),
        ("\"\\ud800\"", Scalar::BadText),
        ("[]", Scalar::List),
        ("{}", Scalar::Object),
    ];
    for (raw, value) in cases {
        assert_eq!(scalar(raw), value, "{raw}");
    }
}

#[test]
fn equal_meanings_have_one_canonical_form() {
    for (one, other) in [
        ("{\"a\":1,\"b\":[2]}", " {\"b\": [ 2 ], \"\\u0061\" :1}"),
        ("\"\\u00e9\\/\"", "\"é/\""),
        ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
    ] {
        assert_eq!(print(one), print(other), "{one}");
    }
    let different = [
        "null",
        "true",
        "false",
        "0",
        "0.0",
        "\"0\"",
        "[]",
        "[0]",
        "[[]]",
        "[[],[]]",
        "[[[]]]",
        "{}",
        "{\"a\":0}",
        "{\"a\":\"0\"}",
        "[\"a\",0]",
        "[{\"a\":0}]",
        "[1,2]",
        "[2,1]",
        "[12]",
        "\"\"",
        "[\"a\",\"b\"]",
        "[\"ab\",\"\"]",
        "\"\\ud800\"",
        "\"\\ud801\"",
        "\"n\"",
    ];
    let prints: std::collections::HashSet<_> = different.iter().map(|raw| print(raw)).collect();
    assert_eq!(prints.len(), different.len());
}

#[test]
fn fields_keep_their_order() {
    let mut fields = Fields::parse("{\"b\": 545.50, \"a\":\"x\\\"\"}").unwrap();
    assert_eq!(fields.get("b"), Some("545.50"));
    fields.set("b", "1");
    fields.set("c\n", "[1]");
    assert_eq!(fields.json(), "{\"b\":1,\"a\":\"x\\\"\",\"c\\n\":[1]}");
    assert!(fields.remove("a") && !fields.remove("a"));
    assert_eq!(fields.len(), 2);
    assert_eq!(Fields::parse(&fields.json()), Some(fields));
    assert_eq!(Fields::default().json(), "{}");
    assert!(Fields::parse("{}").unwrap().is_empty());
    assert_eq!(Fields::parse("[]"), None);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..24)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same value, put together again from its pieces.
fn rebuilt(raw: &str) -> Value {
    match scalar(raw) {
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => flag.into(),
        Scalar::Number(number) => serde_json::from_str(number).unwrap(),
        Scalar::Text(text) => text.into(),
        Scalar::List => list(raw).unwrap().into_iter().map(rebuilt).collect(),
        Scalar::Object => Value::Object(
            object(raw)
                .unwrap()
                .into_iter()
                .map(|(name, raw)| (name.into_owned(), rebuilt(raw)))
                .collect(),
        ),
        Scalar::BadText => panic!("{raw}"),
    }
}

proptest! {
    #[test]
    fn pieces_mean_what_the_library_reads(value in values()) {
        let compact = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        for text in [&compact, &pretty] {
            let text = check(text.as_bytes()).unwrap();
            prop_assert_eq!(rebuilt(text), serde_json::from_str::<Value>(text).unwrap());
        }
        prop_assert_eq!(print(&compact), print(&pretty));
        if let Some(fields) = Fields::parse(&pretty) {
            prop_assert_eq!(serde_json::from_str::<Value>(&fields.json()).unwrap(), rebuilt(&compact));
        }
    }

    #[test]
    fn a_quoted_text_is_read_back(text in any::<String>()) {
        let raw = quoted(&text);
        prop_assert_eq!(scalar(&raw), Scalar::Text(text.as_str().into()));
        prop_assert_eq!(serde_json::from_str::<String>(&raw).unwrap(), text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}:,\"\\\\ud80a1 ]{0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let checked = check(bytes);
            let library = serde_json::from_slice::<Value>(bytes);
            prop_assert!(checked.is_ok() || library.is_err() || matches!(checked, Err(BadJson::TooDeep)));
            if let Ok(text) = checked {
                print(text);
            }
        }
    }
}

#[test]
fn names_are_told_as_they_are_written() {
    let raw = r#"{ "a\u00e9" : 1.50 , "b":[1, 2],"\u0062":{ } , "é":"\/"}"#;
    let all: Vec<_> = members(raw)
        .unwrap()
        .into_iter()
        .map(|member| (member.name.into_owned(), member.written, member.value))
        .collect();
    let expected = [
        ("a\u{e9}".to_owned(), "\"a\\u00e9\"", "1.50"),
        ("b".to_owned(), "\"b\"", "{ }"),
        ("\u{e9}".to_owned(), "\"\u{e9}\"", "\"\\/\""),
    ];
    assert_eq!(all, expected);
    assert_eq!(members("[]"), None);
}
