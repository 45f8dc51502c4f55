//! Values of documented fields, checked, and what is said of one that is wrong: what contacts, purchases and options have
//! in common.
//!
//! A check gives the end of a sentence that begins with the field's name: what would be right, and the value that was
//! sent, cut to a length that a person reads.

use super::consents;
use crate::json::{self, Scalar};
use crate::text;
use std::borrow::Cow;
use std::fmt::Display;

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
        Scalar::Text(text) => short(text, max_chars),
        _ => Err(must_be("a text", raw)),
    }
}

/// A text of at most so many characters, or a number as it is written.
pub fn text_or_number(raw: &str, max_chars: usize) -> Result<Cow<'_, str>, String> {
    match json::scalar(raw) {
        Scalar::Text(text) => short(text, max_chars),
        Scalar::Number(number) => short(Cow::Borrowed(number), max_chars),
        _ => Err(must_be("a text or a number", raw)),
    }
}

fn short(text: Cow<'_, str>, max_chars: usize) -> Result<Cow<'_, str>, String> {
    if text::too_long(&text, max_chars) {
        return Err(too_much(max_chars, "characters", text.chars().count()));
    }
    Ok(text)
}

/// A text that something is found by has no control characters.
pub fn without_controls(text: &str) -> Result<(), String> {
    if text.trim().contains(char::is_control) {
        let shown = text::shown(text.trim());
        return Err(format!("has a control character: \"{shown}\""));
    }
    Ok(())
}

/// A flag in one of its eight spellings.
pub fn flag(raw: &str) -> Result<bool, String> {
    consents::flag(raw).ok_or_else(|| must_be("true or false", raw))
}

/// What is said of a value that is not what it must be.
pub fn must_be(right: impl Display, raw: &str) -> String {
    format!("must be {right}, not {}", shown(raw))
}

/// What is said of something that has more of something than it may have.
pub fn too_much(most: usize, of: &str, found: usize) -> String {
    format!("has more than {most} {of}: it has {found}")
}

/// Words to choose from: `a, b or c`.
pub fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value in JSON as sentences show it.
pub fn shown(raw: &str) -> Cow<'static, str> {
    match json::scalar(raw) {
        Scalar::Null => "null".into(),
        Scalar::Bool(true) => "true".into(),
        Scalar::Bool(false) => "false".into(),
        Scalar::Number(number) => text::shown(number).into(),
        Scalar::Text(text) => format!("\"{}\"", text::shown(&text)).into(),
        Scalar::List => "a list".into(),
        Scalar::Object => "an object".into(),
        Scalar::BadText => "one with half of a surrogate pair, which is no text".into(),
    }
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
        let long = "has more than 2 characters: it has 3";
        for (checked, message) in [
            (text("7", 9), "must be a text, not 7"),
            (
                text_or_number("true", 9),
                "must be a text or a number, not true",
            ),
            (text("\"abc\"", 2), long),
            (text_or_number("123", 2), long),
            (
                text_or_number("\"\\ud800\"", 9),
                "must be a text or a number, not one with half of a surrogate pair, which is no text",
            ),
        ] {
            assert_eq!(checked.unwrap_err(), message);
        }
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

    #[test]
    fn values_are_shown_cut_and_without_controls() {
        for (raw, expected) in [
            ("null", "null"),
            ("1e3", "1e3"),
            ("\"a\\nb\\u0000\"", "\"a\\nb\\u{0}\""),
            ("[1,2]", "a list"),
            ("{\"a\":1}", "an object"),
        ] {
            assert_eq!(shown(raw), expected);
        }
        let long = shown(&format!("\"{}\"", "x".repeat(10_000))).into_owned();
        assert_eq!(long, format!("\"{}\u{2026}\"", "x".repeat(64)));
        let digits = shown(&"9".repeat(10_000)).into_owned();
        assert_eq!(digits, format!("{}\u{2026}", "9".repeat(64)));
        assert_eq!(one_of(&["a", "b", "c"]), "a, b or c");
        assert_eq!(one_of(&["a"]), "a");
    }
}
