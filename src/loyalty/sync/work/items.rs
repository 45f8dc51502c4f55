//! What becomes of each item, and how far a commit comes.
//!
//! Belongs here: the order of the steps, and the rows that they give. Does not belong here: the steps themselves
//! ([`crate::loyalty::contacts`]).

use super::{Item, Work, WorkFound, Worked};
use crate::dates::{self, Day};
use crate::error::Problem;
use crate::json::Fields;
use crate::loyalty::account::Account;
use crate::loyalty::contacts::consents::{self, Answer, ConsentRow};
use crate::loyalty::contacts::mail::{self, Checked};
use crate::loyalty::contacts::people::Changing;
use crate::loyalty::contacts::person::Person;
use crate::loyalty::contacts::sent::{Fault, Sent, Verdict};
use crate::loyalty::contacts::{fields, matching, merge, told};
use crate::loyalty::ledger::{Numbers, Overlay};
use crate::loyalty::rows::{Decided, Refused, Rows};
use crate::loyalty::sync::claim::Queued;
use crate::loyalty::sync::credit::CreditKind;
use crate::loyalty::sync::job::JobHead;
use crate::loyalty::sync::rows::{CreditRow, ItemRow, SyncRows};
use crate::loyalty::sync::view::ItemState;
use chrono::DateTime;
use std::collections::HashSet;

/// Decides the items of a worker who holds the claim.
pub(super) fn decide<'a>(
    account: &'a Account,
    work: &'a Work,
    found: &'a WorkFound,
    overlay: Overlay<'_>,
) -> Decided<'a, Worked> {
    let mut deciding = Deciding::new(account, work, found, overlay);
    let mut cursor = work.first;
    for item in &work.items {
        if !deciding.item(item, cursor) {
            return deciding.finish(cursor, true);
        }
        cursor = cursor.saturating_add(1);
    }
    deciding.finish(cursor, false)
}

/// What became of an item that was taken.
struct Taken {
    customer: i64,
    is_new: bool,
    verdict: Option<Verdict>,
    charged: bool,
}

/// Items as far as they are decided.
pub(super) struct Deciding<'a, 'l> {
    account: &'a Account,
    pub(super) work: &'a Work,
    pub(super) found: &'a WorkFound,
    pub(super) head: &'a JobHead,
    pub(super) overlay: Overlay<'l>,
    people: Changing<'a>,
    pub(super) rows: SyncRows<'a>,
    refused: Vec<Refused<'a>>,
    /// Names of custom fields, in the order in which they were first seen.
    names: HashSet<&'a str>,
    valid: i32,
    failed: i32,
    charged: i32,
    /// The customers of all items of the job that were taken, in their order; repeated ones are repeated.
    pub(super) customers: Vec<i64>,
}

impl<'a, 'l> Deciding<'a, 'l> {
    fn new(
        account: &'a Account,
        work: &'a Work,
        found: &'a WorkFound,
        overlay: Overlay<'l>,
    ) -> Deciding<'a, 'l> {
        Deciding {
            account,
            work,
            found,
            head: &found.claim.head,
            overlay,
            people: Changing::new(&found.people, account.country.as_deref()),
            rows: SyncRows {
                items: Vec::with_capacity(work.items.len()),
                ..SyncRows::default()
            },
            refused: Vec::new(),
            names: HashSet::new(),
            valid: 0,
            failed: 0,
            charged: 0,
            customers: found.linked.clone(),
        }
    }

    /// Decides an item. Tells whether it could: not before somebody has looked at its e-mail address.
    fn item(&mut self, item: &'a Item, place: i32) -> bool {
        let sent = &item.sent;
        if let Some(reference) = self.work.poisoned.as_deref() {
            let message = format!("could not be stored (reference {reference})");
            self.fail(
                sent,
                place,
                vec![Fault::new("contact", message)],
                None,
                false,
            );
            return true;
        }
        if !sent.faults.is_empty() {
            self.fail(sent, place, sent.faults.clone(), None, false);
            return true;
        }
        let customer = match matching::find(sent, &self.people) {
            Ok(customer) => customer,
            Err(problem) => {
                let field = problem.field.clone().unwrap_or_default();
                let fault = Fault::new(field, problem.text());
                self.keep(sent, place, problem);
                self.fail(sent, place, vec![fault], None, false);
                return true;
            }
        };
        let person = customer.and_then(|customer| self.people.get(customer));
        if let Some(fault) = person.and_then(|person| merge::outgrown(person, sent)) {
            self.fail(sent, place, vec![fault], None, false);
            return true;
        }
        let credits = self.overlay.numbers.sync.credits;
        match mail::check(item.mail, sent, &self.head.options, credits) {
            Checked::Look => return false,
            Checked::Refuse {
                fault,
                verdict,
                charged,
            } => self.fail(sent, place, vec![fault], verdict, charged),
            Checked::Take { verdict, charged } => {
                self.take(item, place, customer, (verdict, charged));
            }
        }
        true
    }

