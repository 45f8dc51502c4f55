//! A TCP proxy before MariaDB that cuts the connection around COMMIT, as a failing network would.
//!
//! It follows the client protocol far enough to know COMMIT when it passes: as a query, or as the execution of a
//! prepared statement with that text.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Where a connection is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The COMMIT never reaches the server.
    Before,
    /// The COMMIT is carried out, and its answer lost.
    After,
    /// The COMMIT goes nowhere and the connection stays open, as with a host that has vanished; cut after a while.
    Stall,
}

#[derive(Default)]
struct Orders {
    /// How many of the next COMMITs are cut, and where.
    next: Mutex<Option<Cut>>,
    /// Whether connections are refused from the next cut on.
    stay_away: AtomicBool,
    away: AtomicBool,
    cuts: AtomicU32,
}

/// The proxy. It ends with the test's process.
pub struct Proxy {
    pub address: SocketAddr,
    orders: Arc<Orders>,
}

impl Proxy {
    /// A proxy before a server.
    pub fn before(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let orders = Arc::new(Orders::default());
        let shared = Arc::clone(&orders);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if shared.away.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                connect(client, server, &shared);
            }
        });
        Proxy { address, orders }
    }

    /// Cuts the connection at the next COMMIT.
    pub fn cut_next(&self, cut: Cut) {
        *self.orders.next.lock().unwrap() = Some(cut);
    }

    /// Cuts at the next COMMIT and lets nobody connect after it, until [`Proxy::come_back`].
    pub fn cut_next_and_stay_away(&self, cut: Cut) {
        self.orders.stay_away.store(true, Ordering::SeqCst);
        self.cut_next(cut);
    }

    /// Lets connections through again.
    pub fn come_back(&self) {
        self.orders.stay_away.store(false, Ordering::SeqCst);
        self.orders.away.store(false, Ordering::SeqCst);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u32 {
        self.orders.cuts.load(Ordering::SeqCst)
    }
}

/// How long a stalled connection stays open.
const STALL: std::time::Duration = std::time::Duration::from_millis(1500);

/// What the two directions of one connection tell each other.
#[derive(Default)]
struct Link {
    /// The statement whose preparation was just sent is COMMIT.
    preparing: AtomicBool,
    /// The ids of prepared COMMITs.
    commits: Mutex<HashSet<[u8; 4]>>,
    /// A COMMIT is under way whose answer is to be lost.
    lose_answer: AtomicBool,
}

const COM_QUERY: u8 = 0x03;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;

fn connect(client: TcpStream, server: TcpStream, orders: &Arc<Orders>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let link = Arc::new(Link::default());
    let up = (
        client.try_clone().unwrap(),
        server.try_clone().unwrap(),
        Arc::clone(&link),
        Arc::clone(orders),
    );
    std::thread::spawn(move || {
        let (mut client, mut server, link, orders) = up;
        while let Some(packet) = read_packet(&mut client) {
            if is_commit(&packet, &link) {
                let cut = orders.next.lock().unwrap().take();
                if cut.is_some() && orders.stay_away.load(Ordering::SeqCst) {
                    orders.away.store(true, Ordering::SeqCst);
                }
                if cut.is_some() {
                    orders.cuts.fetch_add(1, Ordering::SeqCst);
                }
                match cut {
                    Some(Cut::Before) => break,
                    Some(Cut::Stall) => {
                        std::thread::sleep(STALL);
                        break;
                    }
                    Some(Cut::After) => link.lose_answer.store(true, Ordering::SeqCst),
                    None => {}
                }
            }
            if server.write_all(&packet).is_err() {
                break;
            }
        }
        let _both = (
            client.shutdown(Shutdown::Both),
            server.shutdown(Shutdown::Both),
        );
    });
    std::thread::spawn(move || {
        let (mut client, mut server) = (client, server);
        while let Some(packet) = read_packet(&mut server) {
            if link.lose_answer.load(Ordering::SeqCst) {
                break;
            }
            if link.preparing.swap(false, Ordering::SeqCst) && packet.get(4) == Some(&0) {
                link.commits
                    .lock()
                    .unwrap()
                    .insert(packet[5..9].try_into().unwrap());
            }
            if client.write_all(&packet).is_err() {
                break;
            }
        }
        let _both = (
            client.shutdown(Shutdown::Both),
            server.shutdown(Shutdown::Both),
        );
    });
}

/// One packet with its header of four bytes: three of length, one of sequence.
fn read_packet(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet).ok()?;
    let length =
        usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    packet.resize(4 + length, 0);
    stream.read_exact(&mut packet[4..]).ok()?;
    Some(packet)
}

fn is_commit(packet: &[u8], link: &Link) -> bool {
    match packet.get(4) {
        Some(&COM_QUERY) => &packet[5..] == b"COMMIT",
        Some(&COM_STMT_PREPARE) => {
            link.preparing
                .store(&packet[5..] == b"COMMIT", Ordering::SeqCst);
            false
        }
        Some(&COM_STMT_EXECUTE) => link
            .commits
            .lock()
            .unwrap()
            .contains(&<[u8; 4]>::try_from(&packet[5..9]).unwrap()),
        _ => false,
    }
}
