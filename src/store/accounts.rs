//! Accounts with their configuration, as the rules see them.
//!
//! Belongs here: loading. Writing configuration is in [`super::world`].

use super::schema::{
    accounts, api_keys, brands, campaigns, custom_fields, items, promotions, rewards,
    user_campaigns, users,
};
use super::{Db, Failure, Result, heads};
use crate::amount::{Amount, currency_digits};
use crate::loyalty::account::{
    Account, Brand, Campaign, CustomField, FieldKind, Item, Kind, Operand, Promotion, Reward, User,
    UserKey,
};
use crate::loyalty::rights::Rights;
use chrono_tz::Tz;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// The kind of the keys that `user_login` gives.
pub const LOGIN_KEY: &str = "login";

/// Id, name, currency, time zone, duplicate window, country, sealed secret, creation.
type AccountRow = (
    String,
    String,
    String,
    String,
    i32,
    Option<String>,
    Option<Vec<u8>>,
    i64,
);

/// Loads an account; `None` if there is none with this number.
///
/// The version is read first: if the configuration moves while the rest is read, the account carries the older
/// version, and the next writing that compares versions loads it again.
pub fn load(db: &mut Db, account: i32) -> Result<Option<Account>> {
    let Some(head) = heads::read(db, account)? else {
        return Ok(None);
    };
    let row: Option<AccountRow> = accounts::table
        .find(account)
        .select((
            accounts::account_id,
            accounts::name,
            accounts::currency,
            accounts::timezone,
            accounts::duplicate_window_s,
            accounts::country,
            accounts::secret,
            accounts::created_at,
        ))
        .first(db)
        .optional()?;
    let Some((account_id, name, currency, timezone, window, country, secret, created)) = row else {
        return Ok(None);
    };
    let zone: Tz = timezone
        .parse()
        .map_err(|_| broken("timezone", &timezone))?;
    let digits = currency_digits(&currency).ok_or_else(|| broken("currency", &currency))?;
    let (users, former) = load_users(db, account)?;
    let campaigns = load_campaigns(db, account, digits)?;
    let mut account = Account::new(
        account,
        account_id,
        name,
        zone,
        head.config_version,
        users,
        campaigns,
    );
    account.duplicate_window_s = u32::try_from(window).unwrap_or(0);
    account.country = country;
    account.sealed_secret = secret;
    account.brands = load_brands(db, account.number, (&currency, zone))?;
    account.fields = load_fields(db, account.number)?;
    account.former = former;
    account.currency = currency;
    account.created_at = created;
    Ok(Some(account))
}

fn broken(what: &str, value: &str) -> Failure {
    Failure::Data(format!(
        "the stored {what} \"{value}\" is not known to this program"
    ))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    number: i32,
    user_id: String,
    all_campaigns: bool,
    permissions: i16,
    password: Option<String>,
    active: bool,
    created_at: i64,
}

/// User, digest, kind, created at, last used at.
type KeyRow = (i32, Vec<u8>, String, i64, Option<i64>);

/// Users, and the numbers and ids of those that were deleted.
type Users = (Vec<User>, Vec<(i32, String)>);

/// The users of an account.
fn load_users(db: &mut Db, account: i32) -> Result<Users> {
    let mut keys: HashMap<i32, Vec<UserKey>> = HashMap::new();
    let rows: Vec<KeyRow> = api_keys::table
        .filter(api_keys::account_id.eq(account))
        .select((
            api_keys::user,
            api_keys::hash,
            api_keys::kind,
            api_keys::created_at,
            api_keys::last_used_at,
        ))
        .load(db)?;
    for (user, hash, kind, created, used) in rows {
        if let Ok(digest) = <[u8; 32]>::try_from(hash) {
            let login_used_at = (kind == LOGIN_KEY).then_some(used.unwrap_or(created));
            keys.entry(user).or_default().push(UserKey {
                digest,
                login_used_at,
            });
        }
    }
    let mut seen: HashMap<i32, HashSet<i32>> = HashMap::new();
    let rows: Vec<(i32, i32)> = user_campaigns::table
        .filter(user_campaigns::account_id.eq(account))
        .select((user_campaigns::user, user_campaigns::campaign))
        .load(db)?;
    for (user, campaign) in rows {
        seen.entry(user).or_default().insert(campaign);
    }
    let rows: Vec<UserRow> = users::table
        .filter(users::account_id.eq(account))
        .order(users::number)
        .select(UserRow::as_select())
        .load(db)?;
    let (mut present, mut former) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        if !row.active {
            former.push((row.number, row.user_id));
            continue;
        }
        present.push(User {
            number: row.number,
            user_id: row.user_id,
            keys: keys.remove(&row.number).unwrap_or_default(),
            campaigns: if row.all_campaigns {
                None
            } else {
                Some(seen.remove(&row.number).unwrap_or_default())
            },
            rights: Rights(row.permissions),
            password: row.password.map(String::into_boxed_str),
            created_at: row.created_at,
        });
    }
    Ok((present, former))
}

/// Number, label, shown, kind, choices, searchable, unique, required.
type FieldRow = (i16, String, bool, i16, Option<String>, bool, bool, bool);

