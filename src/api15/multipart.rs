//! The lines of a multipart/form-data body that is wholly in memory.
//!
//! Belongs here: delimiter lines, the headers of a part, header parameters. Does not belong here: what a name or a value
//! means ([`super::body`]).
//!
//! We read the body ourselves because a value must arrive whole or not at all. A part's own Content-Length is not
//! believed: some clients count characters instead of bytes, and an amount cut by one digit is money. Line ends may be
//! CRLF or LF.

use std::iter;

/// Headers of a part may be this long together; a longer run is a value whose blank line is missing.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// One part with a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The parameter `name` of its Content-Disposition.
    pub(super) name: Vec<u8>,
    /// All bytes between its headers and the line break before the next delimiter.
    pub(super) value: &'a [u8],
}

/// What can be wrong with a body or a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No line is the delimiter.
    NoDelimiter,
    /// The body ends within a part.
    CutShort,
    /// No blank line ends the headers of a part.
    NoBlankLine,
    /// A part has no Content-Disposition with a name.
    NoName,
}

impl Fault {
    /// The fault in words, to follow "cannot be read: ".
    pub(super) fn text(self) -> &'static str {
        match self {
            Fault::NoDelimiter => "no line of it is the boundary that its Content-Type names",
            Fault::CutShort => "it ends before its closing boundary",
            Fault::NoBlankLine => "a part has no blank line after its headers",
            Fault::NoName => "a part has no name",
        }
    }
}

/// The parts of a body, in order. A part that cannot be read is an error and the next one follows; after
/// [`Fault::NoDelimiter`] and [`Fault::CutShort`] nothing does.
pub(super) fn parts<'a>(
    body: &'a [u8],
    boundary: &[u8],
) -> impl Iterator<Item = Result<Part<'a>, Fault>> {
    let delimiter = [b"--", boundary].concat();
    let mut rest = match cut(body, &delimiter) {
        Some(cut) => Ok(cut.rest),
        None => Err(Fault::NoDelimiter),
    };
    iter::from_fn(move || {
        let from = match rest {
            Ok(None) => return None,
            Ok(Some(from)) => from,
            Err(fault) => {
                rest = Ok(None);
                return Some(Err(fault));
            }
        };
        match cut(from, &delimiter) {
            Some(cut) => {
                rest = Ok(cut.rest);
                Some(part(cut.before))
            }
            None => {
                rest = Ok(None);
                Some(Err(Fault::CutShort))
            }
        }
    })
}

struct Cut<'a> {
    /// What stands before the delimiter line, with the line break that belongs to the delimiter.
    before: &'a [u8],
    /// What follows it; `None` after the closing one.
    rest: Option<&'a [u8]>,
}

/// Finds the first line that is the delimiter, or the closing one. A line that only begins like it is a line of a value.
fn cut<'a>(body: &'a [u8], delimiter: &[u8]) -> Option<Cut<'a>> {
    let mut start = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if let Some(tail) = line.strip_prefix(delimiter) {
            let before = body.get(..start)?;
            if tail.starts_with(b"--") {
                return Some(Cut { before, rest: None });
            }
            if tail.ends_with(b"\n") && tail.trim_ascii().is_empty() {
                return Some(Cut {
                    before,
                    rest: Some(body.get(end..)?),
                });
            }
        }
        start = end;
    }
    None
}

/// Reads headers and value of one part.
fn part(bytes: &[u8]) -> Result<Part<'_>, Fault> {
    let mut headers: Vec<Vec<u8>> = Vec::new();
    let mut start = 0;
    let mut value = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if start > MAX_HEADER_BYTES {
            break;
        }
        match line {
            b"\r\n" | b"\n" => {
                value = bytes.get(start..);
                break;
            }
            // A header may go on in the next line, which then begins with a blank.
            [b' ' | b'\t', ..] => {
                if let Some(last) = headers.last_mut() {
                    last.extend(line.trim_ascii_end());
                }
            }
            _ => headers.push(line.trim_ascii_end().to_vec()),
        }
    }
    let value = without_line_break(value.ok_or(Fault::NoBlankLine)?);
    let name = headers.iter().find_map(|header| disposition(header));
    let name = name.and_then(|header| parameter(header, "name"));
    Ok(Part {
        name: name.filter(|name| !name.is_empty()).ok_or(Fault::NoName)?,
        value,
    })
}

/// The value of a header that is Content-Disposition.
fn disposition(header: &[u8]) -> Option<&[u8]> {
    let colon = header.iter().position(|byte| *byte == b':')?;
    let (name, value) = header.split_at_checked(colon)?;
    name.trim_ascii()
        .eq_ignore_ascii_case(b"content-disposition")
        .then_some(value)
}

