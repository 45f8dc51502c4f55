//! The URL of a webhook: read as browsers read it, and refused with a sentence where it cannot be one.
//!
//! Belongs here: everything that can be said of a URL without asking anybody. Does not belong here: which addresses
//! are public ([`super::address`]), to which addresses a name belongs ([`super::names`]).
//!
//! The parser is that of the WHATWG URL standard, because it gives an address one meaning however it is spelt:
//! `127.1`, `2130706433`, `0x7f000001`, `0177.0.0.1` and full-width digits all come out as `127.0.0.1`, and only then
//! the address is checked. What is requested later is what was checked: the URL as the parser writes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::address::{self, Allow};
use crate::text;

/// Characters that a URL may have.
pub const MAX_URL: usize = 2048;

/// The lowest port that needs no privileges. Below it only those of HTTP and HTTPS are taken, so that no webhook talks
/// to a mail or a name server.
const FIRST_FREE_PORT: u16 = 1024;

/// Where a webhook goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The URL in its normal form, without a fragment.
    pub url: String,
    /// The host: a name in ASCII letters, digits, dashes, underscores and dots, or an address without brackets.
    pub host: String,
    /// The address, where the host is one.
    pub literal: Option<IpAddr>,
    /// The port, also where the URL leaves it out.
    pub port: u16,
    /// Whether it is HTTPS.
    pub https: bool,
}

impl Target {
    /// Reads a URL. An address in it must be public or in `allow`; a name is not resolved.
    ///
    /// # Errors
    /// What is wrong, as a sentence without the name of the field.
    pub fn read(text: &str, allow: &Allow) -> Result<Target, String> {
        if text.chars().count() > MAX_URL {
            let found = text.chars().count();
            return Err(format!(
                "has more than {MAX_URL} characters: it has {found}"
            ));
        }
        let mut url = Url::parse(text).map_err(|fault| {
            format!("is not a URL ({fault}), send one such as https://example.com/hook")
        })?;
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(format!(
                    "must begin with http:// or https://, not {}:",
                    text::shown(other)
                ));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not have a user name or a password".to_owned());
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if port != 80 && port != 443 && port < FIRST_FREE_PORT {
            return Err(format!(
                "has the port {port}, send 80, 443, or one from {FIRST_FREE_PORT} up"
            ));
        }
        let (host, literal) = match url.host() {
            Some(Host::Domain(name)) => (name_of(name, allow)?, None),
            Some(Host::Ipv4(v4)) => (v4.to_string(), Some(IpAddr::V4(v4))),
            Some(Host::Ipv6(v6)) => (v6.to_string(), Some(IpAddr::V6(v6))),
            None => return Err("has no host".to_owned()),
        };
        if let Some(literal) = literal {
            check(literal, allow)?;
        }
        url.set_fragment(None);
        Ok(Target {
            url: url.into(),
            host,
            literal,
            port,
            https,
        })
    }
}

/// Refuses an address that may not be reached.
///
/// # Errors
/// A sentence that names the address and says what it is.
pub fn check(address: IpAddr, allow: &Allow) -> Result<(), String> {
    match address::refused(address) {
        Some(what) if !allow.contains(address) => Err(format!(
            "leads to {address}, which is not a public address ({what})"
        )),
        _ => Ok(()),
    }
}

/// The name of a host, known to be one.
fn name_of(name: &str, allow: &Allow) -> Result<String, String> {
    // The parser lets through what no name server knows, such as quotes.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        return Err("has a host that is neither a name nor an address".to_owned());
    }
    // RFC 6761: these names are this machine whatever a name server says.
    let bare = name.strip_suffix('.').unwrap_or(name);
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    if (bare == "localhost" || bare.ends_with(".localhost"))
        && !loopback.iter().any(|address| allow.contains(*address))
    {
        return Err(format!(
            "leads to {bare}, which is not a public address (loopback)"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
