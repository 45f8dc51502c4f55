//! Answers.

use super::head::KEY;
use super::matches::People;
use super::request::Echo;
use crate::error::{Code, Problem};
use crate::json;
use crate::loyalty::sales::SaleOutcome;
use crate::wire::Answer;

/// What is said of an item that was invalid when it came first, and would be valid today.
const ONCE_INVALID: &str = "The sale was invalid when it was sent first";

/// An answer that says in one sentence what is wrong.
pub fn error(status: u16, detail: &str) -> Answer {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    let mut body = format!("{{\"status\":{status},\"title\":\"{title}\",\"detail\":");
    json::quote(&mut body, detail);
    body.push('}');
    Answer::whole(status, body)
}

/// 401, the same for every reason.
pub fn unauthorised() -> Answer {
    error(
        401,
        "The header Authorization has no valid token. Send: Bearer, then the token of the brand.",
    )
}

/// 404 for a path that leads nowhere.
pub fn unknown_route() -> Answer {
    error(
        404,
        "There is nothing at this path. Sales are posted to /api/v4/sales; see docs/sales-v4.md of Punchcard.",
    )
}

/// 405, with the method that the path takes.
pub fn other_method(allow: &'static str) -> Answer {
    Answer {
        allow: Some(allow),
        ..error(405, &format!("Only {allow} is allowed here"))
    }
}

/// A request that was not carried out. Those that were not stored may be sent again.
pub fn problem(problem: &Problem) -> Answer {
    match problem.code {
        Code::BadCredentials => unauthorised(),
        Code::BodyTooLarge => error(413, &problem.message()),
        Code::BodyCutShort => error(400, &problem.text()),
        Code::IdempotencyKeyReused => error(
            422,
            &format!(
                "The {KEY} belongs to another request: repeat a request unchanged, or send a new key"
            ),
        ),
        Code::NotStored => error(500, &problem.message()),
        // It is not known whether it was stored: no invitation to send it again.
        Code::OutcomeUnknown => error(503, &problem.text()),
        Code::Unavailable | Code::TooManyOpenFaults | Code::PostedBefore => Answer {
            retry: true,
            ..error(503, &problem.text())
        },
        _ => error(500, &problem.text()),
    }
}

/// Every item as it was sent, with what became of it.
pub fn written(echoes: &[Echo], outcomes: &[SaleOutcome], people: &People, alone: bool) -> String {
    let open: usize = echoes.iter().map(|echo| echo.open.len()).sum();
    let mut out = String::with_capacity(open.saturating_add(echoes.len().saturating_mul(96)));
    if !alone {
        out.push('[');
    }
    for (nth, (echo, outcome)) in echoes.iter().zip(outcomes).enumerate() {
        if nth > 0 {
            out.push(',');
        }
        out.push_str(&echo.open);
        out.push_str("\"response\":{");
        response(&mut out, echo, outcome, people);
        out.push_str("}}");
    }
    if !alone {
        out.push(']');
    }
    out
}

/// The members of a response.
fn response(out: &mut String, echo: &Echo, outcome: &SaleOutcome, people: &People) {
    let failed = |out: &mut String, status: &str, reason: &str| {
        out.push_str(&format!("\"status\":\"{status}\",\"reason\":"));
        json::quote(out, reason);
    };
    let stored = |out: &mut String, status: &str, sale: i64, customer: i64| {
        out.push_str(&format!(
            "\"sale_id\":{sale},\"status\":\"{status}\",\"userdata_id\":\"{customer}\""
        ));
    };
    match outcome {
        SaleOutcome::Created { sale, customer } => stored(out, "created", *sale, *customer),
        SaleOutcome::Updated { sale, customer } => stored(out, "updated", *sale, *customer),
        SaleOutcome::NotFound => {
            failed(out, "not_found", Code::SaleNotFound.message());
            sent_id(out, echo);
        }
        SaleOutcome::NotUnique { customers } => {
            failed(out, "not unique", Code::SaleNotUnique.message());
            out.push_str(",\"matches\":[");
            for (nth, customer) in customers.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                people.write(out, *customer);
            }
            out.push(']');
        }
        SaleOutcome::Invalid => {
            let reason = echo.reason.as_deref().unwrap_or(ONCE_INVALID);
            failed(out, "invalid", reason);
            sent_id(out, echo);
        }
    }
}

