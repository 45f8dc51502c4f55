//! From the text of a setting to its value: the one path that file, environment and flags share.
//!
//! Belongs here: the types a setting can have, and the sentence that says what would be right. Does not belong here:
//! which settings there are, or where their texts come from ([`super`]).

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::hooks::address::Allow;
use crate::secrets::Secret;
use crate::text;

/// What a number may be, both ends included. Other types have no range.
pub type Range = Option<(u64, u64)>;

/// A type that a setting can have.
pub trait Value: Sized {
    /// Whether its text must never be shown.
    const SECRET: bool = false;

    /// Reads it. The error says what would be right, as the end of a sentence that begins with `give`; it never
    /// repeats the text.
    ///
    /// # Errors
    /// A text that is not such a value, or outside its range.
    fn read(text: &str, range: Range) -> Result<Self, String>;

    /// How a person may see it; `None` when it is not set.
    fn show(&self) -> Option<String>;

    /// How a person may see a text that [`Value::read`] refused.
    fn show_refused(text: &str) -> String {
        if Self::SECRET {
            "***".to_owned()
        } else {
            text::shown(text)
        }
    }

    /// Whether the value stands without quotes in a TOML file.
    const BARE: bool = false;
}

/// What to log, in the syntax of `RUST_LOG`: `info`, or `warn,punchcard=debug`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogFilter(String);

impl LogFilter {
    /// The text, known to be a filter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for LogFilter {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        // The parser takes any word for a module's name, so that `verbose` would silently log nothing.
        let bare_word = text.chars().all(|c| c.is_ascii_alphabetic());
        let level = ["off", "error", "warn", "info", "debug", "trace"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
        let filter = tracing_subscriber::EnvFilter::builder().parse(text);
        if text.trim().is_empty() || (bare_word && !level) || filter.is_err() {
            return Err(
                "off, error, warn, info, debug or trace, or a list such as warn,punchcard=debug"
                    .to_owned(),
            );
        }
        Ok(LogFilter(text.to_owned()))
    }

    fn show(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

impl Value for SocketAddr {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        text.parse().map_err(|_| {
            "an IP address and a port, such as 127.0.0.1:8015 or [::1]:8015".to_owned()
        })
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for bool {
    const BARE: bool = true;

    fn read(text: &str, _: Range) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("true or false".to_owned()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A whole number in decimal digits.
fn number<N: TryFrom<u64>>(text: &str, range: Range) -> Result<N, String> {
    let (least, most) = range.unwrap_or((0, u64::MAX));
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text
        .parse()
        .ok()
        .filter(|value| digits && (least..=most).contains(value));
    value
        .and_then(|value| N::try_from(value).ok())
        .ok_or_else(|| format!("a whole number from {least} to {most}"))
}

impl Value for u64 {
    const BARE: bool = true;

    fn read(text: &str, range: Range) -> Result<Self, String> {
        number(text, range)
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for usize {
    const BARE: bool = true;

    fn read(text: &str, range: Range) -> Result<Self, String> {
        number(text, range)
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// The most waits in a list of [`Seconds`].
const SECONDS_MOST: usize = 20;
/// The longest wait in a list of [`Seconds`].
const LONGEST_WAIT: u64 = 86_400;

/// Waits, one after the other, in seconds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Seconds(Vec<u64>);

impl Seconds {
    /// The waits.
    pub fn list(&self) -> &[u64] {
        &self.0
    }
}

impl Value for Seconds {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Seconds::default());
        }
        let range = Some((0, LONGEST_WAIT));
        let list = text.split(',').map(|one| number(one.trim(), range));
        let list: Result<Vec<u64>, String> = list.collect();
        let right = list.ok().filter(|list| list.len() <= SECONDS_MOST);
        right.map(Seconds).ok_or_else(|| {
            format!(
                "at most {SECONDS_MOST} whole numbers from 0 to {LONGEST_WAIT}, separated by commas"
            )
        })
    }

    fn show(&self) -> Option<String> {
        let list: Vec<String> = self.0.iter().map(u64::to_string).collect();
        Some(list.join(","))
    }
}

impl Value for Allow {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        text.parse().map_err(|_| {
            "address ranges separated by commas, such as 10.0.0.0/8,fd00::/8, with zeros behind the first bits"
                .to_owned()
        })
    }

    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_string())
    }
}

/// An empty text is "not set".
impl Value for Option<SocketAddr> {
    fn read(text: &str, range: Range) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        SocketAddr::read(text, range).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(SocketAddr::to_string)
    }
}

/// An empty text is "not set", so that a variable that is always passed on does no harm when it is empty.
impl Value for Option<PathBuf> {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        if text.contains('\0') {
            return Err("the path of a file".to_owned());
        }
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(|path| path.display().to_string())
    }
}

/// An empty text is "not set".
impl Value for Option<Secret> {
    const SECRET: bool = true;

