//! Punchcard: a gateway for old loyalty clients.
pub mod amount;
pub mod dates;
pub mod text;
pub mod error;
pub mod api15;
