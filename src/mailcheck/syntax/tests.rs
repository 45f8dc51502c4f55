use super::*;

#[test]
fn addresses_and_their_domains() {
    for (email, expected) in [
        ("a@b.co", "b.co"),
        ("  anna@example.com\n", "example.com"),
        ("Anna.Berg+news@Example.COM", "example.com"),
        ("o'hara@example.com", "example.com"),
        ("!#$%&'*+-/=?^_`{|}~@example.com", "example.com"),
        ("\"a b\"@example.com", "example.com"),
        ("\"a@b\"@example.com", "example.com"),
        ("\"a\\\"b\"@example.com", "example.com"),
        ("1@1.example", "1.example"),
        ("a@a-b.c-d.example", "a-b.c-d.example"),
        ("a@123.example", "123.example"),
        ("a@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("anna@bücher.example", "xn--bcher-kva.example"),
        ("anna@BÜCHER.example", "xn--bcher-kva.example"),
        ("анна@почта.рф", "xn--80a1acny.xn--p1ai"),
        ("用户@例子.广告", "xn--fsqu00a.xn--4rr70v"),
        ("a@ｅxample.com", "example.com"),
        ("a@example.museum", "example.museum"),
        ("a@sub.sub.sub.example.com", "sub.sub.sub.example.com"),
    ] {
        assert_eq!(domain(email).as_deref(), Some(expected), "{email}");
    }
}

#[test]
fn texts_that_are_no_addresses() {
    for email in [
        "",
        " ",
        "@",
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a@localhost",
        "a@@b.co",
        "a@b@c.co",
        "a b@c.co",
        "a@b c.co",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.co",
        "a@.b.co",
        "a@b.co.",
        "a@b..co",
        "a@-b.co",
        "a@b-.co",
        "a@b.-co",
        "a@b_c.co",
        "a@b!c.co",
        "a@b%2eco",
        "a@ex%61mple.com",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.1.1",
        "a@0x7f.1",
        "a@１２７.０.０.１",
        "a@example.123",
        "<a@b.co>",
        "Anna <a@b.co>",
        " <a@b.co>",
        "a <a@b.co>",
        "a@b.co>",
        "a@b.co,c@d.co",
        "a@b.co;c@d.co",
        "mailto:a@b.co?x",
        "a(comment)@b.co",
        "a@b.co (comment)",
        "\"\"@b.co",
        "\"a@b.co",
        "a\"b@c.co",
        "\"a\"b@c.co",
        "a\\b@c.co",
        "a\0@b.co",
        "a@b.co\0",
        "a\r\nb@c.co",
        "a@b.co\r\nBcc: c@d.co",
        "a\u{7f}@b.co",
        "a@b\u{200b}.co/",
        "a@xn--a.example",
        "a:b@c.co",
        "a,b@c.co",
        "a@b/c.co",
        "a@b#c.co",
        "a@b?c.co",
    ] {
        assert_eq!(domain(email), None, "{email:?}");
    }
}

#[test]
fn lengths() {
    let local = |length: usize| format!("{}@example.com", "a".repeat(length));
    assert!(domain(&local(64)).is_some() && domain(&local(65)).is_none());
    let label = |length: usize| format!("a@{}.com", "b".repeat(length));
    assert!(domain(&label(63)).is_some() && domain(&label(64)).is_none());
    let long = |length: usize| {
        let labels = format!("{0}.{0}.{0}.", "b".repeat(63));
        format!("a@{labels}{}", "c".repeat(length - 2 - labels.len()))
    };
    assert_eq!(long(254).len(), 254);
    assert!(domain(&long(254)).is_some() && domain(&long(255)).is_none());
    // 21 letters become more than 63 bytes when they are written in ASCII.
    assert_eq!(domain(&format!("a@{}.com", "ж中é".repeat(12))), None);
}
