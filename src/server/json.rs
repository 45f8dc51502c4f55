//! The JSON dialects over HTTP: headers and bodies in, answers out.
//!
//! Belongs here: what `actix_web` calls things. Does not belong here: routes and meaning ([`crate::sync_data`],
//! [`crate::sales_v4`]).

use super::State;
use super::receive::{Held, TOO_LARGE_PATIENCE, declared_length, discard, receive};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::wire::{Answer, Head};
use crate::{sales_v4, sync_data};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;

/// Whoever takes a body.
enum Taker {
    SyncData(Arc<Account>),
    Sales(sales_v4::Call),
}

/// What is to be done once the head of a request is known.
enum Next<'a> {
    Done(Answer),
    Show { account: Arc<Account>, job: &'a str },
    Accept(Taker),
}

/// Asks each dialect whether the path is one of its own.
fn begin<'a>(state: &State, head: &Head<'a>) -> Option<Next<'a>> {
    if let Some(next) = sales_v4::begin(&state.sales_v4, head) {
        return Some(match next {
            sales_v4::Next::Done(answer) => Next::Done(answer),
            sales_v4::Next::Accept(call) => Next::Accept(Taker::Sales(call)),
        });
    }
    Some(match sync_data::begin(&state.sync_data, head)? {
        sync_data::Next::Done(answer) => Next::Done(answer),
        sync_data::Next::Show { account, job } => Next::Show { account, job },
        sync_data::Next::Accept(account) => Next::Accept(Taker::SyncData(account)),
    })
}

impl Taker {
    async fn accept(self, state: &State, head: &Head<'_>, body: Vec<u8>) -> Answer {
        match self {
            Taker::SyncData(account) => {
                sync_data::accept(&state.sync_data, &account, head, body).await
            }
            Taker::Sales(call) => sales_v4::accept(&state.sales_v4, call, body).await,
        }
    }

    /// The answer where the body did not arrive.
    fn refuse(&self, problem: &Problem) -> Answer {
        match self {
            Taker::SyncData(account) => sync_data::reply::problem(&account.account_id, problem),
            Taker::Sales(_) => sales_v4::reply::problem(problem),
        }
    }
}

/// Answers a request at a path of a JSON dialect; `None` if the path is none of them.
pub(super) async fn answer(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
) -> Option<HttpResponse> {
    let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    let head = Head {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        authorization: header(AUTHORIZATION.as_str()),
        content_type: header(CONTENT_TYPE.as_str()),
        idempotency_key: header("idempotency-key"),
    };
    let max = state.max_json_body_bytes;
    let (answer, whole) = match begin(state, &head)? {
        Next::Done(answer) => (answer, throw_away(request, payload, max, state).await),
        Next::Show { account, job } => {
            let answer = sync_data::show(&state.sync_data, &account, job, head.query).await;
            (answer, !has_body(request))
        }
        Next::Accept(taker) => {
            let mut held = Held::new(&state.room);
            match body(request, payload, max, &mut held, state).await {
                Ok(body) => (taker.accept(state, &head, body).await, true),
                Err(problem) => (taker.refuse(&problem), false),
            }
        }
    };
    let mut response = respond(answer);
    if !whole {
        // What is left of the body would be taken for the next request.
        response
            .head_mut()
            .set_connection_type(actix_web::http::ConnectionType::Close);
    }
    Some(response)
}

/// Whether something follows the head.
fn has_body(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING)
        || (headers.contains_key(CONTENT_LENGTH) && declared_length(request) > 0)
}

/// Lets a client send a body that nobody reads. Tells whether all of it has come.
async fn throw_away(request: &HttpRequest, payload: Payload, max: usize, state: &State) -> bool {
    if !has_body(request) {
        return true;
    }
    let patience = state.body_timeout.min(TOO_LARGE_PATIENCE);
    let all = tokio::time::timeout(patience, discard(payload, max)).await;
    all.unwrap_or(false)
}

/// The whole body.
async fn body(
    request: &HttpRequest,
    payload: Payload,
    max: usize,
    held: &mut Held,
    state: &State,
) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    let declared = declared_length(request);
    let (patience, otherwise): (Duration, Problem) = if declared > max {
        let too_large = Problem::new(Code::BodyTooLarge).detail(max);
        (state.body_timeout.min(TOO_LARGE_PATIENCE), too_large)
    } else {
        (state.body_timeout, Problem::new(Code::BodyCutShort))
    };
    let receive = receive(declared, payload, max, held, &mut body);
    tokio::time::timeout(patience, receive)
        .await
        .unwrap_or(Err(otherwise))?;
    Ok(body)
}

fn respond(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, "application/json; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Content-Type-Options", "nosniff"));
    if answer.retry {
        response.insert_header((RETRY_AFTER, "1"));
    }
    if answer.repeated {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    if let Some(allow) = answer.allow {
        response.insert_header((ALLOW, allow));
    }
    response.body(answer.body)
}
