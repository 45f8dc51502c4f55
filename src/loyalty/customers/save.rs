//! A customer created, registered or changed by `record_customer`.
//!
//! Belongs here: who is meant, what is written. Does not belong here: what may stand in the fields
//! ([`super::fields`]), what the amount of an opening means ([`crate::loyalty::plan`]).

use super::fields::{self, Empty, How};
use super::opening::Opening;
use super::{
    Customer, CustomerChange, CustomerFields, Given, KeyMove, Name, PeopleDone, PeopleFound,
    PeopleRows, SavedAs, moved, named,
};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::change::Change;
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::ledger::{BalanceKey, Ledger, Numbers, Overlay};
use crate::loyalty::rows::{Decided, Rows};
use chrono::{DateTime, Utc};

/// What is done with a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is created.
    New,
    /// It registers.
    Register,
    /// It is changed, or created where there is none.
    Edit,
}

/// What was sent of a customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// What is done.
    pub action: Action,
    /// The code, or nothing.
    pub code: String,
    /// The card number, or nothing.
    pub card: String,
    /// Whether a code is to be drawn.
    pub new_code: bool,
    /// The code that is taken where one is to be drawn.
    pub drawn_code: String,
    /// Card numbers of which the first free one is taken; none where none is to be drawn.
    pub drawn_cards: Vec<String>,
    /// The fields with their values.
    pub fields: Vec<(Name, String)>,
    /// The hash of a new password.
    pub password: Option<Box<str>>,
    /// The hash of a new PIN.
    pub pin: Option<Box<str>>,
    /// What a new customer is given at once: campaigns by their ids, and the amount.
    pub auto_add: Option<(Vec<String>, String)>,
}

/// The command.
#[derive(Debug)]
pub struct Save {
    caller: Caller,
    sent: Sent,
    received: DateTime<Utc>,
    fields: CustomerFields,
    /// Names that nobody else may have, with the fields that they come of.
    names: Vec<(KeyKind, Box<str>, Name)>,
    opening: Option<Opening>,
    planned_for: Option<i64>,
    /// What was found of it; posting fills it in.
    pub found: Option<PeopleFound>,
}

impl Save {
    /// The command, planned under the account's present configuration.
    pub fn new(
        caller: Caller,
        sent: Sent,
        received: DateTime<Utc>,
        account: &Account,
    ) -> Result<Save, Problem> {
        let mut save = Save {
            caller,
            sent,
            received,
            fields: CustomerFields::default(),
            names: Vec::new(),
            opening: None,
            planned_for: None,
            found: None,
        };
        save.plan(account)?;
        Ok(save)
    }

    /// The names that nobody else may have.
    pub fn names(&self) -> impl Iterator<Item = (KeyKind, &str)> {
        self.names.iter().map(|(kind, value, _)| (*kind, &**value))
    }

    fn read(&self, account: &Account, new: bool) -> Result<CustomerFields, Problem> {
        let values = self.sent.fields.iter();
        let how = How {
            new,
            empty: Empty::Clear,
        };
        fields::read(values.map(|(name, value)| (*name, &**value)), account, how)
    }

    /// The customer that is meant, if there is one.
    fn customer(&self, overlay: &Overlay<'_>) -> Result<Option<i64>, Problem> {
        let (code, card) = (&*self.sent.code, &*self.sent.card);
        let holder = |value: &str| overlay.holder(value);
        match self.sent.action {
            Action::New => Ok(None),
            Action::Register if card.is_empty() => named::find(code, "", holder).map(Some),
            Action::Register => {
                let customer = named::find("", card, holder)?;
                let other = holder(code).filter(|_| !code.is_empty());
                if other.is_some_and(|other| other.customer != customer) {
                    return Err(about(Code::CustomersDiffer, "card_number", card));
                }
                Ok(Some(customer))
            }
            Action::Edit => {
                let (field, value) = match code.is_empty() {
                    true => ("card_number", card),
                    false => ("code", code),
                };
                match holder(value).filter(|_| !value.is_empty()) {
                    Some(holder) if holder.replaced => Err(about(Code::ReplacedCard, field, value)),
                    holder => Ok(holder.map(|holder| holder.customer)),
                }
            }
        }
    }

    /// The card number that the customer is to have, if the request gives one.
    fn card(&self, overlay: &Overlay<'_>) -> Result<Option<&str>, Problem> {
        if !self.sent.card.is_empty() {
            return Ok(Some(&self.sent.card));
        }
        if self.sent.drawn_cards.is_empty() || self.sent.action == Action::Register {
            return Ok(None);
        }
        let mut drawn = self.sent.drawn_cards.iter();
        let free = drawn.find(|card| overlay.holder(card).is_none());
        let free = free.ok_or_else(|| {
            Problem::new(Code::Unavailable).detail("all card numbers that were drawn are taken")
        })?;
        Ok(Some(free))
    }

