//! The customers that are told where several fit, so that a person can choose one.

use crate::dates;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::person::{Columns, Person};
use crate::loyalty::sales::SaleOutcome;
use std::borrow::Cow;
use std::collections::HashMap;

/// What a customer is told by, in the published order, beside its number.
pub const LABELS: [&str; 18] = [
    "CampaignRefID",
    "First Name",
    "Last Name",
    "Email",
    CREATED,
    "Document",
    "Document Type",
    "Document Country",
    "Phone",
    "Cellphone",
    "Gender",
    "Birthday",
    "Address",
    "City",
    "State",
    "Country",
    "Postal Code",
    "Device",
];

/// The one label with an empty text, not `null`, where nothing is known.
const CREATED: &str = "Record created at";

/// The most customers that one answer names. A key that hundreds share, in each of a thousand sales, would make an answer
/// of a hundred megabytes out of a small request.
const MATCHES_IN_ALL: usize = 10_000;

/// Outcomes as they are told: where very many sales are not unique, each names fewer customers, all alike.
pub fn shared(mut outcomes: Vec<SaleOutcome>) -> Vec<SaleOutcome> {
    let lists = outcomes.iter().filter_map(SaleOutcome::candidates);
    let Some(share) = MATCHES_IN_ALL.checked_div(lists.count()) else {
        return outcomes;
    };
    for outcome in &mut outcomes {
        if let SaleOutcome::NotUnique { customers } = outcome {
            customers.truncate(share);
        }
    }
    outcomes
}

/// Customers by their numbers.
#[derive(Default, Debug)]
pub struct People(HashMap<i64, Person>);

impl People {
    /// All of these.
    pub fn of(people: Vec<Person>) -> People {
        let people = people.into_iter();
        People(people.map(|person| (person.customer, person)).collect())
    }

    /// Appends what is told of a customer: every label, with `null` where nothing is known.
    pub fn write(&self, out: &mut String, customer: i64) {
        let person = self.0.get(&customer);
        out.push_str("{\"BunkerID\":\"");
        out.push_str(&customer.to_string());
        out.push('"');
        for label in LABELS {
            out.push_str(",\"");
            out.push_str(label);
            out.push_str("\":");
            match person.and_then(|person| value(person, label)) {
                Some(value) => json::quote(out, &value),
                None if label == CREATED => out.push_str("\"\""),
                None => out.push_str("null"),
            }
        }
        out.push('}');
    }
}

/// What stands behind a label; `None` where it is empty.
fn value<'a>(person: &'a Person, label: &str) -> Option<Cow<'a, str>> {
    let Columns {
        first_name,
        last_name,
        email,
        phone,
        cellphone,
        document,
        street1,
        city,
        state,
        postal_code,
        country,
    } = &person.columns;
    let column = match label {
        "First Name" => first_name,
        "Last Name" => last_name,
        "Email" => email,
        "Document" => document,
        "Phone" => phone,
        "Cellphone" => cellphone,
        "Address" => street1,
        "City" => city,
        "State" => state,
        "Country" => country,
        "Postal Code" => postal_code,
        CREATED => {
            let at = dates::from_micros(person.created_at)?;
            return Some(Cow::Owned(at.format("%Y-%m-%d %H:%M:%S").to_string()));
        }
        "Document Type" => return field(person, "document_type"),
        "Document Country" => return field(person, "document_country"),
        "Gender" => return field(person, "gender"),
        "Birthday" => return field(person, "born_date"),
        _ => &None,
    };
    let text = column.as_deref().filter(|text| !text.is_empty());
    text.map(Cow::Borrowed)
}

/// A field of the contact, if it is a text or a number.
fn field<'a>(person: &'a Person, name: &str) -> Option<Cow<'a, str>> {
    match json::scalar(person.contact.as_ref()?.profile.get(name)?) {
        Scalar::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Scalar::Number(number) => Some(Cow::Borrowed(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Fields;
    use crate::loyalty::contacts::person::Contact;

    fn person(contact: Option<&str>) -> Person {
        Person {
            customer: 41_369,
            code: Some("1001".into()),
            card_number: None,
            columns: Columns {
                first_name: Some("Mateo \"M\"".into()),
                last_name: Some("".into()),
                street1: Some("Calle 1".into()),
                ..Columns::default()
            },
            created_at: 1_449_100_800_999_999,
            contact: contact.map(|profile| Contact {
                id: "0".repeat(24).into(),
                user_id: None,
                origin: "PMS".into(),
                verdict: None,
                checked_at: None,
                last_consent: None,
                profile: Fields::parse(profile).unwrap(),
                created_at: 0,
                updated_at: 0,
            }),
        }
    }

    fn told(people: &People, customer: i64) -> String {
        let mut out = String::new();
        people.write(&mut out, customer);
        out
    }

    #[test]
    fn one_answer_names_ten_thousand_customers_at_most() {
        let several = |count: i64| SaleOutcome::NotUnique {
            customers: (1..=count).collect(),
        };
        let told = |outcomes| {
            let outcomes = shared(outcomes).into_iter();
            let counts = outcomes.map(|one| one.candidates().map_or(0, <[i64]>::len));
            counts.collect::<Vec<_>>()
        };
        assert!(told(vec![]).is_empty());
        assert_eq!(told(vec![SaleOutcome::NotFound]), [0]);
        assert_eq!(told(vec![several(100); 100]), [100; 100]);
        let mut most = vec![several(100); 999];
        most.push(several(2));
        let told = told(most);
        assert_eq!((told[0], told[998], told[999]), (10, 10, 2));
    }

    #[test]
    fn a_customer_has_every_label() {
        let people = People::of(vec![person(None)]);
        assert_eq!(
            told(&people, 41_369),
            r#"{"BunkerID":"41369","CampaignRefID":null,"First Name":"Mateo \"M\"","Last Name":null,"Email":null,"Record created at":"2015-12-03 00:00:00","Document":null,"Document Type":null,"Document Country":null,"Phone":null,"Cellphone":null,"Gender":null,"Birthday":null,"Address":"Calle 1","City":null,"State":null,"Country":null,"Postal Code":null,"Device":null}"#
        );
        let unknown = told(&people, 7);
        assert!(unknown.starts_with(r#"{"BunkerID":"7","CampaignRefID":null,"#));
        assert!(unknown.contains(r#""Record created at":"","#));
        assert!(json::check(unknown.as_bytes()).is_ok());
    }

    #[test]
    fn the_contact_side_is_told_too() {
        let profile = r#"{"gender":"female","born_date":19900101,"document_type":"DNI","document_country":["UY"]}"#;
        let out = told(&People::of(vec![person(Some(profile))]), 41_369);
        for part in [
            r#""Gender":"female","Birthday":"19900101""#,
            r#""Document Type":"DNI","Document Country":null"#,
        ] {
            assert!(out.contains(part), "{out}");
        }
    }
}
