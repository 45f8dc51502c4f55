//! An account as the rules see it: users, campaigns, rewards, promotions, items.
//!
//! Belongs here: what configuration means. Does not belong here: how it is stored or loaded.

use crate::amount::Amount;
use crate::text;
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};
use subtle::ConstantTimeEq;

/// The longest id, code or card number, in characters.
pub const ID_MAX_CHARS: usize = 64;
/// The longest authorization, description or name, in characters.
pub const TEXT_MAX_CHARS: usize = 255;
/// The longest list of promotions on a line, in characters.
pub const PROMOTIONS_MAX_CHARS: usize = 1000;
/// The most promotions on a line.
pub const PROMOTIONS_MAX: usize = 16;

/// The five kinds of campaign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Points for money spent; rewards cost points.
    Points,
    /// Stored money.
    GiftCard,
    /// Items bought, counted for each item; so many give one free.
    BuyX,
    /// Visits, counted; rewards cost visits.
    Events,
    /// Money earned for each visit.
    Earned,
}

impl Kind {
    /// All kinds, with their words on the wire, in world files and in the database.
    pub const ALL: [(Kind, &'static str); 5] = [
        (Kind::Points, "points"),
        (Kind::GiftCard, "giftcard"),
        (Kind::BuyX, "buyx"),
        (Kind::Events, "events"),
        (Kind::Earned, "earned"),
    ];

    /// The kind's word.
    pub fn word(self) -> &'static str {
        Kind::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// Decimals of the kind's unit: points have their campaign's, money has its currency's, the others are counted.
    pub fn digits<N: From<u8>>(self, points: N, money: N) -> N {
        match self {
            Kind::Points => points,
            Kind::GiftCard | Kind::Earned => money,
            Kind::BuyX | Kind::Events => N::from(0),
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL
            .iter()
            .find(|(_, w)| *w == word)
            .map(|(kind, _)| *kind)
    }
}

/// What a promotion does to the points of an add.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// Multiplies.
    Times,
    /// Adds.
    Plus,
}

impl Operand {
    /// `x` or `+`.
    pub fn word(self) -> &'static str {
        match self {
            Operand::Times => "x",
            Operand::Plus => "+",
        }
    }

    /// The operand with this word.
    pub fn from_word(word: &str) -> Option<Operand> {
        match word {
            "x" => Some(Operand::Times),
            "+" => Some(Operand::Plus),
            _ => None,
        }
    }
}

/// A reward of a points or events campaign.
#[derive(Clone, Debug)]
pub struct Reward {
    /// The number it is stored under, unique in the account.
    pub number: i32,
    /// The id clients redeem with.
    pub id: String,
    /// The shop's own id, if it has one.
    pub reward_id: Option<String>,
    /// What it costs, in the campaign's unit.
    pub level: Amount,
}

/// A promotion of a points campaign.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// The id clients name.
    pub id: String,
    /// What it does.
    pub operand: Operand,
    /// By how much.
    pub value: Amount,
}

/// An item of a buy-X campaign.
#[derive(Clone, Debug)]
pub struct Item {
    /// The number it is stored under, unique in the account, from 1.
    pub number: i32,
    /// The id clients name.
    pub id: String,
    /// The product's name.
    pub service_product: String,
    /// What a receipt says.
    pub description: String,
    /// How many give one free.
    pub buy_amount: i32,
}

/// A campaign with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The number it is stored under, unique in the account.
    pub number: i32,
    /// The id clients name.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it takes postings.
    pub active: bool,
    /// Decimals of its unit: of the points, of the account's currency, or none.
    pub digits: u8,
    /// Points for each unit of money.
    pub points_ratio: Amount,
    /// Money for each event of an earned campaign.
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
    /// The reward an amount names: by `id`, then by `reward_id`.
    pub fn reward(&self, name: &str) -> Option<&Reward> {
        self.rewards
            .iter()
            .find(|reward| reward.id == name)
            .or_else(|| {
                self.rewards
                    .iter()
                    .find(|reward| reward.reward_id.as_deref() == Some(name))
            })
    }

    /// The promotion with this id.
    pub fn promotion(&self, id: &str) -> Option<&Promotion> {
        self.promotions.iter().find(|promotion| promotion.id == id)
    }

    /// The item that a `service_product` names: by id, then by its product's name, then by its description; the last
    /// two without regard to case.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == name).or_else(|| {
            let folded = text::fold(name);
            let by = |of: fn(&Item) -> &str| {
                self.items
                    .iter()
                    .find(|item| text::fold(of(item)) == folded)
            };
            by(|item| &item.service_product).or_else(|| by(|item| &item.description))
        })
    }

    /// Whether balances of this campaign are money.
    pub fn is_money(&self) -> bool {
        matches!(self.kind, Kind::GiftCard | Kind::Earned)
    }
}

