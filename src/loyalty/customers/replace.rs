//! A code or card number given anew by `card_replace`.
//!
//! Belongs here: which values change hands. Does not belong here: the other fields of a customer ([`super::save`]).

use super::erase::ErasePlan;
use super::{
    Customer, CustomerChange, KeyMove, Name, PeopleDone, PeopleFound, PeopleRows, moved, named,
};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::change::Change;
use crate::loyalty::ledger::{BalanceKey, Holder, Ledger, Overlay};
use crate::loyalty::rows::{Decided, Rows};

/// Who gets a new code or card number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Old {
    /// Whoever has this code.
    Code(String),
    /// Whoever has this card number.
    Card(String),
    /// The customer with this number, found by other fields.
    Matching(i64),
}

/// What the customer gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum New {
    /// This code.
    Code(String),
    /// This card number.
    Card(String),
    /// The first of these card numbers that is free.
    Drawn(Vec<String>),
}

/// The command.
#[derive(Debug)]
pub struct Replace {
    caller: Caller,
    /// Who gets it.
    pub old: Old,
    new: New,
    /// Whether it is taken from somebody who has no transactions.
    over: bool,
    /// Whether that customer's fields win.
    keep_duplicate: bool,
    /// What was found of whoever has the new value, before it was posted.
    pub copies: Option<ErasePlan>,
    country: Option<String>,
    planned_for: i64,
    /// What was found of it; posting fills it in.
    pub found: Option<PeopleFound>,
}

impl Replace {
    /// The command. `over`: whether a value is taken from somebody without transactions, and whether that customer's
    /// fields win.
    pub fn new(
        caller: Caller,
        (old, new): (Old, New),
        (over, keep_duplicate): (bool, bool),
        copies: Option<ErasePlan>,
        account: &Account,
    ) -> Result<Replace, Problem> {
        let mut replace = Replace {
            caller,
            old,
            new,
            over,
            keep_duplicate,
            copies,
            country: None,
            planned_for: 0,
            found: None,
        };
        replace.plan(account)?;
        Ok(replace)
    }

    /// The code or card number that the customer gets, where it was sent.
    pub fn new_value(&self) -> Option<&str> {
        match &self.new {
            New::Code(value) | New::Card(value) => Some(value),
            New::Drawn(_) => None,
        }
    }

    /// The account's country.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    fn customer<'f>(
        &self,
        overlay: &Overlay<'_>,
        found: &'f PeopleFound,
    ) -> Result<&'f Customer, Problem> {
        let holder = |value: &str| overlay.holder(value);
        let number = match &self.old {
            Old::Code(code) => named::find(code, "", holder)?,
            Old::Card(card) => named::find("", card, holder)?,
            Old::Matching(number) => *number,
        };
        let customer = found.customers.get(&number).ok_or_else(moved::unknown)?;
        match customer.is_erased() {
            true => Err(moved::unknown()),
            false => Ok(customer),
        }
    }

    /// Whether the card that is replaced is the customer's code as well: because both are one, or because a customer without
    /// a card was named by the code as by a card.
    fn is_code_too(&self, customer: &Customer) -> bool {
        let (code, card) = (&customer.person.code, &customer.person.card_number);
        match (card, &self.old) {
            (Some(_), _) => card == code,
            (None, Old::Card(sent)) => code.as_deref() == Some(sent),
            (None, _) => false,
        }
    }

    /// The new value, whether it is a code, and who holds it.
    fn value(&self, overlay: &Overlay<'_>) -> Result<(&str, bool, Option<Holder>), Problem> {
        match &self.new {
            New::Code(code) => Ok((code, true, overlay.holder(code))),
            New::Card(card) => Ok((card, false, overlay.holder(card))),
            New::Drawn(cards) => {
                let free = cards.iter().find(|card| overlay.holder(card).is_none());
                let free = free.ok_or_else(|| {
                    let why = "all card numbers that were drawn are taken";
                    Problem::new(Code::Unavailable).detail(why)
                })?;
                Ok((free, false, None))
            }
        }
    }

    /// What is to be erased of whoever has a value that is taken over.
    fn taken(&self, value: &str, field: &str, holder: Holder) -> Result<ErasePlan, Problem> {
        let about = |code| Problem::new(code).field(field).value(value);
        if !self.over || holder.replaced {
            return Err(about(Code::KeyTaken));
        }
        let found = self.found.as_ref().ok_or_else(moved::unknown)?;
        if found.has_balances.contains(&holder.customer) {
            return Err(about(Code::CardHasTransactions));
        }
        let plan = self.copies.as_ref().ok_or_else(moved::unknown)?;
        // Sales and what sync_data has brought are somebody's too.
        let contact = plan
            .was
            .as_ref()
            .and_then(|was| was.person.contact.as_ref());
        if !plan.sales.is_empty() || contact.is_some() {
            return Err(about(Code::CardHasTransactions));
        }
        match plan.customer == holder.customer {
            true => Ok(plan.clone()),
            false => Err(moved::unknown()),
        }
    }
}

