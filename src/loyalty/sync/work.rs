//! Some items of a job, decided one after the other.
//!
//! Belongs here: what is to be worked off in one commit, and whether its worker may. Does not belong here: what becomes of
//! an item ([`items`]) and of the job ([`end`]).

pub mod end;
pub mod items;

#[cfg(test)]
mod tests;

use super::claim::Found;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::people::People;
use crate::loyalty::contacts::sent::{Fault, KeyKind, Mail, Sent};
use crate::loyalty::contacts::{keys, matching};
use crate::loyalty::ledger::Ledger;
use crate::loyalty::purchases::{PurchaseSent, StoredPurchase};
use crate::loyalty::rows::Decided;
use crate::loyalty::sync::job::Part;

/// A contact that is to be worked off, with what it may need.
#[derive(Debug)]
pub struct Item {
    /// The contact.
    pub sent: Sent,
    /// What is known of its e-mail address.
    pub mail: Mail,
    /// The code of the customer that it may create: 16 random digits.
    pub new_code: String,
    /// The id of the contact that it may create: 24 random hexadecimal digits.
    pub new_id: String,
}

/// Items that are to be worked off in one commit.
#[derive(Debug)]
pub struct Work {
    /// The account's number.
    pub account: i32,
    /// The job's number.
    pub job: i64,
    /// The worker's token.
    pub token: String,
    /// For how long the claim holds from here on, in microseconds.
    pub lease_us: i64,
    /// The place of the first item in the request.
    pub first: i32,
    /// The items.
    pub items: Vec<Item>,
    /// The part that the items are from: the place of its first contact, and whether these items end it.
    pub part: Option<(i32, bool)>,
    /// Whether these items are the last ones of the job.
    pub finish: bool,
    /// The reference under which the log has why the only item cannot be stored: it fails. Without items, the purchase
    /// fails if all contacts are worked off, else the job is given up, and this says why.
    pub poisoned: Option<String>,
    /// Whether not even what was sent of the items that are given up can be stored: it is left out then.
    pub untold: bool,
    /// The job's purchase, where the job ends here; its faults if it cannot be read.
    pub purchase: Option<Result<PurchaseSent, Vec<Fault>>>,
    /// The job's purchase as it was sent, where the job ends here.
    pub purchase_raw: Option<String>,
    /// The id of the purchase that it may create: 24 random hexadecimal digits.
    pub new_purchase_id: String,
    /// For the id of the webhook.
    pub event_random: [u8; 8],
    /// What was looked up; `None` before it is, and where the job is done.
    pub found: Option<WorkFound>,
    /// The version of the configuration that the items were read under.
    pub planned_for: i64,
}

/// What has to be known before items are worked off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkFound {
    /// The job.
    pub claim: Found,
    /// Every customer that the items' keys lead to.
    pub people: People,
    /// The purchase that is stored under the transaction code.
    pub purchase: Option<StoredPurchase>,
    /// The customers of the job's earlier items that were taken, in their order; repeated ones are repeated.
    pub linked: Vec<i64>,
    /// Where the job is given up: the parts that are left of it.
    pub left: Vec<Part>,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worked {
    /// The next item.
    pub cursor: i32,
    /// Whether the job is done.
    pub finished: bool,
    /// Whether it stopped at an item whose e-mail address has to be looked at first.
    pub lacks_verdict: bool,
    /// Whether there is a webhook to be sent.
    pub event: bool,
}

impl Work {
    /// Reads the keys again if the configuration has moved since, and with it the account's country.
    pub fn plan(&mut self, account: &Account) {
        if self.planned_for == account.config_version {
            return;
        }
        for item in &mut self.items {
            item.sent.keys = keys::of_fields(&item.sent.fields, account.country.as_deref());
        }
        self.planned_for = account.config_version;
    }

    /// Why the job is given up, if it is: items are left, and none of them is to be worked off.
    pub fn gives_up(&self, claim: &Found) -> Option<&str> {
        let left = claim.queued.cursor < claim.head.contacts && self.items.is_empty();
        self.poisoned.as_deref().filter(|_| left)
    }

    /// The keys that lead to the customers whom its items may mean; repeated ones are repeated.
    pub fn keys(&self) -> impl Iterator<Item = (KeyKind, &str)> {
        let sound = self.items.iter().filter(|item| item.sent.faults.is_empty());
        sound.flat_map(|item| matching::all(&item.sent.keys))
    }
}

/// Decides items one after the other, each seeing what those before it have brought. It stops at the first one whose
/// e-mail address somebody has to look at.
///
/// # Errors
/// [`Code::ClaimLost`] if the job is done, somebody else has taken it, or it is not where the items begin.
pub fn decide<'a>(
    account: &'a Account,
    work: &'a Work,
    ledger: &Ledger,
) -> Result<Decided<'a, Worked>, Problem> {
    let found = work.found.as_ref().filter(|found| {
        let queued = &found.claim.queued;
        queued.token.as_deref() == Some(work.token.as_str()) && queued.cursor == work.first
    });
    let Some(found) = found else {
        return Err(Problem::new(Code::ClaimLost).value(&work.job.to_string()));
    };
    Ok(items::decide(account, work, found, ledger.overlay()))
}
