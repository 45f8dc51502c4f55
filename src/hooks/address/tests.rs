use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// The last address before each range, its first, its last, and the first one behind it. A dash: the neighbour is
/// refused for another reason, or there is none.
const EDGES: &[[&str; 4]] = &[
    ["-", "0.0.0.0", "0.255.255.255", "1.0.0.0"],
    ["9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
    [
        "100.63.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "100.128.0.0",
    ],
    [
        "126.255.255.255",
        "127.0.0.0",
        "127.255.255.255",
        "128.0.0.0",
    ],
    [
        "169.253.255.255",
        "169.254.0.0",
        "169.254.255.255",
        "169.255.0.0",
    ],
    [
        "172.15.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "172.32.0.0",
    ],
    ["191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"],
    ["192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"],
    [
        "192.88.98.255",
        "192.88.99.0",
        "192.88.99.255",
        "192.88.100.0",
    ],
    [
        "192.167.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "192.169.0.0",
    ],
    [
        "198.17.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.20.0.0",
    ],
    [
        "198.51.99.255",
        "198.51.100.0",
        "198.51.100.255",
        "198.51.101.0",
    ],
    [
        "203.0.112.255",
        "203.0.113.0",
        "203.0.113.255",
        "203.0.114.0",
    ],
    ["223.255.255.255", "224.0.0.0", "239.255.255.255", "-"],
    ["-", "240.0.0.0", "255.255.255.255", "-"],
    [
        "-",
        "::",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2000::",
    ],
    [
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
    ],
    [
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
    ],
    [
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2002::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
    ],
    [
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
    ],
    [
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "4000::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "-",
    ],
];

#[test]
fn ranges_begin_and_end_where_the_table_says() {
    for [before, first, last, behind] in EDGES {
        for inside in [first, last] {
            assert!(refused(ip(inside)).is_some(), "{inside} is public?");
        }
        for outside in [before, behind].into_iter().filter(|text| **text != "-") {
            assert_eq!(refused(ip(outside)), None, "{outside} is refused?");
        }
    }
}

#[test]
fn each_kind_has_its_word() {
    for (address, word) in [
        ("0.0.0.0", "this network"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "behind a provider"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("172.20.0.1", "private"),
        ("192.0.0.8", "reserved for protocols"),
        ("192.0.2.1", "for documentation"),
        ("192.88.99.1", "6to4 relays"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "for benchmarks"),
        ("198.51.100.1", "for documentation"),
        ("203.0.113.1", "for documentation"),
        ("224.0.0.251", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "IPv4 inside of IPv6"),
        ("::127.0.0.1", "IPv4 inside of IPv6"),
        ("::ffff:127.0.0.1", "IPv4 inside of IPv6"),
        ("::ffff:8.8.8.8", "IPv4 inside of IPv6"),
        ("64:ff9b::7f00:1", "IPv4 inside of IPv6"),
        ("64:ff9b:1::1", "IPv4 inside of IPv6"),
        ("64:ff9b:2::1", "not handed out"),
        ("100::1", "not handed out"),
        ("2001::1", "reserved for protocols"),
        ("2001:20::1", "reserved for protocols"),
        ("2001:db8::1", "for documentation"),
        ("2002:7f00:1::", "IPv4 inside of IPv6"),
        ("3fff::1", "for documentation"),
        ("5f00::1", "not handed out"),
        ("fc00::1", "private"),
        ("fdff::1", "private"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "not handed out"),
        ("ff02::1", "multicast"),
    ] {
        assert_eq!(refused(ip(address)), Some(word), "{address}");
    }
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "192.0.1.1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
    ] {
        assert_eq!(refused(ip(public)), None, "{public}");
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    assert_eq!("".parse(), Ok(Allow::default()));
    assert_eq!("  ".parse(), Ok(Allow::default()));
    assert!(!permitted(&Allow::default(), ip("127.0.0.1")));
    assert!(permitted(&Allow::default(), ip("8.8.8.8")));
}

#[test]
fn the_allow_list_lets_its_ranges_and_nothing_else() {
    let allow: Allow = " 127.0.0.0/8 ,10.1.2.3/32, fd00::/8,::1/128"
        .parse()
        .unwrap();
    for inside in [
        "127.0.0.0",
        "127.255.255.255",
        "10.1.2.3",
        "fd00::1",
        "fdff::1",
        "::1",
    ] {
        assert!(permitted(&allow, ip(inside)), "{inside}");
    }
    for outside in [
        "10.1.2.2",
        "10.1.2.4",
        "fc00::1",
        "::",
        "::2",
        "192.168.0.1",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ] {
        assert!(!permitted(&allow, ip(outside)), "{outside}");
    }
    assert_eq!(
        allow.to_string(),
        "127.0.0.0/8,10.1.2.3/32,fd00::/8,::1/128"
    );
    assert_eq!(allow.to_string().parse(), Ok(allow));
}

#[test]
fn a_whole_family_can_be_allowed_but_not_the_other_in_its_clothes() {
    let v4: Allow = "0.0.0.0/0".parse().unwrap();
    assert!(permitted(&v4, ip("10.0.0.1")) && permitted(&v4, ip("255.255.255.255")));
    assert!(!permitted(&v4, ip("::1")) && !permitted(&v4, ip("::ffff:10.0.0.1")));
    let v6: Allow = "::/0".parse().unwrap();
    assert!(permitted(&v6, ip("fe80::1")) && !permitted(&v6, ip("10.0.0.1")));
}

#[test]
fn lists_that_are_not_right_are_refused() {
    for wrong in [
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.1/8",
        "fd00::1/8",
        "10.0.0/8",
        "10/8",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "localhost",
        "10.0.0.0/8,",
        ",",
        "10.0.0.0/8;fd00::/8",
        "10.0.0.0/8 fd00::/8",
        "[::1]",
        "127.0.0.1",
        "::1",
        "010.0.0.0/8",
        "0x7f.0.0.1",
        "10.0.0.0/99999999999",
        "1.2.3.4/0",
    ] {
        assert!(wrong.parse::<Allow>().is_err(), "{wrong}");
    }
    assert!("0.0.0.0/0".parse::<Allow>().is_ok());
}
