//! Customers, as API 1.5 knows and changes them.
//!
//! Belongs here: a customer with the fields of API 1.5, what a request gives of them, what a decision gives to be
//! written. Does not belong here: contacts of `sync_data` ([`super::contacts`]), rows ([`crate::store`]).
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`named`] | which customer a code and a card number mean |
//! | [`fields`] | what may stand in the fields |
//! | [`save`] | a customer created, registered or changed |
//! | [`opening`] | what a new customer is given at once |
//! | `moved` | codes and card numbers that change hands |
//! | [`replace`] | a code or card number given anew |
//! | [`erase`] | a customer forgotten |
//! | [`traces`] | what tells that a text is about somebody |
//! | [`sheet`] | the text of a batch of customers |
//! | [`import`] | many customers at once |
//! | [`undo`] | such a batch taken back |
//! | [`search`] | which customers a search means |

pub mod erase;
pub mod fields;
pub mod import;
mod moved;
pub mod named;
pub mod opening;
pub mod replace;
pub mod save;
pub mod search;
pub mod sheet;
pub mod traces;
pub mod undo;

use super::account::Account;
use super::change::Change;
use super::contacts::person::{Columns, Person};
use super::contacts::sent::KeyKind;
use super::ledger::{BalanceKey, Ledger};
use super::rows::Decided;
use crate::error::Problem;
use erase::{Erase, ErasePlan};
use import::{Import, ImportOutcome};
use replace::Replace;
use save::Save;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The API 1.5 side of a customer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// The second line of the address.
    pub street2: Option<Box<str>>,
    /// `custom_date`, ISO.
    pub custom_date: Option<Box<str>>,
    /// `customer_username`, as it was sent.
    pub username: Option<Box<str>>,
    /// The hash of the password.
    pub password: Option<Box<str>>,
    /// The hash of the PIN.
    pub pin: Option<Box<str>>,
    /// Custom fields that have a value, by their numbers.
    pub custom: BTreeMap<u8, Box<str>>,
    /// Whether the customer is registered.
    pub registered: bool,
}

/// A customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Customer {
    /// What all dialects know of it, and the contact side.
    pub person: Person,
    /// The API 1.5 side; `None` where no request has brought it yet.
    pub profile: Option<Profile>,
}

/// A field of a customer under its name in API 1.5, but for codes, card numbers and secrets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Name {
    FirstName,
    LastName,
    Phone,
    Email,
    Street1,
    Street2,
    City,
    State,
    PostalCode,
    Country,
    CustomDate,
    Username,
    /// A custom field, by its number.
    Custom(u8),
}

/// The highest number of a custom field.
pub const CUSTOM_MAX: u8 = 99;

/// The fields that are no custom ones, with their names.
const WORDS: [(Name, &str); 12] = [
    (Name::FirstName, "first_name"),
    (Name::LastName, "last_name"),
    (Name::Phone, "phone"),
    (Name::Email, "email"),
    (Name::Street1, "street1"),
    (Name::Street2, "street2"),
    (Name::City, "city"),
    (Name::State, "state"),
    (Name::PostalCode, "postal_code"),
    (Name::Country, "country"),
    (Name::CustomDate, "custom_date"),
    (Name::Username, "customer_username"),
];

impl Name {
    /// The fields that are no custom ones, in the order of the replies.
    pub fn plain() -> impl Iterator<Item = Name> + Clone {
        WORDS.iter().map(|(name, _)| *name)
    }

    /// The field with this name; the first custom field has three.
    pub fn from_word(word: &str) -> Option<Name> {
        if let Some((name, _)) = WORDS.iter().find(|(_, known)| *known == word) {
            return Some(*name);
        }
        if word == "custom_field" || word == "custom1" {
            return Some(Name::Custom(1));
        }
        let digits = word.strip_prefix("custom_field_")?;
        let number: u8 = digits.parse().ok()?;
        let plain = digits == number.to_string() && (1..=CUSTOM_MAX).contains(&number);
        plain.then_some(Name::Custom(number))
    }

    /// The field's name.
    pub fn word(self) -> String {
        match self {
            Name::Custom(number) => format!("custom_field_{number}"),
            name => {
                let row = WORDS.iter().find(|(known, _)| *known == name);
                row.map_or("", |(_, word)| word).to_owned()
            }
        }
    }
}

impl Customer {
    /// A customer of whom nothing but code and card number is known.
    pub fn bare(
        number: i64,
        code: Option<Box<str>>,
        card_number: Option<Box<str>>,
        created_at: i64,
    ) -> Customer {
        Customer {
            person: Person {
                customer: number,
                code,
                card_number,
                columns: Columns::default(),
                created_at,
                contact: None,
            },
            profile: None,
        }
    }