/// The id that the item was to be found by, if it had one.
fn sent_id(out: &mut String, echo: &Echo) {
    if let Some(id) = &echo.id {
        out.push_str(",\"userdata_id\":");
        json::quote(out, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(id: Option<&str>, reason: Option<&str>) -> Echo {
        Echo {
            open: "{\"a\":1.50,".to_owned(),
            id: id.map(Into::into),
            reason: reason.map(str::to_owned),
        }
    }

    fn told(echo: &Echo, outcome: SaleOutcome) -> String {
        written(
            std::slice::from_ref(echo),
            &[outcome],
            &People::default(),
            true,
        )
    }

    #[test]
    fn each_state_has_its_members_in_their_order() {
        let plain = echo(None, None);
        let with_id = echo(Some("7\""), Some("No \"date\""));
        let (sale, customer) = (5, 41_367);
        for (echo, outcome, response) in [
            (
                &with_id,
                SaleOutcome::Created { sale, customer },
                r#""sale_id":5,"status":"created","userdata_id":"41367""#,
            ),
            (
                &plain,
                SaleOutcome::Updated { sale, customer },
                r#""sale_id":5,"status":"updated","userdata_id":"41367""#,
            ),
            (
                &with_id,
                SaleOutcome::NotFound,
                r#""status":"not_found","reason":"Userdata not found","userdata_id":"7\"""#,
            ),
            (
                &plain,
                SaleOutcome::NotFound,
                r#""status":"not_found","reason":"Userdata not found""#,
            ),
            (
                &with_id,
                SaleOutcome::Invalid,
                r#""status":"invalid","reason":"No \"date\"","userdata_id":"7\"""#,
            ),
            (
                &plain,
                SaleOutcome::Invalid,
                r#""status":"invalid","reason":"The sale was invalid when it was sent first""#,
            ),
            (
                &plain,
                SaleOutcome::NotUnique { customers: vec![] },
                r#""status":"not unique","reason":"Can't resolve unique registry by attribution","matches":[]"#,
            ),
        ] {
            let out = told(echo, outcome);
            assert_eq!(out, format!("{{\"a\":1.50,\"response\":{{{response}}}}}"));
        }
    }

    #[test]
    fn several_items_are_a_list() {
        let echoes = [echo(None, None), echo(Some("9"), None)];
        let outcomes = [
            SaleOutcome::NotFound,
            SaleOutcome::NotUnique {
                customers: vec![1, 2],
            },
        ];
        let out = written(&echoes, &outcomes, &People::default(), false);
        assert!(
            out.starts_with("[{\"a\":1.50,\"response\":{") && out.ends_with("}]}}]"),
            "{out}"
        );
        assert!(json::check(out.as_bytes()).is_ok());
        assert!(out.contains("},{\"BunkerID\":\"2\""));
        assert_eq!(written(&[], &[], &People::default(), false), "[]");
    }

    #[test]
    fn errors_have_three_members() {
        let answer = error(422, "a \"b\"");
        assert_eq!(
            answer.body,
            r#"{"status":422,"title":"Unprocessable Entity","detail":"a \"b\""}"#
        );
        assert_eq!(other_method("POST").allow, Some("POST"));
        for (code, status, retry) in [
            (Code::BadCredentials, 401, false),
            (Code::BodyTooLarge, 413, false),
            (Code::BodyCutShort, 400, false),
            (Code::IdempotencyKeyReused, 422, false),
            (Code::NotStored, 500, false),
            (Code::OutcomeUnknown, 503, false),
            (Code::Unavailable, 503, true),
            (Code::TooManyOpenFaults, 503, true),
            (Code::PostedBefore, 503, true),
            (Code::NotASale, 500, false),
        ] {
            let answer = problem(&Problem::new(code).detail(7));
            assert_eq!((answer.status, answer.retry), (status, retry), "{code:?}");
            let begin = format!("{{\"status\":{status},\"title\":\"");
            assert!(answer.body.starts_with(&begin), "{}", answer.body);
        }
    }
}
