//! What a decision comes to: the outcome, and the rows to write.
//!
//! Belongs here: rows as values, for [`crate::store`] to write. Does not belong here: how they come about.

use super::config::ConfigRows;
use super::customers::PeopleRows;
use super::ledger::{Changes, Entry};
use super::sales::rows::SalesRows;
use super::sync::rows::SyncRows;
use crate::dates::Day;
use crate::error::{Class, Problem};

/// A request decided.
#[derive(Debug)]
pub struct Decided<'a, O> {
    /// What the caller is told.
    pub outcome: O,
    /// The rows to write, and the changes for [`super::ledger::Ledger::accept`]; `None` where nothing is to be stored.
    pub stored: Option<(Rows<'a>, Changes)>,
}

/// The rows of one request. Texts are borrowed from the request.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Rows<'a> {
    /// The batch, if it is one.
    pub batch: Option<BatchRow>,
    /// Journal entries, in the order of their numbers.
    pub entries: Vec<Entry<'a>>,
    /// Customers created.
    pub customers: Vec<NewCustomer<'a>>,
    /// Lines refused.
    pub refused: Vec<Refused<'a>>,
    /// What only `sync_data` writes.
    pub sync: Option<Box<SyncRows<'a>>>,
    /// What only sales v4 writes.
    pub sales: Option<Box<SalesRows>>,
    /// Customers changed by requests of API 1.5.
    pub people: Option<Box<PeopleRows>>,
    /// What users changed of the configuration.
    pub config: Option<Box<ConfigRows>>,
}

impl Rows<'_> {
    /// Of a batch of customers, how many lines were imported.
    pub fn imported(&self) -> Option<usize> {
        self.people.as_ref()?.imported
    }

    /// Refused lines that can be mended: of a batch of customers all.
    pub fn faults(&self) -> usize {
        let of_customers = self.imported().is_some();
        let is_fault = |class| of_customers || class == Class::Fault;
        let refused = self.refused.iter();
        refused
            .filter(|refused| is_fault(refused.problem.code.class()))
            .count()
    }
}

/// A batch, but for what is counted in its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchRow {
    /// Its number.
    pub number: i64,
    /// The user who posted it.
    pub user: i32,
    /// The first entry's number, or the next free one where there is none.
    pub first_entry: i64,
    /// The first rejection's number, or the next free one where there is none.
    pub first_rejection: i64,
    /// Whether it is listed as one that can be undone.
    pub undoable: bool,
    /// How its lines were read, kept where any was refused.
    pub layout: Option<String>,
}

/// A customer that a batch creates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCustomer<'a> {
    /// Its number.
    pub number: i64,
    /// Its code.
    pub code: &'a str,
    /// Its card number, where the line gave both.
    pub card: Option<&'a str>,
}

/// A line that was refused, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused<'a> {
    /// The rejection's number.
    pub number: i64,
    /// The line's number in the text; for a contact of `sync_data` and a sale its place in the request, from 1.
    pub line: u32,
    /// The line as sent.
    pub raw: &'a str,
    /// Why.
    pub problem: Problem,
    /// The day it would have counted for.
    pub effective_date: Day,
    /// Equal for equal lines of other batches.
    pub fingerprint: [u8; 32],
}
