//! What is known while sales are decided: customers by their keys, sales by their links.
//!
//! Belongs here: what was loaded for a group, and what its requests change of it. Does not belong here: which of them an
//! item means ([`super::matching`], [`super::decide`]).

use super::rows::StoredSale;
use crate::loyalty::contacts::people::Index;
use crate::loyalty::contacts::sent::KeyKind;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The kinds of ids by which a sale of a brand is found again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(i16)]
pub enum LinkKind {
    /// `external_sale_id`
    External = 1,
    /// `order_id`
    Order,
}

impl LinkKind {
    /// The number in the database.
    pub fn stored(self) -> i16 {
        self as i16
    }

    /// The kind with this number.
    pub fn from_stored(number: i16) -> Option<LinkKind> {
        [LinkKind::External, LinkKind::Order]
            .into_iter()
            .find(|kind| kind.stored() == number)
    }
}

/// Sales with the ids by which they may be found. An id stays here when its sale has another one: the sale itself tells
/// whether it still has it. Client text is the key, so the hasher is a keyed one.
#[derive(Default, Debug)]
struct Shelf {
    sales: HashMap<i64, StoredSale>,
    by_id: HashMap<Box<str>, BTreeSet<i64>>,
}

impl Shelf {
    fn put(&mut self, sale: StoredSale) {
        for (_, id) in sale.links() {
            match self.by_id.get_mut(id) {
                Some(numbers) => {
                    numbers.insert(sale.number);
                }
                None => {
                    self.by_id.insert(id.into(), BTreeSet::from([sale.number]));
                }
            }
        }
        self.sales.insert(sale.number, sale);
    }

    /// The numbers of sales that may have an id, the newest first.
    fn numbers(&self, id: &str) -> impl Iterator<Item = i64> {
        let numbers = self.by_id.get(id);
        numbers
            .into_iter()
            .flat_map(|numbers| numbers.iter().rev().copied())
    }
}

/// What was loaded for the sales of a group, and what its requests have made of it so far.
#[derive(Default, Debug)]
pub struct Book {
    customers: HashSet<i64>,
    keys: Index,
    shelf: Shelf,
}

/// What one request has changed: its sales as they are to be stored.
#[derive(Default, Debug)]
pub struct BookChanges(Shelf);

impl Book {
    /// Says that there is a customer with this number.
    pub fn add_customer(&mut self, customer: i64) {
        self.customers.insert(customer);
    }

    /// Says that a key leads to a customer.
    pub fn add_key(&mut self, kind: KeyKind, value: &str, customer: i64) {
        self.customers.insert(customer);
        self.keys.add(kind, value, customer);
    }

    /// Adds a stored sale; it is found by its own ids.
    pub fn add_sale(&mut self, sale: StoredSale) {
        self.shelf.put(sale);
    }

    /// Takes over what a request has changed.
    pub fn accept(&mut self, changes: BookChanges) {
        for sale in changes.0.sales.into_values() {
            self.shelf.put(sale);
        }
    }

    /// Whether there is a customer with this number.
    pub fn is_customer(&self, customer: i64) -> bool {
        self.customers.contains(&customer)
    }

    /// The customers that a key leads to.
    pub fn holders(&self, kind: KeyKind, value: &str) -> &[i64] {
        self.keys.holders(kind, value)
    }

    /// The sale with this number.
    pub fn sale(&self, number: i64) -> Option<&StoredSale> {
        self.shelf.sales.get(&number)
    }

    /// The sales that may have this id, of any kind and brand: all that have it are among them. The newest first.
    pub fn sales_with(&self, id: &str) -> impl Iterator<Item = &StoredSale> {
        let numbers = self.shelf.numbers(id);
        numbers.filter_map(|number| self.sale(number))
    }
}

impl BookChanges {
    /// Creates a sale, or changes it.
    pub fn put(&mut self, sale: StoredSale) {
        self.0.put(sale);
    }

    /// The sale with this number, if this request has created or changed it.
    pub fn sale(&self, number: i64) -> Option<&StoredSale> {
        self.0.sales.get(&number)
    }

    /// The newest sale of a brand that has this id now: the one with the highest number.
    pub fn newest<'b>(
        &'b self,
        book: &'b Book,
        brand: i32,
        (kind, id): (LinkKind, &str),
    ) -> Option<&'b StoredSale> {
        let now = |number| {
            let sale = self.sale(number).or_else(|| book.sale(number));
            sale.filter(|sale| sale.brand == brand && sale.links().any(|link| link == (kind, id)))
        };
        let here = self.0.numbers(id).find_map(now);
        let there = book.shelf.numbers(id).find_map(now);
        here.into_iter().chain(there).max_by_key(|sale| sale.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::Day;

    fn sale(number: i64, brand: i32, external: Option<&str>, order: Option<&str>) -> StoredSale {
        StoredSale {
            number,
            brand,
            customer: 1,
            event_at: 0,
            day: Day::from_number(20_190_713).unwrap(),
            external_sale_id: external.map(Box::from),
            order_id: order.map(Box::from),
            value: None,
            currency: "EUR".into(),
            extra: None,
            earned: None,
        }
    }

    #[test]
    fn the_newest_that_has_the_id_now() {
        let mut book = Book::default();
        book.add_sale(sale(1, 1, Some("X"), Some("O")));
        book.add_sale(sale(2, 1, Some("O"), Some("X")));
        book.add_sale(sale(3, 2, None, Some("O")));
        book.add_sale(sale(4, 1, None, Some("O")));
        let mut changes = BookChanges::default();
        let find = |changes: &BookChanges, book: &Book, brand, kind, id| {
            let newest = changes.newest(book, brand, (kind, id));
            newest.map(|sale| sale.number)
        };
        for (brand, kind, id, expected) in [
            (1, LinkKind::Order, "O", Some(4)),
            (2, LinkKind::Order, "O", Some(3)),
            (1, LinkKind::External, "O", Some(2)),
            (1, LinkKind::External, "X", Some(1)),
            (2, LinkKind::External, "X", None),
            (1, LinkKind::Order, "o", None),
        ] {
            let found = find(&changes, &book, brand, kind, id);
            assert_eq!(found, expected, "{brand} {kind:?} {id}");
        }
        // Another order id: the next newest is found, and the sale under the new one only.
        changes.put(sale(4, 1, None, Some("P")));
        assert_eq!(find(&changes, &book, 1, LinkKind::Order, "O"), Some(1));
        assert_eq!(find(&changes, &book, 1, LinkKind::Order, "P"), Some(4));
        changes.put(sale(5, 1, None, Some("O")));
        changes.put(sale(4, 1, None, Some("O")));
        assert_eq!(find(&changes, &book, 1, LinkKind::Order, "O"), Some(5));
        assert_eq!(find(&changes, &book, 1, LinkKind::Order, "P"), None);
        // The next request sees the same.
        book.accept(changes);
        let next = BookChanges::default();
        assert_eq!(find(&next, &book, 1, LinkKind::Order, "O"), Some(5));
        assert_eq!(find(&next, &book, 1, LinkKind::Order, "P"), None);
        let with: Vec<i64> = book.sales_with("O").map(|sale| sale.number).collect();
        assert_eq!(with, [5, 4, 3, 2, 1]);
    }
}
