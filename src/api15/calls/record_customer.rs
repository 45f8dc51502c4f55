//! `record_customer`: a customer created, registered or changed.
//!
//! Belongs here: the fields of this request type. Does not belong here: what their values mean ([`crate::loyalty`]),
//! what the replies look like ([`crate::api15::reply`]).

use super::drawn::{CardForm, DIGITS, TRIES, drawn_digits};
use super::{Request, Row, Running, bad_value, check_key};
use crate::api15::once::KnownBy;
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::customer::Recorded;
use crate::error::{Code, Problem};
use crate::loyalty::customers::save::{Action, Save, Sent};
use crate::loyalty::customers::{Name, PeopleCommand, PeopleDone};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::rights::Need;
use crate::posting::people::Changed;
use crate::text;
use chrono::Utc;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row {
    name: "record_customer",
    aliases: &[],
    need: Need::MANAGE,
    raise: Some(needs),
    writes: true,
    dry_run: false,
    // Password and PIN are added as digests under the server key: few enough are possible to try them all.
    fields: &[
        "action",
        "auto_add",
        "campaign_id",
        "card_number",
        "card_number_generate",
        "card_number_prefix",
        "card_number_suffix",
        "city",
        "code",
        "country",
        "custom1",
        "custom_date",
        "custom_field",
        "custom_field_#",
        "customer_action",
        "customer_username",
        "email",
        "first_name",
        "last_name",
        "new_code",
        "phone",
        "postal_code",
        "state",
        "street1",
        "street2",
    ],
    run,
}];

/// The longest password or PIN, in characters.
const SECRET_MAX_CHARS: usize = 128;

/// What is posted with a customer needs the right to post.
fn needs(params: &Params) -> Need {
    match params.text("auto_add") {
        Some(_) => Need::MANAGE_AND_POST,
        None => Need::MANAGE,
    }
}

fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut sent = read(request)?;
        let once = once(request)?;
        let (account, received) = (request.account()?, Utc::now());
        // What is wrong is told before a password is hashed, which takes its time.
        Save::new(request.caller()?, sent.clone(), received, account)?;
        for (name, place) in [
            ("customer_password", &mut sent.password),
            ("customer_PIN", &mut sent.pin),
        ] {
            if let Some(secret) = secret(&request.params, name)? {
                let hash = request.service.passwords.hash(secret).await?;
                *place = Some(hash.into());
            }
        }
        let save = Save::new(request.caller()?, sent, received, account)?;
        let poster = &request.service.poster;
        let posted = poster.change_people(PeopleCommand::Save(save), once);
        let (customer, status, repeated) = match posted.await? {
            Changed::Now(PeopleDone::Saved { customer, status }) => {
                (*customer, status.word().to_owned(), false)
            }
            Changed::Before(Kept::Customer { customer, told }) => {
                let found = poster.customer(account.number, customer).await?;
                let text = |name| request.params.text(name);
                let sent = text("code").or(text("card_number")).unwrap_or("");
                let gone = || Problem::new(Code::NoSuchCustomer).value(sent);
                (found.ok_or_else(gone)?, told, true)
            }
            _ => return Err(Problem::new(Code::Unavailable).detail("it met a defect")),
        };
        Ok(Reply::told(Recorded {
            customer,
            status,
            account_name: account.name.clone(),
            repeated,
        }))
    })
}

