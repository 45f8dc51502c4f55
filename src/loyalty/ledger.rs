//! Balances, keys and public numbers of one account while a group of requests is decided.
//!
//! Belongs here: the one place that changes a balance, and the two limits every balance keeps. Does not belong here:
//! what a request means ([`super::batch`]).
//!
//! A [`Ledger`] holds what was loaded; each request is decided on an [`Overlay`] of its own. Accepting an overlay makes
//! its changes visible to the requests behind it; dropping it leaves no trace.

use super::account::Campaign;
use super::customers::named::Names;
use super::sales::book::{Book, BookChanges};
use crate::amount::Amount;
use crate::dates::Day;
use crate::error::Code;
use foldhash::fast::RandomState;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// What a balance belongs to. Sorts as the balances table does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BalanceKey {
    /// The customer's number.
    pub customer: i64,
    /// The campaign's number.
    pub campaign: i32,
    /// The item's number; 0 for all kinds but buy-X.
    pub item: i32,
}

/// A balance and its newest entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Balance {
    /// The sum of its entries.
    pub amount: Amount,
    /// The number of its newest entry.
    pub last_entry: i64,
}

/// Who holds a code or card number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The customer's number.
    pub customer: i64,
    /// Whether it is a card that was replaced.
    pub replaced: bool,
}

/// Balances by their keys, which are our own numbers.
type Balances = HashMap<BalanceKey, Balance, RandomState>;

/// Who holds what: code or card number to customer. Client text is its key, so the hasher is a keyed one.
pub type Holders = HashMap<Box<str>, Holder>;

/// Who holds what, as requests have changed it; `None` is nobody any more.
type Moved = HashMap<Box<str>, Option<Holder>>;

/// The next public numbers of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// Next journal entry.
    pub entry: i64,
    /// Next batch.
    pub batch: i64,
    /// Next customer.
    pub customer: i64,
    /// Next rejection.
    pub rejection: i64,
    /// Next sale.
    pub sale: i64,
    /// What `sync_data` counts.
    pub sync: SyncNumbers,
}

/// What `sync_data` counts in an account. Loaded only for groups with its commands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SyncNumbers {
    /// Next job.
    pub job: i64,
    /// Next webhook.
    pub event: i64,
    /// Next entry of the credits' ledger.
    pub credit: i64,
    /// Next consent.
    pub consent: i64,
    /// The credits that are left; `None` is without limit.
    pub credits: Option<i64>,
}

impl Numbers {
    /// Gives out the number in `next` and moves on.
    pub fn take(next: &mut i64) -> i64 {
        let taken = *next;
        *next = next.saturating_add(1);
        taken
    }
}

/// What a journal entry does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// Adds to a balance.
    Add,
    /// Takes from a balance.
    Redeem,
    /// The balance a customer came with.
    Opening,
    /// The opposite of another entry.
    Reversal,
}

impl EntryKind {
    /// The number stored in the journal.
    pub fn stored(self) -> i16 {
        match self {
            EntryKind::Add => 1,
            EntryKind::Redeem => 2,
            EntryKind::Opening => 3,
            EntryKind::Reversal => 4,
        }
    }
}

/// A journal entry to be written. Texts are borrowed from the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub number: i64,
    /// Whose and of which campaign.
    pub key: BalanceKey,
    /// What it does.
    pub kind: EntryKind,
    /// How much, signed.
    pub amount: Amount,
    /// The balance after it.
    pub balance_after: Amount,
    /// The entry before it on the same balance.
    pub previous: Option<i64>,
    /// The day it counts for.
    pub date: Day,
    /// The batch and the line it came from.
    pub line: Option<(i64, i32)>,
    /// The number of the user who posted it.
    pub user: Option<i32>,
    /// The amount as sent.
    pub given: Cow<'a, str>,
    /// How the amount came about; `None` where it is the amount as sent.
    pub formula: Option<Cow<'a, str>>,
    /// The promotions as sent.
    pub promotions: &'a str,
    /// The number of the reward redeemed.
    pub reward: Option<i32>,
    /// The authorization as sent.
    pub authorization: Cow<'a, str>,
    /// The custom fields, a JSON text.
    pub custom: Option<&'a str>,
    /// The entry that this one is the opposite of.
    pub reverses: Option<i64>,
}

/// Where a posting stands in its balance's chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The entry's number.
    pub number: i64,
    /// The entry before it.
    pub previous: Option<i64>,
    /// The balance after it.
    pub balance_after: Amount,
}