    fn drawn_code(&self, overlay: &Overlay<'_>) -> Result<&str, Problem> {
        match overlay.holder(&self.sent.drawn_code) {
            None => Ok(&self.sent.drawn_code),
            Some(_) => Err(Problem::new(Code::Unavailable).detail("the drawn code is taken")),
        }
    }

    /// Writes what was sent into a customer. Nobody else may have its username and its unique values.
    fn write(&self, customer: &mut Customer, found: &PeopleFound) -> Result<(), Problem> {
        let number = customer.person.customer;
        for (kind, value, name) in &self.names {
            let held = found.names_held.get(&(*kind, value.clone()));
            if held.is_some_and(|held| held.iter().any(|other| *other != number)) {
                let code = match name {
                    Name::Username => Code::UsernameTaken,
                    _ => Code::ValueTaken,
                };
                return Err(about(code, &name.word(), self.sent_of(*name)));
            }
        }
        for (name, given) in &self.fields.names {
            match given {
                Given::Keep => {}
                Given::Clear => customer.set(*name, None),
                Given::Set(value) => customer.set(*name, Some(value.clone())),
            }
        }
        let profile = customer.profile.get_or_insert_default();
        if let Some(password) = &self.sent.password {
            profile.password = Some(password.clone());
        }
        if let Some(pin) = &self.sent.pin {
            profile.pin = Some(pin.clone());
        }
        Ok(())
    }

    fn sent_of(&self, name: Name) -> &str {
        let mut sent = self.sent.fields.iter().rev();
        sent.find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// A new customer with its code and card.
    fn create(
        &self,
        account: &Account,
        overlay: &mut Overlay<'_>,
        found: &PeopleFound,
        keys: &mut Vec<KeyMove>,
    ) -> Result<Customer, Problem> {
        if self.sent.action == Action::Edit {
            // What is required of a new customer is not asked of one that is changed.
            self.read(account, true)?;
        }
        let card = self.card(overlay)?;
        let code = match (self.sent.action, card) {
            (Action::New, _) if !self.sent.code.is_empty() => &*self.sent.code,
            (Action::New, Some(card)) if !self.sent.new_code => card,
            _ => self.drawn_code(overlay)?,
        };
        // A card that is the code as well is one key.
        let other = card.filter(|card| *card != code);
        for (field, value) in [("code", Some(code)), ("card_number", other)] {
            let Some(value) = value else { continue };
            if overlay.holder(value).is_some() {
                let is_card = value == self.sent.card;
                let field = if is_card { "card_number" } else { field };
                return Err(about(Code::KeyTaken, field, value));
            }
        }
        let number = overlay.numbers.customer;
        for value in [Some(code), other].into_iter().flatten() {
            overlay.hold(value, number);
            keys.push(KeyMove::Give {
                value: value.into(),
                customer: number,
            });
        }
        Numbers::take(&mut overlay.numbers.customer);
        let (code, card) = (Some(code.into()), card.map(Box::from));
        let mut customer = Customer::bare(number, code, card, found.now_us);
        customer.profile.get_or_insert_default().registered = true;
        Ok(customer)
    }

    /// Gives a customer who was there before the code and the card that the request asks for.
    fn change_keys(
        &self,
        customer: &mut Customer,
        overlay: &mut Overlay<'_>,
        keys: &mut Vec<KeyMove>,
    ) -> Result<(), Problem> {
        if self.sent.action != Action::Edit {
            return Ok(());
        }
        if self.sent.new_code {
            let code = self.drawn_code(overlay)?;
            moved::new_code(customer, code, overlay, keys);
        }
        // Alone it only says who is meant, and it may be the code.
        if !self.sent.card.is_empty() && self.sent.code.is_empty() {
            return Ok(());
        }
        let Some(card) = self.card(overlay)? else {
            return Ok(());
        };
        match overlay.holder(card) {
            Some(holder) if holder.customer != customer.person.customer => {
                Err(about(Code::KeyTaken, "card_number", card))
            }
            Some(holder) if holder.replaced => Err(about(Code::ReplacedCard, "card_number", card)),
            _ if customer.person.card_number.as_deref() == Some(card) => Ok(()),
            _ => {
                moved::new_card(customer, card, overlay, keys);
                Ok(())
            }
        }
    }
}

fn about(code: Code, field: &str, value: &str) -> Problem {
    Problem::new(code).field(field).value(value)
}

impl Change for Save {
    type Done = PeopleDone;

