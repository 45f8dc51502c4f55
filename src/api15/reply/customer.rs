//! A customer as events.
//!
//! Belongs here: which element holds what of a customer. Does not belong here: lists of customers ([`super::customers`]).

use super::{Told, history};
use crate::amount::{self, Amount};
use crate::api15::render::Sink;
use crate::dates;
use crate::loyalty::account::{Account, Campaign, Kind};
use crate::loyalty::customers::{Customer, Name};
use crate::loyalty::ledger::Balance;
use crate::posting::people::Totals;
use std::sync::Arc;

/// The first custom field; it has a name of its own.
const FIRST: Name = Name::Custom(1);

/// Writes what a customer's element holds: the sixteen that are always there, then the other custom fields that have a
/// value, in the order of their numbers.
pub fn fields(customer: &Customer, with_custom: bool, sink: &mut dyn Sink) {
    keys(customer, sink);
    for name in Name::plain() {
        if name == Name::Username {
            let first = customer.get(FIRST).filter(|_| with_custom);
            sink.text("custom_field", first.unwrap_or(""));
        }
        sink.text(&name.word(), customer.get(name).unwrap_or(""));
    }
    let profile = customer.profile.as_ref();
    let registered = profile.is_some_and(|profile| profile.registered);
    sink.text("registered", if registered { "Y" } else { "N" });
    let custom = profile.iter().flat_map(|profile| &profile.custom);
    for (number, value) in custom.filter(|_| with_custom) {
        let name = Name::Custom(*number);
        if name != FIRST {
            sink.text(&name.word(), value);
        }
    }
}

/// Writes code and card number.
fn keys(customer: &Customer, sink: &mut dyn Sink) {
    let person = &customer.person;
    sink.text("code", person.code.as_deref().unwrap_or(""));
    sink.text("card_number", person.card_number.as_deref().unwrap_or(""));
}

/// The reply of `record_customer`.
pub struct Recorded {
    /// The customer, as it is now.
    pub customer: Customer,
    /// What was done.
    pub status: String,
    /// The account's name.
    pub account_name: String,
    /// Whether it was done by an earlier request.
    pub repeated: bool,
}

impl Told for Recorded {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("customer");
        sink.attribute("status", &self.status);
        fields(&self.customer, true, sink);
        sink.end();
        let code = self.customer.person.code.as_deref();
        sink.text("code", code.unwrap_or(""));
        sink.text("account_name", &self.account_name);
    }
}

/// The reply of `customer_delete`.
pub struct Deleted {
    /// The code or card number that was sent.
    pub code: String,
    /// Whether it was done by an earlier request.
    pub repeated: bool,
}

impl Told for Deleted {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("customer");
        sink.attribute("status", "deleted");
        sink.text("code", &self.code);
        sink.end();
    }
}

/// The reply of `card_replace`.
pub struct Replaced {
    /// The customer, as it is now.
    pub customer: Customer,
    /// Whether it was done by an earlier request.
    pub repeated: bool,
}

impl Told for Replaced {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("customer");
        sink.attribute("status", "replaced");
        keys(&self.customer, sink);
        sink.end();
    }
}

/// The reply of `customer_info`.
pub struct Info {
    /// The account.
    pub account: Arc<Account>,
    /// The customer.
    pub customer: Customer,
    /// Whether custom fields are told.
    pub with_custom: bool,
    /// The campaigns that are told; `None`: none are.
    pub campaigns: Option<Vec<Campaign>>,
    /// What it has in them, as far as there are rows.
    pub balances: Vec<(Balance, Totals)>,
}

impl Told for Info {
    fn write(&self, sink: &mut dyn Sink) {
        sink.object("customer");
        fields(&self.customer, self.with_custom, sink);
        sink.end();
        if let Some(campaigns) = &self.campaigns {
            sink.list("campaigns", "campaign");
            for campaign in campaigns {
                sink.item();
                self.campaign(campaign, sink);
                sink.end();
            }
            sink.end();
        }
    }
}

impl Info {
    fn campaign(&self, campaign: &Campaign, sink: &mut dyn Sink) {
        let of = |totals: &Totals| totals.key.campaign == campaign.number;
        let own = self.balances.iter().filter(|(_, totals)| of(totals));
        let item = |item: i32| {
            let mut all = own.clone();
            let found = all.find(|(_, totals)| totals.key.item == item);
            found.map_or(Amount::ZERO, |(balance, _)| balance.amount)
        };
        let text = |amount: Amount| amount.text(campaign.digits);
        sink.text("id", &campaign.id);
        sink.text("name", &campaign.name);
        sink.text("description", "");
        sink.text("type", campaign.kind.word());
        sink.text("balance", &history::total(campaign, &item));
        let cumulative = own.clone().try_fold(Amount::ZERO, |sum, (_, totals)| {
            sum.checked_add(totals.cumulative)
        });
        sink.text(
            "cumulative",
            &text(cumulative.unwrap_or(Amount::BALANCE_MAX)),
        );
        sink.text("currency", &self.account.currency);
        let glyph = amount::currency_glyph(&self.account.currency);
        sink.text("glyph", &glyph);
        let points = (campaign.kind == Kind::Points).then_some(campaign.points_ratio);
        sink.text("points_ratio", &history::ratio(points));
        sink.text("reward_ratio", &history::ratio(campaign.reward_ratio));
        let days = own.clone().filter_map(|(_, totals)| totals.days);
        let first = days.clone().map(|(first, _)| first).min();
        let last = days.map(|(_, last)| last).max();
        for (name, day) in [("first_transaction", first), ("last_transaction", last)] {
            sink.text(name, &day.map_or_else(String::new, |day| day.iso()));
        }
        let created = dates::local_stamp(campaign.created_at, self.account.zone);
        sink.text("created_stamp", &created);
        sink.text("in_coalition", "N");
        match campaign.kind {
            Kind::BuyX => {
                sink.list("balances", "item");
                for one in &campaign.items {
                    sink.item();
                    sink.text("id", &one.id);
                    sink.text("description", &one.description);
                    sink.text("balance", &text(item(one.number)));
                    sink.end();
                }
                sink.end();
            }
            Kind::Points | Kind::Events => {
                let balance = item(0);
                sink.list("available_rewards", "reward");
                let rewards = campaign.rewards.iter();
                for reward in rewards.filter(|reward| reward.level <= balance) {
                    sink.item();
                    sink.text("id", &reward.id);
                    sink.text("level", &text(reward.level));
                    sink.text("description", &reward.description);
                    sink.end();
                }
                sink.end();
            }
            Kind::GiftCard | Kind::Earned => {}
        }
    }
}
