use super::*;
use std::collections::HashMap;
use std::time::Instant;

/// A fixed table. An empty list: no such name.
struct Table(HashMap<&'static str, Vec<&'static str>>);

impl Names for Table {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        if host == "slow.example" {
            std::thread::sleep(Duration::from_millis(400));
        }
        let found = self.0.get(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(found.iter().map(|text| text.parse().unwrap()).collect())
    }
}

fn table() -> Arc<dyn Names> {
    Arc::new(Table(HashMap::from([
        ("public.example", vec!["8.8.8.8:1", "[2606:4700::1111]:1"]),
        ("private.example", vec!["10.0.0.1:1"]),
        ("both.example", vec!["8.8.8.8:1", "127.0.0.1:1"]),
        ("both6.example", vec!["8.8.8.8:1", "[::1]:1"]),
        ("mapped.example", vec!["[::ffff:8.8.8.8]:1"]),
        ("none.example", vec![]),
        ("slow.example", vec!["8.8.8.8:1"]),
    ])))
}

fn target(host: &str) -> Target {
    Target::read(&format!("http://{host}:8080/"), &Allow::default()).unwrap()
}

fn look(host: &str, allow: &str, limit: Duration) -> Result<Vec<SocketAddr>, NoAddress> {
    addresses(&table(), &allow.parse().unwrap(), &target(host), limit)
}

#[test]
fn all_addresses_are_given_with_the_port_of_the_url() {
    let found = look("public.example", "", AT_CONNECT).unwrap();
    let expected: Vec<SocketAddr> = vec![
        "8.8.8.8:8080".parse().unwrap(),
        "[2606:4700::1111]:8080".parse().unwrap(),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        look("9.9.9.9", "", AT_CONNECT).unwrap(),
        vec!["9.9.9.9:8080".parse().unwrap()]
    );
}

#[test]
fn one_refused_address_is_enough() {
    for host in [
        "private.example",
        "both.example",
        "both6.example",
        "mapped.example",
    ] {
        assert!(
            matches!(look(host, "", AT_CONNECT), Err(NoAddress::Refused(_))),
            "{host}"
        );
        assert!(
            check(&table(), &Allow::default(), &target(host)).is_err(),
            "{host}"
        );
    }
    assert!(look("both.example", "127.0.0.0/8", AT_CONNECT).is_ok());
    assert!(look("private.example", "127.0.0.0/8", AT_CONNECT).is_err());
}

#[test]
fn a_literal_is_checked_again() {
    let allow: Allow = "127.0.0.0/8".parse().unwrap();
    let target = Target::read("http://127.0.0.1:8080/", &allow).unwrap();
    assert!(addresses(&table(), &allow, &target, AT_CONNECT).is_ok());
    assert!(matches!(
        addresses(&table(), &Allow::default(), &target, AT_CONNECT),
        Err(NoAddress::Refused(_))
    ));
}

#[test]
fn what_does_not_resolve_is_taken_at_first_and_fails_later() {
    for host in ["unknown.example", "none.example"] {
        assert_eq!(check(&table(), &Allow::default(), &target(host)), Ok(()));
        assert!(
            matches!(look(host, "", AT_CONNECT), Err(NoAddress::Unresolved(_))),
            "{host}"
        );
    }
}

#[test]
fn nobody_waits_longer_than_the_limit() {
    let begun = Instant::now();
    let slow = look("slow.example", "", Duration::from_millis(50));
    assert_eq!(
        slow,
        Err(NoAddress::Unresolved(
            "the name was not resolved in time".to_owned()
        ))
    );
    assert!(begun.elapsed() < Duration::from_millis(350));
    assert!(look("slow.example", "", AT_CONNECT).is_ok());
}

#[test]
fn the_system_knows_this_machine() {
    let names: Arc<dyn Names> = Arc::new(System);
    let allow: Allow = "127.0.0.0/8,::1/128".parse().unwrap();
    let target = Target::read("http://localhost:8080/", &allow).unwrap();
    let found = addresses(&names, &allow, &target, AT_CONNECT).unwrap();
    assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()));
    assert!(matches!(
        addresses(&names, &Allow::default(), &target, AT_CONNECT),
        Err(NoAddress::Refused(_))
    ));
}
