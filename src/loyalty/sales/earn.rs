//! The points of a sale, given and taken back.
//!
//! Belongs here: what a sale earns, and which entries make that so. Does not belong here: which sale it is
//! ([`super::decide`]), what a ratio does to money ([`crate::loyalty::amounts`]).
//!
//! A sale that is changed gets a new entry from its whole value, and its old one is taken back; never is a difference
//! posted. What is given comes first: the balance then falls below zero only if it ends there. Where it would, the sale
//! changes all the same, and what cannot be taken is kept for a person.

use super::Sales;
use super::book::Book;
use super::matching::{self, Found};
use super::read::{SentSale, print};
use super::rows::{Earned, StoredSale};
use crate::amount::Amount;
use crate::dates::{self, Day};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, Brand, Campaign, Kind};
use crate::loyalty::amounts::{self, Effect};
use crate::loyalty::ledger::{BalanceKey, Entry, EntryKind, Overlay, beyond_limit};
use std::borrow::Cow;

/// The balances that sales touch; repeated ones are repeated.
pub fn balances(sales: &Sales, brand: &Brand, book: &Book) -> Vec<BalanceKey> {
    let mut keys = Vec::new();
    for sent in sales
        .items
        .iter()
        .filter_map(|item| item.read.as_ref().ok())
    {
        if let (Some(campaign), Found::One(customer)) =
            (brand.campaign, matching::find(&sent.keys, book))
        {
            keys.push(key(customer, campaign));
        }
        let found = sent.links().flat_map(|(_, id)| book.sales_with(id));
        keys.extend(found.filter_map(|sale| Some(sale.earned?.key)));
    }
    keys
}

fn key(customer: i64, campaign: i32) -> BalanceKey {
    BalanceKey {
        customer,
        campaign,
        item: 0,
    }
}

/// What settling works on.
pub(super) struct Desk<'a, 'd, 'l> {
    pub account: &'a Account,
    pub brand: &'a Brand,
    pub today: Day,
    pub overlay: &'d mut Overlay<'l>,
    pub entries: &'d mut Vec<Entry<'a>>,
}

/// Points that a person has to see to.
pub(super) struct Unsettled {
    /// Why.
    pub problem: Problem,
    /// The day that they count for.
    pub day: Day,
    /// By what they are known.
    pub print: [u8; 32],
}

/// What a sale is to earn.
struct Wanted<'a> {
    campaign: &'a Campaign,
    key: BalanceKey,
    effect: Effect,
    day: Day,
}

/// By what points are known that a sale could not take back, by the number of their entry.
pub fn print_of_owed(brand: i32, entry: i64) -> [u8; 32] {
    print(brand, "points_owed", &entry.to_string())
}

/// By what points are known that a sale could not be given.
pub(super) fn print_of_points(sale: &StoredSale) -> [u8; 32] {
    print(sale.brand, "points_not_given", &sale.number.to_string())
}

impl<'a> Desk<'a, '_, '_> {
    /// Makes the entries of a sale right, which is as `before` says as long as it has not changed: a new one has none.
    /// `None` where nothing that points are made of has changed.
    pub fn settle(
        &mut self,
        sale: &mut StoredSale,
        before: Option<&StoredSale>,
        sent: &'a SentSale,
    ) -> Option<Vec<Unsettled>> {
        sale.earned = before.and_then(|before| before.earned);
        let made_of =
            |sale: &StoredSale| (sale.customer, sale.value, sale.currency.clone(), sale.day);
        if before.is_some_and(|before| made_of(before) == made_of(sale)) {
            return None;
        }
        let mut unsettled = Vec::new();
        let old = sale.earned;
        let wanted = self.wanted(sale).unwrap_or_else(|why| {
            unsettled.push(not_given(sale, why));
            None
        });
        if let (Some(old), Some(wanted)) = (&old, &wanted)
            && (old.key, old.points, old.day) == (wanted.key, wanted.effect.amount, wanted.day)
        {
            return Some(unsettled);
        }
        let mut old = old;
        let mut given = wanted.as_ref().map(|wanted| self.give(wanted, sale, sent));
        if let (Some(Err(_)), Some(earned)) = (&given, old)
            && self.take_back(&earned).is_ok()
        {
            // Perhaps it was beyond the limit only because the old points were still there.
            old = None;
            given = wanted.as_ref().map(|wanted| self.give(wanted, sale, sent));
        }
        sale.earned = match given {
            Some(Ok(earned)) => Some(earned),
            Some(Err(why)) => {
                unsettled.push(not_given(sale, why));
                None
            }
            None => None,
        };
        if let Some(earned) = old
            && let Err(why) = self.take_back(&earned)
        {
            let entry = earned.entry.to_string();
            unsettled.push(Unsettled {
                problem: Problem::new(Code::PointsOwed).value(&entry).detail(why),
                day: earned.day,
                print: print_of_owed(sale.brand, earned.entry),
            });
        }
        Some(unsettled)
    }

