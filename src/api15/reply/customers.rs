//! Lists of customers as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use super::{customer, history};
use crate::amount::Amount;
use crate::api15::feed::{Feed, Writing};
use crate::api15::render::Sink;
use crate::error::Problem;
use crate::loyalty::account::Account;
use crate::loyalty::customers::Customer;
use crate::loyalty::ledger::BalanceKey;
use crate::posting::Poster;
use crate::posting::lists::{Page, Search};
use std::sync::Arc;

/// Customers written at a time.
const PART: usize = 64;

/// A list of customers, of which one page is held at a time.
pub struct Customers {
    poster: Arc<Poster>,
    account: Arc<Account>,
    /// The campaigns whose balances are told; `None` where none are asked for.
    campaigns: Option<Vec<usize>>,
    search: Arc<Search>,
    page: Page,
    /// Customers of the page that are written.
    written: usize,
    begun: bool,
}

impl Customers {
    /// Reads the first page.
    pub async fn begin(
        poster: &Arc<Poster>,
        account: &Arc<Account>,
        campaigns: Option<Vec<usize>>,
        search: Search,
    ) -> Result<Customers, Problem> {
        let search = Arc::new(search);
        let page = poster.customers_page(Arc::clone(&search), None).await?;
        Ok(Customers {
            poster: Arc::clone(poster),
            account: Arc::clone(account),
            campaigns,
            search,
            page,
            written: 0,
            begun: false,
        })
    }

    fn customer(&self, one: &Customer, sink: &mut dyn Sink) {
        sink.item();
        customer::fields(one, true, sink);
        if let Some(campaigns) = &self.campaigns {
            sink.list("campaigns", "campaign");
            let campaigns = campaigns
                .iter()
                .filter_map(|index| self.account.campaign(*index));
            for campaign in campaigns {
                sink.item();
                sink.text("id", &campaign.id);
                sink.text("name", &campaign.name);
                sink.text("type", campaign.kind.word());
                let of = |item| self.balance(one.person.customer, campaign.number, item);
                sink.text("balance", &history::total(campaign, &of));
                sink.end();
            }
            sink.end();
        }
        sink.end();
    }

    fn balance(&self, customer: i64, campaign: i32, item: i32) -> Amount {
        let key = BalanceKey {
            customer,
            campaign,
            item,
        };
        let balances = &self.page.balances;
        let found = balances.binary_search_by_key(&key, |(key, _)| *key);
        let found = found.ok().and_then(|at| balances.get(at));
        found.map_or(Amount::ZERO, |(_, balance)| balance.amount)
    }
}

impl Feed for Customers {
    fn status(&self) -> &'static str {
        match self.page.customers.is_empty() {
            true => "no_match",
            false => "success",
        }
    }

    fn write<'a>(&'a mut self, sink: &'a mut dyn Sink) -> Writing<'a> {
        Box::pin(async move {
            if !self.begun {
                sink.bare_list("customers", "customer");
                self.begun = true;
            }
            for customer in self.page.customers.iter().skip(self.written).take(PART) {
                self.customer(customer, sink);
            }
            self.written = self.written.saturating_add(PART);
            if self.written < self.page.customers.len() {
                return Ok(true);
            }
            let Some(next) = self.page.next else {
                return Ok(false);
            };
            let search = Arc::clone(&self.search);
            self.page = self.poster.customers_page(search, Some(next)).await?;
            self.written = 0;
            Ok(!self.page.customers.is_empty())
        })
    }
}
