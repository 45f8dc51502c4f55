//! `generate_time_token`, `validate_time_token`.
//!
//! Belongs here: these calls' fields. Does not belong here: the tokens themselves ([`crate::secrets::time_token`]).

use super::{Request, Row, Running, bad_value};
use crate::api15::render::Sink;
use crate::api15::reply::{Reply, Told};
use crate::error::{Code, Problem};
use crate::secrets::time_token;
use chrono::Utc;

/// The request types of this file.
pub const ROWS: &[Row] = &[
    Row::reading("generate_time_token", generate),
    Row::reading("validate_time_token", validate),
];

/// How long a token is valid where nothing is said, and at most, in seconds.
const INTERVAL_S: i64 = 60;
const INTERVAL_MAX_S: i64 = 86_400;

struct Token(String);

impl Told for Token {
    fn write(&self, sink: &mut dyn Sink) {
        sink.text("token", &self.0);
    }
}

struct Valid;

impl Told for Valid {
    fn status(&self) -> &'static str {
        "valid"
    }

    fn write(&self, _: &mut dyn Sink) {}
}

fn generate<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let interval = match request.params.text("token_interval") {
            None => INTERVAL_S,
            Some(sent) => {
                let read = sent.parse::<i64>().ok();
                let read = read.filter(|seconds| (1..=INTERVAL_MAX_S).contains(seconds));
                read.ok_or_else(|| {
                    let must = format!("a whole number from 1 to {INTERVAL_MAX_S}");
                    bad_value("token_interval", sent, must)
                })?
            }
        };
        let until_ms = now_ms().saturating_add(interval.saturating_mul(1000));
        let account_id = &request.account()?.account_id;
        let token = time_token::make(&request.service.key, account_id, until_ms);
        Ok(Reply::told(Token(token)))
    })
}

fn validate<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let token = request.required("token")?;
        let (key, account_id) = (&request.service.key, &request.account()?.account_id);
        match time_token::is_valid(key, account_id, token, now_ms()) {
            true => Ok(Reply::told(Valid)),
            false => Err(Problem::new(Code::BadToken)),
        }
    })
}

fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}
