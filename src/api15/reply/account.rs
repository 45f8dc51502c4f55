//! What is told of an account.
//!
//! Belongs here: the elements of `account_info` and `user_login`. Does not belong here: its users ([`super::users`]).

use super::Told;
use crate::amount::currency_glyph;
use crate::api15::render::Sink;
use crate::dates::local_stamp;
use crate::loyalty::account::Account;

/// The reply of `account_info`, and of `user_login` with what that gives.
pub struct AccountTold {
    account_id: String,
    name: String,
    currency: String,
    timezone: String,
    created: String,
    /// A user and its new key.
    login: Option<(String, String)>,
}

impl AccountTold {
    /// What is told of this account.
    pub fn of(account: &Account) -> AccountTold {
        AccountTold {
            account_id: account.account_id.clone(),
            name: account.name.clone(),
            currency: account.currency.clone(),
            timezone: account.zone.name().to_owned(),
            created: local_stamp(account.created_at, account.zone),
            login: None,
        }
    }

    /// The same, with the key that a user has logged in for.
    #[must_use]
    pub fn with_key(mut self, user_id: &str, key: String) -> AccountTold {
        self.login = Some((user_id.to_owned(), key));
        self
    }
}

impl Told for AccountTold {
    fn write(&self, sink: &mut dyn Sink) {
        sink.object("account");
        sink.text("account_id", &self.account_id);
        sink.text("biz_name", &self.name);
        // What no account of ours says.
        for name in [
            "biz_address1",
            "biz_address2",
            "biz_city",
            "biz_state",
            "biz_zip",
            "biz_country",
            "biz_locations",
            "biz_online",
            "biz_employees",
            "industry",
            "contact_first_name",
            "contact_last_name",
            "contact_email",
            "contact_phone",
        ] {
            sink.text(name, "");
        }
        sink.text("language", "en");
        sink.text("symbol", &self.currency);
        sink.text("glyph", &currency_glyph(&self.currency));
        sink.text("timezone", &self.timezone);
        sink.text("created", &self.created);
        if let Some((user_id, key)) = &self.login {
            sink.text("user_id", user_id);
            sink.text("user_api_key", key);
        }
        sink.end();
    }
}
