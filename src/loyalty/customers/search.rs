//! Which customers a search means.
//!
//! Belongs here: criteria, what is compared with what, and the text that customers are searched by. Does not belong here:
//! how candidates are found ([`crate::store`]).
//!
//! A customer's search text holds every filled field, folded: each stands behind [`MARK`] and a tag of its own, and a last
//! mark closes the text. So a part of a value is found anywhere in the text, and a whole value between two marks. Control
//! characters of values become blanks. The text only narrows a search: what a customer has decides.

use super::{Customer, Name};
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::text;

/// Stands before each field of a search text and behind the last one.
pub const MARK: char = '\u{1}';

/// The tag of the code.
const CODE_TAG: &str = "c";
/// The tag of the card number.
const CARD_TAG: &str = "k";
/// The tag of the phone number's digits.
const DIGITS_TAG: &str = "P";
/// The tag of the mobile phone.
const CELLPHONE_TAG: &str = "m";

/// Digits from which on a phone number is also sought by its digits.
const PHONE_DIGITS: usize = 3;

/// The most characters of a phrase.
pub const PHRASE_MAX_CHARS: usize = 255;
/// The most words of a phrase.
pub const PHRASE_MAX_WORDS: usize = 16;

/// The tag of a field.
fn tag(name: Name) -> String {
    let letter = match name {
        Name::FirstName => "f",
        Name::LastName => "l",
        Name::Phone => "p",
        Name::Email => "e",
        Name::Street1 => "s",
        Name::Street2 => "t",
        Name::City => "y",
        Name::State => "r",
        Name::PostalCode => "z",
        Name::Country => "n",
        Name::CustomDate => "d",
        Name::Username => "u",
        Name::Custom(number) => return format!("{number}:"),
    };
    letter.to_owned()
}

/// A value as it stands in a search text.
pub fn folded(value: &str) -> String {
    let plain: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text::fold(&plain)
}

fn digits(value: &str) -> String {
    value.chars().filter(char::is_ascii_digit).collect()
}

/// Hands over every filled field that words are sought in, with its tag, folded.
fn each_field(customer: &Customer, mut take: impl FnMut(&str, String)) {
    let person = &customer.person;
    let mut add = |tag: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            take(tag, folded(value));
        }
    };
    add(CODE_TAG, person.code.as_deref());
    add(CARD_TAG, person.card_number.as_deref());
    for name in Name::plain() {
        add(&tag(name), customer.get(name));
    }
    let digits = person.columns.phone.as_deref().map(digits);
    add(DIGITS_TAG, digits.as_deref());
    add(CELLPHONE_TAG, person.columns.cellphone.as_deref());
    let custom = customer.profile.iter().flat_map(|profile| &profile.custom);
    for (number, value) in custom {
        add(&tag(Name::Custom(*number)), Some(value));
    }
}

/// The search text of a customer; empty where nothing of it is filled.
pub fn text_of(customer: &Customer) -> String {
    let mut out = String::new();
    each_field(customer, |tag, value| {
        out.push(MARK);
        out.push_str(tag);
        out.push_str(&value);
    });
    if !out.is_empty() {
        out.push(MARK);
    }
    out
}

/// What a criterion is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The code.
    Code,
    /// The card number.
    Card,
    /// A field.
    Field(Name),
}

impl Place {
    fn tag(self) -> String {
        match self {
            Place::Code => CODE_TAG.to_owned(),
            Place::Card => CARD_TAG.to_owned(),
            Place::Field(name) => tag(name),
        }
    }

    fn of(self, customer: &Customer) -> Option<&str> {
        match self {
            Place::Code => customer.person.code.as_deref(),
            Place::Card => customer.person.card_number.as_deref(),
            Place::Field(name) => customer.get(name),
        }
    }
}

/// How values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// A part is enough, in any case of its letters.
    Part,
    /// The whole value, in any case of its letters.
    Whole,
    /// The whole value, letter for letter.
    Exact,
}

/// What a field must hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Criterion {
    place: Place,
    sent: Box<str>,
    folded: Box<str>,
    compare: Compare,
}

impl Criterion {
    /// A criterion; `None` where nothing is sought.
    pub fn new(place: Place, sent: &str, compare: Compare) -> Option<Criterion> {
        let (sent, folded) = (sent.trim(), folded(sent));
        (!sent.is_empty()).then(|| Criterion {
            place,
            sent: sent.into(),
            folded: folded.into(),
            compare,
        })
    }

