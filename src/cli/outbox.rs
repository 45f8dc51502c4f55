//! `punchcard outbox list|retry`: webhooks and their tries, for a person.

use super::posting::Session;
use super::text::{bare_url, escaped};
use super::{Fail, look, say};
use crate::config::Settings;
use crate::dates;
use crate::loyalty::sync::event::EventState;
use crate::loyalty::sync::id::EventId;
use crate::posting::Poster;
use crate::store::outbox::{self, Listed};
use clap::{Subcommand, ValueEnum};

/// What can be asked.
#[derive(Subcommand)]
pub enum Words {
    /// List webhooks, the newest first: the id that is sent as webhook-id, the state, the HTTP status of each try.
    List {
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// The most webhooks to print.
        #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
    },
    /// Have a webhook sent again now, whatever its state, under the same id. The server that runs on the database
    /// sends it.
    Retry {
        /// The id of the webhook.
        id: String,
    },
}

/// Which webhooks to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum State {
    /// To be sent, for the first time or again.
    Pending,
    /// Taken by the receiver.
    Delivered,
    /// Not wanted by the receiver (status 406).
    Refused,
    /// All tries have failed.
    Parked,
}

impl State {
    fn event(self) -> EventState {
        match self {
            State::Pending => EventState::Pending,
            State::Delivered => EventState::Delivered,
            State::Refused => EventState::Refused,
            State::Parked => EventState::Parked,
        }
    }
}

/// Lists, or has one sent again.
///
/// # Errors
/// No database, a webhook that does not exist.
pub fn run(settings: &Settings, words: &Words) -> Result<(), Fail> {
    let mut db = look(settings)?;
    match words {
        Words::List { state, limit } => {
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            // One more than is to be printed tells whether there are more.
            let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
            let rows = outbox::list(&mut db, state.map(State::event), wanted)?;
            for row in rows.iter().take(limit) {
                say(short(row));
            }
            match rows.len() {
                0 => say("no webhooks"),
                found if found > limit => say("there are more: raise --limit"),
                _ => {}
            }
            Ok(())
        }
        Words::Retry { id } => {
            let unknown = || {
                Fail::new(format!(
                    "there is no webhook \"{}\": see punchcard outbox list",
                    escaped(id)
                ))
            };
            let event = EventId::parse(id).ok_or_else(unknown)?;
            let found = outbox::find(&mut db, event.account, event.number)?;
            if found.is_none_or(|(row, _)| row.id != event) {
                return Err(unknown());
            }
            let session = Session::start(settings, event.account)?;
            if !session.run(async |poster: &Poster| poster.requeue(&event).await)? {
                return Err(unknown());
            }
            say(format_args!(
                "{event} is due now: the server that runs on this database sends it, or does when it is started"
            ));
            Ok(())
        }
    }
}

fn short(row: &Listed) -> String {
    let tries: Vec<String> = row
        .tries
        .iter()
        .map(|status| status.map_or_else(|| "none".to_owned(), |status| status.to_string()))
        .collect();
    let mut out = format!("{} {} tries:", row.event.id, row.event.state.word());
    if tries.is_empty() {
        out.push_str(" -");
    } else {
        out.push(' ');
        out.push_str(&tries.join(" "));
    }
    if let Some(next) = row.next {
        out.push_str(&format!(" next: {}", dates::stamp(next)));
    }
    out.push_str(&format!(
        " account: {} job: {} url: {}",
        escaped(&row.account_id),
        row.job.hex(),
        escaped(bare_url(&row.event.url))
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::sync::event::EventRow;
    use crate::loyalty::sync::id::JobId;

    #[test]
    fn a_listed_line_begins_with_the_id_and_has_no_secret() {
        let mut row = Listed {
            account_id: "hotel".to_owned(),
            event: EventRow {
                id: EventId::new(1, 2, [0xab; 8]),
                job: 3,
                url: "https://a.example/hook?key=hush#x".to_owned(),
                state: EventState::Pending,
                attempts: 2,
                created_at: 0,
                done_at: None,
            },
            job: JobId::new(1_700_000_000, [1, 2, 3], 3),
            tries: vec![Some(500), None],
            next: Some(60_000_000),
        };
        assert_eq!(
            short(&row),
            "evt_1_2_abababababababab pending tries: 500 none next: 1970-01-01 00:01:00 UTC \
             account: hotel job: 6553f1000102030000000003 url: https://a.example/hook"
        );
        (row.tries, row.next) = (Vec::new(), None);
        assert!(short(&row).contains(" pending tries: - account: "));
    }

    #[test]
    fn the_states_are_those_of_webhooks() {
        let words = State::value_variants()
            .iter()
            .map(|state| state.event().word());
        let words: Vec<&str> = words.collect();
        assert_eq!(words, EventState::ALL.map(|(_, word)| word));
    }
}
