//! Who calls: the header `Authorization: Token token=SECRET`.
//!
//! Belongs here: finding the secret in the header and comparing it. Does not belong here: what a caller may do, which is
//! everything of its account.

use super::Service;
use crate::loyalty::account::Account;
use crate::secrets::{self, account_context};
use std::sync::Arc;

/// What the dummy is sealed for.
pub const DUMMY: &str = "no account";

/// The account, if the header has its secret. A wrong secret, an account without one and an account that is not known
/// take the same work.
pub fn check(service: &Service, account_id: &str, header: Option<&[u8]>) -> Option<Arc<Account>> {
    let shown = header.and_then(token).unwrap_or_default();
    let account = service.directory.by_id(account_id);
    let sealed = account
        .as_ref()
        .and_then(|account| account.sealed_secret.as_deref());
    let known = sealed.is_some();
    let opened = match sealed {
        Some(sealed) => service.key.open(sealed, &account_context(account_id)),
        None => service.key.open(&service.dummy, DUMMY),
    };
    if known && opened.is_err() {
        tracing::error!(
            account = account_id,
            "the account's secret cannot be opened"
        );
    }
    let readable = opened.is_ok();
    let secret = opened.unwrap_or_default();
    // Digests have one length, so that the time says nothing about the secret's either.
    let equal = secrets::same(&service.key.digest(shown), &service.key.digest(&secret));
    // `serve` has looked for samples at its start; this holds for those that came later.
    let sample = !service.take_samples && secrets::is_sample(shown);
    account.filter(|_| known && readable && equal && !sample && !shown.is_empty())
}

/// The parameter `token` of the scheme `Token`: the first of its name, in quotes or not. Parameters are separated by
/// commas, semicolons or tabs.
fn token(header: &[u8]) -> Option<&[u8]> {
    let header = header.trim_ascii();
    let (scheme, parameters) = header.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case(b"token") || !parameters.first()?.is_ascii_whitespace() {
        return None;
    }
    parameters
        .split(|byte| matches!(byte, b',' | b';' | b'\t'))
        .find_map(|parameter| {
            let at = parameter.iter().position(|byte| *byte == b'=')?;
            let (name, value) = parameter.split_at_checked(at)?;
            let value = value.strip_prefix(b"=")?.trim_ascii();
            let bare = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""))
                .unwrap_or(value);
            (name.trim_ascii() == b"token").then_some(bare)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_all_its_spellings() {
        for header in [
            "Token token=s3cret",
            "token token=s3cret",
            "TOKEN   token=s3cret  ",
            "Token token=\"s3cret\"",
            "Token token=\"s3cret\", nonce=\"def\"",
            "Token nonce=\"def\", token=\"s3cret\"",
            "Token nonce=def;token=s3cret",
            "Token nonce=def\ttoken=s3cret",
            "Token\ttoken=s3cret",
            "Token ,,token = s3cret",
            "Token token=s3cret,token=other",
        ] {
            assert_eq!(token(header.as_bytes()), Some(&b"s3cret"[..]), "{header}");
        }
        assert_eq!(token(b"Token token=a=b=="), Some(&b"a=b=="[..]));
        assert_eq!(token(b"Token token="), Some(&b""[..]));
        assert_eq!(token(b"Token token=\"a"), Some(&b"\"a"[..]));
        assert_eq!(token(b"Token token=\xff"), Some(&b"\xff"[..]));
    }

    #[test]
    fn other_headers_have_none() {
        for header in [
            "",
            "Token",
            "Token ",
            "Token s3cret",
            "Tokens token=s3cret",
            "Tokentoken=s3cret",
            "Bearer s3cret",
            "Bearer token=s3cret",
            "Basic dG9rZW46czNjcmV0",
            "token=s3cret",
            "Token tokens=s3cret",
            "Token TOKEN=s3cret",
        ] {
            assert_eq!(token(header.as_bytes()), None, "{header}");
        }
    }
}
