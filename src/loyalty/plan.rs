//! One line's values under the rules of its campaign: everything that can be said without a balance or a customer.
//!
//! Belongs here: the checks of columns, in the order of the published document. Does not belong here: look-ups of
//! customers and balances ([`super::batch`]). Plans hold spans, not strings: 100,000 of them wait in memory.

use super::account::{
    Account, Campaign, ID_MAX_CHARS, Item, Kind, PROMOTIONS_MAX_CHARS, TEXT_MAX_CHARS, User,
};
use super::amounts;
use super::lines::{Column, Line, Lines, Span, Values};
use super::rights::Right;
use crate::amount::Amount;
use crate::dates::{self, Day};
use crate::error::{Code, Problem};
use crate::parallel;
use crate::text;
use std::collections::BTreeMap;

/// A line that may be posted, once its customer and balance are known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Index of the campaign in its account.
    pub campaign: usize,
    /// Whether it redeems.
    pub redeem: bool,
    /// The number of the item, 0 where the campaign has none.
    pub item: i32,
    /// What it adds or takes; never negative.
    pub amount: Amount,
    /// How the amount came about, where it is not the amount as sent.
    pub formula: Option<Box<str>>,
    /// The number of the reward redeemed.
    pub reward: Option<i32>,
    /// The day it counts for.
    pub date: Day,
    /// The code as sent.
    pub code: Span,
    /// The card number as sent.
    pub card: Span,
    /// The amount as sent.
    pub given: Span,
    /// The authorization as sent.
    pub authorization: Span,
    /// The promotions as sent, where they count.
    pub promotions: Span,
    /// The custom fields as JSON text, if any is filled.
    pub custom: Option<Box<str>>,
}

/// What is known of a line before its customer and balance are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    /// It can be posted.
    Post(Posting),
    /// It cannot.
    Refuse(Box<Problem>),
}

/// Plans all lines of a batch for one user. `today` is the day in the account's zone on which the lines were received;
/// `empty_date` is what an empty date means.
pub fn all(
    account: &Account,
    user: &User,
    lines: &Lines,
    (today, empty_date): (Day, Day),
) -> Vec<Plan> {
    let planner = Planner {
        account,
        user,
        lines,
        today,
        empty_date,
    };
    parallel::map(&lines.list, |part| {
        let plans = part.iter().map(|line| match planner.line(line) {
            Ok(posting) => Plan::Post(posting),
            Err(problem) => Plan::Refuse(Box::new(problem)),
        });
        plans.collect()
    })
}

struct Planner<'a> {
    account: &'a Account,
    user: &'a User,
    lines: &'a Lines,
    today: Day,
    empty_date: Day,
}

