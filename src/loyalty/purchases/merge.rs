//! What a purchase changes of the one that is stored under its code: what is omitted stays, what is null is cleared,
//! lists are replaced.

use super::read::{PURCHASE_MAX_BYTES, WHOLE};
use super::{
    DEFAULT_STATUS, DEFAULT_TOLD, FIELDS, PurchaseChange, PurchaseSent, StoredPurchase, UUID_NAMES,
};
use crate::json::{self, Fields};
use crate::loyalty::contacts::fields::ID;
use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::contacts::told::Row;
use crate::loyalty::contacts::value::too_much;
use crate::loyalty::sync::job::Options;

/// The longest that a purchase's fields may become, in bytes of their text: what is omitted stays, so that it could grow
/// with every request.
const FIELDS_MAX_BYTES: usize = 4 * PURCHASE_MAX_BYTES;

/// What a purchase is merged with, beside the stored one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival<'a> {
    /// Its id, if it is new.
    pub id: &'a str,
    /// Where it is from, as the client says.
    pub origin: &'a str,
    /// The customers whose contacts came with it, in the order of the request, each once.
    pub customers: &'a [i64],
    /// In microseconds since 1970.
    pub now_us: i64,
}

/// The purchase as it is to be. Without customers those that it has stay.
///
/// # Errors
/// What a new purchase lacks, and that it has grown too long.
pub fn merged(
    stored: Option<&StoredPurchase>,
    sent: &PurchaseSent,
    arrival: Arrival<'_>,
) -> Result<PurchaseChange, Vec<Fault>> {
    let known = |of: fn(&StoredPurchase) -> &Box<str>| stored.map(|stored| of(stored).clone());
    let product_uuid = sent
        .product_uuid
        .clone()
        .or_else(|| known(|stored| &stored.product_uuid));
    let price = sent.price.or(stored.map(|stored| stored.price));
    let currency = sent
        .currency
        .clone()
        .or_else(|| known(|stored| &stored.currency));
    let (Some(product_uuid), Some(price), Some(currency)) = (&product_uuid, price, &currency)
    else {
        let lacking = [
            ("UUID", product_uuid.is_none()),
            ("price", price.is_none()),
            ("currency", currency.is_none()),
        ];
        let lacking = lacking.into_iter().filter(|(_, lacks)| *lacks);
        return Err(lacking
            .map(|(field, _)| Fault::new(field, "is required, because the transaction_code is new"))
            .collect());
    };
    let fields = merged_fields(stored, sent);
    if fields.bytes() > FIELDS_MAX_BYTES {
        let message = too_much(
            FIELDS_MAX_BYTES,
            "bytes with what is stored of it",
            fields.bytes(),
        );
        let message = format!("{message}; clear fields with null");
        return Err(vec![Fault::new(WHOLE, message)]);
    }
    let status = match sent.status {
        Some(status) => status.into(),
        None => known(|stored| &stored.status).unwrap_or_else(|| DEFAULT_STATUS.into()),
    };
    let customer = match arrival.customers.first() {
        Some(first) => Some(*first),
        None => stored.and_then(|stored| stored.customer),
    };
    Ok(PurchaseChange {
        purchase: StoredPurchase {
            code: sent.code.clone(),
            id: known(|stored| &stored.id).unwrap_or_else(|| arrival.id.into()),
            customer,
            product_uuid: product_uuid.clone(),
            price,
            currency: currency.clone(),
            status,
            fields,
            origin: arrival.origin.into(),
            created_at: stored.map_or(arrival.now_us, |stored| stored.created_at),
            updated_at: arrival.now_us,
        },
        is_new: stored.is_none(),
        links: (!arrival.customers.is_empty()).then(|| arrival.customers.to_vec()),
    })
}

fn merged_fields(stored: Option<&StoredPurchase>, sent: &PurchaseSent) -> Fields {
    let mut fields = stored.map_or_else(Fields::default, |stored| stored.fields.clone());
    if sent.product_uuid.is_some() {
        // One product, whatever its name is this time.
        for name in UUID_NAMES {
            if sent.fields.iter().all(|(sent, _)| **sent != *name) {
                fields.remove(name);
            }
        }
    }
    for (name, value) in &sent.fields {
        match value {
            Some(value) => fields.set(name, value),
            None => {
                fields.remove(name);
            }
        }
    }
    fields
}

/// Names of custom fields that a purchase carries.
pub fn custom_names(sent: &PurchaseSent) -> impl Iterator<Item = &str> {
    let names = sent.fields.iter().map(|(name, _)| &**name);
    names.filter(|name| !is_documented(name))
}

/// Whether a field of this name is a documented one.
pub fn is_documented(name: &str) -> bool {
    name == ID || FIELDS.contains(&name) || UUID_NAMES.contains(&name)
}

/// Every field of a purchase as it was sent, its id first.
pub fn view(purchase: &StoredPurchase) -> Fields {
    let mut all = Fields::default();
    all.set(ID, &json::quoted(&purchase.id));
    for (name, value) in purchase.fields.iter() {
        all.set(name, value);
    }
    all
}

/// What a webhook tells of a purchase that was taken: its code and its id, then the fields that were asked for, in the
/// order in which they were; each once, null where it is not set. The product's id goes by all of its names.
pub fn taken(purchase: &StoredPurchase, options: &Options) -> String {
    let mut out = Row::default();
    let code = purchase.fields.get("transaction_code").map(str::to_owned);
    let code = code.unwrap_or_else(|| json::quoted(&purchase.code));
    out.value("transaction_code", Some(&code));
    out.text(ID, &purchase.id);
    for (at, name) in options.purchase_fields.iter().enumerate() {
        let name = name.as_str();
        let mut earlier = options.purchase_fields.iter().take(at);
        if DEFAULT_TOLD.contains(&name) || earlier.any(|earlier| earlier == name) {
            continue;
        }
        let mut value = purchase.fields.get(name).map(str::to_owned);
        if value.is_none() && UUID_NAMES.contains(&name) {
            let mut names = UUID_NAMES.iter();
            value = names
                .find_map(|name| purchase.fields.get(name))
                .map(str::to_owned);
        }
        if value.is_none() && name == "status" {
            value = Some(json::quoted(&purchase.status));
        }
        let known = value.is_some() || is_documented(name);
        if known || options.ignored.iter().all(|ignored| ignored != name) {
            out.value(name, value.as_deref());
        }
    }
    out.finish()
}

/// What a webhook tells of a purchase that has failed: all of it as it was sent, or its code if it is too long.
pub fn failed(raw: &str, code: Option<&str>) -> String {
    if raw.len() <= PURCHASE_MAX_BYTES {
        return raw.to_owned();
    }
    let mut out = Row::default();
    if let Some(code) = code {
        out.text("transaction_code", code);
    }
    out.finish()
}
