//! The undoing of a batch: every entry of it gets its opposite, unless what it gave is spent already.
//!
//! Belongs here: who gains, who loses, who is in the way. Does not belong here: where the entries are read from
//! ([`crate::store::batches`]).

use super::account::{Account, Campaign};
use super::customers::PeopleRows;
use super::customers::undo::{self as customers, FoundPeople, PersonEffect};
use super::ledger::{BalanceKey, Entry, EntryKind, Ledger, beyond_limit, changed};
use super::rows::{Decided, Rows};
use crate::amount::Amount;
use crate::dates::Day;
use crate::error::{Code, Problem};
use std::collections::{BTreeMap, HashSet};

/// A batch to be undone.
#[derive(Debug)]
pub struct Undo {
    /// The account's number.
    pub account: i32,
    /// The batch's number.
    pub batch: i64,
    /// Whether customers who have spent what it gave them are left out, instead of being in the way of all others.
    pub skip_blocked: bool,
    /// Whether it may be a batch whose sender did not wish it to be listed as one that can be undone.
    pub even_unlisted: bool,
    /// How long what a batch has changed of customers is kept, in microseconds.
    pub images_kept_us: i64,
    /// The batch as it was found; `None` before it is looked up, and where there is none.
    pub found: Option<Found>,
}

/// A batch that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The id of the user who sent it.
    pub user_id: String,
    /// The rejection that became this batch when it was posted after all.
    pub replays: Option<i64>,
    /// Whether refused lines of it were posted after all, or came again: what they brought stays.
    pub lives_on: bool,
    /// Whether its sender wished it to be listed.
    pub undoable: bool,
    /// How many entries it has.
    pub entries: usize,
    /// Those that are not reversed yet.
    pub open: Vec<Original>,
    /// Of a batch of customers, what was found of them.
    pub people: Option<Box<FoundPeople>>,
}

/// A batch of which nothing is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Its number.
    pub batch: i64,
    /// The id of the user who sent it.
    pub user_id: String,
    /// The rejection that became this batch when it was posted after all.
    pub replays: Option<i64>,
}

/// An entry to be reversed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Original {
    /// Its number.
    pub number: i64,
    /// Whose and of which campaign.
    pub key: BalanceKey,
    /// How much, signed.
    pub amount: Amount,
    /// The day it counts for.
    pub date: Day,
}

/// What undoing comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undone {
    /// The batch's number.
    pub batch: i64,
    /// How many entries were reversed, or would be.
    pub reversed: usize,
    /// How many entries are left, because of customers who are in the way.
    pub left: usize,
    /// The rejection that is open again: it had become this batch, of which nothing is left.
    pub reopens: Option<i64>,
    /// What happens to each balance, in the order of customers.
    pub effects: Vec<Effect>,
    /// What happens to the customers of a batch of them, in the order of their numbers.
    pub people: Vec<PersonEffect>,
    /// Why nothing is reversed, where somebody is in the way and is not to be left out.
    pub refused: Option<Problem>,
}

/// What undoing does to a balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// Which balance.
    pub key: BalanceKey,
    /// The balance as it is.
    pub before: Amount,
    /// The balance as it would be, even where that may not be.
    pub after: Amount,
    /// Why it may not be.
    pub blocked: Option<Problem>,
}

impl Effect {
    fn is_beyond_range(&self) -> bool {
        matches!(&self.blocked, Some(problem) if problem.code == Code::OutOfRange)
    }
}

impl Undo {
    /// The balances it touches; repeated ones are repeated.
    pub fn balances(&self) -> impl Iterator<Item = BalanceKey> {
        self.found
            .iter()
            .flat_map(|found| &found.open)
            .map(|original| original.key)
    }
}

