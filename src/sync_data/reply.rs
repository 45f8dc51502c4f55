//! Answers, but for a job with its results ([`super::results`]).

use super::request;
use crate::error::{Code, Problem};
use crate::json;
use crate::loyalty::contacts::sent::{Fault, errors_json};
use crate::loyalty::sync::job::JobHead;
use crate::loyalty::sync::view::JobState;
use crate::wire::Answer;
use std::borrow::Cow;

/// An answer with nothing special about it.
pub fn whole(status: u16, body: Cow<'static, str>) -> Answer {
    Answer::whole(status, body)
}

/// An answer that says in one sentence what is wrong.
pub fn error(status: u16, text: &str) -> Answer {
    let mut body = String::from("{\"error\":");
    json::quote(&mut body, text);
    body.push('}');
    whole(status, Cow::Owned(body))
}

/// 422 with everything that is wrong: the first of it as a sentence, then all of it field by field.
pub fn faults(faults: &[Fault]) -> Answer {
    let first = faults.first().map(Fault::text).unwrap_or_default();
    let mut body = String::from("{\"error\":");
    json::quote(&mut body, &first);
    body.push_str(",\"errors\":");
    body.push_str(&errors_json(faults));
    body.push('}');
    whole(422, Cow::Owned(body))
}

/// 404 for a path that leads nowhere.
pub fn unknown_route() -> Answer {
    error(
        404,
        "Route not found, please visit /openapi.json or docs/sync-data.md of Punchcard",
    )
}

/// 405, with the method that the path takes.
pub fn other_method(allow: &'static str) -> Answer {
    Answer {
        allow: Some(allow),
        ..error(405, "Method not allowed")
    }
}

/// 401, the same for a wrong secret and for an account that nobody has.
pub fn unauthorised(account_id: &str) -> Answer {
    error(
        401,
        &format!("authorization failure for account: {account_id}"),
    )
}

/// 404, the same for a job of another account and for one that nobody has.
pub fn unknown_job() -> Answer {
    error(404, "sync_data not found")
}

/// A request that was not carried out. Those that were not stored may be sent again.
pub fn problem(account_id: &str, problem: &Problem) -> Answer {
    let fault = |field: &str, message: String| faults(&[Fault::new(field, message)]);
    match problem.code {
        Code::BadCredentials => unauthorised(account_id),
        Code::BodyTooLarge => error(413, &problem.message()),
        Code::BodyCutShort => error(400, &problem.text()),
        Code::IdempotencyKeyReused => fault(
            request::KEY,
            "belongs to another request: repeat a request unchanged, or send a new key".to_owned(),
        ),
        Code::UnknownTransaction => fault(
            "purchase.transaction_code",
            format!("is not known: {}", problem.text()),
        ),
        Code::NotStored => error(500, &problem.message()),
        // It is not known whether it was stored: no invitation to send it again.
        Code::OutcomeUnknown => error(503, &problem.text()),
        Code::Unavailable | Code::PostedBefore => Answer {
            retry: true,
            ..error(503, &problem.text())
        },
        _ => error(500, &problem.text()),
    }
}

/// The eight published members of a job, without the brace that closes them.
pub fn published(head: &JobHead, state: JobState) -> String {
    let mut out = String::with_capacity(512);
    out.push_str("{\"_id\":\"");
    out.push_str(&head.id.hex());
    out.push_str(&format!(
        "\",\"number_of_contacts\":{},\"number_of_purchase\":{},\"validate_emails\":{}",
        head.contacts, head.purchases, head.options.validate
    ));
    out.push_str(",\"contacts_extra_fields\":");
    texts(&mut out, &head.options.contact_fields);
    out.push_str(",\"purchase_extra_fields\":");
    texts(&mut out, &head.options.purchase_fields);
    out.push_str(",\"webhook_url\":");
    optional(&mut out, head.url.as_deref());
    out.push_str(",\"status\":\"");
    out.push_str(state.word());
    out.push('"');
    out
}

/// What the caller is told of a request that was stored.
pub fn created(head: &JobHead) -> String {
    published(head, JobState::Queued) + "}"
}

/// A list of texts.
pub fn texts(out: &mut String, texts: &[String]) {
    out.push('[');
    for (nth, text) in texts.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        json::quote(out, text);
    }
    out.push(']');
}

/// A text or `null`.
pub fn optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => json::quote(out, text),
        None => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::sync::id::JobId;
    use crate::loyalty::sync::job::Options;

    pub fn head() -> JobHead {
        JobHead {
            number: 7,
            id: JobId::new(1_700_000_000, [1, 2, 3], 7),
            origin: "PMS".to_owned(),
            contacts: 1,
            purchases: 1,
            options: Options {
                validate: true,
                contact_fields: vec!["name_first".to_owned(), "a \"b\"".to_owned()],
                ..Options::default()
            },
            url: Some("https://xxxxxx.xxx".to_owned()),
            created_at: 1_700_000_000_000_000,
        }
    }

    #[test]
    fn a_stored_request_has_the_published_members() {
        assert_eq!(
            created(&head()),
            r#"{"_id":"6553f1000102030000000007","number_of_contacts":1,"number_of_purchase":1,"validate_emails":true,"contacts_extra_fields":["name_first","a \"b\""],"purchase_extra_fields":[],"webhook_url":"https://xxxxxx.xxx","status":"queued"}"#
        );
        let head = JobHead {
            url: None,
            ..head()
        };
        assert!(created(&head).contains("\"webhook_url\":null,"));
    }

    #[test]
    fn faults_are_told_twice() {
        let answer = faults(&[Fault::new("origin", "is required"), Fault::new("a.b", "\"")]);
        assert_eq!(answer.status, 422);
        assert_eq!(
            answer.body,
            r#"{"error":"origin: is required","errors":[{"field":"origin","message":"is required"},{"field":"a.b","message":"\""}]}"#
        );
    }

    #[test]
    fn problems_have_their_statuses() {
        for (code, status, retry) in [
            (Code::BadCredentials, 401, false),
            (Code::BodyTooLarge, 413, false),
            (Code::BodyCutShort, 400, false),
            (Code::IdempotencyKeyReused, 422, false),
            (Code::UnknownTransaction, 422, false),
            (Code::NotStored, 500, false),
            (Code::OutcomeUnknown, 503, false),
            (Code::Unavailable, 503, true),
            (Code::PostedBefore, 503, true),
            (Code::ClaimLost, 500, false),
        ] {
            let answer = problem("a", &Problem::new(code).detail(7));
            assert_eq!((answer.status, answer.retry), (status, retry), "{code:?}");
            let fields = crate::json::Fields::parse(&answer.body).unwrap();
            assert!(fields.get("error").is_some());
        }
        let stored = problem("a", &Problem::new(Code::NotStored).detail("77"));
        assert_eq!(
            stored.body,
            r#"{"error":"This request could not be stored; nothing was posted (reference 77)"}"#
        );
        let shut = unauthorised("a \"b\"");
        assert_eq!(
            shut.body,
            r#"{"error":"authorization failure for account: a \"b\""}"#
        );
    }
}
