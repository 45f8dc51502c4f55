//! A reply rendered piece by piece, so that a long one is never held whole.
//!
//! Belongs here: how much is rendered at a time. Does not belong here: what a reply says ([`super::reply`]), what it
//! looks like ([`super::render`]), when the next piece is due ([`crate::server`]).

use super::render::{self, Document, Format};
use super::reply::Reply;

/// A piece ends with the first part of the reply that makes it as long as this.
const PIECE_BYTES: usize = 64 * 1024;

/// What is still to be rendered of a reply. Each item is a piece of the document; together they are the whole of it.
pub struct Pieces {
    reply: Reply,
    document: Box<dyn Document>,
    /// The part of the reply that comes next; `None` behind the last one.
    next: Option<usize>,
}

impl Pieces {
    /// All pieces of a reply: for nearly every one there is a single one.
    pub fn of(reply: Reply, format: &Format) -> Pieces {
        Pieces {
            document: render::begin(format, reply.status()),
            reply,
            next: Some(0),
        }
    }

    /// Whether there are any left.
    pub fn are_left(&self) -> bool {
        self.next.is_some()
    }
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut part = self.next?;
        while self.reply.write(part, &mut *self.document) {
            part = part.saturating_add(1);
            let written = self.document.bytes();
            if written.len() >= PIECE_BYTES {
                self.next = Some(part);
                let room = Vec::with_capacity(written.capacity());
                return Some(std::mem::replace(written, room));
            }
        }
        self.next = None;
        self.document.finish();
        Some(std::mem::take(self.document.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::error::{Code, Problem};
    use crate::loyalty::outcome::{LineOutcome, LineResult, Outcome};

    /// A batch of so many lines, each with a warning; every third one refused.
    fn batch(lines: u32) -> Reply {
        let line = |number: u32| LineOutcome {
            number,
            result: if number.is_multiple_of(3) {
                let problem = Problem::new(Code::UnknownCustomer).value("\u{2028}<&>");
                LineResult::Refused(Box::new(problem))
            } else {
                LineResult::Imported {
                    entry: i64::from(number),
                    amount: Amount::from_raw(12_500),
                    formula: None,
                    balance: Amount::from_raw(12_500 * i64::from(number)),
                    digits: 2,
                }
            },
        };
        Reply::Batch(Outcome {
            batch: 1,
            transactions: 1,
            rejected: 1,
            new_customers: 0,
            first_refused: None,
            rejected_whole: false,
            dry_run: false,
            repeated: false,
            lines: Some((1..=lines).map(line).collect()),
            warnings: (1..=lines).map(|number| (number, "Look")).collect(),
        })
    }

    fn formats() -> [Format; 4] {
        [
            Format::Xml,
            Format::Json { condensed: false },
            Format::Json { condensed: true },
            Format::Jsonp {
                callback: "f".to_owned(),
                condensed: false,
            },
        ]
    }

    #[test]
    fn the_pieces_are_the_document() {
        for format in formats() {
            for lines in [0, 1, 2, 700, 5000] {
                let whole = render::render(&format, "success", |sink| {
                    let reply = batch(lines);
                    let mut part = 0;
                    while reply.write(part, sink) {
                        part += 1;
                    }
                });
                let pieces: Vec<Vec<u8>> = Pieces::of(batch(lines), &format).collect();
                assert!(pieces.concat() == whole, "{lines} lines as {format:?}");
                assert_eq!(pieces.len(), whole.len().div_ceil(PIECE_BYTES), "{lines}");
                assert!(pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 1000));
            }
        }
    }

    #[test]
    fn a_short_reply_is_one_piece() {
        for format in formats() {
            let refused = Reply::Refused(Problem::new(Code::NoLines));
            let mut pieces = Pieces::of(refused, &format);
            assert!(pieces.are_left());
            assert!(!pieces.next().unwrap().is_empty());
            assert!(!pieces.are_left());
            assert_eq!(pieces.next(), None);
        }
    }
}
