use super::*;
use proptest::prelude::*;
use quick_xml::{Reader, XmlVersion};

const JSON: Format = Format::Json { condensed: false };
const CONDENSED: Format = Format::Json { condensed: true };

fn jsonp(condensed: bool) -> Format {
    Format::Jsonp {
        callback: "shop.done".to_owned(),
        condensed,
    }
}

fn rendered(format: &Format, status: &str, write: impl FnOnce(&mut dyn Sink)) -> String {
    String::from_utf8(render(format, status, write)).unwrap()
}

/// Renders as XML, without the declaration.
fn xml(status: &str, write: impl FnOnce(&mut dyn Sink)) -> String {
    let whole = rendered(&Format::Xml, status, write);
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    whole
        .strip_prefix(declaration)
        .expect("a declaration")
        .to_owned()
}

fn all_imported(sink: &mut dyn Sink) {
    sink.object("batch");
    sink.attribute("status", "all_imported");
    sink.text("transactions", "7");
    sink.end();
}

fn wrong(sink: &mut dyn Sink) {
    sink.error("The \"user\" & <account>");
}

#[test]
fn the_published_reply_to_a_batch() {
    assert_eq!(
        rendered(&Format::Xml, "success", all_imported),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <response status=\"success\"><batch status=\"all_imported\"><transactions>7</transactions></batch></response>"
    );
    assert_eq!(
        rendered(&JSON, "success", all_imported),
        r#"{
  "status": "success",
  "batch": {
    "status": "all_imported",
    "transactions": "7"
  }
}"#
    );
    assert_eq!(
        rendered(&CONDENSED, "success", all_imported),
        r#"{"status":"success","batch":{"status":"all_imported","transactions":"7"}}"#
    );
    assert_eq!(
        rendered(&jsonp(true), "success", all_imported),
        r#"/**/shop.done({"status":"success","batch":{"status":"all_imported","transactions":"7"}});"#
    );
    assert_eq!(
        rendered(&jsonp(false), "success", all_imported),
        "/**/shop.done({\n  \"status\": \"success\",\n  \"batch\": {\n    \"status\": \"all_imported\",\n    \
         \"transactions\": \"7\"\n  }\n});"
    );
}

#[test]
fn the_published_error() {
    assert_eq!(
        xml("error", wrong),
        r#"<response status="error"><error>The "user" &amp; &lt;account></error></response>"#
    );
    assert_eq!(
        rendered(&JSON, "error", wrong),
        r#"{
  "status": "error",
  "error": "The \"user\" & <account>",
  "errors": [
    "The \"user\" & <account>"
  ]
}"#
    );
    let condensed = r#"{"status":"error","error":"The \"user\" & <account>","errors":["The \"user\" & <account>"]}"#;
    assert_eq!(rendered(&CONDENSED, "error", wrong), condensed);
    assert_eq!(
        rendered(&jsonp(true), "error", wrong),
        format!("/**/shop.done({condensed});")
    );
}

#[test]
fn a_reply_with_nothing_in_it() {
    assert_eq!(
        xml("no_match", |_| {}),
        "<response status=\"no_match\"></response>"
    );
    assert_eq!(
        rendered(&CONDENSED, "no_match", |_| {}),
        r#"{"status":"no_match"}"#
    );
    assert_eq!(
        rendered(&JSON, "no_match", |_| {}),
        "{\n  \"status\": \"no_match\"\n}"
    );
}

