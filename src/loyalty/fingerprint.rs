//! Fingerprints: by them a line, or a request, that comes again is known.
//!
//! Belongs here: what makes two of them equal. Does not belong here: what follows from it ([`crate::posting`]).

use super::lines::{Lines, Values};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The number and the fingerprint of each line: a digest of its values as sent, trimmed (an empty date stays empty), and
/// of which one it is among the equal lines of its batch.
pub fn of_lines(lines: &Lines) -> impl Iterator<Item = (u32, [u8; 32])> {
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    lines.list.iter().map(move |line| {
        let values = of_values(&lines.values(line));
        let nth = seen.entry(values).or_insert(0);
        *nth = nth.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(values);
        hash.update(nth.to_be_bytes());
        (line.number, hash.finalize().into())
    })
}

fn of_values(values: &Values<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let code = if values.code.is_empty() {
        values.card
    } else {
        values.code
    };
    let promotions = if values.promotions.is_empty() {
        values.surplus
    } else {
        values.promotions
    };
    for value in [
        values.campaign,
        code,
        values.redeemed,
        values.amount,
        values.date,
        values.authorization,
        values.item,
        promotions,
    ] {
        add(&mut hash, value);
    }
    hash.finalize().into()
}

/// A digest of pairs of name and value, in the order in which they are added.
#[derive(Clone, Default)]
pub struct Pairs(Sha256);

impl Pairs {
    /// Adds a pair.
    pub fn add(&mut self, name: &str, value: &str) {
        add(&mut self.0, name);
        add(&mut self.0, value);
    }

    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Length first, so that no two lists of values run into the same bytes.
fn add(hash: &mut Sha256, value: &str) {
    hash.update(u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(value);
}