    fn read(text: &str, _: Range) -> Result<Self, String> {
        if text.contains(['\0', '\n', '\r']) {
            return Err("one line of text".to_owned());
        }
        Ok((!text.is_empty()).then(|| Secret::new(text)))
    }

    fn show(&self) -> Option<String> {
        self.as_ref().map(Secret::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_digits_in_their_range() {
        assert_eq!(u64::read("5", Some((1, 10))), Ok(5));
        assert_eq!(usize::read("010", Some((1, 10))), Ok(10));
        for wrong in [
            "",
            "0",
            "11",
            "+5",
            "-1",
            "5 ",
            "5.0",
            "1e1",
            "٥",
            "99999999999999999999",
        ] {
            assert_eq!(
                u64::read(wrong, Some((1, 10))),
                Err("a whole number from 1 to 10".to_owned()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn flags_take_the_usual_words() {
        assert!(
            ["true", "YES", "on", "1"]
                .iter()
                .all(|text| bool::read(text, None) == Ok(true))
        );
        assert!(
            ["false", "no", "Off", "0"]
                .iter()
                .all(|text| bool::read(text, None) == Ok(false))
        );
        assert!(bool::read("", None).is_err() && bool::read("truee", None).is_err());
    }

    #[test]
    fn lists_and_addresses_are_checked() {
        let read = |text: &str| Seconds::read(text, None);
        for (text, list) in [
            ("", vec![]),
            ("0", vec![0]),
            ("300, 86400 ,5", vec![300, 86_400, 5]),
        ] {
            let seconds = read(text).unwrap();
            assert_eq!(seconds.list(), list);
            assert_eq!(read(&seconds.show().unwrap()), Ok(seconds));
        }
        let many = ["1"; 21].join(",");
        for wrong in ["1,", ",1", "1;2", "-1", "86401", "1.5", "1 2", &many] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(<Option<SocketAddr>>::read("", None), Ok(None));
        let address = <Option<SocketAddr>>::read("[::1]:53", None).unwrap();
        assert_eq!(address.show().as_deref(), Some("[::1]:53"));
        assert!(<Option<SocketAddr>>::read("localhost:53", None).is_err());
        assert_eq!(Allow::read("", None).unwrap().show(), None);
        let allow = Allow::read("127.0.0.0/8, ::1/128", None).unwrap();
        assert_eq!(allow.show().as_deref(), Some("127.0.0.0/8,::1/128"));
        assert!(Allow::read("127.0.0.1", None).is_err());
    }

    #[test]
    fn log_filters_are_checked() {
        for right in [
            "info",
            "OFF",
            "warn,punchcard=debug",
            "punchcard::posting=trace",
        ] {
            assert!(LogFilter::read(right, None).is_ok(), "{right}");
        }
        for wrong in ["", " ", "verbose", "punchcard=loud"] {
            assert!(LogFilter::read(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn optional_values_are_absent_when_empty() {
        assert_eq!(<Option<PathBuf>>::read("", None), Ok(None));
        assert_eq!(<Option<Secret>>::read("", None), Ok(None));
        assert_eq!(
            <Option<Secret>>::read("pw", None)
                .unwrap()
                .show()
                .as_deref(),
            Some("***")
        );
        assert_eq!(<Option<Secret>>::show_refused("p\nw"), "***");
        assert!(<Option<Secret>>::read("p\nw", None).is_err());
    }
}
