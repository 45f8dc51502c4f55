//! `user_info`, `users_list`, `user_new`, `user_update`, `user_delete`, `campaign_users`.
//!
//! Belongs here: these calls' fields. Does not belong here: what a user may give to another
//! ([`crate::loyalty::config::users`]).

use super::{Request, Row, Running, bad_value};
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::users::{CampaignUsersChanged, UserChanged, UserTold, UsersTold};
use crate::dates::{local_stamp, micros};
use crate::error::{Code, Problem};
use crate::loyalty::account::{ID_MAX_CHARS, User};
use crate::loyalty::config::users::{
    CampaignUsers, Given, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS, UserCommand, Wish,
};
use crate::loyalty::config::{ConfigCommand, ConfigDone};
use crate::loyalty::once::{Kept, Once};
use crate::loyalty::rights::{Need, Rights};
use crate::posting::config::Configured;
use crate::secrets::random_hex;
use chrono::Utc;

/// The fields of a user; the password is added as a digest.
const OF_USER: &[&str] = &["campaign_id", "permissions", "user_name"];

/// The request types of this file.
pub const ROWS: &[Row] = &[
    Row::reading("users_list", list),
    Row::reading("user_info", info),
    Row::writing("user_new", Need::MANAGE, OF_USER, create),
    Row::writing("user_update", Need::MANAGE, OF_USER, update),
    Row::writing("user_delete", Need::MANAGE, &["user_name"], delete),
    Row {
        raise: Some(raise),
        ..Row::writing(
            "campaign_users",
            Need::READ,
            &["action", "campaign_id", "user_name"],
            of_campaign,
        )
    },
];

/// Bytes of a key, of which each is two hexadecimal digits.
pub const KEY_BYTES: usize = 20;

fn list<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let users = request.account()?.users();
        Ok(Reply::told(UsersTold(ids(users))))
    })
}

fn ids<'u>(users: impl Iterator<Item = &'u User>) -> Vec<String> {
    let mut ids: Vec<String> = users.map(|user| user.user_id.clone()).collect();
    ids.sort_unstable();
    ids
}

fn info<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let (account, caller) = (request.account()?, request.user()?);
        let user = match request.params.text("user_name") {
            None => caller,
            Some(name) => account
                .user(name)
                .ok_or_else(|| Problem::new(Code::UnknownUser).value(name))?,
        };
        // The caller learns of no campaign that it does not see itself.
        let both = |number: i32| user.sees(number) && caller.sees(number);
        let campaigns = account.campaigns().iter();
        let seen = campaigns.filter(|campaign| both(campaign.number));
        Ok(Reply::told(UserTold {
            user_id: user.user_id.clone(),
            permissions: user.rights.words(),
            campaigns: seen.map(|campaign| campaign.id.clone()).collect(),
            created: local_stamp(user.created_at, account.zone),
        }))
    })
}

fn create<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = user_name(request)?.to_owned();
        let once = request.once_with(&["new_user_password"])?;
        let given = given(request).await?;
        let key =
            random_hex(KEY_BYTES).map_err(|error| Problem::new(Code::Unavailable).detail(error))?;
        let digest = request.service.key.digest(key.as_bytes());
        change(request, name, Wish::New(given, digest), once, Some(key)).await
    })
}

fn update<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = user_name(request)?.to_owned();
        let once = request.once_with(&["new_user_password"])?;
        let given = given(request).await?;
        change(request, name, Wish::Update(given), once, None).await
    })
}

fn delete<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = user_name(request)?.to_owned();
        let once = request.once()?;
        change(request, name, Wish::Delete, once, None).await
    })
}

fn user_name<'a>(request: &'a Request<'_>) -> Result<&'a str, Problem> {
    let name = request.required("user_name")?;
    super::check_key("user_name", name)?;
    Ok(name)
}

/// What is said of the user.
async fn given(request: &Request<'_>) -> Result<Given, Problem> {
    let rights = match request.params.text("permissions") {
        None => None,
        Some(sent) => Some(Rights::from_words(sent).map_err(|_| {
            let words = Rights::ALL.words().replace(',', ", ");
            bad_value("permissions", sent, format!("some of {words}"))
        })?),
    };
    // Lists with nothing but commas say as little as empty ones.
    let rights = rights.filter(|rights| *rights != Rights::NONE);
    let campaigns = request.params.text("campaign_id").map(listed);
    let campaigns = campaigns.filter(|ids| !ids.is_empty());
    for id in campaigns.iter().flatten() {
        request.campaign_of(id)?;
    }
    let password = match request.params.text("new_user_password") {
        None => None,
        Some(password) => {
            check_password(password)?;
            Some(request.service.passwords.hash(password).await?)
        }
    };
    Ok(Given {
        password: password.map(String::into_boxed_str),
        rights,
        campaigns,
    })
}

