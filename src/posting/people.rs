//! Posting what API 1.5 changes of customers, and reading them.
//!
//! Belongs here: these commands and reads. Does not belong here: many customers at once ([`super::import`],
//! [`super::lists`]).

use super::command::{Command, Done};
use super::{Poster, defect, reading};
use crate::amount::Amount;
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::change::Change;
use crate::loyalty::contacts::keys;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::customers::Name;
use crate::loyalty::customers::erase::{Erase, ErasePlan};
use crate::loyalty::customers::named;
use crate::loyalty::customers::replace::{New, Old, Replace};
use crate::loyalty::customers::{Customer, PeopleCommand, PeopleDone, PeopleFound, SavedAs};
use crate::loyalty::ledger::{Balance, BalanceKey};
use crate::loyalty::once::{Kept, Once};
use crate::store::dialect::people::find_person_keys;
use crate::store::erase;
pub use crate::store::search_texts::customers_with as customers;
use crate::store::{Db, Failure, dialect, history, journal, people};
use crate::text;
use std::sync::Arc;

/// What came of a command, or what is kept of an earlier request that this one repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It was done.
    Now(PeopleDone),
    /// It was done before.
    Before(Kept),
}

impl Poster {
    /// Posts a command about customers. When this returns what was done, it is on disk.
    pub async fn change_people(
        &self,
        command: PeopleCommand,
        once: Option<Once>,
    ) -> Result<Changed, Problem> {
        match self
            .submit(Command::People(Box::new(command)), once)
            .await?
        {
            Done::People(done) => Ok(Changed::Now(done)),
            Done::Repeated(kept) => Ok(Changed::Before(kept)),
            _ => Err(defect()),
        }
    }

    /// Forgets a customer. Most of what there is of it is found before the writer is asked.
    pub async fn erase(
        &self,
        caller: Caller,
        account: &Arc<Account>,
        code: &str,
        contact_id: String,
        once: Option<Once>,
    ) -> Result<Changed, Problem> {
        let copies = self.copies(account, code, contact_id).await?;
        let erase = Erase::new(caller, code, copies, account)?;
        self.change_people(PeopleCommand::Erase(erase), once).await
    }

    /// Gives a customer a new code or card number.
    pub async fn replace(
        &self,
        caller: Caller,
        account: &Arc<Account>,
        replacing: Replacing,
        once: Option<Once>,
    ) -> Result<Changed, Problem> {
        let Replacing {
            old,
            new,
            over,
            keep_duplicate,
            contact_id,
        } = replacing;
        let copies = match &new {
            New::Code(value) | New::Card(value) if over => {
                Some(self.copies(account, value, contact_id).await?)
            }
            _ => None,
        };
        let replace = Replace::new(caller, (old, new), (over, keep_duplicate), copies, account)?;
        let command = PeopleCommand::Replace(replace);
        self.change_people(command, once).await
    }

    /// What is to be forgotten of whoever has this code or card number, as far as it is there now.
    async fn copies(
        &self,
        account: &Arc<Account>,
        code: &str,
        contact_id: String,
    ) -> Result<ErasePlan, Problem> {
        let (readers, account) = (self.readers.clone(), Arc::clone(account));
        let code = code.to_owned();
        reading(move || {
            let db = &mut *readers.get()?;
            let plan = ErasePlan {
                contact_id,
                ..ErasePlan::default()
            };
            find_copies(db, account.number, account.country.as_deref(), &code, plan)
        })
        .await
    }

    /// The numbers of customers, at most two, who have the client's own id and all these values, compared without case.
    pub async fn matching(
        &self,
        account: i32,
        user_id: Option<String>,
        fields: Vec<(Name, String)>,
    ) -> Result<Vec<i64>, Problem> {
        let readers = self.readers.clone();
        reading(move || matching(&mut *readers.get()?, account, user_id.as_deref(), &fields)).await
    }

    /// The customer with this number, unless it was erased.
    pub async fn customer(&self, account: i32, number: i64) -> Result<Option<Customer>, Problem> {
        let readers = self.readers.clone();
        reading(move || {
            let found = customers(&mut *readers.get()?, account, &[number])?;
            Ok(found.into_iter().find(|customer| !customer.is_erased()))
        })
        .await
    }

