//! Passwords and PINs of persons.
//!
//! Belongs here: how they are hashed, and how many at a time. Does not belong here: whose they are, and who tries too often
//! ([`super::throttle`]).
//!
//! Argon2id with 19 MiB, two passes and one lane, each with a salt of its own, kept as a PHC string. The memory is taken
//! for each use and given back, so that a gateway that checks none holds none.

use super::{SecretError, random_bytes};
use crate::error::{Code, Problem};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Hashes that are made at the same time.
const AT_ONCE: usize = 2;
/// Hashes that may wait.
const WAITING_MAX: usize = 32;
/// What is compared where nobody has a password: the hash of a text that no client can send.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keQ$PYdHaq3hXaKqrBD5YWUfLgM7vB3F6U0i4P9NOZ6tVJE";

/// Makes and checks hashes where they hold nobody up.
pub struct Passwords {
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords {
            room: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Passwords {
    /// The hash of a text.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: too many are being made, or there is no randomness.
    pub async fn hash(&self, text: &str) -> Result<String, Problem> {
        let text = text.to_owned();
        let made = self.run(move || hash_now(&text)).await?;
        made.map_err(|error| Problem::new(Code::Unavailable).detail(error))
    }

    /// Whether a text is the one that was hashed. Without a hash it is not, after the same work.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: too many are being checked.
    pub async fn verify(&self, text: &str, stored: Option<&str>) -> Result<bool, Problem> {
        let (text, known) = (text.to_owned(), stored.is_some());
        let stored = stored.unwrap_or(NOBODY).to_owned();
        let matches = self.run(move || matches(&text, &stored)).await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let unavailable = |why: &str| Problem::new(Code::Unavailable).detail(why);
        let busy = || unavailable("too many passwords are being checked");
        let place = Waiting::take(&self.waiting).ok_or_else(busy)?;
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|_| busy())?;
        drop(place);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(room);
            done
        });
        done.await
            .map_err(|_| unavailable("it met a defect while checking a password"))
    }
}

/// A place among those that wait; given back also where the caller gives up.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn take(waiting: &'p AtomicUsize) -> Option<Waiting<'p>> {
        let place = Waiting(waiting);
        // The two that are worked on were among them for a moment.
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        (before < WAITING_MAX).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a text, made on this thread.
///
/// # Errors
/// [`SecretError::NoRandom`].
pub fn hash_now(text: &str) -> Result<String, SecretError> {
    let salt = SaltString::encode_b64(&random_bytes::<16>()?).map_err(|_| SecretError::NoRandom)?;
    let hasher = hasher().ok_or(SecretError::TooLong)?;
    let hash = hasher.hash_password(text.as_bytes(), &salt);
    Ok(hash.map_err(|_| SecretError::TooLong)?.to_string())
}

/// Whether a text is the one that was hashed, found out on this thread.
pub fn matches(text: &str, stored: &str) -> bool {
    let (Some(hasher), Ok(hash)) = (hasher(), PasswordHash::new(stored)) else {
        return false;
    };
    hasher.verify_password(text.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_text_and_no_other() {
        let hash = hash_now("hush hush").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(hash.len() <= 128, "it fits its column");
        assert!(matches("hush hush", &hash));
        assert!(!matches("hush hush ", &hash) && !matches("", &hash));
        assert!(!matches("x", "no hash"));
        assert_ne!(hash, hash_now("hush hush").unwrap(), "each has its salt");
    }

    #[test]
    fn nobody_has_a_hash_that_takes_the_same_work() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert!(hash.hash.is_some() && hash.salt.is_some());
        assert!(!matches("", NOBODY));
    }

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let passwords = Passwords::default();
        let held = Arc::clone(&passwords.room)
            .acquire_many_owned(2)
            .await
            .unwrap();
        let mut waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| Box::pin(passwords.verify("x", None)))
            .collect();
        for one in &mut waiting {
            assert!(poll_once(one.as_mut()).is_none());
        }
        let refused = passwords.hash("x").await.unwrap_err();
        assert_eq!(
            refused.text(),
            "The service cannot take the request now (too many passwords are being checked); nothing was posted. \
             Send it again later."
        );
        drop(waiting);
        drop(held);
        assert!(!passwords.verify("x", None).await.unwrap());
        let hash = passwords.hash("x").await.unwrap();
        assert!(passwords.verify("x", Some(&hash)).await.unwrap());
    }

    /// What a future comes to when it is asked once.
    fn poll_once<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match future.poll(&mut cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
