//! From the bytes of a request to its fields.
//!
//! Belongs here: which bodies are read, percent-decoding, the charset, the limits. Does not belong here: the lines of a
//! multipart body (`multipart`), what names and values mean ([`super::params`]), and the HTTP side of receiving a body.
//!
//! A request that cannot be read still deserves an answer in the format it asked for. So reading goes on past an error
//! as far as it can, and the error comes with all the fields that were found.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::multipart;
use super::params::Params;
use crate::error::{Code, Problem};
use crate::text;

/// How much of a request is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyLimits {
    /// Bytes of the body.
    pub max_body_bytes: usize,
    /// Fields in query string and body together, repeated ones counted each time.
    pub max_fields: usize,
}

/// Fields that [`peek`] reads at most; far more than any client sends before the first large value.
const PEEK_FIELDS: usize = 1_000;
/// Bytes of an oversized body in which [`read`] looks for the format.
const PEEK_BYTES: usize = 64 * 1024;

/// A request that could not be read.
#[derive(Debug)]
pub struct ReadError {
    /// The first thing that is wrong.
    pub problem: Problem,
    /// All fields that could be read nevertheless: they decide the format of the answer, and nothing else may use them.
    pub partial: Params,
}

/// Reads the query string and the body; the body's fields count over those of the query string.
///
/// `content_type` is the header's value. None, `application/x-www-form-urlencoded` and `text/plain` are read as a form,
/// `multipart/form-data` as such. An empty body has no fields, whatever type it is said to have; only a multipart body
/// cannot be empty. For a GET pass no content type and no body.
///
/// # Errors
/// [`Code::BadContentType`], [`Code::BadMultipart`], [`Code::BodyTooLarge`], [`Code::TooManyFields`] and
/// [`Code::Undecodable`], the last for a value that is neither UTF-8 nor Windows-1252. A field whose *name* is neither
/// cannot be one of ours and is ignored.
pub fn read(
    query: &str,
    content_type: Option<&str>,
    body: &[u8],
    limits: BodyLimits,
) -> Result<Params, ReadError> {
    if let Some((start, _)) = body
        .split_at_checked(limits.max_body_bytes)
        .filter(|(_, rest)| !rest.is_empty())
    {
        let start = start.get(..PEEK_BYTES).unwrap_or(start);
        return Err(ReadError {
            problem: Problem::new(Code::BodyTooLarge).detail(limits.max_body_bytes),
            partial: peek(query, content_type, start),
        });
    }
    let mut reader = Reader::new(limits.max_fields);
    reader.pairs(query.as_bytes());
    match Kind::of(content_type) {
        Kind::Form => reader.pairs(body),
        Kind::Multipart { boundary } => reader.parts(body, boundary.as_deref()),
        Kind::Other(_) if body.is_empty() => {}
        Kind::Other(named) => reader.fail(Problem::new(Code::BadContentType).value(named)),
    }
    match reader.problem {
        None => Ok(reader.params),
        Some(problem) => Err(ReadError {
            problem,
            partial: reader.params,
        }),
    }
}

/// Reads what it can of a body of which only the first bytes are at hand, so that a refusal (413) can be answered in
/// the format asked for. The last field is left out when it may have been cut. Never fails.
pub fn peek(query: &str, content_type: Option<&str>, prefix: &[u8]) -> Params {
    let mut reader = Reader::new(PEEK_FIELDS);
    reader.pairs(query.as_bytes());
    match Kind::of(content_type) {
        Kind::Form => {
            let whole = prefix.iter().rposition(|byte| *byte == b'&').unwrap_or(0);
            reader.pairs(prefix.get(..whole).unwrap_or_default());
        }
        Kind::Multipart { boundary } => reader.parts(prefix, boundary.as_deref()),
        Kind::Other(_) => {}
    }
    reader.params
}

/// What a Content-Type header says about the body.
enum Kind<'a> {
    Form,
    Multipart { boundary: Option<Vec<u8>> },
    Other(&'a str),
}

