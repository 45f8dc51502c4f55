//! Campaigns of a world file with their rewards, promotions and items.
//!
//! Belongs here: `[[account.campaign]]`, and which kind has which keys.

use super::fault::{Notes, Taken};
use super::section::Section;
use crate::amount::Amount;
use crate::loyalty::account::{ID_MAX_CHARS, Kind, Operand, TEXT_MAX_CHARS};
use crate::text;

/// A campaign of the file.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The line it begins on.
    pub line: usize,
    /// The id clients name, unique in the account.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it takes postings.
    pub active: bool,
    /// Decimals of its unit: of the points, of the account's currency, or none.
    pub digits: u8,
    /// Points for each unit of money; 1 where it is no points campaign.
    pub points_ratio: Amount,
    /// Points for each unit of money that is redeemed; `None`: no money is redeemed.
    pub reward_ratio: Option<Amount>,
    /// Money for each event; zero where it is no earned campaign.
    pub earned_per_event: Amount,
    /// Whether a balance may fall below zero.
    pub allow_negative: bool,
    /// Its rewards.
    pub rewards: Vec<Reward>,
    /// Its promotions.
    pub promotions: Vec<Promotion>,
    /// Its items.
    pub items: Vec<Item>,
}

impl Campaign {
    /// The place of the item with this name, from 0: by id, then by service_product, then by description, the last two without regard to
    /// case.
    pub fn item(&self, name: &str) -> Option<usize> {
        let folded = text::fold(name);
        let by = |matches: &dyn Fn(&Item) -> bool| self.items.iter().position(matches);
        by(&|item| item.id == name)
            .or_else(|| by(&|item| text::fold(&item.service_product) == folded))
            .or_else(|| {
                by(&|item| {
                    let description = item.description.as_deref();
                    description.is_some_and(|description| text::fold(description) == folded)
                })
            })
    }
}

/// A reward of a points or events campaign.
#[derive(Clone, Debug)]
pub struct Reward {
    /// The id, unique in the account.
    pub id: String,
    /// The shop's own id.
    pub reward_id: Option<String>,
    /// What it costs, in the campaign's unit; above zero.
    pub level: Amount,
    /// What it is.
    pub description: Option<String>,
}

/// A promotion of a points campaign.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// The id, unique in the account.
    pub id: String,
    /// What it does.
    pub operand: Operand,
    /// By how much; at most four decimals.
    pub value: Amount,
    /// What it is.
    pub description: Option<String>,
}

/// An item of a buy-X campaign.
#[derive(Clone, Debug)]
pub struct Item {
    /// The id, unique in the account.
    pub id: String,
    /// The product's name.
    pub service_product: String,
    /// How many give one free, from 1.
    pub buy_amount: i32,
    /// What a receipt says.
    pub description: Option<String>,
}

/// The longest amount, in characters.
pub(super) const AMOUNT_MAX_CHARS: usize = 64;
/// Decimals of ratios and factors.
const RATIO_DIGITS: u8 = 4;

const KEYS: &[&str] = &[
    "id",
    "type",
    "name",
    "active",
    "allow_negative",
    "decimals",
    "points_ratio",
    "reward_ratio",
    "earned_per_event",
    "rewards",
    "promotions",
    "items",
];

/// Keys that only campaigns of these kinds have.
const ONLY: &[(&str, &[Kind])] = &[
    ("decimals", &[Kind::Points]),
    ("points_ratio", &[Kind::Points]),
    ("reward_ratio", &[Kind::Points]),
    ("earned_per_event", &[Kind::Earned]),
    ("rewards", &[Kind::Points, Kind::Events]),
    ("promotions", &[Kind::Points]),
    ("items", &[Kind::BuyX]),
];

/// Ids that are unique over all campaigns of an account.
#[derive(Default)]
struct Ids {
    campaigns: Taken,
    rewards: Taken,
    promotions: Taken,
    items: Taken,
}

pub(super) fn read_all(
    notes: &mut Notes,
    account: &Section<'_, '_>,
    money_digits: u8,
) -> Vec<Campaign> {
    let mut ids = Ids::default();
    let sections = account.sections(notes, "campaign", "[[account.campaign]]", KEYS);
    sections
        .iter()
        .filter_map(|section| campaign(notes, section, &mut ids, money_digits))
        .collect()
}

fn campaign(
    notes: &mut Notes,
    section: &Section<'_, '_>,
    ids: &mut Ids,
    money_digits: u8,
) -> Option<Campaign> {
    let id = section.required(notes, "id", ID_MAX_CHARS);
    if let Some(id) = id {
        ids.campaigns.take(notes, id, "in its account");
    }
    let name = section.required(notes, "name", TEXT_MAX_CHARS);
    let word = section.required(notes, "type", TEXT_MAX_CHARS)?;
    let Some(kind) = Kind::from_word(word.text) else {
        let words = Kind::ALL.map(|(_, word)| word).join(", ");
        let remedy = format!("Write one of: {words}");
        word.fault(notes, "there is no such type of campaign", remedy);
        return None;
    };
    for (key, kinds) in ONLY {
        if let Some(line) = section.line_of(notes, key)
            && !kinds.contains(&kind)
        {
            let wrong = format!("a campaign of the type {} has no such key", kind.word());
            notes.add(line, key, None, (wrong, "Leave it out"));
        }
    }
    let points_digits = match kind {
        Kind::Points => section.integer(notes, "decimals", 0..=4),
        _ => None,
    };
    let points_digits = points_digits.and_then(|digits| u8::try_from(digits).ok());
    let digits = kind.digits(points_digits.unwrap_or(2), money_digits);
    let points_ratio = match kind {
        Kind::Points => ratio(notes, section, "points_ratio"),
        _ => None,
    };
    let reward_ratio = match kind {
        Kind::Points => ratio(notes, section, "reward_ratio"),
        _ => None,
    };
    let earned_per_event = match kind {
        Kind::Earned => {
            section.required(notes, "earned_per_event", AMOUNT_MAX_CHARS)?;
            ratio(notes, section, "earned_per_event")
        }
        _ => None,
    };
    Some(Campaign {
        line: section.line,
        id: id?.owned(),
        kind,
        name: name?.owned(),
        active: section.flag(notes, "active", true),
        digits,
        points_ratio: points_ratio.or(Amount::from_whole(1)).unwrap_or_default(),
        reward_ratio,
        earned_per_event: earned_per_event.unwrap_or_default(),
        allow_negative: section.flag(notes, "allow_negative", false),
        rewards: rewards(notes, section, &mut ids.rewards, digits),
        promotions: promotions(notes, section, &mut ids.promotions),
        items: items(notes, section, &mut ids.items),
    })
}