/// The custom fields that an account has defined.
fn load_fields(db: &mut Db, account: i32) -> Result<Vec<CustomField>> {
    let rows: Vec<FieldRow> = custom_fields::table
        .filter(custom_fields::account_id.eq(account))
        .order(custom_fields::number)
        .select((
            custom_fields::number,
            custom_fields::label,
            custom_fields::shown,
            custom_fields::kind,
            custom_fields::choices,
            custom_fields::searchable,
            custom_fields::is_unique,
            custom_fields::required,
        ))
        .load(db)?;
    let mut list = Vec::with_capacity(rows.len());
    for (number, label, shown, kind, choices, searchable, unique, required) in rows {
        let wrong = |what| broken(what, &format!("{number} of the custom field"));
        list.push(CustomField {
            number: u8::try_from(number).map_err(|_| wrong("number"))?,
            label,
            shown,
            kind: FieldKind::from_stored(kind).ok_or_else(|| wrong("kind"))?,
            choices: match choices {
                Some(json) => serde_json::from_str(&json).map_err(|_| wrong("choices"))?,
                None => Vec::new(),
            },
            searchable,
            unique,
            required,
        });
    }
    Ok(list)
}

/// Number, id, currency, time zone, digest of the token, campaign.
type BrandRow = (
    i32,
    String,
    Option<String>,
    Option<String>,
    Vec<u8>,
    Option<i32>,
);

/// The brands of an account, with the account's currency and zone where they have none of their own.
fn load_brands(
    db: &mut Db,
    account: i32,
    (account_currency, account_zone): (&str, Tz),
) -> Result<Vec<Brand>> {
    let rows: Vec<BrandRow> = brands::table
        .filter(brands::account_id.eq(account))
        .order(brands::number)
        .select((
            brands::number,
            brands::brand_id,
            brands::currency,
            brands::timezone,
            brands::token_hash,
            brands::campaign,
        ))
        .load(db)?;
    let mut list = Vec::with_capacity(rows.len());
    for (number, id, currency, timezone, token, campaign) in rows {
        let zone = match timezone {
            Some(name) => name.parse().map_err(|_| broken("timezone", &name))?,
            None => account_zone,
        };
        let token = <[u8; 32]>::try_from(token).map_err(|_| broken("token of the brand", &id))?;
        list.push(Brand {
            number,
            id,
            currency: currency.unwrap_or_else(|| account_currency.to_owned()),
            zone,
            campaign,
            token,
        });
    }
    Ok(list)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = campaigns)]
struct CampaignRow {
    number: i32,
    campaign_id: String,
    kind: String,
    name: String,
    active: bool,
    decimals: i16,
    points_ratio: i64,
    reward_ratio: Option<i64>,
    earned_per_event: i64,
    allow_negative: bool,
    created_at: i64,
}

fn load_campaigns(db: &mut Db, account: i32, money_digits: u8) -> Result<Vec<Campaign>> {
    let mut found_rewards: HashMap<i32, Vec<Reward>> = HashMap::new();
    let rows: Vec<(i32, i32, String, Option<String>, i64, String)> = rewards::table
        .filter(rewards::account_id.eq(account))
        .order(rewards::number)
        .select((
            rewards::campaign,
            rewards::number,
            rewards::id,
            rewards::reward_id,
            rewards::level,
            rewards::description,
        ))
        .load(db)?;
    for (campaign, number, id, reward_id, level, description) in rows {
        let reward = Reward {
            number,
            id,
            reward_id,
            level: Amount::from_raw(level),
            description,
        };
        found_rewards.entry(campaign).or_default().push(reward);
    }
    let mut found_promotions: HashMap<i32, Vec<Promotion>> = HashMap::new();
    let rows: Vec<(i32, String, String, i64, String)> = promotions::table
        .filter(promotions::account_id.eq(account))
        .order(promotions::number)
        .select((
            promotions::campaign,
            promotions::id,
            promotions::operand,
            promotions::value,
            promotions::description,
        ))
        .load(db)?;
    for (campaign, id, operand, value, description) in rows {
        let operand = Operand::from_word(&operand).ok_or_else(|| broken("operand", &operand))?;
        let promotion = Promotion {
            id,
            operand,
            value: Amount::from_raw(value),
            description,
        };
        found_promotions
            .entry(campaign)
            .or_default()
            .push(promotion);
    }
    let mut found_items: HashMap<i32, Vec<Item>> = HashMap::new();
    let rows: Vec<(i32, i32, String, String, i32, String)> = items::table
        .filter(items::account_id.eq(account))
        .order(items::number)
        .select((
            items::campaign,
            items::number,
            items::id,
            items::service_product,
            items::buy_amount,
            items::description,
        ))
        .load(db)?;
    for (campaign, number, id, service_product, buy_amount, description) in rows {
        let item = Item {
            number,
            id,
            service_product,
            description,
            buy_amount,
        };
        found_items.entry(campaign).or_default().push(item);
    }
    let rows: Vec<CampaignRow> = campaigns::table
        .filter(campaigns::account_id.eq(account))
        .order(campaigns::number)
        .select(CampaignRow::as_select())
        .load(db)?;
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = Kind::from_word(&row.kind).ok_or_else(|| broken("campaign kind", &row.kind))?;
        let digits = kind.digits(u8::try_from(row.decimals).unwrap_or(0), money_digits);
        list.push(Campaign {
            number: row.number,
            id: row.campaign_id,
            kind,
            name: row.name,
            active: row.active,
            digits,
            points_ratio: Amount::from_raw(row.points_ratio),
            reward_ratio: row.reward_ratio.map(Amount::from_raw),
            earned_per_event: Amount::from_raw(row.earned_per_event),
            allow_negative: row.allow_negative,
            created_at: row.created_at,
            rewards: found_rewards.remove(&row.number).unwrap_or_default(),
            promotions: found_promotions.remove(&row.number).unwrap_or_default(),
            items: found_items.remove(&row.number).unwrap_or_default(),
        });
    }
    Ok(list)
}
