//! A sale as it was sent: its members, checked.
//!
//! Belongs here: what each member may be. Does not belong here: who has its keys ([`super::matching`]).

use super::book::LinkKind;
use super::time;
use crate::amount::{self, Amount, AmountError, MONEY_DIGITS, currency_digits};
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::json::{self, Scalar};
use crate::loyalty::account::{Account, Brand};
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::fingerprint::Pairs;
use crate::phones;
use crate::text;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The documented members of an item.
pub const DOCUMENTED: [&str; 6] = [
    "match_key",
    "event_time",
    "order_id",
    "external_sale_id",
    "value",
    "currency",
];
/// Our own member of the answer: in an item it means nothing.
pub const RESPONSE: &str = "response";

/// The member by which customers are found.
pub(super) const MATCH_KEY: &str = "match_key";
/// The known members of a `match_key`, but for `id`.
const KEYS: [(&str, KeyKind); 4] = [
    ("document", KeyKind::Document),
    ("email", KeyKind::Email),
    ("phone", KeyKind::Phone),
    ("cellphone", KeyKind::Cellphone),
];
const SEND_KEYS: &str = "send an object with id, document, email, phone or cellphone";
/// The longest id of the outer system, and the longest key, in characters.
const ID_MAX_CHARS: usize = 255;
/// The most bytes of the members of a sale that are not documented, as one JSON object: of an item, and gathered over all
/// items about a sale. They are read and put together anew for each item, while nobody else can write.
pub const EXTRA_MAX_BYTES: usize = 65_536;
/// The longest text of a value, in characters: zeros in front and at the end are allowed, but not for ever.
const VALUE_MAX_CHARS: usize = 64;

/// What a brand's items are read under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The currency of a value that does not say its own.
    pub currency: &'a str,
    /// The zone of a time that does not say its own.
    pub zone: Tz,
    /// The account's country: whose phone numbers are written without a calling code.
    pub country: Option<&'a str>,
    /// The brand's number.
    pub brand: i32,
}

impl<'a> Terms<'a> {
    /// The terms of a brand.
    pub fn of(account: &'a Account, brand: &'a Brand) -> Terms<'a> {
        Terms {
            currency: &brand.currency,
            zone: brand.zone,
            country: account.country.as_deref(),
            brand: brand.number,
        }
    }
}

/// An item of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The item as it was sent.
    pub raw: Box<str>,
    /// `match_key.id` as a text, if it was given: told again where nobody is found.
    pub id: Option<Box<str>>,
    /// Equal for items of a brand that are about the same sale: by the external id, else by the order, else by all that
    /// is documented.
    pub prints: Prints,
    /// The day it was in the brand's zone, if that can be read.
    pub day: Option<Day>,
    /// What it says, or why it is invalid.
    pub read: Result<SentSale, Problem>,
}

/// By what a kept item is known when it comes again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prints {
    /// The print under which it is kept.
    pub own: [u8; 32],
    /// Another print: that of its order, where it also has an external id. Once the item is stored, it closes what is
    /// kept under this one too.
    pub other: Option<[u8; 32]>,
    /// Whether it has no ids: another sale may say just the same.
    pub of_content: bool,
}

/// What a valid item says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentSale {
    /// Whose it is.
    pub keys: MatchKeys,
    /// When it was, in microseconds since 1970 UTC.
    pub event_at: i64,
    /// The day it was in the brand's zone.
    pub day: Day,
    /// `external_sale_id`, trimmed; `None` where it says nothing.
    pub external_sale_id: Option<Box<str>>,
    /// `order_id`, trimmed; `None` where it says nothing.
    pub order_id: Option<Box<str>>,
    /// `value`; `None` where it says nothing.
    pub value: Option<Amount>,
    /// `value` as it was sent, without quotes.
    pub given: Box<str>,
    /// `currency` in capitals, else the brand's.
    pub currency: Box<str>,
    /// Members that are not documented, as one JSON object; `None` where there are none.
    pub extra: Option<Box<str>>,
}

