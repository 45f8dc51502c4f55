//! Sales of sales v4: each finds its customer, or is kept with the reason.
//!
//! Belongs here: what a sale means, whose it is, whether it is new, what it earns. Does not belong here: the wire
//! ([`crate::sales_v4`]), SQL, clocks.
//!
//! Words: an *item* is a sale as it was sent; a *sale* is one that is stored; a *link* is an id of the outer system by
//! which a sale is found again.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`read`] | an item's members, checked |
//! | [`time`] | the `event_time` |
//! | [`book`] | what is known: customers by their keys, sales by their links |
//! | [`matching`] | whose sale it is |
//! | [`decide`] | what becomes of each item, one after the other |
//! | [`earn`] | the points of a sale, given and taken back |
//! | [`rows`] | what is to be written |

pub mod book;
pub mod decide;
pub mod earn;
pub mod matching;
pub mod read;
pub mod rows;
pub mod time;

use super::account::{Account, Brand};
use super::ledger::{BalanceKey, Ledger};
use crate::dates::Day;
use crate::error::{Code, Problem};
use read::{Item, Terms};
use serde::{Deserialize, Serialize};

/// The most customers that are named where several fit.
pub const MATCHES_MAX: usize = 100;

/// Sales to be posted, in their order.
#[derive(Debug)]
pub struct Sales {
    /// The account's number.
    pub account: i32,
    /// The brand's number.
    pub brand: i32,
    /// Where they come from.
    pub source: Source,
    /// The sales.
    pub items: Vec<Item>,
    /// The day it is in the account's zone: kept items without a day of their own count for it.
    pub today: Day,
    /// The version of the configuration that the items were read under.
    pub planned_for: i64,
}

/// Where sales come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A brand sends them: the digest of its token, which is checked again under the account's head.
    Caller {
        /// The digest.
        token: [u8; 32],
    },
    /// A person assigns a kept sale to a customer.
    Assign {
        /// The number under which it is kept.
        rejection: i64,
    },
}

/// What became of an item. Kept for requests that come again, so it names numbers and no persons.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum SaleOutcome {
    /// A sale was created.
    Created {
        /// The sale's number.
        sale: i64,
        /// The customer's number.
        customer: i64,
    },
    /// A sale that was known is as this item says now.
    Updated {
        /// The sale's number.
        sale: i64,
        /// The customer's number.
        customer: i64,
    },
    /// Nobody has the keys.
    NotFound,
    /// Several customers have the keys.
    NotUnique {
        /// Their numbers, ascending, at most [`MATCHES_MAX`].
        customers: Vec<i64>,
    },
    /// The item cannot be read; [`Item::read`] says why.
    Invalid,
}

impl SaleOutcome {
    /// Whether a sale was stored.
    pub fn is_stored(&self) -> bool {
        matches!(
            self,
            SaleOutcome::Created { .. } | SaleOutcome::Updated { .. }
        )
    }

    /// The customers of whom it cannot be told which is meant.
    pub fn candidates(&self) -> Option<&[i64]> {
        match self {
            SaleOutcome::NotUnique { customers } => Some(customers),
            _ => None,
        }
    }
}

impl Sales {
    /// Authenticates under the account's present configuration, and reads the items again if that has moved: currency,
    /// zone and country may be others.
    ///
    /// # Errors
    /// The brand is gone, or it has another token now.
    pub fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        let brand = account.brand(self.brand);
        let known = brand.filter(|brand| match &self.source {
            Source::Caller { token } => crate::secrets::same(token, &brand.token),
            Source::Assign { .. } => true,
        });
        let brand = known.ok_or_else(|| Problem::new(Code::BadCredentials))?;
        if self.planned_for != account.config_version {
            let terms = Terms::of(account, brand);
            for item in &mut self.items {
                *item = Item::read(&item.raw, &terms);
            }
            self.planned_for = account.config_version;
        }
        Ok(())
    }

    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        let texts = self.items.iter().map(|item| item.raw.len());
        let items = self.items.len().saturating_mul(size_of::<Item>());
        // What an item says is about as long as its text.
        texts
            .fold(0, usize::saturating_add)
            .saturating_mul(2)
            .saturating_add(items)
    }

    /// The rejection that is closed when this is stored.
    pub fn assigns(&self) -> Option<i64> {
        match self.source {
            Source::Assign { rejection } => Some(rejection),
            Source::Caller { .. } => None,
        }
    }

    /// The balances that it touches if everybody is found as the ledger's book has them; repeated ones are repeated.
    pub fn balances(&self, account: &Account, ledger: &Ledger) -> Vec<BalanceKey> {
        match account.brand(self.brand) {
            Some(brand) => earn::balances(self, brand, &ledger.sales),
            None => Vec::new(),
        }
    }

    /// The brand, as it is configured now.
    ///
    /// # Errors
    /// It is gone.
    pub(super) fn brand_of<'a>(&self, account: &'a Account) -> Result<&'a Brand, Problem> {
        account
            .brand(self.brand)
            .ok_or_else(|| Problem::new(Code::BadCredentials))
    }
}

#[cfg(test)]
mod tests;
