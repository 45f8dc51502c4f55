//! Jobs of `sync_data`: requests with contacts and a purchase that are stored first and worked off later.
//!
//! Belongs here: what becomes of a job, its webhook and its credits. Does not belong here: what a contact
//! ([`super::contacts`]) or a purchase ([`super::purchases`]) means, wire formats, clocks.
//!
//! Words: a *job* is a stored request, an *item* one contact of it, a *part* up to 500 contacts of it that are stored
//! together. Each commit works off some items of one part.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`id`] | ids of jobs and webhooks, which say where their rows are |
//! | [`job`] | a request that is to be stored |
//! | [`claim`] | who works on a job |
//! | [`work`] | items decided one after the other |
//! | [`event`] | a webhook, its tries and its states |
//! | [`credit`] | credits for e-mail validation |
//! | [`rows`] | what these decisions give to be written |
//! | [`view`] | what is told of a job |

pub mod claim;
pub mod credit;
pub mod event;
pub mod id;
pub mod job;
pub mod rows;
pub mod view;
pub mod work;

use super::account::Account;
use super::contacts::sent::Sent;
use super::ledger::Ledger;
use super::rows::Decided;
use crate::error::{Code, Problem};
use claim::{ClaimJob, Claimed};
use credit::AddCredits;
use event::{EventCommand, EventDone};
use job::{Accepted, NewJob};
use work::{Work, Worked};

/// What is to be written of `sync_data`.
#[derive(Debug)]
pub enum SyncCommand {
    /// A request is stored.
    Accept(NewJob),
    /// A job is taken, kept or given back.
    Claim(ClaimJob),
    /// Some items of a job are worked off.
    Work(Work),
    /// A webhook is taken, was tried, or is to be sent again.
    Event(EventCommand),
    /// Credits are given or taken.
    Credit(AddCredits),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncDone {
    /// A request was stored.
    Accepted(Accepted),
    /// A job as its worker finds it; `None` if it is somebody else's or gone.
    Claimed(Option<Claimed>),
    /// Items were worked off.
    Worked(Worked),
    /// What became of a webhook.
    Event(EventDone),
    /// The credits that are left.
    Credited(i64),
}

impl SyncCommand {
    /// The account's number.
    pub fn account(&self) -> i32 {
        match self {
            SyncCommand::Accept(job) => job.account,
            SyncCommand::Claim(claim) => claim.account,
            SyncCommand::Work(work) => work.account,
            SyncCommand::Event(event) => event.account(),
            SyncCommand::Credit(add) => add.account,
        }
    }

    /// Whether it needs the account's next numbers and credits.
    pub fn counts(&self) -> bool {
        !matches!(self, SyncCommand::Claim(_) | SyncCommand::Event(_))
    }

    /// Authenticates it under the account's present configuration, and makes the keys of contacts again if that has
    /// moved: how a phone number is compared goes by the account's country.
    ///
    /// # Errors
    /// The account has another secret now.
    pub fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        match self {
            SyncCommand::Accept(job) if account.sealed_secret.as_ref() != Some(&job.sealed) => {
                return Err(Problem::new(Code::BadCredentials));
            }
            SyncCommand::Work(work) => work.plan(account),
            _ => {}
        }
        Ok(())
    }

    /// Decides it.
    ///
    /// # Errors
    /// Nothing is to be stored.
    pub fn decide<'a>(
        &'a self,
        account: &'a Account,
        ledger: &Ledger,
    ) -> Result<Decided<'a, SyncDone>, Problem> {
        Ok(match self {
            SyncCommand::Accept(new) => done(job::accept(new, ledger)?, SyncDone::Accepted),
            SyncCommand::Claim(claim) => done(claim::decide(claim, ledger)?, SyncDone::Claimed),
            SyncCommand::Work(work) => done(work::decide(account, work, ledger)?, SyncDone::Worked),
            SyncCommand::Event(event) => done(event::decide(event, ledger)?, SyncDone::Event),
            SyncCommand::Credit(add) => {
                done(credit::decide(account, add, ledger)?, SyncDone::Credited)
            }
        })
    }

    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        let texts = match self {
            SyncCommand::Accept(job) => {
                let parts = job.parts.iter().map(|part| part.contacts.len());
                parts.fold(0, usize::saturating_add)
            }
            SyncCommand::Work(work) => {
                let items = work.items.iter().map(|item| sent_bytes(&item.sent));
                items.fold(0, usize::saturating_add)
            }
            _ => 0,
        };
        texts.saturating_add(size_of::<SyncCommand>())
    }

    /// How many lines it counts for.
    pub fn lines(&self) -> usize {
        match self {
            SyncCommand::Work(work) => work.items.len().max(1),
            _ => 1,
        }
    }

    /// The version of the configuration that it was planned for.
    pub fn planned_for(&self) -> i64 {
        match self {
            SyncCommand::Work(work) => work.planned_for,
            _ => 0,
        }
    }
}

fn done<O>(decided: Decided<'_, O>, of: impl Fn(O) -> SyncDone) -> Decided<'_, SyncDone> {
    Decided {
        outcome: of(decided.outcome),
        stored: decided.stored,
    }
}

/// A contact takes its text, its fields, which together are about as long, and its keys.
fn sent_bytes(sent: &Sent) -> usize {
    sent.raw
        .len()
        .saturating_mul(2)
        .saturating_add(size_of::<Sent>())
}
