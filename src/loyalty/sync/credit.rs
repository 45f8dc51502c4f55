//! Credits for e-mail validation: given and taken by the operator, spent by jobs.

use super::rows::{CreditRow, SyncRows};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::ledger::{Ledger, Numbers};
use crate::loyalty::rows::Decided;

/// Credits that are given or taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCredits {
    /// The account's number.
    pub account: i32,
    /// How many; below zero where they are taken.
    pub amount: i64,
    /// Why, in the operator's words.
    pub note: String,
}

/// What an entry of the credits' ledger does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreditKind {
    /// What the account came with.
    Opening,
    /// What the operator gave, or took.
    Added,
    /// What a job spent.
    Spent,
}

impl CreditKind {
    /// Its word in the database.
    pub fn word(self) -> &'static str {
        match self {
            CreditKind::Opening => "opening",
            CreditKind::Added => "added",
            CreditKind::Spent => "spent",
        }
    }
}

/// An entry of the credits' ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditEntry {
    /// Its number in the account.
    pub number: i64,
    /// What it does, as [`CreditKind::word`] says it.
    pub kind: String,
    /// How many, signed.
    pub amount: i64,
    /// What is left after it.
    pub balance_after: i64,
    /// The number of the job that spent them.
    pub job: Option<i64>,
    /// Why, in the operator's words.
    pub note: Option<String>,
    /// In microseconds since 1970.
    pub recorded_at: i64,
}

/// Decides whether credits are given or taken.
pub fn decide<'a>(
    account: &Account,
    add: &'a AddCredits,
    ledger: &Ledger,
) -> Result<Decided<'a, i64>, Problem> {
    let mut overlay = ledger.overlay();
    let Some(left) = overlay.numbers.sync.credits else {
        // To add some to what has no limit would set one.
        return Err(Problem::new(Code::UnlimitedCredits).value(&account.account_id));
    };
    let after = left.checked_add(add.amount).filter(|after| *after >= 0);
    let after = after.ok_or_else(|| {
        Problem::new(Code::CreditsBelowZero)
            .value(&add.amount.unsigned_abs().to_string())
            .detail(left)
    })?;
    overlay.numbers.sync.credits = Some(after);
    let rows = SyncRows {
        credit: Some(CreditRow {
            number: Numbers::take(&mut overlay.numbers.sync.credit),
            kind: CreditKind::Added,
            amount: add.amount,
            balance_after: after,
            job: None,
            note: Some(&add.note),
        }),
        ..SyncRows::default()
    };
    Ok(Decided {
        outcome: after,
        stored: Some((rows.into(), overlay.into_changes())),
    })
}
