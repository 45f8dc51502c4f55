//! Answers of many lines, sent while they are rendered: whole, in little memory, and not for ever.

use crate::big::{self, LINES};
use crate::support::app::{App, WORLD};
use crate::support::client::{self, Encoding, Reply};
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process::{self, Serve, Server};
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::journal;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const DETAILS: (&str, &str) = ("details", "lines");
/// By the fields that ask for them: XML, JSON, JSONP.
const FORMATS: [(&str, &str); 3] = [("output", "XML"), ("output", "JSON"), ("callback", "f")];

/// A request of a hundred thousand lines; with details, in a format, or without.
fn large(details: Option<(&str, &str)>) -> Vec<u8> {
    let more: Vec<(&str, &str)> = details.map_or(vec![], |format| vec![DETAILS, format]);
    let lines = big::lines(LINES, 1000, |_| false);
    big::request(Encoding::Urlencoded, &more, lines)
}

/// The lines of details as (number, transaction_id, amount), whatever the format: each is read as what it is.
fn details(format: (&str, &str), body: &str) -> Vec<[String; 3]> {
    if format == FORMATS[0] {
        assert!(body.ends_with("</line></lines></batch></response>"));
        let value = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("<{name}>")).unwrap();
            rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
        };
        let lines = body.split("<line>").skip(1);
        return lines
            .map(|line| ["number", "transaction_id", "amount"].map(|name| value(line, name)))
            .collect();
    }
    let text = body.strip_prefix("/**/f(").unwrap_or(body);
    let text = text.strip_suffix(");").unwrap_or(text);
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let lines = document["batch"]["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| {
            ["number", "transaction_id", "amount"]
                .map(|name| line[name].as_str().unwrap().to_owned())
        })
        .collect()
}

on_both_engines! {
    fn details_of_a_hundred_thousand_lines_are_whole_and_take_little_memory(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &big::world(1000));
        // Each request meets a new server, whose memory nothing else has raised.
        let post = |details| {
            let server = Serve::on(&database).start();
            let reply = server.exchange(&large(details));
            let peak = server.peak_memory();
            server.stop();
            (reply, peak)
        };
        let (plain, without) = post(None);
        assert!(plain.body.contains("all_imported"), "{}", plain.body);
        for (earlier, format) in (1..).zip(FORMATS) {
            let (reply, with) = post(Some(format));
            assert_eq!(reply.header("content-length"), None);
            let lines = details(format, &reply.body);
            assert_eq!(lines.len(), LINES);
            for (at, [number, entry, amount]) in lines.iter().enumerate() {
                assert_eq!(*number, (at + 1).to_string());
                assert_eq!(*entry, (earlier * LINES + at + 1).to_string());
                assert_eq!(*amount, format!("{}.25", at % 50 + 1));
            }
            println!("peak memory: {without} bytes without details, {with} with them");
            assert!(with * 2 <= without * 3, "{with} bytes with details, {without} without");
        }
    }
}

/// Lines of the requests below: their details are several times as long as what sockets hold.
const SLOW_LINES: usize = 40_000;

/// Sends a request and leaves the answer where it is, once it has begun.
fn send(server: &Server, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    SockRef::from(&stream)
        .set_recv_buffer_size(64 * 1024)
        .unwrap();
    stream.write_all(request).unwrap();
    stream.peek(&mut [0]).unwrap();
    stream
}

