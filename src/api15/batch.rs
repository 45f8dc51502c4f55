//! `batch_transactions`: from fields to a batch for posting.
//!
//! Belongs here: this call's own fields. Does not belong here: the values of a line ([`crate::loyalty::plan`]).

use super::calls::{Request, Row, Running};
use super::once::KnownBy;
use super::params::{self, Params};
use super::reply::Reply;
use super::{INLINE_BYTES, blocking};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{Batch, Source, Wishes};
use crate::loyalty::lines::{BadText, Column, Layout, Lines};
use crate::loyalty::rights::Need;
use chrono::Utc;
use std::sync::Arc;

/// The request type of this file.
pub const ROWS: &[Row] = &[Row {
    name: "batch_transactions",
    aliases: &[],
    need: Need::POST_OR_REDEEM,
    raise: None,
    writes: true,
    dry_run: true,
    // Visits_Data is added where it does not keep others waiting.
    fields: &[
        "allow_undo",
        "api",
        "apply_ratio",
        "create_new_customers",
        "delimiter",
        "no_undo",
        "on_error",
        "send_transaction_email",
        "visits_header_#",
    ],
    run,
}];

/// Reads the batch, posts it and waits for its outcome.
fn run<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut params = std::mem::take(&mut request.params);
        let identity = request.identity()?;
        let fields = Fields::read(&mut params, request.row, &identity.account)?;
        drop(params);
        let service = request.service;
        let (max_lines, max_line_bytes) = (service.max_lines, service.max_line_bytes);
        let kept_s = service.idempotency_kept_s;
        let Fields {
            text,
            layout,
            wishes,
            dry_run,
            known_by,
        } = fields;
        let (account, caller) = (Arc::clone(&identity.account), identity.caller.clone());
        let received = Utc::now();
        let large = text.len() > INLINE_BYTES;
        let plan = move || {
            let once = known_by.map(|mut known_by| {
                known_by.add("visits_data", &text);
                known_by.once(&caller, &account, kept_s)
            });
            let lines = Lines::find(text, layout, max_lines, max_line_bytes)
                .map_err(|bad| bad_text(bad, max_lines, max_line_bytes))?;
            let source = Source::Caller(caller);
            Batch::new(source, lines, wishes, received, &account).map(|batch| (batch, once))
        };
        let (batch, once) = if large { blocking(plan).await? } else { plan() }?;
        let outcome = if dry_run {
            service.poster.rehearse(batch, once).await
        } else {
            service.poster.post(batch, once).await
        };
        outcome.map(Reply::Batch)
    })
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
        let apply_ratio = params.flag("apply_ratio")?.unwrap_or(false);
        let undoable = params::is_undoable(params, old_generation)?;
        // Mails need an SMTP server; there is no setting for one, so no mail is due.
        params.flag("send_transaction_email")?;
        let create_customers = params.flag("create_new_customers")?.unwrap_or(false);
        let details = params::has_details(params)?;
        let reject_batch = params::rejects_batch(params)?;
        let dry_run = params.flag("dry_run")?.unwrap_or(false);
        let columns = columns(params)?;
        let known_by = KnownBy::read(params, row, account)?;
        let windows_1252 = params.was_windows_1252();
        let text = params
            .take("Visits_Data")
            .ok_or_else(|| Problem::new(Code::MissingField).field("Visits_Data"))?;
        let layout = Layout {
            columns,
            delimiter,
            apply_ratio,
            old_generation,
            create_customers,
        };
        let wishes = Wishes {
            undoable,
            reject_batch,
            details,
            windows_1252,
        };
        Ok(Fields {
            text,
            layout,
            wishes,
            dry_run,
            known_by,
        })
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
    use chrono_tz::Tz;

    fn read(fields: &[(&str, &str)]) -> Result<Fields, Problem> {
        let mut params: Params = fields.iter().copied().collect();
        let text = |text: &str| text.to_owned();
        let account = Account::new(1, text("a"), text("A"), Tz::UTC, 1, vec![], vec![]);
        Fields::read(&mut params, &ROWS[0], &account)
    }

    const HEAD: [(&str, &str); 5] = [
        ("delimiter", "pipe"),
        ("visits_header_1", "campaign_id"),
        ("visits_header_2", "code"),
        ("visits_header_3", "redeemed"),
        ("Visits_Data", "1|2|N"),
    ];

    fn with(extra: &[(&'static str, &'static str)]) -> Result<Fields, Problem> {
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