    fn account(&self) -> i32 {
        self.caller.account
    }

    fn bytes(&self) -> usize {
        let sent = &self.sent;
        let fields = sent.fields.iter().map(|(_, value)| value.len());
        let cards = sent.drawn_cards.iter().map(String::len);
        let opening = self.opening.as_ref().map_or(0, Opening::bytes);
        fields
            .chain(cards)
            .fold(size_of::<Save>(), usize::saturating_add)
            .saturating_add(opening)
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.caller.permitted(account)?;
        if self.planned_for == Some(account.config_version) {
            return Ok(());
        }
        self.fields = self.read(account, self.sent.action == Action::New)?;
        self.names = unique_names(&self.fields, account)?;
        self.opening = match &self.sent.auto_add {
            Some((campaigns, amount)) => {
                let (caller, received) = (self.caller.clone(), self.received);
                Some(Opening::new(caller, campaigns, amount, received, account)?)
            }
            None => None,
        };
        self.planned_for = Some(account.config_version);
        Ok(())
    }

    fn planned_for(&self) -> i64 {
        self.planned_for.unwrap_or(0)
    }

    fn keys(&self) -> Vec<&str> {
        let sent = &self.sent;
        let cards = sent.drawn_cards.iter().map(String::as_str);
        let all = [&*sent.code, &*sent.card, &*sent.drawn_code];
        let all = all.into_iter().chain(cards);
        all.filter(|value| !value.is_empty()).collect()
    }

    fn balances(&self, account: &Account, _: &Ledger) -> Vec<BalanceKey> {
        let sent = &self.sent;
        let gives = sent.new_code || !sent.card.is_empty() || !sent.drawn_cards.is_empty();
        match sent.action == Action::Edit && gives {
            true => moved::balances(account, self.found.as_ref()),
            false => Vec::new(),
        }
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, PeopleDone>, Problem> {
        let found = self.found.as_ref().ok_or_else(moved::unknown)?;
        let mut overlay = ledger.overlay();
        let mut keys = Vec::new();
        let mut entries = Vec::new();
        let (before, mut after, status) = match self.customer(&overlay)? {
            Some(number) => {
                let before = found.customers.get(&number).ok_or_else(moved::unknown)?;
                let mut after = before.clone();
                let mut status = SavedAs::Updated;
                if self.sent.action == Action::Register {
                    let profile = after.profile.get_or_insert_default();
                    if profile.registered {
                        let shown = match self.sent.card.is_empty() {
                            true => ("code", &self.sent.code),
                            false => ("card_number", &self.sent.card),
                        };
                        return Err(about(Code::AlreadyRegistered, shown.0, shown.1));
                    }
                    profile.registered = true;
                    status = SavedAs::Registered;
                }
                self.change_keys(&mut after, &mut overlay, &mut keys)?;
                (Some(before.clone()), after, status)
            }
            None => {
                let after = self.create(account, &mut overlay, found, &mut keys)?;
                (None, after, SavedAs::New)
            }
        };
        self.write(&mut after, found)?;
        if let (None, Some(opening)) = (&before, &self.opening) {
            entries = opening.post(account, after.person.customer, None, &mut overlay)?;
        }
        let done = PeopleDone::Saved {
            customer: Box::new(after.clone()),
            status,
        };
        let people = PeopleRows {
            customers: vec![CustomerChange { before, after }],
            keys,
            ..PeopleRows::default()
        };
        let rows = Rows {
            entries,
            people: Some(Box::new(people)),
            ..Rows::default()
        };
        Ok(Decided {
            outcome: done,
            stored: Some((rows, overlay.into_changes())),
        })
    }
}

/// The names among these fields that no two customers may have.
pub(super) fn unique_names(
    fields: &CustomerFields,
    account: &Account,
) -> Result<Vec<(KeyKind, Box<str>, Name)>, Problem> {
    let unique = |name: Name| match name {
        Name::Username => true,
        Name::Custom(number) => account.field(number).is_some_and(|field| field.unique),
        _ => false,
    };
    let mut names = Vec::new();
    for (name, given) in fields.names.iter().filter(|(name, _)| unique(*name)) {
        if let Given::Set(value) = given {
            // What is too long to be found is too long to be compared with what others have.
            let too_long = || about(Code::TooLong, &name.word(), value).detail(UNIQUE_MAX_CHARS);
            let (kind, key) = keys::of_name(*name, value).ok_or_else(too_long)?;
            names.push((kind, key, *name));
        }
    }
    Ok(names)
}

/// The longest value, in characters, that is surely short enough to be unique.
const UNIQUE_MAX_CHARS: usize = 250;

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
