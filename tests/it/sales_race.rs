//! One sale that many send at once is one sale: one of them has created it, all others have updated it.

use crate::support::app::App;
use crate::support::engine::{Database, Engine};
use crate::support::on_both_engines;
use crate::support::process;
use crate::support::sales::{counts, post, stored, token, world};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Barrier;

const CLIENTS: usize = 16;
const ROUNDS: usize = 6;

/// A sale of a round, known by its order or by its own id, and one that only this client sends.
fn sales(round: usize, client: usize) -> Vec<String> {
    let known_by = if round.is_multiple_of(2) {
        "order_id"
    } else {
        "external_sale_id"
    };
    // Every client has another customer and another value in mind.
    let (customer, value) = (1 + client % 4, client + 1);
    vec![
        format!(
            r#"{{"match_key":{{"id":{customer}}},"event_time":"2020-01-02","{known_by}":"R{round}","value":{value}}}"#
        ),
        format!(
            r#"{{"match_key":{{"id":1}},"event_time":"2020-01-02","{known_by}":"R{round}C{client}"}}"#
        ),
    ]
}

/// All clients send at once, each to one of the servers.
fn race(addresses: &[SocketAddr], token: &str) {
    let together = Barrier::new(CLIENTS);
    for round in 0..ROUNDS {
        let told: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let (together, address) = (&together, addresses[client % addresses.len()]);
                    scope.spawn(move || {
                        together.wait();
                        post(address, token, &sales(round, client))
                    })
                })
                .collect();
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .collect()
        });
        let mut statuses: HashMap<&str, usize> = HashMap::new();
        for told in &told {
            *statuses.entry(&told[0].0).or_default() += 1;
            assert_eq!(told[1].0, "created");
        }
        assert_eq!(
            statuses,
            HashMap::from([("created", 1), ("updated", CLIENTS - 1)])
        );
        let mut numbers: Vec<_> = told.iter().map(|told| told[0].1).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "{numbers:?}");
    }
}

/// Each sale once, and each found by its own id.
fn check(database: &Database, account: i32) {
    let all = (ROUNDS * (CLIENTS + 1)) as i64;
    assert_eq!(counts(database, account), (all, all));
    let stored = stored(database, account);
    for round in 0..ROUNDS {
        let of_round = |sale: &&String| sale.contains(&format!(" R{round} "));
        let shared: Vec<_> = stored.iter().filter(of_round).collect();
        assert_eq!(shared.len(), 1, "{shared:?}");
        assert!(!shared[0].contains("entry -"), "{shared:?}");
    }
    process::verify(database);
}

on_both_engines! {
    fn sixteen_clients_of_one_server(engine: Engine) {
        let app = App::start(engine, &[]);
        let shop = app.shop(&world("campaign = \"P\""));
        race(&[app.address], &token(&shop));
        check(&app.database, shop.number(&mut app.db()));
    }
}

#[cfg(feature = "mysql")]
#[test]
fn sixteen_clients_of_two_servers() {
    let app = App::start(Engine::Mysql, &[]);
    let shop = app.shop(&world("campaign = \"P\""));
    let other = process::Serve::on(&app.database).start();
    race(&[app.address, other.address], &token(&shop));
    other.stop();
    check(&app.database, shop.number(&mut app.db()));
}
