//! Requests that come again: what they are known by, and what is kept of the first one's outcome.
//!
//! Belongs here: names and what they stand for. Does not belong here: the rows ([`crate::store::idempotency`]).

use super::fingerprint::Pairs;
use super::sales::SaleOutcome;
use serde::{Deserialize, Serialize};

/// What a request is known by when it comes again. Two requests of one account that have dialect, caller and name in
/// common are the same request, if their fingerprints are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Once {
    /// The dialect's word.
    pub dialect: &'static str,
    /// Who calls, as far as the dialect tells callers of an account apart; at most 64 characters.
    pub caller: String,
    /// What the caller, or the account's duplicate guard, calls the request; at most 264 characters.
    pub name: String,
    /// A digest of what the request means.
    pub fingerprint: [u8; 32],
    /// How long the outcome is kept, in seconds.
    pub kept_s: u64,
}

/// Dialect, caller and name.
pub type Id = (String, String, String);

/// The word of API 1.5 in [`Once::dialect`].
pub const API15: &str = "api15";

/// The word of `sync_data` in [`Once::dialect`].
pub const SYNC: &str = "sync_data";

/// The word of sales v4 in [`Once::dialect`].
pub const SALES: &str = "sales_v4";

/// The longest key that a caller may choose, in characters.
pub const KEY_MAX_CHARS: usize = 255;

/// What the names begin with that the duplicate guard gives.
pub const GUARD: &str = "same:";

/// What the names of rejections begin with that are posted after all.
pub const REPLAY: &str = "rejection:";

impl Once {
    /// Whether a caller may choose this key: 1 to 255 printable characters of ASCII.
    pub fn is_key(key: &str) -> bool {
        (1..=KEY_MAX_CHARS).contains(&key.len())
            && key.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
    }

    /// A request that its caller named.
    pub fn keyed(
        dialect: &'static str,
        caller: &str,
        key: &str,
        fingerprint: [u8; 32],
        kept_s: u64,
    ) -> Once {
        Once {
            dialect,
            caller: caller.to_owned(),
            name: format!("key:{key}"),
            fingerprint,
            kept_s,
        }
    }

    /// A request without a name, of an account that takes an equal one within `window_s` seconds for the same.
    pub fn guarded(
        dialect: &'static str,
        caller: &str,
        fingerprint: [u8; 32],
        window_s: u64,
    ) -> Once {
        Once {
            dialect,
            caller: caller.to_owned(),
            name: format!("{GUARD}{}", hex::encode(fingerprint)),
            fingerprint,
            kept_s: window_s,
        }
    }

    /// The posting of a rejection after all, as this line.
    pub fn rejection(number: i64, line: &str, kept_s: u64) -> Once {
        let mut meaning = Pairs::default();
        meaning.add("line", line);
        Once {
            dialect: API15,
            caller: String::new(),
            name: format!("{REPLAY}{number}"),
            fingerprint: meaning.finish(),
            kept_s,
        }
    }

    /// What tells it from other requests of its account.
    pub fn id(&self) -> Id {
        (
            self.dialect.to_owned(),
            self.caller.clone(),
            self.name.clone(),
        )
    }

    /// Whether it is the account's duplicate guard that knows it, and no key.
    pub fn is_guarded(&self) -> bool {
        self.name.starts_with(GUARD)
    }

    /// The name as its caller knows it.
    pub fn shown(&self) -> &str {
        self.name.strip_prefix("key:").unwrap_or(&self.name)
    }
}

/// What is kept of an outcome: where its rows are. All that it told is read from them anew, so that no person is kept
/// here.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(untagged)]
pub enum Kept {
    /// Of a batch.
    Batch(KeptBatch),
    /// Of a job of `sync_data`.
    Job {
        /// The job's number.
        job: i64,
    },
    /// Of sales: what became of each, in their order.
    Sales {
        /// The outcomes.
        sales: Vec<SaleOutcome>,
    },
    /// Of a single transaction.
    Entry {
        /// The entry's number.
        entry: i64,
        /// The customer's number.
        customer: i64,
    },
    /// Of a customer created or changed.
    Customer {
        /// The customer's number.
        customer: i64,
        /// What was told of it.
        told: String,
    },
    /// Of a batch of customers.
    Imported {
        /// The batch's number.
        people: i64,
        /// The number of its first rejection, if it has any.
        first_rejection: i64,
        /// Lines of customers who were left as they were.
        ignored: usize,
    },
    /// Of a user created, changed or deleted.
    User {
        /// The user's number.
        user: i32,
        /// What was told of it.
        told: String,
    },
    /// Of what is told in a word.
    Word {
        /// The word.
        word: String,
    },
}

