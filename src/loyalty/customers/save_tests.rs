use super::*;
use crate::loyalty::account::{Campaign, CustomField, FieldKind, Kind, User};
use crate::loyalty::customers::Profile;
use crate::loyalty::ledger::{Holder, Holders, SyncNumbers};
use crate::loyalty::rights::Need;
use chrono_tz::Tz;
use std::collections::HashMap;
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

/// Customer 1 has the code c1 and the card k1, and once had the card old; customer 2 has the code c2.
fn holders() -> Holders {
    let holds = |value: &str, customer, replaced| (value.into(), Holder { customer, replaced });
    [
        holds("c1", 1, false),
        holds("k1", 1, false),
        holds("old", 1, true),
        holds("c2", 2, false),
    ]
    .into()
}

fn ledger() -> Ledger {
    let numbers = crate::loyalty::ledger::Numbers {
        entry: 1,
        batch: 1,
        customer: 3,
        rejection: 1,
        sale: 1,
        sync: SyncNumbers::default(),
    };
    Ledger::new(numbers, vec![Arc::new(holders())])
}

fn found() -> PeopleFound {
    let mut one = Customer::bare(1, Some("c1".into()), Some("k1".into()), 5);
    one.set(Name::Username, Some("Ann".into()));
    one.set(Name::City, Some("Rome".into()));
    let two = Customer::bare(2, Some("c2".into()), None, 6);
    let mut names_held = HashMap::new();
    names_held.insert((KeyKind::Username, "ann".into()), vec![1]);
    names_held.insert((KeyKind::Custom, "2=m1".into()), vec![1]);
    PeopleFound {
        customers: [(1, one), (2, two)].into(),
        names_held,
        now_us: 9,
        ..PeopleFound::default()
    }
}

fn sent(action: Action, code: &str, card: &str, fields: &[(Name, &str)]) -> Sent {
    Sent {
        action,
        code: code.to_owned(),
        card: card.to_owned(),
        new_code: false,
        drawn_code: "drawn".to_owned(),
        drawn_cards: Vec::new(),
        fields: fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        password: None,
        pin: None,
        auto_add: None,
    }
}

struct Came {
    customer: Customer,
    status: SavedAs,
    keys: Vec<KeyMove>,
    entries: usize,
    moved: bool,
}

fn decide(sent: Sent) -> Result<Came, Code> {
    decide_on(sent, found())
}

fn decide_on(sent: Sent, found: PeopleFound) -> Result<Came, Code> {
    let account = account();
    let caller = Caller {
        account: 1,
        user_id: "u".to_owned(),
        key: KEY,
        need: Need::MANAGE,
    };
    let code = |problem: Problem| problem.code;
    let mut save = Save::new(caller, sent, Utc::now(), &account).map_err(code)?;
    save.found = Some(found);
    let mut ledger = ledger();
    let decided = save.decide(&account, &ledger).map_err(code)?;
    let PeopleDone::Saved { customer, status } = decided.outcome else {
        panic!("not saved");
    };
    let (rows, changes) = decided.stored.unwrap();
    let people = rows.people.unwrap();
    assert_eq!(people.customers.len(), 1);
    assert_eq!(people.customers[0].after, *customer);
    ledger.accept(changes);
    Ok(Came {
        customer: *customer,
        status,
        keys: people.keys,
        entries: rows.entries.len(),
        moved: ledger.keys_moved(),
    })
}

fn give(value: &str, customer: i64) -> KeyMove {
    KeyMove::Give {
        value: value.into(),
        customer,
    }
}

