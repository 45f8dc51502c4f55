//! `batch_transactions`: from fields to a batch for posting.
//!
//! Belongs here: this call's own fields. Does not belong here: the values of a line ([`crate::loyalty::plan`]).

use super::auth::Identity;
use super::params::Params;
use super::{INLINE_BYTES, Service, blocking};
use crate::amount::{self, Amount};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{Batch, Caller, Source, Wishes};
use crate::loyalty::fingerprint::Pairs;
use crate::loyalty::lines::{BadText, Column, Layout, Lines};
use crate::loyalty::once::{API15, Once};
use crate::loyalty::outcome::Outcome;
use chrono::Utc;
use std::sync::Arc;

/// Reads the batch, posts it and waits for its outcome.
pub async fn post(
    service: &Service,
    identity: &Identity,
    mut params: Params,
) -> Result<Outcome, Problem> {
    let request = Request::read(&mut params, identity.account.duplicate_window_s > 0)?;
    drop(params);
    let (max_lines, max_line_bytes) = (service.max_lines, service.max_line_bytes);
    let kept_s = service.idempotency_kept_s;
    let Request {
        text,
        layout,
        wishes,
        dry_run,
        known_by,
    } = request;
    let (account, caller) = (Arc::clone(&identity.account), identity.caller.clone());
    let received = Utc::now();
    let large = text.len() > INLINE_BYTES;
    let plan = move || {
        let once = known_by.map(|known_by| known_by.once(&text, &caller, &account, kept_s));
        let lines = Lines::find(text, layout, max_lines, max_line_bytes)
            .map_err(|bad| bad_text(bad, max_lines, max_line_bytes))?;
        let source = Source::Caller(caller);
        Batch::new(source, lines, wishes, received, &account).map(|batch| (batch, once))
    };
    let (batch, once) = if large { blocking(plan).await? } else { plan() }?;
    if dry_run {
        service.poster.rehearse(batch, once).await
    } else {
        service.poster.post(batch, once).await
    }
}

/// The fields that say what a batch is, but for its columns and its text: in these a repeated request must be equal. The
/// others say who calls, and what the answer is to look like.
const MEANING: [&str; 9] = [
    "allow_undo",
    "api",
    "apply_ratio",
    "create_new_customers",
    "delimiter",
    "no_undo",
    "on_error",
    "send_transaction_email",
    "type",
];

/// By what a request is known when it comes again.
struct KnownBy {
    /// The caller's key; without one, the account guards against duplicates.
    key: Option<String>,
    /// The digest of the fields but the text.
    fields: Pairs,
}

impl KnownBy {
    /// `None` for a request that has no key, of an account without a guard.
    fn read(params: &Params, guarded: bool) -> Result<Option<KnownBy>, Problem> {
        let key = params.get("idempotency_key").map(str::trim);
        if key.is_some_and(|key| !Once::is_key(key)) {
            return Err(Problem::new(Code::BadIdempotencyKey));
        }
        if key.is_none() && !guarded {
            return Ok(None);
        }
        let mut fields = Pairs::default();
        let is_column = |name: &str| name.starts_with("visits_header_");
        for (name, value) in params.iter() {
            if MEANING.contains(&name) || is_column(name) {
                fields.add(name, value);
            }
        }
        let key = key.map(str::to_owned);
        Ok(Some(KnownBy { key, fields }))
    }

    fn once(mut self, text: &str, caller: &Caller, account: &Account, kept_s: u64) -> Once {
        self.fields.add("visits_data", text);
        let (user, print) = (&caller.user_id, self.fields.finish());
        match self.key {
            Some(key) => Once::keyed(API15, user, &key, print, kept_s),
            None => Once::guarded(API15, user, print, account.duplicate_window_s.into()),
        }
    }
}

struct Request {
    text: String,
    layout: Layout,
    wishes: Wishes,
    dry_run: bool,
    known_by: Option<KnownBy>,
}

impl Request {
    /// Reads this call's fields; the first problem in the order of the published document.
    fn read(params: &mut Params, guarded: bool) -> Result<Request, Problem> {
        let old_generation = is_old_generation(params.text("API"));
        let delimiter = delimiter(params)?;
        let apply_ratio = params.flag("apply_ratio")?.unwrap_or(false);
        let allow_undo = params.flag("allow_undo")?;
        let no_undo = params.flag("no_undo")?;
        // Mails need an SMTP server; there is no setting for one, so no mail is due.
        params.flag("send_transaction_email")?;
        let create_customers = params.flag("create_new_customers")?.unwrap_or(false);
        let details = choice(params, "details", Code::BadDetails, &["", "lines"])?;
        let on_error = choice(
            params,
            "on_error",
            Code::BadOnError,
            &["import_valid", "reject_batch"],
        )?;
        let dry_run = params.flag("dry_run")?.unwrap_or(false);
        let columns = columns(params)?;
        let known_by = KnownBy::read(params, guarded)?;
        let windows_1252 = params.was_windows_1252();
        let text = params
            .take("Visits_Data")
            .ok_or_else(|| Problem::new(Code::MissingField).field("Visits_Data"))?;
        let undoable = if old_generation {
            !no_undo.unwrap_or(false)
        } else {
            allow_undo.unwrap_or(false)
        };
        let layout = Layout {
            columns,
            delimiter,
            apply_ratio,
            old_generation,
            create_customers,
        };
        let wishes = Wishes {
            undoable,
            reject_batch: on_error == 1,
            details: details == 1,
            windows_1252,
        };
        Ok(Request {
            text,
            layout,
            wishes,
            dry_run,
            known_by,
        })
    }
}

