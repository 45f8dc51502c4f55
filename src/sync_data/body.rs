//! From the bytes of a request to one JSON text.
//!
//! JSON is looked for first, whatever the header says: some clients forget it. A form is turned into the JSON that says
//! the same, so that there is one reader for both.

use super::form::{self, BadForm};
use crate::json::{self, BadJson};
use std::borrow::Cow;
use std::fmt;

/// Why a body is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadBody {
    /// There is none.
    Empty,
    /// It is broken JSON.
    Json(BadJson),
    /// It is a broken form.
    Form(BadForm),
    /// It is JSON, but no object.
    NoObject,
    /// It is neither JSON nor a form, by its own word.
    OtherType,
}

impl fmt::Display for BadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadBody::Empty => f.write_str("the body is empty"),
            BadBody::Json(bad) => bad.fmt(f),
            BadBody::Form(bad) => bad.fmt(f),
            BadBody::NoObject => f.write_str("the body is not a JSON object"),
            BadBody::OtherType => f.write_str(
                "the body has a Content-Type that is not read: send application/json or application/x-www-form-urlencoded",
            ),
        }
    }
}

/// The JSON text of a body.
pub fn read<'a>(content_type: Option<&[u8]>, bytes: &'a [u8]) -> Result<Cow<'a, str>, BadBody> {
    let content_type = content_type.unwrap_or_default();
    let mut parts = content_type.split(|byte| *byte == b';');
    let kind = parts
        .next()
        .unwrap_or_default()
        .trim_ascii()
        .to_ascii_lowercase();
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let first = text.trim_ascii_start().first();
    let is_json = kind == b"application/json"
        || kind.ends_with(b"+json")
        || matches!(first, Some(b'{' | b'['));
    if first.is_none() {
        Err(BadBody::Empty)
    } else if is_json {
        json::check(bytes).map(Cow::Borrowed).map_err(BadBody::Json)
    } else if kind == b"application/x-www-form-urlencoded" {
        form::to_json(bytes).map(Cow::Owned).map_err(BadBody::Form)
    } else {
        Err(BadBody::OtherType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"application/x-www-form-urlencoded";

    #[test]
    fn json_is_known_by_its_header_or_its_first_byte() {
        for (content_type, body) in [
            (&b"application/json"[..], &b"{\"a\":1}"[..]),
            (b"Application/JSON; charset=utf-8", b" {\"a\":1} "),
            (b"application/vnd.api+json", b"{}"),
            (b"", b"\xEF\xBB\xBF\n[]"),
            (b"text/plain", b"{}"),
            (FORM, b"{}"),
            (b"application/json", b"7"),
        ] {
            assert!(matches!(
                read(Some(content_type), body),
                Ok(Cow::Borrowed(_))
            ));
        }
        assert_eq!(read(None, b"{}").as_deref(), Ok("{}"));
    }

    #[test]
    fn forms_become_json() {
        assert_eq!(
            read(Some(FORM), b"a[b]=1").as_deref(),
            Ok("{\"a\":{\"b\":\"1\"}}")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for (content_type, body) in [
            (Some(&b"application/json"[..]), &b""[..]),
            (Some(FORM), b" \r\n"),
            (None, b"\xEF\xBB\xBF"),
        ] {
            assert_eq!(read(content_type, body), Err(BadBody::Empty));
        }
        for content_type in [
            None,
            Some(&b"multipart/form-data; boundary=x"[..]),
            Some(b"text/xml"),
        ] {
            assert_eq!(read(content_type, b"a=1"), Err(BadBody::OtherType));
        }
        let json = Some(&b"application/json"[..]);
        assert_eq!(read(json, b"\xff"), Err(BadBody::Json(BadJson::NotUtf8)));
        assert!(matches!(
            read(json, b"a=1"),
            Err(BadBody::Json(BadJson::Malformed(_)))
        ));
        let deep = "[".repeat(33) + &"]".repeat(33);
        assert_eq!(
            read(json, deep.as_bytes()),
            Err(BadBody::Json(BadJson::TooDeep))
        );
        assert!(matches!(read(Some(FORM), b"a=%ff"), Err(BadBody::Form(_))));
    }
}
