//! A receipt as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use super::Told;
use crate::amount::{self, Amount};
use crate::api15::render::Sink;
use crate::dates;
use crate::loyalty::account::{Account, Campaign, Kind};
use crate::loyalty::customers::named::Names;
use crate::loyalty::single::Receipt;
use std::sync::Arc;

/// A single transaction that was posted.
pub struct Receipted {
    /// The account.
    pub account: Arc<Account>,
    /// What it came to. The names are missing where they could not be read: the transaction is posted all the same.
    pub receipt: Receipt,
}

impl Told for Receipted {
    fn repeated(&self) -> bool {
        self.receipt.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        let campaign = self.account.campaign_by_number(self.receipt.campaign);
        let Some(campaign) = campaign else { return };
        sink.object("receipt");
        sink.text("account_name", &self.account.name);
        sink.object("agency");
        sink.text("name", &self.account.name);
        sink.text("email", "");
        sink.end();
        sink.object("campaign");
        sink.text("id", &campaign.id);
        sink.text("name", &campaign.name);
        sink.text("type", campaign.kind.word());
        sink.end();
        self.customer(campaign, sink);
        self.transaction(campaign, sink);
        sink.end();
    }
}

impl Receipted {
    fn customer(&self, campaign: &Campaign, sink: &mut dyn Sink) {
        let nobody = Names::default();
        let names = self.receipt.names.as_deref().unwrap_or(&nobody);
        sink.object("customer");
        sink.text("code", names.code.as_deref().unwrap_or(""));
        sink.text("card_number", names.card_number.as_deref().unwrap_or(""));
        sink.text("first_name", names.first_name.as_deref().unwrap_or(""));
        sink.text("last_name", names.last_name.as_deref().unwrap_or(""));
        sink.text("email", names.email.as_deref().unwrap_or(""));
        sink.object("balance");
        sink.text("points", &self.receipt.balance.text(campaign.digits));
        sink.end();
        sink.end();
    }

    fn transaction(&self, campaign: &Campaign, sink: &mut dyn Sink) {
        let (account, receipt) = (&*self.account, &self.receipt);
        let user = receipt.user.and_then(|user| account.user_name(user));
        sink.object("transaction");
        sink.text("id", &receipt.entry.to_string());
        sink.text("date", &receipt.date.iso());
        let recorded = dates::local_stamp(receipt.recorded_at, account.zone);
        sink.text("record_timestamp", &recorded);
        sink.text("user_name", user.unwrap_or(""));
        sink.text("redeemed", if receipt.redeem { "Y" } else { "N" });
        sink.text("amount", &receipt.amount.text(campaign.digits));
        sink.text("authorization", &receipt.authorization);
        let purchase = (campaign.kind == Kind::Points && !receipt.redeem)
            .then(|| amount::read(&receipt.given).ok())
            .flatten();
        if let Some(written) = purchase {
            sink.object("purchase");
            sink.text("amount", &money(account, written.amount));
            sink.text("currency", &account.currency);
            sink.text("glyph", &amount::currency_glyph(&account.currency));
            sink.end();
        }
        if let Some(promoted) = receipt.promoted {
            sink.object("promotion");
            sink.text("id", &receipt.promotions);
            sink.text("amount", &promoted.text(campaign.digits));
            sink.end();
        }
        let mut rewards = campaign.rewards.iter();
        if let Some(reward) = rewards.find(|reward| Some(reward.number) == receipt.reward) {
            sink.object("reward");
            sink.text("id", &reward.id);
            sink.text("level", &receipt.amount.text(campaign.digits));
            sink.end();
        }
        let mut items = campaign.items.iter();
        if let Some(item) = items.find(|item| item.number == receipt.item) {
            sink.object("item");
            sink.text("id", &item.id);
            sink.text("description", &item.description);
            sink.end();
        }
        sink.end();
    }
}

/// Money with the decimals of the account's currency, or as many more as were sent.
fn money(account: &Account, sent: Amount) -> String {
    sent.text(amount::currency_digits(&account.currency).unwrap_or(2))
}

/// A single transaction that was taken back.
pub struct Deleted {
    /// The entry's number.
    pub entry: i64,
    /// Whether that was done by an earlier request.
    pub repeated: bool,
}

impl Told for Deleted {
    fn repeated(&self) -> bool {
        self.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.object("transaction");
        sink.attribute("status", "deleted");
        sink.text("id", &self.entry.to_string());
        sink.end();
    }
}
