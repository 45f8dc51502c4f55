//! The codes that a writer remembers.
//!
//! Belongs here: who holds a code or card number, as far as that cannot have changed: the account's `keys_version` is
//! raised by every change of a key but the giving out of a new one. Does not belong here: that nobody holds a code, for
//! somebody may get it at any time; balances.

use crate::loyalty::ledger::Holders;
use std::collections::HashMap;
use std::sync::Arc;

/// Codes of several accounts, at most a number of them.
#[derive(Debug)]
pub struct Codes {
    max: usize,
    held: usize,
    accounts: HashMap<i32, (i64, Arc<Holders>)>,
}

impl Codes {
    /// Remembers at most `max` codes.
    pub fn new(max: usize) -> Codes {
        Codes {
            max,
            held: 0,
            accounts: HashMap::new(),
        }
    }

    /// What is remembered of an account at this version of its keys.
    pub fn of(&mut self, account: i32, keys_version: i64) -> Arc<Holders> {
        match self.accounts.get(&account) {
            Some((version, known)) if *version == keys_version => Arc::clone(known),
            _ => Arc::default(),
        }
    }

    /// Remembers codes that were found at this version of the account's keys.
    pub fn remember(&mut self, account: i32, keys_version: i64, found: &Holders) {
        if self.held.saturating_add(found.len()) > self.max {
            // Beginning anew costs one look-up of each code that is still in use.
            self.accounts.clear();
            self.held = 0;
        }
        if found.len() > self.max {
            return;
        }
        let (version, known) = self.accounts.entry(account).or_default();
        if *version != keys_version {
            self.held = self.held.saturating_sub(known.len());
            (*version, *known) = (keys_version, Arc::default());
        }
        let before = known.len();
        // Nobody else holds the map between two groups, so nothing is copied.
        Arc::make_mut(known).extend(found.iter().map(|(code, holder)| (code.clone(), *holder)));
        self.held = self.held.saturating_add(known.len().saturating_sub(before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::ledger::Holder;

    fn holders(codes: &[&str]) -> Holders {
        let holder = Holder {
            customer: 1,
            replaced: false,
        };
        codes.iter().map(|code| ((*code).into(), holder)).collect()
    }

    #[test]
    fn codes_are_forgotten_when_keys_change_hands() {
        let mut codes = Codes::new(10);
        codes.remember(1, 5, &holders(&["a", "b"]));
        codes.remember(1, 5, &holders(&["b", "c"]));
        codes.remember(2, 5, &holders(&["a"]));
        assert_eq!(
            (codes.of(1, 5).len(), codes.of(2, 5).len(), codes.held),
            (3, 1, 4)
        );
        assert!(codes.of(1, 6).is_empty() && codes.of(3, 5).is_empty());
        codes.remember(1, 6, &holders(&["d"]));
        assert_eq!(
            (codes.of(1, 6).len(), codes.of(1, 5).len(), codes.held),
            (1, 0, 2)
        );
    }

    #[test]
    fn no_more_are_held_than_allowed() {
        let mut codes = Codes::new(3);
        codes.remember(1, 1, &holders(&["a", "b"]));
        codes.remember(2, 1, &holders(&["c", "d"]));
        assert_eq!(
            (codes.of(1, 1).len(), codes.of(2, 1).len(), codes.held),
            (0, 2, 2)
        );
        codes.remember(2, 1, &holders(&["e", "f", "g", "h"]));
        assert_eq!(codes.held, 0);
    }
}
