//! Rows that follow from others, made for databases that were written before there were any.
//!
//! Belongs here: going through all accounts, piece by piece. Does not belong here: which rows ([`super::person_keys`],
//! [`super::search_texts`]).

use super::schema::accounts;
use super::{Db, Result, dialect, heads};
use diesel::prelude::*;

/// Has each account filled piece by piece, each piece in a transaction of its own under the account's head, so that nobody
/// changes it meanwhile. `piece` is given the account and the last number of the piece before, 0 at first, and tells its
/// own, `None` at the end. The connection is a writer's, in no transaction.
pub fn each_account(
    db: &mut Db,
    piece: fn(&mut Db, i32, i64) -> Result<Option<i64>>,
) -> Result<()> {
    let all: Vec<i32> = accounts::table.select(accounts::id).load(db)?;
    dialect::end_read(db)?;
    for account in all {
        let mut after = Some(0);
        while let Some(behind) = after {
            dialect::begin(db)?;
            let filled = heads::take(db, &[account]).and_then(|_| piece(db, account, behind));
            match &filled {
                Ok(_) => dialect::commit(db)?,
                Err(_) => dialect::rollback(db)?,
            }
            after = filled?;
        }
    }
    Ok(())
}
