//! API 1.5.

pub mod body;
pub mod format;
mod multipart;
pub mod params;
pub mod render;
