//! From the bytes of a body to items, and the beginning of the echo of each.
//!
//! Belongs here: what refuses a request as a whole. What is wrong with one item is the item's own.

use crate::error::Problem;
use crate::json::{self, Scalar};
use crate::loyalty::sales::read::{self, Item, RESPONSE, Terms};
use sha2::{Digest, Sha256};

/// The most items of a request.
pub const ITEMS_MAX: usize = 1000;

/// A request that can be posted.
#[derive(Debug)]
pub struct Request {
    /// What it says, item by item.
    pub items: Vec<Item>,
    /// What is told of each beside its outcome.
    pub echoes: Vec<Echo>,
    /// Whether it is one item without a list around it.
    pub alone: bool,
    /// A digest of what it means, where that was asked for.
    pub print: Option<[u8; 32]>,
}

/// What an item is told back by, whatever becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Echo {
    /// The item as it was sent, open at its end: `{"value":2200,`.
    pub open: String,
    /// `match_key.id`, if it was given.
    pub id: Option<Box<str>>,
    /// Why it is invalid, if it is.
    pub reason: Option<String>,
}

/// Why nothing is posted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The body is wrong: the status, and why.
    Body(u16, String),
    /// Another reason.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused::Problem(problem)
    }
}

/// Reads a body. `printed` says whether the digest of what it means is wanted.
///
/// # Errors
/// [`Refused`]: nothing is to be posted.
pub fn read(bytes: &[u8], terms: &Terms<'_>, printed: bool) -> Result<Request, Refused> {
    let refuse = |status, why: String| Refused::Body(status, why);
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if content.trim_ascii().is_empty() {
        return Err(refuse(400, "the body is empty".to_owned()));
    }
    let text = json::check(bytes).map_err(|bad| refuse(400, bad.to_string()))?;
    let alone = matches!(json::scalar(text), Scalar::Object);
    let raws = match json::list(text) {
        Some(list) => list,
        None if alone => vec![text.trim_ascii()],
        None => {
            let why = "the body is neither a list of sales nor one sale";
            return Err(refuse(422, why.to_owned()));
        }
    };
    if raws.len() > ITEMS_MAX {
        let why = format!("the body has more than {ITEMS_MAX} sales");
        return Err(refuse(413, why));
    }
    let items: Vec<Item> = raws.iter().map(|raw| Item::read(raw, terms)).collect();
    Ok(Request {
        echoes: items.iter().map(Echo::of).collect(),
        items,
        alone,
        print: printed.then(|| print(&raws)),
    })
}

impl Echo {
    /// The echo of an item.
    pub fn of(item: &Item) -> Echo {
        let mut open = String::with_capacity(item.raw.len().saturating_add(1));
        open.push('{');
        for member in json::members(&item.raw).unwrap_or_default() {
            // Ours stands there.
            if member.name != RESPONSE {
                open.push_str(member.written);
                open.push(':');
                open.push_str(member.value);
                open.push(',');
            }
        }
        let problem = item.read.as_ref().err();
        Echo {
            open,
            id: item.id.clone(),
            reason: problem.map(Problem::message),
        }
    }
}

/// A digest of what items mean: equal however their members are ordered and their texts are escaped, in a list or
/// without one.
fn print(raws: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for raw in raws {
        read::canonical(raw, &mut |bytes| hash.update(bytes));
        hash.update("|");
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(raw: &str) -> Item {
        let terms = Terms {
            brand: 1,
            currency: "EUR",
            zone: chrono_tz::UTC,
            country: None,
        };
        Item::read(raw, &terms)
    }

    #[test]
    fn an_echo_has_the_own_bytes_of_the_item() {
        for (raw, open) in [
            ("{}", "{"),
            ("{ }", "{"),
            (
                "{ \"value\" : 2200.50 ,\n\"x\\u00e9\":1e5,\"y\":[ 1 ] }",
                "{\"value\":2200.50,\"x\\u00e9\":1e5,\"y\":[ 1 ],",
            ),
            (
                "{\"a\":1,\"response\":{\"status\":\"x\"},\"b\":2}",
                "{\"a\":1,\"b\":2,",
            ),
            ("{\"respons\\u0065\":1}", "{"),
            ("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2,"),
            ("7", "{"),
            ("\"text\"", "{"),
            ("[{\"a\":1}]", "{"),
            ("null", "{"),
        ] {
            assert_eq!(Echo::of(&item(raw)).open, open, "{raw}");
        }
    }

    #[test]
    fn a_print_is_of_what_is_meant() {
        let base = print(&["{\"match_key\":{\"id\":1,\"email\":\"a\"},\"value\":2,\"x\":1}"]);
        for same in [
            "{\"value\":2,\"match_key\":{\"email\":\"\\u0061\",\"id\":1}}",
            "{ \"match_key\" : { \"id\" : 1 , \"email\" : \"a\" } , \"value\" : 2  , \"response\":{} }",
        ] {
            assert_eq!(print(&[same]), base, "{same}");
        }
        for other in [
            "{\"match_key\":{\"id\":1,\"email\":\"a\"},\"value\":2.0}",
            "{\"match_key\":{\"id\":1,\"email\":\"a\"},\"value\":\"2\"}",
            "{\"match_key\":{\"id\":1,\"email\":\"a\"},\"order_id\":2}",
            "{\"match_key\":{\"id\":1},\"value\":2}",
            "{}",
            "null",
        ] {
            assert_ne!(print(&[other]), base, "{other}");
        }
        assert_ne!(print(&["1", "2"]), print(&["2", "1"]));
        assert_ne!(print(&["{}"]), print(&["{}", "{}"]));
    }
}