impl Entry<'static> {
    /// An entry that no line of a batch brought.
    pub fn bare(
        kind: EntryKind,
        key: BalanceKey,
        amount: Amount,
        link: Link,
        date: Day,
    ) -> Entry<'static> {
        Entry {
            number: link.number,
            key,
            kind,
            amount,
            balance_after: link.balance_after,
            previous: link.previous,
            date,
            line: None,
            user: None,
            given: Cow::Borrowed(""),
            formula: None,
            promotions: "",
            reward: None,
            authorization: Cow::Borrowed(""),
            custom: None,
            reverses: None,
        }
    }
}

/// What a group knows of one account.
#[derive(Debug)]
pub struct Ledger {
    /// The next public numbers.
    pub numbers: Numbers,
    /// The next entry when nothing was decided yet.
    first_entry: i64,
    balances: Balances,
    known: Vec<Arc<Holders>>,
    holders: Moved,
    keys_moved: bool,
    /// Who and what the group's sales may mean.
    pub sales: Book,
    /// What the customers of the group's single transactions are called.
    pub names: HashMap<i64, Arc<Names>>,
}

impl Ledger {
    /// A ledger of what was loaded: every code that the group's requests name and that somebody holds, in one or
    /// several maps.
    pub fn new(numbers: Numbers, known: Vec<Arc<Holders>>) -> Ledger {
        Ledger {
            numbers,
            first_entry: numbers.entry,
            balances: Balances::default(),
            known,
            holders: Moved::new(),
            keys_moved: false,
            sales: Book::default(),
            names: HashMap::new(),
        }
    }

    /// Adds balances that were loaded. Those not loaded have no row yet and are zero.
    pub fn load(&mut self, balances: impl IntoIterator<Item = (BalanceKey, Balance)>) {
        self.balances.extend(balances);
    }

    /// Who holds a code or card number.
    pub fn holder(&self, value: &str) -> Option<Holder> {
        match self.holders.get(value) {
            Some(holder) => *holder,
            None => self
                .known
                .iter()
                .find_map(|known| known.get(value))
                .copied(),
        }
    }

    /// Whether codes or cards of customers who were there before the group have changed hands.
    pub fn keys_moved(&self) -> bool {
        self.keys_moved
    }

    /// A view for one request.
    pub fn overlay(&self) -> Overlay<'_> {
        Overlay {
            base: self,
            numbers: self.numbers,
            balances: Balances::default(),
            holders: Moved::new(),
            keys_moved: false,
            sales: BookChanges::default(),
        }
    }

    /// Makes a request's changes part of the group.
    pub fn accept(&mut self, changes: Changes) {
        self.numbers = changes.numbers;
        self.holders.extend(changes.holders);
        self.keys_moved |= changes.keys_moved;
        self.balances.extend(changes.balances);
        self.sales.accept(changes.sales);
    }

    /// The balances the group changed, in the order of their keys.
    pub fn changed(&self) -> Vec<(BalanceKey, Balance)> {
        let all = self.balances.iter().map(|(key, balance)| (*key, *balance));
        let mut changed: Vec<_> = all
            .filter(|(_, balance)| balance.last_entry >= self.first_entry)
            .collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        changed
    }
}

/// The changes of one request, free of the ledger it was decided on.
#[derive(Debug)]
pub struct Changes {
    numbers: Numbers,
    balances: Balances,
    holders: Moved,
    keys_moved: bool,
    sales: BookChanges,
}

/// What [`Code::OutOfRange`] says of a balance.
pub fn beyond_limit(campaign: &Campaign) -> String {
    format!(
        "the balance of the campaign {} would pass 1000000000000",
        campaign.id
    )
}

/// A balance changed by `amount`.
///
/// Refuses with [`Code::OutOfRange`] beyond 10^12 either way, and, where the campaign has no `allow_negative`, with a
/// decline below zero.
pub fn changed(campaign: &Campaign, balance: Amount, amount: Amount) -> Result<Amount, Code> {
    let after = balance.checked_add(amount).ok_or(Code::OutOfRange)?;
    if amount.is_negative() && after.is_negative() && !campaign.allow_negative {
        return Err(if campaign.is_money() {
            Code::AmountExceedsBalance
        } else {
            Code::RewardExceedsPoints
        });
    }
    let size = Amount::from_raw(after.raw().saturating_abs());
    if size > Amount::BALANCE_MAX {
        return Err(Code::OutOfRange);
    }
    Ok(after)
}