fn without_line_break(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

/// A parameter of a header value such as `form-data; name="a"; filename="b"`, by name in any case; the first one counts.
pub(super) fn parameter(header: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let mut bytes = header.iter().copied().peekable();
    while bytes.any(|byte| byte == b';') {
        let mut name = Vec::new();
        while let Some(byte) = bytes.next_if(|byte| !matches!(byte, b'=' | b';')) {
            name.push(byte);
        }
        if bytes.next_if_eq(&b'=').is_none() {
            continue;
        }
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
        let quoted = bytes.next_if_eq(&b'"').is_some();
        let end = if quoted { b'"' } else { b';' };
        let mut value = Vec::new();
        while let Some(byte) = bytes.next_if(|byte| *byte != end) {
            // Only `\"` and `\\` are escapes: old browsers send Windows paths as file names.
            let escaped = (quoted && byte == b'\\')
                .then(|| bytes.next_if(|byte| matches!(byte, b'"' | b'\\')))
                .flatten();
            value.push(escaped.unwrap_or(byte));
        }
        if name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()) {
            if !quoted {
                value.truncate(value.trim_ascii_end().len());
            }
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<Result<(String, String), Fault>> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        parts(body.as_bytes(), b"b")
            .map(|part| part.map(|part| (text(&part.name), text(part.value))))
            .collect()
    }

    fn ok(name: &str, value: &str) -> Result<(String, String), Fault> {
        Ok((name.to_owned(), value.to_owned()))
    }

    #[test]
    fn what_php_sends() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nx\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\
                    Content-Type: application/octet-stream\r\n\r\n1\r\n2\r\n\r\n--b--\r\n";
        assert_eq!(read(body), [ok("type", "x"), ok("f", "1\r\n2\r\n")]);
        assert_eq!(read("--b--\r\n"), []);
    }

    #[test]
    fn what_others_send() {
        let body = "preamble\n--b \ncontent-disposition:form-data;NAME = type ;x\n\nx\n\
                    --b\nX: 1\nContent-Disposition: form-data;\n name=\"a\"\n\n\n--b--epilogue";
        assert_eq!(read(body), [ok("type", "x"), ok("a", "")]);
        // No line break between the headers and the delimiter: nothing was sent.
        let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--";
        assert_eq!(read(body), [ok("a", "")]);
    }

    #[test]
    fn a_length_that_lies_cuts_nothing() {
        for length in ["3", "9", "x", "99999999999999999999999"] {
            let body = format!(
                "--b\r\nContent-Length: {length}\r\nContent-Disposition: form-data; name=amount\r\n\r\n1000\r\n--b--"
            );
            assert_eq!(read(&body), [ok("amount", "1000")]);
        }
    }

    #[test]
    fn what_only_looks_like_a_delimiter_is_value() {
        let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--bc\r\n -\r\n--b x\r\nx--b\r\n\r\r\n--b--";
        assert_eq!(read(body), [ok("a", "--bc\r\n -\r\n--b x\r\nx--b\r\n\r")]);
    }

    #[test]
    fn a_bad_part_does_not_hide_the_next() {
        let body = "--b\r\nX: 1\r\n\r\n1\r\n--b\r\nno end\r\n--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n\
                    --b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b";
        let expected = [
            Err(Fault::NoName),
            Err(Fault::NoBlankLine),
            Err(Fault::NoName),
            Err(Fault::CutShort),
        ];
        assert_eq!(read(body), expected);
        assert_eq!(read("--c\r\n--c--"), [Err(Fault::NoDelimiter)]);
        assert_eq!(read(""), [Err(Fault::NoDelimiter)]);
        let long = format!(
            "--b\r\nX: {}\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
            "x".repeat(9_000)
        );
        assert_eq!(read(&long), [Err(Fault::NoBlankLine)]);
    }

    #[test]
    fn parameters() {
        let get = |header: &str, name| {
            parameter(header.as_bytes(), name).map(|value| String::from_utf8(value).unwrap())
        };
        let header =
            r#"form-data; filename="a;name=evil\"\\"; name="b"; name=c; path="C:\dir"; open="x;y"#;
        assert_eq!(get(header, "name").as_deref(), Some("b"));
        assert_eq!(get(header, "filename").as_deref(), Some(r#"a;name=evil"\"#));
        assert_eq!(get(header, "path").as_deref(), Some(r"C:\dir"));
        assert_eq!(get(header, "open").as_deref(), Some("x;y"));
        assert_eq!(get(header, "form-data"), None);
        assert_eq!(
            get(
                "multipart/form-data; boundary=----=_Part_0/1 ;x=y",
                "boundary"
            )
            .as_deref(),
            Some("----=_Part_0/1")
        );
        assert_eq!(get("name=x", "name"), None);
        assert_eq!(get("a; name", "name"), None);
    }
}