/// Decides. `ledger` holds every balance that [`Undo::balances`] names.
///
/// Opposite entries count for the day of what they reverse: sums by day come out as if the batch had never been posted.
/// A customer of whom one balance is in the way keeps all entries of the batch.
pub fn decide(
    account: &Account,
    undo: &Undo,
    ledger: &Ledger,
) -> Result<Decided<'static, Undone>, Problem> {
    let number = undo.batch.to_string();
    let problem = |code| Problem::new(code).value(&number);
    let found = undo
        .found
        .as_ref()
        .ok_or_else(|| problem(Code::UnknownBatch))?;
    if let Some(code) = refusal(undo, found) {
        return Err(problem(code));
    }
    let mut by_balance = by_balance(&found.open);
    let mut overlay = ledger.overlay();
    let mut effects = Vec::with_capacity(by_balance.len());
    for (key, originals) in &mut by_balance {
        let before = overlay.balance(key);
        let mut found = effect(account, *key, originals, before)?;
        if found.is_beyond_range() {
            // Perhaps only on the way.
            originals.reverse();
            let other = effect(account, *key, originals, before)?;
            if other.blocked.is_none() {
                found = other;
            }
        }
        effects.push(found);
    }
    let blocked: HashSet<i64> = effects
        .iter()
        .filter(|effect| effect.blocked.is_some())
        .map(|effect| effect.key.customer)
        .collect();
    let refused = effects
        .iter()
        .find_map(|effect| effect.blocked.clone())
        .filter(|_| !undo.skip_blocked);
    let mut entries: Vec<Entry<'static>> = Vec::new();
    let all = by_balance
        .iter()
        .filter(|(key, _)| !blocked.contains(&key.customer));
    for (key, originals) in all {
        let campaign = campaign(account, key)?;
        for original in originals {
            let amount = opposite(campaign, original)?;
            let link = overlay.post(campaign, *key, amount).map_err(Problem::new)?;
            entries.push(Entry {
                reverses: Some(original.number),
                ..Entry::bare(EntryKind::Reversal, *key, amount, link, original.date)
            });
        }
    }
    let left = found.open.len().saturating_sub(entries.len());
    let (people, people_rows) = match &found.people {
        Some(people) => customers::decide(account, (undo.batch, people), &blocked, &mut overlay),
        None => (Vec::new(), PeopleRows::default()),
    };
    let outcome = Undone {
        batch: undo.batch,
        reversed: entries.len(),
        left,
        reopens: found.replays.filter(|_| left == 0 && refused.is_none()),
        effects,
        people,
        refused,
    };
    let changes_people = !people_rows.images_gone.is_empty();
    let rows = Rows {
        entries,
        people: changes_people.then(|| Box::new(people_rows)),
        ..Rows::default()
    };
    let any = outcome.reversed > 0 || changes_people;
    let stored = (outcome.refused.is_none() && any).then(|| (rows, overlay.into_changes()));
    Ok(Decided { outcome, stored })
}

/// Why a batch cannot be undone.
fn refusal(undo: &Undo, found: &Found) -> Option<Code> {
    let nothing_open = found.open.is_empty();
    let age = |people: &FoundPeople| people.now_us.saturating_sub(people.recorded_at);
    match &found.people {
        Some(people) if found.undoable && age(people) >= undo.images_kept_us => {
            Some(Code::UndoExpired)
        }
        Some(_) if !found.undoable && nothing_open => Some(Code::NothingKept),
        Some(people) if people.changed == 0 && found.entries == 0 => Some(Code::EmptyBatch),
        None if found.entries == 0 => Some(Code::EmptyBatch),
        Some(people) if nothing_open && people.images.is_empty() => Some(Code::AlreadyUndone),
        None if nothing_open => Some(Code::AlreadyUndone),
        _ if !found.undoable && !undo.even_unlisted => Some(Code::NotUndoable),
        _ => None,
    }
}

/// What gives comes before what takes: a balance then falls below zero on the way only if it ends there. Where it would
/// pass the limit on the way, the other order is tried.
fn by_balance(originals: &[Original]) -> BTreeMap<BalanceKey, Vec<&Original>> {
    let mut map: BTreeMap<BalanceKey, Vec<&Original>> = BTreeMap::new();
    for original in originals {
        map.entry(original.key).or_default().push(original);
    }
    for list in map.values_mut() {
        list.sort_by_key(|original| (!original.amount.is_negative(), original.number));
    }
    map
}

fn campaign<'a>(account: &'a Account, key: &BalanceKey) -> Result<&'a Campaign, Problem> {
    account
        .campaign_by_number(key.campaign)
        .ok_or_else(|| Problem::new(Code::UnknownCampaign).value(&key.campaign.to_string()))
}

pub(super) fn opposite(campaign: &Campaign, original: &Original) -> Result<Amount, Problem> {
    let beyond = || out_of_range(campaign, original.amount);
    original.amount.checked_neg().ok_or_else(beyond)
}

fn out_of_range(campaign: &Campaign, amount: Amount) -> Problem {
    Problem::new(Code::OutOfRange)
        .value(&amount.text(campaign.digits))
        .detail(beyond_limit(campaign))
}

fn effect(
    account: &Account,
    key: BalanceKey,
    originals: &[&Original],
    before: Amount,
) -> Result<Effect, Problem> {
    let campaign = campaign(account, &key)?;
    let (mut after, mut allowed) = (before, Ok(()));
    for original in originals {
        let amount = opposite(campaign, original)?;
        allowed = allowed.and(changed(campaign, after, amount).map(|_| ()));
        after = after
            .checked_add(amount)
            .ok_or_else(|| out_of_range(campaign, amount))?;
    }
    let blocked = allowed.err().map(|code| {
        if code == Code::OutOfRange {
            return out_of_range(campaign, after);
        }
        let missing = Amount::from_raw(after.raw().saturating_neg());
        Problem::new(Code::AlreadySpent)
            .field(&campaign.id)
            .value(&missing.text(campaign.digits))
            .detail(before.text(campaign.digits))
    });
    Ok(Effect {
        key,
        before,
        after,
        blocked,
    })
}