    /// A customer by code or card number, with those of these balances, by campaign and item, that have a row, and what
    /// their entries come to.
    pub async fn customer_by(
        &self,
        account: i32,
        (code, card): (&str, &str),
        balances: Vec<(i32, i32)>,
    ) -> Result<(Customer, Vec<(Balance, Totals)>), Problem> {
        let readers = self.readers.clone();
        let (code, card) = (code.to_owned(), card.to_owned());
        reading(move || {
            let db = &mut *readers.get()?;
            let values = [&*code, &*card].into_iter();
            let values = values.filter(|value| !value.is_empty());
            let holders = journal::holders(db, account, values)?;
            let holder = |value: &str| holders.get(value).copied();
            let number = match named::find(&code, &card, holder) {
                Ok(number) => number,
                Err(problem) => return Ok(Err(problem)),
            };
            let found = customers(db, account, &[number])?.into_iter().next();
            let customer =
                found.ok_or_else(|| Failure::Data(format!("the customer {number} has no row")))?;
            if customer.is_erased() {
                // In between.
                let value = if code.is_empty() { &card } else { &code };
                return Ok(Err(Problem::new(Code::NoSuchCustomer).value(value)));
            }
            let keys = balances.into_iter().map(|(campaign, item)| BalanceKey {
                customer: number,
                campaign,
                item,
            });
            let loaded = journal::load_balances(db, vec![(account, keys.collect())])?;
            let mut told = Vec::new();
            for (key, balance) in loaded.into_iter().flat_map(|(_, balances)| balances) {
                told.push((balance, totals(db, account, key, balance)?));
            }
            Ok(Ok((customer, told)))
        })
        .await?
    }

    /// The customer with this `customer_username`, compared without case.
    pub async fn by_username(&self, account: i32, name: &str) -> Result<Option<Customer>, Problem> {
        let (readers, name) = (self.readers.clone(), text::fold(name.trim()));
        reading(move || {
            let db = &mut *readers.get()?;
            let key = (KeyKind::Username.stored(), name.as_str());
            let holders = find_person_keys(db, account, &[key])?;
            let numbers: Vec<i64> = holders.iter().map(|(_, _, customer)| *customer).collect();
            Ok(customers(db, account, &numbers)?.into_iter().next())
        })
        .await
    }
}

/// What `card_replace` asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replacing {
    /// Who gets it.
    pub old: Old,
    /// What.
    pub new: New,
    /// Whether it is taken from somebody who has no transactions.
    pub over: bool,
    /// Whether that customer's fields win.
    pub keep_duplicate: bool,
    /// The id that that customer's contact gets in place of its own.
    pub contact_id: String,
}

/// Customers of one look.
const CHUNK: i64 = 5_000;

fn matching(
    db: &mut Db,
    account: i32,
    user_id: Option<&str>,
    fields: &[(Name, String)],
) -> Result<Vec<i64>, Failure> {
    let fits = |customer: &Customer| {
        let contact = customer.person.contact.as_ref();
        let own = contact.and_then(|contact| contact.user_id.as_deref());
        let same_id = user_id.is_none() || own == user_id;
        let same = |(name, value): &(Name, String)| {
            let own = customer.get(*name);
            own.is_some_and(|own| text::fold(own) == text::fold(value))
        };
        !customer.is_erased() && same_id && fields.iter().all(same)
    };
    let by_name = |(name, value): &(Name, String)| match name {
        Name::Email => Some((KeyKind::Email, keys::email(value)?)),
        name => keys::of_name(*name, value),
    };
    let by_id = user_id.map(|id| (KeyKind::UserId, id.into()));
    if let Some((kind, value)) = by_id.or_else(|| fields.iter().find_map(by_name)) {
        let found = find_person_keys(db, account, &[(kind.stored(), &*value)])?;
        let numbers: Vec<i64> = found.into_iter().map(|(_, _, customer)| customer).collect();
        let found = customers(db, account, &numbers)?;
        let found = found.iter().filter(|customer| fits(customer));
        return Ok(found
            .map(|customer| customer.person.customer)
            .take(2)
            .collect());
    }
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let numbers = people::numbers_behind(db, account, after, CHUNK)?;
        let Some(last) = numbers.last() else {
            return Ok(found);
        };
        after = *last;
        let read = customers(db, account, &numbers)?;
        let fitting = read.iter().filter(|customer| fits(customer));
        found.extend(fitting.map(|customer| customer.person.customer));
        if found.len() > 1 {
            return Ok(found);
        }
    }
}

/// Finds what is to be forgotten of whoever has this code or card number, beyond what was found before.
fn find_copies(
    db: &mut Db,
    account: i32,
    country: Option<&str>,
    code: &str,
    plan: ErasePlan,
) -> Result<ErasePlan, Failure> {
    let holders = journal::holders(db, account, std::iter::once(code))?;
    let Some(holder) = holders.get(code).filter(|holder| !holder.replaced) else {
        return Ok(plan);
    };
    let plan = match plan.customer == holder.customer {
        true => plan,
        // It has changed hands since.
        false => ErasePlan {
            contact_id: plan.contact_id,
            ..ErasePlan::default()
        },
    };
    match customers(db, account, &[holder.customer])?
        .into_iter()
        .next()
    {
        Some(customer) => erase::find(db, account, country, &customer, plan),
        None => Ok(plan),
    }
}

