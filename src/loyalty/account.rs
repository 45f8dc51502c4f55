//! An account as the rules see it: users, campaigns, rewards, promotions, items.
//!
//! Belongs here: what configuration means. Does not belong here: how it is stored or loaded.

use super::rights::Rights;
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
    /// What it is; empty where nothing is said.
    pub description: String,
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
    /// What it is; empty where nothing is said.
    pub description: String,
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
    /// Points for each unit of money that is redeemed; `None`: no money is redeemed.
    pub reward_ratio: Option<Amount>,
    /// Money for each event of an earned campaign.
    pub earned_per_event: Amount,
    /// Whether a balance may fall below zero.
    pub allow_negative: bool,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_at: i64,
    /// Its rewards.
    pub rewards: Vec<Reward>,
    /// Its promotions.
    pub promotions: Vec<Promotion>,
    /// Its items.
    pub items: Vec<Item>,
}

impl Campaign {
    /// An active campaign without rewards, promotions and items. Its ratio is 1, and money has two decimals.
    pub fn new(number: i32, id: &str, name: &str, kind: Kind) -> Campaign {
        Campaign {
            number,
            id: id.to_owned(),
            kind,
            name: name.to_owned(),
            active: true,
            digits: kind.digits(2, 2),
            points_ratio: Amount::from_whole(1).unwrap_or_default(),
            reward_ratio: None,
            earned_per_event: Amount::ZERO,
            allow_negative: false,
            created_at: 0,
            rewards: Vec::new(),
            promotions: Vec::new(),
            items: Vec::new(),
        }
    }

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

/// A key of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserKey {
    /// Its digest under the server key.
    pub digest: [u8; 32],
    /// Of a key that `user_login` gave, when it was used last, in microseconds since 1970 UTC.
    pub login_used_at: Option<i64>,
}

/// A user of an account: whoever calls API 1.5.
#[derive(Clone, Debug)]
pub struct User {
    /// The number it is stored under, unique in the account.
    pub number: i32,
    /// The id clients send.
    pub user_id: String,
    /// Its keys.
    pub keys: Vec<UserKey>,
    /// The numbers of the campaigns it sees; `None` is all.
    pub campaigns: Option<HashSet<i32>>,
    /// What it may do.
    pub rights: Rights,
    /// The hash of its password, if it has one.
    pub password: Option<Box<str>>,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_at: i64,
}

impl User {
    /// A user who sees and may do everything, with API keys of these digests.
    pub fn new(number: i32, user_id: &str, keys: &[[u8; 32]]) -> User {
        let key = |digest: &[u8; 32]| UserKey {
            digest: *digest,
            login_used_at: None,
        };
        User {
            number,
            user_id: user_id.to_owned(),
            keys: keys.iter().map(key).collect(),
            campaigns: None,
            rights: Rights::ALL,
            password: None,
            created_at: 0,
        }
    }

    /// The user's key with this digest; compares all of them, in constant time.
    pub fn key(&self, digest: &[u8; 32]) -> Option<&UserKey> {
        let mut found = None;
        for key in &self.keys {
            if bool::from(key.digest.ct_eq(digest)) {
                found = Some(key);
            }
        }
        found
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

/// What a custom field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A day.
    Date,
    /// Some of its choices.
    List,
    /// One of its choices.
    Pick,
}

impl FieldKind {
    /// All kinds, with their words on the wire and the numbers they are stored as.
    pub const ALL: [(FieldKind, &'static str, i16); 4] = [
        (FieldKind::Text, "Text", 1),
        (FieldKind::Date, "Date", 2),
        (FieldKind::List, "List", 3),
        (FieldKind::Pick, "Pick", 4),
    ];

    /// The kind's word.
    pub fn word(self) -> &'static str {
        let row = FieldKind::ALL.iter().find(|(kind, ..)| *kind == self);
        row.map_or("", |(_, word, _)| word)
    }

    /// The number it is stored as.
    pub fn stored(self) -> i16 {
        let row = FieldKind::ALL.iter().find(|(kind, ..)| *kind == self);
        row.map_or(0, |(.., number)| *number)
    }

    /// The kind with this word, in any case.
    pub fn from_word(word: &str) -> Option<FieldKind> {
        let mut rows = FieldKind::ALL.iter();
        let row = rows.find(|(_, known, _)| known.eq_ignore_ascii_case(word))?;
        Some(row.0)
    }

    /// The kind that is stored as this number.
    pub fn from_stored(number: i16) -> Option<FieldKind> {
        let row = FieldKind::ALL.iter().find(|(.., known)| *known == number)?;
        Some(row.0)
    }
}

/// A custom field of customers that an account has defined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomField {
    /// Its number, from 1 to 99.
    pub number: u8,
    /// What it is called.
    pub label: String,
    /// Whether it is shown.
    pub shown: bool,
    /// What it holds.
    pub kind: FieldKind,
    /// What a list or a pick chooses from.
    pub choices: Vec<String>,
    /// Whether customers are searched by it.
    pub searchable: bool,
    /// Whether no two customers have the same value.
    pub unique: bool,
    /// Whether every new customer must have a value.
    pub required: bool,
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
    /// Its currency, in three letters.
    pub currency: String,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_at: i64,
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
    /// The custom fields of customers that it has defined, in the order of their numbers.
    pub fields: Vec<CustomField>,
    /// Users that were deleted, by their numbers: entries name them.
    pub former: Vec<(i32, String)>,
    users: HashMap<String, User>,
    campaigns: Vec<Campaign>,
    campaign_index: HashMap<String, usize>,
}

impl Account {
    /// An account put together from its parts; the rest is set behind it.
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
            currency: "USD".to_owned(),
            created_at: 0,
            duplicate_window_s: 0,
            country: None,
            sealed_secret: None,
            config_version,
            brands: Vec::new(),
            fields: Vec::new(),
            former: Vec::new(),
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

    /// The id of the user with this number, also of one that was deleted.
    pub fn user_name(&self, number: i32) -> Option<&str> {
        let present = self.user_by_number(number).map(|user| &user.user_id);
        let former = || self.former.iter().find(|(known, _)| *known == number);
        present
            .or_else(|| former().map(|(_, name)| name))
            .map(String::as_str)
    }

    /// All users, in no order.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// The custom field with this number, if it is defined.
    pub fn field(&self, number: u8) -> Option<&CustomField> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// All campaigns, in the order of the configuration.
    pub fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
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
