//! A batch of customers taken back.
//!
//! Belongs here: what is kept for that, what each customer gets back, who stays as it is. Does not belong here: the
//! batch's transactions ([`crate::loyalty::undo`]), where the rows are read from ([`crate::store::undo_images`]).
//!
//! A field gets back what it held before the batch, if it still holds what the batch has written. A customer who came with
//! the batch is erased, unless something else has come to it since.

use super::{Customer, CustomerChange, Image, KeyMove, Name, PeopleRows};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::ledger::{Holders, Overlay};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What is kept of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Card,
    Password,
    Pin,
    Field(Name),
}

impl Place {
    const WORDS: [(Place, &'static str); 3] = [
        (Place::Card, "card_number"),
        (Place::Password, "customer_password"),
        (Place::Pin, "customer_pin"),
    ];

    fn from_word(word: &str) -> Option<Place> {
        let known = Place::WORDS.iter().find(|(_, known)| *known == word);
        known
            .map(|(place, _)| *place)
            .or_else(|| Name::from_word(word).map(Place::Field))
    }

    fn word(self) -> String {
        if let Place::Field(name) = self {
            return name.word();
        }
        let known = Place::WORDS.iter().find(|(place, _)| *place == self);
        known.map_or("", |(_, word)| word).to_owned()
    }

    fn of(self, customer: &Customer) -> Option<&str> {
        let profile = customer.profile.as_ref();
        match self {
            Place::Card => customer.person.card_number.as_deref(),
            Place::Password => profile?.password.as_deref(),
            Place::Pin => profile?.pin.as_deref(),
            Place::Field(name) => customer.get(name),
        }
    }
}

/// A field's value before the batch, and the one that the batch has written.
type Values = (Option<Box<str>>, Option<Box<str>>);

/// What is kept of a change: the fields that it has touched, with what they held and what they hold.
pub fn image(batch: i64, change: &CustomerChange) -> Image {
    let CustomerChange { before, after } = change;
    let mut fields = serde_json::Map::new();
    if let Some(before) = before {
        let custom = |one: &Customer| -> Vec<u8> {
            let profile = one.profile.iter();
            let numbers = profile.flat_map(|profile| profile.custom.keys().copied());
            numbers.collect()
        };
        let custom: BTreeSet<u8> = custom(before).into_iter().chain(custom(after)).collect();
        let names = Name::plain().chain(custom.into_iter().map(Name::Custom));
        let places = Place::WORDS.iter().map(|(place, _)| *place);
        for place in places.chain(names.map(Place::Field)) {
            let (old, new) = (place.of(before), place.of(after));
            if old != new {
                fields.insert(place.word(), serde_json::json!([old, new]));
            }
        }
    }
    Image {
        batch,
        customer: after.person.customer,
        created: before.is_none(),
        image: serde_json::Value::Object(fields).to_string(),
    }
}

/// The fields of an image; `None` where it is none.
fn fields_of(image: &str) -> Option<Vec<(Place, Values)>> {
    let fields: BTreeMap<String, Values> = serde_json::from_str(image).ok()?;
    let place = |(word, values): (String, Values)| Some((Place::from_word(&word)?, values));
    fields.into_iter().map(place).collect()
}

/// Whether a text is an image.
pub fn is_image(text: &str) -> bool {
    fields_of(text).is_some()
}

/// The card numbers that an image would give back.
pub fn cards_of(image: &str) -> impl Iterator<Item = Box<str>> {
    let fields = fields_of(image).unwrap_or_default().into_iter();
    let cards = fields.filter(|(place, _)| *place == Place::Card);
    cards.filter_map(|(_, (old, _))| old)
}

/// The keys of the values that an image would give back, as far as they may have to be one customer's alone.
pub fn keys_of(image: &str) -> impl Iterator<Item = (KeyKind, Box<str>)> {
    let fields = fields_of(image).unwrap_or_default().into_iter();
    fields.filter_map(|(place, (old, _))| match place {
        Place::Field(name) => keys::of_name(name, &old?),
        _ => None,
    })
}

/// What was found of a batch of customers that is to be undone.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FoundPeople {
    /// What is kept of its customers, in the order of their numbers.
    pub images: Vec<Image>,
    /// Those customers, as they are.
    pub customers: HashMap<i64, Customer>,
    /// Who holds the cards that may be given back.
    pub holders: Holders,
    /// Who has the names that may be given back.
    pub names_held: HashMap<(KeyKind, Box<str>), Vec<i64>>,
    /// Customers who came with the batch, and what has come to them since.
    pub used: HashMap<i64, Stays>,
    /// Cards of such customers that were replaced since.
    pub replaced: HashMap<i64, Vec<Box<str>>>,
    /// What is kept of such customers for other batches: batch and customer.
    pub other_images: Vec<(i64, i64)>,
    /// How many customers the batch has created or changed.
    pub changed: usize,
    /// When the batch was stored, in microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The time by the database.
    pub now_us: i64,
}

