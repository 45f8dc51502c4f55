//! Paths of `sync_data`.
//!
//! The vendor's documents and its clients disagree on what stands in front of `/account`, so four spellings are taken.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What may stand in front of `/account`, the longer ones first.
const PREFIXES: [&str; 4] = ["/api/v2", "/api", "/v2", ""];

/// Where a path leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route<'a> {
    /// `/openapi.json`
    Description,
    /// `/account/ACCOUNT/sync_data`
    Jobs {
        /// The account's id, without its escapes.
        account: Cow<'a, str>,
    },
    /// `/account/ACCOUNT/sync_data/JOB`
    Job {
        /// The account's id, without its escapes.
        account: Cow<'a, str>,
        /// The job's id, as it stands.
        job: &'a str,
    },
    /// Anything else below `/account`.
    Unknown,
}

/// Where a path leads; `None` if it is none of ours. One slash may stand at its end.
pub fn find(path: &str) -> Option<Route<'_>> {
    if path == "/openapi.json" {
        return Some(Route::Description);
    }
    let rest = PREFIXES
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix)?.strip_prefix("/account"))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut pieces = rest.strip_suffix('/').unwrap_or(rest).split('/').skip(1);
    let account = pieces.next().filter(|account| !account.is_empty());
    let (Some(account), Some("sync_data")) = (account, pieces.next()) else {
        return Some(Route::Unknown);
    };
    let account = percent_decode_str(account).decode_utf8_lossy();
    Some(match (pieces.next(), pieces.next()) {
        (None, _) => Route::Jobs { account },
        (Some(job), None) if !job.is_empty() => Route::Job { account, job },
        _ => Route::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_spellings_lead_to_one_place() {
        for prefix in ["", "/v2", "/api", "/api/v2"] {
            let jobs = Route::Jobs {
                account: Cow::Borrowed("a"),
            };
            let job = Route::Job {
                account: Cow::Borrowed("a"),
                job: "7",
            };
            for (path, route) in [
                ("/account/a/sync_data", &jobs),
                ("/account/a/sync_data/", &jobs),
                ("/account/a/sync_data/7", &job),
                ("/account/a/sync_data/7/", &job),
            ] {
                assert_eq!(
                    find(&format!("{prefix}{path}")).as_ref(),
                    Some(route),
                    "{path}"
                );
            }
            for path in [
                "/account",
                "/account/",
                "/account/a",
                "/account/a/",
                "/account//sync_data",
                "/account/a//sync_data",
                "/account/a/sync_data//",
                "/account/a/sync_data/7//",
                "/account/a/sync_data/7/8",
                "/account/a/sync_datas",
                "/account/a/SYNC_DATA",
                "/account/a/contact",
            ] {
                assert_eq!(
                    find(&format!("{prefix}{path}")),
                    Some(Route::Unknown),
                    "{path}"
                );
            }
        }
        assert_eq!(find("/openapi.json"), Some(Route::Description));
    }

    #[test]
    fn escapes_in_an_account_are_undone() {
        for (path, account) in [
            ("/account/a%20b/sync_data", "a b"),
            ("/account/a%2Fb/sync_data", "a/b"),
            ("/account/caf%C3%A9/sync_data", "caf\u{e9}"),
            ("/account/%FF/sync_data", "\u{fffd}"),
            ("/account/100%/sync_data", "100%"),
            ("/account/a+b/sync_data", "a+b"),
        ] {
            let account = Cow::Borrowed(account);
            assert_eq!(find(path), Some(Route::Jobs { account }));
        }
    }

    #[test]
    fn other_paths_are_not_ours() {
        for path in [
            "/",
            "/accounts/a/sync_data",
            "/v1/account/a/sync_data",
            "/v2/api/account/a/sync_data",
            "/api/api/account/a/sync_data",
            "/Account/a/sync_data",
            "account/a/sync_data",
            "/openapi.json/",
            "/api/openapi.json",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
