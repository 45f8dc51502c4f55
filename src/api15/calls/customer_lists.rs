//! `customer_search` and `customer_find`.
//!
//! Belongs here: the fields of these request types. Does not belong here: what their values mean ([`crate::loyalty`]),
//! what the replies look like ([`crate::api15::reply`]).

use super::{Request, Row, Running, bad_value, balance};
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::customers::Customers;
use crate::dates;
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, User};
use crate::loyalty::customers::fields::NO_DATE;
use crate::loyalty::customers::search::{
    Compare, Criterion, Filter, PHRASE_MAX_CHARS, PHRASE_MAX_WORDS, Place,
};
use crate::loyalty::customers::{CUSTOM_MAX, Name};
use crate::loyalty::rights::Need;
use crate::posting::lists::Search;
use crate::text;

/// The request types of this family.
pub const ROWS: &[Row] = &[
    Row::reading("customer_search", search),
    Row {
        name: "customer_find",
        aliases: &["find_customer"],
        need: Need::READ,
        raise: None,
        writes: false,
        dry_run: false,
        fields: &[],
        run: find,
    },
];

/// Customers by what stands in their fields.
fn search<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let filter = Filter::All(criteria(&request.params)?);
        list(request, filter).await
    })
}

/// Customers by words that stand anywhere.
fn find<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let filter = phrase(request.required("find_customer")?)?;
        list(request, filter).await
    })
}

async fn list(request: &Request<'_>, filter: Filter) -> Result<Reply, Problem> {
    let campaigns = match request.params.flag("include_balances")?.unwrap_or(false) {
        true => Some(campaigns(request)?),
        false => None,
    };
    let account = request.account()?;
    let search = Search {
        account: account.number,
        filter,
        balances: campaigns
            .iter()
            .flatten()
            .flat_map(|index| places(account, *index))
            .collect(),
    };
    let poster = &request.service.poster;
    let customers = Customers::begin(poster, account, campaigns, search).await?;
    Ok(Reply::Feed(Box::new(customers)))
}

/// The campaigns whose balances are told: the one that is named, else all active ones that the user sees.
fn campaigns(request: &Request<'_>) -> Result<Vec<usize>, Problem> {
    if let Some(id) = request.params.text("campaign_id") {
        return Ok(vec![request.campaign_of(id)?]);
    }
    Ok(seen(request.account()?, request.user()?))
}

fn seen(account: &Account, user: &User) -> Vec<usize> {
    let campaigns = account.campaigns().iter().enumerate();
    campaigns
        .filter(|(_, campaign)| campaign.active && user.sees(campaign.number))
        .map(|(index, _)| index)
        .collect()
}

/// The campaign's number with those of its items, or with 0.
fn places(account: &Account, index: usize) -> Vec<(i32, i32)> {
    let Some(campaign) = account.campaign(index) else {
        return Vec::new();
    };
    let items = balance::items(campaign).into_iter();
    items.map(|item| (campaign.number, item)).collect()
}

/// What the fields of a search say.
fn criteria(params: &Params) -> Result<Vec<Criterion>, Problem> {
    let compare = match params.text("exact_match") {
        None => Compare::Part,
        Some(word) if word.eq_ignore_ascii_case("sensitive") => Compare::Exact,
        Some(word) if word.eq_ignore_ascii_case("insensitive") => Compare::Whole,
        Some(word) => return Err(bad_value("exact_match", word, "sensitive or insensitive")),
    };
    let field = |name: Name| (Place::Field(name), name.word());
    let mut asked = vec![
        (Place::Code, "code".to_owned()),
        (Place::Card, "card_number".to_owned()),
    ];
    asked.extend(Name::plain().map(field));
    let first = Place::Field(Name::Custom(1));
    asked.extend(["custom_field", "custom1"].map(|word| (first, word.to_owned())));
    asked.extend((1..=CUSTOM_MAX).map(Name::Custom).map(field));
    let mut criteria = Vec::new();
    for (place, word) in asked {
        let Some(sent) = params.text(&word) else {
            continue;
        };
        // What clients send for a day that they do not have.
        if place == Place::Field(Name::CustomDate) && NO_DATE.contains(&sent) {
            continue;
        }
        // A day is stored in one form, however it is written.
        let day = match place {
            Place::Field(Name::CustomDate) => dates::read(sent, true).ok().map(|day| day.iso()),
            _ => None,
        };
        let sent = day.as_deref().unwrap_or(sent);
        criteria.extend(Criterion::new(place, sent, compare));
    }
    Ok(criteria)
}

fn phrase(sent: &str) -> Result<Filter, Problem> {
    let about = |code| Problem::new(code).field("find_customer");
    if text::too_long(sent, PHRASE_MAX_CHARS) {
        return Err(about(Code::TooLong).value(sent).detail(PHRASE_MAX_CHARS));
    }
    let filter = Filter::phrase(sent).ok_or_else(|| about(Code::MissingField))?;
    if filter.words() > PHRASE_MAX_WORDS {
        let must = format!("at most {PHRASE_MAX_WORDS} words");
        return Err(bad_value("find_customer", sent, must));
    }
    Ok(filter)
}
