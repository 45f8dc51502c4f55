//! Accounts, users with their keys, and brands.

use super::{Diff, Stop, campaigns, commit, name_others, next_number};
use crate::dates;
use crate::loyalty::rights::Rights;
use crate::secrets::{self, Secret, ServerKey, account_context, passwords};
use crate::store::accounts::LOGIN_KEY;
use crate::store::heads::{self, Head};
use crate::store::schema::{accounts, api_keys, brands, user_campaigns, users};
use crate::store::{Db, Failure, dialect, person_keys, sync_heads};
use crate::text::shown;
use crate::world::{Account, Brand, User, World};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = accounts, treat_none_as_null = true, treat_none_as_default_value = false)]
struct AccountRow {
    id: i32,
    account_id: String,
    name: String,
    currency: String,
    timezone: String,
    country: Option<String>,
    secret: Option<Vec<u8>>,
    email_credits: Option<i64>,
    created_at: i64,
    duplicate_window_s: i32,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = users, primary_key(account_id, number), treat_none_as_null = true, treat_none_as_default_value = false)]
struct UserRow {
    account_id: i32,
    number: i32,
    user_id: String,
    all_campaigns: bool,
    created_at: i64,
    permissions: i16,
    password: Option<String>,
    active: bool,
}

#[derive(Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct KeyRow<'a> {
    account_id: i32,
    user: i32,
    hash: &'a [u8],
    kind: &'static str,
    created_at: i64,
    last_used_at: Option<i64>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable, Clone, PartialEq)]
#[diesel(table_name = brands, primary_key(account_id, number), treat_none_as_null = true, treat_none_as_default_value = false)]
struct BrandRow {
    account_id: i32,
    number: i32,
    brand_id: String,
    currency: Option<String>,
    timezone: Option<String>,
    token_hash: Vec<u8>,
    created_at: i64,
    campaign: Option<i32>,
}

/// The configuration of one account, written.
pub(super) struct Written {
    /// The account's number.
    pub(super) number: i32,
    /// What changed; everything below the account is indented.
    pub(super) lines: Vec<String>,
    /// Whether the first line names the account.
    pub(super) headed: bool,
    /// What is stored but not in the file.
    pub(super) kept: Vec<String>,
}

/// What the parts of an account's configuration share.
pub(super) struct Work<'d> {
    pub(super) db: &'d mut Db,
    pub(super) key: &'d ServerKey,
    pub(super) account: i32,
    pub(super) now_us: i64,
    pub(super) lines: Vec<String>,
    pub(super) kept: Vec<String>,
}

impl Work<'_> {
    /// A line of the report below its account.
    pub(super) fn say(&mut self, line: Option<String>) {
        self.lines.extend(line.map(|line| format!("  {line}")));
    }
}

/// Writes the configuration of one account and commits.
pub(super) fn write(
    db: &mut Db,
    key: &ServerKey,
    wanted: &Account,
    now: DateTime<Utc>,
) -> Result<Written, Stop> {
    let now_us = dates::micros(now);
    let (mut head, line) = match find(db, &wanted.id)? {
        Some(number) => {
            let head = heads::take(db, &[number])?.pop();
            let head = head.ok_or_else(|| {
                Failure::Data(format!("the account \"{}\" has no head", shown(&wanted.id)))
            })?;
            let line = update(db, key, &head, wanted, now_us)?;
            (head, line)
        }
        None => {
            let line = format!("account {}: created", shown(&wanted.id));
            (create(db, key, wanted, now_us)?, Some(line))
        }
    };
    let new = head.next_commit == 1 && head.config_version == 1;
    let mut work = Work {
        db,
        key,
        account: head.account_id,
        now_us,
        lines: Vec::new(),
        kept: Vec::new(),
    };
    let numbers = campaigns::write(&mut work, &wanted.campaigns)?;
    write_users(&mut work, &wanted.users, &numbers)?;
    write_brands(&mut work, &wanted.brands, &numbers)?;
    let Work { lines, kept, .. } = work;
    let written = Written {
        number: head.account_id,
        headed: line.is_some(),
        lines: line.into_iter().chain(lines).collect(),
        kept,
    };
    if written.lines.is_empty() {
        dialect::rollback(db)?;
        return Ok(written);
    }
    if !new {
        head.config_version = head.config_version.saturating_add(1);
    }
    commit(db, &mut head, now)?;
    Ok(written)
}

fn find(db: &mut Db, account_id: &str) -> Result<Option<i32>, Stop> {
    let row = accounts::table.filter(accounts::account_id.eq(account_id));
    Ok(row.select(accounts::id).first(db).optional()?)
}

