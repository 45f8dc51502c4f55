//! Customers of a world file with their opening balances.
//!
//! Belongs here: `[[account.customer]]`. There may be hundreds of thousands: each is read once, in order.

use super::Campaign;
use super::campaign::AMOUNT_MAX_CHARS;
use super::fault::Notes;
use super::section::{Found, Section};
use crate::amount::Amount;
use crate::dates;
use crate::loyalty::account::{ID_MAX_CHARS, Kind, TEXT_MAX_CHARS};
use chrono::{DateTime, Days, NaiveDateTime, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

/// A customer of the file. It is recognised by its code, else its card number, else its number.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The line it begins on.
    pub line: usize,
    /// Its number in the account, from 1; `None` takes the next one.
    pub id: Option<i64>,
    /// Its code. A new customer without one takes its card number, or a random one.
    pub code: Option<String>,
    /// Its card number.
    pub card_number: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address, as written.
    pub email: Option<String>,
    /// Phone, as written.
    pub phone: Option<String>,
    /// Cell phone, as written.
    pub cellphone: Option<String>,
    /// Identity document, as written.
    pub document: Option<String>,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_us: Option<i64>,
    /// The balances it comes with: posted when it is first seen.
    pub openings: Vec<Opening>,
}

impl Customer {
    /// What to call it: its code, card number or number.
    pub fn name(&self) -> String {
        match (&self.code, &self.card_number, self.id) {
            (Some(name), _, _) | (None, Some(name), _) => format!("\"{name}\""),
            (None, None, Some(id)) => format!("number {id}"),
            (None, None, None) => format!("of line {}", self.line),
        }
    }
}

/// A balance that a customer comes with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The place of its campaign in the account, from 0.
    pub campaign: usize,
    /// The place of its item in the campaign, from 0, where that has items.
    pub item: Option<usize>,
    /// How much.
    pub amount: Amount,
    /// The amount as written.
    pub given: String,
}

/// The longest e-mail address, in characters.
const EMAIL_MAX_CHARS: usize = 254;
/// The greatest number of a customer: JSON readers keep it exact.
const NUMBER_MAX: i64 = 9_007_199_254_740_991;
const CREATED_SHAPE: &str = "%Y-%m-%d %H:%M:%S";

const KEYS: &[&str] = &[
    "id",
    "code",
    "card_number",
    "first_name",
    "last_name",
    "email",
    "phone",
    "cellphone",
    "document",
    "created",
    "balances",
];
const BALANCE_KEYS: &[&str] = &["campaign", "service_product", "amount"];

/// Reads the customers of one account, in one or several parts.
pub(super) struct Reader {
    /// What was read.
    pub(super) list: Vec<Customer>,
    now: DateTime<Utc>,
    /// Codes and cards, which share one name space, and their lines.
    keys: HashMap<Box<str>, usize>,
    /// Numbers and their lines.
    numbers: HashMap<i64, usize>,
}

