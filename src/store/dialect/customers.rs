//! Statements on customers that differ between the engines.

use super::Writes;
use super::statement::{Bind, fixed};
use crate::store::Result;
use diesel::prelude::*;

/// Deletes codes and card numbers. On MySQL it waits with the other writes, among which there must be none of the same
/// values.
pub fn remove_keys<'v>(
    writes: &mut Writes<'_>,
    account: i32,
    values: impl Iterator<Item = &'v str>,
) -> Result<()> {
    for value in values {
        match writes.sqlite() {
            Some(conn) => {
                fixed!(
                    diesel::sql_types::Integer,
                    [
                        "DELETE FROM customer_keys WHERE account_id = ",
                        " AND value = ",
                        ""
                    ],
                    [Bind::Int(account), Bind::Text(value)]
                )
                .execute(conn)?;
            }
            #[cfg(feature = "mysql")]
            None => writes.then(format!(
                "DELETE FROM customer_keys WHERE account_id = {account} AND value = _utf8mb4 x'{}'",
                hex::encode(value)
            ))?,
            #[cfg(not(feature = "mysql"))]
            None => {}
        }
    }
    Ok(())
}
