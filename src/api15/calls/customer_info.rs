//! `customer_info`: a customer, and what it has in each campaign.
//!
//! Belongs here: the fields of this request type. Does not belong here: what the reply looks like
//! ([`crate::api15::reply`]).

use super::{Request, Row, Running, balance};
use crate::api15::reply::Reply;
use crate::api15::reply::customer::Info;
use crate::loyalty::account::Campaign;
use std::sync::Arc;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row::reading("customer_info", run)];

fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let params = &request.params;
        let (code, card) = request.code_and_card()?;
        let with_balances = params.flag("include_balances")?.unwrap_or(true);
        let hide_custom = params.flag("hide_custom_field")?.unwrap_or(false);
        // There are no coalitions, so that everybody belongs to everything.
        params.flag("show_only_belong_to")?;
        let account = request.account()?;
        let campaigns = match (with_balances, params.text("campaign_id")) {
            (with_balances, Some(id)) => {
                let campaign = account.campaign(request.campaign_of(id)?).cloned();
                with_balances.then(|| campaign.into_iter().collect())
            }
            (true, None) => {
                let user = request.user()?;
                let all = account.campaigns().iter();
                let seen = all.filter(|one| one.active && user.sees(one.number));
                Some(seen.cloned().collect::<Vec<Campaign>>())
            }
            (false, None) => None,
        };
        let balances = campaigns.iter().flatten().flat_map(|campaign| {
            let items = balance::items(campaign).into_iter();
            items.map(|item| (campaign.number, item))
        });
        let poster = &request.service.poster;
        let found = poster.customer_by(account.number, (code, card), balances.collect());
        let (customer, balances) = found.await?;
        Ok(Reply::told(Info {
            account: Arc::clone(account),
            customer,
            with_custom: !hide_custom,
            campaigns,
            balances,
        }))
    })
}
