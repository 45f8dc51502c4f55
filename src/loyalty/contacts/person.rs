//! A customer with the contact side, as it is stored.

use super::fields::Column;
use super::sent::{KeyKind, Verdict};
use crate::json::Fields;

/// A customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The customer's number.
    pub customer: i64,
    /// Its code.
    pub code: Option<Box<str>>,
    /// Its card number.
    pub card_number: Option<Box<str>>,
    /// What all dialects know of it.
    pub columns: Columns,
    /// In microseconds since 1970.
    pub created_at: i64,
    /// The contact side; `None` where no request of `sync_data` has brought it yet.
    pub contact: Option<Contact>,
}

impl Person {
    /// Whether it was erased: its number is all that is left of it, because entries have it.
    pub fn is_erased(&self) -> bool {
        self.code.is_none() && self.card_number.is_none()
    }
}

/// What all dialects know of a customer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Columns {
    pub first_name: Option<Box<str>>,
    pub last_name: Option<Box<str>>,
    pub email: Option<Box<str>>,
    pub phone: Option<Box<str>>,
    pub cellphone: Option<Box<str>>,
    pub document: Option<Box<str>>,
    pub street1: Option<Box<str>>,
    pub city: Option<Box<str>>,
    pub state: Option<Box<str>>,
    pub postal_code: Option<Box<str>>,
    pub country: Option<Box<str>>,
}

impl Columns {
    /// What a column holds.
    pub fn get(&self, column: Column) -> Option<&str> {
        let value = match column {
            Column::FirstName => &self.first_name,
            Column::LastName => &self.last_name,
            Column::Email => &self.email,
            Column::City => &self.city,
            Column::State => &self.state,
            Column::PostalCode => &self.postal_code,
            Column::Street1 => &self.street1,
            Column::Country => &self.country,
        };
        value.as_deref()
    }

    /// Gives a column a value, or empties it.
    pub fn set(&mut self, column: Column, value: Option<Box<str>>) {
        let place = match column {
            Column::FirstName => &mut self.first_name,
            Column::LastName => &mut self.last_name,
            Column::Email => &mut self.email,
            Column::City => &mut self.city,
            Column::State => &mut self.state,
            Column::PostalCode => &mut self.postal_code,
            Column::Street1 => &mut self.street1,
            Column::Country => &mut self.country,
        };
        *place = value;
    }
}

/// The contact side of a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Its id: 24 hexadecimal digits.
    pub id: Box<str>,
    /// The client's own id of the person.
    pub user_id: Option<Box<str>>,
    /// Where it is from, as the client says.
    pub origin: Box<str>,
    /// What was found out about the e-mail address.
    pub verdict: Option<Verdict>,
    /// When that was found out, in microseconds since 1970.
    pub checked_at: Option<i64>,
    /// The number of the newest consent.
    pub last_consent: Option<i64>,
    /// Every field, as it was sent.
    pub profile: Fields,
    /// In microseconds since 1970.
    pub created_at: i64,
    /// In microseconds since 1970.
    pub updated_at: i64,
}

/// A customer that is created or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonChange {
    /// As it is to be.
    pub person: Person,
    /// Whether the customer is new.
    pub is_new: bool,
    /// Keys by which it is found from now on.
    pub new_keys: Vec<(KeyKind, Box<str>)>,
    /// Keys by which it is no longer found.
    pub old_keys: Vec<(KeyKind, Box<str>)>,
}
