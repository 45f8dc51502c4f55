//! What a person agreed to: each answer is kept, none is changed.
//!
//! Belongs here: which answers a contact's fields hold, and which of them are new. An answer is new if it, its date or
//! the address that it was given from differs from what the person's fields held before.

use super::keys;
use crate::json::{self, Fields, Scalar};
use crate::text;

/// The fields that hold answers, and what they are answers to.
const FLAGS: [(&str, Channel); 2] = [
    ("gdpr_accept_terms", Channel::Terms),
    ("gdpr_marketing_consent", Channel::Marketing),
];
const CHANNELS: &str = "channel_subscriptions";
const DATE: &str = "gdpr_date";
const REMOTE_IP: &str = "gdpr_remote_ip";
/// The longest date and the longest address that are kept, in characters.
const KEPT_CHARS: usize = 64;

/// What a person was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    /// The client's terms.
    Terms,
    /// Marketing in general.
    Marketing,
    /// E-mail.
    Email,
    /// Short messages.
    Sms,
    /// Messages of an app.
    Push,
}

impl Channel {
    /// All channels, with their words.
    pub const ALL: [(Channel, &'static str); 5] = [
        (Channel::Terms, "terms"),
        (Channel::Marketing, "marketing"),
        (Channel::Email, "email"),
        (Channel::Sms, "sms"),
        (Channel::Push, "push"),
    ];

    /// The channels that messages go through.
    pub const MESSAGES: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];

    /// Its word in the database.
    pub fn word(self) -> &'static str {
        let found = Channel::ALL.iter().find(|(channel, _)| *channel == self);
        found.map_or("", |(_, word)| word)
    }

    /// The channel that messages go through with this word, in any case.
    pub fn from_word(word: &str) -> Option<Channel> {
        let mut messages = Channel::MESSAGES.into_iter();
        messages.find(|channel| channel.word().eq_ignore_ascii_case(word))
    }
}

