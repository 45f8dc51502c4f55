//! Batches of customers, and their undoing, against what must hold of the books whatever comes.

use super::*;
use crate::loyalty::account::{Campaign, CustomField, FieldKind, Kind, User};
use crate::loyalty::contacts::keys;
use crate::loyalty::customers::sheet::Layout;
use crate::loyalty::customers::undo::{FoundPeople, decide as undo};
use crate::loyalty::customers::{Customer, Image, KeyMove, PeopleRows, Profile};
use crate::loyalty::ledger::{Holder, Holders, Numbers, SyncNumbers};
use crate::loyalty::rights::Need;
use chrono_tz::Tz;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY: [u8; 32] = [7; 32];

fn account() -> Account {
    let text = |text: &str| text.to_owned();
    let users = vec![User::new(1, "u", &[KEY])];
    let campaigns = vec![Campaign::new(1, "P", "Points", Kind::Points)];
    let mut account = Account::new(1, text("a"), text("A"), Tz::UTC, 1, users, campaigns);
    account.fields = vec![CustomField {
        number: 2,
        label: text("Member"),
        shown: true,
        kind: FieldKind::Text,
        choices: Vec::new(),
        searchable: true,
        unique: true,
        required: false,
    }];
    account
}

/// Names that no two customers may have.
const UNIQUE: [Name; 2] = [Name::Username, Name::Custom(2)];

/// What a database would hold.
struct Books {
    account: Account,
    customers: BTreeMap<i64, Customer>,
    holders: Holders,
    batch: i64,
}

impl Books {
    fn new() -> Books {
        let mut books = Books {
            account: account(),
            customers: BTreeMap::new(),
            holders: Holders::new(),
            batch: 1,
        };
        let mut one = Customer::bare(1, Some("c1".into()), Some("k1".into()), 5);
        one.set(Name::Username, Some("a".into()));
        one.set(Name::City, Some("Rome".into()));
        let two = Customer::bare(2, Some("c2".into()), None, 6);
        for (value, customer) in [("c1", 1), ("k1", 1), ("c2", 2)] {
            let replaced = false;
            books
                .holders
                .insert(value.into(), Holder { customer, replaced });
        }
        books.customers.extend([(1, one), (2, two)]);
        books
    }

    fn ledger(&self) -> Ledger {
        let next = self.customers.keys().max().map_or(1, |last| last + 1);
        let numbers = Numbers {
            entry: 1,
            batch: self.batch,
            customer: next,
            rejection: 1,
            sale: 1,
            sync: SyncNumbers::default(),
        };
        Ledger::new(numbers, vec![Arc::new(self.holders.clone())])
    }

    fn names_held(&self) -> HashMap<Key, Vec<i64>> {
        let mut held: HashMap<Key, Vec<i64>> = HashMap::new();
        for (number, customer) in &self.customers {
            for name in UNIQUE {
                let value = customer.get(name);
                if let Some(key) = value.and_then(|value| keys::of_name(name, value)) {
                    held.entry(key).or_default().push(*number);
                }
            }
        }
        held
    }

    /// Posts lines; what is kept of their batch.
    fn import(&mut self, mode: Mode, lines: &[String]) -> Vec<Image> {
        let layout = Layout {
            columns: vec![
                Column::Code,
                Column::Card,
                Column::Field(Name::City),
                Column::Field(Name::Username),
                Column::Field(Name::Custom(2)),
            ],
            delimiter: '|',
            mode,
            campaigns: vec!["P".to_owned()],
            draws: None,
        };
        let sheet = Sheet::find(lines.join("\n"), layout, 100, 1000).unwrap();
        let caller = Caller {
            account: 1,
            user_id: "u".to_owned(),
            key: KEY,
            need: Need::MANAGE,
        };
        let wishes = Wishes {
            undoable: true,
            details: true,
            ..Wishes::default()
        };
        let none = (HashMap::new(), HashMap::new());
        let mut import =
            Import::new(caller, sheet, wishes, Utc::now(), none, &self.account).unwrap();
        import.found = Some(PeopleFound {
            customers: self.customers.clone().into_iter().collect(),
            names_held: self.names_held(),
            now_us: 9,
            ..PeopleFound::default()
        });
        let ledger = self.ledger();
        let decided = import.decide(&self.account, &ledger).unwrap();
        let PeopleDone::Imported(outcome) = decided.outcome else {
            panic!("not imported");
        };
        let all = outcome.customers + outcome.ignored + outcome.rejected;
        assert_eq!(all, import.lines());
        assert_eq!(outcome.lines.unwrap().len(), import.lines());
        let (rows, _) = decided.stored.unwrap();
        self.batch += 1;
        let rows = *rows.people.unwrap();
        let images = rows.images.clone();
        self.write(rows);
        images
    }

