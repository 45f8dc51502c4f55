//! Who calls: the header `Authorization: Bearer TOKEN`.
//!
//! Belongs here: finding the token in the header and comparing it. Does not belong here: what a caller may do, which is
//! everything that its brand may.

use super::{Caller, Service};
use crate::secrets;

/// The brand whose token the header has. It is looked up by the digest of the token, which says nothing about others.
pub fn check(service: &Service, header: Option<&[u8]>) -> Option<Caller> {
    let shown = header.and_then(token).unwrap_or_default();
    let token = service.key.digest(shown);
    let (account, brand) = service.directory.by_token(&token)?;
    // `serve` has looked for samples at its start; this holds for those that came later.
    let sample = !service.take_samples && secrets::is_sample(shown);
    let known = &account.brand(brand)?.token;
    let right = secrets::same(&token, known) && !sample && !shown.is_empty();
    right.then_some(Caller {
        account,
        brand,
        token,
    })
}

/// What stands behind the scheme `Bearer`.
fn token(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.trim_ascii().split_at_checked(6)?;
    let right = scheme.eq_ignore_ascii_case(b"bearer") && rest.first()?.is_ascii_whitespace();
    right.then(|| rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stands_behind_its_scheme() {
        for header in [
            "Bearer s3cret",
            "bearer s3cret",
            "BEARER   s3cret  ",
            " Bearer\ts3cret",
        ] {
            assert_eq!(token(header.as_bytes()), Some(&b"s3cret"[..]), "{header}");
        }
        assert_eq!(token(b"Bearer a b"), Some(&b"a b"[..]));
        assert_eq!(token(b"Bearer \xff"), Some(&b"\xff"[..]));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Bearers s3cret",
            "Bearer=s3cret",
            "Bearers3cret",
            "Token s3cret",
            "Token token=s3cret",
            "Basic dG9rZW46czNjcmV0",
            "s3cret",
        ] {
            assert_eq!(token(header.as_bytes()), None, "{header}");
        }
    }
}
