//! Forms whose names have brackets, turned into the JSON that says the same. All values are texts there.
//!
//! | name | meaning |
//! | --- | --- |
//! | `options[webhook][url]` | members within members, as Rack and PHP spell them |
//! | `options[webhook[url]]` | the same, as the vendor's documents spell it |
//! | `tags[]` | one more value of a list, as Rack spells it |
//! | `contacts[][email]` | a member of the list's last object, or of a new one if the last has it already |
//! | `contacts[0][email]` | a member of the object with this place, as PHP spells it |
//!
//! Of several values of one name the last counts. Names without anything between their brackets are ignored.

use crate::json::{self, MAX_DEPTH};
use crate::text;
use percent_encoding::percent_decode;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// Why a form is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadForm {
    /// A name or a value is not UTF-8.
    NotUtf8,
    /// Names have more brackets within each other than JSON may have levels.
    TooDeep,
    /// One name stands for two kinds of things.
    Mixed(String),
}

impl fmt::Display for BadForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadForm::NotUtf8 => f.write_str("the form is not UTF-8"),
            BadForm::TooDeep => write!(f, "the form is nested deeper than {MAX_DEPTH} levels"),
            BadForm::Mixed(name) => write!(
                f,
                "the form's field \"{name}\" does not fit the fields before it: each name is a value, a list or has members"
            ),
        }
    }
}

/// A step from a value to one inside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step<'a> {
    Member(&'a str),
    Next,
}

enum Node {
    Text(String),
    List(Vec<Node>),
    Members(Members),
}

/// Members in the order in which they came. Names come from strangers, so the hasher is a keyed one.
#[derive(Default)]
struct Members {
    list: Vec<(String, Node)>,
    places: HashMap<String, usize>,
}

/// A field that does not fit those before it.
struct Mixed;

/// The JSON of a form's bytes.
pub fn to_json(bytes: &[u8]) -> Result<String, BadForm> {
    let mut root = Members::default();
    for pair in bytes.split(|byte| *byte == b'&') {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = unescaped(halves.next().unwrap_or_default())?;
        let value = unescaped(halves.next().unwrap_or_default())?;
        let steps = steps(&name);
        if steps.len() >= MAX_DEPTH {
            return Err(BadForm::TooDeep);
        }
        let Some((Step::Member(first), rest)) = steps.split_first() else {
            continue;
        };
        root.put(first, rest, value)
            .map_err(|Mixed| BadForm::Mixed(text::shown(&name)))?;
    }
    let mut out = String::with_capacity(bytes.len());
    root.write(&mut out);
    Ok(out)
}

/// Undoes `+` and `%XX`. A `%` that no two hexadecimal digits follow stays as it is.
fn unescaped(raw: &[u8]) -> Result<String, BadForm> {
    let mut out = Vec::with_capacity(raw.len());
    for (nth, piece) in raw.split(|byte| *byte == b'+').enumerate() {
        if nth > 0 {
            out.push(b' ');
        }
        out.extend(percent_decode(piece));
    }
    String::from_utf8(out).map_err(|_| BadForm::NotUtf8)
}

/// The steps that a name stands for. How brackets close does not matter, so that both spellings of members are read;
/// brackets with nothing between them are the next value of a list.
fn steps(name: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let end = rest.find(['[', ']']).unwrap_or(rest.len());
        let (member, behind) = rest.split_at(end);
        if !member.is_empty() {
            steps.push(Step::Member(member));
        }
        rest = match behind.strip_prefix("[]") {
            Some(behind) => {
                if !steps.is_empty() {
                    steps.push(Step::Next);
                }
                behind
            }
            None => behind.get(1..).unwrap_or_default(),
        };
    }
    steps
}

