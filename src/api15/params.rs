//! The fields of one request, merged under normalised names, and typed getters for them.
//!
//! Belongs here: how names compare, which of several equal names counts, what a flag may say, the names that are refused
//! because they nearly spell a field that guards money. Does not belong here: bytes ([`super::body`]) and what a single
//! call does with its fields.

use std::collections::BTreeMap;
use std::fmt;

use crate::amount::{self, Amount};
use crate::error::{Code, Problem};
use crate::text::{self, normalised};

/// Fields that make a request safer. A client that misspells one believes itself guarded when it is not, so that names
/// close to these are refused, whereas any other unknown name is ignored.
const GUARDS: [&str; 3] = ["dry_run", "idempotency_key", "on_error"];

struct Value {
    text: String,
    windows_1252: bool,
}

/// The fields of one request. Names compare without regard to ASCII case, and `-` equals `_`; of several fields of one
/// name the last counts. Kept by name, so that [`Params::iter`] gives the same order whatever order was sent.
#[derive(Default)]
pub struct Params {
    fields: BTreeMap<String, Value>,
}

impl Params {
    /// No fields.
    pub fn new() -> Params {
        Params::default()
    }

    /// Sets a field, in place of an earlier one of the same name.
    pub fn insert(&mut self, name: &str, value: impl Into<String>) {
        self.put(name, value.into(), false);
    }

    /// Sets a field and remembers whether its bytes were Windows-1252.
    pub(super) fn put(&mut self, name: &str, text: String, windows_1252: bool) {
        self.fields
            .insert(normalised(name).into_owned(), Value { text, windows_1252 });
    }

    /// The value as it was sent, blanks included. `None` if there is no such field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .get(normalised(name).as_ref())
            .map(|value| value.text.as_str())
    }

    /// The value without the blanks around it. `None` if there is no such field or nothing is left of it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// Takes a value out, as it was sent: for values too large to be copied, such as `Visits_Data`.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.fields
            .remove(normalised(name).as_ref())
            .map(|value| value.text)
    }

    /// A flag: yes, y, true, 1, on, or no, n, false, 0, off and empty, in any case. `None` if it was not sent.
    ///
    /// # Errors
    /// [`Code::BadFlag`] for every other value, because a misspelt flag must not move money.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        text::flag(raw).map(Some).ok_or_else(|| {
            Problem::new(Code::BadFlag)
                .field(normalised(name))
                .value(raw)
        })
    }

    /// The values of the fields `<prefix>1`, `<prefix>2` and so on, as they were sent; the first in the list is number 1.
    ///
    /// # Errors
    /// [`Code::GapInColumns`] if a number is left out before a later one. [`Code::MisspeltField`] for a number that is 0 or
    /// begins with 0: whoever counts like that means other columns than we would read.
    pub fn numbered(&self, prefix: &str) -> Result<Vec<&str>, Problem> {
        let prefix = normalised(prefix);
        let mut found = BTreeMap::new();
        for (name, value) in &self.fields {
            let Some(digits) = name.strip_prefix(prefix.as_ref()) else {
                continue;
            };
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            if digits.starts_with('0') {
                let plain = digits.trim_start_matches('0');
                let meant = if plain.is_empty() { "1" } else { plain };
                return Err(Problem::new(Code::MisspeltField)
                    .field(text::shown(&format!("{prefix}{meant}")))
                    .value(name));
            }
            // Ordered by length first: the order of numbers, however long they are.
            found.insert((digits.len(), digits), value.text.as_str());
        }
        for (expected, (_, digits)) in (1_usize..).zip(found.keys()) {
            let expected = expected.to_string();
            if *digits != expected {
                return Err(Problem::new(Code::GapInColumns)
                    .field(text::shown(&format!("{prefix}{digits}")))
                    .value(&format!("{prefix}{expected}")));
            }
        }
        Ok(found.into_values().collect())
    }

    /// Refuses fields that nearly spell `dry_run`, `on_error` or `idempotency_key` (the same letters without `-` and `_`,
    /// give or take one letter).
    ///
    /// # Errors
    /// [`Code::MisspeltField`].
    pub fn check_near_misses(&self) -> Result<(), Problem> {
        for name in self.fields.keys() {
            if GUARDS.contains(&name.as_str()) {
                continue;
            }
            let meant = GUARDS.iter().find(|guard| text::nearly(name, guard));
            if let Some(guard) = meant {
                return Err(Problem::new(Code::MisspeltField).field(*guard).value(name));
            }
        }
        Ok(())
    }

    /// Whether any field that counts was read as Windows-1252.
    pub fn was_windows_1252(&self) -> bool {
        self.fields.values().any(|value| value.windows_1252)
    }

    /// All fields, ordered by normalised name, with the values as they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.text.as_str()))
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Params {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Params {
        let mut params = Params::new();
        for (name, value) in pairs {
            params.insert(name, value);
        }
        params
    }
}

