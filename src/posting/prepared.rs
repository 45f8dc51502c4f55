//! Who holds the codes that requests name.
//!
//! Belongs here: what is looked up outside the writer, and what of it, and of what the writer remembers, still holds.

use super::codes::Codes;
use super::command::Command;
use super::queue::Job;
use crate::loyalty::ledger::Holders;
use crate::store::connect::Readers;
use crate::store::heads::{self, Head};
use crate::store::{Db, Result, journal};
use std::sync::Arc;

/// Codes looked up outside the writer, with what tells whether they still hold.
#[derive(Clone, Debug)]
pub struct Prepared {
    keys_version: i64,
    next_customer: i64,
    /// The configuration under which lines were found worth a look-up.
    planned_for: i64,
    holders: Arc<Holders>,
}

impl Prepared {
    /// Looks up the codes of a request on reading connections. The versions are read first, so that a change in between
    /// is noticed later.
    pub fn look_up(readers: &Readers, command: &Command) -> Result<Option<Prepared>> {
        let account = command.account();
        let head = heads::read(&mut *readers.get()?, account)?;
        let Some(head) = head else {
            return Ok(None);
        };
        let holders = Arc::new(journal::holders_apart(readers, account, command.keys())?);
        Ok(Some(Prepared {
            keys_version: head.keys_version,
            next_customer: head.next_customer,
            planned_for: command.planned_for(),
            holders,
        }))
    }
}

/// Who holds the codes that the jobs name. What was prepared outside counts as far as nothing has moved since: if keys
/// changed hands, or the configuration, by which other lines can be posted, all is looked up again; if only customers
/// were added, what nobody held then.
pub fn find_holders(
    db: &mut Db,
    head: &Head,
    jobs: &[Job],
    codes: &mut Codes,
) -> Result<Vec<Arc<Holders>>> {
    let remembered = codes.of(head.account_id, head.keys_version);
    let mut known: Vec<Arc<Holders>> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for job in jobs.iter().filter(|job| job.answer.is_none()) {
        match &job.prepared {
            Some(prepared)
                if prepared.keys_version == head.keys_version
                    && prepared.planned_for == head.config_version =>
            {
                if prepared.next_customer != head.next_customer {
                    unknown.extend(
                        job.command
                            .keys()
                            .filter(|value| !prepared.holders.contains_key(*value)),
                    );
                }
                known.push(Arc::clone(&prepared.holders));
            }
            _ => unknown.extend(
                job.command
                    .keys()
                    .filter(|value| !remembered.contains_key(*value)),
            ),
        }
    }
    if !unknown.is_empty() {
        let found = journal::holders(db, head.account_id, unknown.into_iter())?;
        drop(remembered);
        codes.remember(head.account_id, head.keys_version, &found);
        known.push(Arc::new(found));
    }
    known.push(codes.of(head.account_id, head.keys_version));
    Ok(known)
}
