//! Keys that are given for a password, and their use.
//!
//! Belongs here: how many there are and how long they live. Does not belong here: passwords ([`crate::secrets`]).

use super::{ConfigDone, ConfigRows, NewKey};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, UserKey};

/// The most keys of this kind that a user has.
pub const LOGINS_MAX: usize = 10;
const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// For how long such a key may lie unused.
const UNUSED_US: i64 = 30 * DAY_US;

/// Whether the key was given for a password and has lain unused for too long.
pub fn is_expired(key: &UserKey, now_us: i64) -> bool {
    key.login_used_at
        .is_some_and(|used| now_us.saturating_sub(used) > UNUSED_US)
}

/// Whether the key's use is to be noted: once a day is enough to know whether it is used.
pub fn is_due(key: &UserKey, now_us: i64) -> bool {
    key.login_used_at
        .is_some_and(|used| now_us.saturating_sub(used) > DAY_US)
}

/// A key to be given to a user whose password was right.
#[derive(Debug)]
pub struct NewLogin {
    /// The account's number.
    pub account: i32,
    /// The user's id.
    pub user_id: String,
    /// The hash that the password was compared with.
    pub password: Box<str>,
    /// The key's digest.
    pub digest: [u8; 32],
    /// When, in microseconds since 1970 UTC.
    pub now_us: i64,
}

impl NewLogin {
    /// Decides it: refused where the password has changed in between. Keys that are too old go, and the one that was
    /// used longest ago where there are too many.
    pub fn decide(&self, account: &Account) -> Result<(ConfigDone, ConfigRows), Problem> {
        let user = account.user(&self.user_id);
        let user = user.filter(|user| user.password.as_ref() == Some(&self.password));
        let user = user.ok_or_else(|| Problem::new(Code::BadCredentials))?;
        let logins = user.keys.iter().filter(|key| key.login_used_at.is_some());
        let (gone, mut left): (Vec<&UserKey>, Vec<&UserKey>) =
            logins.partition(|key| is_expired(key, self.now_us));
        left.sort_by_key(|key| std::cmp::Reverse(key.login_used_at));
        let beyond = left.into_iter().skip(LOGINS_MAX.saturating_sub(1));
        let gone = gone.into_iter().chain(beyond);
        let rows = ConfigRows {
            keys_new: vec![NewKey {
                user: user.number,
                digest: self.digest,
                login: true,
                created_at: self.now_us,
            }],
            keys_gone: gone.map(|key| (user.number, key.digest)).collect(),
            ..ConfigRows::default()
        };
        Ok((ConfigDone::Login, rows))
    }
}

/// The use of such a key, to be noted.
#[derive(Debug)]
pub struct TouchKey {
    /// The account's number.
    pub account: i32,
    /// The user's id.
    pub user_id: String,
    /// The key's digest.
    pub digest: [u8; 32],
    /// When, in microseconds since 1970 UTC.
    pub now_us: i64,
}

impl TouchKey {
    /// Decides it: nothing is noted of a key that is gone, or was noted just now.
    pub fn decide(&self, account: &Account) -> (ConfigDone, ConfigRows) {
        let user = account.user(&self.user_id);
        let key = user.and_then(|user| Some((user.number, user.key(&self.digest)?)));
        let due = key.filter(|(_, key)| is_due(key, self.now_us));
        let touched = due.map(|(user, _)| (user, self.digest, self.now_us));
        let rows = ConfigRows {
            touched: touched.into_iter().collect(),
            ..ConfigRows::default()
        };
        (ConfigDone::Touched, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::account::User;
    use chrono_tz::Tz;

    fn account(keys: Vec<UserKey>) -> Account {
        let user = User {
            keys,
            password: Some("hash".into()),
            ..User::new(4, "ann", &[])
        };
        let text = |text: &str| text.to_owned();
        Account::new(1, text("a"), text("A"), Tz::UTC, 1, vec![user], vec![])
    }

    fn key(digest: u8, used: Option<i64>) -> UserKey {
        UserKey {
            digest: [digest; 32],
            login_used_at: used,
        }
    }

    fn login(account: &Account, password: &str, now_us: i64) -> Result<ConfigRows, Code> {
        let login = NewLogin {
            account: 1,
            user_id: "ann".to_owned(),
            password: password.into(),
            digest: [99; 32],
            now_us,
        };
        let decided = login.decide(account);
        decided
            .map(|(_, rows)| rows)
            .map_err(|problem| problem.code)
    }

    #[test]
    fn the_eleventh_key_takes_the_place_of_the_one_used_longest_ago() {
        let mut keys: Vec<_> = (1..=10).map(|at| key(at, Some(i64::from(at)))).collect();
        keys.push(key(50, None));
        let rows = login(&account(keys), "hash", 100).unwrap();
        assert_eq!(rows.keys_gone, [(4, [1; 32])]);
        assert!(rows.keys_new[0].login);
        let few = account(vec![key(1, Some(0)), key(2, Some(DAY_US)), key(3, None)]);
        let rows = login(&few, "hash", UNUSED_US + 1).unwrap();
        assert_eq!(rows.keys_gone, [(4, [1; 32])], "what is too old goes");
        let refused = login(&few, "older", 100).unwrap_err();
        assert_eq!(refused, Code::BadCredentials);
    }

    #[test]
    fn use_is_noted_once_a_day() {
        let account = account(vec![key(1, Some(0)), key(2, None)]);
        for (digest, now_us, noted) in [
            (1, DAY_US, false),
            (1, DAY_US + 1, true),
            (2, DAY_US + 1, false),
            (3, DAY_US + 1, false),
        ] {
            let touch = TouchKey {
                account: 1,
                user_id: "ann".to_owned(),
                digest: [digest; 32],
                now_us,
            };
            let (_, rows) = touch.decide(&account);
            assert_eq!(!rows.touched.is_empty(), noted, "{digest} {now_us}");
        }
    }
}
