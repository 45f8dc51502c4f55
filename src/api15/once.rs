//! By what a request is known when it comes again.
//!
//! Belongs here: from fields to a [`Once`]. Does not belong here: what is kept of an outcome ([`crate::loyalty::once`]).

use super::calls::Row;
use super::params::Params;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::loyalty::fingerprint::Pairs;
use crate::loyalty::once::{API15, Once};

/// By what a request is known, while its meaning is still gathered.
pub struct KnownBy {
    /// The caller's key; without one, the account guards against duplicates.
    key: Option<String>,
    /// The digest of the fields that say what it means.
    fields: Pairs,
}

impl KnownBy {
    /// `None` for a request that has no key, of an account without a guard. Who calls, and what the answer is to look
    /// like, are no part of what a request means.
    pub fn read(params: &Params, row: &Row, account: &Account) -> Result<Option<KnownBy>, Problem> {
        let key = params.get("idempotency_key").map(str::trim);
        if key.is_some_and(|key| !Once::is_key(key)) {
            return Err(Problem::new(Code::BadIdempotencyKey));
        }
        if key.is_none() && account.duplicate_window_s == 0 {
            return Ok(None);
        }
        let mut fields = Pairs::default();
        fields.add("type", row.name);
        for (name, value) in params.iter().filter(|(name, _)| row.means(name)) {
            fields.add(name, value);
        }
        let key = key.map(str::to_owned);
        Ok(Some(KnownBy { key, fields }))
    }

    /// Adds a field that was not read with the others.
    pub fn add(&mut self, name: &str, value: &str) {
        self.fields.add(name, value);
    }

    /// What the request is known by, now that its meaning is complete.
    pub fn once(self, caller: &Caller, account: &Account, kept_s: u64) -> Once {
        let (user, print) = (&caller.user_id, self.fields.finish());
        match self.key {
            Some(key) => Once::keyed(API15, user, &key, print, kept_s),
            None => Once::guarded(API15, user, print, account.duplicate_window_s.into()),
        }
    }
}
