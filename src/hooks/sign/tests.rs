use super::*;

const TOKEN: &str = "Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0Zz0aB";
const ID: &str = "evt_1_1_0011223344556677";
const AT: i64 = 1_700_000_000;

/// Secret, then both signatures as Python's hmac module computes them.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "336f467c1b9e0940dcd1ec846b4685f109811747984f797c87262220568e39e7",
        "v1,9W/RlQ+HFoBZ4WmYAEDvIFlz7aj/AwztOL/x7/xsJ/Y=",
    ),
    (
        "",
        "281a1e745da3e0c7b229cebba4f332ef9ef02f241a54ab8fcbd5ecd132776ebb",
        "v1,5PJas0xpvJDACboIJQ1DDhIyx2TTyKUCRJscVixFcZU=",
    ),
    // Longer than a block of SHA-256: the key is hashed first.
    (
        "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        "11b6bdace6d8cec5e4cc9fcb64822107ac07cd7d4c81529b614693e34606caf3",
        "v1,/kA4/9hX1Y3wlco4Y7WEEJUDqmIcvj8KOIr4jZIxQCQ=",
    ),
    (
        "schlüssel",
        "51d4475785b9a78e83dcd1e8c8ea0ab9aaea4670f54f5a3bdb14b97a88314969",
        "v1,KeGPv1TkpGqmayr1xcUj1duQyhQQc9CDu5UheVdMp+Q=",
    ),
];

#[test]
fn known_vectors() {
    let body = "{\"a\":\"ü\"}".as_bytes();
    for (secret, by_vendor, by_standard) in KNOWN {
        assert_eq!(vendor(secret.as_bytes(), AT, TOKEN), *by_vendor, "{secret}");
        assert_eq!(
            standard(secret.as_bytes(), ID, AT, body),
            *by_standard,
            "{secret}"
        );
    }
    assert_eq!(
        vendor(b"key", 0, ""),
        "089c386a9149b5cce5972bfe0f05c8d6e92de22e902457b3a23a69a79f85fa97"
    );
    assert_eq!(
        vendor(b"key", -1, "x"),
        "16c00d0ec1cf9aa3c45924e9636e314836c339a28cb1580ad56b1db11a629dc7"
    );
    assert_eq!(
        standard(b"key", "", 0, b""),
        "v1,LBHEhfh14wb2zMm4n7Nh77adi+j1HGUY6vO+oOZtzyc="
    );
}

#[test]
fn a_library_for_standard_webhooks_makes_the_same() {
    let secret = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
    let library =
        standardwebhooks::Webhook::new(&format!("whsec_{}", STANDARD.encode(secret))).unwrap();
    for body in ["", "{}", "{\"a\":\"ü\"}", &"x".repeat(100_000)] {
        assert_eq!(
            standard(secret.as_bytes(), ID, AT, body.as_bytes()),
            library.sign(ID, AT, body.as_bytes()).unwrap()
        );
    }
}

#[test]
fn the_headers_carry_what_was_signed() {
    let [authorization, id, timestamp, signature] = headers(b"key", ID, AT, TOKEN, b"{}");
    assert_eq!(authorization, ("Authorization", vendor(b"key", AT, TOKEN)));
    assert_eq!(id, ("webhook-id", ID.to_owned()));
    assert_eq!(timestamp, ("webhook-timestamp", "1700000000".to_owned()));
    assert_eq!(
        signature,
        ("webhook-signature", standard(b"key", ID, AT, b"{}"))
    );
}

#[test]
fn every_part_counts() {
    let (of_vendor, of_standard) = (vendor(b"key", AT, TOKEN), standard(b"key", ID, AT, b"{}"));
    assert_ne!(of_vendor, vendor(b"kez", AT, TOKEN));
    assert_ne!(of_vendor, vendor(b"key", AT + 1, TOKEN));
    assert_ne!(of_vendor, vendor(b"key", AT, "a"));
    assert_ne!(of_standard, standard(b"kez", ID, AT, b"{}"));
    assert_ne!(
        of_standard,
        standard(b"key", "evt_1_1_0011223344556678", AT, b"{}")
    );
    assert_ne!(of_standard, standard(b"key", ID, AT - 1, b"{}"));
    assert_ne!(of_standard, standard(b"key", ID, AT, b"{} "));
}

#[test]
fn tokens_are_fifty_letters_and_digits_and_never_the_same() {
    let tokens: Vec<String> = (0..2_000).map(|_| token().unwrap()).collect();
    let mut seen = [0_u32; 128];
    for token in &tokens {
        assert_eq!(token.len(), TOKEN_LENGTH);
        assert!(
            token.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{token}"
        );
        for byte in token.bytes() {
            seen[usize::from(byte)] += 1;
        }
    }
    // 100,000 draws of 62: 1,613 of each, and 300 off is seven standard deviations.
    for letter in ALPHABET {
        let count = seen[usize::from(*letter)];
        assert!(
            (1_313..1_913).contains(&count),
            "{}: {count}",
            char::from(*letter)
        );
    }
    let distinct: std::collections::HashSet<&String> = tokens.iter().collect();
    assert_eq!(distinct.len(), tokens.len());
}