    fn take(
        &mut self,
        item: &'a Item,
        place: i32,
        customer: Option<i64>,
        (verdict, charged): (Option<Verdict>, bool),
    ) {
        let sent = &item.sent;
        let number = match customer {
            Some(customer) => customer,
            None => Numbers::take(&mut self.overlay.numbers.customer),
        };
        let found = customer.and_then(|customer| self.people.get(customer));
        let mut person = merge::merged(
            found,
            sent,
            merge::Arrival {
                customer: number,
                code: &item.new_code,
                id: &item.new_id,
                origin: &self.head.origin,
                verdict,
                country: self.account.country.as_deref(),
                now_us: self.found.claim.now_us,
            },
        );
        let is_new = found.is_none();
        if sent.fields.iter().any(|(name, _)| consents::concerns(name)) {
            // No column holds what consents are made of, so the profile is right as it is.
            let nobody = Fields::default();
            let contact = found.and_then(|person| person.contact.as_ref());
            let before = contact.map_or(&nobody, |contact| &contact.profile);
            let new = consents::changes(
                before,
                person
                    .contact
                    .as_ref()
                    .map_or(&nobody, |contact| &contact.profile),
            );
            self.consent(new, &mut person, place);
        }
        if is_new {
            self.overlay.hold(&item.new_code, number);
        }
        for (name, _) in &sent.fields {
            if !fields::is_documented(name) && self.names.insert(name) {
                self.rows.custom_names.push((1, name));
            }
        }
        self.told(
            &person,
            place,
            Taken {
                customer: number,
                is_new,
                verdict,
                charged,
            },
        );
        self.people.put(person);
    }

    fn told(&mut self, person: &Person, place: i32, taken: Taken) {
        self.valid = self.valid.saturating_add(1);
        self.charge(taken.charged);
        self.customers.push(taken.customer);
        let told = self.head.url.is_some();
        self.rows.items.push(ItemRow {
            job: self.work.job,
            item: place,
            state: if taken.is_new {
                ItemState::Created
            } else {
                ItemState::Updated
            },
            customer: Some(taken.customer),
            contact_id: person.contact.as_ref().map(|contact| contact.id.clone()),
            verdict: taken.verdict,
            charged: taken.charged,
            errors: Vec::new(),
            told: told.then(|| told::taken(person, &self.head.options)),
        });
    }

    /// Keeps the answers that are new.
    fn consent(&mut self, answers: Vec<Answer>, person: &mut Person, place: i32) {
        let customer = person.customer;
        let Some(contact) = &mut person.contact else {
            return;
        };
        for new in answers {
            let number = Numbers::take(&mut self.overlay.numbers.sync.consent);
            self.rows.consents.push(ConsentRow {
                number,
                customer,
                channel: new.channel,
                answer: new.answer,
                date: new.date,
                remote_ip: new.remote_ip,
                origin: &self.head.origin,
                job: self.work.job,
                item: place,
                previous: contact.last_consent,
            });
            contact.last_consent = Some(number);
        }
    }

    fn fail(
        &mut self,
        sent: &Sent,
        place: i32,
        errors: Vec<Fault>,
        verdict: Option<Verdict>,
        charged: bool,
    ) {
        self.failed = self.failed.saturating_add(1);
        self.charge(charged);
        let told = self.head.url.is_some();
        self.rows.items.push(ItemRow {
            job: self.work.job,
            item: place,
            state: ItemState::Failed,
            customer: None,
            contact_id: None,
            verdict,
            charged,
            errors,
            told: told.then(|| sent.raw.clone().into()),
        });
    }

    fn charge(&mut self, charged: bool) {
        if charged {
            self.charged = self.charged.saturating_add(1);
            let credits = &mut self.overlay.numbers.sync.credits;
            *credits = credits.map(|credits| credits.saturating_sub(1));
        }
    }

    /// Keeps a contact that only a person can assign.
    fn keep(&mut self, sent: &'a Sent, place: i32, problem: Problem) {
        self.refused.push(Refused {
            number: Numbers::take(&mut self.overlay.numbers.rejection),
            line: u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX),
            raw: &sent.raw,
            problem,
            effective_date: self.day(),
            fingerprint: sent.print,
        });
    }

    /// The day of the job in the account's zone.
    fn day(&self) -> Day {
        let created = DateTime::from_timestamp_micros(self.head.created_at);
        dates::today(self.account.zone, created.unwrap_or_default())
    }

    fn finish(mut self, cursor: i32, lacks_verdict: bool) -> Decided<'a, Worked> {
        let whole = !lacks_verdict;
        let done = whole && self.work.finish;
        if cursor == self.work.first && !done {
            let outcome = Worked {
                cursor,
                finished: false,
                lacks_verdict,
                event: false,
            };
            return Decided {
                outcome,
                stored: None,
            };
        }
        if self.charged > 0 {
            self.rows.credit = Some(CreditRow {
                number: Numbers::take(&mut self.overlay.numbers.sync.credit),
                kind: CreditKind::Spent,
                amount: i64::from(self.charged).saturating_neg(),
                balance_after: self.overlay.numbers.sync.credits.unwrap_or(0),
                job: Some(self.work.job),
                note: None,
            });
        }
        let ended = self.work.part.filter(|(_, ends)| whole && *ends);
        self.rows.part_done = ended.map(|(first, _)| (self.work.job, first));
        let old = &self.found.claim.queued;
        let queued = Queued {
            cursor,
            valid: old.valid.saturating_add(self.valid),
            failed: old.failed.saturating_add(self.failed),
            charged: old.charged.saturating_add(self.charged),
            stuck: 0,
            claimed_until: self.found.claim.now_us.saturating_add(self.work.lease_us),
            ..old.clone()
        };
        let event = if done {
            self.end(queued)
        } else {
            self.rows.queue = Some(queued);
            false
        };
        let mut rows = self.rows;
        rows.people = self.people.into_changes();
        let rows = Rows {
            refused: self.refused,
            sync: Some(Box::new(rows)),
            ..Rows::default()
        };
        Decided {
            outcome: Worked {
                cursor,
                finished: done,
                lacks_verdict,
                event,
            },
            stored: Some((rows, self.overlay.into_changes())),
        }
    }
}
