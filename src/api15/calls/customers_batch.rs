//! `customers_batch`: many customers at once.
//!
//! Belongs here: the fields of these request types. Does not belong here: what their values mean ([`crate::loyalty`]),
//! what the replies look like ([`crate::api15::reply`]).

use super::drawn::{DIGITS, drawn_digits};
use super::{Request, Row, Running, bad_value};
use crate::api15::once::KnownBy;
use crate::api15::params::Params;
use crate::api15::reply::Reply;
use crate::api15::reply::imported::Imported;
use crate::api15::{blocking, params};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::Wishes;
use crate::loyalty::customers::import::{Drawn, Import, SECRET_MAX_CHARS, Secrets};
use crate::loyalty::customers::sheet::{Column, Layout, Mode, Sheet};
use crate::loyalty::lines::BadText;
use crate::loyalty::rights::Need;
use crate::text;
use chrono::Utc;
use std::collections::HashMap;
use std::sync::Arc;

/// The most lines of a request that may have a password or PIN: each takes some hundredths of a second.
const SECRETS_MAX: usize = 1_000;

/// Card numbers that are drawn for a line. Of those with all digits one is enough.
const CARDS_DRAWN: usize = 4;

/// The request types of this family.
pub const ROWS: &[Row] = &[Row {
    name: "customers_batch",
    aliases: &["batch_customers"],
    need: Need::MANAGE,
    raise: Some(raise),
    writes: true,
    dry_run: true,
    // profiles_data is added where it does not keep others waiting.
    fields: &[
        "allow_undo",
        "api",
        "campaigns_to_include",
        "card_number_generate",
        "delimiter",
        "no_undo",
        "on_error",
        "overwrite_duplicates",
        "profiles_header_#",
    ],
    run,
}];

/// Whoever gives new customers something needs the right to post as well.
fn raise(params: &Params) -> Need {
    let headers = params.numbered("profiles_header_").unwrap_or_default();
    let adds = headers
        .iter()
        .any(|name| Column::from_name(name.trim()) == Some(Column::AutoAdd));
    match adds {
        true => Need::MANAGE_AND_POST,
        false => Need::MANAGE,
    }
}

/// Reads the batch, posts it and waits for its outcome.
fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut params = std::mem::take(&mut request.params);
        let identity = request.identity()?;
        let fields = Fields::read(&mut params, request.row, &identity.account)?;
        drop(params);
        let service = request.service;
        let (account, caller) = (Arc::clone(&identity.account), identity.caller.clone());
        let Fields {
            text,
            layout,
            wishes,
            dry_run,
            known_by,
        } = fields;
        let (max_lines, max_line_bytes) = (service.max_lines, service.max_line_bytes);
        let (kept_s, key) = (service.idempotency_kept_s, service.key.clone());
        let cut = blocking(move || {
            let once = known_by.map(|mut known_by| {
                // Secrets may be in it, so that a plain digest would be one of them.
                let digest = key.digest(text.as_bytes());
                known_by.add("profiles_data", &hex::encode(digest));
                known_by.once(&caller, &account, kept_s)
            });
            let sheet = Sheet::find(text, layout, max_lines, max_line_bytes)
                .map_err(|bad| bad_text(bad, max_lines, max_line_bytes))?;
            let drawn = draw(&sheet)?;
            Ok((sheet, drawn, once, caller, account))
        });
        let (sheet, drawn, once, caller, account) = cut.await??;
        let secrets = hashed(request, &sheet).await?;
        let received = Utc::now();
        let plan = move || Import::new(caller, sheet, wishes, received, (secrets, drawn), &account);
        let import = blocking(plan).await??;
        let outcome = match dry_run {
            true => service.poster.rehearse_import(import, once).await,
            false => service.poster.import(import, once).await,
        };
        outcome.map(|outcome| Reply::told(Imported(outcome)))
    })
}

/// Hashes passwords and PINs, which is slow on purpose, one after the other.
async fn hashed(request: &Request<'_>, sheet: &Sheet) -> Result<HashMap<usize, Secrets>, Problem> {
    let of = |column| {
        let lines = sheet.list().iter().enumerate();
        let values = lines.map(move |(at, line)| (at, column, sheet.value(line, column)));
        // One that is too long is refused with its line.
        let fits = |value: &str| !value.is_empty() && !text::too_long(value, SECRET_MAX_CHARS);
        values.filter(move |(_, _, value)| sheet.layout.has(column) && fits(value))
    };
    let sent: Vec<(usize, Column, &str)> = of(Column::Password).chain(of(Column::Pin)).collect();
    let mut secrets: HashMap<usize, Secrets> = HashMap::new();
    for (at, _, _) in &sent {
        secrets.entry(*at).or_default();
    }
    if secrets.len() > SECRETS_MAX {
        return Err(Problem::new(Code::TooManyPasswords).detail(SECRETS_MAX));
    }
    for (at, column, value) in sent {
        let hash = request.service.passwords.hash(value).await?;
        let own = secrets.entry(at).or_default();
        match column {
            Column::Pin => own.pin = Some(hash.into()),
            _ => own.password = Some(hash.into()),
        }
    }
    Ok(secrets)
}

