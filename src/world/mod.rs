//! The world file: what accounts, campaigns and customers there shall be, in TOML.
//!
//! Belongs here: the format, and every check that needs no database. Pure: the current time is handed in.
//! Does not belong here: comparing with what is stored and writing ([`crate::store::world`]).
//!
//! | module | what it reads |
//! | --- | --- |
//! | [`section`] | tables, keys and values of a kind, with their lines |
//! | [`account`] | `[[account]]`, `[[account.user]]`, `[[account.brand]]` |
//! | [`campaign`] | `[[account.campaign]]` with rewards, promotions, items |
//! | [`customer`] | `[[account.customer]]` with opening balances |
//! | [`fault`] | nothing: collects what is wrong, with its line |
//! | `split` | nothing: takes the customers out, so that they are parsed in parts |
//!
//! A key with a default that is left out has its default. Any other key that is left out leaves alone what is stored.

pub mod account;
pub mod campaign;
pub mod customer;
pub mod fault;
pub mod section;
mod split;

use chrono::{DateTime, Utc};
use fault::Notes;
use section::Section;

pub use account::{Account, Brand, User};
pub use campaign::{Campaign, Item, Promotion, Reward};
pub use customer::{Customer, Opening};
pub use fault::{Fault, Faults};

/// What a world file says, checked.
#[derive(Clone, Debug)]
pub struct World {
    /// The accounts, in the order of the file.
    pub accounts: Vec<Account>,
}

/// Reads a world file. `now` tells which days are in the future.
///
/// # Errors
/// Everything that is wrong in it, as far as it can be told at once.
pub fn read(text: &str, now: DateTime<Utc>) -> Result<World, Faults> {
    if let Some(pieces) = split::split(text) {
        let mut notes = Notes::new(text);
        notes.place(pieces.places);
        let runs = Runs {
            text,
            list: pieces.runs,
        };
        let accounts = document(&mut notes, &pieces.rest, |notes, root| {
            account::read_all(notes, root, Some((pieces.accounts, &runs)), now)
        });
        // None: there are accounts that the pieces do not know of.
        if let Some(accounts) = accounts {
            notes.finish()?;
            return Ok(World { accounts });
        }
    }
    let mut notes = Notes::new(text);
    let accounts = document(&mut notes, text, |notes, root| {
        account::read_all(notes, root, None, now)
    });
    notes.finish()?;
    Ok(World {
        accounts: accounts.unwrap_or_default(),
    })
}

/// Parses a text that has the root of the file; one that is no TOML is noted and has no accounts.
fn document<'i>(
    notes: &mut Notes,
    text: &'i str,
    read: impl FnOnce(&mut Notes, &Section<'_, 'i>) -> Option<Vec<Account>>,
) -> Option<Vec<Account>> {
    match toml::de::DeTable::parse(text) {
        Ok(document) => {
            let root = Section::root(notes, document.get_ref(), &["account"]);
            read(notes, &root)
        }
        Err(error) => {
            notes.syntax(&error);
            Some(Vec::new())
        }
    }
}

/// Customers that were split off.
struct Runs<'i> {
    text: &'i str,
    list: Vec<(usize, std::ops::Range<usize>)>,
}

#[cfg(test)]
mod tests;
