//! Batches with their entries and rejections, line by line.
//!
//! Numbers are given out in the order of commits, so batches, their entries and their rejections come in one order:
//! the three tables are read side by side, each once.

use super::super::Result;
use super::super::journal::OF_CUSTOMERS;
use super::super::schema::batches;
use super::entries::Entries;
use super::rejections::{self, Rejections};
use super::{CHUNK, Check};
use diesel::prelude::*;

#[derive(Queryable)]
struct Row {
    number: i64,
    user: i32,
    first_entry: i64,
    transactions: i32,
    rejected: i32,
    kind: i16,
    customers: i32,
}

/// Checks all batches, and reads entries and rejections to their end. Gives the number of batches.
pub(super) fn check(
    check: &mut Check<'_>,
    entries: &mut Entries<'_>,
    rejections: &mut Rejections,
) -> Result<u64> {
    let mut count = 0_u64;
    let mut expected = 1_i64;
    // The number behind the last entry of the batches so far.
    let mut end = 1_i64;
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Row> = batches::table
            .filter(batches::account_id.eq(check.account))
            .filter(batches::number.gt(after))
            .order(batches::number)
            .limit(CHUNK)
            .select((
                batches::number,
                batches::user,
                batches::first_entry,
                batches::transactions,
                batches::rejected,
                batches::kind,
                batches::customers,
            ))
            .load(check.db)?;
        let Some(last) = rows.last() else { break };
        after = last.number;
        for row in rows {
            count = count.saturating_add(1);
            if row.number != expected {
                let is = format!("follows {}", expected.saturating_sub(1));
                check.add("batches", row.number, is, expected);
            }
            expected = row.number.saturating_add(1);
            if !check.config.users.contains(&row.user) {
                let is = format!("user {}, who does not exist", row.user);
                check.add("batches", row.number, is, "a user");
            }
            let of_customers = row.kind == OF_CUSTOMERS;
            if !(of_customers || row.kind == 0 && row.customers == 0) {
                let is = format!("kind {} and {} customers", row.kind, row.customers);
                check.add(
                    "batches",
                    row.number,
                    is,
                    "kind 1, or kind 0 and no customers",
                );
            }
            pass_entries(check, entries, Some(row.number))?;
            pass_rejections(check, rejections, Some(row.number))?;
            end = one(check, entries, rejections, &row, end)?;
        }
    }
    pass_entries(check, entries, None)?;
    pass_rejections(check, rejections, None)?;
    let next = check.head.next_batch;
    if expected != next {
        check.add("account_heads", "next_batch", next, expected);
    }
    Ok(count)
}

/// Whether what names `named` comes before the batch `number`: of an earlier batch, or of none. `None` is the end.
fn is_before(named: Option<i64>, number: Option<i64>) -> bool {
    match (named, number) {
        (Some(named), Some(number)) => named < number,
        (_, None) | (None, _) => true,
    }
}

/// Goes past the entries before the batch `number`. Those that name a batch are strays.
fn pass_entries(
    check: &mut Check<'_>,
    entries: &mut Entries<'_>,
    number: Option<i64>,
) -> Result<()> {
    while let Some(entry) = entries.peek(check)?
        && is_before(entry.batch, number)
    {
        if let Some(batch) = entry.batch {
            let is = format!("batch {batch}, which does not exist or ended earlier");
            check.add(
                "journal",
                entry.number,
                is,
                "next to the entries of its batch",
            );
        }
        entries.skip();
    }
    Ok(())
}

/// Goes past the rejections before the batch `number`. Those that name a batch are strays.
fn pass_rejections(
    check: &mut Check<'_>,
    rejections: &mut Rejections,
    number: Option<i64>,
) -> Result<()> {
    while let Some(rejection) = rejections.peek(check)?
        && is_before(rejection.batch, number)
    {
        if let Some(batch) = rejection.batch {
            let is = format!("batch {batch}, which does not exist or ended earlier");
            check.add(
                "rejections",
                rejection.number,
                is,
                "next to the rejections of its batch",
            );
        }
        rejections.skip();
    }
    Ok(())
}

/// One batch; entries and rejections stand at its first ones. `end`: the number behind the last entry of the batches
/// before it. Gives the same for this one.
fn one(
    check: &mut Check<'_>,
    entries: &mut Entries<'_>,
    rejections: &mut Rejections,
    row: &Row,
    end: i64,
) -> Result<i64> {
    let of_batch = Some(row.number);
    let of_customers = row.kind == OF_CUSTOMERS;
    let first = entries
        .peek(check)?
        .filter(|entry| entry.batch == of_batch)
        .map(|entry| entry.number);
    let mut behind = end;
    let mut last_line = 0_i32;
    let (mut transactions, mut rejected) = (0_i32, 0_i32);
    loop {
        let entry = entries.peek(check)?.filter(|entry| entry.batch == of_batch);
        let rejection = rejections
            .peek(check)?
            .filter(|rejection| rejection.batch == of_batch);
        if let Some(rejection) = rejection.filter(|one| one.of_customers != of_customers) {
            let is = format!("a source that batch {} has not", row.number);
            check.add(
                "rejections",
                rejection.number,
                is,
                "customers for a batch of customers",
            );
        }
        // Both come in the order of their lines: the earlier line is next.
        let (table, number, line) = match (entry, rejection) {
            (None, None) => break,
            (Some(entry), Some(rejection)) if rejection.line < entry.line => {
                take_rejection(rejections, &mut rejected, rejection)
            }
            (None, Some(rejection)) => take_rejection(rejections, &mut rejected, rejection),
            (Some(entry), _) => {
                entries.skip();
                transactions = transactions.saturating_add(1);
                behind = entry.number.saturating_add(1);
                ("journal", entry.number, entry.line)
            }
        };
        match line {
            // A line of customers has an entry for each campaign.
            Some(line) if line == last_line && table == "journal" && of_customers => {}
            Some(line) if line <= last_line => {
                let is = format!(
                    "line {line} of batch {}, behind line {last_line}",
                    row.number
                );
                check.add(table, number, is, "each line once, in order");
            }
            Some(line) => last_line = line,
            // An entry with a batch and no line was noted when it was read.
            None if table == "journal" => {}
            None => check.add(table, number, "no line", "a line of its batch"),
        }
    }
    for (name, is, should) in [
        ("transactions", row.transactions, transactions),
        ("rejected", row.rejected, rejected),
    ] {
        if is != should {
            check.add(
                "batches",
                row.number,
                format!("{name} {is}"),
                format!("{name} {should}"),
            );
        }
    }
    first_entry(check, entries, row, first, end);
    Ok(behind)
}

fn take_rejection(
    rejections: &mut Rejections,
    rejected: &mut i32,
    rejection: rejections::Placed,
) -> (&'static str, i64, Option<i32>) {
    rejections.skip();
    *rejected = rejected.saturating_add(1);
    ("rejections", rejection.number, rejection.line)
}

/// The first entry's number; without entries, one that was free then.
fn first_entry(
    check: &mut Check<'_>,
    entries: &Entries<'_>,
    row: &Row,
    first: Option<i64>,
    end: i64,
) {
    let is = format!("first_entry {}", row.first_entry);
    if let Some(first) = first {
        if row.first_entry != first {
            check.add("batches", row.number, is, format!("first_entry {first}"));
        }
        return;
    }
    let next = entries.next_number();
    if row.first_entry < end || row.first_entry > next {
        check.add(
            "batches",
            row.number,
            is,
            format!("first_entry from {end} to {next}"),
        );
    }
}