    /// Whether it was erased: its number is all that is left of it, because entries have it.
    pub fn is_erased(&self) -> bool {
        self.person.is_erased()
    }

    /// What a field holds.
    pub fn get(&self, name: Name) -> Option<&str> {
        let columns = &self.person.columns;
        let profile = self.profile.as_ref();
        match name {
            Name::FirstName => columns.first_name.as_deref(),
            Name::LastName => columns.last_name.as_deref(),
            Name::Phone => columns.phone.as_deref(),
            Name::Email => columns.email.as_deref(),
            Name::Street1 => columns.street1.as_deref(),
            Name::City => columns.city.as_deref(),
            Name::State => columns.state.as_deref(),
            Name::PostalCode => columns.postal_code.as_deref(),
            Name::Country => columns.country.as_deref(),
            Name::Street2 => profile?.street2.as_deref(),
            Name::CustomDate => profile?.custom_date.as_deref(),
            Name::Username => profile?.username.as_deref(),
            Name::Custom(number) => profile?.custom.get(&number).map(|value| &**value),
        }
    }

    /// Gives a field a value, or empties it.
    pub fn set(&mut self, name: Name, value: Option<Box<str>>) {
        let columns = &mut self.person.columns;
        let place = match name {
            Name::FirstName => &mut columns.first_name,
            Name::LastName => &mut columns.last_name,
            Name::Phone => &mut columns.phone,
            Name::Email => &mut columns.email,
            Name::Street1 => &mut columns.street1,
            Name::City => &mut columns.city,
            Name::State => &mut columns.state,
            Name::PostalCode => &mut columns.postal_code,
            Name::Country => &mut columns.country,
            Name::Street2 => &mut self.profile.get_or_insert_default().street2,
            Name::CustomDate => &mut self.profile.get_or_insert_default().custom_date,
            Name::Username => &mut self.profile.get_or_insert_default().username,
            Name::Custom(number) => {
                let custom = &mut self.profile.get_or_insert_default().custom;
                match value {
                    Some(value) => custom.insert(number, value),
                    None => custom.remove(&number),
                };
                return;
            }
        };
        *place = value;
    }
}

/// What a request does to a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// Nothing.
    Keep,
    /// It empties it.
    Clear,
    /// It gives it this value.
    Set(Box<str>),
}

/// What a request gives of a customer. Secrets are hashed already.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CustomerFields {
    /// The fields it names.
    pub names: Vec<(Name, Given)>,
    /// The hash of a new password.
    pub password: Option<Box<str>>,
    /// The hash of a new PIN.
    pub pin: Option<Box<str>>,
}

/// What was found under the account's head for a command about customers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PeopleFound {
    /// The customers that it names, by their numbers.
    pub customers: HashMap<i64, Customer>,
    /// Who has the usernames and the unique values that it gives.
    pub names_held: HashMap<(KeyKind, Box<str>), Vec<i64>>,
    /// Those of the customers who have a balance.
    pub has_balances: HashSet<i64>,
    /// The time by the database.
    pub now_us: i64,
}

/// A command about customers.
#[derive(Debug)]
pub enum PeopleCommand {
    /// A customer created, registered or changed.
    Save(Save),
    /// A code or card number given anew.
    Replace(Replace),
    /// A customer forgotten.
    Erase(Erase),
    /// Many customers at once.
    Import(Import),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeopleDone {
    /// The customer was created or changed.
    Saved {
        /// As it is now.
        customer: Box<Customer>,
        /// Which of the two, and how.
        status: SavedAs,
    },
    /// The customer has a new code or card number.
    Replaced {
        /// As it is now.
        customer: Box<Customer>,
    },
    /// The customer was forgotten.
    Erased {
        /// Its number.
        customer: i64,
    },
    /// What became of many.
    Imported(Box<ImportOutcome>),
}

/// How a customer was saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedAs {
    /// It was created.
    New,
    /// It was registered.
    Registered,
    /// It was changed.
    Updated,
}

