//! One transaction, posted by itself by `record_activity` or `redeem`.
//!
//! Belongs here: what it comes to. Does not belong here: what its values mean ([`super::plan`]), and what changes a balance
//! ([`super::post::post_one`]): a single transaction is a line of a batch in both.

use super::account::{Account, Campaign, Kind};
use super::amounts;
use super::batch::{Batch, Caller, Source, Wishes};
use super::change::Change;
use super::customers::named::Names;
use super::ledger::{BalanceKey, Entry, EntryKind, Ledger, Overlay};
use super::lines::{Column, Lines};
use super::post::{Origin, Posted, post_one};
use super::rows::{Decided, Rows};
use crate::amount::Amount;
use crate::dates::Day;
use crate::error::{Code, Problem};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The command: a batch of one line that leaves no batch behind.
#[derive(Debug)]
pub struct Single {
    batch: Batch,
}

impl Single {
    /// A transaction with the values of a line, planned under the account's present configuration. Fails if the caller is
    /// not one of its users. `ratio`: amounts are converted; `dollars`: what is redeemed is money.
    pub fn new(
        caller: Caller,
        values: &[(Column, &str)],
        (ratio, dollars): (bool, bool),
        received: DateTime<Utc>,
        account: &Account,
    ) -> Result<Single, Problem> {
        let (source, lines) = (
            Source::Caller(caller),
            Lines::single(values, ratio, dollars),
        );
        let batch = Batch::new(source, lines, Wishes::default(), received, account)?;
        Ok(Single { batch })
    }

    /// What is wrong with it, as far as that can be said without its customer.
    pub fn check(&self) -> Result<(), Problem> {
        self.batch.first().map(|_| ()).map_err(own_words)
    }

    /// Posts it to a customer who is known already, on an overlay that others may have changed before. `line`: the batch
    /// and the line that it is part of.
    pub fn post_to<'a>(
        &'a self,
        customer: i64,
        account: &'a Account,
        overlay: &mut Overlay<'_>,
        line: Option<(i64, i32)>,
    ) -> Result<Posted<'a>, Problem> {
        self.post(Some(customer), account, overlay, line)
    }

    fn post<'a>(
        &'a self,
        customer: Option<i64>,
        account: &'a Account,
        overlay: &mut Overlay<'_>,
        line: Option<(i64, i32)>,
    ) -> Result<Posted<'a>, Problem> {
        let (posting, user) = self.batch.first().map_err(own_words)?;
        let origin = Origin {
            line,
            user,
            customer,
        };
        post_one(account, &self.batch.lines, posting, overlay, origin).map_err(own_words)
    }
}

/// What a batch says of its lines names columns and flags that single transactions do not have.
fn own_words(problem: Problem) -> Problem {
    let code = match problem.code {
        Code::UnknownCustomer => Code::NoSuchCustomer,
        Code::UnknownReward => Code::NoSuchReward,
        code => code,
    };
    Problem { code, ..problem }
}

impl Change for Single {
    type Done = Receipt;

    fn account(&self) -> i32 {
        self.batch.source.account()
    }

    fn bytes(&self) -> usize {
        size_of::<Single>().saturating_add(self.batch.bytes())
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.batch.plan(account)
    }

    fn planned_for(&self) -> i64 {
        self.batch.planned_for()
    }

    fn keys(&self) -> Vec<&str> {
        self.batch.keys().collect()
    }

    fn balances(&self, account: &Account, ledger: &Ledger) -> Vec<BalanceKey> {
        self.batch.balances(account, ledger).collect()
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, Receipt>, Problem> {
        let mut overlay = ledger.overlay();
        // What is refused leaves nothing behind, not even in the inbox: whoever sent it has the answer before him.
        let posted = self.post(None, account, &mut overlay, None)?;
        let customer = posted.entry.key.customer;
        let receipt = Receipt {
            names: ledger.names.get(&customer).cloned(),
            ..Receipt::of(account, &posted.entry)
        };
        let rows = Rows {
            entries: vec![posted.entry],
            customers: posted.created.into_iter().collect(),
            ..Rows::default()
        };
        Ok(Decided {
            outcome: receipt,
            stored: Some((rows, overlay.into_changes())),
        })
    }
}

/// What a single transaction came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The entry's number.
    pub entry: i64,
    /// The customer's number.
    pub customer: i64,
    /// What it is called, if that was known.
    pub names: Option<Arc<Names>>,
    /// The campaign's number.
    pub campaign: i32,
    /// The item's number, 0 where the campaign has none.
    pub item: i32,
    /// The user who posted it.
    pub user: Option<i32>,
    /// Whether it redeems.
    pub redeem: bool,
    /// What it adds or takes; never negative.
    pub amount: Amount,
    /// What promotions have brought.
    pub promoted: Option<Amount>,
    /// The amount as sent.
    pub given: String,
    /// The promotions as sent.
    pub promotions: String,
    /// The number of the reward redeemed.
    pub reward: Option<i32>,
    /// The balance after it.
    pub balance: Amount,
    /// The day it counts for.
    pub date: Day,
    /// When it was recorded, in microseconds since 1970 UTC; 0 before it is.
    pub recorded_at: i64,
    /// The authorization as sent.
    pub authorization: String,
    /// Whether it is the outcome of an earlier request.
    pub repeated: bool,
}

impl Receipt {
    /// What an entry came to, as long as it is not recorded.
    pub fn of(account: &Account, entry: &Entry<'_>) -> Receipt {
        let campaign = account.campaign_by_number(entry.key.campaign);
        let size = Amount::from_raw(entry.amount.raw().saturating_abs());
        let promoted = |campaign: &Campaign| {
            let formula = entry.formula.as_deref()?;
            amounts::promoted(campaign, formula, entry.amount)
        };
        Receipt {
            entry: entry.number,
            customer: entry.key.customer,
            names: None,
            campaign: entry.key.campaign,
            item: entry.key.item,
            user: entry.user,
            redeem: entry.kind == EntryKind::Redeem,
            amount: size,
            promoted: campaign
                .filter(|campaign| campaign.kind == Kind::Points && !entry.promotions.is_empty())
                .and_then(promoted),
            given: entry.given.clone().into_owned(),
            promotions: entry.promotions.to_owned(),
            reward: entry.reward,
            balance: entry.balance_after,
            date: entry.date,
            recorded_at: 0,
            authorization: entry.authorization.clone().into_owned(),
            repeated: false,
        }
    }
}

#[cfg(test)]
mod tests;
