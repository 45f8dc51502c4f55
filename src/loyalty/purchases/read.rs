//! A purchase as it was sent, read and checked.
//!
//! Belongs here: the check of each field alone. What a purchase lacks is no fault here: it may be known already
//! ([`super::merge`]). For the product, the price, the currency and the status, null and an empty text are as good as
//! nothing: a purchase cannot be without them.

use super::{FIELDS, PurchaseSent, STATUSES, UUID_NAMES};
use crate::amount;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::fields::{CUSTOM_MAX, CUSTOM_NAME_MAX_CHARS, ID, TEXT_MAX_CHARS};
use crate::loyalty::contacts::sent::{CONTACT_MAX_BYTES, Fault};
use crate::text;
use std::borrow::Cow;

/// The field that faults of a whole purchase name.
pub const WHOLE: &str = "purchase";
/// The longest purchase, in bytes of its JSON.
pub const PURCHASE_MAX_BYTES: usize = CONTACT_MAX_BYTES;
/// The longest description, in characters.
const DESCRIPTION_MAX_CHARS: usize = 4096;
/// The most digits of a price before the decimal point.
const PRICE_DIGITS: usize = 12;
/// The most decimals of a price.
const PRICE_DECIMALS: usize = 4;

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
        return Err(vec![Fault::new(WHOLE, "is not an object")]);
    };
    if raw.len() > PURCHASE_MAX_BYTES {
        let message = format!("is longer than {PURCHASE_MAX_BYTES} bytes");
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
            read.faults.push(Fault::new(name, message));
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
    fn field(&mut self, name: &str, raw: &str) -> Result<(), Cow<'static, str>> {
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
            "price" => self.sent.price = Some(price(&text)?),
            "currency" => self.sent.currency = Some(currency(&text)?),
            "status" => self.sent.status = Some(status(&text)?),
            _ => {}
        }
        self.keep(name, Some(raw));
        Ok(())
    }

    fn custom_field(&mut self, name: &str, raw: &str) -> Result<(), Cow<'static, str>> {
        if text::too_long(name, CUSTOM_NAME_MAX_CHARS) {
            return Err(
                format!("has a name of more than {CUSTOM_NAME_MAX_CHARS} characters").into(),
            );
        }
        self.custom = self.custom.saturating_add(1);
        if self.custom == CUSTOM_MAX.saturating_add(1) {
            return Err(format!("is one of more than {CUSTOM_MAX} custom fields").into());
        }
        let null = json::scalar(raw) == Scalar::Null;
        self.keep(name, (!null).then_some(raw));
        Ok(())
    }

    fn keep(&mut self, name: &str, raw: Option<&str>) {
        self.sent.fields.push((name.into(), raw.map(Box::from)));
    }
}

/// A text, trimmed, or a number as it is written; `None` for null and for an empty text.
fn plain_text(raw: &str, max_chars: usize) -> Result<Option<Cow<'_, str>>, Cow<'static, str>> {
    let text = match json::scalar(raw) {
        Scalar::Null => return Ok(None),
        Scalar::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
        Scalar::Text(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
        Scalar::Number(number) => Cow::Borrowed(number),
        _ => return Err("is not a text".into()),
    };
    if text::too_long(&text, max_chars) {
        return Err(format!("is longer than {max_chars} characters").into());
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A text that something is found by.
fn key_text(text: Cow<'_, str>) -> Result<Box<str>, Cow<'static, str>> {
    if text.chars().any(char::is_control) {
        return Err("has a control character".into());
    }
    Ok(text.into())
}

/// A price in ten-thousandths: a sign, digits, and perhaps a point and decimals; nothing is rounded.
fn price(text: &str) -> Result<i64, Cow<'static, str>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, decimals) = match rest.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (rest, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !decimals.is_none_or(digits) {
        return Err("is not a number like 545.50".into());
    }
    // Zeros at the end change nothing.
    let decimals = decimals.unwrap_or("").trim_end_matches('0');
    if decimals.len() > PRICE_DECIMALS {
        return Err(format!("has more than {PRICE_DECIMALS} decimals").into());
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > PRICE_DIGITS {
        return Err(format!("has more than {PRICE_DIGITS} digits before the decimal point").into());
    }
    let scaled = format!("{whole}{decimals:0<PRICE_DECIMALS$}");
    let scaled: i64 = scaled.parse().map_err(|_| "is not a number like 545.50")?;
    Ok(if negative { -scaled } else { scaled })
}

fn currency(text: &str) -> Result<Box<str>, Cow<'static, str>> {
    let code = text.to_ascii_uppercase();
    if amount::currency_digits(&code).is_none() {
        return Err("is not a currency code of ISO 4217".into());
    }
    Ok(code.into())
}

fn status(text: &str) -> Result<&'static str, Cow<'static, str>> {
    let mut words = STATUSES.into_iter();
    let known = words.find(|word| word.eq_ignore_ascii_case(text));
    known.ok_or_else(|| "is not one of the documented words".into())
}
