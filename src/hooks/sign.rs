//! The two signatures of a webhook.
//!
//! Belongs here: what is signed, and how. Does not belong here: where the secret lies, or when a request is sent.
//!
//! | signature | header | over what |
//! | --- | --- | --- |
//! | the vendor's | `Authorization` | the timestamp, then the token; not the body |
//! | Standard Webhooks | `webhook-signature` | the id, the timestamp and the body, joined by dots |
//!
//! Both are HMAC-SHA256 with the bytes of the account's secret as the key. The vendor's is written in hexadecimal and
//! stands alone in its header, without a scheme; the other is `v1,` and base64. Who checks with a library for Standard
//! Webhooks gives it `whsec_` and the secret in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::secrets::{SecretError, random_bytes};

/// Characters of a token.
pub const TOKEN_LENGTH: usize = 50;

/// What a token is made of.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn digest(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length is taken; the error exists for other algorithms.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The vendor's signature: 64 lower-case hexadecimal digits. `timestamp` is in seconds since 1970.
pub fn vendor(secret: &[u8], timestamp: i64, token: &str) -> String {
    let timestamp = timestamp.to_string();
    hex::encode(digest(secret, &[timestamp.as_bytes(), token.as_bytes()]))
}

/// The signature of Standard Webhooks: `v1,` and the base64 of 32 bytes. `timestamp` is in seconds since 1970.
pub fn standard(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    let signed = digest(secret, &[head.as_bytes(), body]);
    format!("v1,{}", STANDARD.encode(signed))
}

/// All headers that authenticate one try.
pub fn headers(
    secret: &[u8],
    id: &str,
    timestamp: i64,
    token: &str,
    body: &[u8],
) -> [(&'static str, String); 4] {
    [
        ("Authorization", vendor(secret, timestamp, token)),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", standard(secret, id, timestamp, body)),
    ]
}

/// A random token of [`TOKEN_LENGTH`] letters and digits, each equally likely.
///
/// # Errors
/// [`SecretError::NoRandom`].
pub fn token() -> Result<String, SecretError> {
    let mut token = String::with_capacity(TOKEN_LENGTH);
    while token.len() < TOKEN_LENGTH {
        for byte in random_bytes::<64>()? {
            // Four times the alphabet fits into a byte; what is above would make its first letters likelier.
            let letter = ALPHABET
                .get(usize::from(byte) % ALPHABET.len())
                .filter(|_| usize::from(byte) < 4 * ALPHABET.len());
            if let Some(letter) = letter
                && token.len() < TOKEN_LENGTH
            {
                token.push(char::from(*letter));
            }
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
