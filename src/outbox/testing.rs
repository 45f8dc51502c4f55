//! A worker at a desk without a database.

use super::Worker;
use super::desk::fake::{ACCOUNT, Fake, State};
use crate::error::{Code, Problem};
use crate::hooks::client::Sender;
use crate::hooks::names::System;
use crate::loyalty::account::Account;
use crate::mailcheck::dns::Checker;
use crate::secrets::ServerKey;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Runs something to its end.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

pub fn problem(code: Code) -> Problem {
    Problem::new(code).detail("ref-1")
}

/// An account whose secret is `hush`, and the key that opens it.
pub fn account() -> (Arc<Account>, ServerKey) {
    let key = ServerKey::from_bytes(&[7; 32]);
    let mut account = Account::new(
        ACCOUNT,
        "hotel".to_owned(),
        "Hotel".to_owned(),
        chrono_tz::Tz::UTC,
        5,
        Vec::new(),
        Vec::new(),
    );
    let context = crate::secrets::account_context("hotel");
    account.sealed_secret = Some(key.seal(b"hush", &context).unwrap());
    (Arc::new(account), key)
}

/// A worker at such a desk, and what stops it.
pub fn worker(state: State, dns: Option<SocketAddr>) -> (Worker<Fake>, watch::Sender<bool>) {
    let (account, key) = account();
    let (stop, stopped) = watch::channel(false);
    let worker = Worker {
        desk: Fake {
            state: RefCell::new(state),
            account,
        },
        key,
        checker: Arc::new(Checker::new(dns, Duration::from_millis(300))),
        sender: Sender {
            names: Arc::new(System),
            allow: "127.0.0.0/8".parse().unwrap(),
            timeout: Duration::from_millis(400),
        },
        lease: Duration::from_millis(600),
        hook_lease: Duration::from_secs(1),
        schedule: vec![300, 600],
        stopped,
    };
    (worker, stop)
}
