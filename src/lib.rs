//! Punchcard: a gateway for old loyalty clients.
pub mod amount;
pub mod api15;
pub mod cli;
pub mod config;
pub mod dates;
pub mod error;
pub mod loyalty;
pub mod parallel;
pub mod posting;
pub mod secrets;
pub mod server;
pub mod store;
pub mod text;
pub mod world;
