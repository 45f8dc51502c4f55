use super::*;
use crate::json::{self, Scalar};
use crate::loyalty::contacts::sent::Fault;
use crate::loyalty::sync::event::EventRow;
use crate::loyalty::sync::id::EventId;
use crate::loyalty::sync::view::{ItemState, JobState, JobView, Told};
use crate::outbox::desk::fake::{ACCOUNT, Fake, JOB, State};
use crate::outbox::testing::{block_on, problem, worker};
use std::sync::Arc;

use crate::testing::sink::{self, Answer, Sink};

const EVENT: i64 = 9;

/// A worker whose desk has a webhook to this URL, about so many contacts of which every third failed.
fn with_event(url: &str, contacts: i32) -> Worker<Fake> {
    let (worker, stop) = worker(State::default(), None);
    // The channel stays open, and is never used.
    std::mem::forget(stop);
    let told = (0..contacts).map(|item| Told {
        item,
        state: if item % 3 == 2 {
            ItemState::Failed
        } else {
            ItemState::Created
        },
        id: Some(format!("id{item}")),
        told: (item != 3).then(|| format!("{{\"n\":{item}.50}}")),
        errors: if item % 3 == 2 {
            vec![Fault::new("email", "is bad")]
        } else {
            Vec::new()
        },
    });
    let event = ClaimedEvent {
        event: EventRow {
            id: EventId::new(ACCOUNT, EVENT, [0x5a; 8]),
            job: JOB,
            url: url.to_owned(),
            state: EventState::Pending,
            attempts: 0,
            created_at: 0,
            done_at: None,
        },
        job: JobView {
            head: worker.desk.head(),
            state: JobState::Completed,
            valid: contacts - contacts / 3,
            failed: contacts / 3,
            charged: 0,
            started_at: None,
            completed_at: None,
            reason: None,
            purchase: None,
            results: Vec::new(),
        },
    };
    worker.desk.state.borrow_mut().told = told.collect();
    worker.desk.state.borrow_mut().event = Some(event);
    worker
}

fn send_once(worker: &Worker<Fake>) -> (Ended, Option<Attempt>) {
    let ended = block_on(run(worker, ACCOUNT, EVENT));
    (ended, worker.desk.state.borrow().recorded.last().cloned())
}

#[test]
fn a_webhook_is_sent_signed_and_noted() {
    let sink = Sink::start([Answer::Whole(202, vec![], b"fine".to_vec())]);
    let worker = with_event(&sink.url("/hook?key=k"), 1201);
    let (ended, attempt) = send_once(&worker);
    let attempt = attempt.unwrap();
    assert_eq!(
        (ended, attempt.status, attempt.error),
        (Ended::Done, Some(202), None)
    );
    assert_eq!(attempt.answer.as_deref(), Some("fine"));
    assert_eq!(
        (attempt.account, attempt.event, attempt.token.len()),
        (ACCOUNT, EVENT, 32)
    );
    assert_eq!(attempt.schedule, [300, 600]);
    assert!(
        attempt.jitter <= 200
            && (Utc::now().timestamp_micros() - attempt.started_at).abs() < 5_000_000
    );

    let request = &sink.requests()[0];
    let body = json::object(request.text()).unwrap();
    let member = |name: &str| body.iter().find(|(known, _)| known == name).unwrap().1;
    let names: Vec<&str> = body.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "account_id",
            "timestamp",
            "token",
            "sync_data_id",
            "status",
            "contacts_valid_count",
            "contacts_failed_count",
            "valid_contacts",
            "failed_contacts",
            "valid_purchases",
            "failed_purchases",
        ]
    );
    let Scalar::Text(token) = json::scalar(member("token")) else {
        panic!()
    };
    let timestamp: i64 = member("timestamp").parse().unwrap();
    let expected = sign::headers(
        b"hush",
        "evt_7_9_5a5a5a5a5a5a5a5a",
        timestamp,
        &token,
        &request.body,
    );
    for (name, value) in expected {
        assert_eq!(request.header(name), Some(value.as_str()), "{name}");
    }
    assert_eq!(
        (member("account_id"), member("status")),
        ("\"hotel\"", "\"completed\"")
    );
    // All pages, in their order; numbers as they were written; what was deleted has its id left.
    let valid = json::list(member("valid_contacts")).unwrap();
    assert_eq!(
        (
            valid.len(),
            json::list(member("failed_contacts")).unwrap().len()
        ),
        (801, 400)
    );
    assert_eq!(
        (valid[1], valid[2], valid[800]),
        ("{\"n\":1.50}", "{\"_id\":\"id3\"}", "{\"n\":1200.50}")
    );
    assert!(member("failed_contacts").starts_with(
        "[{\"contact\":{\"n\":2.50},\"error\":\"email: is bad\",\"errors\":[{\"field\":\"email\",\"message\":\"is bad\"}]},"
    ));
}

