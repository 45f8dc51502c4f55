use super::*;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

mod limits;

use crate::testing::sink::{Answer, Sink};

/// Each name has one list of addresses for each time it is asked for; the last list is given for ever.
struct Scripted(Vec<Vec<SocketAddr>>, AtomicUsize);

impl Names for Scripted {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0[asked.min(self.0.len() - 1)].clone())
    }
}

fn scripted(lists: Vec<Vec<SocketAddr>>) -> Arc<dyn Names> {
    Arc::new(Scripted(lists, AtomicUsize::new(0)))
}

fn allowing(text: &str) -> Allow {
    text.parse().unwrap()
}

/// A sender that may reach loopback, with a short time.
fn sender() -> Sender {
    Sender {
        names: Arc::new(names::System),
        allow: allowing("127.0.0.0/8"),
        timeout: Duration::from_millis(400),
    }
}

fn send(sender: &Sender, url: &str) -> Sent {
    let target = Target::read(url, &sender.allow).unwrap();
    sender.send(
        &target,
        &[
            ("Authorization", "ab12".to_owned()),
            ("webhook-id", "evt_1".to_owned()),
        ],
        b"{\"a\":1}",
    )
}

/// What the first request to a sink with this answer comes to.
fn told(answer: Answer) -> Sent {
    let sink = Sink::start([answer]);
    send(&sender(), &sink.url("/"))
}

#[test]
fn a_request_is_what_it_should_be() {
    let sink = Sink::start([Answer::Whole(
        201,
        vec![("X-A", "b".to_owned())],
        b"thank you".to_vec(),
    )]);
    let sent = send(&sender(), &sink.url("/a/b?c=d#e"));
    assert_eq!((sent.status, sent.error), (Some(201), None));
    assert_eq!(sent.answer.as_deref(), Some("thank you"));
    assert!(sent.retry_after_s.is_none() && sent.took < Duration::from_millis(400));
    let request = &sink.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/a/b?c=d")
    );
    assert_eq!(request.body, b"{\"a\":1}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-length", "7"),
        (
            "user-agent",
            concat!("Punchcard/", env!("CARGO_PKG_VERSION")),
        ),
        ("authorization", "ab12"),
        ("webhook-id", "evt_1"),
        ("connection", "close"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(
        request.header("host"),
        Some(sink.address.to_string().as_str())
    );
    assert!(request.header("accept-encoding").is_none() && request.header("cookie").is_none());
}

#[test]
fn every_status_is_told() {
    for status in [
        200, 202, 204, 299, 301, 302, 303, 307, 308, 400, 401, 406, 410, 429, 500, 502, 503, 599,
    ] {
        let sent = told(Answer::Status(status));
        assert_eq!(
            (sent.status, &sent.error, &sent.answer),
            (Some(status), &None, &None),
            "{status}"
        );
    }
}

#[test]
fn no_redirect_is_followed() {
    let inside = Sink::start([Answer::Status(200)]);
    for status in [301, 302, 303, 307, 308] {
        let outside = Sink::start([Answer::Whole(
            status,
            vec![("Location", inside.url("/secret"))],
            Vec::new(),
        )]);
        assert_eq!(send(&sender(), &outside.url("/")).status, Some(status));
        assert_eq!(outside.connections(), 1);
    }
    assert_eq!(inside.connections(), 0);
}

#[test]
fn the_connection_goes_to_the_checked_address_and_the_name_into_the_request() {
    let sink = Sink::start([Answer::Status(200)]);
    let sender = Sender {
        names: scripted(vec![vec![sink.address]]),
        ..sender()
    };
    // The name belongs to nobody, and its port to no address: only the pinned one can be meant.
    let sent = send(
        &sender,
        &format!("http://hook.punchcard.invalid:{}/x", sink.address.port()),
    );
    assert_eq!(sent.status, Some(200), "{sent:?}");
    let host = format!("hook.punchcard.invalid:{}", sink.address.port());
    assert_eq!(sink.requests()[0].header("host"), Some(host.as_str()));
}

#[test]
fn tls_asks_for_the_name_and_takes_no_strangers_word() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hello = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        // An alert: handshake failure.
        stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).unwrap();
        bytes[..length].to_vec()
    });
    let sender = Sender {
        names: scripted(vec![vec![address]]),
        ..sender()
    };
    let sent = send(
        &sender,
        &format!("https://hook.punchcard.example:{}/", address.port()),
    );
    let error = sent.error.unwrap();
    assert!(
        sent.status.is_none() && error.contains("HandshakeFailure"),
        "{error}"
    );
    let hello = hello.join().unwrap();
    let name = b"hook.punchcard.example";
    assert!(hello.windows(name.len()).any(|part| part == name));
}

#[test]
fn a_name_that_moved_inside_is_not_followed() {
    let sink = Sink::start([Answer::Status(200)]);
    let (port, public) = (sink.address.port(), "8.8.8.8:80".parse().unwrap());
    let names = scripted(vec![
        vec![public],
        vec![sink.address],
        vec![public, sink.address],
        vec!["[::ffff:127.0.0.1]:80".parse().unwrap()],
    ]);
    let allow = Allow::default();
    let target = Target::read(&format!("http://rebind.example:{port}/"), &allow).unwrap();
    assert_eq!(
        names::check(&names, &allow, &target),
        Ok(()),
        "public when it was given"
    );
    let sender = Sender {
        names,
        allow,
        timeout: Duration::from_millis(400),
    };
    for _ in 0..3 {
        let sent = sender.send(&target, &[], b"{}");
        let error = sent.error.unwrap();
        assert!(
            sent.status.is_none() && error.starts_with("refused address: the URL leads to "),
            "{error}"
        );
    }
    assert_eq!(sink.connections(), 0);
}

#[test]
fn the_next_address_is_tried_where_one_is_closed() {
    let sink = Sink::on("127.0.0.3:0", [Answer::Status(200)]);
    let closed: SocketAddr = format!("127.0.0.2:{}", sink.address.port())
        .parse()
        .unwrap();
    let sender = Sender {
        names: scripted(vec![vec![closed, sink.address]]),
        ..sender()
    };
    let url = format!("http://two.example:{}/", sink.address.port());
    assert_eq!(send(&sender, &url).status, Some(200));
}

/// What a proxy's variables in the environment would do: the test runs itself once more with them set.
#[test]
fn no_proxy_of_the_environment_is_used() {
    const URL: &str = "PUNCHCARD_TEST_HOOK_URL";
    if let Ok(url) = std::env::var(URL) {
        assert_eq!(send(&sender(), &url).status, Some(204));
        return;
    }
    let (proxy, sink) = (
        Sink::start([Answer::Status(200)]),
        Sink::start([Answer::Status(204)]),
    );
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args([
        "--exact",
        "hooks::client::tests::no_proxy_of_the_environment_is_used",
    ]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again
            .env(name, proxy.url(""))
            .env(name.to_lowercase(), proxy.url(""));
    }
    let done = again
        .env(URL, sink.url("/"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stdout)
    );
    assert_eq!((proxy.connections(), sink.requests().len()), (0, 1));
}
