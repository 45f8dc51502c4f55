//! The end of a job: its counts, its purchase, its webhook.

use super::items::Deciding;
use crate::json;
use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::contacts::told;
use crate::loyalty::ledger::Numbers;
use crate::loyalty::purchases::{PurchaseSent, merge, read};
use crate::loyalty::sync::claim::Queued;
use crate::loyalty::sync::event::{EventDue, EventRow, EventState};
use crate::loyalty::sync::id::EventId;
use crate::loyalty::sync::rows::{EventChange, ItemRow, JobDone, PurchaseDone};
use crate::loyalty::sync::view::ItemState;
use std::collections::{HashMap, HashSet};

impl<'a> Deciding<'a, '_> {
    /// Ends the job, with what its row in the queue would say. Tells whether there is a webhook to be sent.
    pub(super) fn end(&mut self, queued: Queued) -> bool {
        let now_us = self.found.claim.now_us;
        let rest = self.head.contacts.saturating_sub(queued.cursor).max(0);
        let reason = self.work.gives_up(&self.found.claim);
        if let Some(reason) = reason {
            self.give_up(queued.cursor, reason);
        }
        let purchase = (self.head.purchases > 0).then(|| self.purchase(reason));
        let event = self.head.url.as_ref().map(|url| EventRow {
            id: EventId::new(
                self.work.account,
                Numbers::take(&mut self.overlay.numbers.sync.event),
                self.work.event_random,
            ),
            job: self.work.job,
            url: url.clone(),
            state: EventState::Pending,
            attempts: 0,
            created_at: now_us,
            done_at: None,
        });
        self.rows.job_done = Some(JobDone {
            head: self.head,
            reason: reason.map(str::to_owned),
            valid: queued.valid,
            failed: queued.failed.saturating_add(rest),
            charged: queued.charged,
            started_at: queued.started_at,
            completed_at: now_us,
            purchase,
            event: event.as_ref().map(|event| event.id.number),
        });
        self.rows.event = event.map(|row| EventChange {
            row,
            due: Some(EventDue {
                due_at: now_us,
                asked: false,
                claimed_until: 0,
                token: None,
            }),
            attempt: None,
        });
        self.rows.event.is_some()
    }

    /// Notes the items that are left as failed: whoever counts them is told of each.
    fn give_up(&mut self, cursor: i32, reason: &str) {
        let mut contacts: HashMap<i32, &str> = HashMap::new();
        for part in &self.found.left {
            let list = json::list(&part.contacts).unwrap_or_default();
            contacts.extend((part.first..).zip(list));
        }
        let told = self.head.url.is_some() && !self.work.untold;
        let message = format!("was not reached, because the job was given up: {reason}");
        let rows = (cursor..self.head.contacts).map(|item| ItemRow {
            job: self.work.job,
            item,
            state: ItemState::Failed,
            customer: None,
            contact_id: None,
            verdict: None,
            charged: false,
            errors: vec![Fault::new("contact", message.as_str())],
            told: contacts
                .get(&item)
                .filter(|_| told)
                .map(|raw| told::kept(raw).into_owned()),
        });
        self.rows.items.extend(rows);
    }

    /// Decides the purchase. It fails with a job that is given up, and if it is what cannot be stored.
    fn purchase(&mut self, given_up: Option<&str>) -> PurchaseDone {
        let work = self.work;
        let alone = |message: String| vec![Fault::new(read::WHOLE, message)];
        let sent = match (&work.purchase, &work.poisoned) {
            _ if given_up.is_some() => Err(alone(
                "was not reached, because the job was given up".to_owned(),
            )),
            (_, Some(reference)) if work.items.is_empty() => Err(alone(format!(
                "could not be stored (reference {reference})"
            ))),
            (Some(Ok(sent)), _) => self.merge(sent),
            (Some(Err(faults)), _) => Err(faults.clone()),
            (None, _) => Err(alone("cannot be read".to_owned())),
        };
        sent.unwrap_or_else(|errors| self.failed_purchase(errors))
    }

    fn merge(&mut self, sent: &'a PurchaseSent) -> Result<PurchaseDone, Vec<Fault>> {
        let mut seen = HashSet::new();
        self.customers.retain(|customer| seen.insert(*customer));
        let change = merge::merged(
            self.found.purchase.as_ref(),
            sent,
            merge::Arrival {
                id: &self.work.new_purchase_id,
                origin: &self.head.origin,
                customers: &self.customers,
                now_us: self.found.claim.now_us,
            },
        )?;
        let told = self.head.url.is_some();
        let done = PurchaseDone {
            state: if change.is_new {
                ItemState::Created
            } else {
                ItemState::Updated
            },
            id: Some(change.purchase.id.to_string()),
            code: Some(change.purchase.code.to_string()),
            errors: Vec::new(),
            told: told.then(|| merge::taken(&change.purchase, &self.head.options)),
        };
        let names = merge::custom_names(sent).map(|name| (2, name));
        self.rows.custom_names.extend(names);
        self.rows.purchase = Some(change);
        Ok(done)
    }

    fn failed_purchase(&self, errors: Vec<Fault>) -> PurchaseDone {
        let sent = self
            .work
            .purchase
            .as_ref()
            .and_then(|sent| sent.as_ref().ok());
        let raw = match (&self.work.purchase_raw, sent) {
            (Some(raw), _) => raw,
            (None, Some(sent)) => &*sent.raw,
            (None, None) => "{}",
        };
        let code = read::code(raw);
        let told = self.head.url.is_some();
        PurchaseDone {
            state: ItemState::Failed,
            id: None,
            told: told.then(|| merge::failed(raw, code.as_deref())),
            code,
            errors,
        }
    }
}
