//! What a try does not wait for, does not read, and how it fails.

use super::*;

#[test]
fn an_answer_is_cut() {
    let sink = Sink::start([Answer::Endless(200, 1 << 30)]);
    let sender = Sender {
        timeout: Duration::from_secs(15),
        ..sender()
    };
    let sent = send(&sender, &sink.url("/"));
    assert_eq!((sent.status, &sent.error), (Some(200), &None));
    assert_eq!(sent.answer.unwrap().len(), MAX_ANSWER);
    assert!(sent.took < Duration::from_secs(5));
    // What the kernel's buffers took, and not a gigabyte.
    assert!(sink.taken() < 64 << 20, "{}", sink.taken());
}

#[test]
fn an_answer_is_text_that_databases_take() {
    let body = [b"a\0b\xff".as_slice(), "ü".repeat(MAX_ANSWER).as_bytes()].concat();
    let answer = told(Answer::Whole(500, Vec::new(), body)).answer.unwrap();
    assert!(
        answer.starts_with("a\u{fffd}b\u{fffd}üü")
            && answer.len() <= MAX_ANSWER
            && answer.len() > MAX_ANSWER - 4
    );
    assert_eq!(readable(&[]), "");
}

#[test]
fn a_try_ends_in_time() {
    for answer in [Answer::Silence, Answer::Late(200, 5_000)] {
        let sent = told(answer);
        assert_eq!(sent.status, None);
        assert_eq!(sent.error.as_deref(), Some("no answer within 400 ms"));
        assert!(
            sent.took >= Duration::from_millis(390) && sent.took < Duration::from_secs(2),
            "{:?}",
            sent.took
        );
    }
    // Each byte comes in good time, all of them do not. The status has been said by then.
    let sent = told(Answer::Dripping(200, 50));
    assert_eq!(sent.status, Some(200));
    assert_eq!(
        sent.error.as_deref(),
        Some("the answer is not whole: no answer within 400 ms")
    );
    assert!(sent.took < Duration::from_secs(2) && sent.answer.unwrap().len() > 2);
    // Headers that never end.
    let sent = told(Answer::Raw(
        [
            b"HTTP/1.1 200 OK\r\n".as_slice(),
            &b"a: b\r\n".repeat(20_000),
        ]
        .concat(),
    ));
    assert_eq!(sent.status, None);
}

#[test]
fn a_name_that_hangs_counts_too() {
    struct Hanging;
    impl Names for Hanging {
        fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            std::thread::sleep(Duration::from_secs(1));
            Err(io::ErrorKind::NotFound.into())
        }
    }
    let sender = Sender {
        names: Arc::new(Hanging),
        ..sender()
    };
    let sent = send(&sender, "http://slow.example/");
    assert_eq!(
        sent.error.as_deref(),
        Some("the name was not resolved in time")
    );
    assert!(sent.took < Duration::from_millis(900));
}

#[test]
fn failures_have_words_without_the_url() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = send(&sender(), &format!("http://{closed}/?key=hush"));
    assert!(
        refused
            .error
            .as_deref()
            .unwrap()
            .starts_with("the connection failed: "),
        "{refused:?}"
    );
    for (answer, beginning) in [
        (Answer::Close, "the connection failed: "),
        (
            Answer::Raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
            "the answer is not HTTP: ",
        ),
        (
            Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
            "the connection failed: ",
        ),
    ] {
        let sent = told(answer.clone());
        assert_eq!(sent.status, None);
        let error = sent.error.unwrap();
        assert!(
            error.starts_with(beginning) && !error.contains("hush"),
            "{answer:?}: {error}"
        );
    }
    // A plain server behind an https URL.
    let sink = Sink::start([Answer::Status(200)]);
    let sent = send(&sender(), &sink.url("/").replace("http:", "https:"));
    assert!(
        sent.status.is_none() && sink.requests().is_empty(),
        "{sent:?}"
    );
    // A body that is shorter than it said.
    let sent = told(Answer::Raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec(),
    ));
    assert_eq!(
        (sent.status, sent.answer.as_deref()),
        (Some(200), Some("abc"))
    );
    assert_eq!(
        sent.error.as_deref(),
        Some("the answer is not whole: the connection broke")
    );
}

#[test]
fn retry_after_is_seconds_or_an_instant() {
    let after = |value: &str| {
        told(Answer::Whole(
            503,
            vec![("Retry-After", value.to_owned())],
            Vec::new(),
        ))
        .retry_after_s
    };
    assert_eq!(after("120"), Some(120));
    assert_eq!(after(" 0 "), Some(0));
    assert_eq!(after("99999999999999999999999"), Some(u64::MAX));
    assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
    let later = chrono::Utc::now() + chrono::TimeDelta::seconds(100);
    let seconds = after(&later.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap();
    assert!((95..=100).contains(&seconds), "{seconds}");
    for neither in ["", "-5", "1.5", "soon", "+3", "5 s"] {
        assert_eq!(after(neither), None, "{neither}");
    }
}
