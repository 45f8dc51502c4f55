//! Campaigns with their rewards, promotions and items.
//!
//! What an id stands for never changes: a campaign keeps its kind, a reward, promotion or item its campaign.

use super::account::Work;
use super::{Diff, Stop, name_others, next_number};
use crate::amount::Amount;
use crate::loyalty::account::Kind;
use crate::store::Db;
use crate::store::schema::{balances, campaigns, items, promotions, rewards};
use crate::text::shown;
use crate::world::Campaign;
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = campaigns, primary_key(account_id, number), treat_none_as_null = true, treat_none_as_default_value = false)]
struct CampaignRow {
    account_id: i32,
    number: i32,
    campaign_id: String,
    kind: String,
    name: String,
    active: bool,
    decimals: i16,
    points_ratio: i64,
    earned_per_event: i64,
    allow_negative: bool,
    created_at: i64,
    reward_ratio: Option<i64>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = rewards, primary_key(account_id, number), treat_none_as_null = true, treat_none_as_default_value = false)]
struct RewardRow {
    account_id: i32,
    number: i32,
    campaign: i32,
    id: String,
    reward_id: Option<String>,
    level: i64,
    description: String,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = promotions, primary_key(account_id, number))]
struct PromotionRow {
    account_id: i32,
    number: i32,
    campaign: i32,
    id: String,
    operand: String,
    value: i64,
    description: String,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = items, primary_key(account_id, number))]
struct ItemRow {
    account_id: i32,
    number: i32,
    campaign: i32,
    id: String,
    service_product: String,
    buy_amount: i32,
    description: String,
}

fn decimal(raw: i64) -> String {
    Amount::from_raw(raw).text(0)
}

/// Writes the campaigns and what belongs to them. Gives the numbers of the file's campaigns by their ids.
pub(super) fn write<'w>(
    work: &mut Work<'_>,
    wanted: &'w [Campaign],
) -> Result<HashMap<&'w str, i32>, Stop> {
    let stored: Vec<CampaignRow> = campaigns::table
        .filter(campaigns::account_id.eq(work.account))
        .order(campaigns::number)
        .select(CampaignRow::as_select())
        .load(work.db)?;
    let mut parts = Parts::load(work)?;
    let mut numbers = HashMap::new();
    let mut next = next_number(stored.iter().map(|row| row.number));
    for campaign in wanted {
        let known = stored.iter().find(|row| row.campaign_id == campaign.id);
        let new = CampaignRow {
            account_id: work.account,
            number: known.map_or(next, |row| row.number),
            campaign_id: campaign.id.clone(),
            kind: campaign.kind.word().to_owned(),
            name: campaign.name.clone(),
            active: campaign.active,
            decimals: match campaign.kind {
                Kind::Points => i16::from(campaign.digits),
                _ => 0,
            },
            points_ratio: campaign.points_ratio.raw(),
            earned_per_event: campaign.earned_per_event.raw(),
            allow_negative: campaign.allow_negative,
            created_at: known.map_or(work.now_us, |row| row.created_at),
            reward_ratio: campaign.reward_ratio.map(Amount::raw),
        };
        let mut diff = Diff::default();
        match known {
            None => {
                diesel::insert_into(campaigns::table)
                    .values(&new)
                    .execute(work.db)?;
                next = next.saturating_add(1);
                diff.word("created");
            }
            Some(old) if *old != new => {
                may_change(work.db, campaign, old, &new)?;
                diff.text("name", &old.name, &new.name);
                diff.value("active", old.active, new.active);
                diff.value("decimals", old.decimals, new.decimals);
                diff.value(
                    "points_ratio",
                    decimal(old.points_ratio),
                    decimal(new.points_ratio),
                );
                let ratios = (old.reward_ratio.map(decimal), new.reward_ratio.map(decimal));
                diff.optional("reward_ratio", ratios.0.as_deref(), ratios.1.as_deref());
                let events = (old.earned_per_event, new.earned_per_event);
                diff.value("earned_per_event", decimal(events.0), decimal(events.1));
                diff.value("allow_negative", old.allow_negative, new.allow_negative);
                diesel::update(old).set(&new).execute(work.db)?;
            }
            Some(_) => {}
        }
        work.say(diff.line("campaign", &campaign.id));
        parts.write(work, campaign, new.number)?;
        numbers.insert(campaign.id.as_str(), new.number);
    }
    name_others(
        &mut work.kept,
        "campaign",
        stored.iter().map(|row| row.campaign_id.as_str()),
        |id| wanted.iter().any(|campaign| campaign.id == id),
    );
    parts.name_others(work, wanted, &numbers);
    Ok(numbers)
}

