//! What posting is asked to do, and what comes of it: the one list of everything that writes to the journal.
//!
//! Belongs here: which rules and look-ups each kind of request has. Does not belong here: the rules themselves
//! ([`crate::loyalty`]), the order of the steps ([`super::group`]).

use super::people;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{self, Batch, Source};
use crate::loyalty::change::Change;
use crate::loyalty::config::{ConfigCommand, ConfigDone};
use crate::loyalty::customers::{PeopleCommand, PeopleDone};
use crate::loyalty::fingerprint;
use crate::loyalty::ledger::{BalanceKey, Ledger};
use crate::loyalty::once::{Kept, KeptBatch, Once};
use crate::loyalty::outcome::Outcome;
use crate::loyalty::reverse::Delete;
use crate::loyalty::rows::{Decided, Rows};
use crate::loyalty::sales::{self, SaleOutcome, Sales};
use crate::loyalty::single::{Receipt, Single};
use crate::loyalty::sync::claim::Found as FoundJob;
use crate::loyalty::sync::event::{EventCommand, EventFound};
use crate::loyalty::sync::work::{Work, WorkFound};
use crate::loyalty::sync::{SyncCommand, SyncDone};
use crate::loyalty::undo::{self, Ended, Undo, Undone};
use crate::store::{
    Db, Result, batches, config, dialect, history, outbox, people as stored_people, purchases,
    rejections, sync_items, sync_jobs, sync_queue,
};

/// What is to be posted.
#[derive(Debug)]
pub enum Command {
    /// A batch of transactions.
    Batch(Batch),
    /// The opposite of a batch.
    Undo(Undo),
    /// What `sync_data` writes.
    Sync(Box<SyncCommand>),
    /// Sales of a brand.
    Sales(Sales),
    /// One transaction.
    Single(Box<Single>),
    /// The opposite of one transaction.
    Delete(Box<Delete>),
    /// Customers, as API 1.5 changes them.
    People(Box<PeopleCommand>),
    /// What users change of the configuration.
    Config(Box<ConfigCommand>),
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// A batch was posted.
    Batch(Outcome),
    /// A batch was undone.
    Undo(Undone),
    /// What `sync_data` wrote.
    Sync(Box<SyncDone>),
    /// What became of each sale.
    Sales(Vec<SaleOutcome>),
    /// A transaction was posted.
    Single(Box<Receipt>),
    /// The transaction with this number was taken back.
    Deleted(i64),
    /// What became of customers.
    People(PeopleDone),
    /// What became of the configuration.
    Config(ConfigDone),
    /// Nothing: the request was posted before, and this is what was kept of it.
    Repeated(Kept),
}

impl Done {
    /// What is told of when it was recorded, now that this is known.
    pub fn recorded(mut self, now_us: i64) -> Done {
        if let Done::Single(receipt) = &mut self {
            receipt.recorded_at = now_us;
        }
        self
    }
}

/// The subject of what is decided on entries or users as they were found.
const FOUND: i64 = i64::MIN;

/// Any of several iterators.
type Each<'c, T> = Box<dyn Iterator<Item = T> + 'c>;

