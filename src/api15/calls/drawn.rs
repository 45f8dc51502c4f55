//! Codes and card numbers that are drawn.
//!
//! Belongs here: the fields that say what a drawn card number looks like. Does not belong here: whether it is free
//! ([`crate::loyalty::customers`]).

use super::bad_value;
use crate::api15::params::Params;
use crate::error::{Code, Problem};
use crate::secrets;

/// Digits of a code that is drawn, and of a card number where nothing else is said.
pub const DIGITS: usize = 16;

/// How many card numbers are drawn, of which one has to be free.
pub const TRIES: usize = 20;

/// What a drawn card number looks like.
pub struct CardForm<'p> {
    prefix: &'p str,
    suffix: &'p str,
    digits: usize,
}

/// The fewest and the most characters of a drawn card number.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=32;

impl<'p> CardForm<'p> {
    /// Reads how many characters it has, and how it begins and ends; `None` where no length was sent.
    pub fn read(params: &'p Params, length: &str) -> Result<Option<CardForm<'p>>, Problem> {
        match params.text(length) {
            None => Ok(None),
            Some(sent) => {
                let digits = sent.bytes().all(|byte| byte.is_ascii_digit());
                let number = sent.parse().ok().filter(|n| digits && LENGTHS.contains(n));
                let number = number.ok_or_else(|| {
                    let (least, most) = (LENGTHS.start(), LENGTHS.end());
                    let must = format!("a whole number from {least} to {most}");
                    bad_value(length, sent, must)
                })?;
                CardForm::of(params, number).map(Some)
            }
        }
    }

    /// Reads how one with so many characters begins and ends.
    pub fn of(params: &'p Params, length: usize) -> Result<CardForm<'p>, Problem> {
        let mut digits = length;
        let part = |name| params.text(name).unwrap_or("");
        for name in ["card_number_prefix", "card_number_suffix"] {
            let sent = part(name);
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            // One is left to be drawn.
            let room = digits.saturating_sub(1);
            if sent.len() > room || !sent.bytes().all(plain) {
                let must = format!("at most {room} letters, digits and hyphens");
                return Err(bad_value(name, sent, must));
            }
            digits = digits.saturating_sub(sent.len());
        }
        Ok(CardForm {
            prefix: part("card_number_prefix"),
            suffix: part("card_number_suffix"),
            digits,
        })
    }

    /// Draws one.
    pub fn draw(&self) -> Result<String, Problem> {
        let digits = drawn_digits(self.digits)?;
        Ok([self.prefix, &digits, self.suffix].concat())
    }
}

/// So many random digits, of which the first is no zero, which spreadsheets would eat.
pub fn drawn_digits(count: usize) -> Result<String, Problem> {
    let failed = |_| Problem::new(Code::Unavailable).detail("there are no random numbers");
    let mut out = String::with_capacity(count);
    while out.len() < count {
        for byte in secrets::random_bytes::<32>().map_err(failed)? {
            // Bytes above are left out, so that all digits are equally likely.
            let fits = byte < 250 && out.len() < count;
            let digit = char::from(b'0'.saturating_add(byte % 10));
            if fits && (digit != '0' || !out.is_empty()) {
                out.push(digit);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_drawn_in_the_form_asked_for() {
        for (length, prefix, suffix, good) in [
            ("16", "", "", true),
            ("4", "AB", "7", true),
            ("4", "AB", "77", false),
            ("3", "", "", false),
            ("33", "", "", false),
            ("x", "", "", false),
            ("+8", "", "", false),
            ("4", "ABCD", "", false),
            ("32", "", "Z", true),
            ("16", "12345678-012345", "", true),
            ("16", "A B", "", false),
            ("16", "", "é", false),
        ] {
            let params: Params = [
                ("card_number_generate", length),
                ("card_number_prefix", prefix),
                ("card_number_suffix", suffix),
            ]
            .into_iter()
            .collect();
            match CardForm::read(&params, "card_number_generate") {
                Ok(Some(form)) => {
                    assert!(good, "{length} {prefix} {suffix}");
                    let drawn = form.draw().unwrap();
                    assert_eq!(drawn.len().to_string(), length);
                    assert!(drawn.starts_with(prefix) && drawn.ends_with(suffix));
                }
                Ok(None) => panic!("nothing read"),
                Err(problem) => assert!(!good && problem.code == Code::BadValue, "{length}"),
            }
        }
        assert!(drawn_digits(16).unwrap().parse::<u64>().unwrap() >= 1_000_000_000_000_000);
    }
}
