//! `user_login`.
//!
//! Belongs here: this call. Does not belong here: how many keys it gives ([`crate::loyalty::config::login`]).

use super::users::KEY_BYTES;
use super::{Request, Row, Running};
use crate::api15::auth;
use crate::api15::reply::Reply;
use crate::api15::reply::account::AccountTold;
use crate::dates::micros;
use crate::error::{Code, Problem};
use crate::loyalty::config::ConfigCommand;
use crate::loyalty::config::login::NewLogin;
use crate::loyalty::rights::Need;
use crate::secrets::random_hex;
use crate::secrets::throttle::Tried;
use chrono::Utc;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row {
    need: Need::Open,
    // It writes a key, but a second request is to give a second one.
    writes: false,
    ..Row::reading("user_login", run)
}];

fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let user_id = request.required("user_id")?;
        let password = request.required("user_password")?;
        let service = request.service;
        let wrong = || Problem::new(Code::BadCredentials);
        let who = auth::who(service, Tried::Login, user_id, request.address);
        let account = service.directory.by_user(user_id);
        let user = account.as_ref().and_then(|account| account.user(user_id));
        let stored = user.and_then(|user| user.password.as_deref());
        let check = service.passwords.verify(password, stored);
        if !service.throttle.tried(&who, check).await? {
            return Err(wrong());
        }
        let (Some(account), Some(stored)) = (&account, stored) else {
            return Err(wrong());
        };
        let key =
            random_hex(KEY_BYTES).map_err(|error| Problem::new(Code::Unavailable).detail(error))?;
        let login = ConfigCommand::Login(NewLogin {
            account: account.number,
            user_id: user_id.to_owned(),
            password: stored.into(),
            digest: service.key.digest(key.as_bytes()),
            now_us: micros(Utc::now()),
        });
        service.poster.configure(login, None).await?;
        Ok(Reply::told(AccountTold::of(account).with_key(user_id, key)))
    })
}
