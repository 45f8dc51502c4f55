//! `punchcard jobs list|show`: requests of sync_data and what came of them, for a person.

use super::text::{account_number, bare_url, counted, escaped};
use super::{Fail, look, say};
use crate::config::Settings;
use crate::dates;
use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::view::{ItemState, JobState, JobView, Page};
use crate::store::{Db, sync_jobs};
use clap::{Subcommand, ValueEnum};

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// List jobs, the newest first.
    List {
        /// The id of the account.
        account: String,
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// The most jobs to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Begin below the job with this number.
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// Show one job, and every contact of it that failed.
    Show {
        /// The id of the account.
        account: String,
        /// The id of the job, as its sender was told.
        id: String,
    },
}

/// Which jobs to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum State {
    /// Nobody has begun.
    Queued,
    /// Somebody has begun.
    Processing,
    /// Done, though single contacts may have failed.
    Completed,
    /// Given up.
    Failed,
}

impl State {
    fn job(self) -> JobState {
        match self {
            State::Queued => JobState::Queued,
            State::Processing => JobState::Processing,
            State::Completed => JobState::Completed,
            State::Failed => JobState::Failed,
        }
    }
}

/// Lists or shows.
///
/// # Errors
/// No database, an account or a job that does not exist.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List {
            account,
            state,
            limit,
            before,
        } => {
            let account = account_number(&mut db, account)?;
            let state = state.map(State::job);
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            // One more than is to be printed tells whether there are more.
            let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
            let jobs = sync_jobs::list(&mut db, account, state, wanted, *before)?;
            for job in jobs.iter().take(limit) {
                say(short(job));
            }
            match jobs.get(limit.saturating_sub(1)) {
                Some(last) if jobs.len() > limit => say(format_args!(
                    "there are more: add --before {}, or raise --limit",
                    last.head.number
                )),
                None if jobs.is_empty() => say("no jobs"),
                _ => {}
            }
            Ok(())
        }
        Words::Show { account, id } => show(&mut db, account, id),
    }
}

fn short(job: &JobView) -> String {
    let head = &job.head;
    let mut out = format!(
        "{} {} {} {}: {}",
        head.number,
        head.id.hex(),
        dates::stamp(head.created_at),
        job.state.word(),
        counted(i64::from(head.contacts), "contact", "contacts")
    );
    out.push_str(&format!(", {} valid, {} failed", job.valid, job.failed));
    if job.charged > 0 {
        let charged = counted(i64::from(job.charged), "credit", "credits");
        out.push_str(&format!(", {charged} spent"));
    }
    if head.purchases > 0 {
        let state = job.purchase.as_ref().map(|purchase| purchase.state.word());
        out.push_str(&format!(", purchase {}", state.unwrap_or("waits")));
    }
    if let Some(reason) = &job.reason {
        out.push_str(&format!(", given up: {}", escaped(reason)));
    }
    out
}

/// Contacts that are read at a time.
const CHUNK: i64 = 1000;

fn show(db: &mut Db, account_id: &str, id: &str) -> Result<(), Fail> {
    let account = account_number(db, account_id)?;
    let unknown = || {
        let account = escaped(account_id);
        Fail::new(format!(
            "the account \"{account}\" has no job \"{}\": see punchcard jobs list {account}",
            escaped(id)
        ))
    };
    let id = JobId::parse(id).ok_or_else(unknown)?;
    let mut page = Page {
        limit: CHUNK,
        offset: 0,
        expand_contact: false,
        expand_purchase: false,
    };
    let mut job = sync_jobs::view(db, account, id, page)?.ok_or_else(unknown)?;
    for (name, value) in told(&job) {
        if let Some(value) = value {
            say(format_args!("{name:<15} {value}"));
        }
    }
    loop {
        for item in &job.results {
            if item.state == ItemState::Failed {
                say(format_args!(
                    "contact {:<7} {}",
                    item.index,
                    faults(&item.errors)
                ));
            }
        }
        if i64::try_from(job.results.len()).unwrap_or(0) < CHUNK {
            return Ok(());
        }
        page.offset = page.offset.saturating_add(CHUNK);
        match sync_jobs::view(db, account, id, page)? {
            Some(next) => job = next,
            None => return Ok(()),
        }
    }
}