impl Change for Replace {
    type Done = PeopleDone;

    fn account(&self) -> i32 {
        self.caller.account
    }

    fn bytes(&self) -> usize {
        size_of::<Replace>()
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.caller.permitted(account)?;
        self.country = account.country.clone();
        self.planned_for = account.config_version;
        Ok(())
    }

    fn planned_for(&self) -> i64 {
        self.planned_for
    }

    fn keys(&self) -> Vec<&str> {
        let old = match &self.old {
            Old::Code(value) | Old::Card(value) => Some(value.as_str()),
            Old::Matching(_) => None,
        };
        let new = match &self.new {
            New::Code(value) | New::Card(value) => std::slice::from_ref(value),
            New::Drawn(values) => values.as_slice(),
        };
        old.into_iter()
            .chain(new.iter().map(String::as_str))
            .collect()
    }

    fn balances(&self, account: &Account, _: &Ledger) -> Vec<BalanceKey> {
        moved::balances(account, self.found.as_ref())
    }

    fn decide<'c>(
        &'c self,
        _: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, PeopleDone>, Problem> {
        let found = self.found.as_ref().ok_or_else(moved::unknown)?;
        let mut overlay = ledger.overlay();
        let before = self.customer(&overlay, found)?;
        let number = before.person.customer;
        let (value, is_code, holder) = self.value(&overlay)?;
        let field = if is_code {
            "new_code"
        } else {
            "new_card_number"
        };
        let mut people = PeopleRows::default();
        let mut after = before.clone();
        match holder {
            Some(holder) if holder.customer == number && holder.replaced => {
                let about = Problem::new(Code::ReplacedCard).field(field);
                return Err(about.value(value));
            }
            Some(holder) if holder.customer == number => {
                let person = &before.person;
                let own = if is_code {
                    &person.code
                } else {
                    &person.card_number
                };
                if own.as_deref() == Some(value) {
                    let done = PeopleDone::Replaced {
                        customer: Box::new(after),
                    };
                    return Ok(Decided {
                        outcome: done,
                        stored: None,
                    });
                }
            }
            Some(holder) => {
                let mut plan = self.taken(value, field, holder)?;
                let taken = found
                    .customers
                    .get(&holder.customer)
                    .ok_or_else(moved::unknown)?;
                // Its other codes and cards lead to the customer as cards that were replaced.
                for (key, _) in std::mem::take(&mut plan.keys) {
                    if *key != *value {
                        overlay.replace(&key, number);
                        people.keys.push(KeyMove::Replace {
                            value: key,
                            customer: number,
                        });
                    }
                }
                if self.keep_duplicate {
                    let custom = taken.profile.iter();
                    let custom = custom.flat_map(|profile| profile.custom.keys());
                    let custom = custom.map(|number| Name::Custom(*number));
                    for name in Name::plain().chain(custom) {
                        if let Some(value) = taken.get(name) {
                            after.set(name, Some(value.into()));
                        }
                    }
                }
                people.erased.push(plan);
            }
            None => {}
        }
        let has_card = before.person.card_number.is_some();
        if self.is_code_too(before) && (has_card || !is_code) {
            // The lost card must not go on leading to the customer, neither as the code nor as the card.
            after.person.card_number = after.person.code.take();
            moved::new_card(&mut after, value, &mut overlay, &mut people.keys);
            after.person.code.clone_from(&after.person.card_number);
        } else if is_code {
            moved::new_code(&mut after, value, &mut overlay, &mut people.keys);
        } else {
            moved::new_card(&mut after, value, &mut overlay, &mut people.keys);
        }
        people.customers.push(CustomerChange {
            before: Some(before.clone()),
            after: after.clone(),
        });
        let rows = Rows {
            people: Some(Box::new(people)),
            ..Rows::default()
        };
        Ok(Decided {
            outcome: PeopleDone::Replaced {
                customer: Box::new(after),
            },
            stored: Some((rows, overlay.into_changes())),
        })
    }
}