    /// What a sale is to earn, as brand and campaign are now.
    fn wanted(&self, sale: &StoredSale) -> Result<Option<Wanted<'a>>, String> {
        let campaign = self.brand.campaign;
        let campaign = campaign.and_then(|number| self.account.campaign_by_number(number));
        let campaign = campaign.filter(|one| one.active && one.kind == Kind::Points);
        let value = sale.value.filter(|value| *value > Amount::ZERO);
        let (Some(campaign), Some(value)) = (campaign, value) else {
            return Ok(None);
        };
        if *sale.currency != *self.brand.currency {
            return Ok(None);
        }
        let effect = amounts::of_money(campaign, value);
        let effect = effect.ok_or("they are more than 1000000000000")?;
        if effect.amount.is_zero() {
            return Ok(None);
        }
        let is_possible = dates::in_range(sale.day, self.today);
        Ok(Some(Wanted {
            campaign,
            key: key(sale.customer, campaign.number),
            effect,
            day: if is_possible { sale.day } else { self.today },
        }))
    }

    /// Gives what a sale is to earn, or says why that cannot be.
    fn give(
        &mut self,
        wanted: &Wanted<'a>,
        sale: &StoredSale,
        sent: &'a SentSale,
    ) -> Result<Earned, String> {
        let Wanted {
            campaign,
            key,
            effect,
            day,
        } = wanted;
        let posted = self.overlay.post(campaign, *key, effect.amount);
        let link = posted.map_err(|_| beyond_limit(campaign))?;
        let told = sale.value.map(|value| value.text(value.decimals()));
        let given = match sent.value {
            Some(_) => Cow::Borrowed(&*sent.given),
            None => Cow::Owned(told.unwrap_or_default()),
        };
        // The item need not name all that the sale is known by.
        let id = sale
            .order_id
            .as_deref()
            .or(sale.external_sale_id.as_deref());
        let formula = effect.formula.as_deref();
        self.entries.push(Entry {
            given,
            formula: formula.map(|formula| Cow::Owned(formula.to_owned())),
            authorization: Cow::Owned(id.unwrap_or_default().to_owned()),
            ..Entry::bare(EntryKind::Add, *key, effect.amount, link, *day)
        });
        Ok(Earned {
            key: *key,
            entry: link.number,
            points: effect.amount,
            day: *day,
        })
    }

    /// Takes points back, or says why that cannot be.
    fn take_back(&mut self, earned: &Earned) -> Result<(), String> {
        let campaign = self.account.campaign_by_number(earned.key.campaign);
        let campaign = campaign.ok_or("its campaign is gone")?;
        let amount = earned.points.checked_neg();
        let amount = amount.ok_or_else(|| beyond_limit(campaign))?;
        let balance = self.overlay.balance(&earned.key);
        let link = self
            .overlay
            .post(campaign, earned.key, amount)
            .map_err(|code| match (code, earned.points.checked_sub(balance)) {
                (Code::RewardExceedsPoints | Code::AmountExceedsBalance, Some(missing)) => format!(
                    "the balance in the campaign \"{}\" is {}, and {} are missing",
                    campaign.id,
                    balance.text(campaign.digits),
                    missing.text(campaign.digits),
                ),
                _ => beyond_limit(campaign),
            })?;
        self.entries.push(Entry {
            reverses: Some(earned.entry),
            ..Entry::bare(EntryKind::Reversal, earned.key, amount, link, earned.day)
        });
        Ok(())
    }
}

fn not_given(sale: &StoredSale, why: String) -> Unsettled {
    let number = sale.number.to_string();
    Unsettled {
        problem: Problem::new(Code::PointsNotGiven)
            .value(&number)
            .detail(why),
        day: sale.day,
        print: print_of_points(sale),
    }
}