    /// The digits by which a phone number is found too.
    fn digits(&self) -> Option<String> {
        if (self.place, self.compare) != (Place::Field(Name::Phone), Compare::Part) {
            return None;
        }
        Some(digits(&self.sent)).filter(|digits| digits.len() >= PHONE_DIGITS)
    }

    fn matches(&self, customer: &Customer) -> bool {
        let Some(value) = self.place.of(customer) else {
            return false;
        };
        match self.compare {
            Compare::Exact => *value == *self.sent,
            // As keys are compared, so that a search by a key misses nobody.
            Compare::Whole => text::fold(value) == text::fold(&self.sent),
            Compare::Part => {
                // Of control characters alone nothing is left to look for: nobody has them.
                (!self.folded.is_empty() && folded(value).contains(&*self.folded))
                    || self
                        .digits()
                        .is_some_and(|sought| digits(value).contains(&sought))
            }
        }
    }

    /// What a search text must hold one of.
    fn needles(&self) -> Vec<String> {
        let needle = match self.compare {
            // No text holds a control character but the mark.
            Compare::Part if self.folded.is_empty() => "\u{2}".to_owned(),
            Compare::Part => self.folded.to_string(),
            Compare::Whole | Compare::Exact => {
                format!("{MARK}{}{}{MARK}", self.place.tag(), self.folded)
            }
        };
        std::iter::once(needle).chain(self.digits()).collect()
    }
}

/// Which customers are sought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// Those who fit all of these; with none, everybody.
    All(Vec<Criterion>),
    /// Those who have, for one of these lists, each word of it in any field. Words are folded.
    Words(Vec<Vec<Box<str>>>),
}

/// A key by which the customers who are sought can be found at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Narrow<'f> {
    /// A code or card number.
    Key(&'f str),
    /// A key of people.
    Person(KeyKind, Box<str>),
}

impl Filter {
    /// A phrase: commas stand for "or", blanks for "and". `None` where there is no word in it.
    pub fn phrase(phrase: &str) -> Option<Filter> {
        let words = |part: &str| -> Vec<Box<str>> {
            let words = part.split(|c: char| c.is_whitespace() || c.is_control());
            let words = words.map(folded).filter(|word| !word.is_empty());
            words.map(String::into_boxed_str).collect()
        };
        let any: Vec<Vec<Box<str>>> = phrase.split(',').map(words).collect();
        let any: Vec<_> = any.into_iter().filter(|all| !all.is_empty()).collect();
        (!any.is_empty()).then_some(Filter::Words(any))
    }

    /// The number of words.
    pub fn words(&self) -> usize {
        match self {
            Filter::All(_) => 0,
            Filter::Words(any) => any.iter().map(Vec::len).sum(),
        }
    }

    /// Whether everybody is sought.
    pub fn is_everybody(&self) -> bool {
        matches!(self, Filter::All(all) if all.is_empty())
    }

    /// Whether a customer is sought.
    pub fn matches(&self, customer: &Customer) -> bool {
        match self {
            Filter::All(all) => all.iter().all(|criterion| criterion.matches(customer)),
            Filter::Words(any) => {
                let mut fields = Vec::new();
                each_field(customer, |_, value| fields.push(value));
                let has = |word: &str| fields.iter().any(|field| field.contains(word));
                any.iter().any(|all| all.iter().all(|word| has(word)))
            }
        }
    }

    /// What the search text of whoever is sought holds: one of these lists; of a list each place; of a place one of its
    /// texts. Others may hold it too.
    pub fn needles(&self) -> Vec<Vec<Vec<String>>> {
        match self {
            Filter::All(all) => vec![all.iter().map(Criterion::needles).collect()],
            Filter::Words(any) => {
                let all = |all: &Vec<Box<str>>| {
                    let words = all.iter();
                    words.map(|word| vec![word.to_string()]).collect()
                };
                any.iter().map(all).collect()
            }
        }
    }

    /// By what all who are sought are found, where there is such a thing.
    pub fn narrow(&self) -> Option<Narrow<'_>> {
        let Filter::All(all) = self else { return None };
        let mut narrow = all.iter().filter_map(|one| match (one.place, one.compare) {
            (Place::Code | Place::Card, Compare::Exact) => Some(Narrow::Key(&one.sent)),
            (Place::Field(Name::Email), Compare::Exact | Compare::Whole) => {
                let key = keys::email(&one.sent)?;
                Some(Narrow::Person(KeyKind::Email, key))
            }
            (Place::Field(name), Compare::Exact | Compare::Whole) => {
                let (kind, key) = keys::of_name(name, &one.sent)?;
                Some(Narrow::Person(kind, key))
            }
            _ => None,
        });
        narrow.next()
    }
}

#[cfg(test)]
mod tests;
