//! A customer forgotten by `customer_delete`.
//!
//! Belongs here: who is meant, and what is noted of the rows that hold something of it. Does not belong here: what tells
//! that a text is about somebody ([`super::traces`]), what is left of the rows ([`crate::store::erase`]).

use super::{Customer, PeopleDone, PeopleRows, moved, named};
use crate::error::Problem;
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::change::Change;
use crate::loyalty::ledger::Ledger;
use crate::loyalty::rows::{Decided, Rows};

/// The command.
#[derive(Debug)]
pub struct Erase {
    caller: Caller,
    code: String,
    /// What was found before it was posted.
    pub copies: ErasePlan,
    /// What was found of it under the account's head; posting fills it in.
    pub found: Option<ErasePlan>,
    country: Option<String>,
    planned_for: i64,
}

impl Erase {
    /// The command, for a customer of whom most was found already.
    pub fn new(
        caller: Caller,
        code: &str,
        copies: ErasePlan,
        account: &Account,
    ) -> Result<Erase, Problem> {
        let mut erase = Erase {
            caller,
            code: code.to_owned(),
            copies,
            found: None,
            country: None,
            planned_for: 0,
        };
        erase.plan(account)?;
        Ok(erase)
    }

    /// The code or card number that was sent.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The account's country.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }
}

impl Change for Erase {
    type Done = PeopleDone;

    fn account(&self) -> i32 {
        self.caller.account
    }

    fn bytes(&self) -> usize {
        let entries = self.copies.entries.len().saturating_mul(size_of::<i64>());
        size_of::<Erase>().saturating_add(entries)
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
        vec![&self.code]
    }

    fn decide<'c>(
        &'c self,
        _: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, PeopleDone>, Problem> {
        let mut overlay = ledger.overlay();
        let customer = named::find(&self.code, "", |value| overlay.holder(value))?;
        let plan = self.found.as_ref().ok_or_else(moved::unknown)?;
        if plan.customer != customer {
            return Err(moved::unknown());
        }
        for (value, _) in &plan.keys {
            overlay.free(value);
        }
        let people = PeopleRows {
            erased: vec![plan.clone()],
            ..PeopleRows::default()
        };
        let rows = Rows {
            people: Some(Box::new(people)),
            ..Rows::default()
        };
        Ok(Decided {
            outcome: PeopleDone::Erased { customer },
            stored: Some((rows, overlay.into_changes())),
        })
    }
}

/// The rows that hold something of a customer who is to be forgotten, beside those that have the customer in their key.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ErasePlan {
    /// The customer's number.
    pub customer: i64,
    /// The customer, as it was.
    pub was: Option<Box<Customer>>,
    /// The customer's codes and card numbers, and whether each was replaced.
    pub keys: Vec<(Box<str>, bool)>,
    /// The id that its contact gets in place of its own.
    pub contact_id: String,
    /// Journal entries with an authorization or custom fields.
    pub entries: Vec<i64>,
    /// Sales.
    pub sales: Vec<i64>,
    /// Purchases that are deleted, by their transaction codes.
    pub purchases_gone: Vec<String>,
    /// Purchases that lose this customer, with the customer's place in them.
    pub links_gone: Vec<(String, i32)>,
    /// Items of jobs, by job and item.
    pub items: Vec<(i64, i32)>,
    /// Rejections, and whether they are open.
    pub rejections: Vec<(i64, bool)>,
    /// How far was looked.
    pub marks: Marks,
}

/// How far the tables were looked through: all up to these numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Marks {
    /// The account's next commit: as long as it is the same, nothing of the account was written.
    pub commit: i64,
    /// The version of the account's codes and cards.
    pub keys_version: i64,
    /// Jobs whose items do not change any more.
    pub job: i64,
    /// Rejections.
    pub rejection: i64,
    /// Journal entries.
    pub entry: i64,
}
