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
//!
//! A key with a default that is left out has its default. Any other key that is left out leaves alone what is stored.

pub mod account;
pub mod campaign;
pub mod customer;
pub mod section;

use chrono::{DateTime, Utc};
use section::{Notes, Section};

pub use account::{Account, Brand, User};
pub use campaign::{Campaign, Item, Promotion, Reward};
pub use customer::{Customer, Opening};
pub use section::{Fault, Faults};

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
    let mut notes = Notes::new(text);
    let accounts = match toml::de::DeTable::parse(text) {
        Ok(document) => {
            let root = Section::root(&mut notes, document.get_ref(), &["account"]);
            account::read_all(&mut notes, &root, now)
        }
        Err(error) => {
            // Not the error's own text, which repeats the line, and with it perhaps a secret.
            let at = error.span().map_or(0, |span| span.start);
            notes.syntax(at, error.message());
            Vec::new()
        }
    };
    notes.finish()?;
    Ok(World { accounts })
}

#[cfg(test)]
mod tests;
