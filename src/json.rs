//! JSON as it was sent: members and values as pieces of the text, so that a number comes back digit for digit.
//!
//! Belongs here: what any JSON dialect does with a body before it knows what the body means. Pure.
//!
//! Does not belong here: the meaning of a member, and errors on a wire (the dialects).
//!
//! A body goes through [`check`] once. All other functions take pieces of a checked text.

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// How many lists and objects may stand within each other.
pub const MAX_DEPTH: usize = 32;

/// Up to so many members, equal names are looked for one by one.
const FEW_MEMBERS: usize = 16;

/// Why a body is not taken for JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadJson {
    /// Its bytes are not UTF-8.
    NotUtf8,
    /// Its grammar is broken: how, and where.
    Malformed(String),
    /// Lists and objects stand deeper within each other than [`MAX_DEPTH`].
    TooDeep,
    /// The name of a member has half of a surrogate pair, which is no text.
    BadName,
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadJson::NotUtf8 => f.write_str("the body is not UTF-8"),
            BadJson::Malformed(how) => write!(f, "the body is not JSON: {how}"),
            BadJson::TooDeep => write!(f, "the body is nested deeper than {MAX_DEPTH} levels"),
            BadJson::BadName => f.write_str("the body has a name with half of a surrogate pair"),
        }
    }
}

impl std::error::Error for BadJson {}

/// The text of a body that is one JSON value and white space around it. A UTF-8 byte order mark in front is dropped.
///
/// # Errors
/// [`BadJson`]. Its text never repeats the body.
pub fn check(bytes: &[u8]) -> Result<&str, BadJson> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| BadJson::NotUtf8)?;
    // Skips values without recursion, so that no depth is dangerous here.
    let _: IgnoredAny =
        serde_json::from_str(text).map_err(|error| BadJson::Malformed(error.to_string()))?;
    check_structure(text)?;
    Ok(text)
}

/// Depth and names of a text that is well-formed.
fn check_structure(text: &str) -> Result<(), BadJson> {
    let mut bytes = text.bytes();
    let (mut depth, mut broken) = (0_usize, false);
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth > MAX_DEPTH {
                    return Err(BadJson::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => broken = !skip_string(&mut bytes),
            // Only a name stands before a colon.
            b':' if broken => return Err(BadJson::BadName),
            b':' | b',' => broken = false,
            _ => {}
        }
    }
    Ok(())
}

/// Moves behind the end of a string. Tells whether all of its surrogates are in pairs.
fn skip_string(bytes: &mut impl Iterator<Item = u8>) -> bool {
    let (mut paired, mut high) = (true, false);
    while let Some(byte) = bytes.next() {
        let mut unit = None;
        match byte {
            b'"' => break,
            b'\\' if bytes.next() == Some(b'u') => {
                let digits = bytes.by_ref().take(4);
                let value = digits.fold(0_u32, |value, digit| {
                    let digit = char::from(digit).to_digit(16).unwrap_or(0);
                    value.wrapping_mul(16).wrapping_add(digit)
                });
                unit = Some(value);
            }
            _ => {}
        }
        let low = unit.is_some_and(|unit| (0xDC00..0xE000).contains(&unit));
        paired &= high == low;
        high = unit.is_some_and(|unit| (0xD800..0xDC00).contains(&unit));
    }
    paired && !high
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A member of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its name as it is written, in quotes.
    pub written: &'a str,
    /// Its value, in JSON.
    pub value: &'a str,
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    let Scalar::Text(text) = scalar(name.get()) else {
                        return Err(A::Error::custom("a name is no text"));
                    };
                    list.push(Member {
                        name: text,
                        written: name.get(),
                        value: value.get(),
                    });
                }
                Ok(Members(list))
            }
        }
        from.deserialize_map(All)
    }
}

/// The members of an object, in their order; of equal names the last counts, in the place of the first. `None` if it is
/// no object.
pub fn object(raw: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let members = members(raw)?.into_iter();
    Some(members.map(|member| (member.name, member.value)).collect())
}

/// As [`object`], with the names as they are written too.
pub fn members(raw: &str) -> Option<Vec<Member<'_>>> {
    if !raw.trim_start().starts_with('{') {
        return None;
    }
    let Members(list) = serde_json::from_str(raw).ok()?;
    let mut members: Vec<Member<'_>> = Vec::with_capacity(list.len());
    if list.len() <= FEW_MEMBERS {
        for member in list {
            match members.iter_mut().find(|known| known.name == member.name) {
                Some(known) => known.value = member.value,
                None => members.push(member),
            }
        }
        return Some(members);
    }
    let mut places: HashMap<Cow<'_, str>, usize> = HashMap::with_capacity(list.len());
    for member in list {
        match places.entry(member.name.clone()) {
            Entry::Occupied(place) => {
                if let Some(known) = members.get_mut(*place.get()) {
                    known.value = member.value;
                }
            }
            Entry::Vacant(place) => {
                place.insert(members.len());
                members.push(member);
            }
        }
    }
    Some(members)
}