impl Kind<'_> {
    fn of(content_type: Option<&str>) -> Kind<'_> {
        let whole = content_type.unwrap_or_default();
        let named = whole.split(';').next().unwrap_or_default().trim();
        match named.to_ascii_lowercase().as_str() {
            // Clients that set no header, or one that fits any text, send forms all the same.
            "" | "application/x-www-form-urlencoded" | "text/plain" => Kind::Form,
            "multipart/form-data" => Kind::Multipart {
                boundary: multipart::parameter(whole.as_bytes(), "boundary")
                    .filter(|boundary| !boundary.is_empty()),
            },
            _ => Kind::Other(named),
        }
    }
}

/// The limit on fields was met: what follows is not looked at.
struct Full;

struct Reader {
    params: Params,
    fields: usize,
    max_fields: usize,
    problem: Option<Problem>,
}

impl Reader {
    fn new(max_fields: usize) -> Reader {
        Reader {
            params: Params::new(),
            fields: 0,
            max_fields,
            problem: None,
        }
    }

    /// Notes what is wrong; the first thing noted is the one that is told.
    fn fail(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    /// Reads `name=value&name=value`.
    fn pairs(&mut self, form: &[u8]) {
        for pair in form.split(|byte| *byte == b'&') {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            if name.is_empty() {
                continue;
            }
            if self.field(&unescaped(name), unescaped(value)).is_err() {
                return;
            }
        }
    }

    /// Reads the parts of a multipart body.
    fn parts(&mut self, body: &[u8], boundary: Option<&[u8]>) {
        let Some(boundary) = boundary else {
            self.fail(
                Problem::new(Code::BadMultipart).detail("its Content-Type names no boundary"),
            );
            return;
        };
        for part in multipart::parts(body, boundary) {
            let taken = match part {
                Ok(part) => self.field(&part.name, Cow::Borrowed(part.value)),
                Err(fault) => {
                    self.fail(Problem::new(Code::BadMultipart).detail(fault.text()));
                    self.count()
                }
            };
            if taken.is_err() {
                return;
            }
        }
    }

    fn count(&mut self) -> Result<(), Full> {
        self.fields += 1;
        if self.fields > self.max_fields {
            self.fail(Problem::new(Code::TooManyFields).detail(self.max_fields));
            return Err(Full);
        }
        Ok(())
    }

    /// Takes one field, with escapes undone.
    fn field(&mut self, name: &[u8], value: Cow<'_, [u8]>) -> Result<(), Full> {
        self.count()?;
        let Ok(name) = text::decode(name) else {
            return Ok(());
        };
        match decoded(value) {
            Ok((value, windows_1252)) => self.params.put(&name.text, value, windows_1252),
            Err(fault) => {
                let name = text::shown(&name.text);
                self.fail(Problem::new(Code::Undecodable).field(name).detail(fault));
            }
        }
        Ok(())
    }
}

/// Undoes `+` and `%XX`. A `%` that no two hexadecimal digits follow stays as it is, as in PHP.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    for (nth, piece) in raw.split(|byte| *byte == b'+').enumerate() {
        if nth > 0 {
            out.push(b' ');
        }
        out.extend(percent_decode(piece));
    }
    Cow::Owned(out)
}

/// Text of bytes, and whether they were Windows-1252. Bytes that are owned and plain UTF-8 are not copied: a value may
/// have tens of megabytes.
fn decoded(bytes: Cow<'_, [u8]>) -> Result<(String, bool), text::Undecodable> {
    const BYTE_ORDER_MARK: char = '\u{FEFF}';
    let bytes = match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes),
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) if !text.starts_with(BYTE_ORDER_MARK) => return Ok((text, false)),
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(fault) => Cow::Owned(fault.into_bytes()),
        },
    };
    let decoded = text::decode(&bytes)?;
    Ok((decoded.text.into_owned(), decoded.windows_1252))
}

#[cfg(test)]
mod tests;
