//! The days that a writer need not write again.
//!
//! Belongs here: up to which entry number a day's row is known to reach. It only ever reaches further, whoever writes it,
//! so what is remembered stays true. Does not belong here: what the rows mean ([`crate::store::journal::date_rows`]).

use crate::store::journal::DateRow;
use std::collections::HashMap;

/// Days remembered for all accounts of a writer; with more of them it begins anew.
const DAYS_MAX: usize = 16_384;

/// Days of several accounts.
#[derive(Debug, Default)]
pub struct Days {
    accounts: HashMap<i32, Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The account's next entry when something was last remembered: one below it means that the database was put back.
    next_entry: i64,
    highest: HashMap<i32, i64>,
}

impl Days {
    /// Leaves those of the rows that widen a day, and remembers them as written. They must be forgotten if their
    /// transaction is not committed. `next_entry`: the account's, before these rows.
    pub fn widened(&mut self, account: i32, next_entry: i64, rows: &mut Vec<DateRow>) {
        let known = self.accounts.entry(account).or_default();
        if next_entry < known.next_entry {
            known.highest.clear();
        }
        known.next_entry = next_entry;
        rows.retain(|row| known.highest.insert(row.date, row.highest) != Some(row.highest));
        if self.held() > DAYS_MAX {
            self.accounts.clear();
        }
    }

    fn held(&self) -> usize {
        let accounts = self.accounts.values();
        accounts.map(|known| known.highest.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(days: &mut Days, account: i32, next_entry: i64, rows: &[(i32, i64)]) -> Vec<i32> {
        let mut rows: Vec<DateRow> = rows
            .iter()
            .map(|(date, highest)| DateRow {
                account_id: account,
                date: *date,
                lowest: next_entry,
                highest: *highest,
            })
            .collect();
        days.widened(account, next_entry, &mut rows);
        rows.iter().map(|row| row.date).collect()
    }

    #[test]
    fn a_day_is_written_when_it_is_new_or_reaches_further() {
        let mut days = Days::default();
        assert_eq!(left(&mut days, 1, 10, &[(1, 100), (2, 100)]), [1, 2]);
        assert_eq!(left(&mut days, 1, 20, &[(1, 100), (3, 100)]), [3]);
        assert_eq!(left(&mut days, 1, 101, &[(1, 200), (2, 200)]), [1, 2]);
        assert_eq!(left(&mut days, 2, 10, &[(1, 100)]), [1]);
    }

    #[test]
    fn a_database_that_was_put_back_is_written_anew() {
        let mut days = Days::default();
        assert_eq!(left(&mut days, 1, 50, &[(1, 100)]), [1]);
        assert_eq!(left(&mut days, 1, 49, &[(1, 100)]), [1]);
        assert_eq!(days.held(), 1);
    }

    #[test]
    fn no_more_days_are_held_than_allowed() {
        let mut days = Days::default();
        let many: Vec<(i32, i64)> = (0..10_000).map(|day| (day, 100)).collect();
        assert_eq!(left(&mut days, 1, 1, &many).len(), 10_000);
        assert_eq!(left(&mut days, 1, 1, &many).len(), 0);
        assert_eq!(left(&mut days, 2, 1, &many).len(), 10_000);
        assert_eq!(days.held(), 0);
    }
}
