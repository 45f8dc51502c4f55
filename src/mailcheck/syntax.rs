//! The syntax of an e-mail address.
//!
//! Belongs here: whether a text is an address, and its domain. Does not belong here: lengths that a field has whatever
//! it is for, and keys by which customers are found (`crate::loyalty::contacts`).
//!
//! What is taken is an address as RFC 5321 and RFC 6531 have it, with a domain of two labels or more: letters of all
//! languages, quoted local parts. Not taken: comments, display names, address literals such as `[127.0.0.1]`, and
//! domains that are numbers.

use email_address::{EmailAddress, Options};
use url::Host;

/// Bytes that an address may have (RFC 5321, with the correction of RFC 3696).
const MAX_ADDRESS: usize = 254;
/// Bytes of a domain name without its last dot.
const MAX_DOMAIN: usize = 253;
/// Bytes of one label of it.
const MAX_LABEL: usize = 63;

/// The domain of an address in ASCII and lower case, as name servers know it; `None` when the text is not an address.
/// Blanks around it do not count.
pub fn domain(email: &str) -> Option<String> {
    let email = email.trim();
    if email.len() > MAX_ADDRESS {
        return None;
    }
    let options = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    EmailAddress::parse_with_options(email, options).ok()?;
    let (_, domain) = email.rsplit_once('@')?;
    // A host of a URL may be written with percent signs; a domain of mail may not.
    if domain.contains('%') {
        return None;
    }
    match Host::parse(domain).ok()? {
        Host::Domain(ascii) => is_name(&ascii).then_some(ascii),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Whether a domain in ASCII has labels as hosts have them.
fn is_name(domain: &str) -> bool {
    domain.len() <= MAX_DOMAIN
        && domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=MAX_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests;