/// A factor above zero with at most four decimals.
fn ratio(notes: &mut Notes, section: &Section<'_, '_>, key: &'static str) -> Option<Amount> {
    let found = section.text(notes, key, AMOUNT_MAX_CHARS)?;
    let ratio = found.amount(notes, RATIO_DIGITS)?;
    if ratio.is_zero() {
        found.fault(notes, "it is zero", "Write a number above zero");
        return None;
    }
    Some(ratio)
}

fn rewards(
    notes: &mut Notes,
    campaign: &Section<'_, '_>,
    taken: &mut Taken,
    digits: u8,
) -> Vec<Reward> {
    let keys: &[&str] = &["id", "reward_id", "level", "description"];
    let mut rewards = Vec::new();
    for section in campaign.sections(notes, "rewards", "a reward", keys) {
        let id = section.required(notes, "id", ID_MAX_CHARS);
        if let Some(id) = id {
            taken.take(notes, id, "in its account");
        }
        let reward_id = section.text(notes, "reward_id", ID_MAX_CHARS);
        let description = section.text(notes, "description", TEXT_MAX_CHARS);
        let found = section.required(notes, "level", AMOUNT_MAX_CHARS);
        let level = found.and_then(|found| found.amount(notes, digits));
        if let (Some(found), Some(level)) = (found, level)
            && level.is_zero()
        {
            found.fault(notes, "it is zero", "Write what the reward costs");
        }
        if let (Some(id), Some(level)) = (id, level) {
            rewards.push(Reward {
                id: id.owned(),
                reward_id: reward_id.map(|found| found.owned()),
                level,
                description: description.map(|found| found.owned()),
            });
        }
    }
    rewards
}

fn promotions(notes: &mut Notes, campaign: &Section<'_, '_>, taken: &mut Taken) -> Vec<Promotion> {
    let keys: &[&str] = &["id", "operand", "value", "description"];
    let mut promotions = Vec::new();
    for section in campaign.sections(notes, "promotions", "a promotion", keys) {
        let id = section.required(notes, "id", ID_MAX_CHARS);
        if let Some(id) = id {
            taken.take(notes, id, "in its account");
            if id.text.contains(',') {
                id.fault(
                    notes,
                    "it has a comma, which separates promotions on a line",
                    "Write it without",
                );
            }
        }
        let word = section.required(notes, "operand", TEXT_MAX_CHARS);
        let operand = word.and_then(|word| {
            let operand = Operand::from_word(word.text);
            if operand.is_none() {
                let remedy = "Write \"x\" to multiply or \"+\" to add";
                word.fault(notes, "there is no such operand", remedy);
            }
            operand
        });
        let value = section
            .required(notes, "value", AMOUNT_MAX_CHARS)
            .and_then(|found| found.amount(notes, RATIO_DIGITS));
        let description = section.text(notes, "description", TEXT_MAX_CHARS);
        if let (Some(id), Some(operand), Some(value)) = (id, operand, value) {
            promotions.push(Promotion {
                id: id.owned(),
                operand,
                value,
                description: description.map(|found| found.owned()),
            });
        }
    }
    promotions
}

fn items(notes: &mut Notes, campaign: &Section<'_, '_>, taken: &mut Taken) -> Vec<Item> {
    let keys: &[&str] = &["id", "service_product", "buy_amount", "description"];
    let mut items = Vec::new();
    for section in campaign.sections(notes, "items", "an item", keys) {
        let id = section.required(notes, "id", ID_MAX_CHARS);
        if let Some(id) = id {
            taken.take(notes, id, "in its account");
        }
        let product = section.required(notes, "service_product", TEXT_MAX_CHARS);
        if section.line_of(notes, "buy_amount").is_none() {
            let wrong = "an item needs this key, and it is missing";
            notes.add(
                section.line,
                "buy_amount",
                None,
                (wrong, "Add buy_amount = 10"),
            );
        }
        let buy_amount = section
            .integer(notes, "buy_amount", 1..=1_000_000_000)
            .and_then(|amount| i32::try_from(amount).ok());
        let description = section.text(notes, "description", TEXT_MAX_CHARS);
        if let (Some(id), Some(product), Some(buy_amount)) = (id, product, buy_amount) {
            items.push(Item {
                id: id.owned(),
                service_product: product.owned(),
                buy_amount,
                description: description.map(|found| found.owned()),
            });
        }
    }
    items
}