impl SavedAs {
    /// All of them, with their words in replies and in what is kept for repetitions.
    pub const ALL: [(SavedAs, &'static str); 3] = [
        (SavedAs::New, "new"),
        (SavedAs::Registered, "registered"),
        (SavedAs::Updated, "updated"),
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        let row = SavedAs::ALL.iter().find(|(one, _)| *one == self);
        row.map_or("", |(_, word)| word)
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<SavedAs> {
        let row = SavedAs::ALL.iter().find(|(_, known)| *known == word)?;
        Some(row.0)
    }
}

/// A customer that is created or changed; its keys, its search text and its rows follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerChange {
    /// As it was; `None` where it is new.
    pub before: Option<Customer>,
    /// As it is to be.
    pub after: Customer,
}

/// A code or card number that changes hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyMove {
    /// It leads to this customer.
    Give {
        /// The code or card number.
        value: Box<str>,
        /// The customer.
        customer: i64,
    },
    /// It stays with this customer as a card that was replaced.
    Replace {
        /// The card number.
        value: Box<str>,
        /// The customer.
        customer: i64,
    },
    /// It is nobody's any more.
    Free {
        /// The code or card number.
        value: Box<str>,
    },
}

impl KeyMove {
    /// What changes hands.
    pub fn value(&self) -> &str {
        match self {
            KeyMove::Give { value, .. } | KeyMove::Replace { value, .. } => value,
            KeyMove::Free { value } => value,
        }
    }
}

/// What a batch has changed of a customer, kept to be undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The batch's number.
    pub batch: i64,
    /// The customer's number.
    pub customer: i64,
    /// Whether the customer came with the batch.
    pub created: bool,
    /// Each field that was changed, with its old and its new value: a JSON text.
    pub image: String,
}

/// What is to be written of customers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PeopleRows {
    /// Customers created and changed, each once.
    pub customers: Vec<CustomerChange>,
    /// Codes and card numbers that change hands, each value once.
    pub keys: Vec<KeyMove>,
    /// Customers to be forgotten.
    pub erased: Vec<ErasePlan>,
    /// What is kept to be undone.
    pub images: Vec<Image>,
    /// What is not kept any more: batch and customer.
    pub images_gone: Vec<(i64, i64)>,
    /// Of a batch of customers, how many lines were imported.
    pub imported: Option<usize>,
}

/// A command about customers, whichever it is.
type AnyChange = dyn Change<Done = PeopleDone>;

impl PeopleCommand {
    /// Whether it is written alone: what others of its group write of somebody who is forgotten would not be found, and
    /// others that name a code which many customers are given would need the balances of all of them.
    pub fn is_alone(&self) -> bool {
        match self {
            PeopleCommand::Erase(_) | PeopleCommand::Import(_) => true,
            PeopleCommand::Replace(replace) => replace.copies.is_some(),
            PeopleCommand::Save(_) => false,
        }
    }

    fn change(&self) -> &AnyChange {
        match self {
            PeopleCommand::Save(save) => save,
            PeopleCommand::Replace(replace) => replace,
            PeopleCommand::Erase(erase) => erase,
            PeopleCommand::Import(import) => import,
        }
    }

    fn change_mut(&mut self) -> &mut AnyChange {
        match self {
            PeopleCommand::Save(save) => save,
            PeopleCommand::Replace(replace) => replace,
            PeopleCommand::Erase(erase) => erase,
            PeopleCommand::Import(import) => import,
        }
    }
}

impl Change for PeopleCommand {
    type Done = PeopleDone;

    fn account(&self) -> i32 {
        self.change().account()
    }

    fn bytes(&self) -> usize {
        self.change().bytes()
    }

    fn lines(&self) -> usize {
        self.change().lines()
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.change_mut().plan(account)
    }

    fn planned_for(&self) -> i64 {
        self.change().planned_for()
    }

    fn keys(&self) -> Vec<&str> {
        self.change().keys()
    }

    fn balances(&self, account: &Account, ledger: &Ledger) -> Vec<BalanceKey> {
        self.change().balances(account, ledger)
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, PeopleDone>, Problem> {
        self.change().decide(account, ledger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name_of_its_own_and_keeps_what_it_is_given() {
        let names = Name::plain().chain([1, 2, 99].map(Name::Custom));
        let mut customer = Customer::bare(1, Some("c".into()), None, 0);
        for name in names.clone() {
            assert_eq!(Name::from_word(&name.word()), Some(name));
            assert_eq!(customer.get(name), None);
            customer.set(name, Some(name.word().into()));
        }
        for name in names.clone() {
            assert_eq!(customer.get(name), Some(&*name.word()));
            customer.set(name, None);
        }
        assert_eq!(customer.profile, Some(Profile::default()));
        assert_eq!(customer.person.columns, Columns::default());
        for first in ["custom_field", "custom1", "custom_field_1"] {
            assert_eq!(Name::from_word(first), Some(Name::Custom(1)));
        }
        for none in [
            "custom_field_0",
            "custom_field_01",
            "custom_field_100",
            "code",
            "",
        ] {
            assert_eq!(Name::from_word(none), None, "{none}");
        }
    }
}
