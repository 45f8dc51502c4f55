//! A balance with its history as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use super::Told;
use crate::amount::Amount;
use crate::api15::feed::{Feed, Writing};
use crate::api15::render::Sink;
use crate::dates;
use crate::error::Problem;
use crate::loyalty::account::{Account, Campaign, Kind};
use crate::posting::Poster;
use crate::posting::histories::{HistoryAt, Listed};
use crate::posting::lookup::Found;
use std::sync::Arc;

/// Transactions that are read at a time.
const AT_A_TIME: usize = 500;

/// A customer's balance in a campaign.
pub struct Head {
    /// The account.
    pub account: Arc<Account>,
    /// The index of the campaign in it.
    pub campaign: usize,
    /// The customer, with the balances of the campaign.
    pub found: Found,
}

impl Told for Head {
    fn write(&self, sink: &mut dyn Sink) {
        self.begin(sink);
        sink.end();
        sink.end();
        sink.end();
    }
}

impl Head {
    fn digits(&self) -> u8 {
        let campaign = self.account.campaign(self.campaign);
        campaign.map_or(0, |campaign| campaign.digits)
    }

    /// Everything up to the first transaction; three ends are open then.
    fn begin(&self, sink: &mut dyn Sink) {
        sink.object("campaign");
        if let Some(campaign) = self.account.campaign(self.campaign) {
            sink.text("campaign_id", &campaign.id);
            sink.text("campaign_type", campaign.kind.word());
            sink.text("campaign_name", &campaign.name);
            sink.text("reward_ratio", &ratio(campaign.reward_ratio));
            sink.object("customer");
            self.customer(campaign, sink);
        }
        sink.list("transactions", "transaction");
    }

    fn customer(&self, campaign: &Campaign, sink: &mut dyn Sink) {
        let text = |value: &Option<Box<str>>| value.as_deref().unwrap_or("").to_owned();
        sink.text("code", &text(&self.found.names.code));
        sink.text("card_number", &text(&self.found.names.card_number));
        sink.text("first_name", &text(&self.found.names.first_name));
        sink.text("last_name", &text(&self.found.names.last_name));
        let of = |item: i32| {
            let mut all = self.found.balances.iter();
            let found = all.find(|(key, _)| key.item == item);
            found.map_or(Amount::ZERO, |(_, balance)| balance.amount)
        };
        balance(campaign, &of, sink);
    }
}

/// What a balance is told as: of a campaign with items, those that are free.
pub fn total(campaign: &Campaign, of: &dyn Fn(i32) -> Amount) -> String {
    if campaign.kind != Kind::BuyX {
        return of(0).text(campaign.digits);
    }
    let free = campaign.items.iter().map(|item| {
        let each = i64::from(item.buy_amount.max(1));
        let whole = of(item.number).whole().unwrap_or(0);
        whole.checked_div(each).unwrap_or(0).max(0)
    });
    free.sum::<i64>().to_string()
}

/// A balance; of a campaign with items the free ones, and then what is counted of each.
pub fn balance(campaign: &Campaign, of: &dyn Fn(i32) -> Amount, sink: &mut dyn Sink) {
    sink.text("balance", &total(campaign, of));
    if campaign.kind != Kind::BuyX {
        return;
    }
    sink.list("balances", "item");
    for item in &campaign.items {
        sink.item();
        sink.text("id", &item.id);
        sink.text("description", &item.description);
        sink.text("balance", &of(item.number).text(campaign.digits));
        sink.end();
    }
    sink.end();
}

/// A ratio with the decimals that it has; empty where there is none.
pub fn ratio(ratio: Option<Amount>) -> String {
    ratio.map_or_else(String::new, |ratio| ratio.text(ratio.decimals()))
}

/// A balance with its transactions, which are read while they are sent.
pub struct HistoryFeed {
    poster: Arc<Poster>,
    head: Head,
    begun: bool,
    /// What was read and not written yet.
    read: Vec<Listed>,
    /// How far it is read; `None` at the end.
    at: Option<HistoryAt>,
    /// How many are wanted beyond those read; `None` is all.
    left: Option<usize>,
}

impl HistoryFeed {
    /// Reads the first transactions. `wanted`: how many are wanted; `None` is all.
    pub async fn begin(
        poster: Arc<Poster>,
        head: Head,
        wanted: Option<usize>,
    ) -> Result<HistoryFeed, Problem> {
        let at = HistoryAt::beginning(head.account.number, &head.found.balances);
        let mut feed = HistoryFeed {
            poster,
            head,
            begun: false,
            read: Vec::new(),
            at: Some(at),
            left: wanted,
        };
        feed.advance().await?;
        Ok(feed)
    }

    /// Reads on.
    async fn advance(&mut self) -> Result<(), Problem> {
        let wanted = self.left.unwrap_or(AT_A_TIME).min(AT_A_TIME);
        self.read = Vec::new();
        let Some(at) = self.at.take().filter(|_| wanted > 0) else {
            return Ok(());
        };
        let (listed, at) = self.poster.history(at, wanted).await?;
        self.left = self.left.map(|left| left.saturating_sub(listed.len()));
        // Fewer than were wanted: there are no more.
        self.at = (listed.len() == wanted).then_some(at);
        self.read = listed;
        Ok(())
    }

    fn transaction(&self, listed: &Listed, sink: &mut dyn Sink) {
        let account = &self.head.account;
        let user = listed.user.and_then(|user| account.user_name(user));
        sink.item();
        sink.text("id", &listed.number.to_string());
        sink.text("date", &listed.date.iso());
        let recorded = dates::local_stamp(listed.recorded_at, account.zone);
        sink.text("record_timestamp", &recorded);
        sink.text("user_name", user.unwrap_or(""));
        sink.text("redeemed", if listed.redeem { "Y" } else { "N" });
        sink.text("amount", &listed.amount.text(self.head.digits()));
        let authorization = listed.authorization.as_deref();
        sink.text("authorization", authorization.unwrap_or(""));
        sink.end();
    }
}

impl Feed for HistoryFeed {
    fn status(&self) -> &'static str {
        "success"
    }

    fn write<'a>(&'a mut self, sink: &'a mut dyn Sink) -> Writing<'a> {
        Box::pin(async move {
            if !self.begun {
                self.begun = true;
                self.head.begin(sink);
            }
            for listed in &self.read {
                self.transaction(listed, sink);
            }
            self.advance().await?;
            // What is open is closed with the document.
            Ok(!self.read.is_empty())
        })
    }
}