fn check_password(password: &str) -> Result<(), Problem> {
    let chars = password.chars().count();
    match (PASSWORD_MIN_CHARS..=PASSWORD_MAX_CHARS).contains(&chars) {
        true => Ok(()),
        // The value is a secret.
        false => Err(bad_value(
            "new_user_password",
            "***",
            format!("{PASSWORD_MIN_CHARS} to {PASSWORD_MAX_CHARS} characters long"),
        )),
    }
}

/// The parts of a list with commas, each once.
fn listed(sent: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for part in sent.split(',').map(str::trim) {
        if !part.is_empty() && !list.iter().any(|known| known == part) {
            list.push(part.to_owned());
        }
    }
    list
}

async fn change(
    request: &Request<'_>,
    name: String,
    wish: Wish,
    once: Option<Once>,
    key: Option<String>,
) -> Result<Reply, Problem> {
    let command = ConfigCommand::User(UserCommand {
        caller: request.caller()?,
        name: name.clone(),
        wish,
        now_us: micros(Utc::now()),
        elsewhere: false,
    });
    let (word, repeated) = match request.service.poster.configure(command, once).await? {
        Configured::Now(ConfigDone::User { word, .. }) => (word.to_owned(), false),
        Configured::Before(Kept::User { told, .. }) => (told, true),
        _ => return Err(defect()),
    };
    Ok(Reply::told(UserChanged {
        word,
        user_id: name,
        // The one that was made for a repeated request is nobody's.
        key: key.filter(|_| !repeated),
        repeated,
    }))
}

/// What the rows of a repeated request do not tell.
fn defect() -> Problem {
    Problem::new(Code::Unavailable).detail("what was done before cannot be told")
}

/// Whether `campaign_users` adds (`Some(true)`), removes (`Some(false)`) or lists (`None`).
fn action(params: &Params) -> Result<Option<bool>, Problem> {
    match params.text("action") {
        None => Ok(None),
        Some(word) if word.eq_ignore_ascii_case("list") => Ok(None),
        Some(word) if word.eq_ignore_ascii_case("add") => Ok(Some(true)),
        Some(word) if word.eq_ignore_ascii_case("remove") => Ok(Some(false)),
        Some(word) => Err(bad_value("action", word, "add, remove or list")),
    }
}

fn raise(params: &Params) -> Need {
    match action(params) {
        Ok(Some(_)) => Need::MANAGE,
        _ => Need::READ,
    }
}

fn of_campaign<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let add = action(&request.params)?;
        let index = request.campaign()?;
        let account = request.account()?;
        let campaign = account.campaign(index).ok_or_else(defect)?;
        let Some(added) = add else {
            let users = account.users().filter(|user| user.sees(campaign.number));
            return Ok(Reply::told(UsersTold(ids(users))));
        };
        let names = listed(request.required("user_name")?);
        if names.is_empty() {
            return Err(Problem::new(Code::MissingField).field("user_name"));
        }
        for name in &names {
            if crate::text::too_long(name, ID_MAX_CHARS) {
                return Err(Problem::new(Code::UnknownUser).value(name));
            }
        }
        let id = campaign.id.clone();
        let command = ConfigCommand::Visible(CampaignUsers {
            caller: request.caller()?,
            campaign: id.clone(),
            names,
            add: added,
        });
        let once = request.once()?;
        let done = request.service.poster.configure(command, once).await?;
        let (changed, of, repeated) = match done {
            Configured::Now(ConfigDone::Visible { changed, of }) => (changed, of, false),
            Configured::Before(Kept::Word { word }) => {
                let (changed, of) = counts(&word).ok_or_else(defect)?;
                (changed, of, true)
            }
            _ => return Err(defect()),
        };
        Ok(Reply::told(CampaignUsersChanged {
            campaign: id,
            added,
            changed,
            of,
            repeated,
        }))
    })
}

/// What is kept of such a request: how many of how many.
fn counts(word: &str) -> Option<(usize, usize)> {
    let (changed, of) = word.split_once('/')?;
    Some((changed.parse().ok()?, of.parse().ok()?))
}
