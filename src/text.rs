//! Text: from bytes, for people, for comparison.
//!
//! Belongs here: what any dialect does with a text before it knows what the text means. Pure.
//!
//! Does not belong here: the grammar of one value ([`crate::amount`], [`crate::dates`]) and the escaping of a format
//! (the renderers).

use std::borrow::Cow;
use std::fmt;

/// How many characters of a value an error text shows.
const SHOWN_CHARS: usize = 64;

/// A value as error texts show it: at most 64 characters of it, then `…` if there are more, and control characters
/// escaped (`\n`, `\t`, `\u{7}`). The cut comes first, so an escaped character counts as one. No quotes are added, and
/// a backslash stays as it is: the text is for people and is never read back.
pub fn shown(value: &str) -> String {
    let kept = cut(value, SHOWN_CHARS);
    let mut out = String::with_capacity(kept.len() + '…'.len_utf8());
    for c in kept.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    if kept.len() < value.len() {
        out.push('…');
    }
    out
}

/// The form in which names are compared without case: trimmed (Unicode white space), each character in lower case.
///
/// Character by character, so that it does not depend on what stands beside it: a capital sigma always gives `σ`.
pub fn fold(value: &str) -> String {
    value.trim().chars().flat_map(char::to_lowercase).collect()
}

/// The form in which the names of parameters are compared: without case, and `-` equals `_`.
pub fn normalised(name: &str) -> Cow<'_, str> {
    let moves = |byte: u8| byte == b'-' || byte.is_ascii_uppercase();
    if !name.bytes().any(moves) {
        return Cow::Borrowed(name);
    }
    let normal = |c: char| {
        if c == '-' {
            '_'
        } else {
            c.to_ascii_lowercase()
        }
    };
    Cow::Owned(name.chars().map(normal).collect())
}

/// Whether two normalised names have the same letters without `_`, or would if one letter were put in, left out or
/// exchanged in one of them.
pub fn nearly(name: &str, other: &str) -> bool {
    let letters = |c: &char| *c != '_';
    let (mut a, mut b) = (name.chars().filter(letters), other.chars().filter(letters));
    loop {
        // The state before a difference, from which each of the three ways is tried.
        let (before_a, before_b) = (a.clone(), b.clone());
        match (a.next(), b.next()) {
            (None, None) => return true,
            (x, y) if x == y => {}
            _ => {
                return a.clone().eq(b.clone()) || a.eq(before_b) || before_a.eq(b);
            }
        }
    }
}

/// A flag of a form or a query string, in one of its eleven spellings, any case; `None` for every other text.
pub fn flag(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "on" => Some(true),
        "no" | "n" | "false" | "0" | "off" | "" => Some(false),
        _ => None,
    }
}

/// Whether the value has more than `max_chars` characters. Most values are decided by their length in bytes.
pub fn too_long(value: &str, max_chars: usize) -> bool {
    if value.len() <= max_chars {
        return false;
    }
    // No character takes more than four bytes.
    value.len() > max_chars.saturating_mul(4) || value.chars().nth(max_chars).is_some()
}

/// At most the first `max_chars` characters.
pub fn cut(value: &str, max_chars: usize) -> &str {
    if value.len() <= max_chars {
        return value;
    }
    let end = value.char_indices().nth(max_chars).map(|(at, _)| at);
    end.and_then(|end| value.get(..end)).unwrap_or(value)
}

/// Text made of the bytes of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded<'a> {
    /// The text; borrowed when the bytes were UTF-8.
    pub text: Cow<'a, str>,
    /// The bytes were not UTF-8 and were read as Windows-1252. The details of a reply say so.
    pub windows_1252: bool,
}

/// The bytes are neither UTF-8 nor Windows-1252.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undecodable {
    /// The first byte that Windows-1252 leaves undefined.
    pub byte: u8,
    /// Its place among the bytes given, counted from 1.
    pub position: usize,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Undecodable { byte, position } = self;
        write!(f, "byte 0x{byte:02X} at position {position}")
    }
}

impl std::error::Error for Undecodable {}

/// Reads bytes as UTF-8 or, if they are not, all of them as Windows-1252. A UTF-8 byte order mark in front is dropped
/// in either case.
///
/// The five bytes that Windows-1252 leaves undefined (0x81, 0x8D, 0x8F, 0x90, 0x9D) are an error: browsers turn them
/// into control characters, which would hide that the bytes are something else altogether.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Undecodable> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(text) {
        return Ok(Decoded {
            text: Cow::Borrowed(text),
            windows_1252: false,
        });
    }
    let undefined = |byte: &u8| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D);
    let dropped = bytes.len() - text.len();
    if let Some((at, byte)) = text.iter().enumerate().find(|(_, byte)| undefined(byte)) {
        return Err(Undecodable {
            byte: *byte,
            position: dropped + at + 1,
        });
    }
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(text);
    Ok(Decoded {
        text,
        windows_1252: true,
    })
}

