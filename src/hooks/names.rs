//! The names of hosts: resolved within a time, and all their addresses checked.
//!
//! Belongs here: asking the system, and what the answer means for a webhook. Does not belong here: the name server for
//! e-mail addresses ([`crate::mailcheck`]); webhooks go to names that only the system may know, such as those in its
//! hosts file.
//!
//! A name is refused when **any** of its addresses may not be reached: whoever controls the name controls which of
//! them comes first.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::address::Allow;
use super::target::{self, Target};

/// How long a name may take when a client gives a URL. The client waits for it.
pub const AT_SUBMIT: Duration = Duration::from_secs(1);
/// How long a name may take when a webhook is sent.
pub const AT_CONNECT: Duration = Duration::from_secs(5);

/// Look-ups that may be under way at once. The system's resolver cannot be interrupted, so that one which hangs keeps
/// its thread until it gives up by itself.
const MAX_PENDING: usize = 64;

/// Who knows the addresses of names: the system, or a test.
pub trait Names: Send + Sync {
    /// All addresses of a host, with the port. May take its time.
    ///
    /// # Errors
    /// No such name, or nobody who knows.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Default, Debug)]
pub struct System;

impl Names for System {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// Why there are no addresses to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAddress {
    /// The name is not known, or nobody answered in time; the text says which.
    Unresolved(String),
    /// It has an address that may not be reached; a sentence as [`target::check`] gives it.
    Refused(String),
}

/// The addresses of a target, all of them checked. A literal address is not looked up, but checked again, because the
/// allow-list may be another one by now.
///
/// # Errors
/// [`NoAddress`].
pub fn addresses(
    names: &Arc<dyn Names>,
    allow: &Allow,
    target: &Target,
    limit: Duration,
) -> Result<Vec<SocketAddr>, NoAddress> {
    let found = match target.literal {
        Some(literal) => vec![SocketAddr::new(literal, target.port)],
        None => within(names, &target.host, target.port, limit).map_err(NoAddress::Unresolved)?,
    };
    if found.is_empty() {
        return Err(NoAddress::Unresolved("the name has no address".to_owned()));
    }
    for address in &found {
        target::check(address.ip(), allow).map_err(NoAddress::Refused)?;
    }
    Ok(found)
}

/// The check when a client gives a URL: a name that resolves must lead to public or allowed addresses only. One that
/// does not resolve now may do so later, and is taken. Waits at most [`AT_SUBMIT`].
///
/// # Errors
/// What is wrong, as a sentence without the name of the field.
pub fn check(names: &Arc<dyn Names>, allow: &Allow, target: &Target) -> Result<(), String> {
    match addresses(names, allow, target, AT_SUBMIT) {
        Err(NoAddress::Refused(why)) => Err(why),
        Err(NoAddress::Unresolved(_)) | Ok(_) => Ok(()),
    }
}

/// Resolves a name on a thread of its own, which is left behind when it takes too long.
fn within(
    names: &Arc<dyn Names>,
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<Vec<SocketAddr>, String> {
    static PENDING: AtomicUsize = AtomicUsize::new(0);
    /// Counts down however the thread ends.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            PENDING.fetch_sub(1, Ordering::Relaxed);
        }
    }

    let before = PENDING.fetch_add(1, Ordering::Relaxed);
    let place = Place;
    if before >= MAX_PENDING {
        return Err("too many names are being resolved".to_owned());
    }
    let (names, host) = (Arc::clone(names), host.to_owned());
    let (answer, wait) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("names".to_owned())
        .spawn(move || {
            let _place = place;
            // Nobody may be waiting any more.
            let _ = answer.send(names.resolve(&host, port));
        })
        .map_err(|fault| format!("the name could not be resolved: {fault}"))?;
    match wait.recv_timeout(limit) {
        Ok(Ok(found)) => Ok(found
            .into_iter()
            .map(|found| SocketAddr::new(found.ip(), port))
            .collect()),
        Ok(Err(fault)) => Err(format!("the name could not be resolved: {fault}")),
        Err(mpsc::RecvTimeoutError::Timeout) => Err("the name was not resolved in time".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err("the name could not be resolved".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
