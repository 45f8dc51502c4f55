//! What commands print, and how they name things.

use super::Fail;
use crate::dates::Day;
use crate::store::{Db, rejections};

/// The number of the account with this id.
pub fn account_number(db: &mut Db, account_id: &str) -> Result<i32, Fail> {
    rejections::account_number(db, account_id)?.ok_or_else(|| {
        Fail::new(format!(
            "there is no account \"{}\": give its id as in the world file",
            escaped(account_id)
        ))
    })
}

/// A stored day for a person.
pub fn day(number: i32) -> String {
    Day::from_number(number).map_or_else(|| number.to_string(), Day::iso)
}

/// A count with its noun.
pub fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A stored text for a terminal: control characters escaped, so that what a client sent cannot steer it.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A URL without what may be a secret: its query and its fragment.
pub fn bare_url(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_cannot_steer_the_terminal() {
        assert_eq!(escaped("a\tb\u{1b}[2J\u{e9}"), "a\\tb\\u{1b}[2J\u{e9}");
    }
}
