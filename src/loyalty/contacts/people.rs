//! The customers that the contacts of a request may mean, with the keys that lead to them.
//!
//! Belongs here: what was found, and what the items of a request have changed of it. Does not belong here: which of them
//! a contact means ([`super::matching`]).

use super::keys;
use super::person::{Person, PersonChange};
use super::sent::KeyKind;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Who holds which keys: a map for each kind. Client text is its key, so the hasher is a keyed one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(in crate::loyalty) struct Index(Box<[HashMap<Box<str>, Vec<i64>>; KeyKind::ALL.len()]>);

impl Index {
    pub(in crate::loyalty) fn add(&mut self, kind: KeyKind, value: &str, customer: i64) {
        let Some(values) = self.0.get_mut(place(kind)) else {
            return;
        };
        match values.get_mut(value) {
            Some(holders) if holders.contains(&customer) => {}
            Some(holders) => holders.push(customer),
            None => {
                values.insert(value.into(), vec![customer]);
            }
        }
    }

    pub(in crate::loyalty) fn holders(&self, kind: KeyKind, value: &str) -> &[i64] {
        let holders = self.0.get(place(kind)).and_then(|values| values.get(value));
        holders.map_or(&[], Vec::as_slice)
    }
}

/// Kinds are numbered from 1.
fn place(kind: KeyKind) -> usize {
    (kind as usize).wrapping_sub(1)
}

/// Customers that were found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct People {
    by_number: HashMap<i64, Person>,
    index: Index,
}

impl People {
    /// Adds a customer, or replaces it.
    pub fn add(&mut self, person: Person) {
        self.by_number.insert(person.customer, person);
    }

    /// Says that a key leads to a customer.
    pub fn add_key(&mut self, kind: KeyKind, value: &str, customer: i64) {
        self.index.add(kind, value, customer);
    }

    /// The customer with this number.
    pub fn get(&self, customer: i64) -> Option<&Person> {
        self.by_number.get(&customer)
    }

    /// The customers that a key leads to.
    pub fn holders(&self, kind: KeyKind, value: &str) -> &[i64] {
        self.index.holders(kind, value)
    }
}

/// A customer that a request has created or changed.
#[derive(Debug)]
struct Touched {
    person: Person,
    is_new: bool,
    /// `None` as long as nothing has changed that keys are made of.
    keys: Option<Keys>,
}

/// The keys of a customer.
#[derive(Default, Debug)]
struct Keys {
    /// Before the request.
    before: Vec<(KeyKind, Box<str>)>,
    /// Now.
    now: Vec<(KeyKind, Box<str>)>,
}

/// People as the items of a request leave them, on top of what was found.
#[derive(Debug)]
pub struct Changing<'p> {
    base: &'p People,
    country: Option<&'p str>,
    touched: HashMap<i64, Touched>,
    /// In the order in which they were first touched.
    order: Vec<i64>,
    index: Index,
}

impl<'p> Changing<'p> {
    /// Nothing is changed yet. `country` is the account's.
    pub fn new(base: &'p People, country: Option<&'p str>) -> Changing<'p> {
        Changing {
            base,
            country,
            touched: HashMap::new(),
            order: Vec::new(),
            index: Index::default(),
        }
    }

    /// The customer with this number, as it is now.
    pub fn get(&self, customer: i64) -> Option<&Person> {
        let touched = self.touched.get(&customer).map(|touched| &touched.person);
        touched.or_else(|| self.base.get(customer))
    }

    /// The customers that a key leads to now, each once, in the order of their numbers.
    pub fn holders(&self, kind: KeyKind, value: &str) -> Vec<i64> {
        let found = self.base.holders(kind, value).iter();
        let mut holders: Vec<i64> = found
            .chain(self.index.holders(kind, value))
            .copied()
            .filter(|customer| match self.touched.get(customer) {
                Some(touched) => touched.has(kind, value),
                None => self.base.get(*customer).is_some(),
            })
            .collect();
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// Takes a customer as an item leaves it.
    pub fn put(&mut self, person: Person) {
        let customer = person.customer;
        let found = self.base.get(customer);
        let old = self.get(customer);
        let moved = old.is_none_or(|old| sources(old) != sources(&person));
        let now = moved.then(|| keys_of(&person, self.country));
        for (kind, value) in now.iter().flatten() {
            self.index.add(*kind, value, customer);
        }
        let touched = match self.touched.entry(customer) {
            Entry::Occupied(touched) => {
                let touched = touched.into_mut();
                touched.person = person;
                touched
            }
            Entry::Vacant(place) => {
                self.order.push(customer);
                place.insert(Touched {
                    person,
                    is_new: found.is_none(),
                    keys: None,
                })
            }
        };
        if let Some(now) = now {
            let country = self.country;
            let keys = touched.keys.get_or_insert_with(|| Keys {
                before: found.map_or_else(Vec::new, |found| keys_of(found, country)),
                now: Vec::new(),
            });
            keys.now = now;
        }
    }

    /// Each customer that was touched, once, with what its keys have gained and lost in all.
    pub fn into_changes(mut self) -> Vec<PersonChange> {
        let touched = self.order.iter();
        touched
            .filter_map(|customer| self.touched.remove(customer))
            .map(Touched::into_change)
            .collect()
    }
}

impl Touched {
    fn has(&self, kind: KeyKind, value: &str) -> bool {
        // What has changed no key is found by what it was found by.
        self.keys.as_ref().is_none_or(|keys| {
            let mut now = keys.now.iter();
            now.any(|(known, held)| *known == kind && **held == *value)
        })
    }

    fn into_change(self) -> PersonChange {
        let lacks = |keys: &[(KeyKind, Box<str>)], key| !keys.contains(key);
        let Keys { before, now } = self.keys.unwrap_or_default();
        let new_keys = now.iter().filter(|key| lacks(&before, key)).cloned();
        let old_keys = before.iter().filter(|key| lacks(&now, key)).cloned();
        PersonChange {
            person: self.person,
            is_new: self.is_new,
            new_keys: new_keys.collect(),
            old_keys: old_keys.collect(),
        }
    }
}

/// All that keys are made of.
fn sources(person: &Person) -> [Option<&str>; 6] {
    let columns = &person.columns;
    let contact = person.contact.as_ref();
    [
        contact.and_then(|contact| contact.user_id.as_deref()),
        columns.email.as_deref(),
        columns.phone.as_deref(),
        columns.cellphone.as_deref(),
        columns.document.as_deref(),
        columns.country.as_deref(),
    ]
}

fn keys_of(person: &Person, country: Option<&str>) -> Vec<(KeyKind, Box<str>)> {
    let user_id = person.contact.as_ref();
    let user_id = user_id.and_then(|contact| contact.user_id.as_deref());
    keys::of_person(&person.columns, user_id, country)
}
