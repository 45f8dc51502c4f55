//! What holds for any job.

use super::*;
use crate::json;
use crate::loyalty::contacts::tests::any_contact;
use proptest::prelude::*;

fn any_job() -> impl Strategy<Value = Vec<String>> {
    let extra = prop_oneof![
        4 => Just(String::new()),
        4 => (1..5).prop_map(|mail| format!("\"mail\":{mail},")),
        1 => Just("\"fault\":1,".to_owned()),
    ];
    let contact = (any_contact(), extra).prop_map(|(raw, extra)| {
        let raw = raw.replacen('{', &format!("{{{extra}"), 1);
        let raw = raw.replace(",}", "}");
        // Whoever has nothing to be found by is refused before.
        let keys = keys::of_fields(&sent(&raw).fields, None);
        let lost = keys.user_id.is_none() && keys.email.is_none() && keys.phones.is_empty();
        if lost {
            r#"{"fault":1}"#.to_owned()
        } else {
            raw
        }
    });
    prop::collection::vec(contact, 0..24)
}

proptest! {
    #[test]
    fn any_cut_into_commits_gives_the_same(
        contacts in any_job(),
        sizes in prop::collection::vec(1_usize..9, 1..4),
        looks in prop::collection::vec(1_usize..9, 1..4),
        credits in prop::option::of(0_i64..8),
        (create_if_invalid, create_if_no_credit, validate) in any::<(bool, bool, bool)>(),
    ) {
        // Addresses that nobody knows of would never be decided.
        let contacts: Vec<String> = contacts.into_iter().map(|raw| match mail(&raw) {
            Mail::NotAsked => raw.replacen('{', r#"{"mail":1,"#, 1),
            _ => raw,
        }).collect();
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        let options = Options { validate, create_if_invalid, create_if_no_credit, ..Options::default() };
        let mut job = job(&contacts, options);
        job.head.url = Some("https://pms.example/hook".to_owned());
        let (mut whole, mut cut) = (Shop::new(credits), Shop::new(credits));
        let ended = job.run(&mut whole, &[1000], &[1000]);
        prop_assert_eq!(job.run(&mut cut, &sizes, &looks), ended.clone());

        // Counts add up, credits never fall below zero, every person is found by what it has.
        let (valid, failed, charged) = ended.counts;
        prop_assert_eq!(usize::try_from(valid + failed).unwrap(), contacts.len());
        prop_assert_eq!(whole.items.len(), contacts.len());
        prop_assert_eq!(whole.spent, i64::from(charged));
        prop_assert_eq!(whole.numbers.sync.credits, credits.map(|credits| credits - whole.spent));
        prop_assert!(whole.numbers.sync.credits.is_none_or(|left| left >= 0));
        let of = |person: &Person| {
            let user_id = person.contact.as_ref().unwrap().user_id.clone();
            let keys = keys::of_person(&person.columns, user_id.as_deref(), Some("ES"));
            keys.into_iter().map(|(kind, value)| (kind, value, person.customer)).collect::<Vec<_>>()
        };
        let keys: BTreeSet<_> = whole.people.values().flat_map(of).collect();
        prop_assert_eq!(&whole.keys, &keys);
        for kind_of in keys.iter().filter(|key| key.0 == KeyKind::UserId) {
            let same = keys.iter().filter(|key| key.0 == kind_of.0 && key.1 == kind_of.1);
            prop_assert_eq!(same.count(), 1, "an id is one person's");
        }
        let mut last = BTreeMap::new();
        for (customer, _, _, number, previous) in &whole.consents {
            prop_assert_eq!(last.insert(*customer, *number), *previous);
        }
        for item in &whole.items {
            prop_assert!(json::object(item.told.as_deref().unwrap()).is_some());
            prop_assert_eq!(item.errors.is_empty(), item.state != ItemState::Failed);
        }

        // But for the entries of the credits' ledger, one for each commit.
        cut.numbers.sync.credit = whole.numbers.sync.credit;
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn the_same_job_again_changes_no_answer(contacts in any_job()) {
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        // One contact for each person: of two that contradict each other both answers are new each time.
        let contacts: Vec<&str> = contacts.into_iter().take(1).collect();
        let job = job(&contacts, Options::default());
        let mut shop = Shop::new(None);
        job.run(&mut shop, &[9], &[0]);
        let before = (shop.consents.clone(), shop.people.clone());
        job.run(&mut shop, &[9], &[0]);
        prop_assert_eq!(before, (shop.consents, shop.people));
    }
}