/// `API` absent or below 1.5 is the old generation; anything else is the current one.
pub fn is_old_generation(sent: Option<&str>) -> bool {
    let current = Amount::from_raw(15_000);
    sent.is_none_or(|version| amount::read(version).is_ok_and(|written| written.amount < current))
}

/// Whether a batch is to be one that can be undone: in the old generation unless it says otherwise.
pub fn is_undoable(params: &Params, old_generation: bool) -> Result<bool, Problem> {
    let (allow, no) = (params.flag("allow_undo")?, params.flag("no_undo")?);
    Ok(match old_generation {
        true => !no.unwrap_or(false),
        false => allow.unwrap_or(false),
    })
}

/// Whether a batch asks what became of each line.
pub fn has_details(params: &Params) -> Result<bool, Problem> {
    is_second(params, "details", Code::BadDetails, ["", "lines"])
}

/// Whether a batch is to be imported as a whole or not at all.
pub fn rejects_batch(params: &Params) -> Result<bool, Problem> {
    let words = ["import_valid", "reject_batch"];
    is_second(params, "on_error", Code::BadOnError, words)
}

/// Whether a field has the second of two words, in any case; it has the first where it is not sent or empty.
fn is_second(params: &Params, name: &str, wrong: Code, words: [&str; 2]) -> Result<bool, Problem> {
    let Some(sent) = params.text(name) else {
        return Ok(false);
    };
    let [first, second] = words.map(|word| word.eq_ignore_ascii_case(sent));
    match first || second {
        true => Ok(second),
        false => Err(Problem::new(wrong).field(name).value(sent)),
    }
}