#[test]
fn a_new_customer_takes_code_card_or_what_is_drawn() {
    for (code, card, new_code, is) in [
        ("c3", "", false, ("c3", None)),
        ("c3", "k3", false, ("c3", Some("k3"))),
        ("c3", "k3", true, ("c3", Some("k3"))),
        ("", "k3", false, ("k3", Some("k3"))),
        ("", "k3", true, ("drawn", Some("k3"))),
        ("k3", "k3", false, ("k3", Some("k3"))),
        ("", "", false, ("drawn", None)),
    ] {
        let mut sent = sent(Action::New, code, card, &[]);
        sent.new_code = new_code;
        let came = decide(sent).unwrap();
        let person = &came.customer.person;
        assert_eq!(
            (person.code.as_deref(), person.card_number.as_deref()),
            (Some(is.0), is.1)
        );
        assert_eq!((person.customer, person.created_at), (3, 9));
        assert_eq!(came.status, SavedAs::New);
        assert!(!came.moved, "what is new has not moved");
        let other = is.1.filter(|card| *card != is.0);
        let values = [Some(is.0), other].into_iter().flatten();
        assert_eq!(
            came.keys,
            values.map(|value| give(value, 3)).collect::<Vec<_>>()
        );
    }
    for (code, card) in [
        ("c1", ""),
        ("", "c1"),
        ("c3", "k1"),
        ("old", ""),
        ("c3", "old"),
    ] {
        let refused = decide(sent(Action::New, code, card, &[]));
        assert_eq!(refused.err(), Some(Code::KeyTaken), "{code} {card}");
    }
}

#[test]
fn of_drawn_cards_the_first_free_one_is_taken() {
    let mut new = sent(Action::New, "c3", "", &[]);
    new.drawn_cards = ["k1", "c2", "k3", "k4"].map(str::to_owned).to_vec();
    let came = decide(new.clone()).unwrap();
    assert_eq!(came.customer.person.card_number.as_deref(), Some("k3"));
    new.drawn_cards.truncate(2);
    assert_eq!(decide(new).err(), Some(Code::Unavailable));
}

#[test]
fn an_edit_finds_by_code_else_by_card_else_creates() {
    for (code, card, number) in [
        ("c1", "", 1),
        ("", "k1", 1),
        ("c1", "k1", 1),
        ("c9", "", 3),
        ("", "k9", 3),
        ("", "", 3),
    ] {
        let came = decide(sent(Action::Edit, code, card, &[(Name::State, "IL")])).unwrap();
        assert_eq!(came.customer.person.customer, number, "{code} {card}");
        assert_eq!(came.customer.get(Name::State), Some("IL"));
        let new = number == 3;
        assert_eq!(came.status == SavedAs::New, new);
        if new {
            let person = &came.customer.person;
            assert_eq!(person.code.as_deref(), Some("drawn"), "{code} {card}");
            assert_eq!(person.card_number.as_deref().unwrap_or(""), card);
        } else {
            assert_eq!(came.customer.get(Name::City), Some("Rome"), "it stays");
            assert!(came.keys.is_empty());
        }
    }
    for (code, card, refused) in [
        ("old", "", Code::ReplacedCard),
        ("", "old", Code::ReplacedCard),
        ("c2", "k1", Code::KeyTaken),
        ("c1", "old", Code::ReplacedCard),
        ("c9", "k1", Code::KeyTaken),
    ] {
        let came = decide(sent(Action::Edit, code, card, &[]));
        assert_eq!(came.err(), Some(refused), "{code} {card}");
    }
}

#[test]
fn an_edit_frees_the_old_code_and_keeps_the_old_card() {
    let mut edit = sent(Action::Edit, "c1", "k9", &[]);
    edit.new_code = true;
    let came = decide(edit).unwrap();
    assert!(came.moved);
    let freed = KeyMove::Free { value: "c1".into() };
    let replaced = KeyMove::Replace {
        value: "k1".into(),
        customer: 1,
    };
    assert_eq!(
        came.keys,
        [freed, give("drawn", 1), replaced, give("k9", 1)]
    );
    let person = &came.customer.person;
    assert_eq!(person.code.as_deref(), Some("drawn"));
    assert_eq!(person.card_number.as_deref(), Some("k9"));
}

