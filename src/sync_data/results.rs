//! A job with its results, and which of them are asked for.

use super::reply;
use crate::dates;
use crate::json::{self, Fields};
use crate::loyalty::contacts::fields::ID;
use crate::loyalty::contacts::sent::{FAULTS_MAX, Fault, errors_json};
use crate::loyalty::sync::view::{ItemResult, JobState, JobView, Page, PurchaseResult};
use crate::text;
use crate::wire;

/// The most results of one answer, and how many there are where nobody asks for fewer.
const LIMIT_MAX: i64 = 1000;

/// Reads `limit`, `offset` and `expand` from a query string. Other parameters are ignored; of equal ones the last counts.
///
/// # Errors
/// Everything that is wrong with them.
pub fn page(query: &str) -> Result<Page, Vec<Fault>> {
    let mut page = Page {
        limit: LIMIT_MAX,
        offset: 0,
        expand_contact: false,
        expand_purchase: false,
    };
    let mut faults = Vec::new();
    let (mut limit, mut offset, mut expand) = (None, None, None);
    for (name, value) in wire::pairs(query) {
        match name.as_str() {
            "limit" => limit = Some(value),
            "offset" => offset = Some(value),
            "expand" | "expand[]" => expand = Some(value),
            _ => {}
        }
    }
    let mut number = |field: &str, text: Option<String>, range: (i64, i64), absent: i64| {
        let Some(text) = text else { return absent };
        let (least, most) = range;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<i64>().ok().filter(|_| plain);
        number
            .filter(|number| (least..=most).contains(number))
            .unwrap_or_else(|| {
                let range = if most == i64::MAX {
                    format!("from {least} on")
                } else {
                    format!("from {least} to {most}")
                };
                let shown = text::shown(&text);
                let message = format!("must be a whole number {range}, not \"{shown}\"");
                faults.push(Fault::new(field, message));
                absent
            })
    };
    page.limit = number("limit", limit, (1, LIMIT_MAX), LIMIT_MAX);
    page.offset = number("offset", offset, (0, i64::MAX), 0);
    for word in expand.as_deref().unwrap_or_default().split(',') {
        match word.trim() {
            "" => {}
            "contact" => page.expand_contact = true,
            "purchase" => page.expand_purchase = true,
            word => {
                let right = "must be contact, purchase, or both with a comma between them";
                let message = format!("{right}, not \"{}\"", text::shown(word));
                faults.push(Fault::new("expand", message));
            }
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() {
        Ok(page)
    } else {
        Err(faults)
    }
}

/// A job as its caller is told.
pub fn json(view: &JobView, page: Page) -> String {
    let mut out = reply::published(&view.head, view.state);
    out.push_str(&format!(
        ",\"contacts_valid_count\":{},\"contacts_failed_count\":{},\"credits_charged\":{}",
        view.valid, view.failed, view.charged
    ));
    out.push_str(",\"created_at\":");
    instant(&mut out, Some(view.head.created_at));
    out.push_str(",\"started_at\":");
    instant(&mut out, view.started_at);
    out.push_str(",\"completed_at\":");
    instant(&mut out, view.completed_at);
    out.push_str(",\"ignored_fields\":");
    reply::texts(&mut out, &view.head.options.ignored);
    if view.state == JobState::Failed {
        out.push_str(",\"reason\":");
        reply::optional(&mut out, view.reason.as_deref());
    }
    out.push_str(",\"purchase_result\":");
    match &view.purchase {
        Some(result) => purchase(&mut out, result, page.expand_purchase),
        None => out.push_str("null"),
    }
    out.push_str(",\"results\":[");
    for (nth, result) in view.results.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        item(
            &mut out,
            result,
            view.head.options.validate,
            page.expand_contact,
        );
    }
    out.push_str("]}");
    out
}

/// `2026-11-22T04:00:00Z`, or `null`.
fn instant(out: &mut String, micros: Option<i64>) {
    match micros.and_then(dates::from_micros) {
        Some(instant) => {
            out.push_str(&instant.format("\"%Y-%m-%dT%H:%M:%SZ\"").to_string());
        }
        None => out.push_str("null"),
    }
}

fn item(out: &mut String, result: &ItemResult, validate: bool, expand: bool) {
    out.push_str(&format!(
        "{{\"index\":{},\"status\":\"{}\",\"_id\":",
        result.index,
        result.state.word()
    ));
    reply::optional(out, result.id.as_deref());
    out.push_str(",\"errors\":");
    out.push_str(&errors_json(&result.errors));
    if let Some(verdict) = result.verdict.filter(|_| validate) {
        out.push_str(",\"email_validation\":");
        json::quote(out, verdict.word());
    }
    if expand {
        out.push_str(",\"contact\":");
        fields(out, result.contact.as_ref(), result.id.as_deref());
    }
    out.push('}');
}

fn purchase(out: &mut String, result: &PurchaseResult, expand: bool) {
    out.push_str(&format!(
        "{{\"status\":\"{}\",\"_id\":",
        result.state.word()
    ));
    reply::optional(out, result.id.as_deref());
    out.push_str(",\"transaction_code\":");
    reply::optional(out, result.code.as_deref());
    out.push_str(",\"errors\":");
    out.push_str(&errors_json(&result.errors));
    if expand {
        out.push_str(",\"purchase\":");
        fields(out, result.fields.as_ref(), result.id.as_deref());
    }
    out.push('}');
}

/// All fields, with the id, which no client sends.
fn fields(out: &mut String, fields: Option<&Fields>, id: Option<&str>) {
    let Some(mut fields) = fields.cloned() else {
        return out.push_str("null");
    };
    if let Some(id) = id.filter(|_| fields.get(ID).is_none()) {
        fields.set(ID, &json::quoted(id));
    }
    out.push_str(&fields.json());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::contacts::sent::Verdict;
    use crate::loyalty::sync::id::JobId;
    use crate::loyalty::sync::job::{JobHead, Options};
    use crate::loyalty::sync::view::ItemState;

    fn view() -> JobView {
        JobView {
            head: JobHead {
                number: 7,
                id: JobId::new(1_700_000_000, [1, 2, 3], 7),
                origin: "PMS".to_owned(),
                contacts: 2,
                purchases: 1,
                options: Options {
                    validate: true,
                    ignored: vec!["shoe".to_owned()],
                    ..Options::default()
                },
                url: None,
                created_at: 1_700_000_000_000_000,
            },
            state: JobState::Completed,
            valid: 1,
            failed: 1,
            charged: 1,
            started_at: None,
            completed_at: Some(1_700_000_001_999_999),
            reason: None,
            purchase: Some(PurchaseResult {
                state: ItemState::Updated,
                id: Some("p".to_owned()),
                code: Some("c".to_owned()),
                errors: Vec::new(),
                fields: Fields::parse("{\"price\":545.50}"),
                told: None,
            }),
            results: vec![
                ItemResult {
                    index: 0,
                    state: ItemState::Created,
                    id: Some("i".to_owned()),
                    verdict: Some(Verdict::Valid),
                    errors: Vec::new(),
                    contact: Fields::parse("{\"_id\":\"i\",\"x\":1.50}"),
                },
                ItemResult {
                    index: 1,
                    state: ItemState::Failed,
                    id: None,
                    verdict: None,
                    errors: vec![Fault::new("email", "is bad")],
                    contact: None,
                },
            ],
        }
    }

    const NONE: Page = Page {
        limit: 1000,
        offset: 0,
        expand_contact: false,
        expand_purchase: false,
    };

    #[test]
    fn a_job_has_its_members_in_their_order() {
        assert_eq!(
            json(&view(), NONE),
            concat!(
                r#"{"_id":"6553f1000102030000000007","number_of_contacts":2,"number_of_purchase":1,"validate_emails":true,"#,
                r#""contacts_extra_fields":[],"purchase_extra_fields":[],"webhook_url":null,"status":"completed","#,
                r#""contacts_valid_count":1,"contacts_failed_count":1,"credits_charged":1,"#,
                r#""created_at":"2023-11-14T22:13:20Z","started_at":null,"completed_at":"2023-11-14T22:13:21Z","#,
                r#""ignored_fields":["shoe"],"purchase_result":{"status":"updated","_id":"p","transaction_code":"c","errors":[]},"#,
                r#""results":[{"index":0,"status":"created","_id":"i","errors":[],"email_validation":"valid"},"#,
                r#"{"index":1,"status":"failed","_id":null,"errors":[{"field":"email","message":"is bad"}]}]}"#,
            )
        );
    }

    #[test]
    fn more_is_told_where_it_is_asked_for() {
        let page = page("expand=contact,purchase").unwrap();
        let text = json(&view(), page);
        assert!(text.contains(r#""email_validation":"valid","contact":{"_id":"i","x":1.50}}"#));
        assert!(text.contains(r#""message":"is bad"}],"contact":null}"#));
        assert!(text.contains(r#""errors":[],"purchase":{"price":545.50,"_id":"p"}}"#));
        let failed = JobView {
            state: JobState::Failed,
            reason: Some("it was given up".to_owned()),
            purchase: None,
            results: Vec::new(),
            ..view()
        };
        let text = json(&failed, NONE);
        assert!(text.ends_with(
            r#""ignored_fields":["shoe"],"reason":"it was given up","purchase_result":null,"results":[]}"#
        ));
    }

    #[test]
    fn pages_are_read_from_the_query() {
        let both = Page {
            limit: 7,
            offset: 20,
            expand_contact: true,
            expand_purchase: true,
        };
        for (query, expected) in [
            ("", NONE),
            ("a=b&limits=0&Limit=x", NONE),
            ("limit=7&offset=20&expand=contact,purchase", both),
            ("limit=1&limit=7&offset=20&expand=purchase%2C+contact", both),
            ("limit=1000&offset=0&expand=", NONE),
        ] {
            assert_eq!(page(query), Ok(expected), "{query}");
        }
        for (query, field) in [
            ("limit", "limit"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=+5", "limit"),
            ("limit=x", "limit"),
            ("offset=-1", "offset"),
            ("offset=99999999999999999999", "offset"),
            ("offset=1.5", "offset"),
            ("expand=contacts", "expand"),
        ] {
            let faults = page(query).expect_err(query);
            assert_eq!(faults[0].field, field, "{query}");
        }
        assert_eq!(page("limit=0&offset=x&expand=y").unwrap_err().len(), 3);
    }
}
