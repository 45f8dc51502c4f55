use super::*;

fn read(text: &str) -> Result<Target, String> {
    Target::read(text, &Allow::default())
}

#[test]
fn a_target_has_its_parts() {
    let target = read("HTTPS://Example.COM/a%20b?c=d&e=|^`'{}\"#f").unwrap();
    assert_eq!(target.url, "https://example.com/a%20b?c=d&e=|^`%27{}%22");
    assert_eq!((target.host.as_str(), target.port), ("example.com", 443));
    assert!(target.https && target.literal.is_none());
    let target = read("http://8.8.8.8:8080").unwrap();
    assert_eq!(target.url, "http://8.8.8.8:8080/");
    assert_eq!(target.literal, Some(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))));
    assert_eq!((target.port, target.https), (8080, false));
    let target = read("http://[2606:4700::1111]:80/").unwrap();
    assert_eq!(target.host, "2606:4700::1111");
    assert_eq!(target.url, "http://[2606:4700::1111]/");
    assert_eq!(
        read("https://bücher.example").unwrap().host,
        "xn--bcher-kva.example"
    );
    assert_eq!(read("https://xxxxxx.xxx").unwrap().host, "xxxxxx.xxx");
    assert_eq!(read("http://a_b.example./x").unwrap().host, "a_b.example.");
}

#[test]
fn ports_schemes_and_lengths() {
    for right in [
        "http://a.example:80",
        "http://a.example:443",
        "https://a.example:80",
        "https://a.example:1024",
        "http://a.example:65535",
        "https:a.example",
    ] {
        assert!(read(right).is_ok(), "{right}");
    }
    for wrong in [
        "http://a.example:0",
        "http://a.example:1",
        "http://a.example:22",
        "https://a.example:25",
        "http://a.example:53",
        "http://a.example:81",
        "http://a.example:442",
        "http://a.example:1023",
    ] {
        assert!(
            read(wrong).unwrap_err().starts_with("has the port "),
            "{wrong}"
        );
    }
    for wrong in [
        "ftp://a.example",
        "file:///etc/passwd",
        "gopher://a.example",
        "javascript:alert(1)",
        "ws://a.example",
        "data:text/plain,x",
        "unix:/run/x",
        "httpx://a.example",
    ] {
        let scheme = wrong.split(':').next().unwrap();
        assert_eq!(
            read(wrong).unwrap_err(),
            format!("must begin with http:// or https://, not {scheme}:")
        );
    }
    for wrong in [
        "",
        " ",
        "a.example",
        "/hook",
        "//a.example",
        "http://",
        "http://:80",
        "https://?x",
        "http://a.example:65536",
        "http://a b.example",
        "http://a.example:8o",
        "http://[::1",
        "http://[::1]x",
        "http://1.2.3.256",
        "http://a%00.example",
        "http://a<b.example",
        "http://xn--a.example:99999",
    ] {
        assert!(
            read(wrong).unwrap_err().starts_with("is not a URL"),
            "{wrong}"
        );
    }
    let long = |length: usize| format!("http://a.example/{}", "x".repeat(length - 17));
    assert!(read(&long(2048)).is_ok());
    assert_eq!(
        read(&long(2049)).unwrap_err(),
        "has more than 2048 characters: it has 2049"
    );
    for wrong in [
        "http://a\"b.example",
        "http://a{b}.example",
        "http://a`b.example",
        "http://a;b.example",
        "http://a&b=c.example",
    ] {
        assert_eq!(
            read(wrong).unwrap_err(),
            "has a host that is neither a name nor an address",
            "{wrong}"
        );
    }
}

#[test]
fn nobody_logs_in() {
    for wrong in [
        "http://user@a.example",
        "http://user:pw@a.example",
        "http://:pw@a.example",
        "http://8.8.8.8@127.0.0.1",
        "https://a.example:443@127.0.0.1/",
    ] {
        assert_eq!(
            read(wrong).unwrap_err(),
            "must not have a user name or a password",
            "{wrong}"
        );
    }
    // A sign without a name before it is dropped by the parser; the host is what counts.
    assert!(read("http://@127.0.0.1").is_err());
}

/// Spellings of addresses that only this machine or its network can see.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "0x7f.0.0.0x1",
    "017700000001",
    "127.0.0.1.",
    "127.1.",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "①②⑦.０.０.1",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "lOcAlHoSt",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "10.0.0.1",
    "10.1",
    "0xa000001",
    "167772161",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "3232235521",
    "192.168.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[100::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[4000::1]",
    "[5f00::1]",
    "[3fff::1]",
];

#[test]
fn an_address_inside_is_found_however_it_is_spelt() {
    for host in INSIDE {
        for url in [
            format!("http://{host}/"),
            format!("https://{host}"),
            format!("http://{host}:8080/x"),
            format!("http:\\\\{host}\\x"),
            format!(" http://{host}\t/"),
            format!("ht\ntp://{host}/"),
            format!("http:{host}/"),
        ] {
            let refused = read(&url).unwrap_err();
            assert!(
                refused.contains("is not a public address"),
                "{url}: {refused}"
            );
        }
    }
    // An address of the machine's own interfaces cannot be named at all.
    assert!(read("http://[fe80::1%25eth0]/").is_err() && read("http://[fe80::1%eth0]/").is_err());
}

#[test]
fn the_allow_list_opens_what_it_names() {
    let allow: Allow = "127.0.0.0/8".parse().unwrap();
    for open in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "localhost",
        "127.0.0.1.",
    ] {
        assert!(
            Target::read(&format!("http://{open}:9999/"), &allow).is_ok(),
            "{open}"
        );
    }
    let closed = INSIDE
        .iter()
        .filter(|host| Target::read(&format!("http://{host}/"), &allow).is_err());
    // All but the spellings of 127.0.0.0/8.
    assert_eq!(closed.count(), INSIDE.len() - 20);
    assert!(Target::read("http://127.0.0.1:22/", &allow).is_err());
    let v6: Allow = "::1/128".parse().unwrap();
    assert!(
        Target::read("http://[::1]:9999/", &v6).is_ok()
            && Target::read("http://localhost/", &v6).is_ok()
    );
    assert!(Target::read("http://127.0.0.1/", &v6).is_err());
}
