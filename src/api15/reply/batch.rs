//! The outcome of a batch as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use crate::api15::render::Sink;
use crate::error::Class;
use crate::loyalty::outcome::{LineOutcome, LineResult, Outcome};

/// The parts of a batch: its counts, then each warning, then each line. Its own element ends with the document.
pub fn write(outcome: &Outcome, part: usize, sink: &mut dyn Sink) -> bool {
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
pub(super) fn one_of<T>(
    items: &[T],
    at: usize,
    (list, item): (&'static str, &'static str),
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
