//! One transaction taken back by `transaction_delete`.
//!
//! Belongs here: which entries may be taken back. Does not belong here: whole batches ([`super::undo`]).

use super::account::Account;
use super::batch::Caller;
use super::change::Change;
use super::customers::named;
use super::ledger::{BalanceKey, Entry, EntryKind, Ledger, beyond_limit};
use super::rows::{Decided, Rows};
use super::sales::earn::print_of_owed;
use super::undo::{self, Ended, Original};
use crate::amount::Amount;
use crate::error::{Code, Problem};

/// The command.
#[derive(Debug)]
pub struct Delete {
    /// Who wants it.
    pub caller: Caller,
    /// The campaign's id.
    pub campaign: String,
    /// The customer's code or card number.
    pub code: String,
    /// The entry as sent.
    pub sent: String,
    /// The entry as it was found; `None` before it is looked up, and where there is none.
    pub found: Option<FoundEntry>,
    /// The version of the configuration that it was planned for.
    pub planned_for: i64,
    /// By what it would be known that a sale could not take the entry back; for each brand.
    pub owed: Vec<[u8; 32]>,
}

/// An entry that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundEntry {
    /// What has to be known to reverse it.
    pub original: Original,
    /// Its kind, as it is stored.
    pub kind: i16,
    /// The user who posted it.
    pub user: Option<i32>,
    /// Whether a line of a batch brought it.
    pub of_batch: bool,
    /// The batch that brought it, if all the rest of it is reversed already.
    pub last_of: Option<Ended>,
    /// Whether it is reversed already.
    pub reversed: bool,
    /// Whether it was a sale's that could not take it back, and somebody is to see to that.
    pub owed: bool,
}

impl Delete {
    /// The number of the entry; `None` where no entry can have what was sent.
    pub fn entry(&self) -> Option<i64> {
        self.sent.parse().ok().filter(|number| *number > 0)
    }

    /// The entry, and the user who posted it, where no batch brought it.
    pub fn takes_back(&self) -> Option<(i64, i32)> {
        let found = self.found.as_ref().filter(|found| !found.of_batch)?;
        Some((found.original.number, found.user?))
    }

    /// The batch of which nothing is left then.
    pub fn ends(&self) -> Option<&Ended> {
        self.found.as_ref()?.last_of.as_ref()
    }
}

impl Change for Delete {
    type Done = i64;

    fn account(&self) -> i32 {
        self.caller.account
    }

    fn bytes(&self) -> usize {
        let texts = [&self.campaign, &self.code, &self.sent];
        let texts = texts.iter().map(|text| text.len()).sum::<usize>();
        size_of::<Delete>().saturating_add(texts)
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        self.caller.permitted(account)?;
        self.planned_for = account.config_version;
        let brands = account.brands.iter().map(|brand| brand.number);
        let entry = self.entry();
        self.owed = brands
            .filter_map(|brand| Some(print_of_owed(brand, entry?)))
            .collect();
        Ok(())
    }

    fn planned_for(&self) -> i64 {
        self.planned_for
    }

    fn keys(&self) -> Vec<&str> {
        vec![&self.code]
    }

    fn balances(&self, _: &Account, _: &Ledger) -> Vec<BalanceKey> {
        let found = self.found.iter();
        found.map(|found| found.original.key).collect()
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, i64>, Problem> {
        let user = self.caller.permitted(account)?;
        let of_campaign = |code| {
            Problem::new(code)
                .field("campaign_id")
                .value(&self.campaign)
        };
        let campaign = account
            .find_campaign(&self.campaign)
            .and_then(|index| account.campaign(index))
            .filter(|campaign| user.sees(campaign.number))
            .ok_or_else(|| of_campaign(Code::UnknownCampaign))?;
        if !campaign.active {
            return Err(of_campaign(Code::InactiveCampaign));
        }
        let customer = named::find(&self.code, "", |value| ledger.holder(value))?;
        let of_entry = |code| Problem::new(code).field("transaction_id").value(&self.sent);
        let posted = [EntryKind::Add, EntryKind::Redeem, EntryKind::Opening];
        let found = self
            .found
            .as_ref()
            .filter(|found| {
                let key = found.original.key;
                key.customer == customer
                    && key.campaign == campaign.number
                    && posted.iter().any(|kind| kind.stored() == found.kind)
            })
            .ok_or_else(|| of_entry(Code::UnknownEntry))?;
        if found.reversed {
            return Err(of_entry(Code::AlreadyDeleted));
        }
        let by_sale =
            !found.of_batch && found.user.is_none() && found.kind == EntryKind::Add.stored();
        // One that its sale had to leave follows nothing any more.
        if by_sale && !found.owed {
            return Err(of_entry(Code::EntryOfSale));
        }
        let (original, mut overlay) = (found.original, ledger.overlay());
        let before = overlay.balance(&original.key);
        let amount = undo::opposite(campaign, &original)?;
        let refused = |code| match code {
            Code::OutOfRange => Problem::new(Code::OutOfRange)
                .value(&original.amount.text(campaign.digits))
                .detail(beyond_limit(campaign)),
            _ => {
                let after = before.raw().saturating_add(amount.raw());
                let missing = Amount::from_raw(after.saturating_neg());
                Problem::new(Code::DeleteBelowZero)
                    .field(&campaign.id)
                    .value(&missing.text(campaign.digits))
                    .detail(before.text(campaign.digits))
            }
        };
        let link = overlay
            .post(campaign, original.key, amount)
            .map_err(refused)?;
        // Sums by day come out as if it had never been posted.
        let entry = Entry {
            user: Some(user.number),
            reverses: Some(original.number),
            ..Entry::bare(
                EntryKind::Reversal,
                original.key,
                amount,
                link,
                original.date,
            )
        };
        let rows = Rows {
            entries: vec![entry],
            ..Rows::default()
        };
        Ok(Decided {
            outcome: original.number,
            stored: Some((rows, overlay.into_changes())),
        })
    }
}
