//! Whose sale it is.
//!
//! The customer's number decides alone. Of other keys each says who may be meant: whoever all of them say, if there is
//! anybody, else whoever any of them says. Several who fit are never guessed from.

use super::MATCHES_MAX;
use super::book::Book;
use super::read::MatchKeys;
use crate::loyalty::contacts::sent::KeyKind;

/// Who was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nobody has the keys.
    Nobody,
    /// The customer with this number.
    One(i64),
    /// Several: their numbers, ascending, at most [`MATCHES_MAX`].
    Several(Vec<i64>),
}

/// Where a key of a kind is looked for: a phone number also among those of the other kind, if it is nobody's in its own.
fn kinds(kind: KeyKind) -> &'static [KeyKind] {
    match kind {
        KeyKind::UserId => &[KeyKind::UserId],
        KeyKind::Email => &[KeyKind::Email],
        KeyKind::Phone => &[KeyKind::Phone, KeyKind::Cellphone],
        KeyKind::Cellphone => &[KeyKind::Cellphone, KeyKind::Phone],
        KeyKind::Document => &[KeyKind::Document],
        // No sale names them.
        KeyKind::Custom | KeyKind::Username => &[],
    }
}

/// Everything that has to be looked up for keys, beside a customer's number.
pub fn asked(keys: &MatchKeys) -> impl Iterator<Item = (KeyKind, &str)> {
    let keys = match keys {
        MatchKeys::Id(_) => &[],
        MatchKeys::Keys(keys) => keys.as_slice(),
    };
    keys.iter().flat_map(|(kind, forms)| {
        let kinds = kinds(*kind).iter();
        kinds.flat_map(move |kind| forms.iter().map(move |form| (*kind, &**form)))
    })
}

/// The customer that keys mean.
pub fn find(keys: &MatchKeys, book: &Book) -> Found {
    let keys = match keys {
        MatchKeys::Id(number) => {
            let known = number.filter(|number| book.is_customer(*number));
            return known.map_or(Found::Nobody, Found::One);
        }
        MatchKeys::Keys(keys) => keys,
    };
    let sets = || keys.iter().map(|(kind, forms)| holders(*kind, forms, book));
    let by_all = sets().reduce(|mut all, set| {
        all.retain(|customer| set.binary_search(customer).is_ok());
        all
    });
    let mut found = by_all.unwrap_or_default();
    if found.is_empty() {
        found = sets().flatten().collect();
        found.sort_unstable();
        found.dedup();
    }
    match found.as_slice() {
        [] => Found::Nobody,
        [one] => Found::One(*one),
        _ => {
            found.truncate(MATCHES_MAX);
            Found::Several(found)
        }
    }
}

/// Who has any form of a key, ascending.
fn holders(kind: KeyKind, forms: &[Box<str>], book: &Book) -> Vec<i64> {
    for kind in kinds(kind) {
        let all = forms.iter().flat_map(|form| book.holders(*kind, form));
        let mut all: Vec<i64> = all.copied().collect();
        if !all.is_empty() {
            all.sort_unstable();
            all.dedup();
            return all;
        }
    }
    Vec::new()
}
