//! Ids of jobs and webhooks. Each holds the number that its row is found by, so that no index on ids is needed; the
//! rest of it is compared with what is stored.

use std::fmt;

/// The id of a job: 4 bytes of time, 3 random ones, 5 of its number in the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobId([u8; 12]);

impl JobId {
    /// The id of a new job, made at `now_s` seconds since 1970. Numbers beyond 2^40 are not kept whole.
    pub fn new(now_s: i64, random: [u8; 3], number: i64) -> JobId {
        let [_, _, _, _, time @ ..] = now_s.to_be_bytes();
        let [_, _, _, number @ ..] = number.to_be_bytes();
        let mut id = [0; 12];
        let bytes = time.into_iter().chain(random).chain(number);
        for (to, from) in id.iter_mut().zip(bytes) {
            *to = from;
        }
        JobId(id)
    }

    /// The id with this text: 24 hexadecimal digits, in lower case as they are told.
    pub fn parse(text: &str) -> Option<JobId> {
        let mut id = [0; 12];
        hex::decode_to_slice(text, &mut id).ok()?;
        let id = JobId(id);
        (id.hex() == text).then_some(id)
    }

    /// The job's number in its account.
    pub fn number(&self) -> i64 {
        let [_, _, _, _, _, _, _, number @ ..] = self.0;
        let number = number.into_iter();
        number.fold(0, |value, byte| (value << 8) | i64::from(byte))
    }

    /// Its text.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// The id of a webhook: `evt_`, account, number and 16 random digits, all hexadecimal. It has no dot, because the
/// signature of a webhook joins it to other texts by dots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventId {
    /// The account's number.
    pub account: i32,
    /// The event's number in the account.
    pub number: i64,
    text: String,
}

impl EventId {
    /// The id of a new event.
    pub fn new(account: i32, number: i64, random: [u8; 8]) -> EventId {
        let text = format!("evt_{account:x}_{number:x}_{}", hex::encode(random));
        EventId {
            account,
            number,
            text,
        }
    }

    /// The id with this text.
    pub fn parse(text: &str) -> Option<EventId> {
        let mut parts = text.strip_prefix("evt_")?.split('_');
        let account = i32::from_str_radix(parts.next()?, 16).ok()?;
        let number = i64::from_str_radix(parts.next()?, 16).ok()?;
        let mut random = [0; 8];
        hex::decode_to_slice(parts.next()?, &mut random).ok()?;
        let id = EventId::new(account, number, random);
        (id.text == text).then_some(id)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_have_their_published_form() {
        let id = JobId::new(1_700_000_000, [0xab, 0xcd, 0xef], 258);
        assert_eq!(id.hex(), "6553f100abcdef0000000102");
        let id = EventId::new(17, 300, [0x5a; 8]);
        assert_eq!(id.as_str(), "evt_11_12c_5a5a5a5a5a5a5a5a");
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "6553f100abcdef000000010",
            "6553f100abcdef00000001020",
            "6553F100ABCDEF0000000102",
            "6553f100abcdef000000010g",
            "６553f100abcdef0000000102",
        ] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
        for text in [
            "",
            "evt_",
            "evt_1_1",
            "evt_1_1_5a5a5a5a5a5a5a5a_",
            "evt_01_1_5a5a5a5a5a5a5a5a",
            "evt_+1_1_5a5a5a5a5a5a5a5a",
            "evt_1_1_5A5a5a5a5a5a5a5a",
            "EVT_1_1_5a5a5a5a5a5a5a5a",
            "evt_1_ffffffffffffffffff_5a5a5a5a5a5a5a5a",
        ] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back(
            now in 0..=i64::from(u32::MAX), random: [u8; 3], number in 0_i64..1 << 40,
            account in 1..i32::MAX, event in 1..i64::MAX, more: [u8; 8],
        ) {
            let id = JobId::new(now, random, number);
            prop_assert_eq!(id.number(), number);
            prop_assert_eq!(JobId::parse(&id.hex()), Some(id));
            let id = EventId::new(account, event, more);
            let again = EventId::parse(id.as_str());
            prop_assert_eq!(again.as_ref().map(|id| (id.account, id.number)), Some((account, event)));
            prop_assert_eq!(again, Some(id));
        }
    }
}
