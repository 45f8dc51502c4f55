//! Posting batches of customers.
//!
//! Belongs here: their commands and reads. Does not belong here: what becomes of a line ([`crate::loyalty::customers`]).

use super::command::{Command, Done};
use super::people::Changed;
use super::{Poster, defect, reading};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::change::Change;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::customers::import::{Import, ImportOutcome};
use crate::loyalty::customers::{PeopleCommand, PeopleDone, PeopleFound};
use crate::loyalty::ledger::Ledger;
use crate::loyalty::once::{Kept, KeptBatch, Once};
use crate::store::dialect::people::find_person_keys;
use crate::store::{Db, Failure, batches, dialect, search_texts};
use std::collections::HashMap;

impl Poster {
    /// Posts a batch of customers. When this returns an outcome, its rows are on disk. If it is known as one that was
    /// posted before, the outcome is that one's.
    pub async fn import(
        &self,
        import: Import,
        once: Option<Once>,
    ) -> Result<ImportOutcome, Problem> {
        let (account, details) = (import.account(), import.tells_lines());
        match self
            .change_people(PeopleCommand::Import(import), once)
            .await?
        {
            Changed::Now(PeopleDone::Imported(outcome)) => Ok(*outcome),
            Changed::Before(kept) => self.import_again(account, &kept, details).await,
            Changed::Now(_) => Err(defect()),
        }
    }

    /// Tells what would become of a batch of customers.
    pub async fn rehearse_import(
        &self,
        import: Import,
        once: Option<Once>,
    ) -> Result<ImportOutcome, Problem> {
        let (account, details) = (import.account(), import.tells_lines());
        let command = Command::People(Box::new(PeopleCommand::Import(import)));
        let outcome = match self.foretell(command, once).await? {
            Done::People(PeopleDone::Imported(outcome)) => *outcome,
            Done::Repeated(kept) => self.import_again(account, &kept, details).await?,
            _ => return Err(defect()),
        };
        Ok(ImportOutcome {
            dry_run: true,
            ..outcome
        })
    }

    /// Reads the outcome of a batch that was posted before; of its lines those that were refused.
    async fn import_again(
        &self,
        account: i32,
        kept: &Kept,
        details: bool,
    ) -> Result<ImportOutcome, Problem> {
        let Kept::Imported {
            people: batch,
            first_rejection,
            ignored,
        } = *kept
        else {
            return Err(defect());
        };
        let readers = self.readers.clone();
        let kept = KeptBatch {
            batch,
            first_rejection,
        };
        let found =
            reading(move || batches::imported_again(&mut *readers.get()?, account, kept, details));
        // "Nothing was posted" would not be true.
        let unread = || Problem::new(Code::PostedBefore).value(&batch.to_string());
        let outcome = found.await.map_err(|_| unread())?.ok_or_else(unread)?;
        Ok(ImportOutcome { ignored, ..outcome })
    }
}

/// Looks up whom the lines of a batch name, and who has the names that they give. `ledger` knows who holds the codes.
pub(super) fn find(
    db: &mut Db,
    import: &Import,
    (config, ledger): (&Account, &Ledger),
) -> Result<PeopleFound, Failure> {
    let account = import.account();
    let holders = import.keys().into_iter();
    let holders = holders.filter_map(|value| ledger.holder(value));
    let mut numbers: Vec<i64> = holders.map(|holder| holder.customer).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let customers = search_texts::customers_with(db, account, &numbers)?;
    let names = import.names(config);
    let mut asked: Vec<(i16, &str)> = names
        .iter()
        .map(|(kind, value)| (kind.stored(), &**value))
        .collect();
    asked.sort_unstable();
    let mut names_held: HashMap<(KeyKind, Box<str>), Vec<i64>> = HashMap::new();
    for (kind, value, customer) in find_person_keys(db, account, &asked)? {
        if let Some(kind) = KeyKind::from_stored(kind) {
            let held = names_held.entry((kind, value.into()));
            held.or_default().push(customer);
        }
    }
    let customers = customers.into_iter();
    Ok(PeopleFound {
        customers: customers.map(|one| (one.person.customer, one)).collect(),
        names_held,
        now_us: dialect::queue::now_us(db)?,
        ..PeopleFound::default()
    })
}
