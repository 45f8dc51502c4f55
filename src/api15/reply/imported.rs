//! The outcome of a batch of customers as events.
//!
//! Belongs here: which element holds what. Does not belong here: angle brackets and braces ([`crate::api15::render`]).

use super::Told;
use super::batch::one_of;
use crate::api15::render::Sink;
use crate::loyalty::customers::import::{ImportLine, ImportOutcome, ImportResult};

/// What became of a batch of customers.
pub struct Imported(pub ImportOutcome);

impl Imported {
    /// Whether any line was taken, or none had to be.
    fn any(&self) -> bool {
        self.0.customers > 0 || self.0.ignored > 0
    }
}

impl Told for Imported {
    fn status(&self) -> &'static str {
        match self.any() || self.0.rejected == 0 {
            true => "success",
            false => "error",
        }
    }

    fn repeated(&self) -> bool {
        self.0.repeated
    }

    fn write(&self, sink: &mut dyn Sink) {
        let outcome = &self.0;
        let status = match (self.any(), outcome.rejected) {
            (_, 0) => "all_imported",
            (false, _) => "none_imported",
            _ => "partially_imported",
        };
        if let (false, Some((line, problem))) = (self.any(), &outcome.first_refused) {
            let begin = if outcome.rejected_whole {
                "Nothing was imported: Line".to_owned()
            } else {
                format!("None of the {} lines was imported. Line", outcome.rejected)
            };
            sink.error(&format!("{begin} {line}: {}", problem.text()));
        }
        sink.object("batch");
        sink.attribute("status", status);
        if outcome.dry_run {
            sink.text("dry_run", "yes");
        }
        sink.text("customers", &outcome.customers.to_string());
        sink.text("new_customers", &outcome.new_customers.to_string());
        for (name, count) in [
            ("transactions", outcome.transactions),
            ("ignored", outcome.ignored),
            ("rejected", outcome.rejected),
        ] {
            if count > 0 {
                sink.text(name, &count.to_string());
            }
        }
    }

    /// The counts, then each line. The batch's own element ends with the document.
    fn part(&self, part: usize, sink: &mut dyn Sink) -> bool {
        let lines = self.0.lines.as_deref().unwrap_or_default();
        match part.checked_sub(1) {
            None => self.write(sink),
            Some(at) => one_of(lines, at, ("lines", "line"), sink, detail),
        }
        part < lines.len()
    }
}

fn detail(line: &ImportLine, sink: &mut dyn Sink) {
    sink.text("number", &line.number.to_string());
    match &line.result {
        ImportResult::Imported(code) => {
            sink.text("status", "imported");
            sink.text("code", code);
        }
        ImportResult::Ignored(code) => {
            sink.text("status", "ignored");
            sink.text("code", code);
        }
        ImportResult::Refused(problem) => {
            sink.text("status", "rejected");
            sink.text("error_code", problem.code.word());
            sink.text("column", problem.field.as_deref().unwrap_or(""));
            sink.text("value", problem.value.as_deref().unwrap_or(""));
            sink.text("error", &problem.message());
            sink.text("remedy", problem.code.remedy());
        }
    }
}
