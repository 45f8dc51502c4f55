//! Searches: what they find, and that narrowing loses nobody.

use super::*;
use proptest::prelude::*;

fn customer(values: &[(Place, &str)]) -> Customer {
    let mut customer = Customer::bare(7, Some("C7".into()), None, 0);
    for (place, value) in values {
        match place {
            Place::Code => customer.person.code = Some((*value).into()),
            Place::Card => customer.person.card_number = Some((*value).into()),
            Place::Field(name) => customer.set(*name, Some((*value).into())),
        }
    }
    customer
}

#[test]
fn every_filled_field_stands_in_the_text_between_marks() {
    let mut customer = Customer::bare(7, Some("C7".into()), None, 0);
    assert_eq!(text_of(&customer), "\u{1}cc7\u{1}");
    customer.set(Name::LastName, Some("\u{d6}ZIL\tKaya".into()));
    customer.set(Name::Phone, Some("+1 (212) 555".into()));
    customer.set(Name::Custom(12), Some("Red".into()));
    let marked = "\u{1}cc7\u{1}l\u{f6}zil kaya\u{1}p+1 (212) 555\u{1}P1212555\u{1}12:red\u{1}";
    assert_eq!(text_of(&customer), marked);
    assert_eq!(text_of(&Customer::bare(7, None, None, 0)), "");
}

#[test]
fn criteria_compare_parts_whole_values_or_letter_for_letter() {
    let field = Place::Field;
    let someone = customer(&[
        (Place::Card, "6001"),
        (field(Name::LastName), "\u{d6}zil"),
        (field(Name::Phone), "+1 (212) 555-0100"),
    ]);
    for (place, sent, found) in [
        (field(Name::LastName), "\u{f6}Z", [true, false, false]),
        (field(Name::LastName), " \u{f6}ZIL ", [true, true, false]),
        (field(Name::LastName), "\u{d6}zil", [true, true, true]),
        (field(Name::FirstName), "\u{d6}zil", [false; 3]),
        (Place::Card, "00", [true, false, false]),
        (Place::Code, "c7", [true, true, false]),
        (field(Name::Phone), "125550", [true, false, false]),
        (field(Name::Phone), "(212)", [true, false, false]),
        (field(Name::Phone), "5.5", [false; 3]),
        (field(Name::Phone), "55.50", [true, false, false]),
    ] {
        for (compare, found) in [Compare::Part, Compare::Whole, Compare::Exact]
            .into_iter()
            .zip(found)
        {
            let criterion = Criterion::new(place, sent, compare).unwrap();
            assert_eq!(
                criterion.matches(&someone),
                found,
                "{place:?} {sent} {compare:?}"
            );
        }
    }
    assert_eq!(Criterion::new(Place::Code, " \t ", Compare::Part), None);
    // Sent, and nobody has it.
    for compare in [Compare::Part, Compare::Whole, Compare::Exact] {
        let criterion = Criterion::new(Place::Code, " \u{1} ", compare).unwrap();
        assert!(!criterion.matches(&someone), "{compare:?}");
    }
}

#[test]
fn in_a_phrase_commas_are_or_and_blanks_are_and() {
    let someone = customer(&[
        (Place::Field(Name::FirstName), "Ann_50%"),
        (Place::Field(Name::City), "New York"),
    ]);
    for (phrase, found) in [
        ("ann york", true),
        ("ann boston", false),
        ("boston, NEW", true),
        (",, c7 ,", true),
        ("n_5", true),
        ("n%5", false),
        ("wyork", false),
    ] {
        let filter = Filter::phrase(phrase).unwrap();
        assert_eq!(filter.matches(&someone), found, "{phrase}");
    }
    assert_eq!(Filter::phrase(" , ,"), None);
    assert_eq!(Filter::phrase("a b,c").unwrap().words(), 3);
}

#[test]
fn keys_narrow_a_search() {
    let all = |place, sent, compare| {
        Filter::All(Criterion::new(place, sent, compare).into_iter().collect())
    };
    let email = Place::Field(Name::Email);
    assert_eq!(
        all(Place::Card, "6001", Compare::Exact).narrow(),
        Some(Narrow::Key("6001"))
    );
    assert_eq!(all(Place::Card, "6001", Compare::Whole).narrow(), None);
    let person = Narrow::Person(KeyKind::Email, "a@b.example".into());
    assert_eq!(
        all(email, "A@b.example", Compare::Whole).narrow(),
        Some(person)
    );
    assert_eq!(all(email, "A@b.example", Compare::Part).narrow(), None);
    let custom = Narrow::Person(KeyKind::Custom, "2=red".into());
    let field = |name| Place::Field(name);
    assert_eq!(
        all(field(Name::Custom(2)), "Red", Compare::Whole).narrow(),
        Some(custom)
    );
    assert_eq!(
        all(field(Name::City), "Rome", Compare::Exact).narrow(),
        None
    );
    assert!(Filter::All(vec![]).is_everybody());
}

/// As the database looks at it.
fn may_fit(filter: &Filter, text: &str) -> bool {
    let place = |place: &Vec<String>| place.iter().any(|needle| text.contains(needle));
    filter.needles().iter().any(|all| all.iter().all(place))
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Code),
        Just(Place::Card),
        Just(Place::Field(Name::Phone)),
        Just(Place::Field(Name::LastName)),
        Just(Place::Field(Name::Street2)),
        Just(Place::Field(Name::Custom(2))),
    ]
}

/// Few letters, so that searches find something.
const VALUE: &str = "[aA1-3\u{c4}\u{e4} \t]{1,6}";

proptest! {
    #[test]
    fn whoever_is_sought_has_a_text_that_may_fit(
        values in proptest::collection::vec((place(), VALUE), 1..6),
        sought in proptest::collection::vec((place(), VALUE), 1..3),
        compare in prop_oneof![Just(Compare::Part), Just(Compare::Whole), Just(Compare::Exact)],
        phrase in "[a1\u{e4} ,]{1,6}",
    ) {
        let values: Vec<(Place, &str)> = values.iter().map(|(place, value)| (*place, value.trim())).collect();
        let someone = customer(&values);
        let text = text_of(&someone);
        let criteria = sought.iter().filter_map(|(place, sent)| Criterion::new(*place, sent, compare));
        let all = Filter::All(criteria.collect());
        prop_assert!(!all.matches(&someone) || may_fit(&all, &text));
        if let Some(filter) = Filter::phrase(&phrase) {
            prop_assert!(!filter.matches(&someone) || may_fit(&filter, &text));
        }
    }
}
