//! Customers and balances looked up for requests that only read: all that wait are looked up together.
//!
//! Belongs here: who waits, and what a look gives. Does not belong here: what is looked up to be written ([`super::part`]).
//!
//! A look-up takes a few statements whether it is for one request or for many, and most of what a statement costs is its
//! beginning. So requests wait in a queue of their own; whoever comes while others are looked up goes with the next look.

use super::{Poster, defect};
use crate::config::{DatabaseUrl, Settings};
use crate::error::{Code, Problem};
use crate::loyalty::customers::named::{self, Names};
use crate::loyalty::ledger::{Balance, BalanceKey};
use crate::store::connect::{Role, connect};
use crate::store::dialect::lookup::find_names;
use crate::store::{Db, Failure, journal};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The most requests of one look.
const LOOK_MAX: usize = 256;

/// Who is asked for, and which balances.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The account's number.
    pub account: i32,
    /// The code as sent, or nothing.
    pub code: Box<str>,
    /// The card number as sent, or nothing.
    pub card: Box<str>,
    /// A campaign's number, and the numbers of its items, 0 where it has none.
    pub campaign: Option<(i32, Box<[i32]>)>,
}

/// Who was found, with balances as far as they have rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The customer's number.
    pub customer: i64,
    /// What it is called.
    pub names: Names,
    /// The balances that were asked for.
    pub balances: Vec<(BalanceKey, Balance)>,
}

type Answer = Result<Found, Problem>;

/// What is looked up.
#[derive(Debug)]
enum Wish {
    /// Whoever has a code or card number.
    Named(Ask),
    /// The customer with a number, of an account.
    Number(i32, i64),
}

impl Wish {
    fn account(&self) -> i32 {
        match self {
            Wish::Named(ask) => ask.account,
            Wish::Number(account, _) => *account,
        }
    }
}

/// A request that waits.
struct Waiting {
    wish: Wish,
    reply: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    closed: bool,
}

/// The requests that wait to be looked up.
pub struct Looks {
    state: Mutex<State>,
    bell: Condvar,
    room: usize,
}

impl Looks {
    /// Starts the threads that look up: one for SQLite, and two for MySQL, where each statement is a round trip.
    pub fn start(settings: &Settings) -> std::io::Result<(Arc<Looks>, Vec<JoinHandle<()>>)> {
        let threads = match settings.database_url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Mysql(_) => settings.reader_connections.clamp(1, 2),
        };
        let looks = Arc::new(Looks {
            state: Mutex::default(),
            bell: Condvar::new(),
            room: settings.queue_requests,
        });
        let start = |number: usize| {
            let (looks, url) = (Arc::clone(&looks), settings.database_url.clone());
            std::thread::Builder::new()
                .name(format!("look-up-{number}"))
                .spawn(move || looks.run(&url))
        };
        let started = (0..threads).map(start).collect::<Result<_, _>>()?;
        Ok((looks, started))
    }

    /// Ends the threads when nobody waits any more.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        self.bell.notify_all();
    }

    fn push(&self, waiting: Waiting) -> Result<(), Problem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed || state.waiting.len() >= self.room {
            return Err(Problem::new(Code::Unavailable).detail("too many requests are waiting"));
        }
        state.waiting.push_back(waiting);
        drop(state);
        self.bell.notify_one();
        Ok(())
    }

    /// Those who wait, at most [`LOOK_MAX`]; `None` at the end.
    fn take(&self) -> Option<Vec<Waiting>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let mut state = self
            .bell
            .wait_while(state, empty)
            .unwrap_or_else(PoisonError::into_inner);
        let count = state.waiting.len().min(LOOK_MAX);
        let taken: Vec<Waiting> = state.waiting.drain(..count).collect();
        (!taken.is_empty()).then_some(taken)
    }

    fn run(&self, url: &DatabaseUrl) {
        let mut connection: Option<Db> = None;
        while let Some(mut taken) = self.take() {
            // By account, each in the order in which they came.
            taken.sort_by_key(|waiting| waiting.wish.account());
            taken.retain(|waiting| !waiting.reply.is_closed());
            let (wishes, replies): (Vec<Wish>, Vec<_>) = taken
                .into_iter()
                .map(|waiting| (waiting.wish, waiting.reply))
                .unzip();
            let looked = catch_unwind(AssertUnwindSafe(|| {
                look_twice(&mut connection, url, &wishes)
            }));
            let answers = looked.unwrap_or_else(|_| {
                tracing::error!("a look-up ended with a panic");
                connection = None;
                wishes.iter().map(|_| Err(defect())).collect()
            });
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _gone = reply.send(answer);
            }
        }
    }
}