fn wait_until_cut(server: &Server) {
    let since = Instant::now();
    while !server.log().contains("a long answer was cut off") {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "the answer goes on and on"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Posts with details to a server that gives a second for the answer. `take` gets the connection; what it has read, and
/// what is left then, must not look like an answer, and the lines are posted once.
fn is_cut(engine: Engine, take: fn(&Server, &mut TcpStream) -> Vec<u8>) {
    let database = Database::new(engine);
    process::apply(&database, &big::world(1000));
    let server = Serve::on(&database)
        .with("reply_timeout_ms", "1000")
        .start();
    let lines = big::lines(SLOW_LINES, 1000, |_| false);
    let request = big::request(Encoding::Urlencoded, &[DETAILS], lines);
    let mut stream = send(&server, &request);
    let mut bytes = take(&server, &mut stream);
    let _cut = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(client::parse(&bytes), None);
    assert!(!String::from_utf8_lossy(&bytes).contains("</response>"));
    wait_until_cut(&server);
    // The server goes on, and ends in order.
    let one = big::request(
        Encoding::Urlencoded,
        &[DETAILS],
        big::lines(1, 1000, |_| false),
    );
    assert!(server.exchange(&one).body.contains("all_imported"));
    server.stop();
    let entries: i64 = journal::table
        .count()
        .get_result(&mut database.connect(Role::Reader))
        .unwrap();
    assert_eq!(entries, SLOW_LINES as i64 + 1);
    process::verify(&database);
}

on_both_engines! {
    fn a_client_that_stops_reading_is_cut_off(engine: Engine) {
        is_cut(engine, |server, _| {
            wait_until_cut(server);
            Vec::new()
        });
    }

    fn a_client_that_reads_slowly_is_cut_off(engine: Engine) {
        is_cut(engine, |_, stream| {
            let (since, mut bytes, mut some) = (Instant::now(), Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut some) {
                bytes.extend_from_slice(&some[..read]);
                assert!(since.elapsed() < Duration::from_secs(60));
                std::thread::sleep(Duration::from_millis(10));
            }
            bytes
        });
    }

    fn only_long_answers_come_in_chunks(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let post = |lines: usize, format| {
            let data = "P|12121|N|1||\n".repeat(lines);
            let columns = crate::support::app::COLUMNS;
            shop.post(&[&columns[..], &[DETAILS, format, ("Visits_Data", &data)]].concat())
        };
        for format in FORMATS {
            for (lines, long) in [(1, false), (200, false), (2000, true)] {
                let reply = post(lines, format);
                assert_eq!(details(format, &reply.body).len(), lines);
                assert_eq!(reply.header("content-length").is_none(), long, "{lines} lines");
                assert_eq!(reply.header("transfer-encoding").is_some(), long, "{lines} lines");
            }
        }
    }

    fn a_long_answer_to_http_1_0_ends_with_its_connection(engine: Engine) {
        let database = Database::new(engine);
        process::apply(&database, &big::world(1000));
        let server = Serve::on(&database).start();
        let lines = big::lines(2000, 1000, |_| false);
        let request = big::request(Encoding::Urlencoded, &[DETAILS], lines);
        let line_end = request.windows(10).position(|window| window == b" HTTP/1.1\r").unwrap();
        let old = [&request[..line_end], b" HTTP/1.0\r\nConnection: keep-alive", &request[line_end + 9..]].concat();
        let reply: Reply = server.exchange(&old);
        assert_eq!(reply.header("transfer-encoding"), None);
        assert_eq!(details(FORMATS[0], &reply.body).len(), 2000);
        server.stop();
    }
}

/// Times mean something only in a release build on a quiet machine, with a MariaDB that syncs: `scripts/soak details`.
#[test]
#[ignore = "takes times: run scripts/soak details"]
fn what_details_of_a_hundred_thousand_lines_cost() {
    let lines = big::lines(LINES, LINES, |_| false);
    for engine in Engine::all() {
        for (encoding, formats) in [
            (Encoding::Urlencoded, &FORMATS[..2]),
            (Encoding::Multipart, &FORMATS[..1]),
        ] {
            let mut kinds: Vec<Vec<(&str, &str)>> = vec![vec![]];
            kinds.extend(formats.iter().map(|format| vec![DETAILS, *format]));
            let requests: Vec<_> = kinds
                .iter()
                .map(|more| big::request(encoding, more, lines.clone()))
                .collect();
            let mut costs = vec![Vec::new(); kinds.len()];
            for _ in 0..3 {
                for (request, costs) in requests.iter().zip(&mut costs) {
                    costs.push(cost(engine, request));
                }
            }
            let median = |costs: &[(Duration, u64)]| {
                let time = big::median(costs.iter().map(|cost| cost.0).collect());
                let memory = big::median(costs.iter().map(|cost| cost.1).collect());
                let kilobytes = u32::try_from(memory / 1000).unwrap();
                (time.as_secs_f64(), f64::from(kilobytes) / 1000.0)
            };
            let (time, memory) = median(&costs[0]);
            for (format, costs) in formats.iter().zip(&costs[1..]) {
                let (long, much) = median(costs);
                println!(
                    "RESULT {engine:?} | {encoding:?} | {} | {time:.2} s | {long:.2} s | {:.2} | {memory:.0} MB | {much:.0} MB | {:.2}",
                    format.1,
                    long / time,
                    much / memory
                );
            }
        }
    }
}

/// Time and memory of one request to a new server with a new database.
fn cost(engine: Engine, request: &[u8]) -> (Duration, u64) {
    let database = Database::new(engine);
    process::apply(&database, &big::world(LINES));
    let server = Serve::on(&database).durable().start();
    let since = Instant::now();
    let reply = server.exchange(request);
    let took = since.elapsed();
    assert!(reply.body.contains("all_imported"));
    let memory = server.peak_memory();
    server.stop();
    (took, memory)
}
