//! Punchcard: a gateway for old loyalty clients.
pub mod amount;
pub mod config;
pub mod dates;
pub mod text;
pub mod error;
pub mod secrets;
pub mod api15;