#[test]
fn lists_of_none_one_and_two() {
    let list = |count: usize| {
        move |sink: &mut dyn Sink| {
            sink.list("campaigns", "campaign");
            for id in 0..count {
                sink.item();
                sink.attribute("type", "points");
                sink.text("id", &id.to_string());
                sink.end();
            }
            sink.end();
            sink.text("total", "9");
        }
    };
    let one = r#"<campaign type="points"><id>0</id></campaign>"#;
    let two = r#"<campaign type="points"><id>1</id></campaign>"#;
    for (count, items) in [
        (0, String::new()),
        (1, one.to_owned()),
        (2, format!("{one}{two}")),
    ] {
        assert_eq!(
            xml("success", list(count)),
            format!(
                "<response status=\"success\"><campaigns>{items}</campaigns><total>9</total></response>"
            )
        );
    }
    let one = r#"{"type":"points","id":"0"}"#;
    let two = r#"{"type":"points","id":"1"}"#;
    for (count, items) in [
        (0, String::new()),
        (1, one.to_owned()),
        (2, format!("{one},{two}")),
    ] {
        assert_eq!(
            rendered(&CONDENSED, "success", list(count)),
            format!(r#"{{"status":"success","campaigns":[{items}],"total":"9"}}"#)
        );
    }
    assert_eq!(
        rendered(&JSON, "success", list(0)),
        "{\n  \"status\": \"success\",\n  \"campaigns\": [],\n  \"total\": \"9\"\n}"
    );
}

#[test]
fn bare_lists_and_lists_of_texts() {
    let write = |sink: &mut dyn Sink| {
        sink.object("customer");
        sink.bare_list("balances", "balance");
        for amount in ["1", "2"] {
            sink.item();
            sink.attribute("campaign", "5");
            sink.text("amount", amount);
            sink.end();
        }
        sink.end();
        sink.bare_list("cards", "card");
        sink.text_item("77");
        sink.end();
        sink.list("choices", "choice");
        sink.text_item("red");
        sink.text_item("");
        sink.end();
        sink.end();
    };
    assert_eq!(
        xml("success", write),
        "<response status=\"success\"><customer>\
         <balance campaign=\"5\"><amount>1</amount></balance><balance campaign=\"5\"><amount>2</amount></balance>\
         <card>77</card><choices><choice>red</choice><choice></choice></choices></customer></response>"
    );
    assert_eq!(
        rendered(&CONDENSED, "success", write),
        concat!(
            r#"{"status":"success","customer":{"balances":[{"campaign":"5","amount":"1"},{"campaign":"5","amount":"2"}],"#,
            r#""cards":["77"],"choices":["red",""]}}"#
        )
    );
}

#[test]
fn only_what_must_be_escaped_is() {
    let value = "a & b < c > d ]]> ]]\u{0}> é € 😀 \" ' \t\n\r\n\u{7}\u{FFFE}\u{2028}";
    let write = |sink: &mut dyn Sink| {
        sink.object("o");
        sink.attribute("a", value);
        sink.text("t", value);
        sink.end();
    };
    assert_eq!(
        xml("success", write),
        "<response status=\"success\">\
         <o a=\"a &amp; b &lt; c > d ]]> ]]> é € 😀 &quot; ' &#9;&#10;&#13;&#10;\u{2028}\">\
         <t>a &amp; b &lt; c > d ]]&gt; ]]&gt; é € 😀 \" ' \t\n&#13;\n\u{2028}</t></o></response>"
    );
    let json = rendered(&CONDENSED, "success", |sink| {
        sink.text("t", "é </script> \u{2028}\u{2029}\u{0}\u{7f}\\")
    });
    assert_eq!(
        json,
        "{\"status\":\"success\",\"t\":\"é </script> \u{2028}\u{2029}\\u0000\u{7f}\\\\\"}"
    );
    let script = rendered(&jsonp(true), "success", |sink| {
        sink.text("t", "é\u{2028}\u{2029}\\")
    });
    assert_eq!(
        script,
        r#"/**/shop.done({"status":"success","t":"é\u2028\u2029\\"});"#
    );
}

#[test]
fn events_out_of_place_are_written_in_the_nearest_form() {
    let write = |sink: &mut dyn Sink| {
        sink.end();
        sink.object("o");
        sink.attribute("a", "1");
        sink.attribute("a", "2");
        sink.text("t", "3");
        sink.attribute("late", "4");
        sink.item();
        sink.end();
        sink.text_item("5");
        sink.list("l", "i");
        sink.attribute("b", "6");
        sink.object("p");
        sink.end();
        sink.error("7");
    };
    assert_eq!(
        xml("success", write),
        "<response status=\"success\"><o a=\"1\"><t>3</t><late>4</late><item></item><item>5</item>\
         <l><b>6</b><p></p><error>7</error></l></o></response>"
    );
    assert_eq!(
        rendered(&CONDENSED, "success", write),
        r#"{"status":"success","o":{"a":"1","a":"2","t":"3","late":"4","item":{},"item":"5","l":["6",{},"7"]}}"#
    );
}

/// One element, read back.
#[derive(Debug, Default)]
struct Node {
    attributes: Vec<(String, String)>,
    text: String,
    nodes: Vec<Node>,
}

/// Reads a document back with the parser of quick_xml; panics unless it is well-formed with one root.
fn parsed(document: &[u8]) -> Node {
    let mut reader = Reader::from_reader(document);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.expect("well-formed and unique");
                    let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap();
                    assert!(!attribute.value.contains(&b'<'));
                    (name, value.into_owned())
                });
                open.push(Node {
                    attributes: attributes.collect(),
                    ..Node::default()
                });
            }
            Event::End(_) => {
                let node = open.pop().unwrap();
                open.last_mut()
                    .expect("more starts than ends")
                    .nodes
                    .push(node);
            }
            Event::Text(text) => {
                let text = text.xml10_content().unwrap();
                open.last_mut().unwrap().text.push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().unwrap() {
                    Some(c) => c,
                    None => match reference.decode().unwrap().as_ref() {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        other => panic!("unknown entity {other}"),
                    },
                };
                open.last_mut().unwrap().text.push(c);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(open.len(), 1, "more starts than ends");
    let mut roots = open.remove(0).nodes;
    assert_eq!(roots.len(), 1, "one root");
    roots.remove(0)
}

