//! `record_activity`, `redeem` and `transaction_delete`.
//!
//! Belongs here: the fields of these request types. Does not belong here: what their values mean ([`crate::loyalty`]),
//! what the replies look like ([`crate::api15::reply`]).

use super::{Request, Row, Running, check_key};
use crate::amount::{self, Amount};
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::receipt::{Deleted, Receipted};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Campaign, Kind};
use crate::loyalty::lines::Column;
use crate::loyalty::reverse::Delete;
use crate::loyalty::rights::Need;
use crate::loyalty::single::Single;
use chrono::Utc;
use std::sync::Arc;

/// The request types of this family.
pub const ROWS: &[Row] = &[
    Row::writing(
        "record_activity",
        Need::POST,
        &[
            "amount",
            "authorization",
            "buyx_quantity",
            "campaign_id",
            "card_number",
            "code",
            "custom_field_#",
            "promo_id",
            "send_transaction_email",
            "service_product",
        ],
        record,
    ),
    Row::writing(
        "redeem",
        Need::REDEEM,
        &[
            "authorization",
            "campaign_id",
            "card_number",
            "code",
            "custom_dollars_redeem",
            "custom_field_#",
            "custom_points_redeem",
            "reward_to_redeem",
            "send_transaction_email",
        ],
        redeem,
    ),
    Row::writing(
        "transaction_delete",
        Need::MANAGE,
        &["campaign_id", "code", "transaction_id"],
        delete,
    ),
];

/// The values of a line, and how they are read.
struct Line<'p> {
    values: Vec<(Column, &'p str)>,
    ratio: bool,
    dollars: bool,
}

impl<'p> Line<'p> {
    fn new(values: Vec<(Column, &'p str)>) -> Line<'p> {
        Line {
            values,
            ratio: false,
            dollars: false,
        }
    }

    fn with_ratio(values: Vec<(Column, &'p str)>) -> Line<'p> {
        Line {
            ratio: true,
            ..Line::new(values)
        }
    }
}

fn record<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(single(request, "N", added))
}

fn redeem<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(single(request, "Y", redeemed))
}

/// What of a line depends on the kind of campaign.
type OfKind = for<'p> fn(&'p Params, &Campaign) -> Result<Line<'p>, Problem>;

/// Posts one transaction, as a line that says the same would be.
async fn single(
    request: &mut Request<'_>,
    redeemed: &str,
    of_kind: OfKind,
) -> Result<Reply, Problem> {
    let (code, card) = request.code_and_card()?;
    let account = request.account()?;
    let campaign = account.campaign(request.campaign()?);
    let campaign = campaign.ok_or_else(|| Problem::new(Code::UnknownCampaign))?;
    let params = &request.params;
    // Mails need an SMTP server; there is no setting for one, so no mail is due.
    params.flag("send_transaction_email")?;
    let mut line = of_kind(params, campaign)?;
    line.values.extend([
        (Column::Campaign, campaign.id.as_str()),
        (Column::Code, code),
        (Column::Card, card),
        (Column::Redeemed, redeemed),
    ]);
    for (name, value) in params.iter() {
        let column = Column::from_name(name);
        if let Some(column @ (Column::Authorization | Column::Custom(_))) = column {
            line.values.push((column, value));
        }
    }
    let how = (line.ratio, line.dollars);
    let single = Single::new(request.caller()?, &line.values, how, Utc::now(), account)?;
    let poster = &request.service.poster;
    let mut receipt = poster.post_single(single, request.once()?).await?;
    if receipt.names.is_none() {
        // The customer came into being just before, or the receipt is told again.
        let names = poster.names(account.number, receipt.customer).await;
        receipt.names = names.map(Arc::new);
    }
    Ok(Reply::told(Receipted {
        account: Arc::clone(account),
        receipt,
    }))
}

/// What `record_activity` sends of a line.
fn added<'p>(params: &'p Params, campaign: &Campaign) -> Result<Line<'p>, Problem> {
    let text = |name| params.text(name).unwrap_or("");
    let required = |name| {
        let sent = params.text(name);
        sent.ok_or_else(|| Problem::new(Code::MissingField).field(name))
    };
    Ok(match campaign.kind {
        Kind::Points => {
            let (amount, promotions) = (text("amount"), text("promo_id"));
            if promotions.is_empty() {
                required("amount")?;
            }
            Line::with_ratio(vec![
                (Column::Amount, amount),
                (Column::Promotions, promotions),
            ])
        }
        Kind::GiftCard => Line::new(vec![(Column::Amount, required("amount")?)]),
        Kind::BuyX => Line::new(vec![
            (Column::Item, required("service_product")?),
            (Column::Amount, text("buyx_quantity")),
        ]),
        // One visit, whatever else is sent.
        Kind::Events | Kind::Earned => Line::with_ratio(Vec::new()),
    })
}

/// What `redeem` sends of a line.
fn redeemed<'p>(params: &'p Params, campaign: &Campaign) -> Result<Line<'p>, Problem> {
    const REWARD: &str = "reward_to_redeem";
    let missing = || Problem::new(Code::MissingField).field(REWARD);
    let reward = || params.text(REWARD).ok_or_else(missing);
    Ok(match campaign.kind {
        Kind::Points => {
            // Known clients send all three, of which two are 0, however written.
            let fields = [REWARD, "custom_points_redeem", "custom_dollars_redeem"];
            let filled = || {
                let each = fields.into_iter();
                each.filter_map(move |name| Some((name, params.text(name)?)))
            };
            let is_zero = |sent| amount::read(sent).is_ok_and(|read| read.amount == Amount::ZERO);
            let counts = filled().find(|(_, sent)| !is_zero(sent));
            let (name, sent) = counts.or_else(|| filled().next()).ok_or_else(missing)?;
            Line {
                values: vec![(Column::Amount, sent)],
                ratio: name == REWARD,
                dollars: name == "custom_dollars_redeem",
            }
        }
        Kind::GiftCard | Kind::Earned => Line::new(vec![(Column::Amount, reward()?)]),
        // Without an amount it is one free item.
        Kind::BuyX => Line::with_ratio(vec![(Column::Item, reward()?)]),
        Kind::Events => Line::with_ratio(vec![(Column::Amount, reward()?)]),
    })
}

fn delete<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        request.required("campaign_id")?;
        request.required("code")?;
        let sent = request.required("transaction_id")?.to_owned();
        request.campaign()?;
        let campaign = request.required("campaign_id")?.to_owned();
        let code = request.required("code")?.to_owned();
        check_key("code", &code)?;
        let delete = Delete {
            caller: request.caller()?,
            campaign,
            code,
            sent,
            found: None,
            owed: Vec::new(),
            planned_for: request.account()?.config_version,
        };
        let once = request.once()?;
        let (entry, repeated) = request.service.poster.delete_entry(delete, once).await?;
        Ok(Reply::told(Deleted { entry, repeated }))
    })
}
