//! The body of a webhook, read page by page.

use super::desk::Desk;
use crate::error::Problem;
use crate::loyalty::sync::event::ClaimedEvent;
use crate::sync_data::hook::Hook;

/// Items that are read at a time.
const PAGE: i64 = 500;

/// What is told of a job, but for the time and the token of the try.
pub(super) async fn read<D: Desk>(
    desk: &D,
    account_id: &str,
    claimed: &ClaimedEvent,
) -> Result<Hook, Problem> {
    let (account, job) = (claimed.event.id.account, claimed.event.job);
    let mut hook = Hook::new(account_id, &claimed.job);
    let mut last = -1;
    loop {
        let page = desk.told(account, job, last, PAGE).await?;
        for told in &page {
            hook.add(told);
            last = told.item;
        }
        if i64::try_from(page.len()).unwrap_or(0) < PAGE {
            return Ok(hook);
        }
    }
}
