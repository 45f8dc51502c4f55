//! `punchcard rejections replay`: a refused line is mended and posted after all.

use super::posting::Session;
use super::text::{account_number, escaped};
use super::{Fail, complain, rejections::unknown, say};
use crate::config::Settings;
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::loyalty::batch::{Batch, Source, Wishes};
use crate::loyalty::lines::{BadText, Column, Layout, Lines};
use crate::loyalty::once::{Once, SALES, SYNC};
use crate::loyalty::outcome::{LineResult, Outcome};
use crate::posting::Poster;
use crate::store::{Db, rejections};
use chrono::Utc;
use clap::Args;

/// What can be said.
#[derive(Args)]
pub struct Words {
    /// The id of the account.
    account: String,
    /// The numbers of the rejections in their account. Each is posted by itself.
    #[arg(required = true)]
    numbers: Vec<i64>,
    /// Give a column of the line another value, such as amount=14.95. For several columns, say it several times.
    #[arg(long = "set", value_name = "COLUMN=VALUE", value_parser = assignment)]
    set: Vec<(Column, String)>,
    /// Post this line instead, in the columns and with the delimiter that the batch had.
    #[arg(long, value_name = "TEXT", conflicts_with = "set")]
    line: Option<String>,
    /// Only tell what would become of it.
    #[arg(long)]
    dry_run: bool,
}

/// Reads COLUMN=VALUE.
fn assignment(text: &str) -> Result<(Column, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write COLUMN=VALUE, such as amount=14.95")?;
    let column = Column::from_name(name.trim())
        .filter(|column| *column != Column::Skip)
        .ok_or_else(|| format!("there is no column {name}"))?;
    Ok((column, value.to_owned()))
}

/// Posts the lines, one after the other.
///
/// # Errors
/// A rejection that does not exist or is not open, a mend that does not fit its line, a line that is refused again.
/// Those before it and behind it are posted all the same.
pub fn run(settings: &Settings, db: &mut Db, words: &Words) -> Result<(), Fail> {
    let account = account_number(db, &words.account)?;
    let mends = !words.set.is_empty() || words.line.is_some();
    if mends && words.numbers.len() > 1 {
        return Err(Fail::new(
            "--set and --line mend one line: give one number with them",
        ));
    }
    let session = Session::start(settings, account)?;
    let mut failed = 0_usize;
    for number in &words.numbers {
        match one(settings, &session, db, words, *number) {
            Ok(said) => say(said),
            Err(fail) if words.numbers.len() == 1 => return Err(fail),
            Err(fail) => {
                let text = fail.to_string();
                if text.contains(&format!("rejection {number} ")) {
                    complain("error", text);
                } else {
                    complain("error", format_args!("rejection {number}: {text}"));
                }
                failed = failed.saturating_add(1);
            }
        }
    }
    if failed > 0 {
        return Err(Fail::new(format!(
            "{failed} of {} were not posted",
            words.numbers.len()
        )));
    }
    Ok(())
}

fn one(
    settings: &Settings,
    session: &Session,
    db: &mut Db,
    words: &Words,
    number: i64,
) -> Result<String, Fail> {
    let account = session.account.number;
    let found =
        rejections::show(db, account, number)?.ok_or_else(|| unknown(&words.account, number))?;
    let kept = &found.rejection;
    if kept.state != "open" {
        return Err(Fail::new(format!(
            "rejection {number} is not open but {}: only open ones can be posted after all",
            kept.state
        )));
    }
    if kept.source == SYNC {
        return Err(Fail::new(format!(
            "rejection {number} is a contact of sync_data, not a transaction: have it sent again with a user_id, and dismiss it here"
        )));
    }
    if kept.source == SALES {
        return Err(Fail::new(format!(
            "rejection {number} is a sale, not a transaction: see punchcard sales show, and give it to a customer with punchcard sales assign"
        )));
    }
    if kept.source == rejections::CUSTOMERS {
        return Err(Fail::new(format!(
            "rejection {number} is a customer of customers_batch, not a transaction: have it sent again, and dismiss it here"
        )));
    }
    let lost = || {
        Fail::new(format!(
            "the line of rejection {number} is not kept any more"
        ))
    };
    let layout = found.layout.as_deref().and_then(Layout::from_json);
    let (layout, raw) = layout.zip(kept.raw.as_deref()).ok_or_else(lost)?;
    let text = match &words.line {
        Some(line) => line.clone(),
        None => mended(raw, &layout, &words.set)?,
    };
    let kept_s = settings.idempotency_kept_days.saturating_mul(24 * 3600);
    let once = Once::rejection(number, &text, kept_s);
    let lines = Lines::find(text, layout, 1, settings.max_line_bytes).map_err(bad_line)?;
    let source = Source::Replay {
        account,
        rejection: number,
        user: kept.user.ok_or_else(lost)?,
        effective_date: kept
            .effective_date
            .and_then(Day::from_number)
            .ok_or_else(lost)?,
    };
    let wishes = Wishes {
        undoable: true,
        reject_batch: true,
        details: true,
        windows_1252: false,
    };
    session.run(async |poster: &Poster| {
        let batch = Batch::new(source, lines, wishes, Utc::now(), &session.account)?;
        let outcome = if words.dry_run {
            poster.rehearse(batch, Some(once)).await
        } else {
            poster.post(batch, Some(once)).await
        };
        told(
            number,
            outcome.map_err(|problem| other_values(number, problem))?,
        )
    })
}

