//! Tokens that are valid for a while.
//!
//! Belongs here: making and checking them. Nothing is stored: a token says until when it is valid, and its end proves that
//! it was made under the server key for this account. So it is valid on every gateway, and is not used up.

use super::{ServerKey, same};

/// Letters of a token.
pub const LETTERS: usize = 36;
/// Bytes that say until when, in milliseconds since 1970 UTC.
const EXPIRY_BYTES: usize = 6;
/// Bytes of the proof.
const PROOF_BYTES: usize = 15;
const BYTES: usize = EXPIRY_BYTES + PROOF_BYTES;

/// A token of an account, valid until this millisecond since 1970 UTC.
pub fn make(key: &ServerKey, account_id: &str, until_ms: i64) -> String {
    let expiry = expiry(until_ms);
    let proof = key.time_proof(account_id, &expiry);
    let mut bytes = [0; BYTES];
    for (to, from) in bytes.iter_mut().zip(expiry.iter().chain(&proof)) {
        *to = *from;
    }
    letters(bytes)
}

/// Whether it is a token of this account, and still valid at this millisecond since 1970 UTC.
pub fn is_valid(key: &ServerKey, account_id: &str, token: &str, now_ms: i64) -> bool {
    let Some(bytes) = bytes(token) else {
        return false;
    };
    let Some((expiry, shown)) = bytes.split_first_chunk::<EXPIRY_BYTES>() else {
        return false;
    };
    let proof = key.time_proof(account_id, expiry);
    let made = proof
        .get(..PROOF_BYTES)
        .is_some_and(|proof| same(proof, shown));
    let mut until = [0; 8];
    for (to, from) in until.iter_mut().skip(2).zip(expiry) {
        *to = *from;
    }
    made && now_ms < i64::from_be_bytes(until)
}

fn expiry(until_ms: i64) -> [u8; EXPIRY_BYTES] {
    let [_, _, rest @ ..] = until_ms.max(0).to_be_bytes();
    rest
}

/// The bytes as one number of 26 digits, in letters.
fn letters(mut bytes: [u8; BYTES]) -> String {
    let mut text = [b'A'; LETTERS];
    for letter in text.iter_mut().rev() {
        let mut rest = 0_u16;
        for byte in &mut bytes {
            let value = (rest << 8) | u16::from(*byte);
            *byte = u8::try_from(value / 26).unwrap_or(u8::MAX);
            rest = value % 26;
        }
        *letter = letter.saturating_add(u8::try_from(rest).unwrap_or(0));
    }
    text.iter().map(|letter| char::from(*letter)).collect()
}

fn bytes(token: &str) -> Option<[u8; BYTES]> {
    if token.len() != LETTERS || !token.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0_u8; BYTES];
    for letter in token.bytes() {
        let mut carry = u16::from(letter.saturating_sub(b'A'));
        for byte in bytes.iter_mut().rev() {
            let value = u16::from(*byte).saturating_mul(26).saturating_add(carry);
            let [high, low] = value.to_be_bytes();
            *byte = low;
            carry = u16::from(high);
        }
        if carry != 0 {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_token_is_valid_for_its_account_until_its_time() {
        let key = ServerKey::from_bytes(&KEY);
        let token = make(&key, "shop", 1_000_000);
        assert_eq!(token.len(), LETTERS);
        assert!(token.bytes().all(|letter| letter.is_ascii_uppercase()));
        assert!(is_valid(&key, "shop", &token, 999_999));
        assert!(!is_valid(&key, "shop", &token, 1_000_000));
        assert!(!is_valid(&key, "shop2", &token, 0));
        assert!(!is_valid(
            &ServerKey::from_bytes(&[8; 32]),
            "shop",
            &token,
            0
        ));
        for at in 0..LETTERS {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'Z' {
                b'A'
            } else {
                changed[at] + 1
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!is_valid(&key, "shop", &changed, 0), "letter {at}");
        }
        for wrong in [
            "",
            "A",
            &"Z".repeat(LETTERS),
            &token.to_lowercase(),
            &format!("{token}A"),
        ] {
            assert!(!is_valid(&key, "shop", wrong, 0), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn letters_hold_all_bytes(some in any::<[u8; BYTES]>()) {
            let text = letters(some);
            prop_assert_eq!(bytes(&text), Some(some));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,40}|[A-Z]{36}") {
            let _ = is_valid(&ServerKey::from_bytes(&KEY), "shop", &text, 0);
        }
    }
}