impl Kept {
    /// What is kept of a batch, if it is one; of transactions or of customers.
    pub fn batch(&self) -> Option<KeptBatch> {
        match self {
            Kept::Batch(kept) => Some(*kept),
            Kept::Imported {
                people,
                first_rejection,
                ..
            } => Some(KeptBatch {
                batch: *people,
                first_rejection: *first_rejection,
            }),
            _ => None,
        }
    }
}

/// What is kept of the outcome of a batch.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeptBatch {
    /// The batch's number.
    pub batch: i64,
    /// The number of its first rejection, if it has any.
    pub first_rejection: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_the_texts_that_are_stored() {
        let batch = Kept::Batch(KeptBatch {
            batch: 7,
            first_rejection: 3,
        });
        let job = Kept::Job { job: 7 };
        let sales = Kept::Sales {
            sales: vec![
                SaleOutcome::Created {
                    sale: 5,
                    customer: 41367,
                },
                SaleOutcome::Updated {
                    sale: 3,
                    customer: 41367,
                },
                SaleOutcome::NotFound,
                SaleOutcome::NotUnique {
                    customers: vec![41369, 41370],
                },
                SaleOutcome::Invalid,
            ],
        };
        let told = concat!(
            r#"{"sales":[{"created":{"sale":5,"customer":41367}},{"updated":{"sale":3,"customer":41367}},"#,
            r#""not_found",{"not_unique":{"customers":[41369,41370]}},"invalid"]}"#
        );
        for (kept, text) in [
            (batch.clone(), r#"{"batch":7,"first_rejection":3}"#),
            (job.clone(), r#"{"job":7}"#),
            (sales, told),
            (
                Kept::Entry {
                    entry: 7,
                    customer: 3,
                },
                r#"{"entry":7,"customer":3}"#,
            ),
            (
                Kept::Customer {
                    customer: 3,
                    told: "new".to_owned(),
                },
                r#"{"customer":3,"told":"new"}"#,
            ),
            (
                Kept::Imported {
                    people: 7,
                    first_rejection: 3,
                    ignored: 2,
                },
                r#"{"people":7,"first_rejection":3,"ignored":2}"#,
            ),
            (
                Kept::User {
                    user: 2,
                    told: "new".to_owned(),
                },
                r#"{"user":2,"told":"new"}"#,
            ),
            (
                Kept::Word {
                    word: "12".to_owned(),
                },
                r#"{"word":"12"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&kept).unwrap(), text);
            assert_eq!(serde_json::from_str::<Kept>(text).unwrap(), kept);
        }
        assert!(serde_json::from_str::<Kept>("{}").is_err());
        assert!(batch.batch().is_some() && job.batch().is_none());
    }

    #[test]
    fn a_key_is_short_and_printable() {
        let longest = "k".repeat(255);
        for good in ["a", " ", "~", "order 12/7", &longest] {
            assert!(Once::is_key(good), "{good}");
        }
        for bad in ["", "\u{e9}", "a\tb", "\u{7f}", &"k".repeat(256)] {
            assert!(!Once::is_key(bad), "{bad}");
        }
    }

    #[test]
    fn no_key_can_be_taken_for_another_kind_of_name() {
        let print = [7; 32];
        let guarded = Once::guarded(API15, "u", print, 60);
        for key in [&guarded.name, "rejection:1", "key:x"] {
            let keyed = Once::keyed(API15, "u", key, print, 60);
            assert!(keyed.name != guarded.name && keyed.name != Once::rejection(1, "", 60).name);
        }
    }
}