/// Somebody else may have posted it since its state was read: the same mend is told again, another one is not.
fn other_values(number: i64, problem: Problem) -> Problem {
    if problem.code == Code::IdempotencyKeyReused {
        return Problem::new(Code::NotOpen)
            .value(&number.to_string())
            .detail("replayed, with other values");
    }
    problem
}

fn bad_line(bad: BadText) -> Fail {
    Fail::new(match bad {
        BadText::Empty => "the line is empty: dismiss the rejection instead",
        BadText::TooManyLines => "give one line, without a line feed",
        BadText::LineTooLong(_) => "the line is longer than max_line_bytes",
    })
}

/// The line with other values in some of its columns.
fn mended(raw: &str, layout: &Layout, set: &[(Column, String)]) -> Result<String, Fail> {
    let mut values: Vec<&str> = raw.split(layout.delimiter).collect();
    for (column, value) in set {
        let name = column.name();
        let place = layout.columns.iter().position(|one| one == column);
        let place = place.ok_or_else(|| {
            let names: Vec<String> = layout.columns.iter().map(|one| one.name()).collect();
            Fail::new(format!(
                "the line has no column {name}: its columns are {}",
                names.join(", ")
            ))
        })?;
        if value.contains([layout.delimiter, '\n', '\r']) {
            return Err(Fail::new(format!(
                "the value of {name} must not hold the delimiter or a line end"
            )));
        }
        while values.len() <= place {
            values.push("");
        }
        if let Some(slot) = values.get_mut(place) {
            *slot = value;
        }
    }
    Ok(values.join(&layout.delimiter.to_string()))
}

/// What became of the line, for a person; a refusal is a problem.
fn told(number: i64, outcome: Outcome) -> Result<String, Problem> {
    if let Some((_, problem)) = outcome.first_refused {
        return Err(problem);
    }
    let lines = outcome.lines.unwrap_or_default();
    let line = lines.first().map(|line| &line.result);
    let change = match line {
        Some(LineResult::Imported {
            entry,
            amount,
            balance,
            digits,
            ..
        }) => format!(
            "transaction {entry}, amount {}, balance {}",
            amount.text(*digits),
            balance.text(*digits)
        ),
        _ => String::new(),
    };
    Ok(if outcome.dry_run {
        // The numbers are those it would get now.
        escaped(&format!("rejection {number} can be posted: {change}"))
    } else {
        escaped(&format!(
            "rejection {number} is posted: batch {}, {change}",
            outcome.batch
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend(raw: &str, set: &[&str]) -> Result<String, String> {
        let layout = Layout {
            columns: vec![Column::Campaign, Column::Skip, Column::Code, Column::Amount],
            delimiter: '|',
            apply_ratio: false,
            old_generation: false,
            create_customers: false,
        };
        let set: Vec<_> = set.iter().map(|text| assignment(text).unwrap()).collect();
        mended(raw, &layout, &set).map_err(|fail| fail.to_string())
    }

    #[test]
    fn a_mend_changes_its_columns_and_nothing_else() {
        assert_eq!(
            mend("P| x |12|1,2,3|y", &["amount=4"]).unwrap(),
            "P| x |12|4|y"
        );
        assert_eq!(mend("P", &["code=7", "amount=1=2"]).unwrap(), "P||7|1=2");
        assert_eq!(mend("P|a|b", &[]).unwrap(), "P|a|b");
    }

    #[test]
    fn a_mend_that_does_not_fit_says_what_would() {
        assert_eq!(
            mend("P", &["date=2020-01-01"]).unwrap_err(),
            "the line has no column date: its columns are campaign_id, none, code, amount"
        );
        assert!(mend("P", &["code=1|2"]).is_err());
        for bad in ["amount", "amounts=1", "none=1", "=1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
