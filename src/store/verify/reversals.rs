//! Entries that reverse others, and the table of what was reversed: they say the same.

use super::super::Result;
use super::super::schema::reversals;
use super::entry::{self, Row, shown};
use super::{CHUNK, Check, or_none};
use diesel::prelude::*;
use std::collections::HashMap;

/// Checks the reversals among these entries of the journal.
pub(super) fn check_entries(check: &mut Check<'_>, rows: &[Row]) -> Result<()> {
    let reversing: Vec<(&Row, i64)> = rows
        .iter()
        .filter_map(|row| Some((row, row.reverses?)))
        .collect();
    if reversing.is_empty() {
        return Ok(());
    }
    let reversed: Vec<i64> = reversing.iter().map(|(_, entry)| *entry).collect();
    let originals: HashMap<i64, Row> = entry::find(check, &reversed)?
        .into_iter()
        .map(|row| (row.number, row))
        .collect();
    let table = self::reversed(check, &reversed)?;
    for (row, entry) in reversing {
        let is = format!("reverses {entry}");
        match originals.get(&entry) {
            Some(original) if entry < row.number => check_pair(check, row, original),
            _ => check.add("journal", row.number, is, "an earlier entry"),
        }
        match table.get(&entry) {
            Some(by) if *by == row.number => {}
            Some(by) => {
                let is = format!("reverses {entry}, which reversals says {by} does");
                check.add("journal", row.number, is, "reversed once, and said so");
            }
            None => check.add(
                "reversals",
                entry,
                "no row",
                format!("by_entry {}", row.number),
            ),
        }
    }
    Ok(())
}

/// Those of these entries that are reversed, each with the entry that does it.
pub(super) fn reversed(check: &mut Check<'_>, entries: &[i64]) -> Result<HashMap<i64, i64>> {
    let table: Vec<(i64, i64)> = reversals::table
        .filter(reversals::account_id.eq(check.account))
        .filter(reversals::entry.eq_any(entries.to_vec()))
        .select((reversals::entry, reversals::by_entry))
        .load(check.db)?;
    Ok(table.into_iter().collect())
}

fn check_pair(check: &mut Check<'_>, row: &Row, original: &Row) {
    if row.key() != original.key() {
        let is = format!("reverses {} of another balance", original.number);
        check.add("journal", row.number, is, "an entry of its own balance");
    }
    if row.date != original.date {
        let is = format!("date {}", row.date);
        check.add("journal", row.number, is, format!("date {}", original.date));
    }
    if original.reverses.is_some() {
        let is = format!("reverses {}, a reversal itself", original.number);
        check.add("journal", row.number, is, "an entry that reverses nothing");
    }
    let opposite = original.amount.checked_neg();
    if Some(row.amount) != opposite {
        let should = opposite.map_or("an amount within 64 bits".to_owned(), |amount| {
            format!("amount {}", shown(amount))
        });
        let is = format!("amount {}", shown(row.amount));
        check.add("journal", row.number, is, should);
    }
}

/// Each row of the table names an entry that reverses what the row says.
pub(super) fn check_table(check: &mut Check<'_>) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, i64)> = reversals::table
            .filter(reversals::account_id.eq(check.account))
            .filter(reversals::entry.gt(after))
            .order(reversals::entry)
            .limit(CHUNK)
            .select((reversals::entry, reversals::by_entry))
            .load(check.db)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        after = *last;
        let by: Vec<i64> = rows.iter().map(|(_, by)| *by).collect();
        let reverses: HashMap<i64, Option<i64>> = entry::find(check, &by)?
            .into_iter()
            .map(|row| (row.number, row.reverses))
            .collect();
        for (entry, by) in rows {
            let found = reverses.get(&by).copied();
            if found != Some(Some(entry)) {
                let is = match found {
                    None => format!("by_entry {by}, which does not exist"),
                    Some(other) => format!("by_entry {by}, which reverses {}", or_none(other)),
                };
                check.add(
                    "reversals",
                    entry,
                    is,
                    format!("an entry that reverses {entry}"),
                );
            }
        }
    }
}