/// Which of the words a field has, in any case; the first where it is not sent or empty.
fn choice(params: &Params, name: &str, wrong: Code, words: &[&str]) -> Result<usize, Problem> {
    let Some(sent) = params.text(name) else {
        return Ok(0);
    };
    words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(sent))
        .ok_or_else(|| Problem::new(wrong).field(name).value(sent))
}

/// `API` absent or below 1.5 is the old generation; anything else is the current one.
fn is_old_generation(sent: Option<&str>) -> bool {
    let current = Amount::from_raw(15_000);
    sent.is_none_or(|version| amount::read(version).is_ok_and(|written| written.amount < current))
}

fn delimiter(params: &Params) -> Result<char, Problem> {
    let sent = params.get("delimiter").unwrap_or("");
    if sent.is_empty() {
        return Err(Problem::new(Code::MissingField).field("delimiter"));
    }
    // A tab is white space itself: it is what is left of nothing else.
    let word = if sent.trim().is_empty() {
        sent.trim_matches(' ')
    } else {
        sent.trim()
    };
    match word.to_ascii_lowercase().as_str() {
        "pipe" | "|" => Ok('|'),
        "comma" | "," => Ok(','),
        "tab" | "\t" => Ok('\t'),
        _ => Err(Problem::new(Code::BadDelimiter).value(sent)),
    }
}

fn columns(params: &Params) -> Result<Vec<Column>, Problem> {
    let names = params.numbered("visits_header_")?;
    if names.is_empty() {
        return Err(Problem::new(Code::MissingField).field("visits_header_1"));
    }
    let mut columns = Vec::with_capacity(names.len());
    for (number, name) in (1..).zip(names) {
        let about = |code| {
            Problem::new(code)
                .field(format!("visits_header_{number}"))
                .value(name)
        };
        let column = Column::from_name(name.trim()).ok_or_else(|| about(Code::UnknownColumn))?;
        if column != Column::Skip && columns.contains(&column) {
            return Err(about(Code::RepeatedColumn));
        }
        columns.push(column);
    }
    let missing = |name: &str| Err(Problem::new(Code::MissingColumn).value(name));
    if !columns.contains(&Column::Campaign) {
        return missing("campaign_id");
    }
    if !columns.contains(&Column::Code) && !columns.contains(&Column::Card) {
        return missing("code");
    }
    if !columns.contains(&Column::Redeemed) {
        return missing("redeemed");
    }
    Ok(columns)
}

fn bad_text(bad: BadText, max_lines: usize, max_line_bytes: usize) -> Problem {
    match bad {
        BadText::Empty => Problem::new(Code::NoLines),
        BadText::TooManyLines => Problem::new(Code::TooManyLines).detail(max_lines),
        BadText::LineTooLong(number) => Problem::new(Code::LineTooLong)
            .value(&number.to_string())
            .detail(max_line_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Result<Request, Problem> {
        let mut params: Params = fields.iter().copied().collect();
        Request::read(&mut params, false)
    }

    const HEAD: [(&str, &str); 5] = [
        ("delimiter", "pipe"),
        ("visits_header_1", "campaign_id"),
        ("visits_header_2", "code"),
        ("visits_header_3", "redeemed"),
        ("Visits_Data", "1|2|N"),
    ];

    fn with(extra: &[(&'static str, &'static str)]) -> Result<Request, Problem> {
        read(&[&HEAD[..], extra].concat())
    }

    #[test]
    fn the_generation_decides_dates_and_undo() {
        for (version, old) in [
            ("1.5", false),
            ("1,5", false),
            ("1.6", false),
            ("2", false),
            ("x", false),
            ("1.4", true),
            ("", true),
        ] {
            let request = with(&[("API", version)]).unwrap();
            assert_eq!(
                (request.layout.old_generation, request.wishes.undoable),
                (old, old),
                "{version}"
            );
        }
        assert!(!with(&[("no-undo", "yes")]).unwrap().wishes.undoable);
        assert!(
            with(&[("API", "1.5"), ("allow-undo", "yes")])
                .unwrap()
                .wishes
                .undoable
        );
    }

    #[test]
    fn a_delimiter_is_a_word_or_the_character() {
        for (sent, read) in [
            ("PIPE", '|'),
            ("|", '|'),
            ("comma", ','),
            (",", ','),
            ("Tab", '\t'),
            ("\t", '\t'),
        ] {
            assert_eq!(with(&[("delimiter", sent)]).unwrap().layout.delimiter, read);
        }
        assert_eq!(
            with(&[("delimiter", "semicolon")]).err().unwrap().code,
            Code::BadDelimiter
        );
        assert_eq!(
            with(&[("delimiter", "")]).err().unwrap().code,
            Code::MissingField
        );
    }

    #[test]
    fn columns_are_checked_before_anything_is_read() {
        assert_eq!(
            with(&[("visits_header_4", "amounts")]).err().unwrap().code,
            Code::UnknownColumn
        );
        assert_eq!(
            with(&[("visits_header_4", "code")]).err().unwrap().code,
            Code::RepeatedColumn
        );
        assert_eq!(
            with(&[("visits_header_3", "none")]).err().unwrap().code,
            Code::MissingColumn
        );
        assert_eq!(
            with(&[("visits_header_5", "none")]).err().unwrap().code,
            Code::GapInColumns
        );
        assert!(with(&[("visits_header_4", "none"), ("visits_header_5", "none")]).is_ok());
    }
}
