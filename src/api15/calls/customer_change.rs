//! `customer_delete` and `card_replace`: a customer forgotten, a code or card number given anew.
//!
//! Belongs here: the fields of these request types. Does not belong here: what is forgotten and what changes hands
//! ([`crate::loyalty`]), what the replies look like ([`crate::api15::reply`]).

use super::drawn::{CardForm, TRIES};
use super::{Request, Row, Running, bad_value, check_key};
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::customer::{Deleted, Replaced};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::customers::fields::{self, Empty, How};
use crate::loyalty::customers::replace::{New, Old};
use crate::loyalty::customers::{Given, Name, PeopleDone};
use crate::loyalty::once::Kept;
use crate::loyalty::rights::Need;
use crate::posting::people::{Changed, Replacing};
use crate::secrets;

/// The request types of this family.
pub const ROWS: &[Row] = &[
    Row::writing("customer_delete", Need::MANAGE, &["code"], delete),
    Row::writing(
        "card_replace",
        Need::MANAGE,
        &[
            "card_number_generate",
            "card_number_prefix",
            "card_number_suffix",
            "check_override",
            "city",
            "country",
            "custom1",
            "custom_date",
            "custom_field",
            "custom_field_#",
            "customer_username",
            "email",
            "first_name",
            "keep_which",
            "last_name",
            "new_card_number",
            "new_code",
            "phone",
            "postal_code",
            "previous_card",
            "previous_code",
            "profile_uid",
            "state",
            "street1",
            "street2",
        ],
        replace,
    ),
];

/// Bytes of a contact's id.
const CONTACT_ID: usize = 12;

fn contact_id() -> Result<String, Problem> {
    let failed = |_| Problem::new(Code::Unavailable).detail("there are no random numbers");
    secrets::random_hex(CONTACT_ID).map_err(failed)
}

fn delete<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let code = request.required("code")?;
        check_key("code", code)?;
        let once = request.once()?;
        let (poster, caller) = (&request.service.poster, request.caller()?);
        let erased = poster.erase(caller, request.account()?, code, contact_id()?, once);
        let repeated = match erased.await? {
            Changed::Now(PeopleDone::Erased { .. }) => false,
            Changed::Before(Kept::Customer { .. }) => true,
            _ => return Err(Problem::new(Code::Unavailable).detail("it met a defect")),
        };
        Ok(Reply::told(Deleted {
            code: code.to_owned(),
            repeated,
        }))
    })
}

fn replace<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let once = request.once()?;
        let account = request.account()?;
        let (old, uid, fields) = old(&request.params, account)?;
        let new = new(&request.params)?;
        let over = request.params.flag("check_override")?.unwrap_or(false);
        let keep_duplicate = keep_duplicate(&request.params)?;
        let poster = &request.service.poster;
        let old = match old {
            Some(old) => old,
            None => {
                let (name, value) = first_sent(uid.as_deref(), &fields)?;
                let matching = poster.matching(account.number, uid, fields).await?;
                match matching.as_slice() {
                    [one] => Old::Matching(*one),
                    [] => {
                        let must = "a customer's, together with the other fields: none fits";
                        return Err(bad_value(&name, &value, must));
                    }
                    _ => {
                        let must = "one customer's, together with the other fields: several fit";
                        return Err(bad_value(&name, &value, must));
                    }
                }
            }
        };
        let replacing = Replacing {
            old,
            new,
            over,
            keep_duplicate,
            contact_id: contact_id()?,
        };
        let replaced = poster.replace(request.caller()?, account, replacing, once);
        let (customer, repeated) = match replaced.await? {
            Changed::Now(PeopleDone::Replaced { customer }) => (*customer, false),
            Changed::Before(Kept::Customer { customer, .. }) => {
                let found = poster.customer(account.number, customer).await?;
                let text = |name| request.params.text(name);
                let sent = text("previous_code").or(text("previous_card"));
                let gone = || Problem::new(Code::NoSuchCustomer).value(sent.unwrap_or(""));
                (found.ok_or_else(gone)?, true)
            }
            _ => return Err(Problem::new(Code::Unavailable).detail("it met a defect")),
        };
        Ok(Reply::told(Replaced { customer, repeated }))
    })
}

/// Fields by which a customer is found who has lost code and card.
type Fields = Vec<(Name, String)>;

/// Who gets the new value: by code, else by card number, else by the client's own id and other fields.
fn old(
    params: &Params,
    account: &Account,
) -> Result<(Option<Old>, Option<String>, Fields), Problem> {
    if let Some(code) = params.text("previous_code") {
        check_key("previous_code", code)?;
        return Ok((Some(Old::Code(code.to_owned())), None, Vec::new()));
    }
    if let Some(card) = params.text("previous_card") {
        check_key("previous_card", card)?;
        return Ok((Some(Old::Card(card.to_owned())), None, Vec::new()));
    }
    let uid = params.text("profile_uid").map(str::to_owned);
    let named = params.iter().filter_map(|(name, value)| {
        let value = value.trim();
        let name = Name::from_word(name).filter(|_| !value.is_empty())?;
        Some((name, value))
    });
    // As they are kept: a date may be sent in several forms.
    let how = How {
        new: false,
        empty: Empty::Keep,
    };
    let read = fields::read(named, account, how)?.names.into_iter();
    let fields: Fields = read
        .filter_map(|(name, given)| match given {
            Given::Set(value) => Some((name, value.into())),
            Given::Keep | Given::Clear => None,
        })
        .collect();
    match uid.is_none() && fields.is_empty() {
        true => Err(Problem::new(Code::MissingField).field("previous_code")),
        false => Ok((None, uid, fields)),
    }
}

fn first_sent(uid: Option<&str>, fields: &Fields) -> Result<(String, String), Problem> {
    let uid = uid.map(|uid| ("profile_uid".to_owned(), uid.to_owned()));
    let field = fields.first();
    let field = || field.map(|(name, value)| (name.word(), value.clone()));
    let missing = || Problem::new(Code::MissingField).field("previous_code");
    uid.or_else(field).ok_or_else(missing)
}

/// The new value: the first that is filled.
fn new(params: &Params) -> Result<New, Problem> {
    if let Some(code) = params.text("new_code") {
        check_key("new_code", code)?;
        return Ok(New::Code(code.to_owned()));
    }
    if let Some(card) = params.text("new_card_number") {
        check_key("new_card_number", card)?;
        return Ok(New::Card(card.to_owned()));
    }
    let form = CardForm::read(params, "card_number_generate")?;
    let form = form.ok_or_else(|| Problem::new(Code::MissingField).field("new_card_number"))?;
    let drawn: Result<Vec<String>, Problem> = (0..TRIES).map(|_| form.draw()).collect();
    Ok(New::Drawn(drawn?))
}

fn keep_duplicate(params: &Params) -> Result<bool, Problem> {
    match params.text("keep_which") {
        None => Ok(false),
        Some(sent) if sent.eq_ignore_ascii_case("matched") => Ok(false),
        Some(sent) if sent.eq_ignore_ascii_case("duplicate") => Ok(true),
        Some(sent) => Err(bad_value("keep_which", sent, "matched or duplicate")),
    }
}
