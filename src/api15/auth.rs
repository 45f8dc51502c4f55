//! Who calls: the fields that every request carries, and the check of the secret.
//!
//! Belongs here: finding the secret in its three places and comparing it. Does not belong here: what a user may do.

use super::Service;
use super::params::Params;
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Caller;
use crate::secrets;
use std::sync::Arc;

/// The fields that every request must carry.
pub struct Named<'a> {
    /// `user_id`
    pub user_id: &'a str,
    /// The header `api_access_key`, else `user_api_key`, else `user_password`: one secret under three names.
    pub secret: &'a str,
    /// `account_id`
    pub account_id: &'a str,
    /// `type`
    pub call: &'a str,
}

/// A caller whose secret was right.
pub struct Identity {
    /// The account.
    pub account: Arc<Account>,
    /// The user, in the form in which posting checks it again.
    pub caller: Caller,
}

/// Finds the fields that every request must carry; the first that is missing, in the order of the published document,
/// is the problem. Ids are compared as they were sent. A header with a secret, even an empty one, is the only one looked at.
pub fn require<'a>(params: &'a Params, header_key: Option<&'a str>) -> Result<Named<'a>, Problem> {
    let field = |name: &str| {
        let sent = params.get(name).filter(|sent| !sent.trim().is_empty());
        sent.ok_or_else(|| Problem::new(Code::MissingField).field(name))
    };
    let user_id = field("user_id")?;
    let secret = match header_key {
        Some(header) => header.trim(),
        None => match params.text("user_api_key") {
            Some(secret) => secret,
            None => params
                .text("user_password")
                .ok_or_else(|| Problem::new(Code::MissingField).field("user_api_key"))?,
        },
    };
    Ok(Named {
        user_id,
        secret,
        account_id: field("account_id")?,
        call: field("type")?.trim(),
    })
}

/// Checks the secret. A wrong user, account or secret give one and the same problem, after the same work: the digest is
/// made in any case, and an unknown user is compared like a known one.
pub fn authenticate(service: &Service, named: &Named<'_>) -> Result<Identity, Problem> {
    let caller = |account: &Account| Caller {
        account: account.number,
        user_id: named.user_id.to_owned(),
        key: service.key.digest(named.secret.as_bytes()),
    };
    // `serve` has looked for samples at its start; this holds for those that came later.
    let sample = !service.take_samples && secrets::is_sample(named.secret.as_bytes());
    match service
        .directory
        .by_id(named.account_id)
        .filter(|_| !sample)
    {
        Some(account) => {
            let caller = caller(&account);
            caller.authenticate(&account)?;
            Ok(Identity { account, caller })
        }
        None => {
            let _same_work = service.key.digest(named.secret.as_bytes());
            Err(Problem::new(Code::BadCredentials))
        }
    }
}
