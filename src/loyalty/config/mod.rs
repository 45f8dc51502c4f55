//! Changes of an account's configuration that its users make: users, keys, campaigns they see, custom fields.
//!
//! Belongs here: what is changed. Does not belong here: world files ([`crate::store`]).

pub mod fields;
pub mod login;
pub mod users;

use crate::error::Problem;
use crate::loyalty::account::Account;
use crate::loyalty::account::CustomField;
use crate::loyalty::change::Change;
use crate::loyalty::ledger::Ledger;
use crate::loyalty::rights::Rights;
use crate::loyalty::rows::{Decided, Rows};
use fields::FieldsCommand;
use login::{NewLogin, TouchKey};
use users::{CampaignUsers, UserCommand};

/// A change of an account's configuration.
#[derive(Debug)]
pub enum ConfigCommand {
    /// A user created, changed or deleted.
    User(UserCommand),
    /// Users who see a campaign, or see it no longer.
    Visible(CampaignUsers),
    /// Custom fields defined, changed or deleted.
    Fields(FieldsCommand),
    /// A key given for a password.
    Login(NewLogin),
    /// The use of such a key noted.
    Touch(TouchKey),
}

/// About how much memory a command takes; its texts are short.
const BYTES: usize = 2048;

impl Change for ConfigCommand {
    type Done = ConfigDone;

    fn account(&self) -> i32 {
        match self {
            ConfigCommand::User(user) => user.caller.account,
            ConfigCommand::Visible(users) => users.caller.account,
            ConfigCommand::Fields(fields) => fields.caller.account,
            ConfigCommand::Login(login) => login.account,
            ConfigCommand::Touch(touch) => touch.account,
        }
    }

    fn bytes(&self) -> usize {
        BYTES
    }

    fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        let caller = match self {
            ConfigCommand::User(user) => &user.caller,
            ConfigCommand::Visible(users) => &users.caller,
            ConfigCommand::Fields(fields) => &fields.caller,
            // These are decided by what they show.
            ConfigCommand::Login(_) | ConfigCommand::Touch(_) => return Ok(()),
        };
        caller.permitted(account).map(|_| ())
    }

    fn planned_for(&self) -> i64 {
        // All of it is read where it is decided.
        0
    }

    fn decide<'c>(
        &'c self,
        account: &'c Account,
        ledger: &Ledger,
    ) -> Result<Decided<'c, ConfigDone>, Problem> {
        let (outcome, rows) = match self {
            ConfigCommand::User(user) => user.decide(account)?,
            ConfigCommand::Visible(users) => users.decide(account)?,
            ConfigCommand::Fields(fields) => fields.decide(account)?,
            ConfigCommand::Login(login) => login.decide(account)?,
            ConfigCommand::Touch(touch) => touch.decide(account),
        };
        let stored = (rows != ConfigRows::default()).then(|| {
            let config = Some(Box::new(rows));
            let rows = Rows {
                config,
                ..Rows::default()
            };
            (rows, ledger.overlay().into_changes())
        });
        Ok(Decided { outcome, stored })
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigDone {
    /// A user was created, changed or deleted.
    User {
        /// The user's number.
        user: i32,
        /// Which of them.
        word: &'static str,
    },
    /// So many of so many users were added to a campaign, or removed from it.
    Visible {
        /// How many.
        changed: usize,
        /// Of how many.
        of: usize,
    },
    /// Custom fields were changed.
    Fields,
    /// A key was given for a password.
    Login,
    /// The use of such a key was noted.
    Touched,
}

/// What is to be written of the configuration.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ConfigRows {
    /// Users created or changed.
    pub users: Vec<UserRow>,
    /// Keys created.
    pub keys_new: Vec<NewKey>,
    /// Keys deleted: the user's number and the digest.
    pub keys_gone: Vec<(i32, [u8; 32])>,
    /// The campaigns that users see from now on; `None` is all.
    pub visible: Vec<(i32, Option<Vec<i32>>)>,
    /// Custom fields created or changed.
    pub fields: Vec<CustomField>,
    /// Custom fields deleted.
    pub fields_gone: Vec<u8>,
    /// Keys that were used: the user's number, the digest, and when, in microseconds since 1970 UTC.
    pub touched: Vec<(i32, [u8; 32], i64)>,
}

/// A user as it is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRow {
    /// The number it is stored under.
    pub number: i32,
    /// The id clients send.
    pub user_id: String,
    /// What it may do.
    pub rights: Rights,
    /// The hash of its password.
    pub password: Option<Box<str>>,
    /// Whether it sees all campaigns.
    pub all_campaigns: bool,
    /// Whether it was not deleted.
    pub active: bool,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_at: i64,
}

/// A key that is created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewKey {
    /// The user's number.
    pub user: i32,
    /// Its digest under the server key.
    pub digest: [u8; 32],
    /// Whether `user_login` gives it.
    pub login: bool,
    /// When it was created, in microseconds since 1970 UTC.
    pub created_at: i64,
}
