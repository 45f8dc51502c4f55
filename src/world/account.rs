//! Accounts of a world file with their users and brands.
//!
//! Belongs here: `[[account]]`, `[[account.user]]`, `[[account.brand]]`.

use super::fault::{Notes, Taken};
use super::section::{Found, Section};
use super::{Campaign, Customer, Runs, campaign, customer};
use crate::amount;
use crate::loyalty::account::{ID_MAX_CHARS, Kind, TEXT_MAX_CHARS};
use crate::loyalty::config::users::{PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS};
use crate::loyalty::rights::{Right, Rights};
use crate::secrets::Secret;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::HashSet;
use toml::de::DeTable;

/// An account of the file.
#[derive(Clone, Debug)]
pub struct Account {
    /// The line it begins on.
    pub line: usize,
    /// The id clients send.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its currency, as ISO 4217 writes it.
    pub currency: String,
    /// Its time zone.
    pub zone: Tz,
    /// Its country, as ISO 3166 writes it.
    pub country: Option<String>,
    /// The secret it signs with.
    pub secret: Option<Secret>,
    /// How many e-mail addresses it may have checked when it is first seen; `None` is without limit.
    pub email_credits: Option<i64>,
    /// How long, in seconds, a request without an idempotency key counts as the repetition of an equal one; 0 is never.
    pub duplicate_window_s: i32,
    /// Its users.
    pub users: Vec<User>,
    /// Its brands.
    pub brands: Vec<Brand>,
    /// Its campaigns.
    pub campaigns: Vec<Campaign>,
    /// Its customers.
    pub customers: Vec<Customer>,
}

/// A user: whoever calls API 1.5.
#[derive(Clone, Debug)]
pub struct User {
    /// The line it begins on.
    pub line: usize,
    /// The id, unique in the installation.
    pub id: String,
    /// Its key.
    pub api_key: Option<Secret>,
    /// The ids of the campaigns it sees, all of the file; `None` is every campaign of the account.
    pub campaigns: Option<Vec<String>>,
    /// What it may do; everything where the file says nothing.
    pub rights: Rights,
    /// The password with which it logs in.
    pub password: Option<Secret>,
}

/// A brand: whoever calls sales v4.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The line it begins on.
    pub line: usize,
    /// The id, unique in the account.
    pub id: String,
    /// Its currency; `None` is the account's.
    pub currency: Option<String>,
    /// Its time zone; `None` is the account's.
    pub zone: Option<Tz>,
    /// The id of the points campaign in which its sales earn; `None`: they earn nothing.
    pub campaign: Option<String>,
    /// Its token.
    pub token: Secret,
}

/// The longest secret, in characters: sealed, it has to fit its column.
const SECRET_MAX_CHARS: usize = 128;

/// The longest duplicate window: 30 days.
const DUPLICATE_WINDOW_MAX_S: i64 = 30 * 24 * 3600;

const ACCOUNT_KEYS: &[&str] = &[
    "id",
    "name",
    "currency",
    "timezone",
    "country",
    "secret",
    "email_credits",
    "duplicate_window_s",
    "user",
    "brand",
    "campaign",
    "customer",
];
const USER_KEYS: &[&str] = &["id", "api_key", "campaigns", "permissions", "password"];
const BRAND_KEYS: &[&str] = &["id", "currency", "timezone", "token", "campaign"];

/// Ids that are unique over all accounts.
#[derive(Default)]
struct Installation {
    accounts: Taken,
    users: Taken,
    tokens: HashSet<String>,
}

