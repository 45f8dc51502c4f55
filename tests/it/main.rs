//! Integration tests: each runs the server that production runs, on both engines where it is built with both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::string_slice,
    missing_docs,
    reason = "tests may end with a panic"
)]

mod bad_input;
mod big;
mod clients;
mod commands;
mod concurrency;
mod crash;
mod customers;
mod customers_batch;
mod deleted;
mod dispatch;
mod dry_run;
mod durability;
mod erasure;
mod failures;
mod fields;
mod histories;
mod inbox;
mod isolation;
mod logins;
mod long_answers;
mod model;
mod php;
mod plans;
#[cfg(feature = "mysql")]
mod proxy;
mod repeats;
mod retention;
mod rights;
mod sales_bad_input;
mod sales_crash;
mod sales_inbox;
mod sales_limits;
mod sales_points;
mod sales_race;
mod sales_statements;
mod sales_stories;
mod search;
mod singles;
mod structure;
mod support;
mod sync_bad_input;
mod sync_commands;
mod sync_crash;
mod sync_hooks;
mod sync_limits;
mod sync_mail;
mod sync_poison;
mod sync_rows;
mod sync_speed;
mod sync_ssrf;
mod sync_stories;
#[cfg(feature = "mysql")]
mod sync_two_gateways;
mod throttle;
mod undo;
mod wire;
