//! Secrets: how they are kept, compared and made.
//!
//! Belongs here: the server key and what is derived from it, random values, comparison in constant time, the list of
//! published sample secrets, passwords of persons. Does not belong here: where the key file lies ([`crate::config`]), which
//! table holds which secret ([`crate::store`]).
//!
//! Everything is derived from one key of 32 bytes, one subkey for each purpose, so that a value made for one purpose
//! says nothing about another:
//!
//! | purpose | how | used for |
//! | --- | --- | --- |
//! | checked secrets | HMAC-SHA256 | API keys and tokens, which only ever have to be recognised |
//! | sealed secrets | XChaCha20-Poly1305 | secrets that sign, which have to be read again |
//! | time tokens | HMAC-SHA256 | tokens that are valid for a while |
//! | check value | HMAC-SHA256 of nothing | kept in the database, to notice a wrong key at start-up |

mod key_file;
pub mod passwords;
pub mod throttle;
pub mod time_token;

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub use key_file::{KeyFileError, default_key_path};

/// Bytes of the server key.
pub const KEY_BYTES: usize = 32;

/// Bytes of the random number in front of a sealed value.
const NONCE_BYTES: usize = 24;

/// Every sample secret that stands in the published documents or in the example world: keys of users, secrets of
/// accounts, tokens of brands. Whoever can read can use them, so `serve` takes them on loopback only.
pub const PUBLISHED_SAMPLES: &[&str] = &[
    // The published page of batch_transactions: the field table, then the PHP sample and the example world.
    "1959caadac9b13dcb3",
    "1959caadac9a8f7e42938a7b13dcb3",
    // The example world: an account's secret, a brand's token.
    "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "5d41402abc4b2a76b9719d911017c592aabbccdd",
];

/// Whether a secret is one of the published samples.
pub fn is_sample(shown: &[u8]) -> bool {
    PUBLISHED_SAMPLES
        .iter()
        .any(|sample| sample.as_bytes() == shown)
}

/// Text that must not be shown. Its `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a secret could not be sealed, opened or made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretError {
    /// The operating system gave no random bytes.
    NoRandom,
    /// The sealed value was made under another key or for another place, or it was changed.
    NotOurs,
    /// The value is too long for the cipher.
    TooLong,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecretError::NoRandom => "the operating system gives no random bytes",
            SecretError::NotOurs => {
                "the sealed secret cannot be opened: it was sealed under another server key or for another place, or it was changed"
            }
            SecretError::TooLong => "the secret is too long to be sealed",
        })
    }
}

impl std::error::Error for SecretError {}

/// The key under which an installation keeps its secrets. All gateways of one database share it.
#[derive(Clone)]
pub struct ServerKey {
    /// Keyed once: a digest starts from a copy, which halves its cost.
    checked: Hmac<Sha256>,
    sealing: XChaCha20Poly1305,
    check_value: [u8; 32],
    time_tokens: Hmac<Sha256>,
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(***)")
    }
}

/// An HMAC that has taken in its key.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // A key of any length is taken; the fixed-size constructor has no error to handle. Its block is 64 bytes, and
    // HMAC fills shorter keys up with zeros.
    let mut block = [0_u8; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

/// The subkey for one purpose.
fn subkey(master: &Hmac<Sha256>, purpose: &str) -> [u8; 32] {
    master
        .clone()
        .chain_update(purpose.as_bytes())
        .finalize()
        .into_bytes()
        .into()
}

impl ServerKey {
    /// Derives the subkeys from the 32 bytes.
    pub fn from_bytes(key: &[u8; KEY_BYTES]) -> ServerKey {
        let master = keyed(key);
        // These texts are part of every stored digest: they never change.
        ServerKey {
            checked: keyed(&subkey(&master, "punchcard 1: checked secrets")),
            sealing: XChaCha20Poly1305::new(&subkey(&master, "punchcard 1: sealed secrets").into()),
            check_value: subkey(&master, "punchcard 1: check value"),
            time_tokens: keyed(&subkey(&master, "punchcard 1: time tokens")),
        }
    }

    /// What is stored of a secret that only has to be recognised: HMAC-SHA256 under the subkey for it.
    pub fn digest(&self, secret: &[u8]) -> [u8; 32] {
        self.checked
            .clone()
            .chain_update(secret)
            .finalize()
            .into_bytes()
            .into()
    }

    /// What proves that a time token is of this account and of this expiry.
    fn time_proof(&self, account_id: &str, expiry: &[u8]) -> [u8; 32] {
        let proof = self.time_tokens.clone().chain_update(expiry);
        proof
            .chain_update(account_id.as_bytes())
            .finalize()
            .into_bytes()
            .into()
    }

    /// Encrypts a secret that has to be read again: 24 random bytes, then the cipher text with its tag, 40 bytes more
    /// than `plain` in all. `context` says what it is for (such as `account greatwidgets secret`); it is not stored,
    /// and the value opens only under the same one, so that it cannot be moved to another row.
    ///
    /// # Errors
    /// [`SecretError::NoRandom`], [`SecretError::TooLong`].
    pub fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, SecretError> {
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: plain,
            aad: context.as_bytes(),
        };
        let mut sealed = nonce.to_vec();
        sealed.extend(
            self.sealing
                .encrypt(XNonce::from_slice(&nonce), payload)
                .map_err(|_| SecretError::TooLong)?,
        );
        Ok(sealed)
    }

    /// Decrypts what [`ServerKey::seal`] made under the same context.
    ///
    /// # Errors
    /// [`SecretError::NotOurs`] for anything else.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Vec<u8>, SecretError> {
        let (nonce, cipher) = sealed
            .split_at_checked(NONCE_BYTES)
            .ok_or(SecretError::NotOurs)?;
        let payload = Payload {
            msg: cipher,
            aad: context.as_bytes(),
        };
        self.sealing
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| SecretError::NotOurs)
    }

    /// A value that tells two keys apart and gives neither away: stored in the database when it is made, compared at
    /// each start.
    pub fn check_value(&self) -> [u8; 32] {
        self.check_value
    }
}

