//! What a new customer is given at once: the field `auto_add`.
//!
//! Belongs here: the same amount for several campaigns. Does not belong here: what it means and what it changes, which is
//! that of any other single transaction ([`crate::loyalty::single`]).

use crate::error::Problem;
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::change::Change;
use crate::loyalty::ledger::{Entry, Overlay};
use crate::loyalty::lines::Column;
use crate::loyalty::single::Single;
use chrono::{DateTime, Utc};

/// A transaction for each campaign, each of which can be posted.
#[derive(Debug)]
pub struct Opening(Vec<Single>);

impl Opening {
    /// The same amount for each of these campaigns, in its unit and without its ratio.
    pub fn new(
        caller: Caller,
        campaigns: &[String],
        amount: &str,
        received: DateTime<Utc>,
        account: &Account,
    ) -> Result<Opening, Problem> {
        let single = |campaign: &String| {
            let values = [
                (Column::Campaign, campaign.as_str()),
                // Whose it is has no code yet.
                (Column::Code, NOBODY),
                (Column::Redeemed, "N"),
                (Column::Amount, amount),
            ];
            let single = Single::new(caller.clone(), &values, (false, false), received, account)?;
            single.check()?;
            Ok(single)
        };
        let singles: Result<Vec<Single>, Problem> = campaigns.iter().map(single).collect();
        singles.map(Opening)
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let each = self.0.iter().map(Change::bytes);
        each.fold(0, usize::saturating_add)
    }

    /// The entries of a customer. `line`: the batch and the line that has brought them.
    pub fn post<'o>(
        &'o self,
        account: &'o Account,
        customer: i64,
        line: Option<(i64, i32)>,
        overlay: &mut Overlay<'_>,
    ) -> Result<Vec<Entry<'o>>, Problem> {
        let mut entries = Vec::with_capacity(self.0.len());
        for single in &self.0 {
            let posted = single.post_to(customer, account, overlay, line)?;
            entries.push(posted.entry);
        }
        Ok(entries)
    }
}

/// Stands for a code where the customer is known without.
const NOBODY: &str = "-";
