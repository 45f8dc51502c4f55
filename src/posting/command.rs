//! What posting is asked to do, and what comes of it: the one list of everything that writes to the journal.
//!
//! Belongs here: which rules and look-ups each kind of request has. Does not belong here: the rules themselves
//! ([`crate::loyalty`]), the order of the steps ([`super::group`]).

use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{self, Batch, Source};
use crate::loyalty::fingerprint;
use crate::loyalty::ledger::{BalanceKey, Ledger};
use crate::loyalty::once::{Kept, KeptBatch, Once};
use crate::loyalty::outcome::Outcome;
use crate::loyalty::rows::{Decided, Rows};
use crate::loyalty::sales::{self, SaleOutcome, Sales};
use crate::loyalty::sync::claim::Found as FoundJob;
use crate::loyalty::sync::event::{EventCommand, EventFound};
use crate::loyalty::sync::work::{Work, WorkFound};
use crate::loyalty::sync::{SyncCommand, SyncDone};
use crate::loyalty::undo::{self, Found, Undo, Undone};
use crate::store::{
    Db, Result, batches, dialect, outbox, people, purchases, rejections, sync_items, sync_jobs,
    sync_queue,
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
    /// Nothing: the request was posted before, and this is what was kept of it.
    Repeated(Kept),
}

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
        }
    }

    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.bytes(),
            Command::Undo(_) => size_of::<Undo>(),
            Command::Sync(sync) => sync.bytes(),
            Command::Sales(sales) => sales.bytes(),
        }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        match self {
            Command::Batch(batch) => batch.lines.list.len(),
            Command::Undo(_) => 1,
            Command::Sync(sync) => sync.lines(),
            Command::Sales(sales) => sales.items.len(),
        }
    }

    /// Whether it is written alone when it has many lines. What `sync_data` writes is cut into parts already, and no
    /// request has many sales.
    pub fn may_be_large(&self) -> bool {
        !matches!(self, Command::Sync(_) | Command::Sales(_))
    }

    /// What no two requests of a group may be about, because each is decided on it as it was found: the account, and its
    /// jobs or one of its webhooks.
    pub fn subject(&self) -> Option<(i32, Option<i64>)> {
        let Command::Sync(sync) = self else {
            return None;
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
        }
    }

    /// Looks up what it is about, under the account's head; or tells why it cannot be.
    pub fn look_up(&mut self, db: &mut Db) -> Result<std::result::Result<(), Problem>> {
        match self {
            Command::Sync(sync) => return look_up_sync(db, sync),
            Command::Undo(undo) => {
                undo.found = batches::to_undo(db, undo.account, undo.batch)?;
            }
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

    /// Whether it may be refused because too many faults are open: what closes one is not.
    pub fn may_add_faults(&self) -> bool {
        match self {
            Command::Batch(_) | Command::Sales(_) => self.closes().is_none(),
            Command::Undo(_) | Command::Sync(_) => false,
        }
    }

    /// The codes and card numbers that it names; repeated ones are repeated.
    pub fn keys(&self) -> Each<'_, &str> {
        match self {
            Command::Batch(batch) => Box::new(batch.keys()),
            Command::Undo(_) | Command::Sync(_) | Command::Sales(_) => Box::new(std::iter::empty()),
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
            Command::Sync(_) => Box::new(std::iter::empty()),
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
            Command::Undo(_) => Vec::new(),
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
            Command::Undo(_) | Command::Sync(_) => None,
        }
    }

    /// The batch that it undoes when it is stored, as it was found.
    pub fn undoes(&self) -> Option<(i64, &Found)> {
        match self {
            Command::Batch(_) | Command::Sync(_) | Command::Sales(_) => None,
            Command::Undo(undo) => Some((undo.batch, undo.found.as_ref()?)),
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
    let people = people::load(db, work.account, &keys)?;
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
