//! What is told of a job: to its caller, to the operator, by its webhook.

use super::job::JobHead;
use crate::json::Fields;
use crate::loyalty::contacts::sent::{Fault, Verdict};

/// How far a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobState {
    /// Nobody has begun.
    Queued,
    /// Somebody has begun.
    Processing,
    /// It is done, though single items may have failed.
    Completed,
    /// It was given up.
    Failed,
}

impl JobState {
    /// All states, with their words.
    pub const ALL: [(JobState, &'static str); 4] = [
        (JobState::Queued, "queued"),
        (JobState::Processing, "processing"),
        (JobState::Completed, "completed"),
        (JobState::Failed, "failed"),
    ];

    /// Its word on the wire and on the command line.
    pub fn word(self) -> &'static str {
        let found = JobState::ALL.iter().find(|(state, _)| *state == self);
        found.map_or("", |(_, word)| word)
    }

    /// The state with this word.
    pub fn from_word(word: &str) -> Option<JobState> {
        let found = JobState::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(state, _)| *state)
    }
}

/// What became of a contact or a purchase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i16)]
pub enum ItemState {
    /// It is new.
    Created = 1,
    /// It was there.
    Updated,
    /// It was refused.
    Failed,
}

impl ItemState {
    const ALL: [(ItemState, &'static str); 3] = [
        (ItemState::Created, "created"),
        (ItemState::Updated, "updated"),
        (ItemState::Failed, "failed"),
    ];

    /// The number in the database.
    pub fn stored(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_stored(number: i16) -> Option<ItemState> {
        let mut states = ItemState::ALL.iter().map(|(state, _)| *state);
        states.find(|state| state.stored() == number)
    }

    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        let found = ItemState::ALL.iter().find(|(state, _)| *state == self);
        found.map_or("", |(_, word)| word)
    }
}

/// Which results of a job are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// At most so many.
    pub limit: i64,
    /// From this one on, in the order of the request.
    pub offset: i64,
    /// Whether each comes with its contact.
    pub expand_contact: bool,
    /// Whether the purchase comes with its fields.
    pub expand_purchase: bool,
}

/// A job with what came of it so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobView {
    /// What it is known by.
    pub head: JobHead,
    /// How far it is.
    pub state: JobState,
    /// Items that were taken.
    pub valid: i32,
    /// Items that have failed.
    pub failed: i32,
    /// Credits spent.
    pub charged: i32,
    /// In microseconds since 1970.
    pub started_at: Option<i64>,
    /// In microseconds since 1970.
    pub completed_at: Option<i64>,
    /// Why it was given up.
    pub reason: Option<String>,
    /// The purchase, once it is done.
    pub purchase: Option<PurchaseResult>,
    /// Its items that are worked off, as far as they were asked for.
    pub results: Vec<ItemResult>,
}

/// What became of a purchase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurchaseResult {
    /// What became of it.
    pub state: ItemState,
    /// Its id.
    pub id: Option<String>,
    /// Its transaction code.
    pub code: Option<String>,
    /// Why it has failed.
    pub errors: Vec<Fault>,
    /// Every field, as it was sent, where it was asked for.
    pub fields: Option<Fields>,
    /// What the webhook says of it, in JSON: its fields, or the purchase as it was sent where it has failed.
    pub told: Option<String>,
}

/// What became of a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemResult {
    /// Its place in the request, from 0.
    pub index: i32,
    /// What became of it.
    pub state: ItemState,
    /// The contact's id.
    pub id: Option<String>,
    /// What was found out about its e-mail address.
    pub verdict: Option<Verdict>,
    /// Why it has failed.
    pub errors: Vec<Fault>,
    /// Every field, as it was sent, where it was asked for.
    pub contact: Option<Fields>,
}

/// What a webhook says of a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Its place in the request, from 0.
    pub item: i32,
    /// What became of it.
    pub state: ItemState,
    /// The contact's id.
    pub id: Option<String>,
    /// Its fields in JSON, or the contact as it was sent where it has failed; `None` once that was deleted.
    pub told: Option<String>,
    /// Why it has failed.
    pub errors: Vec<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_their_words_and_numbers() {
        for (state, word) in JobState::ALL {
            assert_eq!(
                (state.word(), JobState::from_word(word)),
                (word, Some(state))
            );
        }
        assert_eq!(ItemState::Failed.stored(), 3);
        assert_eq!(
            ItemState::from_stored(2).map(ItemState::word),
            Some("updated")
        );
        assert_eq!(ItemState::from_stored(0), None);
    }
}