fn create(db: &mut Db, key: &ServerKey, wanted: &Account, now_us: i64) -> Result<Head, Stop> {
    let numbers: Vec<i32> = accounts::table.select(accounts::id).load(db)?;
    let secret = wanted.secret.as_ref();
    let row = AccountRow {
        id: next_number(numbers.into_iter()),
        account_id: wanted.id.clone(),
        name: wanted.name.clone(),
        currency: wanted.currency.clone(),
        timezone: wanted.zone.name().to_owned(),
        country: wanted.country.clone(),
        secret: secret
            .map(|secret| seal(key, &wanted.id, secret))
            .transpose()?,
        email_credits: wanted.email_credits,
        created_at: now_us,
        duplicate_window_s: wanted.duplicate_window_s,
    };
    diesel::insert_into(accounts::table)
        .values(&row)
        .execute(db)
        // Somebody else may have taken the number or made the same account just now: look again.
        .map_err(|error| match Failure::from(error) {
            Failure::Data(text) => Failure::Conflict(text),
            other => other,
        })?;
    let head = Head::new(row.id);
    heads::create(db, &head)?;
    sync_heads::create(db, head.account_id, row.email_credits, now_us)?;
    Ok(head)
}

fn update(
    db: &mut Db,
    key: &ServerKey,
    head: &Head,
    wanted: &Account,
    now_us: i64,
) -> Result<Option<String>, Stop> {
    let row = accounts::table.find(head.account_id);
    let old: AccountRow = row.select(AccountRow::as_select()).first(db)?;
    let mut new = old.clone();
    new.name.clone_from(&wanted.name);
    new.currency.clone_from(&wanted.currency);
    wanted.zone.name().clone_into(&mut new.timezone);
    new.country = wanted.country.clone().or(new.country);
    new.duplicate_window_s = wanted.duplicate_window_s;
    if old.currency != new.currency && head.next_entry > 1 {
        return Err(Stop::Refused(format!(
            "line {}, account {}: its currency is {} and cannot become {}, because its journal has entries. Write \
             currency = \"{}\", or make another account",
            wanted.line,
            shown(&wanted.id),
            old.currency,
            new.currency,
            old.currency
        )));
    }
    let mut diff = Diff::default();
    diff.text("name", &old.name, &new.name);
    diff.text("currency", &old.currency, &new.currency);
    diff.text("timezone", &old.timezone, &new.timezone);
    diff.optional("country", old.country.as_deref(), new.country.as_deref());
    diff.value(
        "duplicate_window_s",
        old.duplicate_window_s,
        new.duplicate_window_s,
    );
    if let Some(secret) = &wanted.secret
        && !opens_to(key, &wanted.id, old.secret.as_deref(), secret)?
    {
        new.secret = Some(seal(key, &wanted.id, secret)?);
        diff.word("secret changed");
    }
    // email_credits are spent later: like an opening balance, they are given once, when they are first seen.
    if let (None, Some(credits)) = (old.email_credits, wanted.email_credits) {
        new.email_credits = Some(credits);
        diff.word(&format!("email_credits {credits}"));
    }
    sync_heads::limit(db, head.account_id, new.email_credits, now_us)?;
    if old.country != new.country {
        let countries = (old.country.as_deref(), new.country.as_deref());
        person_keys::move_country(db, head.account_id, countries)?;
    }
    if old != new {
        diesel::update(&old).set(&new).execute(db)?;
    }
    Ok(diff.line("account", &wanted.id))
}

fn seal(key: &ServerKey, account_id: &str, secret: &Secret) -> Result<Vec<u8>, Stop> {
    key.seal(secret.expose().as_bytes(), &account_context(account_id))
        .map_err(|error| Stop::Refused(error.to_string()))
}

fn opens_to(
    key: &ServerKey,
    account_id: &str,
    sealed: Option<&[u8]>,
    secret: &Secret,
) -> Result<bool, Stop> {
    let Some(sealed) = sealed else {
        return Ok(false);
    };
    let stored = key
        .open(sealed, &account_context(account_id))
        .map_err(|error| Stop::Refused(format!("account {}: {error}", shown(account_id))))?;
    Ok(secrets::same(&stored, secret.expose().as_bytes()))
}