/// A user of an account: whoever calls API 1.5.
#[derive(Clone, Debug)]
pub struct User {
    /// The number it is stored under, unique in the account.
    pub number: i32,
    /// The id clients send.
    pub user_id: String,
    /// The digests of its keys, under the server key.
    pub keys: Vec<[u8; 32]>,
    /// The numbers of the campaigns it sees; `None` is all.
    pub campaigns: Option<HashSet<i32>>,
}

impl User {
    /// Whether this is the digest of one of the user's keys; compares all of them, in constant time.
    pub fn has_key(&self, digest: &[u8; 32]) -> bool {
        let mut found = subtle::Choice::from(0);
        for key in &self.keys {
            found |= key.ct_eq(digest);
        }
        found.into()
    }

    /// Whether the user sees the campaign with this number.
    pub fn sees(&self, campaign: i32) -> bool {
        self.campaigns
            .as_ref()
            .is_none_or(|seen| seen.contains(&campaign))
    }
}

/// A brand of an account: whoever calls sales v4.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The number it is stored under, unique in the account.
    pub number: i32,
    /// The id that the world file gives it.
    pub id: String,
    /// The currency of sales that do not say theirs: its own, else the account's.
    pub currency: String,
    /// The zone of times that do not say theirs: its own, else the account's.
    pub zone: Tz,
    /// The number of the points campaign in which its sales earn; `None`: they earn nothing.
    pub campaign: Option<i32>,
    /// The digest of its token, under the server key.
    pub token: [u8; 32],
}

/// An account with its configuration, as it was at `config_version`.
#[derive(Clone, Debug)]
pub struct Account {
    /// The number it is stored under.
    pub number: i32,
    /// The id clients send.
    pub account_id: String,
    /// Its name.
    pub name: String,
    /// Its time zone: what "today" means.
    pub zone: Tz,
    /// How long, in seconds, a request without an idempotency key counts as the repetition of an equal one; 0 is never.
    pub duplicate_window_s: u32,
    /// Its country, in two letters: whose phone numbers are written without a calling code.
    pub country: Option<String>,
    /// Its secret, sealed under the server key: what callers of `sync_data` show and what signs its webhooks.
    pub sealed_secret: Option<Vec<u8>>,
    /// The version of the configuration this was loaded at, or an older one.
    pub config_version: i64,
    /// Its brands.
    pub brands: Vec<Brand>,
    users: HashMap<String, User>,
    campaigns: Vec<Campaign>,
    campaign_index: HashMap<String, usize>,
}

impl Account {
    /// An account put together from its parts.
    pub fn new(
        number: i32,
        account_id: String,
        name: String,
        zone: Tz,
        config_version: i64,
        users: Vec<User>,
        campaigns: Vec<Campaign>,
    ) -> Account {
        let campaign_index = campaigns
            .iter()
            .enumerate()
            .map(|(index, campaign)| (campaign.id.clone(), index))
            .collect();
        let users = users
            .into_iter()
            .map(|user| (user.user_id.clone(), user))
            .collect();
        Account {
            number,
            account_id,
            name,
            zone,
            duplicate_window_s: 0,
            country: None,
            sealed_secret: None,
            config_version,
            brands: Vec::new(),
            users,
            campaigns,
            campaign_index,
        }
    }

    /// The brand with this number.
    pub fn brand(&self, number: i32) -> Option<&Brand> {
        self.brands.iter().find(|brand| brand.number == number)
    }

    /// The user with this number.
    pub fn user_by_number(&self, number: i32) -> Option<&User> {
        self.users.values().find(|user| user.number == number)
    }

    /// The campaign with this number.
    pub fn campaign_by_number(&self, number: i32) -> Option<&Campaign> {
        self.campaigns
            .iter()
            .find(|campaign| campaign.number == number)
    }

    /// The user with this id; compared exactly.
    pub fn user(&self, user_id: &str) -> Option<&User> {
        self.users.get(user_id)
    }

    /// The index of the campaign with this id, for [`Account::campaign`].
    pub fn find_campaign(&self, id: &str) -> Option<usize> {
        self.campaign_index.get(id).copied()
    }

    /// The campaign at an index that [`Account::find_campaign`] gave.
    pub fn campaign(&self, index: usize) -> Option<&Campaign> {
        self.campaigns.get(index)
    }
}