/// What separates the values of a line.
pub fn delimiter(params: &Params) -> Result<char, Problem> {
    let sent = params.get("delimiter").unwrap_or("");
    if sent.is_empty() {
        return Err(Problem::new(Code::MissingField).field("delimiter"));
    }
    // A tab is white space itself: it is what is left of nothing else.
    let word = if sent.trim().is_empty() {
        sent.trim_matches(' ')
    } else {
        sent.trim()
    };
    match word.to_ascii_lowercase().as_str() {
        "pipe" | "|" => Ok('|'),
        "comma" | "," => Ok(','),
        "tab" | "\t" => Ok('\t'),
        _ => Err(Problem::new(Code::BadDelimiter).value(sent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        pairs.iter().copied().collect()
    }

    #[test]
    fn names_fold_case_and_hyphen_and_the_last_one_wins() {
        let params = params(&[("Allow-Undo", "no"), ("ALLOW_UNDO", " Yes "), ("x", "")]);
        assert_eq!(params.get("allow_undo"), Some(" Yes "));
        assert_eq!(params.get("allow-undo"), Some(" Yes "));
        assert_eq!(params.text("Allow_Undo"), Some("Yes"));
        assert_eq!(params.get("x"), Some(""));
        assert_eq!(params.text("x"), None);
        assert_eq!(params.get("y"), None);
        let all: Vec<_> = params.iter().collect();
        assert_eq!(all, [("allow_undo", " Yes "), ("x", "")]);
    }

    #[test]
    fn only_ascii_letters_fold() {
        let params = params(&[("É", "1")]);
        assert_eq!(params.get("é"), None);
        assert_eq!(params.get("É"), Some("1"));
    }

    #[test]
    fn a_value_taken_is_gone() {
        let mut params = params(&[("Visits_Data", "a|b")]);
        assert_eq!(params.take("visits_data").as_deref(), Some("a|b"));
        assert_eq!(params.take("visits_data"), None);
    }

    #[test]
    fn flags() {
        for yes in ["yes", "Y", "TRUE", "1", "On", " yes\r\n"] {
            assert_eq!(params(&[("f", yes)]).flag("f"), Ok(Some(true)), "{yes}");
        }
        for no in ["no", "N", "False", "0", "OFF", "", "  "] {
            assert_eq!(params(&[("f", no)]).flag("f"), Ok(Some(false)), "{no}");
        }
        assert_eq!(params(&[]).flag("f"), Ok(None));
        for bad in ["yse", "2", "ja", "-", "y e s"] {
            let problem = params(&[("apply_ratio", bad)]).flag("Apply-Ratio");
            let expected = Problem::new(Code::BadFlag).field("apply_ratio").value(bad);
            assert_eq!(problem, Err(expected), "{bad}");
        }
    }

    #[test]
    fn numbered_fields_are_in_the_order_of_their_numbers() {
        let mut params = Params::new();
        for number in (1..=12).rev() {
            params.insert(&format!("Visits-Header_{number}"), format!("c{number}"));
        }
        params.insert("visits_header_", "junk");
        params.insert("visits_header_x", "junk");
        params.insert("visits_header_1x", "junk");
        let columns = params.numbered("visits_header_").expect("no gap");
        assert_eq!(columns.len(), 12);
        assert_eq!(columns.first(), Some(&"c1"));
        assert_eq!(columns.last(), Some(&"c12"));
        assert_eq!(Params::new().numbered("visits_header_"), Ok(vec![]));
    }

    #[test]
    fn numbered_fields_have_no_gap() {
        let gap = |pairs: &[(&str, &str)]| params(pairs).numbered("h_").map(|values| values.len());
        assert_eq!(
            gap(&[("h_1", "a"), ("h_3", "c")]),
            Err(Problem::new(Code::GapInColumns).field("h_3").value("h_2"))
        );
        assert_eq!(
            gap(&[("h_2", "a")]),
            Err(Problem::new(Code::GapInColumns).field("h_2").value("h_1"))
        );
        let huge = "h_99999999999999999999999999";
        assert_eq!(
            gap(&[("h_1", "a"), (huge, "b")]),
            Err(Problem::new(Code::GapInColumns).field(huge).value("h_2"))
        );
        for (sent, meant) in [
            ("h_0", "h_1"),
            ("h_00", "h_1"),
            ("h_01", "h_1"),
            ("h_010", "h_10"),
        ] {
            assert_eq!(
                gap(&[("h_1", "a"), (sent, "b")]),
                Err(Problem::new(Code::MisspeltField).field(meant).value(sent))
            );
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for (name, guard) in [
            ("dryrun", "dry_run"),
            ("Dry--Run", "dry_run"),
            ("dry_runs", "dry_run"),
            ("dr_run", "dry_run"),
            ("dri_run", "dry_run"),
            ("dry.run", "dry_run"),
            ("xdry_run", "dry_run"),
            ("onerror", "on_error"),
            ("on_errors", "on_error"),
            ("on_eror", "on_error"),
            ("in_error", "on_error"),
            ("idempotencykey", "idempotency_key"),
            ("idempotency_keys", "idempotency_key"),
            ("idempotencey_key", "idempotency_key"),
            ("idempotency_kéy", "idempotency_key"),
        ] {
            let shown = name.to_ascii_lowercase().replace('-', "_");
            let expected = Problem::new(Code::MisspeltField).field(guard).value(&shown);
            // Whatever it says: an empty value may be a value that was lost on the way.
            for value in ["yes", ""] {
                assert_eq!(
                    params(&[(name, value)]).check_near_misses(),
                    Err(expected.clone()),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn other_unknown_names_pass() {
        for name in [
            "",
            "_",
            "dry",
            "run",
            "error",
            "errors",
            "key",
            "drying_run",
            "on_terror_x",
            "idempotency",
            "dyr_run",
            "é",
            "no_undo",
            "dry_run",
            "on_error",
            "idempotency_key",
        ] {
            assert_eq!(params(&[(name, "1")]).check_near_misses(), Ok(()), "{name}");
        }
    }

    #[test]
    fn values_stay_out_of_debug_output() {
        let shown = format!("{:?}", params(&[("user_password", "hunter2")]));
        assert!(shown.contains("user_password") && !shown.contains("hunter2"));
    }

    proptest::proptest! {
        #[test]
        fn one_edit_is_always_near(at in 0..6_usize, letter in "[a-z]", way in 0..3) {
            let mut letters: Vec<char> = "dryrun".chars().collect();
            let letter = letter.chars().next().unwrap();
            match way {
                0 => letters.insert(at, letter),
                1 => { letters.remove(at); }
                _ => letters[at] = letter,
            }
            let word: String = letters.into_iter().collect();
            proptest::prop_assert!(text::nearly(&word, "dry_run"));
            proptest::prop_assert!(text::nearly("dryrun", &word));
        }
    }
}