fn write_users(
    work: &mut Work<'_>,
    wanted: &[User],
    campaigns: &HashMap<&str, i32>,
) -> Result<(), Stop> {
    let stored: Vec<UserRow> = users::table
        .filter(users::account_id.eq(work.account))
        .order(users::number)
        .select(UserRow::as_select())
        .load(work.db)?;
    let mut next = next_number(stored.iter().map(|row| row.number));
    for user in wanted {
        let mut diff = Diff::default();
        let known = stored.iter().find(|row| row.user_id == user.id);
        let old_password = known.and_then(|row| row.password.clone());
        let new_password = password(user, old_password.as_deref())?;
        let row = UserRow {
            account_id: work.account,
            number: known.map_or(next, |row| row.number),
            user_id: user.id.clone(),
            all_campaigns: user.campaigns.is_none(),
            created_at: known.map_or(work.now_us, |row| row.created_at),
            permissions: user.rights.0,
            // Left out of the file: left alone.
            password: new_password.clone().or(old_password),
            active: true,
        };
        match known {
            None => {
                free_user_id(work.db, user)?;
                diesel::insert_into(users::table)
                    .values(&row)
                    .execute(work.db)?;
                next = next.saturating_add(1);
                diff.word("created");
            }
            Some(old) if *old != row => {
                diesel::update(old).set(&row).execute(work.db)?;
            }
            Some(_) => {}
        }
        let seen = user.campaigns.iter().flatten();
        let seen = seen.filter_map(|id| campaigns.get(id.as_str()).copied());
        let limited = write_visibility(work, row.number, seen.collect())?;
        if let Some(old) = known {
            if !old.active {
                diff.word("restored");
            }
            if old.all_campaigns != row.all_campaigns || limited {
                diff.word("campaigns changed");
            }
            let words = |bits| Rights(bits).words();
            diff.text(
                "permissions",
                &words(old.permissions),
                &words(row.permissions),
            );
        }
        if new_password.is_some() {
            drop_logins(work, row.number)?;
            if known.is_some() {
                diff.word("password changed");
            }
        }
        write_key(work, user, row.number, &mut diff, known.is_some())?;
        work.say(diff.line("user", &user.id));
    }
    name_others(
        &mut work.kept,
        "user",
        stored
            .iter()
            .filter(|row| row.active)
            .map(|row| row.user_id.as_str()),
        |id| wanted.iter().any(|user| user.id == id),
    );
    Ok(())
}

/// The hash of the file's password, where it is another than the one that is stored.
fn password(user: &User, stored: Option<&str>) -> Result<Option<String>, Stop> {
    let Some(wanted) = &user.password else {
        return Ok(None);
    };
    if stored.is_some_and(|stored| passwords::matches(wanted.expose(), stored)) {
        return Ok(None);
    }
    let hash = passwords::hash_now(wanted.expose());
    hash.map(Some)
        .map_err(|error| Stop::Refused(error.to_string()))
}

/// Deletes the keys that `user_login` gave for another password.
fn drop_logins(work: &mut Work<'_>, user: i32) -> Result<(), Stop> {
    let rows = api_keys::table
        .filter(api_keys::account_id.eq(work.account))
        .filter(api_keys::user.eq(user))
        .filter(api_keys::kind.eq(LOGIN_KEY));
    diesel::delete(rows).execute(work.db)?;
    Ok(())
}

/// Refuses a user id that another account has.
fn free_user_id(db: &mut Db, user: &User) -> Result<(), Stop> {
    let holder: Option<String> = users::table
        .inner_join(accounts::table.on(accounts::id.eq(users::account_id)))
        .filter(users::user_id.eq(&user.id))
        .select(accounts::account_id)
        .first(db)
        .optional()?;
    match holder {
        None => Ok(()),
        Some(holder) => Err(Stop::Refused(format!(
            "line {}: the user id \"{}\" belongs to the account {}, and user ids are unique in the installation. Give \
             this user another id",
            user.line,
            shown(&user.id),
            shown(&holder)
        ))),
    }
}

/// Writes which campaigns a user sees; tells whether that changed.
fn write_visibility(work: &mut Work<'_>, user: i32, wanted: HashSet<i32>) -> Result<bool, Stop> {
    let rows = user_campaigns::table
        .filter(user_campaigns::account_id.eq(work.account))
        .filter(user_campaigns::user.eq(user));
    let stored: Vec<i32> = rows.select(user_campaigns::campaign).load(work.db)?;
    let stored: HashSet<i32> = stored.into_iter().collect();
    for gone in stored.difference(&wanted) {
        diesel::delete(user_campaigns::table.find((work.account, user, *gone))).execute(work.db)?;
    }
    for new in wanted.difference(&stored) {
        diesel::insert_into(user_campaigns::table)
            .values((
                user_campaigns::account_id.eq(work.account),
                user_campaigns::user.eq(user),
                user_campaigns::campaign.eq(*new),
            ))
            .execute(work.db)?;
    }
    Ok(stored != wanted)
}