#[test]
fn each_try_is_signed_anew_under_the_same_id() {
    let sink = Sink::start([Answer::Status(500), Answer::Status(200)]);
    let worker = with_event(&sink.url("/"), 1);
    send_once(&worker);
    send_once(&worker);
    let requests = sink.requests();
    let token = |request: &sink::Request| {
        let fields = json::Fields::parse(request.text()).unwrap();
        fields.get("token").unwrap().to_owned()
    };
    assert_eq!(
        requests[0].header("webhook-id"),
        requests[1].header("webhook-id")
    );
    assert_ne!(token(&requests[0]), token(&requests[1]));
    for name in ["authorization", "webhook-signature"] {
        assert_ne!(requests[0].header(name), requests[1].header(name));
    }
    let states: Vec<Option<i32>> = worker
        .desk
        .state
        .borrow()
        .recorded
        .iter()
        .map(|attempt| attempt.status)
        .collect();
    assert_eq!(states, [Some(500), Some(200)]);
}

#[test]
fn what_cannot_be_sent_is_noted_too() {
    let sink = Sink::start([Answer::Status(200)]);
    let error = |worker: &Worker<Fake>| {
        let attempt = send_once(worker).1.unwrap();
        assert_eq!((attempt.status, attempt.answer), (None, None));
        attempt.error.unwrap()
    };
    let mut narrow = with_event(&sink.url("/"), 1);
    narrow.sender.allow = "10.0.0.0/8".parse().unwrap();
    assert!(error(&narrow).starts_with("refused address: the URL leads to 127.0.0.1"));
    let mut secretless = with_event(&sink.url("/"), 1);
    Arc::get_mut(&mut secretless.desk.account)
        .unwrap()
        .sealed_secret = None;
    assert_eq!(error(&secretless), "the account has no secret to sign with");
    let mut foreign = with_event(&sink.url("/"), 1);
    foreign.key = crate::secrets::ServerKey::from_bytes(&[8; 32]);
    assert!(error(&foreign).starts_with("the sealed secret cannot be opened"));
    assert_eq!(sink.connections(), 0);
}

#[test]
fn noting_is_tried_again_and_a_lost_claim_is_left_alone() {
    let sink = Sink::start([Answer::Status(200)]);
    let worker = with_event(&sink.url("/"), 1);
    worker.desk.state.borrow_mut().on_record = vec![
        Err(problem(Code::Unavailable)),
        Err(problem(Code::Unavailable)),
    ];
    assert_eq!(send_once(&worker).0, Ended::Done);
    worker.desk.state.borrow_mut().on_record = vec![Ok(None)];
    assert_eq!(send_once(&worker).0, Ended::Later);
    worker.desk.state.borrow_mut().on_record = vec![Err(problem(Code::OutcomeUnknown))];
    assert_eq!(send_once(&worker).0, Ended::Later);
    // Sent once each, whatever became of the note.
    assert_eq!(
        (
            sink.requests().len(),
            worker.desk.state.borrow().recorded.len()
        ),
        (3, 1)
    );
    worker.desk.state.borrow_mut().event = None;
    assert_eq!(send_once(&worker).0, Ended::Later);
    assert_eq!(sink.requests().len(), 3);
}

#[test]
fn jitter_is_at_most_a_fifth() {
    let drawn: Vec<u32> = (0..2000).map(|_| jitter()).collect();
    assert!(
        drawn.iter().all(|jitter| *jitter <= 200) && drawn.contains(&0) && drawn.contains(&200)
    );
}