/// Reads all accounts. Where customers were split off, there must be as many accounts as the splitter saw; else `None`.
pub(super) fn read_all(
    notes: &mut Notes,
    root: &Section<'_, '_>,
    split: Option<(usize, &Runs<'_>)>,
    now: DateTime<Utc>,
) -> Option<Vec<Account>> {
    let mut installation = Installation::default();
    let sections = root.sections(notes, "account", "[[account]]", ACCOUNT_KEYS);
    if split.is_some_and(|(accounts, _)| accounts != sections.len()) {
        return None;
    }
    let runs = split.map(|(_, runs)| runs);
    let accounts = sections.iter().enumerate().filter_map(|(place, section)| {
        let mut customers = customer::Reader::new(now);
        let account = account(
            notes,
            section,
            &mut installation,
            &mut customers,
            (place, runs),
        )?;
        Some(Account {
            customers: customers.list,
            ..account
        })
    });
    Some(accounts.collect())
}

fn account(
    notes: &mut Notes,
    section: &Section<'_, '_>,
    installation: &mut Installation,
    customers: &mut customer::Reader,
    (place, runs): (usize, Option<&Runs<'_>>),
) -> Option<Account> {
    let before = notes.count();
    let id = section.required(notes, "id", ID_MAX_CHARS);
    if let Some(id) = id {
        installation.accounts.take(notes, id, "in the installation");
    }
    let name = section.required(notes, "name", TEXT_MAX_CHARS);
    let money = section
        .required(notes, "currency", TEXT_MAX_CHARS)
        .and_then(|found| currency(notes, found));
    let zone = section
        .required(notes, "timezone", TEXT_MAX_CHARS)
        .and_then(|found| zone(notes, found));
    let country = section
        .text(notes, "country", TEXT_MAX_CHARS)
        .and_then(|found| country(notes, found));
    let secret = section.text(notes, "secret", SECRET_MAX_CHARS);
    let email_credits = section.integer(notes, "email_credits", 0..=1_000_000_000_000);
    let window = section.integer(notes, "duplicate_window_s", 0..=DUPLICATE_WINDOW_MAX_S);
    // Two decimals where the currency is wrong: that is noted, and the rest can still be checked.
    let digits = money.as_ref().map_or(2, |(_, digits)| *digits);
    let campaigns = campaign::read_all(notes, section, digits);
    // What names campaigns is looked at only if they are right: else one fault would bring thousands.
    let sure = (notes.count() == before).then_some(campaigns.as_slice());
    let users = users(notes, section, sure, &mut installation.users);
    let brands = brands(notes, section, sure, &mut installation.tokens);
    customers.read(notes, section, sure);
    let runs = runs.map(|runs| runs.list.iter().map(|run| (runs.text, run)));
    for (text, (_, run)) in runs
        .into_iter()
        .flatten()
        .filter(|(_, (of, _))| *of == place)
    {
        let before = notes.place(vec![(0, run.start)]);
        match DeTable::parse(text.get(run.clone()).unwrap_or_default()) {
            Ok(document) => {
                let root = Section::root(notes, document.get_ref(), &["account"]);
                if let Some(account) = root.table(notes, "account", "[[account]]") {
                    customers.read(notes, &account, sure);
                }
            }
            Err(error) => notes.syntax(&error),
        }
        notes.place(before);
    }
    Some(Account {
        line: section.line,
        id: id?.owned(),
        name: name?.owned(),
        currency: money?.0,
        zone: zone?,
        country,
        secret: secret.map(|found| Secret::new(found.text)),
        email_credits,
        duplicate_window_s: window.and_then(|s| i32::try_from(s).ok()).unwrap_or(0),
        users,
        brands,
        campaigns,
        customers: Vec::new(),
    })
}

fn users(
    notes: &mut Notes,
    account: &Section<'_, '_>,
    campaigns: Option<&[Campaign]>,
    taken: &mut Taken,
) -> Vec<User> {
    let mut users = Vec::new();
    for section in account.sections(notes, "user", "[[account.user]]", USER_KEYS) {
        let id = section.required(notes, "id", ID_MAX_CHARS);
        if let Some(id) = id {
            taken.take(notes, id, "in the installation");
        }
        let api_key = section.text(notes, "api_key", TEXT_MAX_CHARS);
        let seen = section.texts(notes, "campaigns", ID_MAX_CHARS);
        for name in seen.iter().flatten() {
            let missing = |campaigns: &[Campaign]| campaigns.iter().all(|one| one.id != name.text);
            if campaigns.is_some_and(missing) {
                name.fault(
                    notes,
                    "no campaign of this account has that id in this file",
                    "Name an id of one of its [[account.campaign]] tables",
                );
            }
        }
        let rights = rights(notes, &section);
        let password = section.text(notes, "password", PASSWORD_MAX_CHARS);
        if let Some(password) = password
            && password.text.chars().count() < PASSWORD_MIN_CHARS
        {
            let wrong = format!("it is shorter than {PASSWORD_MIN_CHARS} characters");
            password.fault(notes, wrong, "Choose a longer one");
        }
        users.extend(id.map(|id| User {
            line: section.line,
            id: id.owned(),
            api_key: api_key.map(|key| Secret::new(key.text)),
            campaigns: seen.map(|seen| seen.iter().map(Found::owned).collect()),
            rights,
            password: password.map(|found| Secret::new(found.text)),
        }));
    }
    users
}

/// What a user may do: the words of `permissions`, or everything.
fn rights(notes: &mut Notes, user: &Section<'_, '_>) -> Rights {
    let Some(words) = user.texts(notes, "permissions", ID_MAX_CHARS) else {
        return Rights::ALL;
    };
    let mut rights = Rights::NONE;
    for word in words {
        match Right::ALL.iter().find(|(_, known, _)| *known == word.text) {
            Some((right, ..)) => rights = rights.with(*right),
            None => {
                let known = Rights::ALL.words().replace(',', ", ");
                word.fault(
                    notes,
                    "there is no such permission",
                    format_args!("Write some of: {known}"),
                );
            }
        }
    }
    rights
}

fn brands(
    notes: &mut Notes,
    account: &Section<'_, '_>,
    campaigns: Option<&[Campaign]>,
    tokens: &mut HashSet<String>,
) -> Vec<Brand> {
    let mut taken = Taken::default();
    let mut brands = Vec::new();
    for section in account.sections(notes, "brand", "[[account.brand]]", BRAND_KEYS) {
        let id = section.required(notes, "id", ID_MAX_CHARS);
        if let Some(id) = id {
            taken.take(notes, id, "in its account");
        }
        let money = section
            .text(notes, "currency", TEXT_MAX_CHARS)
            .and_then(|found| currency(notes, found));
        let zone = section
            .text(notes, "timezone", TEXT_MAX_CHARS)
            .and_then(|found| zone(notes, found));
        let earning = section.text(notes, "campaign", ID_MAX_CHARS);
        if let (Some(name), Some(campaigns)) = (earning, campaigns) {
            match campaigns.iter().find(|one| one.id == name.text) {
                Some(campaign) if campaign.kind == Kind::Points => {}
                Some(_) => name.fault(
                    notes,
                    "it is not a points campaign",
                    "Sales earn points: name a campaign of the type points",
                ),
                None => name.fault(
                    notes,
                    "no campaign of this account has that id in this file",
                    "Name an id of one of its [[account.campaign]] tables",
                ),
            }
        }
        let token = section.required(notes, "token", TEXT_MAX_CHARS);
        if let Some(token) = token
            && !tokens.insert(token.owned())
        {
            token.fault(
                notes,
                "another brand has the same token",
                "Give each its own",
            );
        }
        if let (Some(id), Some(token)) = (id, token) {
            brands.push(Brand {
                line: section.line,
                id: id.owned(),
                currency: money.map(|(code, _)| code),
                zone,
                campaign: earning.map(|found| found.owned()),
                token: Secret::new(token.text),
            });
        }
    }
    brands
}

/// The code of a currency and its minor digits.
fn currency(notes: &mut Notes, found: Found<'_>) -> Option<(String, u8)> {
    let digits = amount::currency_digits(found.text);
    if digits.is_none() {
        found.fault(
            notes,
            "ISO 4217 has no such currency",
            "Write its three capital letters, such as \"USD\"",
        );
    }
    digits.map(|digits| (found.owned(), digits))
}

fn zone(notes: &mut Notes, found: Found<'_>) -> Option<Tz> {
    let zone = found.text.parse().ok();
    if zone.is_none() {
        found.fault(
            notes,
            "there is no such time zone",
            "Write a name of the IANA database, such as \"America/New_York\" or \"UTC\"",
        );
    }
    zone
}

fn country(notes: &mut Notes, found: Found<'_>) -> Option<String> {
    let letters = found.text.bytes().all(|byte| byte.is_ascii_uppercase());
    if letters && found.text.len() == 2 {
        return Some(found.owned());
    }
    found.fault(
        notes,
        "it is not a country of ISO 3166",
        "Write its two capital letters, such as \"US\"",
    );
    None
}