/// What the secret of an account is sealed for.
pub fn account_context(account_id: &str) -> String {
    format!("account {account_id} secret")
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Random bytes of the operating system, fit for keys.
///
/// # Errors
/// [`SecretError::NoRandom`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SecretError::NoRandom)?;
    Ok(bytes)
}

/// `bytes` random bytes as lower-case hexadecimal digits, two for each.
///
/// # Errors
/// [`SecretError::NoRandom`].
pub fn random_hex(bytes: usize) -> Result<String, SecretError> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|_| SecretError::NoRandom)?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: u8) -> ServerKey {
        ServerKey::from_bytes(&[fill; 32])
    }

    #[test]
    fn stored_digests_stay_readable() {
        // Computed with another implementation of HMAC-SHA256: a change of derivation would lock everybody out.
        assert_eq!(
            hex::encode(key(7).digest(b"secret")),
            "2b577ddb28d88fbd6e28c79452149c589ff052bee176e9560a167c4194d9b9e0"
        );
        assert_eq!(
            hex::encode(key(7).check_value()),
            "1e23ec9fd6eee92dcaffe807e80fda543f9ad7b2601275f65078a8de3d5f0b9a"
        );
    }

    #[test]
    fn digests_differ_by_key_secret_and_purpose() {
        assert_eq!(key(1).digest(b"a"), key(1).digest(b"a"));
        assert_ne!(key(1).digest(b"a"), key(2).digest(b"a"));
        assert_ne!(key(1).digest(b"a"), key(1).digest(b"b"));
        assert_ne!(key(1).digest(b""), key(1).check_value());
        assert_ne!(key(1).check_value(), key(2).check_value());
    }

    #[test]
    fn a_sealed_secret_opens_only_with_its_key_and_context() {
        let sealed = key(1).seal(b"whisper", "account a").unwrap();
        assert_eq!(sealed.len(), 7 + 40);
        assert_eq!(key(1).open(&sealed, "account a").unwrap(), b"whisper");
        assert_eq!(key(2).open(&sealed, "account a"), Err(SecretError::NotOurs));
        assert_eq!(key(1).open(&sealed, "account b"), Err(SecretError::NotOurs));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                key(1).open(&changed, "account a"),
                Err(SecretError::NotOurs),
                "byte {at}"
            );
        }
        for length in 0..sealed.len() {
            assert_eq!(
                key(1).open(&sealed[..length], "account a"),
                Err(SecretError::NotOurs),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn sealing_twice_gives_two_values() {
        let key = key(1);
        assert_ne!(
            key.seal(b"same", "x").unwrap(),
            key.seal(b"same", "x").unwrap()
        );
        assert_eq!(key.open(&key.seal(b"", "").unwrap(), "").unwrap(), b"");
    }

    #[test]
    fn nothing_is_shown() {
        assert_eq!(format!("{:?}", key(1)), "ServerKey(***)");
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?} {secret}"), "*** ***");
        assert_eq!(secret.expose(), "hush");
    }

    #[test]
    fn comparison_and_random_values() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
        assert_eq!(random_hex(16).unwrap().len(), 32);
        assert_ne!(random_hex(16).unwrap(), random_hex(16).unwrap());
        assert_ne!(random_bytes::<32>().unwrap(), [0; 32]);
    }

    #[test]
    fn samples_are_listed_once() {
        let mut samples = PUBLISHED_SAMPLES.to_vec();
        samples.sort_unstable();
        samples.dedup();
        assert_eq!(samples.len(), PUBLISHED_SAMPLES.len());
    }
}
