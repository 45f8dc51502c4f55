//! Values of documented fields, checked: what contacts, purchases and options have in common.
//!
//! A check gives the reason as the end of a sentence that begins with the field's name.

use crate::json::{self, Scalar};
use crate::loyalty::contacts::consents;
use crate::text;
use std::borrow::Cow;

/// What is said of half a surrogate pair.
const NO_TEXT: &str = "has half of a surrogate pair, which is no text";

/// Whether a value says that a field is to be empty: `null`, or a text without anything but blanks.
pub fn is_empty(raw: &str) -> bool {
    match json::scalar(raw) {
        Scalar::Null => true,
        Scalar::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A text of at most so many characters.
pub fn text(raw: &str, max_chars: usize) -> Result<Cow<'_, str>, String> {
    match json::scalar(raw) {
        Scalar::Text(text) if text::too_long(&text, max_chars) => Err(too_long(max_chars)),
        Scalar::Text(text) => Ok(text),
        Scalar::BadText => Err(NO_TEXT.to_owned()),
        _ => Err("must be a text".to_owned()),
    }
}

/// A text of at most so many characters, or a number as it is written.
pub fn text_or_number(raw: &str, max_chars: usize) -> Result<Cow<'_, str>, String> {
    match json::scalar(raw) {
        Scalar::Number(number) if text::too_long(number, max_chars) => Err(too_long(max_chars)),
        Scalar::Number(number) => Ok(Cow::Borrowed(number)),
        Scalar::List | Scalar::Object | Scalar::Bool(_) => {
            Err("must be a text or a number".to_owned())
        }
        _ => text(raw, max_chars),
    }
}

/// A flag in one of its eight spellings.
pub fn flag(raw: &str) -> Result<bool, String> {
    consents::flag(raw).ok_or_else(|| "must be true or false".to_owned())
}

/// What is said of a text that is too long.
pub fn too_long(max_chars: usize) -> String {
    format!("is longer than {max_chars} characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_eight_spellings() {
        for raw in ["true", "\"true\"", "1", "\"1\"", "\" True \""] {
            assert_eq!(flag(raw), Ok(true), "{raw}");
        }
        for raw in ["false", "\"false\"", "0", "\"0\"", "\"FALSE\""] {
            assert_eq!(flag(raw), Ok(false), "{raw}");
        }
        for raw in [
            "\"maybe\"",
            "2",
            "-1",
            "1.0",
            "[]",
            "{}",
            "null",
            "\"\"",
            "\"\\ud800\"",
        ] {
            assert!(flag(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn texts_and_numbers() {
        assert_eq!(text("\"a\\u00e9\"", 2).as_deref(), Ok("a\u{e9}"));
        assert_eq!(text_or_number("545.50", 9).as_deref(), Ok("545.50"));
        assert_eq!(text("7", 9).unwrap_err(), "must be a text");
        assert_eq!(
            text_or_number("true", 9).unwrap_err(),
            "must be a text or a number"
        );
        assert_eq!(
            text("\"abc\"", 2).unwrap_err(),
            "is longer than 2 characters"
        );
        assert_eq!(
            text_or_number("123", 2).unwrap_err(),
            "is longer than 2 characters"
        );
        assert_eq!(text_or_number("\"\\ud800\"", 9).unwrap_err(), NO_TEXT);
        for (raw, empty) in [
            ("null", true),
            ("\"\"", true),
            ("\" \\t\"", true),
            ("0", false),
            ("[]", false),
        ] {
            assert_eq!(is_empty(raw), empty, "{raw}");
        }
    }
}
