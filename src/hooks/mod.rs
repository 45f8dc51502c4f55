//! Requests that this server sends to URLs which clients gave it, so that none of them reaches a place that only this
//! server can see.
//!
//! Belongs here: which addresses and URLs may be reached, resolving their names, the one HTTP client, signatures. Does
//! not belong here: what is sent, when, and how often (`crate::outbox`).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`address`] | which IP addresses are public, and the list of those that are allowed although they are not |
//! | [`target`] | a URL read as browsers read it, with everything wrong with it |
//! | [`names`] | the names of hosts: resolved within a time, all addresses checked |
//! | [`client`] | one request to addresses that were checked |
//! | [`sign`] | the two signatures of a webhook |
//!
//! A URL is checked twice. When a client gives it, so that the client learns at once: [`target::Target::read`], then
//! [`names::check`]. And at every single try, because a name may by then belong to another address: [`client::Sender`]
//! resolves it again, checks every address, and connects to exactly those that it has checked.

pub mod address;
pub mod client;
pub mod names;
pub mod sign;
pub mod target;