fn may_change(
    db: &mut Db,
    campaign: &Campaign,
    old: &CampaignRow,
    new: &CampaignRow,
) -> Result<(), Stop> {
    let refuse = |key: &str, old: &str, new: &str, why: &str| {
        Err(Stop::Refused(format!(
            "line {}, campaign {}: {key} is {old} and cannot become {new}{why}. Write {key} = {old} as before, or make a \
             campaign with another id",
            campaign.line,
            shown(&campaign.id),
        )))
    };
    if old.kind != new.kind {
        return refuse("type", &old.kind, &new.kind, "");
    }
    if old.allow_negative && !new.allow_negative {
        let below: Option<i64> = balances::table
            .filter(balances::account_id.eq(old.account_id))
            .filter(balances::campaign.eq(old.number))
            .filter(balances::balance.lt(0))
            .select(balances::customer)
            .first(db)
            .optional()?;
        if below.is_some() {
            return refuse(
                "allow_negative",
                "true",
                "false",
                " while a balance is below zero",
            );
        }
    }
    // Each entry has a balance, and the journal itself has no index for the question.
    if old.decimals != new.decimals {
        let entry: Option<i64> = balances::table
            .filter(balances::account_id.eq(old.account_id))
            .filter(balances::campaign.eq(old.number))
            .select(balances::customer)
            .first(db)
            .optional()?;
        if entry.is_some() {
            let (old, new) = (old.decimals.to_string(), new.decimals.to_string());
            return refuse(
                "decimals",
                &old,
                &new,
                ", because the journal has entries of it",
            );
        }
    }
    Ok(())
}

/// What is stored of the parts of all campaigns.
struct Parts {
    rewards: Vec<RewardRow>,
    promotions: Vec<PromotionRow>,
    items: Vec<ItemRow>,
    /// The next free numbers, in that order.
    next: [i32; 3],
}

/// Writes the rows of one kind of part of one campaign.
macro_rules! write_parts {
    ($work:expr, $table:ident, $what:literal, $line:expr, $stored:expr, $next:expr, $rows:expr,
     |$diff:ident, $old:ident, $new:ident| $compare:block) => {
        for mut $new in $rows {
            let mut $diff = Diff::default();
            match $stored.iter().find(|row| row.id == $new.id) {
                None => {
                    $new.number = $next;
                    $next = $next.saturating_add(1);
                    diesel::insert_into($table::table).values(&$new).execute($work.db)?;
                    $diff.word("created");
                }
                Some($old) => {
                    $new.number = $old.number;
                    if $old.campaign != $new.campaign {
                        return Err(Stop::Refused(format!(
                            "line {}: the {} \"{}\" belongs to another campaign, and cannot move. Give this one \
                             another id",
                            $line,
                            $what,
                            shown(&$new.id)
                        )));
                    }
                    $compare
                    if *$old != $new {
                        diesel::update($old).set(&$new).execute($work.db)?;
                    }
                }
            }
            $work.say($diff.line($what, &$new.id));
        }
    };
}

impl Parts {
    fn load(work: &mut Work<'_>) -> Result<Parts, Stop> {
        let account = work.account;
        let rewards: Vec<RewardRow> = rewards::table
            .filter(rewards::account_id.eq(account))
            .order(rewards::number)
            .select(RewardRow::as_select())
            .load(work.db)?;
        let promotions: Vec<PromotionRow> = promotions::table
            .filter(promotions::account_id.eq(account))
            .order(promotions::number)
            .select(PromotionRow::as_select())
            .load(work.db)?;
        let items: Vec<ItemRow> = items::table
            .filter(items::account_id.eq(account))
            .order(items::number)
            .select(ItemRow::as_select())
            .load(work.db)?;
        let next = [
            next_number(rewards.iter().map(|row| row.number)),
            next_number(promotions.iter().map(|row| row.number)),
            next_number(items.iter().map(|row| row.number)),
        ];
        Ok(Parts {
            rewards,
            promotions,
            items,
            next,
        })
    }

