//! Codes and card numbers that change hands.
//!
//! Belongs here: what becomes of the old one, and what has to be known of those who get one. Does not belong here: whether the new one is free.

use super::{Customer, KeyMove, PeopleFound};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::ledger::{BalanceKey, Overlay};

/// A customer that a request names came into being in the same moment, or what it is about was not looked up.
pub(super) fn unknown() -> Problem {
    Problem::new(Code::Unavailable).detail("the customer was just created")
}

/// All balances of the customers who may get a code or card. A line of the same group may name what one of them was just
/// given, and nobody knew before that it would mean them: their balances would be taken for zero.
pub(super) fn balances(account: &Account, found: Option<&PeopleFound>) -> Vec<BalanceKey> {
    let customers = found.iter().flat_map(|found| found.customers.keys());
    let places = account.campaigns().iter().flat_map(|campaign| {
        let items = campaign.items.iter().map(|item| item.number);
        items.chain([0]).map(|item| (campaign.number, item))
    });
    customers
        .flat_map(|customer| {
            places.clone().map(|(campaign, item)| BalanceKey {
                customer: *customer,
                campaign,
                item,
            })
        })
        .collect()
}

/// Gives a customer a code that is free or its own card. The old one is nobody's any more.
pub(super) fn new_code(
    customer: &mut Customer,
    code: &str,
    overlay: &mut Overlay<'_>,
    keys: &mut Vec<KeyMove>,
) {
    let number = customer.person.customer;
    let old = customer.person.code.take();
    // A code that is the card as well goes on as that.
    if let Some(old) = old.filter(|old| customer.person.card_number.as_ref() != Some(old)) {
        overlay.free(&old);
        keys.push(KeyMove::Free { value: old });
    }
    overlay.hold(code, number);
    keys.push(KeyMove::Give {
        value: code.into(),
        customer: number,
    });
    customer.person.code = Some(code.into());
}

/// Gives a customer a card that is free or its own code. The old one stays with it, as one that was replaced.
pub(super) fn new_card(
    customer: &mut Customer,
    card: &str,
    overlay: &mut Overlay<'_>,
    keys: &mut Vec<KeyMove>,
) {
    let number = customer.person.customer;
    let old = customer.person.card_number.take();
    // A card that is the code as well goes on as that.
    let old = old.filter(|old| customer.person.code.as_ref() != Some(old));
    if let Some(old) = old {
        overlay.replace(&old, number);
        keys.push(KeyMove::Replace {
            value: old,
            customer: number,
        });
    }
    overlay.hold(card, number);
    keys.push(KeyMove::Give {
        value: card.into(),
        customer: number,
    });
    customer.person.card_number = Some(card.into());
}
