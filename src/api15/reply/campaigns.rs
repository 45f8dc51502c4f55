//! Campaigns, rewards, promotions and items as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use super::Told;
use super::history::ratio;
use crate::amount;
use crate::api15::calls::paging::Page;
use crate::api15::render::Sink;
use crate::dates;
use crate::loyalty::account::{Account, Campaign, Item, Kind, Promotion};
use std::sync::Arc;

/// Where a part of a list stands in it.
fn pagination<T>(page: &Page<T>, sink: &mut dyn Sink) {
    let Some((total, offset)) = page.pagination else {
        return;
    };
    sink.object("pagination");
    sink.text("total", &total.to_string());
    sink.text("offset", &offset.to_string());
    sink.end();
}

/// Campaigns of an account.
pub struct Campaigns {
    /// The account.
    pub account: Arc<Account>,
    /// The campaigns.
    pub page: Page<Campaign>,
}

impl Told for Campaigns {
    fn write(&self, sink: &mut dyn Sink) {
        pagination(&self.page, sink);
        sink.list("campaigns", "campaign");
        for campaign in &self.page.list {
            sink.item();
            self.campaign(campaign, sink);
            sink.end();
        }
        sink.end();
    }
}

impl Campaigns {
    fn campaign(&self, campaign: &Campaign, sink: &mut dyn Sink) {
        let account = &self.account;
        sink.text("id", &campaign.id);
        sink.text("name", &campaign.name);
        sink.text("type", campaign.kind.word());
        if campaign.kind == Kind::Points {
            sink.text("points_ratio", &ratio(Some(campaign.points_ratio)));
            sink.text("reward_ratio", &ratio(campaign.reward_ratio));
        }
        if campaign.kind == Kind::Earned {
            let each = campaign.earned_per_event;
            sink.text("earned_per_event", &each.text(campaign.digits));
        }
        sink.text("currency", &account.currency);
        sink.text("glyph", &amount::currency_glyph(&account.currency));
        let created = dates::local_stamp(campaign.created_at, account.zone);
        sink.text("created_stamp", &created);
        if campaign.kind == Kind::BuyX {
            sink.bare_list("items", "item");
            for item in &campaign.items {
                sink.item();
                sink.text("id", &item.id);
                sink.text("description", &item.description);
                sink.end();
            }
            sink.end();
        }
    }
}

/// Of which campaign something is told.
fn of_campaign(id: &str, sink: &mut dyn Sink) {
    sink.object("campaign");
    sink.text("id", id);
    sink.end();
}

/// The rewards of a campaign.
pub struct Rewards {
    /// The campaign.
    pub campaign: Campaign,
}

impl Told for Rewards {
    fn write(&self, sink: &mut dyn Sink) {
        of_campaign(&self.campaign.id, sink);
        sink.list("rewards", "reward");
        for reward in &self.campaign.rewards {
            sink.item();
            sink.text("id", &reward.id);
            sink.text("level", &reward.level.text(self.campaign.digits));
            sink.text("description", &reward.description);
            if let Some(id) = &reward.reward_id {
                sink.text("reward_id", id);
            }
            sink.end();
        }
        sink.end();
    }
}

/// The promotions of a campaign.
pub struct Promotions {
    /// The campaign's id.
    pub campaign: String,
    /// The promotions.
    pub page: Page<Promotion>,
}

impl Told for Promotions {
    fn write(&self, sink: &mut dyn Sink) {
        of_campaign(&self.campaign, sink);
        pagination(&self.page, sink);
        sink.list("promotions", "promotion");
        for promotion in &self.page.list {
            sink.item();
            sink.text("id", &promotion.id);
            sink.text("operand", promotion.operand.word());
            let value = promotion.value;
            sink.text("value", &value.text(value.decimals()));
            sink.text("description", &promotion.description);
            sink.end();
        }
        sink.end();
    }
}

/// The items of a campaign.
pub struct Items {
    /// The items.
    pub page: Page<Item>,
}

impl Told for Items {
    fn write(&self, sink: &mut dyn Sink) {
        pagination(&self.page, sink);
        sink.list("buyx_items", "item");
        for item in &self.page.list {
            sink.item();
            sink.text("id", &item.id);
            sink.text("service_product", &item.service_product);
            sink.text("buy_amount", &item.buy_amount.to_string());
            sink.text("description", &item.description);
            sink.end();
        }
        sink.end();
    }
}