/// What is told of a job beside its contacts: names and values.
fn told(job: &JobView) -> Vec<(&'static str, Option<String>)> {
    let head = &job.head;
    let names = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let purchase = job.purchase.as_ref().map(|purchase| {
        let code = purchase.code.as_deref().map(escaped).unwrap_or_default();
        let faults = faults(&purchase.errors);
        format!("{} {code} {faults}", purchase.state.word())
            .trim_end()
            .to_owned()
    });
    vec![
        ("job", Some(head.id.hex())),
        ("number", Some(head.number.to_string())),
        ("state", Some(job.state.word().to_owned())),
        ("given up", job.reason.as_deref().map(escaped)),
        ("origin", Some(escaped(&head.origin))),
        ("stored", Some(dates::stamp(head.created_at))),
        ("begun", job.started_at.map(dates::stamp)),
        ("done", job.completed_at.map(dates::stamp)),
        ("contacts", Some(head.contacts.to_string())),
        ("valid", Some(job.valid.to_string())),
        ("failed", Some(job.failed.to_string())),
        ("credits spent", Some(job.charged.to_string())),
        ("purchase", purchase),
        ("webhook", head.url.as_deref().map(bare_url).map(escaped)),
        ("contact fields", names(&head.options.contact_fields)),
        ("booking fields", names(&head.options.purchase_fields)),
        ("unknown fields", names(&head.options.ignored)),
    ]
}

fn faults(faults: &[Fault]) -> String {
    let faults: Vec<String> = faults.iter().map(|fault| escaped(&fault.text())).collect();
    faults.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::sync::job::{JobHead, Options};
    use crate::loyalty::sync::view::PurchaseResult;

    fn job() -> JobView {
        JobView {
            head: JobHead {
                number: 3,
                id: JobId::new(1_700_000_000, [1, 2, 3], 3),
                origin: "pms".to_owned(),
                contacts: 2,
                purchases: 0,
                options: Options::default(),
                url: None,
                created_at: 0,
            },
            state: JobState::Completed,
            valid: 1,
            failed: 1,
            charged: 0,
            started_at: None,
            completed_at: None,
            reason: None,
            purchase: None,
            results: Vec::new(),
        }
    }

    #[test]
    fn a_listed_line_counts_what_there_is() {
        let plain = "3 6553f1000102030000000003 1970-01-01 00:00:00 UTC completed: 2 contacts, 1 valid, 1 failed";
        assert_eq!(short(&job()), plain);
        let mut job = job();
        job.charged = 1;
        job.head.purchases = 1;
        job.reason = Some("ab12".to_owned());
        assert_eq!(
            short(&job),
            format!("{plain}, 1 credit spent, purchase waits, given up: ab12")
        );
    }

    #[test]
    fn a_job_is_told_line_by_line() {
        let mut job = job();
        job.purchase = Some(PurchaseResult {
            state: ItemState::Failed,
            id: None,
            code: Some("T1".to_owned()),
            errors: vec![
                Fault::new("price", "is missing"),
                Fault::new("currency", "is missing"),
            ],
            fields: None,
            told: None,
        });
        let told = told(&job);
        let value = |name: &str| {
            let found = told.iter().find(|(known, _)| *known == name);
            found.and_then(|(_, value)| value.clone())
        };
        assert_eq!(
            value("purchase").as_deref(),
            Some("failed T1 price: is missing; currency: is missing")
        );
        assert_eq!(
            (value("webhook"), value("contacts").as_deref()),
            (None, Some("2"))
        );
    }

    #[test]
    fn the_states_are_those_of_jobs() {
        let words = State::value_variants()
            .iter()
            .map(|state| state.job().word());
        let words: Vec<&str> = words.collect();
        assert_eq!(words, JobState::ALL.map(|(_, word)| word));
    }
}