/// Why a customer stays that came with the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stays {
    /// It has spent what the batch gave it.
    Blocked,
    /// It has other transactions.
    Transactions,
    /// It is a contact of `sync_data`.
    Contact,
    /// It has sales.
    Sales,
    /// It has registered.
    Registered,
}

impl Stays {
    /// The reason in words.
    pub fn word(self) -> &'static str {
        match self {
            Stays::Blocked => "has spent what the batch gave it",
            Stays::Transactions => "has other transactions",
            Stays::Contact => "is a contact of sync_data",
            Stays::Sales => "has sales",
            Stays::Registered => "has registered since",
        }
    }
}

/// What undoing does to a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonEffect {
    /// The customer's number.
    pub customer: i64,
    /// What.
    pub what: PersonUndone,
}

/// What undoing does to a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonUndone {
    /// It came with the batch and goes with it.
    Erased,
    /// It gets back what fields held before the batch.
    Restored {
        /// How many fields.
        fields: usize,
        /// Fields that stay, because they were changed since, or because somebody else has now what they held.
        left: Vec<String>,
    },
    /// It came with the batch and stays.
    Stays(Stays),
}

/// Decides what customers get back. `blocked`: those of whom a transaction stays.
pub fn decide(
    account: &Account,
    (batch, found): (i64, &FoundPeople),
    blocked: &HashSet<i64>,
    overlay: &mut Overlay<'_>,
) -> (Vec<PersonEffect>, PeopleRows) {
    let mut effects = Vec::with_capacity(found.images.len());
    let mut rows = PeopleRows::default();
    let mut erased: HashSet<i64> = HashSet::new();
    let names = Names::of(account, found, blocked);
    for image in &found.images {
        let customer = image.customer;
        if blocked.contains(&customer) {
            let what = PersonUndone::Stays(Stays::Blocked);
            effects.push(PersonEffect { customer, what });
            // It may go when it has got back what it has spent.
            continue;
        }
        let what = match found.live(customer) {
            Some(now) if image.created => match stays(now, found) {
                Some(why) => PersonUndone::Stays(why),
                None => {
                    erased.insert(customer);
                    erase(now, found, overlay, &mut rows);
                    PersonUndone::Erased
                }
            },
            Some(now) => {
                let mut after = now.clone();
                let what = restore(&mut after, image, (found, &names), overlay, &mut rows.keys);
                rows.customers.push(CustomerChange {
                    before: Some(now.clone()),
                    after,
                });
                what
            }
            // It was erased meanwhile.
            None => PersonUndone::Erased,
        };
        rows.images_gone.push((batch, customer));
        effects.push(PersonEffect { customer, what });
    }
    let other = found.other_images.iter();
    rows.images_gone
        .extend(other.filter(|(_, customer)| erased.contains(customer)));
    (effects, rows)
}

