//! What a request asks for beside its body: path, parameters, key.

use crate::loyalty::once::Once;
use crate::text;
use crate::wire::{self, Head};

/// The header with the caller's key, as errors name it.
pub const KEY: &str = "Idempotency-Key";

/// The parameter that stores nothing.
const DRY_RUN: &str = "dry_run";

/// Where a path leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// `/api/v4/sales`
    Sales,
    /// Anything else below `/api/v4`.
    Unknown,
}

/// Where a path leads; `None` if it is none of ours. One slash may stand at its end.
pub fn route(path: &str) -> Option<Route> {
    let rest = path.strip_prefix("/api/v4")?;
    match rest.strip_suffix('/').unwrap_or(rest) {
        "/sales" => Some(Route::Sales),
        _ if rest.is_empty() || rest.starts_with('/') => Some(Route::Unknown),
        _ => None,
    }
}

/// How a request is to be treated.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wishes {
    /// Whether nothing is to be stored.
    pub dry_run: bool,
    /// What its caller calls it.
    pub key: Option<String>,
}

/// Reads `dry_run` and the key. Other parameters are ignored, unless they nearly spell `dry_run`: whoever sends such a
/// one believes that nothing is stored.
///
/// # Errors
/// What is wrong with one of them, as a sentence.
pub fn wishes(head: &Head<'_>) -> Result<Wishes, String> {
    let mut wishes = Wishes::default();
    if let Some(key) = head.idempotency_key {
        let key = std::str::from_utf8(key)
            .ok()
            .filter(|key| Once::is_key(key));
        let Some(key) = key else {
            return Err(format!(
                "The header {KEY} must be 1 to 255 printable characters of ASCII"
            ));
        };
        wishes.key = Some(key.to_owned());
    }
    for (name, value) in wire::pairs(head.query) {
        let normal = text::normalised(&name);
        if normal == DRY_RUN {
            wishes.dry_run = text::flag(&value).ok_or_else(|| {
                let shown = text::shown(&value);
                format!("The parameter {DRY_RUN} has the value \"{shown}\". Send true or false.")
            })?;
        } else if text::nearly(&normal, DRY_RUN) {
            let shown = text::shown(&name);
            return Err(format!(
                "The parameter \"{shown}\" nearly spells {DRY_RUN}. Send {DRY_RUN}=true or leave it out."
            ));
        }
    }
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_leads_in() {
        for path in ["/api/v4/sales", "/api/v4/sales/"] {
            assert_eq!(route(path), Some(Route::Sales), "{path}");
        }
        for path in [
            "/api/v4",
            "/api/v4/",
            "/api/v4/sale",
            "/api/v4/sales//",
            "/api/v4/sales/5",
            "/api/v4/Sales",
            "/api/v4//sales",
            "/api/v4/consumers",
        ] {
            assert_eq!(route(path), Some(Route::Unknown), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/v45",
            "/api/v4sales",
            "/v4/sales",
            "/API/v4/sales",
        ] {
            assert_eq!(route(path), None, "{path}");
        }
    }

    fn with(query: &str, key: Option<&[u8]>) -> Result<Wishes, String> {
        wishes(&Head {
            method: "POST",
            path: "/api/v4/sales",
            query,
            authorization: None,
            content_type: None,
            idempotency_key: key,
        })
    }

    #[test]
    fn flags_have_eleven_spellings() {
        for query in [
            "dry_run=true",
            "dry_run=YES",
            "dry_run=y",
            "dry_run=1",
            "dry_run=On",
            "DRY-RUN=1",
            "a=b&dry_run=no&dry_run=yes",
        ] {
            assert!(with(query, None).unwrap().dry_run, "{query}");
        }
        for query in [
            "",
            "dry_run",
            "dry_run=",
            "dry_run=false",
            "dry_run=N",
            "dry_run=0",
            "dry_run=off",
            "dry_run=no",
            "run=true",
            "dry_run=yes&dry_run=no",
        ] {
            assert!(!with(query, None).unwrap().dry_run, "{query}");
        }
        for query in ["dry_run=maybe", "dry_run=2", "dryrun=true", "dry_runs=1"] {
            assert!(
                with(query, None).unwrap_err().contains("dry_run"),
                "{query}"
            );
        }
    }

    #[test]
    fn keys_are_short_and_printable() {
        assert_eq!(with("", None).unwrap().key, None);
        assert_eq!(
            with("", Some(b"order 7")).unwrap().key.as_deref(),
            Some("order 7")
        );
        for bad in [&b""[..], b"caf\xc3\xa9", b"\xff", &[b'k'; 256]] {
            assert!(with("", Some(bad)).unwrap_err().contains(KEY));
        }
    }
}
