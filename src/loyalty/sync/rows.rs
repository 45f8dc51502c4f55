//! The rows of jobs, webhooks, people and credits that a decision gives to be written.

use super::claim::Queued;
use super::event::{Attempt, EventDue, EventRow};
use super::job::{JobHead, NewJob};
use super::view::ItemState;
use crate::loyalty::contacts::consents::ConsentRow;
use crate::loyalty::contacts::person::PersonChange;
use crate::loyalty::contacts::sent::{Fault, Verdict};
use crate::loyalty::purchases::PurchaseChange;
use crate::loyalty::rows::Rows;
use crate::loyalty::sync::credit::CreditKind;

/// What is written beside the rows that all commands have. What a command does not touch is empty.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SyncRows<'a> {
    /// A job that is stored, with its parts and its row in the queue.
    pub job: Option<JobRow<'a>>,
    /// A job's row in the queue, as it is to be; not given for a job that is new or done.
    pub queue: Option<Queued>,
    /// A part that is worked off: its job and the place of its first contact.
    pub part_done: Option<(i64, i32)>,
    /// A job that is done: its row in the queue goes.
    pub job_done: Option<JobDone<'a>>,
    /// People who are created or changed, each once.
    pub people: Vec<PersonChange>,
    /// Consents, in the order of their numbers.
    pub consents: Vec<ConsentRow<'a>>,
    /// Names of custom fields that were not known: 1 of contacts, 2 of purchases.
    pub custom_names: Vec<(i16, &'a str)>,
    /// What became of items, in their order.
    pub items: Vec<ItemRow>,
    /// An entry of the credits' ledger.
    pub credit: Option<CreditRow<'a>>,
    /// A purchase that is created or changed.
    pub purchase: Option<PurchaseChange>,
    /// A webhook, as it is to be.
    pub event: Option<EventChange<'a>>,
}

impl<'a> From<SyncRows<'a>> for Rows<'a> {
    fn from(rows: SyncRows<'a>) -> Rows<'a> {
        Rows {
            sync: Some(Box::new(rows)),
            ..Rows::default()
        }
    }
}

/// A job that is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRow<'a> {
    /// What it is known by.
    pub head: JobHead,
    /// The request.
    pub request: &'a NewJob,
}

/// A job that is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobDone<'a> {
    /// What it is known by: its row is written anew.
    pub head: &'a JobHead,
    /// Why it was given up; `None` where it is completed.
    pub reason: Option<String>,
    /// Items that were taken.
    pub valid: i32,
    /// Items that have failed.
    pub failed: i32,
    /// Credits spent.
    pub charged: i32,
    /// When it was first taken, in microseconds since 1970.
    pub started_at: Option<i64>,
    /// When it was done, in microseconds since 1970.
    pub completed_at: i64,
    /// What became of its purchase.
    pub purchase: Option<PurchaseDone>,
    /// The number of its webhook.
    pub event: Option<i64>,
}

/// What became of the purchase of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurchaseDone {
    /// What became of it.
    pub state: ItemState,
    /// Its id.
    pub id: Option<String>,
    /// Its transaction code.
    pub code: Option<String>,
    /// Why it has failed.
    pub errors: Vec<Fault>,
    /// What the webhook says of it, in JSON.
    pub told: Option<String>,
}

/// What became of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemRow {
    /// The job's number.
    pub job: i64,
    /// Its place in the request, from 0.
    pub item: i32,
    /// What became of it.
    pub state: ItemState,
    /// The customer's number.
    pub customer: Option<i64>,
    /// The contact's id.
    pub contact_id: Option<Box<str>>,
    /// What was found out about its e-mail address.
    pub verdict: Option<Verdict>,
    /// Whether it cost a credit.
    pub charged: bool,
    /// Why it has failed.
    pub errors: Vec<Fault>,
    /// What the webhook says of it, in JSON; `None` where there is no webhook.
    pub told: Option<String>,
}

/// An entry of the credits' ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditRow<'a> {
    /// Its number in the account.
    pub number: i64,
    /// What it does.
    pub kind: CreditKind,
    /// How many, signed.
    pub amount: i64,
    /// What is left after it.
    pub balance_after: i64,
    /// The number of the job that spent them.
    pub job: Option<i64>,
    /// Why, in the operator's words.
    pub note: Option<&'a str>,
}

/// A webhook, as it is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventChange<'a> {
    /// Its row.
    pub row: EventRow,
    /// Its row in the queue; `None` deletes that.
    pub due: Option<EventDue>,
    /// What a try has brought, as the row's last one.
    pub attempt: Option<&'a Attempt>,
}
