//! The table of all request types, and a request as its handler sees it.
//!
//! Belongs here: which types there are, and what the handlers of all families have in common. Does not belong here: the
//! fields of a single type (its family's file), what a reply looks like ([`super::reply`]).
//!
//! A handler reads its fields, asks the rules and the [`crate::posting::Poster`], and builds a reply. It knows no SQL,
//! no XML and no JSON.

pub mod account;
pub mod balance;
pub mod campaigns;
pub mod customer_change;
pub mod customer_info;
pub mod customer_lists;
pub mod customer_secrets;
pub mod customers_batch;
pub mod drawn;
pub mod fields;
pub mod login;
pub mod paging;
pub mod record_customer;
pub mod tokens;
pub mod transactions;
pub mod users;

use super::auth::Identity;
use super::once::KnownBy;
use super::params::Params;
use super::reply::Reply;
use super::{Service, batch};
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, ID_MAX_CHARS, User};
use crate::loyalty::batch::Caller;
use crate::loyalty::once::Once;
use crate::loyalty::rights::Need;
use crate::text;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// A request type.
pub struct Row {
    /// The value of `type`; by it the request is known when it comes again, whichever name was sent.
    pub name: &'static str,
    /// Other values of `type` that mean the same.
    pub aliases: &'static [&'static str],
    /// What the caller must be allowed to do.
    pub need: Need,
    /// What else a request needs because of its fields.
    pub raise: Option<fn(&Params) -> Need>,
    /// Whether it may write: then it takes an idempotency key, and the account's duplicate guard looks at it.
    pub writes: bool,
    /// Whether it can be tried out with `dry_run`.
    pub dry_run: bool,
    /// The fields that say what a request means, but for those too large to be read with the others: in these a repeated
    /// one must be equal. `#` at the end stands for any number.
    pub fields: &'static [&'static str],
    /// The handler.
    pub run: Run,
}

/// A handler.
pub type Run = for<'a> fn(&'a mut Request<'_>) -> Running<'a>;

/// A handler at work.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + 'a>>;

/// All families of request types.
const FAMILIES: &[&[Row]] = &[
    batch::ROWS,
    transactions::ROWS,
    balance::ROWS,
    campaigns::ROWS,
    record_customer::ROWS,
    customer_info::ROWS,
    customer_change::ROWS,
    customer_lists::ROWS,
    customers_batch::ROWS,
    customer_secrets::ROWS,
    account::ROWS,
    users::ROWS,
    fields::ROWS,
    tokens::ROWS,
    login::ROWS,
];

/// Every request type that is served.
pub fn all() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().copied().flatten()
}

/// The request type with this name or alias.
pub fn find(name: &str) -> Option<&'static Row> {
    all().find(|row| row.name == name || row.aliases.contains(&name))
}

impl Row {
    /// A type that reads, without aliases.
    pub const fn reading(name: &'static str, run: Run) -> Row {
        Row {
            name,
            aliases: &[],
            need: Need::READ,
            raise: None,
            writes: false,
            dry_run: false,
            fields: &[],
            run,
        }
    }

    /// A type that writes, without aliases.
    pub const fn writing(
        name: &'static str,
        need: Need,
        fields: &'static [&'static str],
        run: Run,
    ) -> Row {
        Row {
            need,
            writes: true,
            fields,
            ..Row::reading(name, run)
        }
    }

    /// What a request with these fields needs.
    pub fn needs(&self, params: &Params) -> Need {
        self.raise.map_or(self.need, |raise| raise(params))
    }

    /// Whether this field says what a request means; names as [`Params::iter`] gives them.
    pub fn means(&self, field: &str) -> bool {
        self.fields
            .iter()
            .any(|known| match known.strip_suffix('#') {
                Some(prefix) => field.strip_prefix(prefix).is_some_and(|digits| {
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                }),
                None => *known == field,
            })
    }
}

/// A request whose caller may make it.
pub struct Request<'s> {
    /// What it is served with.
    pub service: &'s Service,
    /// Its fields.
    pub params: Params,
    /// Its type.
    pub row: &'static Row,
    /// Where it comes from, as far as that is known.
    pub address: Option<IpAddr>,
    /// Who calls; `None` where the type does not ask.
    pub identity: Option<Identity>,
}