/// Draws codes and card numbers for the lines that may need them.
fn draw(sheet: &Sheet) -> Result<HashMap<usize, Drawn>, Problem> {
    let mut drawn = HashMap::new();
    for (at, line) in sheet.list().iter().enumerate() {
        let lacks = |column| sheet.value(line, column).is_empty();
        let mut own = Drawn::default();
        if let Some(digits) = sheet.layout.draws.filter(|_| lacks(Column::Card)) {
            let tries = if digits < DIGITS { CARDS_DRAWN } else { 1 };
            let cards = (0..tries).map(|_| drawn_digits(digits));
            own.cards = cards.collect::<Result<_, _>>()?;
        } else if lacks(Column::Code) && lacks(Column::Card) {
            own.code = drawn_digits(DIGITS)?;
        }
        if own != Drawn::default() {
            drawn.insert(at, own);
        }
    }
    Ok(drawn)
}

struct Fields {
    text: String,
    layout: Layout,
    wishes: Wishes,
    dry_run: bool,
    known_by: Option<KnownBy>,
}

impl Fields {
    /// Reads this call's fields; the first problem in the order of the published document.
    fn read(params: &mut Params, row: &Row, account: &Account) -> Result<Fields, Problem> {
        let old_generation = params::is_old_generation(params.text("API"));
        let delimiter = params::delimiter(params)?;
        let mode = match params.text("overwrite_duplicates") {
            None => Mode::Ignore,
            Some(word) => Mode::from_word(word)
                .ok_or_else(|| bad_value("overwrite_duplicates", word, "yes, update or ignore"))?,
        };
        let undoable = params::is_undoable(params, old_generation)?;
        let draws = draws(params.text("card_number_generate"))?;
        let campaigns = campaigns(params)?;
        let details = params::has_details(params)?;
        let reject_batch = params::rejects_batch(params)?;
        let dry_run = params.flag("dry_run")?.unwrap_or(false);
        let columns = columns(params, draws.is_some())?;
        let known_by = KnownBy::read(params, row, account)?;
        let windows_1252 = params.was_windows_1252();
        let text = params
            .take("profiles_data")
            .ok_or_else(|| Problem::new(Code::MissingField).field("profiles_data"))?;
        Ok(Fields {
            text,
            layout: Layout {
                columns,
                delimiter,
                mode,
                campaigns,
                draws,
            },
            wishes: Wishes {
                undoable,
                reject_batch,
                details,
                windows_1252,
            },
            dry_run,
            known_by,
        })
    }
}

/// The digits of card numbers that are to be drawn; a flag stands for 16.
fn draws(sent: Option<&str>) -> Result<Option<usize>, Problem> {
    let Some(sent) = sent else { return Ok(None) };
    let digits = sent.parse().ok().filter(|digits| (4..=32).contains(digits));
    match (digits, text::flag(sent)) {
        (Some(digits), _) => Ok(Some(digits)),
        (None, Some(true)) => Ok(Some(DIGITS)),
        (None, Some(false)) => Ok(None),
        (None, None) => Err(bad_value(
            "card_number_generate",
            sent,
            "a number from 4 to 32, or a flag",
        )),
    }
}

/// The campaigns: a list with commas, in the old generation with `|,|`.
fn campaigns(params: &Params) -> Result<Vec<String>, Problem> {
    let sent = params.text("campaigns_to_include").unwrap_or("");
    let mut campaigns: Vec<String> = Vec::new();
    for id in sent.split(',') {
        let id = id.trim_matches(|c: char| c == '|' || c.is_whitespace());
        if !id.is_empty() && !campaigns.iter().any(|known| known == id) {
            campaigns.push(id.to_owned());
        }
    }
    if campaigns.is_empty() {
        return Err(Problem::new(Code::MissingField).field("campaigns_to_include"));
    }
    Ok(campaigns)
}

fn columns(params: &Params, draws: bool) -> Result<Vec<Column>, Problem> {
    let names = params.numbered("profiles_header_").map_err(|problem| {
        let (Code::GapInColumns, Some(field), Some(lacks)) =
            (problem.code, &problem.field, &problem.value)
        else {
            return problem;
        };
        let sent = params.text(field).unwrap_or("");
        let must = format!("numbered without a gap: {lacks} is not sent");
        bad_value(field, sent, must)
    })?;
    if names.is_empty() {
        return Err(Problem::new(Code::MissingField).field("profiles_header_1"));
    }
    let mut columns = Vec::with_capacity(names.len());
    for (number, name) in (1..).zip(names) {
        let about = |must: &str| bad_value(&format!("profiles_header_{number}"), name, must);
        let column = Column::from_name(name.trim()).ok_or_else(|| about("the name of a column"))?;
        if column != Column::Skip && columns.contains(&column) {
            return Err(about("another column than those before it"));
        }
        columns.push(column);
    }
    let names_whom = [Column::Code, Column::Card];
    if !draws && !names_whom.iter().any(|column| columns.contains(column)) {
        let must =
            "code or card_number, as one of the columns, unless card_number_generate is sent";
        let first = params.text("profiles_header_1").unwrap_or("");
        return Err(bad_value("profiles_header_1", first, must));
    }
    Ok(columns)
}

fn bad_text(bad: BadText, max_lines: usize, max_line_bytes: usize) -> Problem {
    let about = |value: &str, must: &str| bad_value("profiles_data", value, must);
    match bad {
        BadText::Empty => about("", "at least one line that is not blank"),
        BadText::TooManyLines => {
            let must = format!("at most {max_lines} lines: send them in several requests");
            about("\u{2026}", &must)
        }
        BadText::LineTooLong(number) => {
            let must = format!("lines of at most {max_line_bytes} bytes: line {number} is longer");
            about("\u{2026}", &must)
        }
    }
}
