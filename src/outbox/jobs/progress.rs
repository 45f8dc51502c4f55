//! How far a job is, and how carefully it is gone on with.

use crate::json;
use crate::loyalty::sync::claim::Claimed;
use crate::loyalty::sync::job::Part;
use crate::loyalty::sync::work::Worked;
use crate::secrets::random_hex;
use std::time::Duration;

/// The most items of one commit.
const MOST_ITEMS: usize = 500;
/// From so many claims without a move on, the item that stands next is noted as failed.
const POISONED_FROM: i32 = 12;
/// From so many on, the job is given up.
const GIVEN_UP_FROM: i32 = 20;
/// The first wait after a refusal for now; each further one is twice as long.
pub const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a commit may bring neither items nor an end before it is waited.
const STALLED_MOST: u32 = 3;

/// How far a job is, and how carefully it is gone on with.
pub struct At {
    /// The next item.
    pub cursor: i32,
    /// The most items of the next commit.
    pub limit: usize,
    /// Whether the end of the job has a commit of its own: together with items it could not be stored.
    pub apart: bool,
    /// The reference under which the log has why the next item, alone, cannot be stored.
    pub poisoned: Option<String>,
    /// Why the job is given up.
    pub given_up: Option<String>,
    /// Whether its items are given up without what was sent of them: with it, even that could not be stored.
    pub untold: bool,
    /// The part that holds the next item.
    pub part: Option<Held>,
    /// The last wait after a refusal for now, and all of them together.
    pub wait: Duration,
    pub waited: Duration,
    /// Commits that brought nothing, one after the other.
    pub stalled: u32,
}

/// A part of the job's contacts.
pub struct Held {
    pub first: i32,
    pub contacts: Vec<Box<str>>,
}

/// The items of one commit.
pub struct Chunk {
    pub raws: Vec<Box<str>>,
    /// The place of the part's first contact, and whether these items end it.
    pub part: Option<(i32, bool)>,
    /// Whether they are the last ones, and the end of the job is written with them.
    pub finish: bool,
}

impl At {
    /// As a job is when it is taken.
    pub fn of(claimed: &Claimed) -> At {
        let queued = &claimed.queued;
        // 500, 62, 7, and 1 from then on.
        let shift = u32::try_from(queued.stuck.saturating_sub(1).max(0)).unwrap_or(0);
        let limit = MOST_ITEMS.checked_shr(shift.saturating_mul(3)).unwrap_or(0);
        let mut at = At {
            cursor: queued.cursor,
            limit: limit.max(1),
            apart: queued.stuck > 1,
            poisoned: None,
            given_up: None,
            untold: queued.stuck > GIVEN_UP_FROM,
            part: None,
            wait: FIRST_WAIT,
            waited: Duration::ZERO,
            stalled: 0,
        };
        if queued.stuck >= POISONED_FROM {
            let reference = random_hex(4).unwrap_or_default();
            tracing::error!(
                reference,
                "item {} of job {} cannot be worked off: {} workers were lost over it",
                queued.cursor,
                claimed.head.id.hex(),
                queued.stuck
            );
            if queued.stuck >= GIVEN_UP_FROM {
                at.given_up = Some(reference);
            } else {
                at.poisoned = Some(reference);
            }
        }
        at
    }

    /// Whether there is no item left to be worked off, or none shall be.
    pub fn only_the_end(&self, claimed: &Claimed) -> bool {
        self.cursor >= claimed.head.contacts || self.given_up.is_some()
    }

    /// The items of the next commit, out of the part that holds the next item; `None` if it does not.
    pub fn cut(&self, held: &Held, claimed: &Claimed) -> Option<Chunk> {
        let place = held.place(self.cursor)?;
        let limit = if self.poisoned.is_some() {
            1
        } else {
            self.limit
        };
        let rest = held.contacts.iter().skip(place);
        let raws: Vec<Box<str>> = rest.take(limit).cloned().collect();
        let count = i32::try_from(raws.len()).unwrap_or(i32::MAX);
        let ends_part = place.saturating_add(raws.len()) >= held.contacts.len();
        let ends_job = self.cursor.saturating_add(count) >= claimed.head.contacts;
        Some(Chunk {
            raws,
            part: Some((held.first, ends_part)),
            finish: ends_job && !self.apart,
        })
    }

    /// Items were stored. Tells whether to wait before the next ones.
    pub fn moved(&mut self, worked: Worked) -> bool {
        self.stalled = match worked.cursor > self.cursor {
            true => 0,
            false => self.stalled.saturating_add(1),
        };
        if !worked.lacks_verdict {
            self.limit = self.limit.saturating_mul(2).min(MOST_ITEMS);
        }
        self.cursor = worked.cursor;
        self.poisoned = None;
        (self.wait, self.waited) = (FIRST_WAIT, Duration::ZERO);
        self.stalled > STALLED_MOST
    }

    /// How long to wait after a refusal for now.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.wait;
        self.waited = self.waited.saturating_add(wait);
        self.wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        wait
    }

    /// A commit of so many items, with or without the end of the job, cannot be stored. Tells what was changed about
    /// the next one; `None` if there is nothing left to change.
    pub fn not_stored(&mut self, items: usize, finish: bool, reference: &str) -> Option<Changed> {
        if finish && items > 0 {
            self.apart = true;
            Some(Changed::Smaller)
        } else if items > 1 {
            self.limit = items / 2;
            Some(Changed::Smaller)
        } else if self.given_up.is_some() {
            let changed = (!self.untold).then_some(Changed::GivenUp);
            self.untold = true;
            changed
        } else if self.poisoned.is_none() {
            self.poisoned = Some(reference.to_owned());
            Some(Changed::Poisoned)
        } else {
            self.given_up = Some(reference.to_owned());
            Some(Changed::GivenUp)
        }
    }
}

/// What was changed about the next commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It has fewer items, or not the end of the job.
    Smaller,
    /// Its only item, or the purchase, is noted as failed.
    Poisoned,
    /// The job is given up.
    GivenUp,
}

impl Chunk {
    /// No items, and the end of the job.
    pub fn end() -> Chunk {
        Chunk {
            raws: Vec::new(),
            part: None,
            finish: true,
        }
    }
}

impl Held {
    /// The place of an item in the part.
    pub fn place(&self, item: i32) -> Option<usize> {
        let place = usize::try_from(item.checked_sub(self.first)?).ok()?;
        (place < self.contacts.len()).then_some(place)
    }

    /// A part as it is read; `None` if it is no list.
    pub fn of(part: &Part) -> Option<Held> {
        let contacts = json::list(&part.contacts)?;
        Some(Held {
            first: part.first,
            contacts: contacts.into_iter().map(Into::into).collect(),
        })
    }
}
