//! Punchcard: a gateway for old loyalty clients.
pub mod amount;
pub mod api15;
pub mod cli;
pub mod config;
pub mod dates;
pub mod error;
pub mod hooks;
pub mod instants;
pub mod json;
pub mod loyalty;
pub mod mailcheck;
pub mod outbox;
pub mod parallel;
pub mod phones;
pub mod posting;
pub mod sales_v4;
pub mod secrets;
pub mod server;
pub mod store;
pub mod sync_data;
#[cfg(test)]
mod testing;
pub mod text;
pub mod wire;
pub mod world;
