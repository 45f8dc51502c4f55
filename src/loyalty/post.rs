//! The one way to earn and to redeem.
//!
//! Belongs here: a planned line posted on an overlay, by whomever. Does not belong here: what a line's values mean
//! ([`super::plan`]), lines one after the other ([`super::batch`]), single transactions ([`super::single`]).

use super::account::{Account, Campaign};
use super::ledger::{BalanceKey, Entry, EntryKind, Overlay, beyond_limit};
use super::lines::Lines;
use super::plan::Posting;
use super::rows::NewCustomer;
use crate::error::{Code, Problem};
use std::borrow::Cow;

/// Who posts an entry, and on which line of which batch.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The batch and the line; `None` for a single transaction.
    pub line: Option<(i64, i32)>,
    /// The number of the user.
    pub user: i32,
    /// The customer, where it is known without the line's code.
    pub customer: Option<i64>,
}

/// What came of a posting.
#[derive(Debug)]
pub struct Posted<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// The customer that came into being with it.
    pub created: Option<NewCustomer<'a>>,
}

/// Posts one line: the one way to earn and to redeem, for lines of batches and single transactions alike.
#[inline]
pub fn post_one<'a>(
    account: &'a Account,
    lines: &'a Lines,
    posting: &'a Posting,
    overlay: &mut Overlay<'_>,
    origin: Origin,
) -> Result<Posted<'a>, Problem> {
    let campaign = account
        .campaign(posting.campaign)
        .ok_or_else(|| Problem::new(Code::UnknownCampaign))?;
    let known = match origin.customer {
        Some(customer) => Some(customer),
        None => customer_of(lines, posting, overlay)?,
    };
    let (customer, created) = match known {
        Some(customer) => (customer, None),
        None => {
            let new = new_customer(lines, posting, overlay);
            (new.number, Some(new))
        }
    };
    let key = BalanceKey {
        customer,
        campaign: campaign.number,
        item: posting.item,
    };
    let amount = if posting.redeem {
        posting.amount.checked_neg()
    } else {
        Some(posting.amount)
    };
    let link = amount.ok_or(Code::OutOfRange).and_then(|amount| {
        overlay
            .post(campaign, key, amount)
            .map(|link| (amount, link))
    });
    let (amount, link) = link.map_err(|code| refusal(code, lines.text(posting.given), campaign))?;
    // The customer comes into being only with a line that is imported.
    if let Some(new) = &created {
        overlay.numbers.customer = new.number.saturating_add(1);
        overlay.hold(new.code, new.number);
        if let Some(card) = new.card {
            overlay.hold(card, new.number);
        }
    }
    let entry = Entry {
        number: link.number,
        key,
        kind: if posting.redeem {
            EntryKind::Redeem
        } else {
            EntryKind::Add
        },
        amount,
        balance_after: link.balance_after,
        previous: link.previous,
        date: posting.date,
        line: origin.line,
        user: Some(origin.user),
        given: lines.text(posting.given).into(),
        formula: posting.formula.as_deref().map(Cow::Borrowed),
        promotions: lines.text(posting.promotions),
        reward: posting.reward,
        authorization: lines.text(posting.authorization).into(),
        custom: posting.custom.as_deref(),
        reverses: None,
    };
    Ok(Posted { entry, created })
}

/// The customer a line names; `None` where it is to be created.
fn customer_of(
    lines: &Lines,
    posting: &Posting,
    overlay: &Overlay<'_>,
) -> Result<Option<i64>, Problem> {
    let (code, card) = (lines.text(posting.code), lines.text(posting.card));
    let both = !code.is_empty() && !card.is_empty();
    let (field, named) = if code.is_empty() {
        ("card_number", card)
    } else {
        ("code", code)
    };
    let on_card = if both { overlay.holder(card) } else { None };
    match overlay.holder(named) {
        Some(holder) if holder.replaced => {
            Err(Problem::new(Code::ReplacedCard).field(field).value(named))
        }
        Some(holder) if on_card.is_some_and(|other| other.customer != holder.customer) => {
            Err(Problem::new(Code::CustomersDiffer)
                .field("card_number")
                .value(card))
        }
        Some(holder) => Ok(Some(holder.customer)),
        None if !lines.layout.create_customers => Err(Problem::new(Code::UnknownCustomer)
            .field(field)
            .value(named)),
        None if on_card.is_some() => Err(Problem::new(Code::KeyTaken)
            .field("card_number")
            .value(card)),
        None => Ok(None),
    }
}

fn new_customer<'a>(
    lines: &'a Lines,
    posting: &'a Posting,
    overlay: &Overlay<'_>,
) -> NewCustomer<'a> {
    let card = lines.text(posting.card);
    let code = named(lines, posting);
    // One value cannot be held twice, even by the same customer.
    let card = if card.is_empty() || card == code {
        None
    } else {
        Some(card)
    };
    NewCustomer {
        number: overlay.numbers.customer,
        code,
        card,
    }
}

fn refusal(code: Code, given: &str, campaign: &Campaign) -> Problem {
    let problem = Problem::new(code).field("amount").value(given);
    if code == Code::OutOfRange {
        problem.detail(beyond_limit(campaign))
    } else {
        problem
    }
}

/// The value that names the customer: the code, else the card.
pub fn named<'l>(lines: &'l Lines, posting: &Posting) -> &'l str {
    let code = lines.text(posting.code);
    if code.is_empty() {
        lines.text(posting.card)
    } else {
        code
    }
}
