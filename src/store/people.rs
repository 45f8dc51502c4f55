//! Customers with their contact side.

use super::dialect::people::{PersonFound, find_people, find_person_keys};
use super::dialect::{Writes, rows::rows};
use super::sync_queue::broken;
use super::{Db, Result, person_keys, search_texts};
use crate::json::Fields;
use crate::loyalty::contacts::consents::ConsentRow as Consent;
use crate::loyalty::contacts::people::People;
use crate::loyalty::contacts::person::{Columns, Contact, Person, PersonChange};
use crate::loyalty::contacts::sent::{KeyKind, Verdict};
use diesel::prelude::*;

rows! {
    struct CustomerRow<'a> in customers {
        account_id: i32,
        number: i64,
        code: Option<&'a str>,
        card_number: Option<&'a str>,
        first_name: Option<&'a str>,
        last_name: Option<&'a str>,
        email: Option<&'a str>,
        phone: Option<&'a str>,
        cellphone: Option<&'a str>,
        document: Option<&'a str>,
        created_at: i64,
        street1: Option<&'a str>,
        city: Option<&'a str>,
        state: Option<&'a str>,
        postal_code: Option<&'a str>,
        country: Option<&'a str>,
    }
    key account_id, number;
    set first_name, last_name, email, phone, cellphone, document, street1, city, state, postal_code, country
}

rows! {
    struct CodeRow<'a> in customer_keys {
        account_id: i32,
        value: &'a str,
        customer: i64,
        replaced: bool,
    }
}

rows! {
    struct ContactRow<'a> in contacts {
        account_id: i32,
        customer: i64,
        contact_id: &'a str,
        user_id: Option<&'a str>,
        origin: &'a str,
        verdict: Option<i16>,
        checked_at: Option<i64>,
        last_consent: Option<i64>,
        profile: String,
        created_at: i64,
        updated_at: i64,
    }
    key account_id, customer;
    set contact_id, user_id, origin, verdict, checked_at, last_consent, profile, updated_at
}

rows! {
    struct ConsentRow<'a> in consents {
        account_id: i32,
        number: i64,
        customer: i64,
        channel: &'a str,
        answer: Option<bool>,
        date: Option<&'a str>,
        remote_ip: Option<&'a str>,
        origin: Option<&'a str>,
        job: Option<i64>,
        item: Option<i32>,
        previous: Option<i64>,
        recorded_at: i64,
    }
}

rows! {
    struct NameRow<'a> in custom_names {
        account_id: i32,
        kind: i16,
        name: &'a str,
    }
    keep account_id, kind, name
}

/// The customers that these keys lead to.
pub fn load(db: &mut Db, account: i32, keys: &[(KeyKind, &str)]) -> Result<People> {
    let mut asked: Vec<(i16, &str)> = keys
        .iter()
        .map(|(kind, value)| (kind.stored(), *value))
        .collect();
    asked.sort_unstable();
    asked.dedup();
    let mut people = People::default();
    let mut numbers = Vec::new();
    for (kind, value, customer) in find_person_keys(db, account, &asked)? {
        let kind = KeyKind::from_stored(kind).ok_or_else(|| broken("kind of key"))?;
        people.add_key(kind, &value, customer);
        numbers.push(customer);
    }
    numbers.sort_unstable();
    numbers.dedup();
    for person in of(db, account, &numbers)? {
        people.add(person);
    }
    Ok(people)
}

