//! The body of the webhook.
//!
//! Belongs here: its members, their order and their names. Does not belong here: when it is sent, signatures.
//!
//! A row has the default fields, then those that the request asked for; the decision that stored the item has written
//! it as it is told. Rows are put together as texts, so that a number comes back digit for digit.

use crate::json;
use crate::loyalty::contacts::sent::{Fault, errors_json};
use crate::loyalty::sync::view::{ItemState, JobView, PurchaseResult, Told};

/// A body that waits for its rows, and for the time and the token of a try.
#[derive(Clone, Debug)]
pub struct Hook {
    account_id: String,
    /// `sync_data_id`, `status` and both counts, as members.
    head: String,
    valid: String,
    failed: String,
    /// Both lists of purchases, as members.
    purchases: String,
}

impl Hook {
    /// The body for a job, still without its contacts.
    pub fn new(account_id: &str, job: &JobView) -> Hook {
        let (id, status) = (job.head.id.hex(), job.state.word());
        let head = format!(
            "\"sync_data_id\":\"{id}\",\"status\":\"{status}\",\"contacts_valid_count\":{},\"contacts_failed_count\":{}",
            job.valid, job.failed
        );
        let (valid, failed) = match &job.purchase {
            None => (String::new(), String::new()),
            Some(purchase) => purchase_rows(purchase),
        };
        Hook {
            account_id: account_id.to_owned(),
            head,
            valid: String::new(),
            failed: String::new(),
            purchases: format!("\"valid_purchases\":[{valid}],\"failed_purchases\":[{failed}]"),
        }
    }

    /// Adds what is told of a contact. Contacts come in the order of the request.
    pub fn add(&mut self, told: &Told) {
        let (rows, row) = if told.state == ItemState::Failed {
            let row = failed_row("contact", told.told.as_deref(), &told.errors);
            (&mut self.failed, row)
        } else {
            let row = told.told.clone().unwrap_or_else(|| only_id(&told.id));
            (&mut self.valid, row)
        };
        if !rows.is_empty() {
            rows.push(',');
        }
        rows.push_str(&row);
    }

    /// The whole body. `timestamp` is in seconds since 1970.
    pub fn finish(self, timestamp: i64, token: &str) -> String {
        format!(
            "{{\"account_id\":{},\"timestamp\":{timestamp},\"token\":{},{},\"valid_contacts\":[{}],\"failed_contacts\":[{}],{}}}",
            json::quoted(&self.account_id),
            json::quoted(token),
            self.head,
            self.valid,
            self.failed,
            self.purchases
        )
    }
}

/// The rows of both lists of purchases.
fn purchase_rows(purchase: &PurchaseResult) -> (String, String) {
    if purchase.state == ItemState::Failed {
        let row = failed_row("purchase", purchase.told.as_deref(), &purchase.errors);
        return (String::new(), row);
    }
    let row = purchase
        .told
        .clone()
        .unwrap_or_else(|| only_id(&purchase.id));
    (row, String::new())
}

/// Something that failed, as it was sent, or `null` once that was deleted.
fn failed_row(name: &str, raw: Option<&str>, errors: &[Fault]) -> String {
    let error = errors.first().map_or_else(String::new, Fault::text);
    format!(
        "{{\"{name}\":{},\"error\":{},\"errors\":{}}}",
        raw.unwrap_or("null"),
        json::quoted(&error),
        errors_json(errors)
    )
}

/// What is left of a row that was deleted.
fn only_id(id: &Option<String>) -> String {
    let id = id
        .as_deref()
        .map_or_else(|| "null".to_owned(), json::quoted);
    format!("{{\"_id\":{id}}}")
}

#[cfg(test)]
mod tests;
