//! A purchase as it was sent, read and checked.
//!
//! Belongs here: the check of each field alone. What a purchase lacks is no fault here: it may be known already
//! ([`super::merge`]). For the product, the price, the currency and the status, null and an empty text are as good as
//! nothing: a purchase cannot be without them.

use super::{FIELDS, PurchaseSent, STATUSES, UUID_NAMES};
use crate::amount::{self, Amount};
use crate::json::{self, Scalar};
use crate::loyalty::contacts::fields::{CUSTOM_MAX, CUSTOM_NAME_MAX_CHARS, ID, TEXT_MAX_CHARS};
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::{CONTACT_MAX_BYTES, FAULTS_MAX, Fault};
use crate::loyalty::contacts::value::{self, must_be, one_of, too_much};
use crate::text;
use std::borrow::Cow;

/// The field that faults of a whole purchase name.
pub const WHOLE: &str = "purchase";
/// The longest purchase, in bytes of its JSON.
pub const PURCHASE_MAX_BYTES: usize = CONTACT_MAX_BYTES;
/// The longest description, in characters.
const DESCRIPTION_MAX_CHARS: usize = 4096;
/// What a price is, as faults say it.
const A_PRICE: &str = "a number such as 545.50, with at most 12 digits and 4 decimals";

/// The client's own code of a purchase, if that can be read.
pub fn code(raw: &str) -> Option<String> {
    let fields = json::Fields::parse(raw)?;
    let code = plain_text(fields.get("transaction_code")?, TEXT_MAX_CHARS).ok()??;
    key_text(code).ok().map(String::from)
}

/// Reads a purchase.
///
/// # Errors
/// All faults, in the order of its fields.
pub fn read(raw: &str) -> Result<PurchaseSent, Vec<Fault>> {
    let Some(members) = json::object(raw) else {
        return Err(vec![Fault::new(WHOLE, must_be("an object", raw))]);
    };
    if raw.len() > PURCHASE_MAX_BYTES {
        let message = too_much(PURCHASE_MAX_BYTES, "bytes", raw.len());
        return Err(vec![Fault::new(WHOLE, message)]);
    }
    let mut read = Reading {
        sent: PurchaseSent {
            raw: raw.into(),
            code: "".into(),
            product_uuid: None,
            price: None,
            currency: None,
            status: None,
            fields: Vec::with_capacity(members.len()),
        },
        uuid_place: usize::MAX,
        custom: 0,
        faults: Vec::new(),
    };
    for (name, value) in members {
        if let Err(message) = read.field(&name, value) {
            read.faults.push(Fault::new(text::shown(&name), message));
        }
    }
    let code_has_fault = read
        .faults
        .iter()
        .any(|fault| fault.field == "transaction_code");
    if read.sent.code.is_empty() && !code_has_fault {
        read.faults
            .push(Fault::new("transaction_code", "is required"));
    }
    if read.custom > CUSTOM_MAX {
        let message = too_much(CUSTOM_MAX, "custom fields", read.custom);
        read.faults.push(Fault::new(WHOLE, message));
    }
    read.faults.truncate(FAULTS_MAX);
    if read.faults.is_empty() {
        Ok(read.sent)
    } else {
        Err(read.faults)
    }
}

struct Reading {
    sent: PurchaseSent,
    /// Which of its names the product's id has.
    uuid_place: usize,
    custom: usize,
    faults: Vec<Fault>,
}

impl Reading {
    fn field(&mut self, name: &str, raw: &str) -> Result<(), String> {
        if name == ID {
            return Ok(());
        }
        if let Some(place) = UUID_NAMES.iter().position(|known| *known == name) {
            let Some(uuid) = plain_text(raw, TEXT_MAX_CHARS)? else {
                return Ok(());
            };
            let uuid = key_text(uuid)?;
            if place < self.uuid_place {
                (self.uuid_place, self.sent.product_uuid) = (place, Some(uuid));
            }
            self.keep(name, Some(raw));
            return Ok(());
        }
        if !FIELDS.contains(&name) {
            return self.custom_field(name, raw);
        }
        let chars = match name {
            "description" => DESCRIPTION_MAX_CHARS,
            _ => TEXT_MAX_CHARS,
        };
        let text = plain_text(raw, chars)?;
        let required = ["transaction_code", "price", "currency", "status"].contains(&name);
        let Some(text) = text else {
            if !required {
                self.keep(name, None);
            }
            return Ok(());
        };
        match name {
            "transaction_code" => self.sent.code = key_text(text)?,
            "price" => {
                let read = price(&text).ok_or_else(|| must_be(A_PRICE, raw))?;
                self.sent.price = Some(read);
            }
            "currency" => {
                let right = "a currency code of ISO 4217 such as EUR";
                let read = currency(&text).ok_or_else(|| must_be(right, raw))?;
                self.sent.currency = Some(read);
            }
            "status" => {
                let read = status(&text).ok_or_else(|| must_be(one_of(&STATUSES), raw))?;
                self.sent.status = Some(read);
            }
            _ => {}
        }
        self.keep(name, Some(raw));
        Ok(())
    }

    fn custom_field(&mut self, name: &str, raw: &str) -> Result<(), String> {
        if text::too_long(name, CUSTOM_NAME_MAX_CHARS) {
            let chars = name.chars().count();
            return Err(too_much(
                CUSTOM_NAME_MAX_CHARS,
                "characters in its name",
                chars,
            ));
        }
        self.custom = self.custom.saturating_add(1);
        let null = json::scalar(raw) == Scalar::Null;
        self.keep(name, (!null).then_some(raw));
        Ok(())
    }

    fn keep(&mut self, name: &str, raw: Option<&str>) {
        self.sent.fields.push((name.into(), raw.map(Box::from)));
    }
}

/// A text, trimmed, or a number as it is written; `None` for null and for an empty text.
fn plain_text(raw: &str, max_chars: usize) -> Result<Option<Cow<'_, str>>, String> {
    if value::is_empty(raw) {
        return Ok(None);
    }
    value::text_or_number(raw, max_chars)?;
    Ok(keys::text_in(raw))
}

/// A text that something is found by.
fn key_text(text: Cow<'_, str>) -> Result<Box<str>, String> {
    value::without_controls(&text)?;
    Ok(text.into())
}

/// A price in ten-thousandths: a sign, digits, and perhaps a point and decimals; nothing is rounded.
fn price(text: &str) -> Option<i64> {
    let plus = text.strip_prefix('+');
    let text = plus.filter(|rest| !rest.starts_with('-')).unwrap_or(text);
    amount::read_money(text).ok().map(Amount::raw)
}

fn currency(text: &str) -> Option<Box<str>> {
    let code = text.to_ascii_uppercase();
    amount::currency_digits(&code)?;
    Some(code.into())
}

fn status(text: &str) -> Option<&'static str> {
    let mut words = STATUSES.into_iter();
    words.find(|word| word.eq_ignore_ascii_case(text))
}
