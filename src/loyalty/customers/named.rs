//! Which customer a code and a card number mean: the same for every request that names one; and what a customer is called.
//!
//! Belongs here: this one rule. Does not belong here: lines of a batch, which may create customers ([`crate::loyalty::batch`]).

use crate::error::{Code, Problem};
use crate::loyalty::ledger::Holder;

/// What a customer is called where balances and transactions are told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Names {
    /// The code.
    pub code: Option<Box<str>>,
    /// The card number.
    pub card_number: Option<Box<str>>,
    /// The first name.
    pub first_name: Option<Box<str>>,
    /// The last name.
    pub last_name: Option<Box<str>>,
    /// The e-mail address.
    pub email: Option<Box<str>>,
}

/// The customer that a code means, else a card number. Where both are sent, and the card number is held by somebody,
/// they must mean the same customer.
pub fn find(
    code: &str,
    card: &str,
    holder: impl Fn(&str) -> Option<Holder>,
) -> Result<i64, Problem> {
    let (field, value) = match code.is_empty() {
        true => ("card_number", card),
        false => ("code", code),
    };
    let about = |code, field: &str, value: &str| Problem::new(code).field(field).value(value);
    let found = holder(value).ok_or_else(|| about(Code::NoSuchCustomer, field, value))?;
    if found.replaced {
        return Err(about(Code::ReplacedCard, field, value));
    }
    if !code.is_empty() && !card.is_empty() {
        let other = holder(card);
        if other.is_some_and(|other| other.customer != found.customer) {
            return Err(about(Code::CustomersDiffer, "card_number", card));
        }
    }
    Ok(found.customer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_counts_before_card() {
        let holder = |value: &str| {
            let (customer, replaced) = match value {
                "c1" | "k1" => (1, false),
                "k2" => (2, false),
                "old" => (1, true),
                _ => return None,
            };
            Some(Holder { customer, replaced })
        };
        for (code, card, means) in [
            ("c1", "", Ok(1)),
            ("", "k2", Ok(2)),
            ("c1", "k1", Ok(1)),
            ("c1", "free", Ok(1)),
            ("c1", "k2", Err(Code::CustomersDiffer)),
            ("free", "k2", Err(Code::NoSuchCustomer)),
            ("", "old", Err(Code::ReplacedCard)),
            ("old", "", Err(Code::ReplacedCard)),
        ] {
            let found = find(code, card, holder).map_err(|problem| problem.code);
            assert_eq!(found, means, "{code} {card}");
        }
    }
}
