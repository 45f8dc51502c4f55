//! Phone numbers: their digits, and their international form.
//!
//! Belongs here: by which digits two spellings of a number are the same. Pure.
//!
//! Does not belong here: whose number it is, and whether it exists. National numbers are not checked against the plans of
//! their countries: a number that no plan has is still the number that the client knows.

pub mod codes;

/// The most digits of an international number.
const MAX_DIGITS: usize = 15;

/// Whether a number is written with its calling code: with `+` before its first digit, or with `00`.
pub fn is_international(text: &str) -> bool {
    let start = text.find(|c: char| c == '+' || c.is_ascii_digit());
    let rest = start.and_then(|start| text.get(start..)).unwrap_or("");
    let mut digits = text.bytes().filter(u8::is_ascii_digit);
    rest.starts_with('+') || (digits.next() == Some(b'0') && digits.next() == Some(b'0'))
}

/// All digits of a number, without the `00` that stands for `+`.
pub fn digits(text: &str) -> String {
    let mut digits = all_digits(text);
    if digits.starts_with("00") {
        digits.drain(..2);
    }
    digits
}

/// The digits of the forms by which a number is found, the most exact one first: the international form where the
/// calling code is written or the country is known, then the digits as they are written. `country` is an ISO 3166 code
/// of two letters; any other text is no country.
///
/// Digits without `+` may be a national number of the country, or have the calling code already: both forms are given.
pub fn forms(text: &str, country: Option<&str>) -> Vec<Box<str>> {
    let digits = digits(text);
    if digits.is_empty() {
        return Vec::new();
    }
    let exact = if is_international(text) {
        international(&digits)
    } else {
        let plan = country.and_then(codes::of_country);
        plan.map(|plan| format!("{}{}", plan.code, plan.without_trunk(&digits)))
    };
    let exact = exact.filter(|exact| exact.len() <= MAX_DIGITS && *exact != digits);
    exact
        .into_iter()
        .chain([digits])
        .map(String::into_boxed_str)
        .collect()
}

/// A number put together from its calling code (`+34`, `34`, `0034`) and the rest: `+`, code, number. The number's trunk
/// prefix is left out where the plan of the calling code has one: `+44` and `07700 900123` are `+447700900123`. A number
/// that is written with a calling code of its own keeps that. `None` if there is no digit in it.
pub fn joined(code: &str, number: &str) -> Option<String> {
    let (code, rest) = (digits(code), digits(number));
    if rest.is_empty() {
        return None;
    }
    if is_international(number) {
        let exact = international(&rest).unwrap_or(rest);
        return Some(format!("+{exact}"));
    }
    let rest = codes::of_code(&code).map_or(rest.as_str(), |plan| plan.without_trunk(&rest));
    Some(format!("+{code}{rest}"))
}

/// Digits that begin with a calling code, without a trunk prefix behind it: `+44 (0)7700 …` is often written. `None` if
/// no calling code is known.
fn international(digits: &str) -> Option<String> {
    let plan = codes::of_number(digits)?;
    let rest = digits.strip_prefix(plan.code)?;
    Some(format!("{}{}", plan.code, plan.without_trunk(rest)))
}

fn all_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn forms_of(text: &str, country: Option<&str>) -> Vec<String> {
        forms(text, country)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn forms_of_a_number() {
        for (text, country, expected) in [
            // With a calling code, however it is written.
            ("+34 600-123.456", None, &["34600123456"][..]),
            ("0034600123456", Some("GB"), &["34600123456"]),
            (" (+34) 600 123 456", None, &["34600123456"]),
            (
                "+44 (0)7700 900123",
                None,
                &["447700900123", "4407700900123"],
            ),
            ("+39 06 698 12345", None, &["390669812345"]),
            ("+1 (555) 010-9999", None, &["15550109999"]),
            // National numbers.
            ("600123456", None, &["600123456"]),
            ("600123456", Some("ES"), &["34600123456", "600123456"]),
            ("07700 900123", Some("GB"), &["447700900123", "07700900123"]),
            ("7700900123", Some("GB"), &["447700900123", "7700900123"]),
            ("06 698 12345", Some("IT"), &["390669812345", "0669812345"]),
            (
                "8 916 123-45-67",
                Some("RU"),
                &["79161234567", "89161234567"],
            ),
            ("800 100 20 30", Some("RU"), &["78001002030", "8001002030"]),
            ("1 555 010 9999", Some("US"), &["15550109999"]),
            (
                "06 30 123 4567",
                Some("HU"),
                &["36301234567", "06301234567"],
            ),
            // Digits that have the calling code already.
            ("34600123456", Some("ES"), &["3434600123456", "34600123456"]),
            // No country, no number, too long.
            ("600123456", Some("Spain"), &["600123456"]),
            ("600123456", Some("es"), &["34600123456", "600123456"]),
            ("ext.", None, &[]),
            ("+", Some("ES"), &[]),
            ("12345678901234", Some("ES"), &["12345678901234"]),
            // A calling code that nobody has.
            ("+210123456", None, &["210123456"]),
        ] {
            assert_eq!(forms_of(text, country), expected, "{text} {country:?}");
        }
    }

    #[test]
    fn a_number_put_together() {
        for (code, number, expected) in [
            ("+34", "600123456", Some("+34600123456")),
            ("34", "600 123 456", Some("+34600123456")),
            ("0034", "600123456", Some("+34600123456")),
            ("+44", "07700 900123", Some("+447700900123")),
            ("44", "7700900123", Some("+447700900123")),
            ("39", "06 698 12345", Some("+390669812345")),
            ("378", "0549 882000", Some("+3780549882000")),
            ("225", "07 12 34 56 78", Some("+2250712345678")),
            ("7", "89161234567", Some("+79161234567")),
            ("7", "8001002030", Some("+78001002030")),
            ("+34", "+44 7700 900123", Some("+447700900123")),
            ("+34", "0044 07700 900123", Some("+447700900123")),
            ("999", "0123", Some("+9990123")),
            ("+34", "", None),
            ("+34", "none", None),
        ] {
            assert_eq!(joined(code, number).as_deref(), expected, "{code} {number}");
        }
    }

    proptest! {
        #[test]
        fn forms_are_digits_and_found_again(text in "[+0-9 ()./-]{0,24}", country in "(ES|GB|US|IT|RU|xx)?") {
            let country = Some(country.as_str()).filter(|country| !country.is_empty());
            let forms = forms(&text, country);
            for form in &forms {
                prop_assert!(!form.is_empty() && form.bytes().all(|byte| byte.is_ascii_digit()));
            }
            prop_assert_eq!(forms.is_empty(), digits(&text).is_empty());
            // The international form of an international number is its own.
            if let Some(first) = forms.first().filter(|_| is_international(&text) && forms.len() > 1) {
                let again = forms_of(&format!("+{first}"), None);
                prop_assert_eq!(again.last().map(String::as_str), Some(&**first));
            }
        }

        #[test]
        fn joined_numbers_are_international(code in "[1-9][0-9]{0,3}", number in "[0-9]{1,12}") {
            if let Some(joined) = joined(&code, &number) {
                prop_assert!(is_international(&joined));
                prop_assert!(joined.len() <= number.len() + 1 + code.len());
            }
        }
    }
}
