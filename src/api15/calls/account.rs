//! `account_info`.
//!
//! Belongs here: this call. Does not belong here: users ([`super::users`]).

use super::{Request, Row, Running};
use crate::api15::reply::Reply;
use crate::api15::reply::account::AccountTold;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row::reading("account_info", info)];

fn info<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move { Ok(Reply::told(AccountTold::of(request.account()?))) })
}