/// Reads the fields; the first problem in the order of the published document.
fn read(request: &Request<'_>) -> Result<Sent, Problem> {
    let params = &request.params;
    let action = action(params)?;
    let campaigns = campaigns(request, action)?;
    let value = |name| params.text(name).unwrap_or("");
    let (code, card) = (value("code"), value("card_number"));
    check_key("code", code)?;
    check_key("card_number", card)?;
    if action == Action::Register && code.is_empty() && card.is_empty() {
        return Err(Problem::new(Code::MissingField).field("code"));
    }
    let new_code = params.flag("new_code")?.unwrap_or(false);
    let drawn_cards = match CardForm::read(params, "card_number_generate")? {
        Some(form) if card.is_empty() => {
            let drawn: Result<Vec<String>, Problem> = (0..TRIES).map(|_| form.draw()).collect();
            drawn?
        }
        _ => Vec::new(),
    };
    // Mails need an SMTP server; there is no setting for one, so no mail is due.
    params.flag("send_no_email")?;
    for name in ["customer_password", "customer_PIN"] {
        secret(params, name)?;
    }
    let named = params.iter().filter_map(|(name, value)| {
        let name = Name::from_word(name)?;
        Some((name, value.to_owned()))
    });
    let amount = params.text("auto_add").filter(|_| action == Action::New);
    Ok(Sent {
        action,
        code: code.to_owned(),
        card: card.to_owned(),
        new_code,
        drawn_code: drawn_digits(DIGITS)?,
        drawn_cards,
        fields: named.collect(),
        password: None,
        pin: None,
        auto_add: amount.map(|amount| (campaigns, amount.to_owned())),
    })
}

/// `customer_action`; where it was not sent, `action`, as some clients call it.
fn action(params: &Params) -> Result<Action, Problem> {
    let word = |name| {
        let sent = params.text(name)?;
        let known = [
            ("new", Action::New),
            ("register", Action::Register),
            ("edit", Action::Edit),
        ];
        let found = known
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(sent));
        Some((sent, found.map(|(_, action)| *action)))
    };
    match (word("customer_action"), word("action")) {
        (Some((_, Some(action))), _) | (None, Some((_, Some(action)))) => Ok(action),
        (Some((sent, None)), _) => {
            let must = "new, register or edit";
            Err(bad_value("customer_action", sent, must))
        }
        (None, _) => Err(Problem::new(Code::MissingField).field("customer_action")),
    }
}

/// The campaigns, all of which the user must see.
fn campaigns(request: &Request<'_>, action: Action) -> Result<Vec<String>, Problem> {
    let sent = match action {
        Action::New => request.required("campaign_id")?,
        Action::Register | Action::Edit => request.params.text("campaign_id").unwrap_or(""),
    };
    let mut ids: Vec<String> = Vec::new();
    for id in sent.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        request.campaign_of(id)?;
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    if action == Action::New && ids.is_empty() {
        return Err(Problem::new(Code::MissingField).field("campaign_id"));
    }
    Ok(ids)
}

/// A password or PIN, without the blanks around it; `None` where it is to stay.
fn secret<'p>(params: &'p Params, name: &str) -> Result<Option<&'p str>, Problem> {
    let Some(secret) = params.text(name) else {
        return Ok(None);
    };
    if text::too_long(secret, SECRET_MAX_CHARS) {
        // Its value is nothing to be told.
        let about = Problem::new(Code::TooLong).field(name).value("***");
        return Err(about.detail(SECRET_MAX_CHARS));
    }
    Ok(Some(secret))
}

fn once(request: &Request<'_>) -> Result<Option<Once>, Problem> {
    let identity = request.identity()?;
    let known_by = KnownBy::read(&request.params, request.row, &identity.account)?;
    Ok(known_by.map(|mut known_by| {
        for name in ["customer_password", "customer_PIN"] {
            if let Some(secret) = request.params.text(name) {
                let digest = request.service.key.digest(secret.as_bytes());
                known_by.add(name, &hex::encode(digest));
            }
        }
        let kept_s = request.service.idempotency_kept_s;
        known_by.once(&identity.caller, &identity.account, kept_s)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_two_names_of_which_the_right_one_counts() {
        for (fields, read) in [
            (&[("customer_action", "New")][..], Ok(Action::New)),
            (&[("action", "edit")], Ok(Action::Edit)),
            (
                &[("customer_action", "register"), ("action", "new")],
                Ok(Action::Register),
            ),
            (&[("action", "something")], Err(Code::MissingField)),
            (&[("customer_action", "")], Err(Code::MissingField)),
            (
                &[("customer_action", "make"), ("action", "new")],
                Err(Code::BadValue),
            ),
        ] {
            let params: Params = fields.iter().copied().collect();
            assert_eq!(action(&params).map_err(|problem| problem.code), read);
        }
    }
}
