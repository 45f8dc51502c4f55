//! Sales as they are stored, and what is to be written of them.

use super::book::LinkKind;
use crate::amount::Amount;
use crate::dates::Day;
use crate::loyalty::ledger::BalanceKey;

/// A sale as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSale {
    /// Its number.
    pub number: i64,
    /// The brand's number.
    pub brand: i32,
    /// The customer's number.
    pub customer: i64,
    /// When it was, in microseconds since 1970 UTC.
    pub event_at: i64,
    /// The day it was in the brand's zone.
    pub day: Day,
    /// The outer system's id of the sale.
    pub external_sale_id: Option<Box<str>>,
    /// The outer system's id of the order.
    pub order_id: Option<Box<str>>,
    /// Its value, if it was told.
    pub value: Option<Amount>,
    /// The currency of the value.
    pub currency: Box<str>,
    /// Members that are not documented, as one JSON object.
    pub extra: Option<Box<str>>,
    /// What it has earned, as far as it is not taken back.
    pub earned: Option<Earned>,
}

/// Points that a sale has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earned {
    /// Whose, and in which campaign.
    pub key: BalanceKey,
    /// The journal entry that gave them.
    pub entry: i64,
    /// How many.
    pub points: Amount,
    /// The day they count for.
    pub day: Day,
}

impl StoredSale {
    /// The ids by which it is found.
    pub fn links(&self) -> impl Iterator<Item = (LinkKind, &str)> {
        let external = self.external_sale_id.as_deref();
        let order = self.order_id.as_deref();
        let external = external.map(|id| (LinkKind::External, id));
        external
            .into_iter()
            .chain(order.map(|id| (LinkKind::Order, id)))
    }
}

/// A sale that is created or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaleChange {
    /// As it is to be.
    pub sale: StoredSale,
    /// Whether it is new.
    pub is_new: bool,
    /// Ids by which it is found from now on.
    pub new_links: Vec<(LinkKind, Box<str>)>,
    /// Ids by which it is no longer found.
    pub old_links: Vec<(LinkKind, Box<str>)>,
}

/// What is to be written of a request with sales, beside entries and kept items.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SalesRows {
    /// The brand's number.
    pub brand: i32,
    /// Sales created or changed, each once, in the order in which they were first touched.
    pub changes: Vec<SaleChange>,
    /// Prints of items, each with the rejection below which open ones with the same print are superseded.
    pub prints: Vec<([u8; 32], i64)>,
}
