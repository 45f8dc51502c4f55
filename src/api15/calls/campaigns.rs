//! `campaigns_list`, `campaigns_inactive_list`, `campaign_rewards`, `campaign_promos` and `buyx_items_list`.
//!
//! Belongs here: the fields of these request types. Does not belong here: what the replies look like
//! ([`crate::api15::reply`]).

use super::paging::{Field, Paging};
use super::{Request, Row, Running, bad_value};
use crate::api15::reply::Reply;
use crate::api15::reply::campaigns::{Campaigns, Items, Promotions, Rewards};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Campaign, Kind};
use std::sync::Arc;

/// The request types of this family.
pub const ROWS: &[Row] = &[
    Row::reading("campaigns_list", active),
    Row::reading("campaigns_inactive_list", inactive),
    Row::reading("campaign_rewards", rewards),
    Row::reading("campaign_promos", promotions),
    Row::reading("buyx_items_list", items),
];

const fn text(name: &'static str) -> Field {
    Field {
        name,
        number: false,
    }
}

const fn number(name: &'static str) -> Field {
    Field { name, number: true }
}

fn active<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move { list(request, true) })
}

fn inactive<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move { list(request, false) })
}

/// The campaigns that the user sees, those that take postings or those that do not.
fn list(request: &Request<'_>, active: bool) -> Result<Reply, Problem> {
    let kinds = kinds(request)?;
    let paging = Paging::read(&request.params, &[text("name")])?;
    let (account, user) = (request.account()?, request.user()?);
    let is_listed = |campaign: &Campaign| {
        campaign.active == active
            && user.sees(campaign.number)
            && kinds
                .as_ref()
                .is_none_or(|kinds| kinds.contains(&campaign.kind))
    };
    let all = account.campaigns().iter();
    let listed = all.filter(|campaign| is_listed(campaign)).cloned();
    Ok(Reply::told(Campaigns {
        page: paging.cut(listed.collect(), |campaign, _| campaign.name.clone()),
        account: Arc::clone(account),
    }))
}

/// The kinds that are asked for; `None` is all.
fn kinds(request: &Request<'_>) -> Result<Option<Vec<Kind>>, Problem> {
    const NAME: &str = "type_restrict";
    let Some(sent) = request.params.text(NAME) else {
        return Ok(None);
    };
    let words = sent.split(',').map(str::trim);
    let kinds = words.filter(|word| !word.is_empty()).map(|word| {
        Kind::from_word(&word.to_ascii_lowercase()).ok_or_else(|| {
            let known = Kind::ALL.map(|(_, word)| word).join(", ");
            bad_value(NAME, word, format!("some of {known}"))
        })
    });
    Ok(Some(kinds.collect::<Result<_, _>>()?))
}

/// The campaign that is asked about.
fn campaign<'r>(request: &'r Request<'_>) -> Result<&'r Campaign, Problem> {
    let campaign = request.account()?.campaign(request.campaign()?);
    campaign.ok_or_else(|| Problem::new(Code::UnknownCampaign))
}

fn rewards<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let campaign = campaign(request)?.clone();
        Ok(Reply::told(Rewards { campaign }))
    })
}

fn promotions<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let campaign = campaign(request)?;
        let fields = [text("promotion"), text("operation"), number("multiplier")];
        let paging = Paging::read(&request.params, &fields)?;
        let page = paging.cut(
            campaign.promotions.clone(),
            |promotion, field| match field {
                "promotion" => promotion.description.clone(),
                "operation" => promotion.operand.word().to_owned(),
                _ => promotion.value.text(promotion.value.decimals()),
            },
        );
        let campaign = campaign.id.clone();
        Ok(Reply::told(Promotions { campaign, page }))
    })
}

fn items<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let campaign = campaign(request)?;
        let fields = [
            text("service_product"),
            text("reward_id"),
            number("buy_amount"),
        ];
        let paging = Paging::read(&request.params, &fields)?;
        let page = paging.cut(campaign.items.clone(), |item, field| match field {
            "service_product" => item.service_product.clone(),
            "reward_id" => item.id.clone(),
            _ => item.buy_amount.to_string(),
        });
        Ok(Reply::told(Items { page }))
    })
}
