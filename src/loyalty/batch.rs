//! A batch of transactions, decided line by line.
//!
//! Belongs here: which customer a line means, what becomes of each line, what the batch comes to. Does not belong here:
//! what a line's values mean ([`super::plan`]), how the outcome looks on a wire.

use super::account::{Account, User};
use super::fingerprint;
use super::ledger::{BalanceKey, Entry, Ledger, Numbers, Overlay};
use super::lines::{Line, Lines};
use super::outcome::{CHARSET_WARNING, LineOutcome, LineResult, Outcome, comma_warning};
use super::plan::{self, Plan, Posting};
use super::post::{Origin, named, post_one};
use super::rights::Need;
use super::rows::{BatchRow, Decided, NewCustomer, Refused, Rows};
use crate::dates::{self, Day};
use crate::error::{Code, Problem};
use crate::secrets;
use chrono::{DateTime, Utc};

/// Who sent a request, as it was authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The account's number.
    pub account: i32,
    /// The user id as sent.
    pub user_id: String,
    /// The digest of the key that was sent.
    pub key: [u8; 32],
    /// What the request needs that the user may do.
    pub need: Need,
}

impl Caller {
    /// The user, if the account still has it, the key is still one of its keys, and it (still) may do what the request
    /// needs.
    pub fn permitted<'a>(&self, account: &'a Account) -> Result<&'a User, Problem> {
        let user = self.authenticate(account)?;
        self.need
            .met(user.rights)
            .map_err(|right| right.missing())?;
        Ok(user)
    }

    fn authenticate<'a>(&self, account: &'a Account) -> Result<&'a User, Problem> {
        let user = account.user(&self.user_id);
        // An unknown user is compared like a known one with one key.
        let matches = match user {
            Some(user) => user.key(&self.key).is_some(),
            None => secrets::same(&[0; 32], &self.key),
        };
        user.filter(|_| matches)
            .ok_or_else(|| Problem::new(Code::BadCredentials))
    }
}

/// Where a batch comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A client.
    Caller(Caller),
    /// The operator, who has a refused line posted after all, in the name of the user who sent it.
    Replay {
        /// The account's number.
        account: i32,
        /// The number of the rejection.
        rejection: i64,
        /// The number of the user.
        user: i32,
        /// The day that an empty date means: the one the line would have counted for.
        effective_date: Day,
    },
}

impl Source {
    /// The account's number.
    pub fn account(&self) -> i32 {
        match self {
            Source::Caller(caller) => caller.account,
            Source::Replay { account, .. } => *account,
        }
    }

    /// The user in whose name it is posted, if the account (still) lets him.
    fn user<'a>(&self, account: &'a Account) -> Result<&'a User, Problem> {
        match self {
            Source::Caller(caller) => caller.permitted(account),
            Source::Replay { user, .. } => account
                .user_by_number(*user)
                .ok_or_else(|| Problem::new(Code::BadCredentials)),
        }
    }

    /// The rejection that it replays.
    pub fn rejection(&self) -> Option<i64> {
        match self {
            Source::Caller(_) => None,
            Source::Replay { rejection, .. } => Some(*rejection),
        }
    }

    fn empty_date(&self, today: Day) -> Day {
        match self {
            Source::Caller(_) => today,
            Source::Replay { effective_date, .. } => *effective_date,
        }
    }
}

/// What its sender wishes for a batch.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wishes {
    /// That it is listed as one that can be undone.
    pub undoable: bool,
    /// That nothing is imported if any line is refused.
    pub reject_batch: bool,
    /// To be told what became of each line.
    pub details: bool,
    /// Not a wish: its text was read as Windows-1252, which the details say.
    pub windows_1252: bool,
}

/// A batch as it waits to be posted.
#[derive(Debug)]
pub struct Batch {
    /// Where it comes from.
    pub source: Source,
    /// Its text.
    pub lines: Lines,
    /// What its sender wishes.
    pub wishes: Wishes,
    /// When it was received: empty dates mean this day.
    pub received: DateTime<Utc>,
    user: i32,
    today: Day,
    plans: Vec<Plan>,
    planned_for: i64,
}

