//! Customers with their codes, cards and opening balances, in chunks of their own transactions.
//!
//! A chunk is planned as a whole before its first row is written: a contradiction leaves nothing of it behind.

use super::same::{Stored, changed};
use super::{Stop, commit, transact};
use crate::amount::Amount;
use crate::dates::{self, Day};
use crate::loyalty::account as rules;
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::person::Columns;
use crate::loyalty::ledger::{BalanceKey, Entry, EntryKind, Holders, Ledger, Numbers, SyncNumbers};
use crate::secrets;
use crate::store::dialect::{self, Writes};
use crate::store::heads::{self, Head};
use crate::store::journal::{self, CustomerRow};
use crate::store::schema::{customer_keys, customers};
use crate::store::{Db, Failure, accounts, person_keys, search_texts};
use crate::text::shown;
use crate::world::{Account, Customer};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// Customers of one transaction.
const CHUNK: usize = 5_000;

/// The rest between two chunks. SQLite has no queue of writers: those that wait look in from time to time, at most
/// 100 ms apart, and would find one chunk after the other.
const REST: Duration = Duration::from_millis(30);
/// The rest once it has shown that others write to the account.
const LONG_REST: Duration = Duration::from_millis(120);

/// What was done to the customers of one account.
#[derive(Default)]
pub(super) struct Tally {
    created: usize,
    changed: usize,
    unchanged: usize,
    openings: usize,
    /// Customers whose card in the file has been replaced.
    replaced: usize,
    /// The numbers seen, with their lines in the file.
    seen: HashMap<i64, usize>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.created = self.created.saturating_add(other.created);
        self.changed = self.changed.saturating_add(other.changed);
        self.unchanged = self.unchanged.saturating_add(other.unchanged);
        self.openings = self.openings.saturating_add(other.openings);
        self.replaced = self.replaced.saturating_add(other.replaced);
        self.seen.extend(other.seen);
    }

    /// The lines of the report; none if nothing changed.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.created > 0 || self.changed > 0 {
            lines.push(format!(
                "  customers: {} created, {} changed, {} unchanged",
                self.created, self.changed, self.unchanged
            ));
        }
        if self.openings > 0 {
            lines.push(format!("  opening balances: {} posted", self.openings));
        }
        lines
    }
}

/// Writes all customers of the file. An error comes with what was committed before it.
pub(super) fn write_all(
    db: &mut Db,
    account: i32,
    wanted: &Account,
) -> Result<Tally, (Tally, Stop)> {
    let greatest = wanted
        .customers
        .iter()
        .filter_map(|customer| customer.id)
        .max();
    let mut tally = Tally::default();
    // What the next commit's number is if nobody else writes.
    let mut expected = None;
    let mut rest = Duration::ZERO;
    for chunk in wanted.customers.chunks(CHUNK) {
        std::thread::sleep(rest);
        let work = |db: &mut Db, now| {
            let head = heads::take(db, &[account])?.pop();
            let head = head.ok_or_else(|| Failure::Data("the account has no head".to_owned()))?;
            let rules = accounts::load(db, account)?;
            let rules = rules.ok_or_else(|| Failure::Data("the account is gone".to_owned()))?;
            let chunk = Chunk {
                wanted,
                rules,
                list: chunk,
                seen: &tally.seen,
                now,
            };
            let nth = head.next_commit;
            Ok((chunk.write(db, head, greatest.unwrap_or(0))?, nth))
        };
        let (done, nth) = match transact(db, work) {
            Ok(done) => done,
            Err(stop) => return Err((tally, stop)),
        };
        rest = match expected {
            _ if done.created == 0 && done.changed == 0 => Duration::ZERO,
            Some(expected) if expected != nth => LONG_REST,
            _ => REST,
        };
        expected = (!rest.is_zero()).then(|| nth.saturating_add(1));
        tally.add(done);
    }
    Ok(tally)
}

