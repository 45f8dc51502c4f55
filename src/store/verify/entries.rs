//! The journal, read once from its first entry to its last: numbers, chains, the range of each date.

use super::super::Result;
use super::super::journal::block_end;
use super::super::schema::entry_dates;
use super::customers::NumberSet;
use super::entry::{self, Row, shown};
use super::{Check, or_none, reversals};
use crate::loyalty::account::Kind;
use crate::loyalty::ledger::BalanceKey;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Where the chain of a balance has come to.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    /// Its newest entry.
    pub(super) last: i64,
    /// The balance after it, as the entry says.
    pub(super) written: i64,
    /// The balance after it, as its sum says. Differs from `written` only behind an entry that was found wrong, so
    /// that the next one is not found wrong for the same reason.
    pub(super) summed: i64,
}

impl Chain {
    /// Whether a balance continues this chain: what is written, or right in spite of what is written.
    pub(super) fn allows(&self, balance: i64) -> bool {
        balance == self.written || balance == self.summed
    }
}

/// What the check of batches needs to know of an entry.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) number: i64,
    pub(super) batch: Option<i64>,
    pub(super) line: Option<i32>,
}

/// The journal of one account, one entry after the other. An entry is checked when it is read.
pub(super) struct Entries<'c> {
    customers: &'c NumberSet,
    next_entry: i64,
    after: Option<i64>,
    /// The number that the next entry should have.
    expected: i64,
    read: VecDeque<Placed>,
    ended: bool,
    count: u64,
    chains: HashMap<BalanceKey, Chain>,
    dates: BTreeMap<i32, (i64, i64)>,
}

impl<'c> Entries<'c> {
    pub(super) fn new(customers: &'c NumberSet, next_entry: i64) -> Entries<'c> {
        Entries {
            customers,
            next_entry,
            after: None,
            expected: 1,
            read: VecDeque::new(),
            ended: false,
            count: 0,
            chains: HashMap::new(),
            dates: BTreeMap::new(),
        }
    }

    /// The next entry, which stays the next one.
    pub(super) fn peek(&mut self, check: &mut Check<'_>) -> Result<Option<Placed>> {
        if self.read.is_empty() && !self.ended {
            self.read_more(check)?;
        }
        Ok(self.read.front().copied())
    }

    /// Goes past the entry that was seen.
    pub(super) fn skip(&mut self) {
        self.read.pop_front();
    }

    /// The number of the next entry; behind the last one, the next free number.
    pub(super) fn next_number(&self) -> i64 {
        self.read.front().map_or(self.expected, |next| next.number)
    }

    /// Checks what can be said at the end. The journal must have been read to it. Gives the number of entries and the
    /// chains.
    pub(super) fn finish(self, check: &mut Check<'_>) -> Result<(u64, HashMap<BalanceKey, Chain>)> {
        if self.expected != self.next_entry {
            check.add(
                "account_heads",
                "next_entry",
                self.next_entry,
                self.expected,
            );
        }
        check_dates(check, self.dates)?;
        Ok((self.count, self.chains))
    }

    fn read_more(&mut self, check: &mut Check<'_>) -> Result<()> {
        let rows: Vec<Row> = entry::load(check, self.after.unwrap_or(i64::MIN))?;
        self.ended = rows.is_empty();
        for row in &rows {
            self.after = Some(row.number);
            self.count = self.count.saturating_add(1);
            if row.number != self.expected {
                let last = self.expected.saturating_sub(1);
                check.add(
                    "journal",
                    row.number,
                    format!("follows {last}"),
                    self.expected,
                );
            }
            self.expected = row.number.saturating_add(1);
            entry::check_row(check, row);
            self.chain(check, row);
            let range = self
                .dates
                .entry(row.date)
                .or_insert((row.number, row.number));
            range.1 = row.number;
            self.read.push_back(Placed {
                number: row.number,
                batch: row.batch,
                line: row.line,
            });
        }
        reversals::check_entries(check, &rows)
    }

    fn chain(&mut self, check: &mut Check<'_>, row: &Row) {
        let key = row.key();
        let before = self.chains.get(&key).copied();
        if before.is_none() {
            self.first(check, row);
        }
        let last = before.map(|chain| chain.last);
        if row.previous != last {
            let is = format!("previous {}", or_none(row.previous));
            check.add(
                "journal",
                row.number,
                is,
                format!("previous {}", or_none(last)),
            );
        }
        let (written, summed) = before.map_or((0, 0), |chain| (chain.written, chain.summed));
        let sums = [written, summed].map(|balance| balance.checked_add(row.amount));
        let right = sums.contains(&Some(row.balance_after));
        let sum = if right {
            Some(row.balance_after)
        } else {
            sums[1]
        };
        if !right {
            let should = sum.map_or("balance_after within 64 bits".to_owned(), |sum| {
                format!("balance_after {}", shown(sum))
            });
            let is = format!("balance_after {}", shown(row.balance_after));
            check.add("journal", row.number, is, should);
        }
        let chain = Chain {
            last: row.number,
            written: row.balance_after,
            summed: sum.unwrap_or(row.balance_after),
        };
        self.chains.insert(key, chain);
    }

    /// Customer, campaign and item are looked at with the first entry of each balance.
    fn first(&self, check: &mut Check<'_>, row: &Row) {
        if !self.customers.contains(row.customer) {
            let is = format!("customer {}, who does not exist", row.customer);
            check.add("journal", row.number, is, "a customer");
        }
        let kind = match check.config.campaigns.get(&row.campaign) {
            Some(campaign) => campaign.kind,
            None => {
                let is = format!("campaign {}, which does not exist", row.campaign);
                check.add("journal", row.number, is, "a campaign");
                return;
            }
        };
        let is = format!("item {}", row.item);
        if kind == Some(Kind::BuyX) {
            if check.config.items.get(&row.item) != Some(&row.campaign) {
                let should = format!("an item of campaign {}", row.campaign);
                check.add("journal", row.number, is, should);
            }
        } else if kind.is_some() && row.item != 0 {
            check.add(
                "journal",
                row.number,
                is,
                "item 0: its campaign has no items",
            );
        }
    }
}

/// The table of dates has the ranges of the journal, each up to its newest entry or to the end of that one's block.
fn check_dates(check: &mut Check<'_>, mut dates: BTreeMap<i32, (i64, i64)>) -> Result<()> {
    let rows: Vec<(i32, i64, i64)> = entry_dates::table
        .filter(entry_dates::account_id.eq(check.account))
        .order(entry_dates::date)
        .select((entry_dates::date, entry_dates::lowest, entry_dates::highest))
        .load(check.db)?;
    for (date, lowest, highest) in rows {
        let is = format!("lowest {lowest}, highest {highest}");
        match dates.remove(&date) {
            None => check.add("entry_dates", date, is, "no row: no entry has this date"),
            Some((first, last))
                if first == lowest && (last..=block_end(last)).contains(&highest) => {}
            Some((first, last)) => check.add("entry_dates", date, is, range(first, last)),
        }
    }
    for (date, (first, last)) in dates {
        check.add("entry_dates", date, "no row", range(first, last));
    }
    Ok(())
}

fn range(first: i64, last: i64) -> String {
    format!("lowest {first}, highest {last} to {}", block_end(last))
}