    /// Takes a batch back of which this is kept, and after which nothing came.
    fn undo(&mut self, images: Vec<Image>) {
        let mut replaced: HashMap<i64, Vec<Box<str>>> = HashMap::new();
        for (value, holder) in self.holders.iter().filter(|(_, holder)| holder.replaced) {
            let of = replaced.entry(holder.customer).or_default();
            of.push(value.clone());
        }
        let found = FoundPeople {
            images,
            customers: self.customers.clone().into_iter().collect(),
            holders: self.holders.clone(),
            names_held: self.names_held(),
            replaced,
            ..FoundPeople::default()
        };
        let ledger = self.ledger();
        let mut overlay = ledger.overlay();
        let (effects, rows) = undo(&self.account, (1, &found), &HashSet::new(), &mut overlay);
        assert_eq!(effects.len(), found.images.len());
        assert_eq!(rows.images_gone.len(), found.images.len());
        self.write(rows);
    }

    fn write(&mut self, rows: PeopleRows) {
        let values: HashSet<&str> = rows.keys.iter().map(KeyMove::value).collect();
        assert_eq!(values.len(), rows.keys.len(), "each value once");
        for moved in &rows.keys {
            let value = moved.value().into();
            match moved {
                KeyMove::Give { customer, .. } | KeyMove::Replace { customer, .. } => {
                    let holder = Holder {
                        customer: *customer,
                        replaced: matches!(moved, KeyMove::Replace { .. }),
                    };
                    self.holders.insert(value, holder);
                }
                KeyMove::Free { .. } => assert!(self.holders.remove(moved.value()).is_some()),
            }
        }
        for change in rows.customers {
            let number = change.after.person.customer;
            assert_eq!(self.customers.get(&number), change.before.as_ref());
            self.customers.insert(number, change.after);
        }
        self.check();
    }

    fn check(&self) {
        for (number, customer) in &self.customers {
            if customer.is_erased() {
                assert_eq!(customer.profile, None);
                assert!(self.holders.values().all(|one| one.customer != *number));
                continue;
            }
            for held in [&customer.person.code, &customer.person.card_number] {
                let Some(value) = held else { continue };
                let holder = self.holders[value];
                assert_eq!((holder.customer, holder.replaced), (*number, false));
            }
        }
        for (value, holder) in &self.holders {
            let person = &self.customers[&holder.customer].person;
            let own = [&person.code, &person.card_number];
            let is_own = own.into_iter().flatten().any(|own| own == value);
            assert_eq!(is_own, !holder.replaced, "{value}");
        }
        for (key, held) in self.names_held() {
            assert_eq!(held.len(), 1, "{key:?}");
        }
    }

    /// What the customers are who were not erased.
    fn told(&self) -> Vec<String> {
        let live = self.customers.values().filter(|one| !one.is_erased());
        live.map(|one| {
            let person = &one.person;
            let fields: Vec<Option<&str>> = [Name::City, Name::Username, Name::Custom(2)]
                .map(|name| one.get(name))
                .to_vec();
            let (code, card) = (&person.code, &person.card_number);
            format!("{} {code:?} {card:?} {fields:?}", person.customer)
        })
        .collect()
    }
}

fn line() -> impl Strategy<Value = String> {
    (
        "(c[1-4])?",
        "((k[1-4])|(c[1-3]))?",
        "(Rome|Oslo)?",
        "[abAB]?",
        "[xy]?",
    )
        .prop_filter("nobody", |(code, card, ..)| {
            !code.is_empty() || !card.is_empty()
        })
        .prop_map(|(code, card, city, username, member)| {
            format!("{code}|{card}|{city}|{username}|{member}")
        })
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Blank), Just(Mode::Update), Just(Mode::Ignore)]
}

proptest! {
    #[test]
    fn batches_leave_the_books_right_and_undone_from_the_last_one_all_is_as_before(
        batches in proptest::collection::vec((mode(), proptest::collection::vec(line(), 1..6)), 1..4),
    ) {
        let mut books = Books::new();
        let mut states = Vec::new();
        let mut kept = Vec::new();
        for (mode, lines) in &batches {
            states.push(books.told());
            kept.push(books.import(*mode, lines));
        }
        while let (Some(images), Some(before)) = (kept.pop(), states.pop()) {
            books.undo(images);
            prop_assert_eq!(books.told(), before);
        }
    }
}

#[test]
fn what_is_not_emptied_is_kept() {
    let mut books = Books::new();
    let one = books.customers.get_mut(&1).unwrap();
    let profile = one.profile.get_or_insert_default();
    (profile.registered, profile.pin) = (true, Some("hash".into()));
    books.import(Mode::Blank, &["c1|||| ".to_owned()]);
    let one = &books.customers[&1];
    let expected = Profile {
        username: Some("a".into()),
        pin: Some("hash".into()),
        registered: true,
        ..Profile::default()
    };
    assert_eq!(one.profile, Some(expected));
    assert_eq!(one.get(Name::City), None);
    assert_eq!(one.person.card_number.as_deref(), Some("k1"));
}
