//! Posting single transactions, and taking them back.
//!
//! Belongs here: these commands, told again where they come again. Does not belong here: what they mean
//! ([`crate::loyalty::single`], [`crate::loyalty::reverse`]).

use super::command::{Command, Done};
use super::{Poster, defect, reading};
use crate::error::{Code, Problem};
use crate::loyalty::change::Change;
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::reverse::Delete;
use crate::loyalty::single::{Receipt, Single};
use crate::store::history;
use std::sync::Arc;

impl Poster {
    /// Posts a single transaction. When this returns a receipt, its entry is on disk. If it is known as one that was
    /// posted before, the receipt is that one's.
    pub async fn post_single(
        &self,
        single: Single,
        once: Option<Once>,
    ) -> Result<Receipt, Problem> {
        let account = single.account();
        match self.submit(Command::Single(Box::new(single)), once).await? {
            Done::Single(receipt) => Ok(*receipt),
            Done::Repeated(Kept::Entry { entry, .. }) => self.receipt(account, entry).await,
            _ => Err(defect()),
        }
    }

    /// The receipt of an entry that was posted before.
    async fn receipt(&self, account: i32, entry: i64) -> Result<Receipt, Problem> {
        let (readers, directory) = (self.readers.clone(), Arc::clone(&self.directory));
        let found = reading(move || {
            let db = &mut *readers.get()?;
            match directory.by_number(account) {
                Some(account) => history::receipt(db, &account, entry),
                None => Ok(None),
            }
        });
        found.await?.ok_or_else(|| {
            Problem::new(Code::Unavailable).detail("what was posted before cannot be read")
        })
    }

    /// Takes a single transaction back. When this returns, its opposite is on disk: the number of the entry, and whether
    /// that was done before.
    pub async fn delete_entry(
        &self,
        delete: Delete,
        once: Option<Once>,
    ) -> Result<(i64, bool), Problem> {
        match self.submit(Command::Delete(Box::new(delete)), once).await? {
            Done::Deleted(entry) => Ok((entry, false)),
            Done::Repeated(Kept::Word { word }) => Ok((word.parse().map_err(|_| defect())?, true)),
            _ => Err(defect()),
        }
    }
}
