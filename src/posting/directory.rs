//! The cache of accounts with their configuration.
//!
//! Belongs here: what may be a second old: accounts, users, keys, campaigns. Does not belong here: balances, codes,
//! anything of money. A writing compares versions inside its transaction, so a stale cache can delay a change of the
//! configuration but never post by an old one.

use crate::loyalty::account::Account;
use crate::store::connect::Readers;
use crate::store::{Db, Failure, Result, accounts, heads};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Default, Clone)]
struct Index {
    by_number: HashMap<i32, Arc<Account>>,
    by_id: HashMap<String, Arc<Account>>,
    /// Accounts by the ids of their users, which are unique in the installation.
    by_user: HashMap<String, i32>,
    /// Account and brand by the digest of the brand's token.
    by_token: HashMap<[u8; 32], (i32, i32)>,
}

impl Index {
    /// Takes an account in, unless a newer one is known already.
    fn put(&mut self, account: Arc<Account>) {
        if let Some(known) = self.by_number.get(&account.number) {
            if known.config_version > account.config_version {
                return;
            }
            for brand in &known.brands {
                // A token that another account has taken over is that one's.
                let of = (known.number, brand.number);
                if self.by_token.get(&brand.token) == Some(&of) {
                    self.by_token.remove(&brand.token);
                }
            }
            for user in known.users() {
                if self.by_user.get(&user.user_id) == Some(&known.number) {
                    self.by_user.remove(&user.user_id);
                }
            }
        }
        for brand in &account.brands {
            let of = (account.number, brand.number);
            self.by_token.insert(brand.token, of);
        }
        for user in account.users() {
            self.by_user.insert(user.user_id.clone(), account.number);
        }
        self.by_id
            .insert(account.account_id.clone(), Arc::clone(&account));
        self.by_number.insert(account.number, account);
    }
}

/// All accounts of the installation, as they were at most `config_max_age_ms` ago.
pub struct Directory {
    readers: Readers,
    index: RwLock<Index>,
}

impl Directory {
    /// Loads all accounts.
    pub fn load(readers: Readers) -> Result<Directory> {
        let directory = Directory {
            readers,
            index: RwLock::default(),
        };
        directory.refresh()?;
        Ok(directory)
    }

    /// A directory that knows one account, and loads others when they are asked for; `None` if there is no such account.
    pub fn of_one(readers: Readers, number: i32) -> Result<Option<(Directory, Arc<Account>)>> {
        let account = accounts::load(&mut *readers.get()?, number)?.map(Arc::new);
        Ok(account.map(|account| {
            let directory = Directory {
                readers,
                index: RwLock::default(),
            };
            directory.put(Arc::clone(&account));
            (directory, account)
        }))
    }

    /// Loads the accounts whose configuration has moved. One small query when none has.
    pub fn refresh(&self) -> Result<()> {
        let mut reader = self.readers.get()?;
        let versions = heads::config_versions(&mut reader)?;
        let moved: Vec<i32> = {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            versions
                .iter()
                .filter(|(number, version)| {
                    index
                        .by_number
                        .get(number)
                        .map(|known| known.config_version)
                        != Some(*version)
                })
                .map(|(number, _)| *number)
                .collect()
        };
        for number in moved {
            match accounts::load(&mut reader, number) {
                Ok(Some(account)) => self.put(Arc::new(account)),
                Ok(None) => {}
                // One account that cannot be read must not keep the others from being served.
                Err(Failure::Data(cause)) => {
                    tracing::error!(account = number, "an account cannot be read: {cause}")
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    fn put(&self, account: Arc<Account>) {
        self.index
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .put(account);
    }

    /// The account with this id; compared exactly.
    pub fn by_id(&self, account_id: &str) -> Option<Arc<Account>> {
        self.index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(account_id)
            .cloned()
    }

    /// The account with a user of this id; compared exactly.
    pub fn by_user(&self, user_id: &str) -> Option<Arc<Account>> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let account = index.by_user.get(user_id)?;
        index.by_number.get(account).cloned()
    }

    /// Loads an account anew, because it was changed or is asked for by what is not known of it.
    pub fn reload(&self, number: i32) -> Result<()> {
        if let Some(account) = accounts::load(&mut *self.readers.get()?, number)? {
            self.put(Arc::new(account));
        }
        Ok(())
    }

    /// The account with a brand that has the token with this digest, and the brand's number.
    pub fn by_token(&self, digest: &[u8; 32]) -> Option<(Arc<Account>, i32)> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let (account, brand) = index.by_token.get(digest)?;
        Some((index.by_number.get(account).cloned()?, *brand))
    }

    /// The account with this number.
    pub fn by_number(&self, number: i32) -> Option<Arc<Account>> {
        self.index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_number
            .get(&number)
            .cloned()
    }

    /// The account at this version of its configuration: from the cache, or loaded on the connection that has taken
    /// its head, so that it cannot move any more.
    pub fn at_version(
        &self,
        db: &mut Db,
        number: i32,
        version: i64,
    ) -> Result<Option<Arc<Account>>> {
        if let Some(account) = self.by_number(number)
            && account.config_version == version
        {
            return Ok(Some(account));
        }
        let Some(account) = accounts::load(db, number)?.map(Arc::new) else {
            return Ok(None);
        };
        self.put(Arc::clone(&account));
        Ok(Some(account))
    }

    /// The pool that the directory reads with.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }
}
