//! What every command that changes an account one thing at a time can do for posting.
//!
//! Belongs here: the questions that posting asks of such a command. Does not belong here: the commands themselves.

use super::account::Account;
use super::ledger::{BalanceKey, Ledger};
use super::rows::Decided;
use crate::error::Problem;

/// A command that waits to be posted.
pub trait Change {
    /// What comes of it.
    type Done;

    /// The account's number.
    fn account(&self) -> i32;

    /// About how much memory it takes while it waits.
    fn bytes(&self) -> usize;

    /// How many lines it has.
    fn lines(&self) -> usize {
        1
    }

    /// Authenticates it under the account's present configuration, and reads again what came of the configuration if that
    /// has moved.
    fn plan(&mut self, account: &Account) -> Result<(), Problem>;

    /// The version of the configuration that it was planned for.
    fn planned_for(&self) -> i64;

    /// The codes and card numbers that it names; repeated ones are repeated.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The balances that it touches, as far as their customers are known; repeated ones are repeated.
    fn balances(&self, _account: &Account, _ledger: &Ledger) -> Vec<BalanceKey> {
        Vec::new()
    }

    /// Decides it. `ledger` holds every key and balance that it names, as far as they exist.
    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, Self::Done>, Problem>;
}