/// A flag as clients write it: `true`, `false`, 1, 0, or one of these as text. `None` for all other values.
pub fn flag(raw: &str) -> Option<bool> {
    match json::scalar(raw) {
        Scalar::Bool(flag) => Some(flag),
        Scalar::Number("1") => Some(true),
        Scalar::Number("0") => Some(false),
        Scalar::Text(text) => match text.trim() {
            "1" => Some(true),
            "0" => Some(false),
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a contact has a field that consents are made of.
pub fn concerns(field: &str) -> bool {
    let mut flags = FLAGS.iter();
    [CHANNELS, DATE, REMOTE_IP].contains(&field) || flags.any(|(name, _)| *name == field)
}

/// An answer with its circumstances.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What was asked.
    pub channel: Channel,
    /// The answer; `None` where it is taken back.
    pub answer: Option<bool>,
    /// When it was given, as the client says.
    pub date: Option<Box<str>>,
    /// From which address it was given, as the client says.
    pub remote_ip: Option<Box<str>>,
}

/// The answers that are new, in the order of [`Channel::ALL`].
pub fn changes(before: &Fields, after: &Fields) -> Vec<Answer> {
    let (old, new) = (answers(before), answers(after));
    let moved = [DATE, REMOTE_IP].into_iter().any(|name| {
        let text = |fields: &Fields| fields.get(name).and_then(keys::text_of);
        text(before) != text(after)
    });
    let pairs = old.into_iter().zip(new);
    let known = pairs.filter(|(old, new)| old.1.is_some() || new.1.is_some());
    let changed = known.filter(|(old, new)| moved || old != new);
    let text = |name: &str| -> Option<Box<str>> {
        let text = keys::text_in(after.get(name)?)?;
        Some(text::cut(&text, KEPT_CHARS).into())
    };
    let new = changed.map(|(_, (channel, answer))| Answer {
        channel,
        answer,
        date: text(DATE),
        remote_ip: text(REMOTE_IP),
    });
    new.collect()
}

/// What a person's fields say, in the order of [`Channel::ALL`].
fn answers(fields: &Fields) -> [(Channel, Option<bool>); 5] {
    let channels = fields.get(CHANNELS).map_or_else(Vec::new, channels);
    Channel::ALL.map(|(channel, _)| {
        let field = FLAGS.iter().find(|(_, asked)| *asked == channel);
        let answer = match field {
            Some((name, _)) => fields.get(name).and_then(flag),
            None => {
                // Of several entries for a channel the last one counts.
                let entry = channels.iter().rfind(|(asked, _)| *asked == channel);
                entry.map(|(_, blacklisted)| !blacklisted)
            }
        };
        (channel, answer)
    })
}

/// Channels with whether they are blacklisted: a list of objects, or one object. What cannot be read is left out.
fn channels(raw: &str) -> Vec<(Channel, bool)> {
    let entries = json::list(raw).unwrap_or_else(|| vec![raw]);
    let read = |raw: &str| {
        let entry = Fields::parse(raw)?;
        let Scalar::Text(word) = json::scalar(entry.get("channel")?) else {
            return None;
        };
        let channel = Channel::from_word(word.trim())?;
        Some((channel, flag(entry.get("blacklisted")?)?))
    };
    entries.into_iter().filter_map(read).collect()
}

/// An answer that is to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRow<'a> {
    /// Its number in the account.
    pub number: i64,
    /// The customer's number.
    pub customer: i64,
    /// What was asked.
    pub channel: Channel,
    /// The answer; `None` where it is taken back.
    pub answer: Option<bool>,
    /// When it was given, as the client says.
    pub date: Option<Box<str>>,
    /// From which address it was given, as the client says.
    pub remote_ip: Option<Box<str>>,
    /// Where it is from, as the client says.
    pub origin: &'a str,
    /// The number of the job that brought it.
    pub job: i64,
    /// The item that brought it.
    pub item: i32,
    /// The number of the customer's consent before it.
    pub previous: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, after: &str) -> Vec<(&'static str, Option<bool>)> {
        let fields = |raw| Fields::parse(raw).unwrap();
        let changes = changes(&fields(before), &fields(after));
        let pairs = changes
            .iter()
            .map(|answer| (answer.channel.word(), answer.answer));
        pairs.collect()
    }

    #[test]
    fn only_what_is_new_is_kept() {
        let terms = r#"{"gdpr_accept_terms":true}"#;
        let dated = r#"{"gdpr_accept_terms":true,"gdpr_date":"2024-01-01"}"#;
        let both =
            r#"{"gdpr_accept_terms":"true","gdpr_marketing_consent":0,"gdpr_date":"2024-01-01"}"#;
        let email = r#"{"channel_subscriptions":[{"channel":"EMAIL","blacklisted":true}]}"#;
        let one = r#"{"channel_subscriptions":{"channel":"email","blacklisted":"1"}}"#;
        let more = r#"{"channel_subscriptions":[{"channel":"email","blacklisted":false},{"channel":"sms","blacklisted":false},{"channel":"email","blacklisted":true}]}"#;
        for (before, after, expected) in [
            ("{}", "{}", &[][..]),
            (
                "{}",
                r#"{"gdpr_date":"2024-01-01","gdpr_remote_ip":"::1"}"#,
                &[],
            ),
            ("{}", terms, &[("terms", Some(true))]),
            (terms, terms, &[]),
            (terms, r#"{"gdpr_accept_terms":1}"#, &[]),
            (
                terms,
                r#"{"gdpr_accept_terms":false}"#,
                &[("terms", Some(false))],
            ),
            (terms, "{}", &[("terms", None)]),
            (terms, dated, &[("terms", Some(true))]),
            (dated, both, &[("marketing", Some(false))]),
            (both, terms, &[("terms", Some(true)), ("marketing", None)]),
            ("{}", email, &[("email", Some(false))]),
            (email, one, &[]),
            (email, more, &[("sms", Some(true))]),
            (more, email, &[("sms", None)]),
            (
                "{}",
                r#"{"channel_subscriptions":[{"channel":"fax","blacklisted":true},{"channel":"push"},3]}"#,
                &[],
            ),
        ] {
            assert_eq!(changed(before, after), expected, "{before} {after}");
        }
    }

    #[test]
    fn an_answer_has_its_circumstances() {
        let fields = Fields::parse(
            r#"{"gdpr_remote_ip":" 10.0.0.1 ","gdpr_marketing_consent":false,"gdpr_date":"1990-01-01T00:00:00Z"}"#,
        );
        let changes = changes(&Fields::default(), &fields.unwrap());
        assert_eq!(
            changes,
            [Answer {
                channel: Channel::Marketing,
                answer: Some(false),
                date: Some("1990-01-01T00:00:00Z".into()),
                remote_ip: Some("10.0.0.1".into()),
            }]
        );
    }

    #[test]
    fn flags_are_read() {
        for (raw, expected) in [
            ("true", Some(true)),
            ("\"False\"", Some(false)),
            ("1", Some(true)),
            ("\"0\"", Some(false)),
            ("2", None),
            ("1.0", None),
            ("\"yes\"", None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(flag(raw), expected, "{raw}");
        }
    }
}