/// The customers with these numbers.
pub fn of(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<Person>> {
    let found = find_people(db, account, numbers)?;
    found.into_iter().map(person).collect()
}

/// The numbers of the next customers behind one, at most so many.
pub fn numbers_behind(db: &mut Db, account: i32, after: i64, at_most: i64) -> Result<Vec<i64>> {
    use super::schema::customers;
    Ok(customers::table
        .filter(customers::account_id.eq(account))
        .filter(customers::number.gt(after))
        .order(customers::number)
        .limit(at_most)
        .select(customers::number)
        .load(db)?)
}

fn person(
    ((customer, code, card_number, created_at), columns, contact): PersonFound,
) -> Result<Person> {
    let short = |text: Option<String>| text.map(String::into_boxed_str);
    let (
        first_name,
        last_name,
        email,
        phone,
        cellphone,
        document,
        street1,
        city,
        state,
        zip,
        country,
    ) = columns;
    let (id, user_id, origin, verdict, checked_at, last_consent, profile, created, updated) =
        contact;
    let contact = match (id, origin, profile, created, updated) {
        (Some(id), Some(origin), Some(profile), Some(created_at), Some(updated_at)) => {
            Some(Contact {
                id: id.into(),
                user_id: short(user_id),
                origin: origin.into(),
                verdict: verdict.and_then(Verdict::from_stored),
                checked_at,
                last_consent,
                profile: Fields::parse(&profile).ok_or_else(|| broken("contact"))?,
                created_at,
                updated_at,
            })
        }
        _ => None,
    };
    Ok(Person {
        customer,
        code: short(code),
        card_number: short(card_number),
        columns: Columns {
            first_name: short(first_name),
            last_name: short(last_name),
            email: short(email),
            phone: short(phone),
            cellphone: short(cellphone),
            document: short(document),
            street1: short(street1),
            city: short(city),
            state: short(state),
            postal_code: short(zip),
            country: short(country),
        },
        created_at,
        contact,
    })
}

/// Writes customers, new or changed, each once, with their contact side and the keys that lead to them.
pub fn save(writes: &mut Writes<'_>, account: i32, changes: &[PersonChange]) -> Result<()> {
    let rows: Vec<CustomerRow<'_>> = changes
        .iter()
        .map(|change| customer_row(account, &change.person))
        .collect();
    CustomerRow::save(writes, &rows)?;
    let mut codes: Vec<CodeRow<'_>> = Vec::new();
    for person in changes
        .iter()
        .filter(|one| one.is_new)
        .map(|one| &one.person)
    {
        let code = person.code.as_deref();
        let card = person.card_number.as_deref();
        let card = card.filter(|card| code != Some(*card));
        codes.extend(code.into_iter().chain(card).map(|value| CodeRow {
            account_id: account,
            value,
            customer: person.customer,
            replaced: false,
        }));
    }
    codes.sort_unstable_by_key(|row| row.value);
    CodeRow::save(writes, &codes)?;
    let contacts: Vec<ContactRow<'_>> = changes
        .iter()
        .filter_map(|change| contact_row(account, &change.person))
        .collect();
    ContactRow::save(writes, &contacts)?;
    search_texts::save_people(writes, account, changes)?;
    let new = changes.iter().flat_map(|change| {
        let keys = change.new_keys.iter();
        keys.map(|(kind, value)| (*kind, &**value, change.person.customer))
    });
    person_keys::insert(writes, account, new)?;
    let old = changes.iter().flat_map(|change| {
        let keys = change.old_keys.iter();
        keys.map(|(kind, value)| (*kind, &**value, change.person.customer))
    });
    person_keys::remove(writes, account, old)
}

fn customer_row(account: i32, person: &Person) -> CustomerRow<'_> {
    let columns = &person.columns;
    CustomerRow {
        account_id: account,
        number: person.customer,
        code: person.code.as_deref(),
        card_number: person.card_number.as_deref(),
        first_name: columns.first_name.as_deref(),
        last_name: columns.last_name.as_deref(),
        email: columns.email.as_deref(),
        phone: columns.phone.as_deref(),
        cellphone: columns.cellphone.as_deref(),
        document: columns.document.as_deref(),
        created_at: person.created_at,
        street1: columns.street1.as_deref(),
        city: columns.city.as_deref(),
        state: columns.state.as_deref(),
        postal_code: columns.postal_code.as_deref(),
        country: columns.country.as_deref(),
    }
}

fn contact_row(account: i32, person: &Person) -> Option<ContactRow<'_>> {
    let contact = person.contact.as_ref()?;
    Some(ContactRow {
        account_id: account,
        customer: person.customer,
        contact_id: &contact.id,
        user_id: contact.user_id.as_deref(),
        origin: &contact.origin,
        verdict: contact.verdict.map(Verdict::stored),
        checked_at: contact.checked_at,
        last_consent: contact.last_consent,
        profile: contact.profile.json(),
        created_at: contact.created_at,
        updated_at: contact.updated_at,
    })
}

/// Writes consents.
pub fn save_consents<'c, 'a: 'c>(
    writes: &mut Writes<'_>,
    account: i32,
    consents: impl Iterator<Item = &'c Consent<'a>>,
    now_us: i64,
) -> Result<()> {
    let rows: Vec<ConsentRow<'_>> = consents
        .map(|consent| ConsentRow {
            account_id: account,
            number: consent.number,
            customer: consent.customer,
            channel: consent.channel.word(),
            answer: consent.answer,
            date: consent.date.as_deref(),
            remote_ip: consent.remote_ip.as_deref(),
            origin: Some(consent.origin),
            job: Some(consent.job),
            item: Some(consent.item),
            previous: consent.previous,
            recorded_at: now_us,
        })
        .collect();
    ConsentRow::save(writes, &rows)
}

/// Writes names of custom fields; those that are there stay.
pub fn save_names<'n>(
    writes: &mut Writes<'_>,
    account: i32,
    names: impl Iterator<Item = (i16, &'n str)>,
) -> Result<()> {
    let mut rows: Vec<NameRow<'_>> = names
        .map(|(kind, name)| NameRow {
            account_id: account,
            kind,
            name,
        })
        .collect();
    rows.sort_unstable_by_key(|row| (row.kind, row.name));
    NameRow::save(writes, &rows)
}
