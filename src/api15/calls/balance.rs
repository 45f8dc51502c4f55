//! `customer_balance`.
//!
//! Belongs here: the fields of this request type. Does not belong here: what is shown of a history
//! ([`crate::api15::reply::history`]).

use super::{Request, Row, Running, bad_value};
use crate::api15::reply::Reply;
use crate::api15::reply::history::{Head, HistoryFeed};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Campaign, Kind};
use crate::posting::lookup::Ask;
use std::sync::Arc;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row {
    aliases: &["balance"],
    ..Row::reading("customer_balance", run)
}];

fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        request.required("campaign_id")?;
        let (code, card) = request.code_and_card()?;
        let index = request.campaign()?;
        let left = transactions_number(request)?;
        // Nobody has coalitions, so it changes nothing.
        request.params.flag("across_campaigns")?;
        let account = request.account()?;
        let campaign = account.campaign(index);
        let campaign = campaign.ok_or_else(|| Problem::new(Code::UnknownCampaign))?;
        let ask = Ask {
            account: account.number,
            code: code.into(),
            card: card.into(),
            campaign: Some((campaign.number, items(campaign))),
        };
        let poster = &request.service.poster;
        let found = poster.look(ask).await?;
        let head = Head {
            account: Arc::clone(account),
            campaign: index,
            found,
        };
        if left == Some(0) {
            return Ok(Reply::told(head));
        }
        let feed = HistoryFeed::begin(Arc::clone(poster), head, left).await?;
        Ok(Reply::Feed(Box::new(feed)))
    })
}

/// The numbers of a campaign's items, 0 where it has none.
pub fn items(campaign: &Campaign) -> Box<[i32]> {
    match campaign.kind {
        Kind::BuyX => campaign.items.iter().map(|item| item.number).collect(),
        _ => Box::new([0]),
    }
}

/// How many transactions are to be told; `None` is all.
fn transactions_number(request: &Request<'_>) -> Result<Option<usize>, Problem> {
    const NAME: &str = "transactions_number";
    let Some(sent) = request.params.text(NAME) else {
        return Ok(None);
    };
    let digits = sent.bytes().all(|byte| byte.is_ascii_digit());
    match sent.parse() {
        Ok(number) if digits => Ok(Some(number)),
        // More than anybody has.
        Err(_) if digits => Ok(None),
        _ => Err(bad_value(NAME, sent, "a whole number, 0 or more")),
    }
}