impl Command {
    /// The account's number.
    pub fn account(&self) -> i32 {
        match self {
            Command::Batch(batch) => batch.source.account(),
            Command::Undo(undo) => undo.account,
            Command::Sync(sync) => sync.account(),
            Command::Sales(sales) => sales.account,
            Command::Single(single) => single.account(),
            Command::Delete(delete) => delete.account(),
            Command::People(people) => people.account(),
            Command::Config(config) => config.account(),
        }
    }

    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.bytes(),
            Command::Undo(_) => size_of::<Undo>(),
            Command::Sync(sync) => sync.bytes(),
            Command::Sales(sales) => sales.bytes(),
            Command::Single(single) => single.bytes(),
            Command::Delete(delete) => delete.bytes(),
            Command::People(people) => people.bytes(),
            Command::Config(config) => config.bytes(),
        }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.lines.list.len(),
            Command::People(people) => people.lines(),
            Command::Undo(_) | Command::Single(_) | Command::Delete(_) | Command::Config(_) => 1,
            Command::Sync(sync) => sync.lines(),
            Command::Sales(sales) => sales.items.len(),
        }
    }

    /// Whether it is written alone when it has many lines. What `sync_data` writes is cut into parts already, and no
    /// request has many sales.
    pub fn may_be_large(&self) -> bool {
        match self {
            Command::Batch(_) | Command::Undo(_) => true,
            Command::People(people) => matches!(**people, PeopleCommand::Import(_)),
            _ => false,
        }
    }

    /// Whether it is written alone however little it writes.
    pub fn is_alone(&self) -> bool {
        matches!(self, Command::People(people) if people.is_alone())
    }

    /// What no two requests of a group may be about, because each is decided on it as it was found: the account, and its
    /// jobs and its customers, one of its webhooks, or its entries and its configuration.
    pub fn subject(&self) -> Option<(i32, Option<i64>)> {
        let sync = match self {
            Command::Sync(sync) => sync,
            // Jobs of `sync_data` change customers too.
            Command::People(_) => return Some((self.account(), None)),
            Command::Undo(_) | Command::Delete(_) | Command::Config(_) => {
                return Some((self.account(), Some(FOUND)));
            }
            _ => return None,
        };
        match &**sync {
            SyncCommand::Claim(_) | SyncCommand::Work(_) => Some((sync.account(), None)),
            SyncCommand::Event(event) => Some((sync.account(), Some(event.number()))),
            SyncCommand::Accept(_) | SyncCommand::Credit(_) => None,
        }
    }

    /// Whether it needs what `sync_data` counts.
    pub fn counts_sync(&self) -> bool {
        matches!(self, Command::Sync(sync) if sync.counts())
    }

    /// Authenticates it under the account's present configuration, and plans it again if that has moved.
    pub fn plan(&mut self, account: &Account) -> std::result::Result<(), Problem> {
        match self {
            Command::Batch(batch) => batch.plan(account),
            Command::Sync(sync) => sync.plan(account),
            Command::Sales(sales) => sales.plan(account),
            Command::Single(single) => single.plan(account),
            Command::Delete(delete) => delete.plan(account),
            Command::People(people) => people.plan(account),
            Command::Config(config) => config.plan(account),
            Command::Undo(_) => Ok(()),
        }
    }

    /// The version of the configuration that it was planned for.
    pub fn planned_for(&self) -> i64 {
        match self {
            Command::Batch(batch) => batch.planned_for(),
            Command::Undo(_) => 0,
            Command::Sync(sync) => sync.planned_for(),
            Command::Sales(sales) => sales.planned_for,
            Command::Single(single) => single.planned_for(),
            Command::Delete(delete) => delete.planned_for(),
            Command::People(people) => people.planned_for(),
            Command::Config(config) => config.planned_for(),
        }
    }

    /// Looks up what it is about, under the account's head; or tells why it cannot be.
    pub fn look_up(&mut self, db: &mut Db) -> Result<std::result::Result<(), Problem>> {
        match self {
            Command::Sync(sync) => return look_up_sync(db, sync),
            Command::Undo(undo) => {
                undo.found = batches::to_undo(db, undo.account, undo.batch)?;
            }
            Command::Config(config) => look_up_config(db, config)?,
            Command::Delete(delete) => {
                delete.found = match delete.entry() {
                    Some(entry) => history::to_delete(db, delete.account(), entry)?,
                    None => None,
                };
                if let Some(found) = &mut delete.found {
                    let owed = delete.owed.iter().copied();
                    found.owed = !dialect::find_open(db, delete.caller.account, owed)?.is_empty();
                }
            }
            Command::People(people) => people::look_up(db, people)?,
            Command::Single(_) => {}
            Command::Batch(_) | Command::Sales(_) => {
                if let Some(rejection) = self.closes() {
                    let state = rejections::state(db, self.account(), rejection)?;
                    let state = state.as_deref().unwrap_or("known");
                    if state != "open" {
                        return Ok(Err(Problem::new(Code::NotOpen)
                            .value(&rejection.to_string())
                            .detail(state)));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Looks up the customers whose codes it names, now that it is known who holds them.
    pub fn look_up_customers(
        &mut self,
        db: &mut Db,
        account: &Account,
        ledger: &Ledger,
    ) -> Result<()> {
        if let Command::People(people) = self
            && let PeopleCommand::Import(import) = &mut **people
        {
            import.found = Some(super::import::find(db, import, (account, ledger))?);
        }
        Ok(())
    }

    /// Whether it may be refused because too many faults are open: what closes one is not.
    pub fn may_add_faults(&self) -> bool {
        match self {
            Command::Batch(_) | Command::Sales(_) => self.closes().is_none(),
            Command::People(people) => matches!(**people, PeopleCommand::Import(_)),
            _ => false,
        }
    }

    /// The codes and card numbers that it names; repeated ones are repeated.
    pub fn keys(&self) -> Each<'_, &str> {
        match self {
            Command::Batch(batch) => Box::new(batch.keys()),
            Command::Single(single) => Box::new(single.keys().into_iter()),
            Command::Delete(delete) => Box::new(delete.keys().into_iter()),
            Command::People(people) => Box::new(people.keys().into_iter()),
            Command::Undo(_) | Command::Sync(_) | Command::Sales(_) | Command::Config(_) => {
                Box::new(std::iter::empty())
            }
        }
    }

    /// The sales in it.
    pub fn sales(&self) -> Option<&Sales> {
        match self {
            Command::Sales(sales) => Some(sales),
            _ => None,
        }
    }

    /// The balances that it touches, as far as their customers are known; repeated ones are repeated.
    pub fn balances<'c>(
        &'c self,
        account: &'c Account,
        ledger: &'c Ledger,
    ) -> Each<'c, BalanceKey> {
        match self {
            Command::Batch(batch) => Box::new(batch.balances(account, ledger)),
            Command::Undo(undo) => Box::new(undo.balances()),
            Command::Sales(sales) => Box::new(sales.balances(account, ledger).into_iter()),
            Command::Single(single) => Box::new(single.balances(account, ledger).into_iter()),
            Command::Delete(delete) => Box::new(delete.balances(account, ledger).into_iter()),
            Command::People(people) => Box::new(people.balances(account, ledger).into_iter()),
            Command::Sync(_) | Command::Config(_) => Box::new(std::iter::empty()),
        }
    }

    /// Decides it.
    pub fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> std::result::Result<Decided<'c, Done>, Problem> {
        Ok(match self {
            Command::Batch(batch) => done(batch::decide(account, batch, ledger), Done::Batch),
            Command::Undo(undo) => done(undo::decide(account, undo, ledger)?, Done::Undo),
            Command::Sync(sync) => done(sync.decide(account, ledger)?, |out| {
                Done::Sync(Box::new(out))
            }),
            Command::Sales(sales) => {
                done(sales::decide::decide(account, sales, ledger)?, Done::Sales)
            }
            Command::Single(single) => done(single.decide(account, ledger)?, |receipt| {
                Done::Single(Box::new(receipt))
            }),
            Command::Delete(delete) => done(delete.decide(account, ledger)?, Done::Deleted),
            Command::People(people) => done(people.decide(account, ledger)?, Done::People),
            Command::Config(config) => done(config.decide(account, ledger)?, Done::Config),
        })
    }

    /// Fingerprints of what has come, taken or refused again, each with the rejection below which it closes open faults
    /// that have the same. `next` is the next rejection's number. The replay of a line closes the one that it is about,
    /// and no other.
    pub fn supersedes(&self, rows: &Rows<'_>, next: i64) -> Vec<([u8; 32], i64)> {
        match self {
            Command::Batch(batch) => match &rows.batch {
                Some(row) if matches!(batch.source, Source::Caller(_)) => {
                    let prints = fingerprint::of_lines(&batch.lines);
                    prints
                        .map(|(_, print)| (print, row.first_rejection))
                        .collect()
                }
                _ => Vec::new(),
            },
            Command::People(people) => match (&**people, &rows.batch) {
                (PeopleCommand::Import(import), Some(row)) => {
                    let prints = import.fingerprints();
                    prints.map(|print| (print, row.first_rejection)).collect()
                }
                _ => Vec::new(),
            },
            Command::Delete(delete) => {
                let owed = delete.owed.iter();
                owed.map(|print| (*print, i64::MAX)).collect()
            }
            Command::Sync(sync) => {
                let SyncCommand::Work(work) = &**sync else {
                    return Vec::new();
                };
                let done = rows.sync.as_ref().map_or(0, |rows| rows.items.len());
                let first = rows.refused.first().map_or(next, |first| first.number);
                let items = work.items.iter().take(done);
                items.map(|item| (item.sent.print, first)).collect()
            }
            Command::Sales(_) => rows
                .sales
                .as_ref()
                .map_or_else(Vec::new, |rows| rows.prints.clone()),
            _ => Vec::new(),
        }
    }

    /// Whether something in it may close what it has opened itself.
    pub fn may_supersede_itself(&self) -> bool {
        matches!(self, Command::Sales(sales) if sales.items.len() > 1)
    }

    /// The rejection that it closes when it is stored.
    pub fn closes(&self) -> Option<i64> {
        match self {
            Command::Batch(batch) => batch.source.rejection(),
            Command::Sales(sales) => sales.assigns(),
            _ => None,
        }
    }

    /// The batch of which nothing is left when these rows are stored. While something is, it must not be sent again: that
    /// would give those who were left out the same twice.
    pub fn ends(&self, rows: &Rows<'_>) -> Option<Ended> {
        match self {
            Command::Undo(undo) => {
                let found = undo.found.as_ref()?;
                let whole = rows.entries.len() >= found.open.len() && !found.lives_on;
                whole.then(|| Ended {
                    batch: undo.batch,
                    user_id: found.user_id.clone(),
                    replays: found.replays,
                })
            }
            Command::Delete(delete) => delete.ends().cloned(),
            _ => None,
        }
    }

    /// Whether its reply tells what the customer is called.
    pub fn tells_names(&self) -> bool {
        matches!(self, Command::Single(_))
    }

    /// The entry that it takes back when it is stored, and the user who posted it by itself.
    pub fn takes_back(&self) -> Option<(i64, i32)> {
        match self {
            Command::Delete(delete) => delete.takes_back(),
            _ => None,
        }
    }

    /// What is kept of it for a request that comes again. The guard remembers only what brought an entry or a sale: a
    /// client that sends refused lines again after the cause is mended must not be told the old refusal.
    pub fn kept(once: &Once, rows: &Rows<'_>, done: &Done) -> Option<Kept> {
        if let Done::Sales(sales) = done {
            let remembered = !once.is_guarded() || sales.iter().any(SaleOutcome::is_stored);
            return remembered.then(|| Kept::Sales {
                sales: sales.clone(),
            });
        }
        if let Done::Single(receipt) = done {
            return Some(Kept::Entry {
                entry: receipt.entry,
                customer: receipt.customer,
            });
        }
        if let Done::Config(done) = done {
            // What is set is set anew when it is sent anew: the guard does not remember it.
            return kept_config(done).filter(|_| !once.is_guarded());
        }
        if let Done::Deleted(entry) = done {
            return Some(Kept::Word {
                word: entry.to_string(),
            });
        }
        if let Done::People(done) = done {
            return people::kept(once, done);
        }
        if let Some(job) = rows.sync.as_ref().and_then(|sync| sync.job.as_ref()) {
            return Some(Kept::Job {
                job: job.head.number,
            });
        }
        let batch = rows.batch.as_ref()?;
        let remembered = !once.is_guarded() || !rows.entries.is_empty();
        remembered.then_some(Kept::Batch(KeptBatch {
            batch: batch.number,
            first_rejection: batch.first_rejection,
        }))
    }
}