/// Whether XML 1.0 allows the character in a document at all, escaped or not.
pub fn xml_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_values_cut_and_escaped() {
        assert_eq!(shown(""), "");
        assert_eq!(shown("a \"b\" \\n é"), "a \"b\" \\n é");
        assert_eq!(shown("a\nb\tc\rd\u{7}e\0"), "a\\nb\\tc\\rd\\u{7}e\\u{0}");
        assert_eq!(shown("\u{85}\u{7f}"), "\\u{85}\\u{7f}");
        let exactly = "é".repeat(64);
        assert_eq!(shown(&exactly), exactly);
        assert_eq!(shown(&format!("{exactly}x")), format!("{exactly}…"));
        assert_eq!(shown(&"\n".repeat(65)), format!("{}…", "\\n".repeat(64)));
    }

    #[test]
    fn folds_case_and_trims() {
        assert_eq!(fold("  Große TASSE\u{a0}"), "große tasse");
        assert_eq!(fold("ΟΔΟΣ"), "οδοσ");
        assert_eq!(fold("İ"), "i\u{307}");
        assert_eq!(fold(" \t"), "");
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!(!too_long("äöü", 3));
        assert!(too_long("äöü", 2));
        assert!(too_long("x", 0));
        assert!(!too_long("", 0));
        assert!(!too_long("x", usize::MAX));
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 0), "");
    }

    #[test]
    fn decodes_utf_8_then_windows_1252() {
        for (bytes, text, windows_1252) in [
            (&b""[..], "", false),
            (b"abc", "abc", false),
            (b"\xEF\xBB\xBF", "", false),
            ("\u{feff}é€".as_bytes(), "é€", false),
            ("a\u{feff}".as_bytes(), "a\u{feff}", false),
            (b"caf\xE9 5 \x80", "café 5 €", true),
            (b"\xEF\xBB\xBF\xE9", "é", true),
            (b"\xFF\xFE", "ÿþ", true),
            (b"\xC3\xA9\xE9", "Ã©é", true),
        ] {
            let decoded = decode(bytes).unwrap();
            assert_eq!((&*decoded.text, decoded.windows_1252), (text, windows_1252));
        }
    }

    #[test]
    fn names_the_byte_that_cannot_be_read() {
        for byte in [0x81, 0x8D, 0x8F, 0x90, 0x9D] {
            let error = decode(&[b'a', byte]).unwrap_err();
            assert_eq!(error, Undecodable { byte, position: 2 });
        }
        let error = decode(b"\xEF\xBB\xBFa\xE9\x81").unwrap_err();
        assert_eq!(error.to_string(), "byte 0x81 at position 6");
    }

    #[test]
    fn knows_what_xml_forbids() {
        for c in [
            '\t',
            '\n',
            '\r',
            ' ',
            '\u{7f}',
            '\u{85}',
            '\u{fffd}',
            '😀',
            char::MAX,
        ] {
            assert!(xml_allowed(c), "{c:?}");
        }
        for c in [
            '\0', '\u{8}', '\u{b}', '\u{c}', '\u{1f}', '\u{fffe}', '\u{ffff}',
        ] {
            assert!(!xml_allowed(c), "{c:?}");
        }
    }

    /// Up to 100 characters, control characters and those of two to four bytes among them.
    fn any_value() -> impl Strategy<Value = String> {
        prop::collection::vec(any::<char>(), 0..100).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn shown_is_short_and_has_no_control_characters(value in any_value()) {
            let out = shown(&value);
            prop_assert!(!out.chars().any(char::is_control));
            prop_assert_eq!(out.ends_with('…'), value.chars().count() > 64 || value.ends_with('…'));
        }

        #[test]
        fn folding_twice_changes_nothing(value in any_value()) {
            let once = fold(&value);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn lengths_agree_with_counting(value in any_value(), max in 0..80_usize) {
            prop_assert_eq!(too_long(&value, max), value.chars().count() > max);
            let expected: String = value.chars().take(max).collect();
            prop_assert_eq!(cut(&value, max), expected);
        }

        #[test]
        fn utf_8_comes_back_as_it_was(value in any_value()) {
            let decoded = decode(value.as_bytes()).unwrap();
            prop_assert_eq!(decoded.text, value.strip_prefix('\u{feff}').unwrap_or(&value));
            prop_assert!(!decoded.windows_1252);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            match decode(&bytes) {
                Ok(decoded) if decoded.windows_1252 => {
                    let undefined = |c| ('\u{80}'..='\u{9f}').contains(&c);
                    prop_assert!(!decoded.text.chars().any(undefined));
                }
                Ok(_) => prop_assert!(std::str::from_utf8(&bytes).is_ok()),
                Err(error) => prop_assert_eq!(bytes[error.position - 1], error.byte),
            }
        }
    }
}