/// One request's view of a [`Ledger`], with its own changes on top.
#[derive(Debug)]
pub struct Overlay<'l> {
    base: &'l Ledger,
    /// The next public numbers, as this request leaves them.
    pub numbers: Numbers,
    balances: Balances,
    holders: Moved,
    keys_moved: bool,
    /// The sales that this request has created or changed so far.
    pub sales: BookChanges,
}

impl<'l> Overlay<'l> {
    /// Who and what the group's sales may mean, without this request's changes.
    pub fn book(&self) -> &'l Book {
        &self.base.sales
    }

    /// Who holds a code or card number.
    pub fn holder(&self, value: &str) -> Option<Holder> {
        match self.holders.get(value) {
            Some(holder) => *holder,
            None => self.base.holder(value),
        }
    }

    /// Gives a value to a customer.
    pub fn hold(&mut self, value: &str, customer: i64) {
        self.put(value, customer, false);
    }

    /// Leaves a value with a customer as a card that was replaced.
    pub fn replace(&mut self, value: &str, customer: i64) {
        self.put(value, customer, true);
    }

    /// Takes a value from whoever holds it.
    pub fn free(&mut self, value: &str) {
        self.keys_moved = true;
        self.holders.insert(value.into(), None);
    }

    fn put(&mut self, value: &str, customer: i64, replaced: bool) {
        // What a new customer comes with was nobody's before, and is looked up by whoever knew that.
        self.keys_moved |= customer < self.base.numbers.customer;
        let holder = Holder { customer, replaced };
        self.holders.insert(value.into(), Some(holder));
    }

    /// The balance as this request leaves it so far.
    pub fn balance(&self, key: &BalanceKey) -> Amount {
        self.balances
            .get(key)
            .or_else(|| self.base.balances.get(key))
            .map_or(Amount::ZERO, |balance| balance.amount)
    }

    /// Changes a balance by `amount` and gives the entry its number; refused as by [`changed`].
    pub fn post(
        &mut self,
        campaign: &Campaign,
        key: BalanceKey,
        amount: Amount,
    ) -> Result<Link, Code> {
        let before = self
            .balances
            .get(&key)
            .or_else(|| self.base.balances.get(&key))
            .copied();
        let balance = before.map_or(Amount::ZERO, |balance| balance.amount);
        let after = changed(campaign, balance, amount)?;
        let number = Numbers::take(&mut self.numbers.entry);
        self.balances.insert(
            key,
            Balance {
                amount: after,
                last_entry: number,
            },
        );
        Ok(Link {
            number,
            previous: before.map(|balance| balance.last_entry),
            balance_after: after,
        })
    }

    /// What this request changed.
    pub fn into_changes(self) -> Changes {
        Changes {
            numbers: self.numbers,
            balances: self.balances,
            holders: self.holders,
            keys_moved: self.keys_moved,
            sales: self.sales,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let numbers = Numbers {
            entry: 1,
            batch: 1,
            customer: 10,
            rejection: 1,
            sale: 1,
            sync: SyncNumbers::default(),
        };
        let holder = Holder {
            customer: 1,
            replaced: false,
        };
        let known: Holders = [("a".into(), holder), ("b".into(), holder)].into();
        Ledger::new(numbers, vec![Arc::new(known)])
    }

    #[test]
    fn a_freed_value_is_nobodys_until_it_is_given_again() {
        let mut ledger = ledger();
        let mut overlay = ledger.overlay();
        overlay.free("a");
        overlay.replace("b", 1);
        assert_eq!(overlay.holder("a"), None);
        assert!(overlay.holder("b").unwrap().replaced);
        assert!(ledger.holder("a").is_some());
        let changes = overlay.into_changes();
        ledger.accept(changes);
        assert!(ledger.keys_moved());
        assert_eq!(ledger.holder("a"), None);
        let mut overlay = ledger.overlay();
        overlay.hold("a", 2);
        assert_eq!(overlay.holder("a").unwrap().customer, 2);
    }

    #[test]
    fn what_a_new_customer_comes_with_has_not_moved() {
        let mut ledger = ledger();
        let mut overlay = ledger.overlay();
        overlay.hold("c", 10);
        overlay.numbers.customer = 11;
        let changes = overlay.into_changes();
        ledger.accept(changes);
        assert!(!ledger.keys_moved());
        let mut overlay = ledger.overlay();
        overlay.hold("d", 10);
        let changes = overlay.into_changes();
        ledger.accept(changes);
        assert!(ledger.keys_moved());
    }

    #[test]
    fn that_nobody_holds_a_value_takes_no_more_room() {
        assert_eq!(size_of::<Option<Holder>>(), size_of::<Holder>());
    }
}