impl SentSale {
    /// The ids by which it is found again, in the order in which they are asked.
    pub fn links(&self) -> impl Iterator<Item = (LinkKind, &str)> {
        let external = self.external_sale_id.as_deref();
        let order = self.order_id.as_deref();
        let external = external.map(|id| (LinkKind::External, id));
        external
            .into_iter()
            .chain(order.map(|id| (LinkKind::Order, id)))
    }
}

/// Keys by which a customer is to be found: at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MatchKeys {
    /// The customer's number decides alone; `None` if the text is no number that a customer can have.
    Id(Option<i64>),
    /// Each key with its forms, which are equal: a customer who has one of them fits.
    Keys(Vec<(KeyKind, Vec<Box<str>>)>),
}

impl Item {
    /// Reads an item, a JSON value that [`crate::json::check`] has seen.
    pub fn read(raw: &str, terms: &Terms<'_>) -> Item {
        let members = json::object(raw);
        let sent = Members(members.as_deref().unwrap_or_default());
        let match_key = sent.get(MATCH_KEY);
        let keys = match_key.and_then(json::object);
        let id = keys.as_deref().and_then(|keys| {
            let id = Members(keys).get("id")?;
            keys::text_of(id)
        });
        let time = event_time(sent.get("event_time"), terms.zone);
        let order = outer_id("order_id", sent.get("order_id"));
        let external = outer_id("external_sale_id", sent.get("external_sale_id"));
        let prints = prints(raw, terms.brand, (&external, &order));
        let read = || {
            if members.is_none() {
                let detail = format!("{} is not an object: send one", text::shown(raw.trim()));
                return Err(fault("item", raw, detail));
            }
            let (event_at, day) = time.clone()?;
            let keys = match_keys(match_key, keys.as_deref(), terms.country)?;
            let money = money(sent.get("value"), sent.get("currency"), terms.currency)?;
            Ok(SentSale {
                keys,
                event_at,
                day,
                order_id: order.clone()?,
                external_sale_id: external.clone()?,
                value: money.value,
                given: money.given,
                currency: money.currency,
                extra: extra(raw, &sent)?,
            })
        };
        Item {
            id,
            day: time.as_ref().ok().map(|(_, day)| *day),
            read: read(),
            raw: raw.into(),
            prints,
        }
    }
}

/// Hands over bytes that are the same for all spellings of what an item says in its documented members, and differ where
/// it says something else.
pub fn canonical(raw: &str, into: &mut impl FnMut(&[u8])) {
    let Some(members) = json::object(raw) else {
        json::canonical(raw, into);
        return;
    };
    let sent = Members(&members);
    for name in DOCUMENTED {
        if let Some(value) = sent.get(name) {
            into(name.as_bytes());
            into(b":");
            json::canonical(value, into);
        }
    }
}

/// The print of whatever has this name in a brand.
pub(super) fn print(brand: i32, kind: &str, name: &str) -> [u8; 32] {
    let mut pairs = Pairs::default();
    pairs.add("brand", &brand.to_string());
    pairs.add(kind, name);
    pairs.finish()
}

/// An id of the outer system; a fault is as good as none here.
type OuterId = Result<Option<Box<str>>, Problem>;

fn prints(raw: &str, brand: i32, (external, order): (&OuterId, &OuterId)) -> Prints {
    let id = |id: &OuterId, kind| {
        let id = id.as_ref().ok()?.as_deref()?;
        Some(print(brand, kind, id))
    };
    let order = id(order, "order");
    if let Some(own) = id(external, "external") {
        return Prints {
            own,
            other: order,
            of_content: false,
        };
    }
    let content = || {
        let mut hash = Sha256::new();
        canonical(raw, &mut |bytes| hash.update(bytes));
        print(brand, "content", &hex::encode(hash.finalize()))
    };
    Prints {
        of_content: order.is_none(),
        own: order.unwrap_or_else(content),
        other: None,
    }
}