impl Node {
    /// What can take the first of these steps; a text if there is none.
    fn for_steps(steps: &[Step<'_>]) -> Node {
        match steps.first() {
            None => Node::Text(String::new()),
            Some(Step::Next) => Node::List(Vec::new()),
            Some(Step::Member(_)) => Node::Members(Members::default()),
        }
    }

    fn put(&mut self, steps: &[Step<'_>], value: String) -> Result<(), Mixed> {
        match (self, steps.split_first()) {
            (Node::Text(text), None) => {
                *text = value;
                Ok(())
            }
            (Node::Members(members), Some((Step::Member(name), rest))) => {
                members.put(name, rest, value)
            }
            (Node::List(list), Some((Step::Next, rest))) => {
                let starts = match list.last() {
                    Some(last @ Node::Members(_)) => rest.is_empty() || last.has(rest),
                    _ => true,
                };
                if starts {
                    list.push(Node::for_steps(rest));
                }
                list.last_mut()
                    .map_or(Err(Mixed), |last| last.put(rest, value))
            }
            _ => Err(Mixed),
        }
    }

    /// Whether the value at these steps was given already. One of a list never was: there is always a next one.
    fn has(&self, steps: &[Step<'_>]) -> bool {
        match (self, steps.split_first()) {
            (_, None) => true,
            (Node::Members(members), Some((Step::Member(name), rest))) => {
                members.get(name).is_some_and(|node| node.has(rest))
            }
            _ => false,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Text(text) => json::quote(out, text),
            Node::List(list) => write_list(list.iter(), out),
            Node::Members(members) => match members.by_place() {
                Some(list) => write_list(list.into_iter(), out),
                None => members.write(out),
            },
        }
    }
}

fn write_list<'a>(nodes: impl Iterator<Item = &'a Node>, out: &mut String) {
    out.push('[');
    for (nth, node) in nodes.enumerate() {
        if nth > 0 {
            out.push(',');
        }
        node.write(out);
    }
    out.push(']');
}

impl Members {
    fn get(&self, name: &str) -> Option<&Node> {
        let place = self.places.get(name)?;
        self.list.get(*place).map(|(_, node)| node)
    }

    fn put(&mut self, name: &str, steps: &[Step<'_>], value: String) -> Result<(), Mixed> {
        let place = match self.places.entry(name.to_owned()) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(free) => {
                self.list.push((name.to_owned(), Node::for_steps(steps)));
                *free.insert(self.list.len().saturating_sub(1))
            }
        };
        let node = self.list.get_mut(place);
        node.map_or(Err(Mixed), |(_, node)| node.put(steps, value))
    }

    /// The values by their places, if all names are places in a list.
    fn by_place(&self) -> Option<Vec<&Node>> {
        let place = |name: &str| {
            let plain = (1..=9).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_digit());
            name.parse::<u32>().ok().filter(|_| plain)
        };
        let placed = self.list.iter();
        let placed = placed.map(|(name, node)| place(name).map(|place| (place, node)));
        let mut placed: Vec<(u32, &Node)> = placed.collect::<Option<_>>()?;
        placed.sort_by_key(|(place, _)| *place);
        Some(placed.into_iter().map(|(_, node)| node).collect())
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (nth, (name, node)) in self.list.iter().enumerate() {
            if nth > 0 {
                out.push(',');
            }
            json::quote(out, name);
            out.push(':');
            node.write(out);
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(form: &str) -> String {
        to_json(form.as_bytes()).unwrap_or_else(|bad| bad.to_string())
    }

    #[test]
    fn members_are_read_in_both_spellings() {
        for form in [
            "options[webhook][url]=u&options[webhook][contacts_extra_fields][]=a&options[webhook][contacts_extra_fields][]=b",
            "options[webhook[url]]=u&options[webhook[contacts_extra_fields]][]=a&options[webhook[contacts_extra_fields]][]=b",
            "options[webhook[url]]=u&options[webhook[contacts_extra_fields][]]=a&options[webhook][contacts_extra_fields][]=b",
            "options%5Bwebhook%5D%5Burl%5D=u&options%5Bwebhook%5D%5Bcontacts_extra_fields%5D%5B1%5D=b&options%5Bwebhook%5D%5Bcontacts_extra_fields%5D%5B0%5D=a",
            "options[webhook[url]]=u&options[webhook[contacts_extra_fields][0]]=a&options[webhook[contacts_extra_fields][1]]=b",
        ] {
            assert_eq!(
                read(form),
                r#"{"options":{"webhook":{"url":"u","contacts_extra_fields":["a","b"]}}}"#,
                "{form}"
            );
        }
    }

    #[test]
    fn lists_of_objects_are_read_in_both_spellings() {
        for form in [
            "contacts[][email]=a&contacts[][tags][]=x&contacts[][tags][]=y&contacts[][email]=b",
            "contacts[0][email]=a&contacts[0][tags][0]=x&contacts[0][tags][1]=y&contacts[1][email]=b",
            "contacts[7][email]=b&contacts[0][email]=a&contacts[0][tags][]=x&contacts[0][tags][]=y",
        ] {
            assert_eq!(
                read(form),
                r#"{"contacts":[{"email":"a","tags":["x","y"]},{"email":"b"}]}"#,
                "{form}"
            );
        }
        // As the vendor's table has it: one contact.
        assert_eq!(
            read(
                "contacts[name_first]=A&contacts[list_subscriptions[list_id]]=7&contacts[[size]]=L"
            ),
            r#"{"contacts":{"name_first":"A","list_subscriptions":{"list_id":"7"},"size":"L"}}"#
        );
        assert_eq!(
            read("contacts[][a][b]=1&contacts[][a][c]=2&contacts[][a][b]=3"),
            r#"{"contacts":[{"a":{"b":"1","c":"2"}},{"a":{"b":"3"}}]}"#
        );
    }

    #[test]
    fn plain_fields_and_odd_names() {
        for (form, json) in [
            ("", "{}"),
            ("a=1&b=x+y%21&c", r#"{"a":"1","b":"x y!","c":""}"#),
            ("a=1&a=2", r#"{"a":"2"}"#),
            ("a=b=c&&=7&[]=8&[=9", r#"{"a":"b=c"}"#),
            ("100%=100%25", r#"{"100%":"100%"}"#),
            ("0=a&1=b", r#"{"0":"a","1":"b"}"#),
            ("a[0]=x&a[k]=y", r#"{"a":{"0":"x","k":"y"}}"#),
            ("a[]=", r#"{"a":[""]}"#),
            ("a[][]=1&a[][]=2", r#"{"a":[["1"],["2"]]}"#),
            ("n=%22%5C%0A%C3%A9", "{\"n\":\"\\\"\\\\\\n\u{e9}\"}"),
        ] {
            assert_eq!(read(form), json, "{form}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for form in [
            "a=1&a[b]=2",
            "a[b]=1&a=2",
            "a[]=1&a[b]=2",
            "a[b]=1&a[]=2",
            "a[]=1&a=2",
        ] {
            assert!(
                matches!(to_json(form.as_bytes()), Err(BadForm::Mixed(_))),
                "{form}"
            );
        }
        assert_eq!(to_json(b"a=%ff"), Err(BadForm::NotUtf8));
        assert_eq!(to_json(b"a%c3=1"), Err(BadForm::NotUtf8));
        let deep = |levels: usize| format!("a{}=1", "[b]".repeat(levels));
        assert!(to_json(deep(30).as_bytes()).is_ok());
        assert_eq!(to_json(deep(31).as_bytes()), Err(BadForm::TooDeep));
    }

    /// A value that a form can say: texts, lists that are not empty, objects whose names are no places.
    fn value() -> impl Strategy<Value = serde_json::Value> {
        let text = "[ -~\u{e9}]{0,6}".prop_map(serde_json::Value::from);
        text.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(serde_json::Value::from),
                prop::collection::hash_map("[a-z]{1,4}", inner, 1..4)
                    .prop_map(|members| { members.into_iter().collect::<serde_json::Value>() }),
            ]
        })
    }

    /// The fields of a value as PHP writes them, or as the vendor's documents do.
    fn fields(
        name: &str,
        value: &serde_json::Value,
        nested: bool,
        out: &mut Vec<(String, String)>,
    ) {
        let inside = |key: &str| match name.strip_suffix(']').filter(|_| nested) {
            Some(open) => format!("{open}[{key}]]"),
            None => format!("{name}[{key}]"),
        };
        match value {
            serde_json::Value::Array(list) => {
                for (place, value) in list.iter().enumerate() {
                    fields(&inside(&place.to_string()), value, nested, out);
                }
            }
            serde_json::Value::Object(members) => {
                for (key, value) in members {
                    fields(&inside(key), value, nested, out);
                }
            }
            other => out.push((name.to_owned(), other.as_str().unwrap().to_owned())),
        }
    }

    proptest! {
        #[test]
        fn what_a_form_says_comes_back(value in value(), nested: bool) {
            let mut pairs = Vec::new();
            fields("root", &value, nested, &mut pairs);
            let form = serde_urlencoded::to_string(&pairs).unwrap();
            let json = to_json(form.as_bytes()).unwrap();
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read["root"], &value);
        }

        #[test]
        fn any_bytes_give_json_or_a_reason(bytes in prop::collection::vec(prop_oneof![Just(b'['), Just(b']'), Just(b'&'), Just(b'='), any::<u8>()], 0..80)) {
            if let Ok(json) = to_json(&bytes) {
                prop_assert!(crate::json::check(json.as_bytes()).is_ok(), "{json}");
            }
        }
    }
}