/// What the entries of a balance come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Whose and of which campaign.
    pub key: BalanceKey,
    /// What was added, without what was taken back.
    pub cumulative: Amount,
    /// The earliest and the latest day of the entries that are listed.
    pub days: Option<(Day, Day)>,
}

/// Walks the entries of a balance.
fn totals(db: &mut Db, account: i32, key: BalanceKey, balance: Balance) -> Result<Totals, Failure> {
    let mut totals = Totals {
        key,
        cumulative: Amount::ZERO,
        days: None,
    };
    let mut next = Some(balance.last_entry);
    while let Some(from) = next {
        let (listed, behind) = history::read(db, account, from, history::STEPS)?;
        for entry in listed {
            // Entries may be dated back.
            let (first, last) = totals.days.unwrap_or((entry.date, entry.date));
            totals.days = Some((first.min(entry.date), last.max(entry.date)));
            if !entry.redeem {
                let sum = totals.cumulative.checked_add(entry.amount);
                totals.cumulative = sum.unwrap_or(totals.cumulative);
            }
        }
        next = behind;
    }
    Ok(totals)
}

/// Looks up what a command is about, under the account's head.
pub fn look_up(db: &mut Db, command: &mut PeopleCommand) -> Result<(), Failure> {
    match command {
        PeopleCommand::Save(save) => {
            let names: Vec<_> = save.names().collect();
            save.found = Some(find(db, save.account(), save.keys(), &names)?);
        }
        PeopleCommand::Replace(replace) => {
            let account = replace.account();
            let mut found = find(db, account, replace.keys(), &[])?;
            if let Old::Matching(number) = replace.old {
                let matching = customers(db, account, &[number])?;
                let matching = matching.into_iter().map(|one| (one.person.customer, one));
                found.customers.extend(matching);
            }
            let numbers: Vec<i64> = found.customers.keys().copied().collect();
            found.has_balances = journal::with_balances(db, account, &numbers)?;
            replace.found = Some(found);
            if let (Some(copies), Some(value)) = (replace.copies.take(), replace.new_value()) {
                let country = replace.country().map(str::to_owned);
                let value = value.to_owned();
                let copies = find_copies(db, account, country.as_deref(), &value, copies)?;
                replace.copies = Some(copies);
            }
        }
        PeopleCommand::Erase(erase) => {
            let (account, country) = (erase.account(), erase.country());
            let copies = erase.copies.clone();
            let found = find_copies(db, account, country, erase.code(), copies)?;
            erase.found = Some(found);
        }
        PeopleCommand::Import(_) => {}
    }
    Ok(())
}

/// The customers who hold these codes and cards, and whoever has these names.
fn find(
    db: &mut Db,
    account: i32,
    keys: Vec<&str>,
    names: &[(KeyKind, &str)],
) -> Result<PeopleFound, Failure> {
    let holders = journal::holders(db, account, keys.into_iter())?;
    let mut numbers: Vec<i64> = holders.values().map(|holder| holder.customer).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut found = PeopleFound {
        now_us: dialect::queue::now_us(db)?,
        ..PeopleFound::default()
    };
    if !numbers.is_empty() {
        let people = customers(db, account, &numbers)?;
        let people = people.into_iter().map(|one| (one.person.customer, one));
        found.customers = people.collect();
    }
    if !names.is_empty() {
        let asked: Vec<(i16, &str)> = names
            .iter()
            .map(|(kind, value)| (kind.stored(), *value))
            .collect();
        for (kind, value, customer) in find_person_keys(db, account, &asked)? {
            if let Some(kind) = KeyKind::from_stored(kind) {
                let held = found.names_held.entry((kind, value.into()));
                held.or_default().push(customer);
            }
        }
    }
    Ok(found)
}

/// What is kept of a command for a request that comes again. The guard remembers only what can happen once: a customer
/// who is changed, changed back and changed again was changed three times.
pub fn kept(once: &Once, done: &PeopleDone) -> Option<Kept> {
    let (customer, told) = match done {
        PeopleDone::Saved { customer, status } => (customer.person.customer, status.word()),
        PeopleDone::Replaced { customer } => (customer.person.customer, "replaced"),
        PeopleDone::Erased { customer } => (*customer, "deleted"),
        PeopleDone::Imported(outcome) => {
            let remembered = outcome.new_customers > 0 || !once.is_guarded();
            return remembered.then_some(Kept::Imported {
                people: outcome.batch,
                first_rejection: outcome.first_rejection,
                ignored: outcome.ignored,
            });
        }
    };
    let happens_once = matches!(
        done,
        PeopleDone::Saved {
            status: SavedAs::New | SavedAs::Registered,
            ..
        }
    );
    let remembered = happens_once || !once.is_guarded();
    remembered.then(|| Kept::Customer {
        customer,
        told: told.to_owned(),
    })
}