impl Reader {
    pub(super) fn new(now: DateTime<Utc>) -> Reader {
        Reader {
            list: Vec::new(),
            now,
            keys: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Reads the customers of this table. Without `campaigns` their balances are not looked at.
    pub(super) fn read(
        &mut self,
        notes: &mut Notes,
        account: &Section<'_, '_>,
        campaigns: Option<&[Campaign]>,
    ) {
        for section in account.sections(notes, "customer", "[[account.customer]]", KEYS) {
            let customer = customer(notes, &section, campaigns, self);
            self.list.push(customer);
        }
    }
}

fn customer(
    notes: &mut Notes,
    section: &Section<'_, '_>,
    campaigns: Option<&[Campaign]>,
    held: &mut Reader,
) -> Customer {
    let now = held.now;
    let id = section.integer(notes, "id", 1..=NUMBER_MAX);
    if let Some(id) = id
        && let Some(line) = held.numbers.insert(id, section.line)
    {
        let wrong = format!("the customer of line {line} has it already");
        let at = section.line_of(notes, "id").unwrap_or(section.line);
        notes.add(
            at,
            "id",
            Some(&id.to_string()),
            (wrong, "Give each its own"),
        );
    }
    let code = section.text(notes, "code", ID_MAX_CHARS);
    let card = section.text(notes, "card_number", ID_MAX_CHARS);
    hold(notes, held, section.line, [code, card]);
    let named = ["id", "code", "card_number"];
    if id.is_none()
        && code.is_none()
        && card.is_none()
        && !named
            .iter()
            .any(|key| section.line_of(notes, key).is_some())
    {
        let wrong = "without code, card_number and id it could not be recognised the second time";
        let remedy = "Add code, card_number or id";
        notes.add(section.line, section.name, None, (wrong, remedy));
    }
    let mut text = |key, max_chars| {
        let found = section.text(notes, key, max_chars)?;
        Some(found.owned())
    };
    let first_name = text("first_name", TEXT_MAX_CHARS);
    let last_name = text("last_name", TEXT_MAX_CHARS);
    let email = text("email", EMAIL_MAX_CHARS);
    let phone = text("phone", TEXT_MAX_CHARS);
    let cellphone = text("cellphone", TEXT_MAX_CHARS);
    let document = text("document", TEXT_MAX_CHARS);
    let created = section.text(notes, "created", TEXT_MAX_CHARS);
    Customer {
        line: section.line,
        id,
        code: code.map(|found| found.owned()),
        card_number: card.map(|found| found.owned()),
        first_name,
        last_name,
        email,
        phone,
        cellphone,
        document,
        created_us: created.and_then(|found| created_us(notes, found, now)),
        openings: campaigns.map_or_else(Vec::new, |campaigns| openings(notes, section, campaigns)),
    }
}

/// Takes the customer's code and card. A card equal to its own code is one key.
fn hold(notes: &mut Notes, held: &mut Reader, line: usize, keys: [Option<Found<'_>>; 2]) {
    for key in keys.into_iter().flatten() {
        match held.keys.get(key.text) {
            Some(other) if *other != line => key.fault(
                notes,
                format_args!("the customer of line {other} has it already, as code or card number"),
                "Codes and card numbers share one name space: give each customer its own",
            ),
            _ => {
                held.keys.insert(key.text.into(), line);
            }
        }
    }
}

/// An instant in UTC, from 1900 to tomorrow.
fn created_us(notes: &mut Notes, found: Found<'_>, now: DateTime<Utc>) -> Option<i64> {
    let read = NaiveDateTime::parse_from_str(found.text, CREATED_SHAPE)
        .ok()
        // The shape alone would take fewer digits.
        .filter(|read| read.format(CREATED_SHAPE).to_string() == found.text)
        .map(|read| read.and_utc());
    let Some(created) = read else {
        let remedy = "Write \"YYYY-MM-DD HH:MM:SS\", in UTC";
        found.fault(notes, "it is not a time", remedy);
        return None;
    };
    let tomorrow = now.checked_add_days(Days::new(1)).unwrap_or(now);
    let earliest = dates::Day::earliest();
    if created > tomorrow || dates::today(Tz::UTC, created) <= earliest {
        let remedy = "Write a time after 1900-01-01 that is not in the future";
        found.fault(notes, "it is out of range", remedy);
        return None;
    }
    Some(dates::micros(created))
}

fn openings(notes: &mut Notes, customer: &Section<'_, '_>, campaigns: &[Campaign]) -> Vec<Opening> {
    let mut openings: Vec<Opening> = Vec::new();
    for section in customer.sections(notes, "balances", "a balance", BALANCE_KEYS) {
        if let Some((opening, name)) = opening(notes, &section, campaigns) {
            let same =
                |other: &Opening| other.campaign == opening.campaign && other.item == opening.item;
            if openings.iter().any(same) {
                name.fault(
                    notes,
                    "this customer has a balance of it already",
                    "Write one balance for each campaign, or for each item",
                );
            }
            openings.push(opening);
        }
    }
    openings
}

fn opening<'t>(
    notes: &mut Notes,
    section: &Section<'t, '_>,
    campaigns: &[Campaign],
) -> Option<(Opening, Found<'t>)> {
    let name = section.required(notes, "campaign", ID_MAX_CHARS);
    let product = section.text(notes, "service_product", TEXT_MAX_CHARS);
    let given = section.required(notes, "amount", AMOUNT_MAX_CHARS)?;
    let name = name?;
    let mut numbered = campaigns.iter().enumerate();
    let Some((place, campaign)) = numbered.find(|(_, campaign)| campaign.id == name.text) else {
        name.fault(
            notes,
            "no campaign of this account has that id in this file",
            "Name an id of one of its [[account.campaign]] tables",
        );
        return None;
    };
    let item = match (campaign.kind, product) {
        (Kind::BuyX, None) => {
            let wrong = "a balance of a buyx campaign is one of its items";
            let remedy = "Add service_product = \"...\"";
            notes.add(section.line, "service_product", None, (wrong, remedy));
            return None;
        }
        (Kind::BuyX, Some(product)) => {
            let item = campaign.item(product.text);
            if item.is_none() {
                product.fault(
                    notes,
                    "the campaign has no such item",
                    "Name an item by its id, service_product or description",
                );
            }
            Some(item?)
        }
        (_, Some(product)) => {
            product.fault(notes, "only buyx campaigns have items", "Leave it out");
            return None;
        }
        (_, None) => None,
    };
    let opening = Opening {
        campaign: place,
        item,
        amount: given.amount(notes, campaign.digits)?,
        given: given.owned(),
    };
    Some((opening, name))
}