/// Members of an object.
struct Members<'m, 'r>(&'m [(Cow<'r, str>, &'r str)]);

impl<'r> Members<'_, 'r> {
    fn get(&self, name: &str) -> Option<&'r str> {
        let mut members = self.0.iter();
        let member = members.find(|(known, _)| known == name);
        member.map(|(_, value)| *value)
    }
}

fn fault(field: &str, sent: &str, detail: String) -> Problem {
    Problem::new(Code::BadSale)
        .field(field)
        .value(sent.trim())
        .detail(detail)
}

fn event_time(raw: Option<&str>, zone: Tz) -> Result<(i64, Day), Problem> {
    let scalar = raw.map(json::scalar);
    let read = match &scalar {
        Some(Scalar::Text(text)) => time::read(text.trim(), zone),
        _ => None,
    };
    read.ok_or_else(|| {
        let problem = Problem::new(Code::BadEventTime).field("event_time");
        match &scalar {
            Some(Scalar::Text(text)) => problem.value(text),
            _ => problem.value(raw.unwrap_or_default()),
        }
    })
}

/// A text, trimmed, or a number as it is written; `None` where it says nothing.
fn plain<'r>(
    field: &str,
    raw: Option<&'r str>,
    what: (&str, &str),
) -> Result<Option<Cow<'r, str>>, Problem> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    match json::scalar(raw) {
        Scalar::Null => Ok(None),
        Scalar::Text(_) | Scalar::Number(_) => Ok(keys::text_in(raw)),
        _ => {
            let (is_not, send) = what;
            let detail = format!("{} is not {is_not}: send {send}", text::shown(raw.trim()));
            Err(fault(field, raw, detail))
        }
    }
}

fn outer_id(field: &str, raw: Option<&str>) -> OuterId {
    let Some(id) = plain(field, raw, ("a text", "a text or a number"))? else {
        return Ok(None);
    };
    let shown = text::shown(&id);
    if text::too_long(&id, ID_MAX_CHARS) {
        let detail = format!(
            "\"{shown}\" is longer than {ID_MAX_CHARS} characters: send the id that the other system has for it"
        );
        return Err(fault(field, &id, detail));
    }
    if id.chars().any(char::is_control) {
        let detail = format!("\"{shown}\" has a control character: send it without");
        return Err(fault(field, &id, detail));
    }
    Ok(Some(id.into()))
}

