use super::*;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::testing::dns::{Dns, NXDOMAIN, REFUSED, Record, SERVFAIL, Zone};

const TIMEOUT: Duration = Duration::from_millis(250);

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn mx(host: &'static str) -> Record {
    Record::Mx(10, host)
}

const V4: Record = Record::A(Ipv4Addr::new(192, 0, 2, 1));
const V6: Record = Record::Aaaa(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

#[test]
fn verdicts() {
    use Verdict::{Invalid, Unknown, Valid};
    let table: Vec<(&'static str, Zone, Verdict)> = vec![
        ("mx.example", Zone::Has(vec![mx("mail.example")]), Valid),
        (
            "two.example",
            Zone::Has(vec![mx("a.example"), mx("b.example")]),
            Valid,
        ),
        ("null.example", Zone::Has(vec![Record::Mx(0, "")]), Invalid),
        // It takes no mail, whatever else it has.
        (
            "null-web.example",
            Zone::Has(vec![Record::Mx(0, ""), V4]),
            Invalid,
        ),
        (
            "null-and.example",
            Zone::Has(vec![Record::Mx(0, ""), mx("mail.example")]),
            Valid,
        ),
        ("web.example", Zone::Has(vec![V4]), Valid),
        ("web6.example", Zone::Has(vec![V6]), Valid),
        ("both.example", Zone::Has(vec![V4, V6]), Valid),
        ("empty.example", Zone::Has(vec![]), Invalid),
        ("none.example", Zone::Code(NXDOMAIN), Invalid),
        ("broken.example", Zone::Code(SERVFAIL), Unknown),
        ("refused.example", Zone::Code(REFUSED), Unknown),
        ("notimp.example", Zone::Code(4), Unknown),
        ("formerr.example", Zone::Code(1), Unknown),
        ("silent.example", Zone::Silent, Unknown),
        ("garbage.example", Zone::Garbage, Unknown),
        (
            "large.example",
            Zone::OnlyTcp(vec![mx("mail.example")]),
            Valid,
        ),
        ("large-empty.example", Zone::OnlyTcp(vec![]), Invalid),
        ("cut.example", Zone::Cut, Unknown),
        ("half.example", Zone::NoAddress(SERVFAIL), Unknown),
        ("half-none.example", Zone::NoAddress(NXDOMAIN), Invalid),
        (
            "alias.example",
            Zone::Has(vec![Record::Cname("mx.example")]),
            Valid,
        ),
        (
            "alias-none.example",
            Zone::Has(vec![Record::Cname("none.example")]),
            Invalid,
        ),
        (
            "referral.example",
            Zone::Has(vec![Record::Ns("ns.example")]),
            Unknown,
        ),
        (
            "late.example",
            Zone::Late(100, vec![mx("mail.example")]),
            Valid,
        ),
        (
            "xn--bcher-kva.example",
            Zone::Has(vec![mx("mail.example")]),
            Valid,
        ),
    ];
    let dns = Dns::start(table.iter().map(|(name, zone, _)| (*name, zone.clone())));
    let checker = Checker::new(Some(dns.address), TIMEOUT);
    run(async {
        for (name, zone, verdict) in &table {
            assert_eq!(checker.verdict(name).await, *verdict, "{name} {zone:?}");
        }
        // Names that need no server, and one that it does not know.
        for name in ["a.localhost", "a.invalid", "unknown.example"] {
            assert_eq!(checker.verdict(name).await, Invalid, "{name}");
        }
    });
    assert_eq!(
        dns.asked_about("a.localhost") + dns.asked_about("a.invalid"),
        0
    );
    // No search list, no hosts file: nothing but what was meant was asked for.
    assert!(
        dns.asked()
            .iter()
            .all(|(name, _)| name.ends_with(".example"))
    );
}

#[test]
fn answers_are_kept() {
    let dns = Dns::start([
        ("mx.example", Zone::Has(vec![mx("mail.example")])),
        ("web.example", Zone::Has(vec![V4])),
        ("empty.example", Zone::Has(vec![])),
        ("none.example", Zone::Code(NXDOMAIN)),
        ("broken.example", Zone::Code(SERVFAIL)),
        ("silent.example", Zone::Silent),
    ]);
    let names = [
        "mx.example",
        "web.example",
        "empty.example",
        "none.example",
        "broken.example",
        "silent.example",
    ];
    let checker = Checker::new(Some(dns.address), TIMEOUT);
    run(async {
        let mut first = Vec::new();
        for name in names {
            first.push(checker.verdict(name).await);
        }
        let asked = dns.asked().len();
        for _ in 0..3 {
            for (name, verdict) in names.iter().zip(&first) {
                assert_eq!(checker.verdict(name).await, *verdict, "{name}");
            }
        }
        assert_eq!(dns.asked().len(), asked);
        assert_eq!(dns.asked_about("mx.example"), 1);
        // The MX, and both kinds of address.
        assert_eq!(dns.asked_about("web.example"), 3);
        assert_eq!(dns.asked_about("broken.example"), 2);
    });
}

#[test]
fn many_at_once_are_all_answered() {
    let dns = Dns::start([]);
    dns.otherwise(Zone::Late(20, vec![V4]));
    let checker = Arc::new(Checker::new(Some(dns.address), Duration::from_secs(5)));
    let begun = Instant::now();
    run(async {
        let mut tasks = Vec::new();
        for number in 0..400 {
            let checker = Arc::clone(&checker);
            tasks.push(tokio::spawn(async move {
                checker.verdict(&format!("d{}.example", number % 200)).await
            }));
        }
        for task in tasks {
            assert_eq!(task.await.unwrap(), Verdict::Valid);
        }
    });
    // 200 domains, three questions each; a domain is not asked for twice at once.
    assert_eq!(dns.asked().len(), 600);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn silence_ends_in_time() {
    let dns = Dns::start([("silent.example", Zone::Silent)]);
    let checker = Checker::new(Some(dns.address), TIMEOUT);
    let begun = Instant::now();
    assert_eq!(run(checker.verdict("silent.example")), Verdict::Unknown);
    assert!(
        begun.elapsed() >= TIMEOUT && begun.elapsed() < TIMEOUT * 4,
        "{:?}",
        begun.elapsed()
    );
    // Nobody at all.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let checker = Checker::new(Some(nobody), TIMEOUT);
    assert_eq!(run(checker.verdict("mx.example")), Verdict::Unknown);
}

#[test]
fn the_systems_settings_are_read_or_everything_is_unknown() {
    let checker = Checker::new(None, TIMEOUT);
    assert_eq!(
        run(checker.verdict("a.invalid")),
        if checker.resolver.is_some() {
            Verdict::Invalid
        } else {
            Verdict::Unknown
        }
    );
}
