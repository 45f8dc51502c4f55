//! An HTTP server on loopback that webhooks are sent to: it answers as it is told and remembers what came.
//!
//! It is a plain thread for each connection and knows nothing of the project, so that unit tests can include it too.
#![allow(dead_code, reason = "each of those who include it uses a part")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the sink does with a request that it has read.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Answers with a status and an empty body.
    Status(u16),
    /// Answers with a status, headers and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answers with a status, then one byte of the body in each of so many milliseconds, 1,000 of them.
    Dripping(u16, u64),
    /// Answers with a status and so many bytes, as fast as they are taken.
    Endless(u16, u64),
    /// Waits so many milliseconds, then answers with a status.
    Late(u16, u64),
    /// Sends these bytes, HTTP or not, and closes.
    Raw(Vec<u8>),
    /// Closes without an answer.
    Close,
    /// Keeps the connection open and says nothing.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Request {
    /// The value of a header, whatever the case of its name. Panics when it came more than once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} came more than once");
        value
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    /// Bytes of bodies that the other side took.
    taken: AtomicUsize,
    ended: AtomicBool,
}

/// The server. It ends when it is dropped.
pub struct Sink {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Sink {
    /// Starts on a free port. Each request takes the next answer; the last one is given for ever.
    pub fn start(script: impl IntoIterator<Item = Answer>) -> Sink {
        Sink::on("127.0.0.1:0", script)
    }

    /// Starts on an address of one's own.
    pub fn on(address: &str, script: impl IntoIterator<Item = Answer>) -> Sink {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            ..Shared::default()
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                of_thread.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Sink { address, shared }
    }

    /// A URL on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says from now on what these say, the last one for ever.
    pub fn then(&self, script: impl IntoIterator<Item = Answer>) {
        *self.shared.script.lock().unwrap() = script.into_iter().collect();
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Connections that were made, with a request or without.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes of bodies that were taken by the other side.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come. Panics after twenty seconds.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {count} requests came",
                requests.len()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves one connection; errors are the other side's affair.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let Some(request) = read(&stream) else { return };
    shared.requests.lock().unwrap().push(request);
    let answer = {
        let mut script = shared.script.lock().unwrap();
        match script.len() {
            0 => Answer::Status(200),
            1 => script.front().unwrap().clone(),
            _ => script.pop_front().unwrap(),
        }
    };
    let _ = reply(shared, &mut stream, answer);
}

fn reply(shared: &Shared, stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let head = |status: u16, length: u64| {
        format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n\r\n")
    };
    match answer {
        Answer::Status(status) => stream.write_all(head(status, 0).as_bytes()),
        Answer::Whole(status, headers, body) => {
            let mut text = format!(
                "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            stream.write_all(text.as_bytes())?;
            stream.write_all(&body)
        }
        Answer::Dripping(status, pause) => {
            stream.write_all(head(status, 1_000).as_bytes())?;
            for _ in 0..1_000 {
                stream.write_all(b".")?;
                shared.taken.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(pause));
            }
            Ok(())
        }
        Answer::Endless(status, length) => {
            stream.write_all(head(status, length).as_bytes())?;
            let block = [b'x'; 65_536];
            let mut left = length;
            while left > 0 {
                let size = block
                    .len()
                    .min(usize::try_from(left).unwrap_or(block.len()));
                stream.write_all(&block[..size])?;
                shared.taken.fetch_add(size, Ordering::SeqCst);
                left -= size as u64;
            }
            Ok(())
        }
        Answer::Late(status, pause) => {
            thread::sleep(Duration::from_millis(pause));
            stream.write_all(head(status, 0).as_bytes())
        }
        Answer::Raw(bytes) => stream.write_all(&bytes),
        Answer::Close => Ok(()),
        Answer::Silence => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0]);
            Ok(())
        }
    }
}

/// Reads one request, with a body of a known length or none.
fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request {
        method,
        path,
        headers,
        body: Vec::new(),
        at: Instant::now(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