#[test]
fn a_card_that_is_the_code_goes_on_as_the_other_of_the_two() {
    let mut one = found();
    let person = &mut one.customers.get_mut(&1).unwrap().person;
    person.card_number = Some("c1".into());
    let mut edit = sent(Action::Edit, "c1", "", &[]);
    edit.new_code = true;
    let came = decide_on(edit, one.clone()).unwrap();
    assert_eq!(came.keys, [give("drawn", 1)]);
    assert_eq!(came.customer.person.card_number.as_deref(), Some("c1"));
    let came = decide_on(sent(Action::Edit, "c1", "k9", &[]), one).unwrap();
    assert_eq!(came.keys, [give("k9", 1)]);
    assert_eq!(came.customer.person.code.as_deref(), Some("c1"));
    // The own code as the card, which was another one.
    let came = decide(sent(Action::Edit, "c1", "c1", &[])).unwrap();
    let replaced = KeyMove::Replace {
        value: "k1".into(),
        customer: 1,
    };
    assert_eq!(came.keys, [replaced, give("c1", 1)]);
}

#[test]
fn what_is_too_long_to_be_compared_is_not_unique() {
    for (chars, refused) in [(253, None), (254, Some(Code::TooLong))] {
        let value = "m".repeat(chars);
        let edit = sent(Action::Edit, "c2", "", &[(Name::Custom(2), &value)]);
        assert_eq!(decide(edit).err(), refused, "{chars}");
    }
}

/// A line behind it in its group may name the card: it must not find a balance of zero.
#[test]
fn whoever_gets_a_card_has_all_balances_loaded() {
    let account = account();
    for (card, loaded) in [("k9", 1), ("", 0)] {
        let caller = Caller {
            account: 1,
            user_id: "u".to_owned(),
            key: KEY,
            need: Need::MANAGE,
        };
        let edit = sent(Action::Edit, "c1", card, &[]);
        let mut save = Save::new(caller, edit, Utc::now(), &account).unwrap();
        save.found = Some(found());
        let key = BalanceKey {
            customer: 1,
            campaign: 1,
            item: 0,
        };
        let wanted = save.balances(&account, &ledger());
        assert_eq!(wanted.iter().filter(|one| **one == key).count(), loaded);
    }
}

#[test]
fn registering_happens_once() {
    let came = decide(sent(Action::Register, "", "k1", &[])).unwrap();
    assert_eq!(came.status, SavedAs::Registered);
    assert!(came.customer.profile.unwrap().registered);
    for (code, card, refused) in [
        ("c9", "", Code::NoSuchCustomer),
        ("c1", "k9", Code::NoSuchCustomer),
        ("", "old", Code::ReplacedCard),
        ("c2", "k1", Code::CustomersDiffer),
    ] {
        let came = decide(sent(Action::Register, code, card, &[]));
        assert_eq!(came.err(), Some(refused), "{code} {card}");
    }
}

#[test]
fn nobody_gets_the_name_of_somebody_else() {
    let name = |value| vec![(Name::Username, value)];
    let unique = |value| vec![(Name::Custom(2), value)];
    for (code, fields, refused) in [
        ("c1", name("ANN"), None),
        ("c2", name("ANN"), Some(Code::UsernameTaken)),
        ("c2", name("Bob"), None),
        ("c1", unique("M1"), None),
        ("c2", unique("M1"), Some(Code::ValueTaken)),
        ("c2", vec![(Name::Custom(3), "M1")], None),
    ] {
        let came = decide(sent(Action::Edit, code, "", &fields));
        assert_eq!(came.err(), refused, "{code} {fields:?}");
    }
}

#[test]
fn what_is_empty_is_cleared_and_secrets_stay() {
    let mut edit = sent(Action::Edit, "c1", "", &[(Name::City, " ")]);
    edit.password = Some("hash".into());
    let came = decide(edit).unwrap();
    assert_eq!(came.customer.get(Name::City), None);
    let profile: Profile = came.customer.profile.unwrap();
    assert_eq!(profile.password.as_deref(), Some("hash"));
    assert_eq!(profile.pin, None);
}

#[test]
fn an_opening_is_posted_with_the_customer_or_not_at_all() {
    let mut new = sent(Action::New, "c3", "", &[]);
    let add = |amount: &str| Some((vec!["P".to_owned()], amount.to_owned()));
    new.auto_add = add("12.5");
    assert_eq!(decide(new.clone()).unwrap().entries, 1);
    new.auto_add = add("a lot");
    assert_eq!(decide(new).err(), Some(Code::BadAmount));
}
