//! `manage_fields`.
//!
//! Belongs here: this call's fields. Does not belong here: what a definition may say
//! ([`crate::loyalty::config::fields`]).

use super::{Request, Row, Running, bad_value};
use crate::api15::once::KnownBy;
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::fields::FieldsTold;
use crate::error::{Code, Problem};
use crate::loyalty::account::{CustomField, FieldKind, TEXT_MAX_CHARS};
use crate::loyalty::config::ConfigCommand;
use crate::loyalty::config::fields::{Action, CHOICES_MAX, FIELDS_MAX, FieldWish, FieldsCommand};
use crate::loyalty::rights::Need;
use crate::posting::config::Configured;
use crate::text;
use std::collections::BTreeMap;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row {
    raise: Some(raise),
    // The fields of fields are added by their prefix.
    ..Row::writing("manage_fields", Need::READ, &["action"], run)
}];

const PREFIX: &str = "custom_field_";

/// What is to be done; `None` is to list.
fn action(params: &Params) -> Result<Option<Action>, Problem> {
    let Some(sent) = params.text("action") else {
        return Ok(None);
    };
    match sent.to_ascii_lowercase().as_str() {
        "list" => Ok(None),
        "add" => Ok(Some(Action::Add)),
        "update" => Ok(Some(Action::Update)),
        "delete" => Ok(Some(Action::Delete)),
        _ => Err(bad_value("action", sent, "list, add, update or delete")),
    }
}

fn raise(params: &Params) -> Need {
    match action(params) {
        Ok(Some(_)) => Need::MANAGE,
        _ => Need::READ,
    }
}

fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let account = request.account()?;
        let told = |fields: &[CustomField], repeated: bool| {
            Reply::told(FieldsTold {
                account_id: account.account_id.clone(),
                fields: fields.to_vec(),
                repeated,
            })
        };
        let Some(action) = action(&request.params)? else {
            return Ok(told(&account.fields, false));
        };
        let wishes = wishes(&request.params, action)?;
        let service = request.service;
        let identity = request.identity()?;
        let mut known_by = KnownBy::read(&request.params, request.row, account)?;
        if let Some(known_by) = &mut known_by {
            for (name, value) in named(&request.params) {
                known_by.add(name, value);
            }
        }
        let kept_s = service.idempotency_kept_s;
        let once = known_by.map(|known| known.once(&identity.caller, account, kept_s));
        let command = ConfigCommand::Fields(FieldsCommand {
            caller: request.caller()?,
            action,
            wishes,
            shared: Vec::new(),
        });
        let done = service.poster.configure(command, once).await?;
        let now = service.directory.by_number(account.number);
        let repeated = matches!(done, Configured::Before(_));
        Ok(told(&now.as_ref().unwrap_or(account).fields, repeated))
    })
}

/// The request's fields that are about custom fields.
fn named(params: &Params) -> impl Iterator<Item = (&str, &str)> {
    params.iter().filter(|(name, _)| name.starts_with(PREFIX))
}

/// What is said of each field, in the order of their numbers.
fn wishes(params: &Params, action: Action) -> Result<Vec<FieldWish>, Problem> {
    let mut wishes: BTreeMap<u8, FieldWish> = BTreeMap::new();
    for (name, sent) in named(params) {
        let rest = name.strip_prefix(PREFIX).unwrap_or("");
        let (digits, part) = match rest.split_once('_') {
            Some((digits, part)) => (digits, part),
            None => (rest, ""),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // A deletion names fields, the other actions name their parts.
        if part.is_empty() != (action == Action::Delete) {
            continue;
        }
        let number = digits.parse::<u8>().ok();
        let number = number.filter(|number| (1..=FIELDS_MAX).contains(number));
        let Some(number) = number else {
            let must = format!("custom_field_ with a number from 1 to {FIELDS_MAX}");
            return Err(bad_value("custom_field", name, must));
        };
        let wish = wishes.entry(number).or_insert_with(|| FieldWish {
            number,
            ..FieldWish::default()
        });
        read_part(wish, params, name, part, sent.trim())?;
    }
    if wishes.is_empty() {
        let missing = match action {
            Action::Delete => "custom_field_2",
            Action::Add | Action::Update => "custom_field_2_label",
        };
        return Err(Problem::new(Code::MissingField).field(missing));
    }
    Ok(wishes.into_values().collect())
}

fn read_part(
    wish: &mut FieldWish,
    params: &Params,
    name: &str,
    part: &str,
    sent: &str,
) -> Result<(), Problem> {
    match part {
        "label" if !sent.is_empty() => {
            check_text(name, sent)?;
            wish.label = Some(sent.to_owned());
        }
        "type" if !sent.is_empty() => {
            let kind = FieldKind::from_word(sent);
            wish.kind =
                Some(kind.ok_or_else(|| bad_value(name, sent, "Text, Date, List or Pick"))?);
        }
        "choices" => {
            let choices = sent.split(',').map(str::trim);
            let choices: Vec<&str> = choices.filter(|choice| !choice.is_empty()).collect();
            if choices.len() > CHOICES_MAX {
                let must = format!("a list of at most {CHOICES_MAX} choices");
                return Err(bad_value(name, sent, must));
            }
            for choice in &choices {
                check_text(name, choice)?;
            }
            wish.choices = Some(choices.into_iter().map(str::to_owned).collect());
        }
        "show" => wish.shown = params.flag(name)?,
        "searchable" => wish.searchable = params.flag(name)?,
        "unique" => wish.unique = params.flag(name)?,
        "required" => wish.required = params.flag(name)?,
        // Not known, and so not looked at; or empty, and so not said.
        _ => {}
    }
    Ok(())
}

fn check_text(name: &str, sent: &str) -> Result<(), Problem> {
    let about = |code| Problem::new(code).field(name).value(sent);
    if text::too_long(sent, TEXT_MAX_CHARS) {
        return Err(about(Code::TooLong).detail(TEXT_MAX_CHARS));
    }
    match sent.chars().any(char::is_control) {
        true => Err(about(Code::ControlCharacter)),
        false => Ok(()),
    }
}