impl Request<'_> {
    /// Who calls.
    pub fn identity(&self) -> Result<&Identity, Problem> {
        let identity = self.identity.as_ref();
        identity.ok_or_else(|| Problem::new(Code::BadCredentials))
    }

    /// The account, as it was when the request came.
    pub fn account(&self) -> Result<&Arc<Account>, Problem> {
        Ok(&self.identity()?.account)
    }

    /// The caller, in the form in which posting checks it again.
    pub fn caller(&self) -> Result<Caller, Problem> {
        Ok(self.identity()?.caller.clone())
    }

    /// The user who calls.
    pub fn user(&self) -> Result<&User, Problem> {
        let identity = self.identity()?;
        let user = identity.account.user(&identity.caller.user_id);
        user.ok_or_else(|| Problem::new(Code::BadCredentials))
    }

    /// A field that must be there; without the blanks around it.
    pub fn required(&self, name: &str) -> Result<&str, Problem> {
        let sent = self.params.text(name);
        sent.ok_or_else(|| Problem::new(Code::MissingField).field(name))
    }

    /// The field `campaign_id`: the index of a campaign that the user sees. One that he does not see is told, letter for
    /// letter, as one that nobody has.
    pub fn campaign(&self) -> Result<usize, Problem> {
        self.campaign_of(self.required("campaign_id")?)
    }

    /// The index of the campaign with this id, if the user sees it.
    pub fn campaign_of(&self, id: &str) -> Result<usize, Problem> {
        let (account, user) = (self.account()?, self.user()?);
        let index = account.find_campaign(id).filter(|index| {
            let campaign = account.campaign(*index);
            campaign.is_some_and(|campaign| user.sees(campaign.number))
        });
        index.ok_or_else(|| {
            Problem::new(Code::UnknownCampaign)
                .field("campaign_id")
                .value(id)
        })
    }

    /// The fields `code` and `card_number`, of which one must be filled.
    pub fn code_and_card(&self) -> Result<(&str, &str), Problem> {
        let text = |name| self.params.text(name).unwrap_or("");
        let (code, card) = (text("code"), text("card_number"));
        if code.is_empty() && card.is_empty() {
            return Err(Problem::new(Code::MissingField).field("code"));
        }
        check_key("code", code)?;
        check_key("card_number", card)?;
        Ok((code, card))
    }

    /// By what the request is known when it comes again; `None` where nobody asked for that.
    pub fn once(&self) -> Result<Option<Once>, Problem> {
        self.once_with(&[])
    }

    /// As [`Request::once`], for a request that means something else with other passwords in these fields. They are known
    /// by their digests under the server key: so few are possible that other ones could be tried out.
    pub fn once_with(&self, secrets: &[&str]) -> Result<Option<Once>, Problem> {
        let identity = self.identity()?;
        let Some(mut known_by) = KnownBy::read(&self.params, self.row, &identity.account)? else {
            return Ok(None);
        };
        for name in secrets {
            if let Some(secret) = self.params.text(name) {
                let digest = self.service.key.digest(secret.as_bytes());
                known_by.add(name, &hex::encode(digest));
            }
        }
        let kept_s = self.service.idempotency_kept_s;
        let once = known_by.once(&identity.caller, &identity.account, kept_s);
        Ok(Some(once))
    }
}

/// Checks a value that is to be a code or a card number.
pub fn check_key(field: &str, value: &str) -> Result<(), Problem> {
    let about = |code| Problem::new(code).field(field).value(value);
    if text::too_long(value, ID_MAX_CHARS) {
        return Err(about(Code::TooLong).detail(ID_MAX_CHARS));
    }
    if value.chars().any(char::is_control) {
        return Err(about(Code::ControlCharacter));
    }
    Ok(())
}

/// A field whose value is not among those that it may have; `must` goes on from "it must be".
pub fn bad_value(field: &str, value: &str, must: impl ToString) -> Problem {
    Problem::new(Code::BadValue)
        .field(field)
        .value(value)
        .detail(must)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_aliases_are_unique_and_no_field_is_listed_twice() {
        let mut names = HashSet::new();
        for row in all() {
            for name in [row.name].iter().chain(row.aliases) {
                assert!(names.insert(*name), "{name}");
                assert_eq!(find(name).map(|row| row.name), Some(row.name));
            }
            let fields: HashSet<_> = row.fields.iter().collect();
            assert_eq!(fields.len(), row.fields.len(), "{}", row.name);
            assert!(row.writes || row.fields.is_empty(), "{}", row.name);
        }
        assert!(find("nothing").is_none());
    }

    #[test]
    fn a_number_sign_stands_for_any_number() {
        let row = find("batch_transactions").unwrap();
        for (field, means) in [
            ("delimiter", true),
            ("visits_header_12", true),
            ("visits_header_", false),
            ("visits_header_x", false),
            ("visits_header_1x", false),
            ("output", false),
        ] {
            assert_eq!(row.means(field), means, "{field}");
        }
    }
}
