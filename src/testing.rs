//! What unit tests share with the integration tests: a receiver of webhooks and a name server, both on loopback.

#[path = "../tests/it/support/dns.rs"]
pub mod dns;
#[path = "../tests/it/support/sink.rs"]
pub mod sink;