impl Planner<'_> {
    fn line(&self, line: &Line) -> Result<Posting, Problem> {
        let layout = &self.lines.layout;
        let mut values = self.lines.values(line);
        let index = self.campaign(values.campaign)?;
        let campaign = self
            .account
            .campaign(index)
            .ok_or_else(|| Problem::new(Code::UnknownCampaign).value(values.campaign))?;
        place_surplus(&mut values, campaign, layout.has(Column::Promotions))?;
        check_keys(&values)?;
        let redeem = match values.redeemed {
            "Y" | "y" => true,
            "N" | "n" => false,
            other => {
                return Err(Problem::new(Code::BadRedeemed)
                    .field("redeemed")
                    .value(other));
            }
        };
        self.may(redeem, values.redeemed)?;
        check_length("service_product", values.item, TEXT_MAX_CHARS)?;
        let item = item(campaign, values.item)?;
        check_length("promo_id", values.promotions, PROMOTIONS_MAX_CHARS)?;
        // `1.` and 300 zeros is a number, but nobody's amount.
        check_length("amount", values.amount, TEXT_MAX_CHARS)?;
        let effect = if redeem && self.lines.dollars {
            amounts::redeem_money(campaign, values.amount)?
        } else if redeem {
            amounts::redeem(campaign, item, layout.apply_ratio, values.amount)?
        } else {
            amounts::add(
                campaign,
                layout.apply_ratio,
                values.amount,
                values.promotions,
            )?
        };
        let date = self.date(values.date)?;
        check_length("authorization", values.authorization, TEXT_MAX_CHARS)?;
        let promotions_count = campaign.kind == Kind::Points && !redeem;
        Ok(Posting {
            campaign: index,
            redeem,
            item: item.map_or(0, |item| item.number),
            amount: effect.amount,
            formula: effect.formula,
            reward: effect.reward,
            date,
            code: self.lines.span(values.code),
            card: self.lines.span(values.card),
            given: self.lines.span(values.amount),
            authorization: self.lines.span(values.authorization),
            promotions: if promotions_count {
                self.lines.span(values.promotions)
            } else {
                Span::default()
            },
            custom: custom_json(&values)?,
        })
    }

    /// Whether the user may post such a line.
    fn may(&self, redeem: bool, sent: &str) -> Result<(), Problem> {
        let (right, lacks) = match redeem {
            true => (Right::Redeem, Code::MayNotRedeem),
            false => (Right::Post, Code::MayNotPost),
        };
        if self.user.rights.has(right) {
            Ok(())
        } else {
            Err(Problem::new(lacks).field("redeemed").value(sent))
        }
    }

    fn campaign(&self, id: &str) -> Result<usize, Problem> {
        let problem = |code| Problem::new(code).field("campaign_id").value(id);
        let index = self
            .account
            .find_campaign(id)
            .ok_or_else(|| problem(Code::UnknownCampaign))?;
        let campaign = self
            .account
            .campaign(index)
            .ok_or_else(|| problem(Code::UnknownCampaign))?;
        if !self.user.sees(campaign.number) {
            // Letter for letter what an id nobody has gets.
            return Err(problem(Code::UnknownCampaign));
        }
        if !campaign.active {
            return Err(problem(Code::InactiveCampaign));
        }
        Ok(index)
    }

    fn date(&self, sent: &str) -> Result<Day, Problem> {
        let problem = |code, sent: &str| Problem::new(code).field("date").value(sent);
        let day = if sent.is_empty() {
            self.empty_date
        } else {
            dates::read(sent, self.lines.layout.old_generation)
                .map_err(|error| problem(Code::BadDate, sent).detail(error))?
        };
        if dates::in_range(day, self.today) {
            Ok(day)
        } else if sent.is_empty() {
            // Of a line that is posted after all, it comes from a row.
            Err(problem(Code::DateOutOfRange, &day.iso()))
        } else {
            Err(problem(Code::DateOutOfRange, sent))
        }
    }
}

/// A value beyond the declared columns is the promotions of a points line, as a known client sends them; any other
/// value there is a fault. An empty one is a trailing delimiter.
fn place_surplus<'a>(
    values: &mut Values<'a>,
    campaign: &Campaign,
    declared: bool,
) -> Result<(), Problem> {
    let fault = |value: &str| Err(Problem::new(Code::SurplusValue).value(value));
    if !values.more_surplus.is_empty() {
        return fault(values.more_surplus);
    }
    if !values.surplus.is_empty() {
        if declared || campaign.kind != Kind::Points {
            return fault(values.surplus);
        }
        values.promotions = values.surplus;
    }
    Ok(())
}

/// The item of a line; only buy-X campaigns have items.
fn item<'c>(campaign: &'c Campaign, name: &str) -> Result<Option<&'c Item>, Problem> {
    if campaign.kind != Kind::BuyX {
        return Ok(None);
    }
    let problem = |code| Problem::new(code).field("service_product");
    if name.is_empty() {
        return Err(problem(Code::MissingItem));
    }
    let unknown = || problem(Code::UnknownItem).value(name);
    campaign.item(name).map(Some).ok_or_else(unknown)
}

fn check_keys(values: &Values<'_>) -> Result<(), Problem> {
    if values.code.is_empty() && values.card.is_empty() {
        return Err(Problem::new(Code::MissingCode).field("code"));
    }
    for (name, value) in [("code", values.code), ("card_number", values.card)] {
        check_length(name, value, ID_MAX_CHARS)?;
        if value.chars().any(char::is_control) {
            return Err(Problem::new(Code::ControlCharacter)
                .field(name)
                .value(value));
        }
    }
    Ok(())
}

fn check_length(field: &str, value: &str, max_chars: usize) -> Result<(), Problem> {
    if text::too_long(value, max_chars) {
        return Err(Problem::new(Code::TooLong)
            .field(field)
            .value(value)
            .detail(max_chars));
    }
    Ok(())
}

fn custom_json(values: &Values<'_>) -> Result<Option<Box<str>>, Problem> {
    if values.custom.is_empty() {
        return Ok(None);
    }
    let mut fields = BTreeMap::new();
    for (number, value) in &values.custom {
        let name = Column::Custom(*number).name();
        check_length(&name, value, TEXT_MAX_CHARS)?;
        fields.insert(name, *value);
    }
    Ok(serde_json::to_string(&fields).ok().map(Box::from))
}