fn match_keys(
    raw: Option<&str>,
    keys: Option<&[(Cow<'_, str>, &str)]>,
    country: Option<&str>,
) -> Result<MatchKeys, Problem> {
    let raw = raw.unwrap_or("null");
    let Some(keys) = keys else {
        let detail = match json::scalar(raw) {
            Scalar::Null => format!("is missing: {SEND_KEYS}"),
            _ => format!("{} is not an object: {SEND_KEYS}", text::shown(raw.trim())),
        };
        return Err(fault(MATCH_KEY, raw, detail));
    };
    let keys = Members(keys);
    let key = |name: &str| {
        let Some(value) = keys.get(name) else {
            return Ok(None);
        };
        match json::scalar(value) {
            Scalar::Null => Ok(None),
            Scalar::Text(_) | Scalar::Number(_) => Ok(keys::text_in(value)),
            _ => {
                let shown = text::shown(value.trim());
                let detail = format!("has {shown} as {name}: send a text or a number");
                Err(fault(MATCH_KEY, value, detail))
            }
        }
    };
    let id = key("id")?;
    let mut others = Vec::new();
    for (name, kind) in KEYS {
        if let Some(text) = key(name)? {
            others.push((kind, forms(kind, &text, country)));
        }
    }
    if let Some(id) = id {
        return Ok(MatchKeys::Id(customer_number(&id)));
    }
    if others.is_empty() {
        let detail = format!("has nothing to find a customer by: {SEND_KEYS}");
        return Err(fault(MATCH_KEY, raw, detail));
    }
    Ok(MatchKeys::Keys(others))
}

/// The number that is written exactly like this.
fn customer_number(id: &str) -> Option<i64> {
    let number: i64 = id.parse().ok()?;
    (number > 0 && number.to_string() == id).then_some(number)
}

/// The forms in which a key is compared. Without any it is nobody's.
fn forms(kind: KeyKind, text: &str, country: Option<&str>) -> Vec<Box<str>> {
    let mut forms = match kind {
        KeyKind::Document => keys::document(text).into_iter().collect(),
        KeyKind::Email => keys::email(text).into_iter().collect(),
        KeyKind::Phone | KeyKind::Cellphone => phones::forms(text, country),
        KeyKind::UserId | KeyKind::Custom | KeyKind::Username => Vec::new(),
    };
    forms.retain(|form| !text::too_long(form, ID_MAX_CHARS));
    forms
}

struct Money {
    value: Option<Amount>,
    given: Box<str>,
    currency: Box<str>,
}

/// The value, how it was written, and its currency.
fn money(value: Option<&str>, currency: Option<&str>, brand: &str) -> Result<Money, Problem> {
    const NUMBER: &str = "digits with a point before the decimals, such as 545.50";
    let given = plain("value", value, ("a number", NUMBER))?;
    let amount = match given.as_deref() {
        Some(given) => Some(value_of(given)?),
        None => None,
    };
    let code = plain(
        "currency",
        currency,
        ("a text", "three letters such as EUR"),
    )?;
    let code: Box<str> = match code.as_deref() {
        Some(code) => currency_of(code)?,
        None => brand.into(),
    };
    if let (Some(amount), Some(given)) = (amount, given.as_deref()) {
        let digits = currency_digits(&code).unwrap_or(0);
        if amount.decimals() > digits {
            let send = match digits {
                0 => "a whole number".to_owned(),
                _ => format!("{digits} at most"),
            };
            let shown = text::shown(given);
            let detail = format!("\"{shown}\" has more decimals than {code} has: send {send}");
            return Err(fault("value", given, detail));
        }
    }
    Ok(Money {
        value: amount,
        given: given.unwrap_or_default().into(),
        currency: code,
    })
}

fn value_of(given: &str) -> Result<Amount, Problem> {
    let why = match amount::read_money(given) {
        Ok(_) if text::too_long(given, VALUE_MAX_CHARS) => {
            format!("is longer than {VALUE_MAX_CHARS} characters: leave out zeros that say nothing")
        }
        Ok(value) => return Ok(value),
        Err(AmountError::TooManyDecimals) => {
            "has more decimals than any currency: send as many as its currency has".to_owned()
        }
        Err(AmountError::TooLarge) => {
            format!("is too large: send at most {MONEY_DIGITS} digits before the point")
        }
        Err(_) => "is not a number: send digits with a point before the decimals, such as 545.50"
            .to_owned(),
    };
    let detail = format!("\"{}\" {why}", text::shown(given));
    Err(fault("value", given, detail))
}

fn currency_of(sent: &str) -> Result<Box<str>, Problem> {
    let code = sent.to_ascii_uppercase();
    if currency_digits(&code).is_none() {
        let detail = format!(
            "\"{}\" is no currency of ISO 4217: send its three letters, such as EUR",
            text::shown(sent)
        );
        return Err(fault("currency", sent, detail));
    }
    Ok(code.into())
}

/// The members that are not documented.
fn extra(raw: &str, sent: &Members<'_, '_>) -> Result<Option<Box<str>>, Problem> {
    let is_extra = |name: &str| !DOCUMENTED.contains(&name) && name != RESPONSE;
    let members = sent.0.iter().map(|(name, value)| (&**name, *value));
    let mut members = members.filter(|(name, _)| is_extra(name)).peekable();
    if members.peek().is_none() {
        return Ok(None);
    }
    let extra = json::joined(members);
    if extra.len() > EXTRA_MAX_BYTES {
        let detail = format!(
            "has more than {EXTRA_MAX_BYTES} bytes of members that are not documented: send fewer"
        );
        return Err(fault("item", raw, detail));
    }
    Ok(Some(extra.into()))
}