impl Batch {
    /// A batch planned under the account's present configuration. Fails if the caller is not one of its users.
    pub fn new(
        source: Source,
        lines: Lines,
        wishes: Wishes,
        received: DateTime<Utc>,
        account: &Account,
    ) -> Result<Batch, Problem> {
        let today = dates::today(account.zone, received);
        let mut batch = Batch {
            source,
            lines,
            wishes,
            received,
            user: 0,
            today,
            plans: Vec::new(),
            planned_for: 0,
        };
        batch.plan(account)?;
        Ok(batch)
    }

    /// Plans the lines again if the configuration has moved since.
    pub fn plan(&mut self, account: &Account) -> Result<(), Problem> {
        let user = self.source.user(account)?;
        if self.planned_for != account.config_version || self.plans.is_empty() {
            self.today = dates::today(account.zone, self.received);
            let empty_date = self.source.empty_date(self.today);
            self.plans = plan::all(account, user, &self.lines, (self.today, empty_date));
            self.user = user.number;
            self.planned_for = account.config_version;
        }
        Ok(())
    }

    /// The codes and card numbers that its postings name; repeated ones are repeated.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.postings()
            .flat_map(|posting| [self.lines.text(posting.code), self.lines.text(posting.card)])
            .filter(|value| !value.is_empty())
    }

    /// The balances that its postings touch, as far as their customers are known; repeated ones are repeated.
    pub fn balances<'b>(
        &'b self,
        account: &'b Account,
        ledger: &'b Ledger,
    ) -> impl Iterator<Item = BalanceKey> + 'b {
        self.postings().filter_map(move |posting| {
            let customer = ledger.holder(self.named(posting))?.customer;
            let campaign = account.campaign(posting.campaign)?.number;
            Some(BalanceKey {
                customer,
                campaign,
                item: posting.item,
            })
        })
    }

    /// About how much memory it takes while it waits: its text, and what is known of each line.
    pub fn bytes(&self) -> usize {
        let line = size_of::<Line>().saturating_add(size_of::<Plan>());
        self.lines
            .list
            .len()
            .saturating_mul(line)
            .saturating_add(self.lines.bytes())
    }

    /// The version of the configuration that its lines were planned for.
    pub fn planned_for(&self) -> i64 {
        self.planned_for
    }

    fn postings(&self) -> impl Iterator<Item = &Posting> {
        self.plans.iter().filter_map(|plan| match plan {
            Plan::Post(posting) => Some(posting),
            Plan::Refuse(_) => None,
        })
    }

    /// The value that names the customer: the code, else the card.
    fn named(&self, posting: &Posting) -> &str {
        named(&self.lines, posting)
    }

    /// The posting of the first line, or why there is none; and the number of the user who posts it.
    pub(super) fn first(&self) -> Result<(&Posting, i32), Problem> {
        match self.plans.first() {
            Some(Plan::Post(posting)) => Ok((posting, self.user)),
            Some(Plan::Refuse(problem)) => Err(Problem::clone(problem)),
            None => Err(Problem::new(Code::MissingAmount)),
        }
    }
}

/// Decides a batch. `ledger` holds every key and balance its postings name, as far as they exist.
pub fn decide<'a>(account: &'a Account, batch: &'a Batch, ledger: &Ledger) -> Decided<'a, Outcome> {
    let mut overlay = ledger.overlay();
    let number = Numbers::take(&mut overlay.numbers.batch);
    let mut decider = Decider {
        account,
        batch,
        number,
        first_entry: overlay.numbers.entry,
        first_rejection: overlay.numbers.rejection,
        overlay,
        entries: Vec::with_capacity(batch.plans.len()),
        customers: Vec::new(),
        refused: Vec::new(),
        details: batch.wishes.details.then(Vec::new),
        warnings: Vec::new(),
    };
    if batch.wishes.details && batch.wishes.windows_1252 {
        decider.warnings.push((0, CHARSET_WARNING));
    }
    for (line, plan) in batch.lines.list.iter().zip(&batch.plans) {
        let result = match plan {
            Plan::Post(posting) => decider.post(line, posting),
            Plan::Refuse(problem) => Err(Problem::clone(problem)),
        };
        if let Err(problem) = result {
            decider.refuse(line, problem);
        }
    }
    decider.finish()
}