/// Looks up on the connection that there is, and once more on a new one where that is broken: the database may have closed
/// it while nobody asked.
fn look_twice(connection: &mut Option<Db>, url: &DatabaseUrl, wishes: &[Wish]) -> Vec<Answer> {
    let was_open = connection.is_some();
    let mut looked = look(connection, url, wishes);
    if looked.is_err() {
        *connection = None;
        if was_open {
            looked = look(connection, url, wishes);
        }
    }
    looked.unwrap_or_else(|cause| {
        *connection = None;
        tracing::error!("looking up for requests failed: {cause}");
        let away = || Problem::new(Code::Unavailable).detail("the database is not available");
        wishes.iter().map(|_| Err(away())).collect()
    })
}

/// Looks up for requests that are in the order of their accounts.
fn look(
    connection: &mut Option<Db>,
    url: &DatabaseUrl,
    wishes: &[Wish],
) -> Result<Vec<Answer>, Failure> {
    let db = match connection {
        Some(db) => db,
        None => {
            let opened = connect(url, Role::LookUp);
            connection.insert(opened.map_err(|error| Failure::Away(error.to_string()))?)
        }
    };
    let mut answers = Vec::with_capacity(wishes.len());
    for part in wishes.chunk_by(|a, b| a.account() == b.account()) {
        answers.append(&mut look_in_account(db, part)?);
    }
    Ok(answers)
}

fn look_in_account(db: &mut Db, wishes: &[Wish]) -> Result<Vec<Answer>, Failure> {
    let account = wishes.first().map_or(0, Wish::account);
    let asked = wishes.iter().flat_map(|wish| match wish {
        Wish::Named(ask) => [&*ask.code, &*ask.card],
        Wish::Number(..) => ["", ""],
    });
    let holders = journal::holders(db, account, asked.filter(|value| !value.is_empty()))?;
    let customers: Vec<Result<i64, Problem>> = wishes
        .iter()
        .map(|wish| match wish {
            Wish::Named(ask) => {
                named::find(&ask.code, &ask.card, |value| holders.get(value).copied())
            }
            Wish::Number(_, customer) => Ok(*customer),
        })
        .collect();
    let mut numbers: Vec<i64> = customers.iter().flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let names = find_names(db, account, &numbers)?;
    let keys = wishes.iter().zip(&customers);
    let keys = keys
        .flat_map(|(wish, customer)| keys_of(wish, customer))
        .collect();
    let loaded = journal::load_balances(db, vec![(account, keys)])?;
    let loaded = loaded.into_iter().flat_map(|(_, balances)| balances);
    let balances: HashMap<BalanceKey, Balance> = loaded.collect();
    let answer = |(wish, customer): (&Wish, Result<i64, Problem>)| {
        let number = customer?;
        let names = names.get(&number).cloned().ok_or_else(|| {
            tracing::error!(account, customer = number, "a customer has no row");
            Problem::new(Code::Unavailable).detail("the customer cannot be read")
        })?;
        let keys = keys_of(wish, &Ok(number)).into_iter();
        Ok(Found {
            customer: number,
            names,
            balances: keys
                .filter_map(|key| Some((key, *balances.get(&key)?)))
                .collect(),
        })
    };
    Ok(wishes.iter().zip(customers).map(answer).collect())
}

/// The balances that a request is about, once its customer is known.
fn keys_of(wish: &Wish, customer: &Result<i64, Problem>) -> Vec<BalanceKey> {
    let (Wish::Named(ask), Ok(customer)) = (wish, customer) else {
        return Vec::new();
    };
    let Some((campaign, items)) = &ask.campaign else {
        return Vec::new();
    };
    let key = |item: &i32| BalanceKey {
        customer: *customer,
        campaign: *campaign,
        item: *item,
    };
    items.iter().map(key).collect()
}

impl Poster {
    /// Looks up a customer by code or card number, with balances.
    pub async fn look(&self, ask: Ask) -> Result<Found, Problem> {
        self.looked_up(Wish::Named(ask)).await
    }

    /// What the customer with this number is called; `None` where it cannot be read.
    pub async fn names(&self, account: i32, customer: i64) -> Option<Names> {
        let found = self.looked_up(Wish::Number(account, customer)).await;
        found.ok().map(|found| found.names)
    }

    async fn looked_up(&self, wish: Wish) -> Answer {
        if self.halted.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::Unavailable).detail("its database file is gone"));
        }
        let (reply, answer) = oneshot::channel();
        self.looks.push(Waiting { wish, reply })?;
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(defect())),
            Err(_) => {
                let waited = format!("it waited longer than {} ms", self.timeout.as_millis());
                Err(Problem::new(Code::Unavailable).detail(waited))
            }
        }
    }
}