/// The values of a list, in their order. `None` if it is no list.
pub fn list(raw: &str) -> Option<Vec<&str>> {
    if !raw.trim_start().starts_with('[') {
        return None;
    }
    let values: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(values.into_iter().map(RawValue::get).collect())
}

/// A value, as far as it is not made of others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scalar<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A text, without its escapes.
    Text(Cow<'a, str>),
    /// A list.
    List,
    /// An object.
    Object,
    /// A string with half of a surrogate pair, which is no text.
    BadText,
}

/// What a value is.
pub fn scalar(raw: &str) -> Scalar<'_> {
    let raw = raw.trim();
    match raw.bytes().next() {
        Some(b'{') => Scalar::Object,
        Some(b'[') => Scalar::List,
        Some(b't') => Scalar::Bool(true),
        Some(b'f') => Scalar::Bool(false),
        Some(b'"') => {
            if !raw.contains('\\') {
                let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
                return Scalar::Text(Cow::Borrowed(inner.unwrap_or(raw)));
            }
            match serde_json::from_str(raw) {
                Ok(Text(text)) => Scalar::Text(text),
                Err(_) => Scalar::BadText,
            }
        }
        Some(b'-' | b'0'..=b'9') => Scalar::Number(raw),
        _ => Scalar::Null,
    }
}

/// Hands over bytes that are the same for all spellings of a value, and differ for different values: members sorted by
/// name, texts without escapes and with their lengths, numbers as they are written.
pub fn canonical(raw: &str, into: &mut impl FnMut(&[u8])) {
    match scalar(raw) {
        Scalar::Null => into(b"n"),
        Scalar::Bool(true) => into(b"t"),
        Scalar::Bool(false) => into(b"f"),
        Scalar::Number(number) => counted(b'#', number, into),
        Scalar::Text(text) => counted(b'"', &text, into),
        Scalar::BadText => counted(b'?', raw.trim(), into),
        Scalar::List => {
            let values = list(raw).unwrap_or_default();
            into(format!("[{}:", values.len()).as_bytes());
            for value in values {
                canonical(value, into);
            }
        }
        Scalar::Object => {
            let mut members = object(raw).unwrap_or_default();
            members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            into(format!("{{{}:", members.len()).as_bytes());
            for (name, value) in members {
                counted(b'"', &name, into);
                canonical(value, into);
            }
        }
    }
}

fn counted(kind: u8, text: &str, into: &mut impl FnMut(&[u8])) {
    into(&[kind]);
    into(format!("{}:", text.len()).as_bytes());
    into(text.as_bytes());
}

/// Appends a text as a JSON string.
pub fn quote(out: &mut String, text: &str) {
    let special = |c: char| c == '"' || c == '\\' || c < ' ';
    out.push('"');
    for piece in text.split_inclusive(special) {
        let mut chars = piece.chars();
        let Some(last) = chars.next_back().filter(|last| special(*last)) else {
            out.push_str(piece);
            continue;
        };
        out.push_str(chars.as_str());
        match last {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
    }
    out.push('"');
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    quote(&mut out, text);
    out
}

/// One object of names and values in JSON.
pub fn joined<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> String {
    let mut out = String::from("{");
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        quote(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

/// Names with values in JSON, in an order of their own. No name is there twice.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Fields(Vec<(Box<str>, Box<str>)>);

/// About how long a field is as text, in bytes: with its quotes, its colon and its comma.
pub fn field_bytes(name: &str, value: &str) -> usize {
    name.len().saturating_add(value.len()).saturating_add(4)
}

impl Fields {
    /// The members of an object. `None` if it is no object.
    pub fn parse(raw: &str) -> Option<Fields> {
        let members = object(raw)?.into_iter();
        Some(Fields(
            members
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        ))
    }

    /// The value of a field, in JSON.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Gives a field a value, in JSON. A new field is the last one; an old one stays in its place.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    /// Takes a field away. Tells whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| **known != *name);
        self.0.len() < before
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// About how long they are as text, in bytes.
    pub fn bytes(&self) -> usize {
        let fields = self.iter().map(|(name, value)| field_bytes(name, value));
        fields.fold(0, usize::saturating_add)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As one object.
    pub fn json(&self) -> String {
        joined(self.iter())
    }
}

#[cfg(test)]
mod tests;
