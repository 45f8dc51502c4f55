//! A purchase as it was sent.
//!
//! What may stand in its fields is a rule ([`crate::loyalty::purchases::read`]): it is the same for a purchase that a
//! request is refused for and for one that fails later.

use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::purchases::PurchaseSent;
use crate::loyalty::purchases::read as rules;

/// Reads a purchase from its JSON.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(raw: &str) -> Result<PurchaseSent, Vec<Fault>> {
    rules::read(raw)
}

/// What a request is told is wrong with its purchase: the fields with the path that leads to them.
pub fn in_request(faults: Vec<Fault>) -> impl Iterator<Item = Fault> {
    faults.into_iter().map(|fault| match fault.field.as_str() {
        rules::WHOLE => fault,
        field => Fault::new(format!("{}.{field}", rules::WHOLE), fault.message),
    })
}

/// The transaction code of a purchase, however wrong the rest of it is.
pub fn code(raw: &str) -> Option<String> {
    rules::code(raw)
}
