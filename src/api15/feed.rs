//! Replies that are read while they are sent, so that neither the rows nor the document are ever held whole.
//!
//! Belongs here: how reading, rendering and sending take turns. Does not belong here: what is read and what it looks
//! like (the families in [`super::reply`]), the socket ([`crate::server`]).

use super::render::{self, Document, Format, Sink};
use crate::error::Problem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A piece ends with the first part of the reply that makes it as long as this.
const PIECE_BYTES: usize = 64 * 1024;

/// A part of a feed being written.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<bool, Problem>> + 'a>>;

/// A reply whose list is read while it is sent. Whoever makes one has read its first rows: by then its status is known,
/// and most of what can fail has.
pub trait Feed {
    /// The root's `status`.
    fn status(&self) -> &'static str;

    /// Writes what has been read of what stands below the root, then reads on where anything is left. Tells whether there
    /// is more to write.
    fn write<'a>(&'a mut self, sink: &'a mut dyn Sink) -> Writing<'a>;
}

/// The first piece of a feed as bytes, and what follows it. A problem in the first piece is an ordinary refusal, since
/// nothing was sent yet.
pub async fn begin(
    feed: Box<dyn Feed>,
    format: &Format,
) -> Result<(Vec<u8>, Option<Feeding>), Problem> {
    let document = render::begin(format, feed.status());
    let mut piece = piece(feed, document).await;
    let more = piece.more?;
    let bytes = std::mem::take(piece.document.bytes());
    let rest = more.then(|| Feeding {
        state: State::Idle(Box::new((piece.feed, piece.document))),
    });
    Ok((bytes, rest))
}

struct Piece {
    feed: Box<dyn Feed>,
    document: Box<dyn Document>,
    more: Result<bool, Problem>,
}

/// Reads and renders the next piece.
async fn piece(mut feed: Box<dyn Feed>, mut document: Box<dyn Document>) -> Piece {
    let more = loop {
        match feed.write(&mut *document).await {
            Ok(true) if document.bytes().len() < PIECE_BYTES => {}
            Ok(true) => break Ok(true),
            Ok(false) => {
                document.finish();
                break Ok(false);
            }
            Err(problem) => break Err(problem),
        }
    };
    Piece {
        feed,
        document,
        more,
    }
}

/// What is still to be read and rendered of a feed.
pub struct Feeding {
    state: State,
}

enum State {
    Idle(Box<(Box<dyn Feed>, Box<dyn Document>)>),
    Busy(Pin<Box<dyn Future<Output = Piece>>>),
    Done,
}

impl Feeding {
    /// Whether anything is left.
    pub fn is_left(&self) -> bool {
        !matches!(self.state, State::Done)
    }

    /// The next piece of the document. Behind a problem nothing follows: the document stays without its end.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Problem>>> {
        let mut busy = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Poll::Ready(None),
            State::Busy(busy) => busy,
            State::Idle(idle) => {
                let (feed, document) = *idle;
                Box::pin(piece(feed, document))
            }
        };
        let Poll::Ready(mut piece) = busy.as_mut().poll(context) else {
            self.state = State::Busy(busy);
            return Poll::Pending;
        };
        let more = match piece.more {
            Ok(more) => more,
            Err(problem) => return Poll::Ready(Some(Err(problem))),
        };
        let bytes = std::mem::take(piece.document.bytes());
        if more {
            self.state = State::Idle(Box::new((piece.feed, piece.document)));
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    /// Counts up to `last`, and fails behind `fails_after`.
    struct Numbers {
        next: u32,
        last: u32,
        fails_after: u32,
    }

    impl Feed for Numbers {
        fn status(&self) -> &'static str {
            "success"
        }

        fn write<'a>(&'a mut self, sink: &'a mut dyn Sink) -> Writing<'a> {
            Box::pin(async move {
                if self.next == 1 {
                    sink.bare_list("numbers", "number");
                }
                tokio::task::yield_now().await;
                if self.next > self.fails_after {
                    return Err(Problem::new(Code::Unavailable));
                }
                sink.text_item(&self.next.to_string());
                self.next += 1;
                Ok(self.next <= self.last)
            })
        }
    }

    fn feed(last: u32, fails_after: u32) -> Box<dyn Feed> {
        Box::new(Numbers {
            next: 1,
            last,
            fails_after,
        })
    }

    async fn pieces(last: u32, fails_after: u32, format: &Format) -> Result<Vec<Vec<u8>>, Problem> {
        let (first, rest) = begin(feed(last, fails_after), format).await?;
        let mut all = vec![first];
        if let Some(mut rest) = rest {
            while let Some(piece) = std::future::poll_fn(|context| rest.poll(context)).await {
                all.push(piece?);
            }
            assert!(!rest.is_left());
        }
        Ok(all)
    }

    #[tokio::test]
    async fn the_pieces_are_the_document() {
        for format in [Format::Xml, Format::Json { condensed: false }] {
            for last in [1, 2, 20_000] {
                let whole = render::render(&format, "success", |sink| {
                    sink.bare_list("numbers", "number");
                    for number in 1..=last {
                        sink.text_item(&number.to_string());
                    }
                });
                let pieces = pieces(last, u32::MAX, &format).await.unwrap();
                assert!(pieces.concat() == whole, "{last} as {format:?}");
                assert_eq!(pieces.len(), whole.len().div_ceil(PIECE_BYTES), "{last}");
            }
        }
    }

    #[tokio::test]
    async fn a_problem_ends_it() {
        for fails_after in [0, 1, 15_000] {
            let code = pieces(20_000, fails_after, &Format::Xml).await.err();
            assert_eq!(code.map(|problem| problem.code), Some(Code::Unavailable));
        }
    }
}
