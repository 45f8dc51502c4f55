//! Balances against the chains of the journal.

use super::super::Result;
use super::super::schema::balances;
use super::entries::Chain;
use super::entry::shown;
use super::{CHUNK, Check};
use crate::loyalty::ledger::BalanceKey;
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable)]
struct Row {
    customer: i64,
    campaign: i32,
    item: i32,
    balance: i64,
    last_entry: i64,
}

impl Row {
    fn key(&self) -> BalanceKey {
        BalanceKey {
            customer: self.customer,
            campaign: self.campaign,
            item: self.item,
        }
    }
}

/// A balance's key in a finding.
fn named(key: BalanceKey) -> String {
    format!("{}/{}/{}", key.customer, key.campaign, key.item)
}

/// Each chain has its balance and each balance its chain. Gives the number of balances.
pub(super) fn check(check: &mut Check<'_>, mut chains: HashMap<BalanceKey, Chain>) -> Result<u64> {
    let mut count = 0_u64;
    let mut after: Option<BalanceKey> = None;
    loop {
        let rows = load(check, after)?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key());
        for row in rows {
            count = count.saturating_add(1);
            one(check, &row, chains.remove(&row.key()));
        }
    }
    let mut missing: Vec<(BalanceKey, Chain)> = chains.into_iter().collect();
    missing.sort_unstable_by_key(|(key, _)| *key);
    for (key, chain) in missing {
        let should = format!(
            "balance {}, last_entry {}",
            shown(chain.written),
            chain.last
        );
        check.add("balances", named(key), "no row", should);
    }
    Ok(count)
}

fn one(check: &mut Check<'_>, row: &Row, chain: Option<Chain>) {
    let name = named(row.key());
    let is = format!("balance {}", shown(row.balance));
    let Some(chain) = chain else {
        check.add("balances", name, is, "no row: it has no entries");
        return;
    };
    if !chain.allows(row.balance) {
        let should = format!("balance {}", shown(chain.written));
        check.add("balances", &name, &is, should);
    }
    if row.last_entry != chain.last {
        let is = format!("last_entry {}", row.last_entry);
        check.add("balances", &name, is, format!("last_entry {}", chain.last));
    }
    let campaign = check.config.campaigns.get(&row.campaign);
    if row.balance < 0 && campaign.is_some_and(|campaign| !campaign.allow_negative) {
        check.add(
            "balances",
            name,
            is,
            "zero or more: its campaign has not allow_negative",
        );
    }
}

fn load(check: &mut Check<'_>, after: Option<BalanceKey>) -> Result<Vec<Row>> {
    let mut query = balances::table
        .filter(balances::account_id.eq(check.account))
        .order((balances::customer, balances::campaign, balances::item))
        .limit(CHUNK)
        .select((
            balances::customer,
            balances::campaign,
            balances::item,
            balances::balance,
            balances::last_entry,
        ))
        .into_boxed();
    if let Some(after) = after {
        // The first condition is what the engines look up in the key; the second leaves out what was seen of this
        // customer.
        query = query.filter(balances::customer.ge(after.customer)).filter(
            balances::customer
                .gt(after.customer)
                .or(balances::campaign.gt(after.campaign).or(balances::campaign
                    .eq(after.campaign)
                    .and(balances::item.gt(after.item)))),
        );
    }
    Ok(query.load(check.db)?)
}
