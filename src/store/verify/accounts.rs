//! Accounts and heads, rows that belong to no account, and commits.

use super::super::heads::Head;
use super::super::schema::{
    account_heads, accounts, attempts, balances, batches, commits, consents, contacts, credits,
    custom_names, customer_keys, customers, entry_dates, idempotency, journal, outbox,
    outbox_queue, person_keys, purchase_contacts, purchases, rejections, reversals, sale_keys,
    sales, search_texts, sync_heads, sync_items, sync_jobs, sync_parts, sync_queue,
};
use super::super::{Db, Result};
use super::report::{FINDINGS_KEPT, Finding, Report};
use super::{CHUNK, Check};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// A batch younger than this has its commit: they are kept for 30 days, and clocks differ.
const COMMITS_CERTAIN_US: i64 = 29 * 24 * 3600 * 1_000_000;

fn finding(account: String, table: &'static str, number: &str, is: &str, should: &str) -> Finding {
    Finding {
        account,
        table,
        number: number.to_owned(),
        is: is.to_owned(),
        should: should.to_owned(),
    }
}

/// The accounts to check, in the order of their numbers, with their heads; `None` if there is none with this id.
pub(super) fn list(
    db: &mut Db,
    account: Option<&str>,
    report: &mut Report,
) -> Result<Option<Vec<(String, Head)>>> {
    let mut query = accounts::table
        .select((accounts::id, accounts::account_id))
        .into_boxed();
    let mut heads = account_heads::table.select(Head::as_select()).into_boxed();
    if let Some(account) = account {
        query = query.filter(accounts::account_id.eq(account.to_owned()));
    }
    let ids: BTreeMap<i32, String> = query.load::<(i32, String)>(db)?.into_iter().collect();
    if account.is_some() {
        let Some((number, _)) = ids.first_key_value() else {
            return Ok(None);
        };
        heads = heads.filter(account_heads::account_id.eq(*number));
    }
    let mut heads: BTreeMap<i32, Head> = heads
        .load(db)?
        .into_iter()
        .map(|head: Head| (head.account_id, head))
        .collect();
    if account.is_none() {
        strangers(db, &ids, report)?;
    }
    let mut list = Vec::with_capacity(ids.len());
    for (number, id) in ids {
        match heads.remove(&number) {
            Some(head) => list.push((id, head)),
            None => report.add(finding(id, "accounts", "-", "no head", "one head")),
        }
    }
    for number in heads.into_keys() {
        report.add(finding(
            format!("#{number}"),
            "account_heads",
            "-",
            "no account",
            "a head of an account",
        ));
    }
    Ok(Some(list))
}

/// Finds rows of accounts that do not exist: one look at the primary key for each account that has rows.
fn strangers(db: &mut Db, ids: &BTreeMap<i32, String>, report: &mut Report) -> Result<()> {
    macro_rules! look {
        ($($table:ident)*) => {$({
            let mut after: Option<i32> = None;
            loop {
                let next: Option<i32> = $table::table
                    .filter($table::account_id.gt(after.unwrap_or(i32::MIN)))
                    .order($table::account_id)
                    .select($table::account_id)
                    .first(db)
                    .optional()?;
                let Some(next) = next else { break };
                if !ids.contains_key(&next) {
                    let name = stringify!($table);
                    report.add(finding(format!("#{next}"), name, "-", "no account", "rows of an account"));
                }
                after = Some(next);
            }
        })*};
    }
    look!(customers customer_keys journal balances batches entry_dates reversals rejections commits idempotency);
    look!(sync_heads credits contacts person_keys consents custom_names purchases purchase_contacts sync_jobs);
    look!(sync_parts sync_queue sync_items outbox outbox_queue attempts sales sale_keys);
    look!(search_texts);
    Ok(())
}

/// The head's numbers start from 1, and commits have numbers below its next one.
pub(super) fn head_and_commits(check: &mut Check<'_>) -> Result<()> {
    let head = check.head.clone();
    for (name, value) in [
        ("next_entry", head.next_entry),
        ("next_batch", head.next_batch),
        ("next_customer", head.next_customer),
        ("next_sale", head.next_sale),
        ("next_rejection", head.next_rejection),
        ("next_commit", head.next_commit),
    ] {
        if value < 1 {
            check.add("account_heads", name, value, "1 or more");
        }
    }
    let mut after = i64::MIN;
    loop {
        let wrong: Vec<i64> = commits::table
            .filter(commits::account_id.eq(check.account))
            .filter(commits::nth.gt(after))
            .filter(commits::nth.lt(1).or(commits::nth.ge(head.next_commit)))
            .order(commits::nth)
            .limit(CHUNK)
            .select(commits::nth)
            .load(check.db)?;
        let Some(last) = wrong.last() else {
            return Ok(());
        };
        after = *last;
        let should = format!("from 1 to below next_commit {}", head.next_commit);
        for nth in wrong {
            check.add("commits", nth, format!("nth {nth}"), &should);
        }
    }
}

/// Each young batch names a commit that is known, under whichever account.
pub(super) fn commits_of_batches(
    db: &mut Db,
    account: Option<&str>,
    report: &mut Report,
    now_us: i64,
) -> Result<()> {
    let since = now_us.saturating_sub(COMMITS_CERTAIN_US);
    // One pass over all accounts: there is no index on the id, and the engines make a temporary one of the inner list.
    let unknown = || {
        let query = batches::table
            .inner_join(accounts::table.on(accounts::id.eq(batches::account_id)))
            .filter(batches::recorded_at.ge(since))
            .filter(batches::commit_id.ne_all(commits::table.select(commits::commit_id)))
            .into_boxed();
        match account {
            Some(account) => query.filter(accounts::account_id.eq(account.to_owned())),
            None => query,
        }
    };
    // Findings that nobody will print are only counted.
    let kept = i64::try_from(FINDINGS_KEPT).unwrap_or(CHUNK);
    let rows: Vec<(String, i64, Vec<u8>)> = unknown()
        .order((batches::account_id, batches::number))
        .limit(kept)
        .select((accounts::account_id, batches::number, batches::commit_id))
        .load(db)?;
    if i64::try_from(rows.len()).is_ok_and(|found| found == kept) {
        let all: i64 = unknown().count().get_result(db)?;
        let beyond = u64::try_from(all.saturating_sub(kept)).unwrap_or(0);
        report.more = report.more.saturating_add(beyond);
    }
    for (account, number, commit_id) in rows {
        report.add(finding(
            account,
            "batches",
            &number.to_string(),
            &format!("commit_id {} of no commit", hex::encode(commit_id)),
            "the id of a commit",
        ));
    }
    Ok(())
}