/// Adds the file's key if the user has not got it. Others stay: somebody may be using them.
fn write_key(
    work: &mut Work<'_>,
    user: &User,
    number: i32,
    diff: &mut Diff,
    known: bool,
) -> Result<(), Stop> {
    let rows = api_keys::table
        .filter(api_keys::account_id.eq(work.account))
        .filter(api_keys::user.eq(number));
    let stored: Vec<(Vec<u8>, String)> = rows
        .select((api_keys::hash, api_keys::kind))
        .load(work.db)?;
    let hash = user
        .api_key
        .as_ref()
        .map(|key| work.key.digest(key.expose().as_bytes()));
    let others = stored
        .iter()
        .filter(|(stored, kind)| kind == "api" && hash.is_none_or(|hash| stored != &hash))
        .count();
    if others > 0 {
        let keys = if others == 1 { "key" } else { "keys" };
        let line = format!("{others} {keys} of user {}", shown(&user.id));
        work.kept.push(line);
    }
    if let Some(hash) = hash
        && !stored.iter().any(|(stored, _)| stored == &hash)
    {
        let row = KeyRow {
            account_id: work.account,
            user: number,
            hash: &hash,
            kind: "api",
            created_at: work.now_us,
            last_used_at: None,
        };
        diesel::insert_into(api_keys::table)
            .values(&row)
            .execute(work.db)?;
        if known {
            diff.word("key added");
        }
    }
    Ok(())
}

fn write_brands(
    work: &mut Work<'_>,
    wanted: &[Brand],
    campaigns: &HashMap<&str, i32>,
) -> Result<(), Stop> {
    let stored: Vec<BrandRow> = brands::table
        .filter(brands::account_id.eq(work.account))
        .order(brands::number)
        .select(BrandRow::as_select())
        .load(work.db)?;
    let mut next = next_number(stored.iter().map(|row| row.number));
    for brand in wanted {
        let known = stored.iter().find(|row| row.brand_id == brand.id);
        let new = BrandRow {
            account_id: work.account,
            number: known.map_or(next, |row| row.number),
            brand_id: brand.id.clone(),
            currency: brand.currency.clone(),
            timezone: brand.zone.map(|zone| zone.name().to_owned()),
            token_hash: work.key.digest(brand.token.expose().as_bytes()).to_vec(),
            created_at: known.map_or(work.now_us, |row| row.created_at),
            campaign: brand
                .campaign
                .as_deref()
                .and_then(|id| campaigns.get(id).copied()),
        };
        if known.is_none_or(|old| old.token_hash != new.token_hash) {
            free_token(work.db, brand, &new.token_hash)?;
        }
        let mut diff = Diff::default();
        match known {
            None => {
                diesel::insert_into(brands::table)
                    .values(&new)
                    .execute(work.db)?;
                next = next.saturating_add(1);
                diff.word("created");
            }
            Some(old) if *old != new => {
                diff.optional("currency", old.currency.as_deref(), new.currency.as_deref());
                diff.optional("timezone", old.timezone.as_deref(), new.timezone.as_deref());
                if old.campaign != new.campaign {
                    let id = |number: Option<i32>| {
                        campaigns.iter().find(|(_, known)| Some(**known) == number)
                    };
                    let (was, is) = (id(old.campaign), id(new.campaign));
                    diff.optional("campaign", was.map(|one| *one.0), is.map(|one| *one.0));
                }
                if old.token_hash != new.token_hash {
                    diff.word("token changed");
                }
                diesel::update(old).set(&new).execute(work.db)?;
            }
            Some(_) => {}
        }
        work.say(diff.line("brand", &brand.id));
    }
    name_others(
        &mut work.kept,
        "brand",
        stored.iter().map(|row| row.brand_id.as_str()),
        |id| wanted.iter().any(|brand| brand.id == id),
    );
    Ok(())
}

/// Refuses a token that another brand has: it has to tell brands apart.
fn free_token(db: &mut Db, brand: &Brand, hash: &[u8]) -> Result<(), Stop> {
    let holder: Option<(String, String)> = brands::table
        .inner_join(accounts::table.on(accounts::id.eq(brands::account_id)))
        .filter(brands::token_hash.eq(hash))
        .select((brands::brand_id, accounts::account_id))
        .first(db)
        .optional()?;
    match holder {
        None => Ok(()),
        Some((id, account)) => Err(Stop::Refused(format!(
            "line {}: the token of brand {} is the one of brand {} of account {}. Give each its own",
            brand.line,
            shown(&brand.id),
            shown(&id),
            shown(&account)
        ))),
    }
}

/// The accounts that are not in the file.
pub(super) fn others(db: &mut Db, world: &World) -> Result<Vec<String>, Stop> {
    let stored: Vec<String> = accounts::table
        .order(accounts::id)
        .select(accounts::account_id)
        .load(db)?;
    let mut kept = Vec::new();
    name_others(
        &mut kept,
        "account",
        stored.iter().map(String::as_str),
        |id| world.accounts.iter().any(|account| account.id == id),
    );
    Ok(kept)
}
