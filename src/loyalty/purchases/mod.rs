//! Purchases that `sync_data` brings: bookings and stays, known by the client's own transaction code.
//!
//! Belongs here: what each field of a purchase means, and what becomes of one that is known already. Does not belong
//! here: jobs ([`super::sync`]), how a body is read, SQL.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`read`] | a purchase as it was sent, read and checked |
//! | [`merge`] | what is kept, changed and cleared |

pub mod merge;
pub mod read;

use crate::json::Fields;

#[cfg(test)]
mod tests;

/// The documented statuses, in the order of the documentation.
pub const STATUSES: [&str; 13] = [
    "add_cart",
    "purchase",
    "remove_cart",
    "product_view",
    "product_refund",
    "purchase_failed",
    "canceled",
    "no_show",
    "no_paid",
    "check_in",
    "check_out",
    "reserved",
    "confirmed",
];

/// The status of a new purchase that does not say its own.
pub const DEFAULT_STATUS: &str = "purchase";

/// The names under which the product's id may be sent; the first one that is there counts.
pub const UUID_NAMES: [&str; 4] = ["UUID", "uuid", "product_uuid", "product_UUID"];

/// The documented fields beside the product's id, in the order of the documentation.
pub const FIELDS: [&str; 8] = [
    "campaign_id",
    "transaction_code",
    "price",
    "currency",
    "status",
    "redeem_coupon_code",
    "name",
    "description",
];

/// What a webhook tells of each purchase, before the fields that were asked for.
pub const DEFAULT_TOLD: [&str; 2] = ["transaction_code", "_id"];

/// A purchase as it was sent, read and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurchaseSent {
    /// All of it, in JSON.
    pub raw: Box<str>,
    /// The client's own code of it.
    pub code: Box<str>,
    /// The product.
    pub product_uuid: Option<Box<str>>,
    /// The price, in ten-thousandths.
    pub price: Option<i64>,
    /// The currency, in capitals.
    pub currency: Option<Box<str>>,
    /// One of [`STATUSES`].
    pub status: Option<&'static str>,
    /// Its fields in their order, with their JSON; `None` where the field is to be cleared.
    pub fields: Vec<(Box<str>, Option<Box<str>>)>,
}

/// A purchase as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPurchase {
    /// The client's own code of it.
    pub code: Box<str>,
    /// Its id: 24 hexadecimal digits.
    pub id: Box<str>,
    /// The number of its first customer.
    pub customer: Option<i64>,
    /// The product.
    pub product_uuid: Box<str>,
    /// The price, in ten-thousandths.
    pub price: i64,
    /// The currency.
    pub currency: Box<str>,
    /// One of [`STATUSES`].
    pub status: Box<str>,
    /// Every field, as it was sent.
    pub fields: Fields,
    /// Where it is from, as the client says.
    pub origin: Box<str>,
    /// In microseconds since 1970.
    pub created_at: i64,
    /// In microseconds since 1970.
    pub updated_at: i64,
}

/// A purchase that is created or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurchaseChange {
    /// As it is to be.
    pub purchase: StoredPurchase,
    /// Whether it is new.
    pub is_new: bool,
    /// The numbers of its customers; `None` keeps those that it has.
    pub links: Option<Vec<i64>>,
}