impl FoundPeople {
    /// A customer who was not erased.
    fn live(&self, customer: i64) -> Option<&Customer> {
        let now = self.customers.get(&customer);
        now.filter(|customer| !customer.is_erased())
    }
}

/// A name that no two customers may have.
type Key = (KeyKind, Box<str>);

/// Names that no two customers may have, and who gives them up when the batch is undone.
struct Names<'f> {
    found: &'f FoundPeople,
    unique: Vec<Name>,
    given_up: HashSet<(Key, i64)>,
}

impl<'f> Names<'f> {
    fn of(account: &Account, found: &'f FoundPeople, blocked: &HashSet<i64>) -> Names<'f> {
        let custom = account.fields.iter().filter(|field| field.unique);
        let custom = custom.map(|field| Name::Custom(field.number));
        let mut names = Names {
            found,
            unique: custom.chain([Name::Username]).collect(),
            given_up: HashSet::new(),
        };
        // Who would get back what, and give up what for it.
        let mut moves: Vec<(i64, Option<Key>, Key)> = Vec::new();
        for image in found
            .images
            .iter()
            .filter(|one| !blocked.contains(&one.customer))
        {
            let Some(now) = found.live(image.customer) else {
                continue;
            };
            let key = |name: Name, value: Option<&str>| keys::of_name(name, value?);
            if image.created {
                let has = names.unique.iter();
                let has = has.filter_map(|name| key(*name, now.get(*name)));
                let goes = stays(now, found).is_none();
                moves.extend(has.filter(|_| goes).map(|key| (image.customer, None, key)));
                continue;
            }
            for (place, (old, new)) in fields_of(&image.image).unwrap_or_default() {
                if let Place::Field(name) = place
                    && names.unique.contains(&name)
                    && now.get(name) == new.as_deref()
                    && let Some(new) = key(name, new.as_deref())
                {
                    moves.push((image.customer, key(name, old.as_deref()), new));
                }
            }
        }
        let all = moves
            .iter()
            .map(|(customer, _, new)| (new.clone(), *customer));
        names.given_up = all.collect();
        // Who does not get back what it had gives up nothing for it, and so on.
        loop {
            let before = names.given_up.len();
            for (customer, old, new) in &moves {
                if old
                    .as_ref()
                    .is_some_and(|old| names.are_anothers(*customer, old))
                {
                    names.given_up.remove(&(new.clone(), *customer));
                }
            }
            if names.given_up.len() == before {
                return names;
            }
        }
    }

    /// Whether somebody else has a name, and keeps it.
    fn are_anothers(&self, customer: i64, key: &Key) -> bool {
        let held = self.found.names_held.get(key).into_iter().flatten();
        let mut others = held.filter(|holder| **holder != customer);
        others.any(|holder| !self.given_up.contains(&(key.clone(), *holder)))
    }

    /// Whether a value may be given back to a customer.
    fn is_free(&self, customer: i64, name: Name, value: &str) -> bool {
        let key = keys::of_name(name, value).filter(|_| self.unique.contains(&name));
        key.is_none_or(|key| !self.are_anothers(customer, &key))
    }
}

fn stays(now: &Customer, found: &FoundPeople) -> Option<Stays> {
    let registered = now.profile.as_ref().is_some_and(|one| one.registered);
    let used = found.used.get(&now.person.customer).copied();
    used.or(registered.then_some(Stays::Registered))
}

/// Leaves nothing of a customer but the number.
fn erase(now: &Customer, found: &FoundPeople, overlay: &mut Overlay<'_>, rows: &mut PeopleRows) {
    let person = &now.person;
    let replaced = found.replaced.get(&person.customer);
    let held = [&person.code, &person.card_number];
    let held = held.into_iter().flatten();
    let held: BTreeSet<&Box<str>> = held.chain(replaced.into_iter().flatten()).collect();
    for value in held {
        overlay.free(value);
        rows.keys.push(KeyMove::Free {
            value: value.clone(),
        });
    }
    let after = Customer::bare(person.customer, None, None, person.created_at);
    rows.customers.push(CustomerChange {
        before: Some(now.clone()),
        after,
    });
}

/// Gives a customer back what its fields held.
fn restore(
    after: &mut Customer,
    image: &Image,
    (found, names): (&FoundPeople, &Names<'_>),
    overlay: &mut Overlay<'_>,
    moves: &mut Vec<KeyMove>,
) -> PersonUndone {
    let (mut fields, mut left) = (0_usize, Vec::new());
    for (place, (old, new)) in fields_of(&image.image).unwrap_or_default() {
        let holds = place.of(after).map(Box::from);
        let free = match (place, &old) {
            (Place::Field(name), Some(old)) => names.is_free(after.person.customer, name, old),
            _ => true,
        };
        if holds != new || !free {
            left.push(place.word());
            continue;
        }
        match place {
            Place::Card => {
                if !card_back(after, old, found, overlay, moves) {
                    left.push(place.word());
                    continue;
                }
            }
            Place::Password => after.profile.get_or_insert_default().password = old,
            Place::Pin => after.profile.get_or_insert_default().pin = old,
            Place::Field(name) => after.set(name, old),
        }
        fields = fields.saturating_add(1);
    }
    PersonUndone::Restored { fields, left }
}

/// Takes a customer's card and gives it the one from before, if that is still its own. Tells whether it has.
fn card_back(
    after: &mut Customer,
    old: Option<Box<str>>,
    found: &FoundPeople,
    overlay: &mut Overlay<'_>,
    moves: &mut Vec<KeyMove>,
) -> bool {
    let number = after.person.customer;
    if let Some(old) = &old {
        let Some(holder) = found.holders.get(old).filter(|one| one.customer == number) else {
            return false;
        };
        if holder.replaced {
            overlay.hold(old, number);
            moves.push(KeyMove::Give {
                value: old.clone(),
                customer: number,
            });
        }
    }
    let new = std::mem::replace(&mut after.person.card_number, old);
    // A card that is the code as well goes on as that.
    if let Some(new) = new.filter(|new| after.person.code.as_ref() != Some(new)) {
        overlay.free(&new);
        moves.push(KeyMove::Free { value: new });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(values: &[(Name, &str)]) -> Customer {
        let mut customer = Customer::bare(7, Some("C7".into()), Some("K7".into()), 0);
        for (name, value) in values {
            customer.set(*name, Some((*value).into()));
        }
        customer
    }

    #[test]
    fn an_image_holds_what_was_changed_and_nothing_else() {
        let before = customer(&[(Name::City, "Rome"), (Name::Custom(2), "red")]);
        let mut after = customer(&[(Name::City, "Rome"), (Name::Email, "a@b.example")]);
        after.person.card_number = Some("K8".into());
        after.profile.get_or_insert_default().password = Some("hash".into());
        let change = CustomerChange {
            before: Some(before),
            after,
        };
        let kept = image(3, &change);
        assert_eq!(
            kept.image,
            r#"{"card_number":["K7","K8"],"custom_field_2":["red",null],"customer_password":[null,"hash"],"email":[null,"a@b.example"]}"#
        );
        assert!(!kept.created);
        assert!(is_image(&kept.image) && !is_image(r#"{"colour":["a","b"]}"#) && !is_image("x"));
        assert_eq!(cards_of(&kept.image).collect::<Vec<_>>(), ["K7".into()]);
        let keys: Vec<_> = keys_of(&kept.image).collect();
        assert_eq!(keys, [(KeyKind::Custom, "2=red".into())]);
        let new = CustomerChange {
            before: None,
            ..change
        };
        let kept = image(3, &new);
        assert!(kept.created && kept.image == "{}");
    }
}
