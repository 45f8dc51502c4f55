//! The database: the only module that knows Diesel.
//!
//! Belongs here: connections, the schema, rows and queries by area. Does not belong here: rules ([`crate::loyalty`]) or
//! when to write ([`crate::posting`]). [`dialect`] is the one file that knows where SQLite and MySQL differ.
//!
//! | module | what it has |
//! | --- | --- |
//! | [`connect`] | opening connections, checking their settings, the pool of readers |
//! | [`migrate`] | the migrations of both engines |
//! | [`dialect`] | every statement that differs between the engines, and what their errors mean |
//! | [`heads`] | account heads and the commits they number |
//! | [`installation`] | the server key's check value, the demo mark |
//! | [`accounts`] | accounts with their configuration, as the rules see them |
//! | [`journal`] | what posting loads and writes |
//! | [`history`] | the entries of a balance, newest first |
//! | [`config`] | what users change of the configuration |
//! | [`batches`] | reading batches: listed, told again, to be undone |
//! | [`rejections`] | the inbox: keeping, finding and closing what was refused |
//! | [`idempotency`] | outcomes kept for requests that come again |
//! | [`sync_heads`] | what jobs, webhooks, credits and consents are numbered by |
//! | [`sync_jobs`] | jobs of `sync_data`: stored, finished, told |
//! | [`sync_queue`] | jobs that are not done |
//! | [`sync_items`] | what became of the items of jobs |
//! | [`sync_purge`] | deleting what is old of them |
//! | [`people`] | customers with their contact side |
//! | [`customers`], [`profiles`] | customers as API 1.5 changes them, and their side of it |
//! | [`search_texts`] | in what customers are searched |
//! | [`erase`] | forgetting a customer |
//! | [`undo_images`] | what batches of customers have changed |
//! | [`fill`] | rows that follow from others, made for older databases |
//! | [`person_keys`] | by what people are found beside code and card number |
//! | [`purchases`] | purchases and their customers |
//! | [`sales`] | sales and the keys that they are found by |
//! | [`credits`] | the ledger of e-mail credits |
//! | [`outbox`] | webhooks, and those that are due |
//! | [`verify`] | whether all that was stored fits together |
//! | [`world`] | bringing about what a world file says |

pub mod accounts;
pub mod batches;
pub mod config;
pub mod connect;
pub mod credits;
pub mod customers;
mod db;
pub mod dialect;
pub mod erase;
pub mod fill;
pub mod heads;
pub mod history;
pub mod idempotency;
pub mod installation;
pub mod journal;
pub mod migrate;
pub mod outbox;
pub mod people;
pub mod person_keys;
pub mod profiles;
pub mod purchases;
pub mod rejections;
pub mod sales;
pub mod schema;
pub mod search_texts;
pub mod sync_heads;
pub mod sync_items;
pub mod sync_jobs;
pub mod sync_purge;
pub mod sync_queue;
pub mod undo_images;
pub mod verify;
pub mod world;

pub use db::Db;

/// What an error of the database means for the writing that met it. Texts are for the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The engine gave way to another writer; the same again may succeed.
    Conflict(String),
    /// The data is what the database refuses; the same again will fail again.
    Data(String),
    /// The database is away, busy, full or broken; nobody's data is at fault.
    Away(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Conflict(text) => write!(out, "conflict with another writer: {text}"),
            Failure::Data(text) => write!(out, "the database refused the data: {text}"),
            Failure::Away(text) => write!(out, "the database is not available: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Failure {
        dialect::classify(&error)
    }
}

/// What store functions return.
pub type Result<T> = std::result::Result<T, Failure>;