/// Looks up what a change of the configuration is about, beyond the account itself.
fn look_up_config(db: &mut Db, command: &mut ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::User(user) => {
            user.elsewhere = config::is_elsewhere(db, user.caller.account, &user.name)?;
        }
        ConfigCommand::Fields(fields) => {
            let numbers = fields.to_be_unique();
            fields.shared = config::shared_values(db, fields.caller.account, &numbers)?;
        }
        ConfigCommand::Visible(_) | ConfigCommand::Login(_) | ConfigCommand::Touch(_) => {}
    }
    Ok(())
}

fn kept_config(done: &ConfigDone) -> Option<Kept> {
    match done {
        ConfigDone::User { user, word } => Some(Kept::User {
            user: *user,
            told: (*word).to_owned(),
        }),
        ConfigDone::Visible { changed, of } => Some(Kept::Word {
            word: format!("{changed}/{of}"),
        }),
        ConfigDone::Fields => Some(Kept::Word {
            word: "fields".to_owned(),
        }),
        ConfigDone::Login | ConfigDone::Touched => None,
    }
}

/// Looks up what a command of `sync_data` is about.
fn look_up_sync(db: &mut Db, sync: &mut SyncCommand) -> Result<std::result::Result<(), Problem>> {
    match sync {
        SyncCommand::Accept(job) => {
            job.found = match job.lacks_knowledge() {
                true => Some(sync_jobs::known(db, job)?),
                false => None,
            };
        }
        SyncCommand::Claim(claim) => {
            claim.found = sync_queue::find(db, claim.account, claim.job)?;
        }
        SyncCommand::Work(work) => {
            work.found = None;
            let found = sync_queue::find(db, work.account, work.job)?;
            let mine = |claim: &FoundJob| claim.queued.token.as_ref() == Some(&work.token);
            let Some(claim) = found.filter(mine) else {
                return Ok(Err(
                    Problem::new(Code::ClaimLost).value(&work.job.to_string())
                ));
            };
            work.found = Some(find_for_work(db, work, claim)?);
        }
        SyncCommand::Event(event) => {
            let (account, number) = (event.account(), event.number());
            let with_job = matches!(event, EventCommand::Claim(_));
            event.set_found(match outbox::find(db, account, number)? {
                Some((event, due)) => Some(EventFound {
                    job: match with_job {
                        true => sync_jobs::find(db, account, event.job)?,
                        false => None,
                    },
                    event,
                    due,
                    now_us: dialect::queue::now_us(db)?,
                }),
                None => None,
            });
        }
        SyncCommand::Credit(_) => {}
    }
    Ok(Ok(()))
}

fn find_for_work(db: &mut Db, work: &Work, claim: FoundJob) -> Result<WorkFound> {
    let keys: Vec<_> = work.keys().collect();
    let people = stored_people::load(db, work.account, &keys)?;
    let code = match &work.purchase {
        Some(Ok(purchase)) => Some(&purchase.code),
        _ => None,
    };
    let purchase = match code {
        Some(code) => purchases::load(db, work.account, code)?,
        None => None,
    };
    let linked = match code {
        Some(_) => sync_items::customers(db, work.account, work.job)?,
        None => Vec::new(),
    };
    let left = match work.gives_up(&claim) {
        Some(_) if !work.untold => sync_jobs::parts(db, work.account, work.job)?,
        _ => Vec::new(),
    };
    Ok(WorkFound {
        claim,
        people,
        purchase,
        linked,
        left,
    })
}

fn done<O>(decided: Decided<'_, O>, of: impl Fn(O) -> Done) -> Decided<'_, Done> {
    Decided {
        outcome: of(decided.outcome),
        stored: decided.stored,
    }
}