fn parsed_json(format: &Format, document: &str) -> serde_json::Value {
    let document = match format {
        Format::Jsonp { callback, .. } => {
            assert!(!document.contains(['\u{2028}', '\u{2029}']));
            document
                .strip_prefix(&format!("/**/{callback}("))
                .unwrap()
                .strip_suffix(");")
                .unwrap()
        }
        _ => document,
    };
    serde_json::from_str(document).unwrap()
}

/// Any text, with the characters that are special somewhere more often than chance would have them.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "&<>]\"'\\\r\n\t/ \u{0}\u{7}\u{85}\u{2028}\u{2029}\u{FFFE}\u{FEFF}"
            .chars()
            .collect::<Vec<_>>(),
    );
    let letters = prop::collection::vec(prop_oneof![any::<char>(), special], 0..30);
    letters.prop_map(|letters| letters.into_iter().collect())
}

#[derive(Clone, Debug)]
enum Step {
    Object,
    Attribute(String),
    List,
    BareList,
    Item,
    Text(String),
    TextItem(String),
    Error(String),
    End,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Object),
        any_text().prop_map(Step::Attribute),
        Just(Step::List),
        Just(Step::BareList),
        Just(Step::Item),
        any_text().prop_map(Step::Text),
        any_text().prop_map(Step::TextItem),
        any_text().prop_map(Step::Error),
        Just(Step::End),
        Just(Step::End),
    ]
}

fn take(steps: &[Step], sink: &mut dyn Sink) {
    for step in steps {
        match step {
            Step::Object => sink.object("object"),
            Step::Attribute(value) => sink.attribute("attribute", value),
            Step::List => sink.list("list", "entry"),
            Step::BareList => sink.bare_list("bare", "entry"),
            Step::Item => sink.item(),
            Step::Text(value) => sink.text("text", value),
            Step::TextItem(value) => sink.text_item(value),
            Step::Error(value) => sink.error(value),
            Step::End => sink.end(),
        }
    }
}

proptest! {
    #[test]
    fn any_text_survives_xml(text in any_text()) {
        let document = render(&Format::Xml, "success", |sink| {
            sink.object("o");
            sink.attribute("a", &text);
            sink.text("t", &text);
            sink.list("l", "i");
            sink.text_item(&text);
            sink.end();
            sink.end();
        });
        let kept: String = text.chars().filter(|c| text::xml_allowed(*c)).collect();
        prop_assert!(std::str::from_utf8(&document).unwrap().chars().all(text::xml_allowed));
        let root = parsed(&document);
        let object = &root.nodes[0];
        prop_assert_eq!(&object.attributes[0].1, &kept);
        prop_assert_eq!(&object.nodes[0].text, &kept);
        prop_assert_eq!(&object.nodes[1].nodes[0].text, &kept);
    }

    #[test]
    fn any_text_survives_json(text in any_text(), condensed in any::<bool>(), script in any::<bool>()) {
        let format = if script { jsonp(condensed) } else { Format::Json { condensed } };
        let document = rendered(&format, &text, |sink| {
            sink.object("o");
            sink.attribute(&text, &text);
            sink.end();
            sink.list("l", "i");
            sink.text_item(&text);
            sink.end();
        });
        let value = parsed_json(&format, &document);
        prop_assert_eq!(value["status"].as_str(), Some(text.as_str()));
        prop_assert_eq!(value["l"][0].as_str(), Some(text.as_str()));
        prop_assert_eq!(value["o"][&text].as_str(), Some(text.as_str()));
    }

    #[test]
    fn any_events_make_a_whole_document(steps in prop::collection::vec(any_step(), 0..40), condensed in any::<bool>()) {
        let document = render(&Format::Xml, "success", |sink| take(&steps, sink));
        let root = parsed(&document);
        prop_assert_eq!(root.attributes[0].1.as_str(), "success");
        for format in [Format::Json { condensed }, jsonp(condensed)] {
            let document = rendered(&format, "success", |sink| take(&steps, sink));
            prop_assert!(parsed_json(&format, &document).is_object());
        }
    }
}
