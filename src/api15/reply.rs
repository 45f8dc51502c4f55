//! Outcomes as events for a sink.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`super::render`]).

use super::render::Sink;
use crate::error::{Class, Code, Problem};
use crate::loyalty::outcome::{LineOutcome, LineResult, Outcome};

/// What a request is answered with.
pub enum Reply {
    /// The request was refused as a whole.
    Refused(Problem),
    /// The outcome of a batch.
    Batch(Outcome),
}

impl Reply {
    /// The root's `status`: `success` or `error`.
    pub fn status(&self) -> &'static str {
        match self {
            Reply::Batch(outcome) if outcome.transactions > 0 => "success",
            Reply::Batch(_) | Reply::Refused(_) => "error",
        }
    }

    /// The HTTP status. The known clients treat all but 200 as a crash, so errors are 200, but for what a proxy or a
    /// retrying client has to see.
    pub fn http_status(&self) -> u16 {
        match self {
            Reply::Refused(problem) => match problem.code {
                Code::BodyTooLarge => 413,
                Code::Unavailable | Code::PostedBefore | Code::OutcomeUnknown => 503,
                _ => 200,
            },
            Reply::Batch(_) => 200,
        }
    }

    /// Whether the same request may be sent again in a moment: nothing was posted, or it will not be posted twice.
    pub fn may_be_repeated(&self) -> bool {
        matches!(self, Reply::Refused(problem)
            if matches!(problem.code, Code::Unavailable | Code::PostedBefore))
    }

    /// Whether it tells the outcome of an earlier request.
    pub fn repeats(&self) -> bool {
        matches!(self, Reply::Batch(outcome) if outcome.repeated)
    }

    /// Writes one part of what stands below the root, counted from 0, so that a long reply need not be written at once.
    /// Tells whether there is another part behind it.
    pub fn write(&self, part: usize, sink: &mut dyn Sink) -> bool {
        match self {
            Reply::Refused(problem) => {
                sink.error(&problem.text());
                false
            }
            Reply::Batch(outcome) => batch(outcome, part, sink),
        }
    }
}

/// The parts of a batch: its counts, then each warning, then each line. Its own element ends with the document.
fn batch(outcome: &Outcome, part: usize, sink: &mut dyn Sink) -> bool {
    let warnings = outcome.warnings.as_slice();
    let lines = outcome.lines.as_deref().unwrap_or_default();
    match part.checked_sub(1) {
        None => counts(outcome, sink),
        Some(at) if at < warnings.len() => {
            one_of(warnings, at, ("warnings", "warning"), sink, warning);
        }
        Some(at) => {
            let at = at.saturating_sub(warnings.len());
            one_of(lines, at, ("lines", "line"), sink, detail);
        }
    }
    part < warnings.len().saturating_add(lines.len())
}

/// Writes one item of a list, which begins with its first item and ends with its last.
fn one_of<T>(
    items: &[T],
    at: usize,
    (list, item): (&str, &str),
    sink: &mut dyn Sink,
    write: fn(&T, &mut dyn Sink),
) {
    let Some(one) = items.get(at) else { return };
    if at == 0 {
        sink.list(list, item);
    }
    sink.item();
    write(one, sink);
    sink.end();
    if at.saturating_add(1) == items.len() {
        sink.end();
    }
}

fn counts(outcome: &Outcome, sink: &mut dyn Sink) {
    let status = match (outcome.transactions, outcome.rejected) {
        (_, 0) => "all_imported",
        (0, _) => "none_imported",
        _ => "partially_imported",
    };
    if let (0, Some((line, problem))) = (outcome.transactions, &outcome.first_refused) {
        let lines = outcome.rejected;
        let begin = if outcome.rejected_whole {
            "Nothing was imported: Line".to_owned()
        } else {
            format!("None of the {lines} lines was imported. Line")
        };
        sink.error(&format!("{begin} {line}: {}", problem.text()));
    }
    sink.object("batch");
    sink.attribute("status", status);
    if outcome.dry_run {
        sink.text("dry_run", "yes");
    }
    sink.text("transactions", &outcome.transactions.to_string());
    for (name, count) in [
        ("rejected", outcome.rejected),
        ("new_customers", outcome.new_customers),
    ] {
        // A clean batch has exactly the documented reply.
        if count > 0 {
            sink.text(name, &count.to_string());
        }
    }
}

fn warning((number, text): &(u32, &'static str), sink: &mut dyn Sink) {
    sink.text("number", &number.to_string());
    sink.text("text", text);
}

fn detail(line: &LineOutcome, sink: &mut dyn Sink) {
    sink.text("number", &line.number.to_string());
    match &line.result {
        LineResult::Imported {
            entry,
            amount,
            formula,
            balance,
            digits,
        } => {
            let amount = amount.text(*digits);
            sink.text("status", "imported");
            sink.text("transaction_id", &entry.to_string());
            sink.text("amount", &amount);
            sink.text("formula", formula.as_deref().unwrap_or(&amount));
            sink.text("balance", &balance.text(*digits));
        }
        LineResult::Refused(problem) => {
            let declined = problem.code.class() == Class::Decline;
            sink.text("status", if declined { "declined" } else { "rejected" });
            sink.text("error_code", problem.code.word());
            sink.text("column", problem.field.as_deref().unwrap_or(""));
            sink.text("value", problem.value.as_deref().unwrap_or(""));
            sink.text("error", &problem.message());
            sink.text("remedy", problem.code.remedy());
        }
    }
}