/// What is stored but not in the file.
pub(super) fn kept(db: &mut Db, account: i32, tally: &Tally) -> Result<Vec<String>, Stop> {
    // Of whoever was erased only the number is stored.
    let there = customers::code
        .is_not_null()
        .or(customers::card_number.is_not_null());
    let stored: i64 = customers::table
        .filter(customers::account_id.eq(account))
        .filter(there)
        .count()
        .get_result(db)?;
    let seen = i64::try_from(tally.seen.len()).unwrap_or(i64::MAX);
    let mut kept = Vec::new();
    let mut say = |count: i64, one: &str, many: &str| {
        if count > 0 {
            kept.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    say(stored.saturating_sub(seen), "customer", "customers");
    let replaced = i64::try_from(tally.replaced).unwrap_or(i64::MAX);
    say(replaced, "replacement of a card", "replacements of cards");
    Ok(kept)
}

/// Some customers of the file, to be written in one transaction.
pub(super) struct Chunk<'w> {
    wanted: &'w Account,
    /// The account as it is stored now.
    rules: rules::Account,
    list: &'w [Customer],
    /// Customers that were met in the chunks before, with their lines.
    seen: &'w HashMap<i64, usize>,
    now: DateTime<Utc>,
}

/// A change of a stored customer.
struct Change {
    old: Stored,
    new: Stored,
}

/// What a chunk comes to.
struct Plan<'w> {
    new: Vec<(i64, &'w Customer, Option<String>)>,
    changes: Vec<Change>,
    done: Tally,
}

impl<'w> Chunk<'w> {
    fn write(&self, db: &mut Db, mut head: Head, greatest: i64) -> Result<Tally, Stop> {
        let keys = self
            .list
            .iter()
            .flat_map(|customer| [&customer.code, &customer.card_number]);
        let keys = keys.flatten().map(String::as_str);
        let holders = journal::holders(db, head.account_id, keys)?;
        let stored = self.load(db, &holders)?;
        let mut next = head.next_customer.max(greatest.saturating_add(1));
        let plan = self.plan(&holders, &stored, &mut next)?;
        if plan.new.is_empty() && plan.changes.is_empty() {
            dialect::rollback(db)?;
            return Ok(plan.done);
        }
        let mut done = plan.done;
        let mut keys_moved = false;
        for change in &plan.changes {
            keys_moved |= self.change(db, change, &holders)?;
        }
        let changed: Vec<i64> = plan
            .changes
            .iter()
            .map(|change| change.new.number)
            .collect();
        search_texts::renew(db, head.account_id, &changed)?;
        if !plan.new.is_empty() {
            done.openings = self.create(db, &mut head, &plan.new)?;
            // Whoever looked up codes before notices new customers by the next number, else by the version.
            keys_moved |= next == head.next_customer;
            head.next_customer = next;
        }
        if keys_moved {
            head.keys_version = head.keys_version.saturating_add(1);
        }
        commit(db, &mut head, self.now)?;
        Ok(done)
    }

    /// The stored customers that hold one of the codes or cards, or have one of the numbers.
    fn load(&self, db: &mut Db, holders: &Holders) -> Result<HashMap<i64, Stored>, Stop> {
        let mut numbers: Vec<i64> = holders.values().map(|holder| holder.customer).collect();
        numbers.extend(self.list.iter().filter_map(|customer| customer.id));
        numbers.sort_unstable();
        numbers.dedup();
        let mut stored = HashMap::with_capacity(numbers.len());
        for some in numbers.chunks(CHUNK) {
            let rows: Vec<Stored> = customers::table
                .filter(customers::account_id.eq(self.rules.number))
                .filter(customers::number.eq_any(some))
                .select(Stored::as_select())
                .load(db)?;
            stored.extend(rows.into_iter().map(|row| (row.number, row)));
        }
        Ok(stored)
    }

    pub(super) fn refuse<T>(
        &self,
        customer: &Customer,
        text: impl std::fmt::Display,
    ) -> Result<T, Stop> {
        Err(Stop::Refused(format!(
            "line {}, customer {} of account {}: {text}",
            customer.line,
            customer.name(),
            shown(&self.wanted.id)
        )))
    }

    fn plan(
        &self,
        holders: &Holders,
        stored: &HashMap<i64, Stored>,
        next: &mut i64,
    ) -> Result<Plan<'w>, Stop> {
        let mut plan = Plan {
            new: Vec::new(),
            changes: Vec::new(),
            done: Tally::default(),
        };
        for customer in self.list {
            let number = match self.find(customer, holders, stored)? {
                Some(old) => {
                    let number = old.number;
                    let (new, replaced) = changed(customer, old, holders);
                    plan.done.replaced = plan.done.replaced.saturating_add(usize::from(replaced));
                    if new == *old {
                        plan.done.unchanged = plan.done.unchanged.saturating_add(1);
                    } else {
                        plan.done.changed = plan.done.changed.saturating_add(1);
                        let old = old.clone();
                        plan.changes.push(Change { old, new });
                    }
                    number
                }
                None => {
                    let number = customer.id.unwrap_or_else(|| Numbers::take(next));
                    let code = match (&customer.code, &customer.card_number) {
                        (None, None) => Some(random_code()?),
                        _ => None,
                    };
                    plan.done.created = plan.done.created.saturating_add(1);
                    plan.new.push((number, customer, code));
                    number
                }
            };
            let met = self
                .seen
                .get(&number)
                .or_else(|| plan.done.seen.get(&number));
            if let Some(line) = met {
                return self.refuse(
                    customer,
                    format_args!(
                        "it is the same as the one of line {line}, customer {number} in the database. Make one of \
                         the two"
                    ),
                );
            }
            plan.done.seen.insert(number, customer.line);
        }
        Ok(plan)
    }

    /// Writes a change and moves the keys; tells whether any moved.
    fn change(&self, db: &mut Db, change: &Change, holders: &Holders) -> Result<bool, Stop> {
        let Change { old, new } = change;
        diesel::update(old).set(new).execute(db)?;
        let (before, after) = (old.keys(), new.keys());
        let row = |value: &str| customer_keys::table.find((old.account_id, value.to_owned()));
        for gone in before.difference(&after) {
            if old.card_number.as_deref() == Some(*gone) {
                // A replaced card stays, so that it can be answered with its own message.
                let replaced = diesel::update(row(gone)).set(customer_keys::replaced.eq(true));
                replaced.execute(db)?;
            } else {
                diesel::delete(row(gone)).execute(db)?;
            }
        }
        for come in after.difference(&before) {
            if !holders.contains_key(*come) {
                diesel::insert_into(customer_keys::table)
                    .values((
                        customer_keys::account_id.eq(old.account_id),
                        customer_keys::value.eq(*come),
                        customer_keys::customer.eq(old.number),
                        customer_keys::replaced.eq(false),
                    ))
                    .execute(db)?;
            }
        }
        let moved = before != after;
        self.find_by(db, old, new)?;
        Ok(moved)
    }

    /// Moves the keys by which a person is found.
    fn find_by(&self, db: &mut Db, old: &Stored, new: &Stored) -> Result<(), Stop> {
        let of = |stored: &Stored| {
            let Stored {
                email,
                phone,
                cellphone,
                document,
                ..
            } = stored;
            [email, phone, cellphone, document].map(Clone::clone)
        };
        if of(old) == of(new) {
            return Ok(());
        }
        let row = customers::table.find((old.account_id, old.number));
        let country: Option<String> = row.select(customers::country).first(db)?;
        let keys = |stored: &Stored| -> person_keys::Keys {
            let keys = keys::of_person(
                &stored.columns(country.as_deref()),
                None,
                self.rules.country.as_deref(),
            );
            let keys = keys.into_iter();
            keys.map(|(kind, value)| (kind, value, stored.number))
                .collect()
        };
        Ok(person_keys::replace(
            db,
            old.account_id,
            &keys(old),
            &keys(new),
        )?)
    }

    /// Writes new customers and posts their opening balances; tells how many.
    fn create(
        &self,
        db: &mut Db,
        head: &mut Head,
        new: &[(i64, &Customer, Option<String>)],
    ) -> Result<usize, Stop> {
        let now_us = dates::micros(self.now);
        let mut rows: Vec<CustomerRow<'_>> = new
            .iter()
            .map(|(number, customer, code)| CustomerRow {
                account_id: head.account_id,
                number: *number,
                code: customer
                    .code
                    .as_deref()
                    .or(customer.card_number.as_deref())
                    .or(code.as_deref()),
                card_number: customer.card_number.as_deref(),
                first_name: customer.first_name.as_deref(),
                last_name: customer.last_name.as_deref(),
                email: customer.email.as_deref(),
                phone: customer.phone.as_deref(),
                cellphone: customer.cellphone.as_deref(),
                document: customer.document.as_deref(),
                created_at: customer.created_us.unwrap_or(now_us),
            })
            .collect();
        rows.sort_unstable_by_key(|row| row.number);
        let mut writes = Writes::new(db);
        journal::save_customers(&mut writes, &rows)?;
        let mut found_by = person_keys::Keys::new();
        for row in &rows {
            let short = |text: Option<&str>| text.map(Box::from);
            let columns = Columns {
                email: short(row.email),
                phone: short(row.phone),
                cellphone: short(row.cellphone),
                document: short(row.document),
                ..Columns::default()
            };
            let keys = keys::of_person(&columns, None, self.rules.country.as_deref());
            found_by.extend(
                keys.into_iter()
                    .map(|(kind, value)| (kind, value, row.number)),
            );
        }
        person_keys::insert(&mut writes, head.account_id, person_keys::each(&found_by))?;

        let mut ledger = Ledger::new(
            Numbers {
                entry: head.next_entry,
                batch: head.next_batch,
                customer: head.next_customer,
                rejection: head.next_rejection,
                sale: head.next_sale,
                sync: SyncNumbers::default(),
            },
            Vec::new(),
        );
        let mut overlay = ledger.overlay();
        let mut entries = Vec::new();
        for (number, customer, _) in new {
            let date = self.day(customer);
            for opening in &customer.openings {
                let (campaign, item) = self.target(customer, opening.campaign, opening.item)?;
                let key = BalanceKey {
                    customer: *number,
                    campaign: campaign.number,
                    item,
                };
                let Ok(link) = overlay.post(campaign, key, opening.amount) else {
                    return self.refuse(customer, "an opening balance is out of range. Lower it");
                };
                entries.push(entry(key, opening.amount, &opening.given, link, date));
            }
        }
        let changes = overlay.into_changes();
        ledger.accept(changes);
        journal::save_entries(&mut writes, head.account_id, entries.iter(), now_us)?;
        let dates = journal::date_rows(head.account_id, entries.iter());
        dialect::save_dates(&mut writes, &dates)?;
        journal::save_balances(&mut writes, head.account_id, &ledger.changed())?;
        writes.flush()?;
        head.next_entry = ledger.numbers.entry;
        Ok(entries.len())
    }

    /// The day an opening balance counts for: that on which the customer was created, in the account's zone.
    fn day(&self, customer: &Customer) -> Day {
        let created = customer.created_us.and_then(dates::from_micros);
        dates::today(self.rules.zone, created.unwrap_or(self.now))
    }

    /// The stored campaign, and the number of its item or 0, for their places in the file.
    fn target(
        &self,
        customer: &Customer,
        campaign: usize,
        item: Option<usize>,
    ) -> Result<(&rules::Campaign, i32), Stop> {
        let wanted = self.wanted.campaigns.get(campaign);
        let stored = wanted
            .and_then(|wanted| self.rules.find_campaign(&wanted.id))
            .and_then(|place| self.rules.campaign(place));
        let number = match item {
            None => Some(0),
            Some(place) => {
                let item = wanted.and_then(|wanted| wanted.items.get(place));
                let same = |id: &str| stored?.items.iter().find(|item| item.id == id);
                item.and_then(|item| same(&item.id)).map(|item| item.number)
            }
        };
        match (stored, number) {
            (Some(stored), Some(number)) => Ok((stored, number)),
            _ => self.refuse(
                customer,
                "a campaign of its balances was removed meanwhile. Apply the file again",
            ),
        }
    }
}

fn entry<'a>(
    key: BalanceKey,
    amount: Amount,
    given: &'a str,
    link: crate::loyalty::ledger::Link,
    date: Day,
) -> Entry<'a> {
    Entry {
        given: given.into(),
        ..Entry::bare(EntryKind::Opening, key, amount, link, date)
    }
}

/// 16 random digits, the code of a customer that came without.
fn random_code() -> Result<String, Stop> {
    let bytes = secrets::random_bytes::<8>().map_err(|error| Stop::Refused(error.to_string()))?;
    let number = u64::from_be_bytes(bytes) % 10_000_000_000_000_000;
    Ok(format!("{number:016}"))
}
