//! A name server on loopback, over UDP and TCP, that answers from a table and remembers what it was asked.
//!
//! It speaks just enough of RFC 1035 for the resolver under test, byte by byte, and knows nothing of the project, so
//! that unit tests can include it too.
#![allow(dead_code, reason = "each of those who include it uses a part")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is asked for: the numbers of the record types.
pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const MX: u16 = 15;
pub const AAAA: u16 = 28;

/// Codes of answers that are no answers.
pub const SERVFAIL: u8 = 2;
pub const NXDOMAIN: u8 = 3;
pub const REFUSED: u8 = 5;

/// One record of an answer.
#[derive(Clone, Debug)]
pub enum Record {
    Mx(u16, &'static str),
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Cname(&'static str),
    /// In the authority section instead: a referral to another server.
    Ns(&'static str),
}

/// What a name has to say.
#[derive(Clone, Debug)]
pub enum Zone {
    /// These records, each to those who ask for its type. `CNAME` is given to everybody.
    Has(Vec<Record>),
    /// This code, to every question.
    Code(u8),
    /// Nothing, ever.
    Silent,
    /// "Truncated" over UDP, these records over TCP.
    OnlyTcp(Vec<Record>),
    /// "Truncated" over UDP, and nothing over TCP.
    Cut,
    /// Bytes that are no DNS.
    Garbage,
    /// This code to those who ask for addresses, and no records to those who ask for MX.
    NoAddress(u8),
    /// One question in so many milliseconds late.
    Late(u64, Vec<Record>),
}

#[derive(Default)]
struct Shared {
    zones: Mutex<HashMap<String, Zone>>,
    /// Answers to names that are not in the table.
    otherwise: Mutex<Option<Zone>>,
    asked: Mutex<Vec<(String, u16)>>,
    ended: AtomicBool,
}

/// The server. It ends when it is dropped.
pub struct Dns {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Dns {
    /// Starts on a free port. Names that are not in the table do not exist.
    pub fn start(zones: impl IntoIterator<Item = (&'static str, Zone)>) -> Dns {
        let shared = Arc::new(Shared::default());
        let (udp, tcp) = both();
        let address = udp.local_addr().unwrap();
        udp.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let (of_udp, of_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !of_udp.ended.load(Ordering::SeqCst) {
                if let Ok((length, from)) = udp.recv_from(&mut buffer) {
                    let (shared, question) = (Arc::clone(&of_udp), buffer[..length].to_vec());
                    let udp = udp.try_clone().unwrap();
                    thread::spawn(move || {
                        if let Some(reply) = reply(&shared, &question, true) {
                            let _ = udp.send_to(&reply, from);
                        }
                    });
                }
            }
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                if of_tcp.ended.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, stream) = (Arc::clone(&of_tcp), stream.unwrap());
                thread::spawn(move || while talk(&shared, &stream).is_some() {});
            }
        });
        let dns = Dns { address, shared };
        for (name, zone) in zones {
            dns.set(name, zone);
        }
        dns
    }

    /// Puts a name into the table, or changes what it says.
    pub fn set(&self, name: &str, zone: Zone) {
        self.shared
            .zones
            .lock()
            .unwrap()
            .insert(name.to_owned(), zone);
    }

    /// What all names say that are not in the table.
    pub fn otherwise(&self, zone: Zone) {
        *self.shared.otherwise.lock().unwrap() = Some(zone);
    }

    /// Every question that came, in order: name and type.
    pub fn asked(&self) -> Vec<(String, u16)> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many questions came about a name.
    pub fn asked_about(&self, name: &str) -> usize {
        self.asked()
            .iter()
            .filter(|(asked, _)| asked == name)
            .count()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// A UDP and a TCP socket on the same port.
fn both() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

/// Answers one question over TCP; `None` at its end.
fn talk(shared: &Shared, mut stream: &TcpStream) -> Option<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question).ok()?;
    if let Some(reply) = reply(shared, &question, false) {
        let length = u16::try_from(reply.len()).unwrap();
        stream
            .write_all(&[&length.to_be_bytes(), reply.as_slice()].concat())
            .ok()?;
    }
    Some(())
}

/// The answer to a question; `None` for silence.
fn reply(shared: &Shared, question: &[u8], udp: bool) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).to_lowercase());
        at += 1 + length;
    }
    let name = labels.join(".");
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let asked = &question[12..at + 5];
    shared.asked.lock().unwrap().push((name.clone(), kind));
    let zone = shared.zones.lock().unwrap().get(&name).cloned();
    let zone = zone
        .or_else(|| shared.otherwise.lock().unwrap().clone())
        .unwrap_or(Zone::Code(NXDOMAIN));

    let (code, truncated, records) = match zone {
        Zone::Has(records) => (0, false, records),
        Zone::Code(code) => (code, false, Vec::new()),
        Zone::Silent => return None,
        Zone::OnlyTcp(_) | Zone::Cut if udp => (0, true, Vec::new()),
        Zone::OnlyTcp(records) => (0, false, records),
        Zone::Cut => return None,
        Zone::Garbage => return Some(question[..2].iter().copied().chain([0xff; 7]).collect()),
        Zone::NoAddress(code) => (if kind == MX { 0 } else { code }, false, Vec::new()),
        Zone::Late(pause, records) => {
            thread::sleep(Duration::from_millis(pause));
            (0, false, records)
        }
    };
    let (mut answers, mut authorities) = (Vec::new(), Vec::new());
    for record in &records {
        let (its_kind, data) = match record {
            Record::Mx(preference, host) => (
                MX,
                [preference.to_be_bytes().to_vec(), encoded(host)].concat(),
            ),
            Record::A(address) => (A, address.octets().to_vec()),
            Record::Aaaa(address) => (AAAA, address.octets().to_vec()),
            Record::Cname(host) => (CNAME, encoded(host)),
            Record::Ns(host) => {
                authorities.push((2, encoded(host)));
                continue;
            }
        };
        if its_kind == kind || its_kind == CNAME {
            answers.push((its_kind, data));
        }
    }
    // An answer, recursion wanted and available.
    let mut reply = [
        &question[..2],
        &[0x81 | u8::from(truncated) << 1, 0x80 | code],
        &[0, 1],
    ]
    .concat();
    for count in [answers.len(), authorities.len(), 0] {
        reply.extend(u16::try_from(count).unwrap().to_be_bytes());
    }
    reply.extend(asked);
    for (kind, data) in answers.into_iter().chain(authorities) {
        // The name of the question again, class IN, an hour.
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0x0e, 0x10]);
        reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        reply.extend(data);
    }
    Some(reply)
}

/// A name as it stands in a record; empty for the root.
fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