struct Decider<'a, 'l> {
    account: &'a Account,
    batch: &'a Batch,
    number: i64,
    first_entry: i64,
    first_rejection: i64,
    overlay: Overlay<'l>,
    entries: Vec<Entry<'a>>,
    customers: Vec<NewCustomer<'a>>,
    refused: Vec<Refused<'a>>,
    details: Option<Vec<LineOutcome>>,
    warnings: Vec<(u32, &'static str)>,
}

impl<'a> Decider<'a, '_> {
    /// Notes what became of a line that was imported, for the details.
    fn tell(&mut self, line: &Line, posting: &Posting, entry: &Entry<'_>) {
        let Some(details) = &mut self.details else {
            return;
        };
        let campaign = self.account.campaign(posting.campaign);
        details.push(LineOutcome {
            number: line.number,
            result: LineResult::Imported {
                entry: entry.number,
                amount: entry.amount,
                formula: posting.formula.clone(),
                balance: entry.balance_after,
                digits: campaign.map_or(0, |campaign| campaign.digits),
            },
        });
        let given = self.batch.lines.text(posting.given);
        let warning = comma_warning(given, posting.reward.is_some());
        self.warnings
            .extend(warning.map(|text| (line.number, text)));
    }

    fn post(&mut self, line: &Line, posting: &'a Posting) -> Result<(), Problem> {
        let origin = Origin {
            line: Some((self.number, i32::try_from(line.number).unwrap_or(i32::MAX))),
            user: self.batch.user,
            customer: None,
        };
        let lines = &self.batch.lines;
        let posted = post_one(self.account, lines, posting, &mut self.overlay, origin)?;
        self.tell(line, posting, &posted.entry);
        self.customers.extend(posted.created);
        self.entries.push(posted.entry);
        Ok(())
    }

    fn refuse(&mut self, line: &Line, problem: Problem) {
        if let Some(details) = &mut self.details {
            let result = LineResult::Refused(Box::new(problem.clone()));
            details.push(LineOutcome {
                number: line.number,
                result,
            });
        }
        let number = Numbers::take(&mut self.overlay.numbers.rejection);
        let lines = &self.batch.lines;
        let sent = lines.values(line).date;
        // One that no line may have would be posted by a replay that leaves the date empty.
        let effective_date = dates::read(sent, lines.layout.old_generation)
            .ok()
            .filter(|day| dates::in_range(*day, self.batch.today))
            .unwrap_or(self.batch.today);
        self.refused.push(Refused {
            number,
            line: line.number,
            raw: lines.text(line.span),
            problem,
            effective_date,
            fingerprint: [0; 32],
        });
    }

    fn finish(mut self) -> Decided<'a, Outcome> {
        self.fingerprint();
        let first_refused = self
            .refused
            .first()
            .map(|refused| (refused.line, refused.problem.clone()));
        let rejected_whole = self.batch.wishes.reject_batch && first_refused.is_some();
        if rejected_whole {
            let imported =
                |line: &&mut LineOutcome| matches!(line.result, LineResult::Imported { .. });
            for line in self.details.iter_mut().flatten().filter(imported) {
                line.result = LineResult::Refused(Box::new(Problem::new(Code::BatchRejected)));
            }
        }
        let counted = |count: usize| if rejected_whole { 0 } else { count };
        let outcome = Outcome {
            batch: self.number,
            transactions: counted(self.entries.len()),
            rejected: self.refused.len(),
            new_customers: counted(self.customers.len()),
            first_refused,
            rejected_whole,
            dry_run: false,
            repeated: false,
            lines: self.details,
            warnings: self.warnings,
        };
        if rejected_whole {
            return Decided {
                outcome,
                stored: None,
            };
        }
        let layout = (!self.refused.is_empty()).then(|| self.batch.lines.layout.json());
        let rows = Rows {
            batch: Some(BatchRow {
                number: self.number,
                user: self.batch.user,
                first_entry: self.first_entry,
                first_rejection: self.first_rejection,
                undoable: self.batch.wishes.undoable,
                layout,
            }),
            entries: self.entries,
            customers: self.customers,
            refused: self.refused,
            ..Rows::default()
        };
        Decided {
            outcome,
            stored: Some((rows, self.overlay.into_changes())),
        }
    }

    /// Gives each refused line its fingerprint.
    fn fingerprint(&mut self) {
        if self.refused.is_empty() {
            return;
        }
        let mut refused = self.refused.iter_mut().peekable();
        for (line, fingerprint) in fingerprint::of_lines(&self.batch.lines) {
            if let Some(kept) = refused.next_if(|refused| refused.line == line) {
                kept.fingerprint = fingerprint;
            }
        }
    }
}

#[cfg(test)]
mod tests;