    fn write(&mut self, work: &mut Work<'_>, wanted: &Campaign, campaign: i32) -> Result<(), Stop> {
        let Parts {
            rewards: stored_rewards,
            promotions: stored_promotions,
            items: stored_items,
            next: [next_reward, next_promotion, next_item],
        } = self;
        let account_id = work.account;
        let rows = wanted.rewards.iter().map(|reward| RewardRow {
            account_id,
            number: 0,
            campaign,
            id: reward.id.clone(),
            reward_id: reward.reward_id.clone(),
            level: reward.level.raw(),
            description: reward.description.clone().unwrap_or_default(),
        });
        write_parts!(
            work,
            rewards,
            "reward",
            wanted.line,
            stored_rewards,
            *next_reward,
            rows,
            |diff, old, new| {
                // Left out of the file: left alone.
                new.reward_id = new.reward_id.or_else(|| old.reward_id.clone());
                if new.description.is_empty() {
                    new.description.clone_from(&old.description);
                }
                diff.optional(
                    "reward_id",
                    old.reward_id.as_deref(),
                    new.reward_id.as_deref(),
                );
                diff.value("level", decimal(old.level), decimal(new.level));
                diff.text("description", &old.description, &new.description);
            }
        );
        let rows = wanted.promotions.iter().map(|promotion| PromotionRow {
            account_id,
            number: 0,
            campaign,
            id: promotion.id.clone(),
            operand: promotion.operand.word().to_owned(),
            value: promotion.value.raw(),
            description: promotion.description.clone().unwrap_or_default(),
        });
        write_parts!(
            work,
            promotions,
            "promotion",
            wanted.line,
            stored_promotions,
            *next_promotion,
            rows,
            |diff, old, new| {
                if new.description.is_empty() {
                    new.description.clone_from(&old.description);
                }
                diff.text("operand", &old.operand, &new.operand);
                diff.value("value", decimal(old.value), decimal(new.value));
                diff.text("description", &old.description, &new.description);
            }
        );
        let rows = wanted.items.iter().map(|item| ItemRow {
            account_id,
            number: 0,
            campaign,
            id: item.id.clone(),
            service_product: item.service_product.clone(),
            buy_amount: item.buy_amount,
            description: item.description.clone().unwrap_or_default(),
        });
        write_parts!(
            work,
            items,
            "item",
            wanted.line,
            stored_items,
            *next_item,
            rows,
            |diff, old, new| {
                if new.description.is_empty() {
                    new.description.clone_from(&old.description);
                }
                diff.text(
                    "service_product",
                    &old.service_product,
                    &new.service_product,
                );
                diff.value("buy_amount", old.buy_amount, new.buy_amount);
                diff.text("description", &old.description, &new.description);
            }
        );
        Ok(())
    }

    /// Names what is stored but not in the file, of the campaigns that are in the file.
    fn name_others(&self, work: &mut Work<'_>, wanted: &[Campaign], numbers: &HashMap<&str, i32>) {
        let listed = |campaign: i32| numbers.values().any(|number| *number == campaign);
        let stored = self.rewards.iter().filter(|row| listed(row.campaign));
        name_others(
            &mut work.kept,
            "reward",
            stored.map(|row| row.id.as_str()),
            |id| {
                let mut all = wanted.iter().flat_map(|campaign| &campaign.rewards);
                all.any(|reward| reward.id == id)
            },
        );
        let stored = self.promotions.iter().filter(|row| listed(row.campaign));
        name_others(
            &mut work.kept,
            "promotion",
            stored.map(|row| row.id.as_str()),
            |id| {
                let mut all = wanted.iter().flat_map(|campaign| &campaign.promotions);
                all.any(|promotion| promotion.id == id)
            },
        );
        let stored = self.items.iter().filter(|row| listed(row.campaign));
        name_others(
            &mut work.kept,
            "item",
            stored.map(|row| row.id.as_str()),
            |id| {
                let mut all = wanted.iter().flat_map(|campaign| &campaign.items);
                all.any(|item| item.id == id)
            },
        );
    }
}
