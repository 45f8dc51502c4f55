//! In which format a caller wants the answer.
//!
//! Belongs here: `output`, `callback` and `condensed`. Does not belong here: how a format is written ([`super::render`]).

use super::params::Params;
use crate::error::{Code, Problem};

/// Characters of a `callback`, at most.
const MAX_CALLBACK_CHARS: usize = 128;

/// The format of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Format {
    /// An XML document.
    Xml,
    /// A JSON object.
    Json {
        /// Without white space between the values.
        condensed: bool,
    },
    /// A script that calls a function with a JSON object.
    Jsonp {
        /// The function: identifiers joined by dots, checked.
        callback: String,
        /// Without white space between the values.
        condensed: bool,
    },
}

impl Format {
    /// Reads `output`, `callback` and `condensed`. There is always a format to answer in; when one of the fields is wrong
    /// the request is to be refused, in that format, with the problem beside it. A wrong `output` is answered in XML, a
    /// wrong `callback` in JSON, because nothing may be called by a name that is not one.
    pub fn from_params(params: &Params) -> (Format, Option<Problem>) {
        let mut problem = None;
        let condensed = params.flag("condensed").unwrap_or_else(|wrong| {
            problem = Some(wrong);
            None
        });
        let condensed = condensed.unwrap_or(false);

        let output = params.text("output").unwrap_or_default();
        let callback = params.text("callback");
        let json = match (output.to_ascii_lowercase().as_str(), callback) {
            ("json", _) => true,
            ("xml", _) => false,
            // A script cannot use anything but JSON, so that a callback alone asks for it.
            ("", callback) => callback.is_some(),
            _ => {
                let wrong = Problem::new(Code::BadOutput).value(output);
                return (Format::Xml, Some(problem.unwrap_or(wrong)));
            }
        };
        match callback {
            _ if !json => (Format::Xml, problem),
            None => (Format::Json { condensed }, problem),
            Some(callback) if is_callback(callback) => {
                let callback = callback.to_owned();
                (
                    Format::Jsonp {
                        callback,
                        condensed,
                    },
                    problem,
                )
            }
            Some(callback) => {
                let wrong = Problem::new(Code::BadCallback).value(callback);
                (Format::Json { condensed }, Some(problem.unwrap_or(wrong)))
            }
        }
    }

    /// The Content-Type of an answer in this format.
    pub fn content_type(&self) -> &'static str {
        match self {
            Format::Xml => "text/xml; charset=utf-8",
            Format::Json { .. } => "application/json; charset=utf-8",
            Format::Jsonp { .. } => "application/javascript; charset=utf-8",
        }
    }
}

/// Whether a name is made of JavaScript identifiers joined by dots. Reserved words pass: as members they are allowed, and
/// elsewhere they break nothing but the caller's own script.
fn is_callback(name: &str) -> bool {
    name.chars().count() <= MAX_CALLBACK_CHARS && name.split('.').all(is_identifier)
}

fn is_identifier(name: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '$' || c == '_';
    name.starts_with(begins) && name.chars().all(|c| begins(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pairs: &[(&str, &str)]) -> (Format, Option<Problem>) {
        Format::from_params(&pairs.iter().copied().collect())
    }

    fn jsonp(callback: &str) -> Format {
        Format::Jsonp {
            callback: callback.to_owned(),
            condensed: false,
        }
    }

    #[test]
    fn output_in_any_case() {
        for output in ["JSON", "json", "Json", " jSoN "] {
            assert_eq!(
                format(&[("output", output)]),
                (Format::Json { condensed: false }, None)
            );
        }
        for output in ["XML", "xml", "", " "] {
            assert_eq!(format(&[("output", output)]), (Format::Xml, None));
        }
        assert_eq!(format(&[]), (Format::Xml, None));
        let wrong = Problem::new(Code::BadOutput).value("jsno");
        assert_eq!(
            format(&[("output", "jsno"), ("callback", "f")]),
            (Format::Xml, Some(wrong))
        );
    }

    #[test]
    fn a_callback_asks_for_jsonp_unless_xml_is_asked_for() {
        assert_eq!(format(&[("callback", "f")]), (jsonp("f"), None));
        assert_eq!(
            format(&[("callback", "f"), ("output", "json")]),
            (jsonp("f"), None)
        );
        assert_eq!(
            format(&[("callback", "f"), ("output", "XML")]),
            (Format::Xml, None)
        );
        assert_eq!(
            format(&[("callback", "f("), ("output", "XML")]),
            (Format::Xml, None)
        );
        assert_eq!(
            format(&[("callback", ""), ("output", "json")]),
            (Format::Json { condensed: false }, None)
        );
        assert_eq!(format(&[("callback", " ")]), (Format::Xml, None));
    }

    #[test]
    fn callbacks() {
        let long = "a".repeat(128);
        for good in [
            "f",
            "$",
            "_",
            "jQuery1910_42",
            "angular.callbacks._0",
            "a.b.c",
            "class",
            "x.default",
            "größe",
            "函数",
            long.as_str(),
        ] {
            assert_eq!(format(&[("callback", good)]), (jsonp(good), None));
        }
        let longer = "a".repeat(129);
        for bad in [
            "1a",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a-b",
            "a[0]",
            "alert(1)//",
            "a;b",
            "<script>",
            "a\u{2028}b",
            "a.1",
            "a\"",
            "😀",
            longer.as_str(),
        ] {
            let wrong = Problem::new(Code::BadCallback).value(bad);
            assert_eq!(
                format(&[("callback", bad), ("condensed", "yes")]),
                (Format::Json { condensed: true }, Some(wrong))
            );
        }
    }

    #[test]
    fn condensed_is_a_flag_and_a_wrong_one_is_told() {
        assert_eq!(
            format(&[("output", "JSON"), ("condensed", "YES")]),
            (Format::Json { condensed: true }, None)
        );
        assert_eq!(format(&[("condensed", "yes")]), (Format::Xml, None));
        let wrong = Problem::new(Code::BadFlag).field("condensed").value("ja");
        assert_eq!(
            format(&[("output", "JSON"), ("condensed", "ja")]),
            (Format::Json { condensed: false }, Some(wrong.clone()))
        );
        assert_eq!(
            format(&[("condensed", "ja"), ("callback", "f")]),
            (jsonp("f"), Some(wrong.clone()))
        );
        assert_eq!(format(&[("condensed", "ja")]), (Format::Xml, Some(wrong)));
    }

    #[test]
    fn content_types() {
        assert_eq!(Format::Xml.content_type(), "text/xml; charset=utf-8");
        assert_eq!(
            Format::Json { condensed: true }.content_type(),
            "application/json; charset=utf-8"
        );
        assert_eq!(
            jsonp("f").content_type(),
            "application/javascript; charset=utf-8"
        );
    }
}
