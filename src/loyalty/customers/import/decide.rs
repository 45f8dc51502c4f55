//! The lines of a batch of customers decided.
//!
//! Belongs here: what becomes of each line, seeing those before it, and the rows that come of it. Does not belong here: the
//! command, and what can be said of a line without knowing who is there ([`super`]).

use super::{Import, ImportLine, ImportOutcome, ImportResult, Key, about};
use crate::error::{Code, Problem};
use crate::loyalty::account::Account;
use crate::loyalty::contacts::keys;
use crate::loyalty::customers::sheet::{Column, Mode};
use crate::loyalty::customers::{
    Customer, CustomerChange, CustomerFields, Given, KeyMove, Name, PeopleDone, PeopleFound,
    PeopleRows, moved, undo,
};
use crate::loyalty::ledger::{Entry, Ledger, Numbers, Overlay};
use crate::loyalty::lines::Line;
use crate::loyalty::rows::{BatchRow, Decided, Refused, Rows};
use std::collections::{HashMap, HashSet};

/// The lines being decided, one after the other; each sees those before it.
pub(super) struct Decider<'c, 'l> {
    import: &'c Import,
    account: &'c Account,
    found: &'c PeopleFound,
    batch: i64,
    overlay: Overlay<'l>,
    /// Customers that lines have created or changed, in the order of the lines.
    changes: Vec<CustomerChange>,
    /// Their places in it, by their numbers.
    places: HashMap<i64, usize>,
    /// Who has names by these lines; nobody who had given one up.
    names: HashMap<Key, Option<i64>>,
    keys: Vec<KeyMove>,
    entries: Vec<Entry<'c>>,
    refused: Vec<Refused<'c>>,
    imported: usize,
    ignored: usize,
    lines: Option<Vec<ImportLine>>,
}

/// By what a customer is known to a caller.
fn shown(customer: &Customer) -> Box<str> {
    let person = &customer.person;
    let code = person.code.as_ref().or(person.card_number.as_ref());
    code.cloned().unwrap_or_default()
}

impl<'c, 'l> Decider<'c, 'l> {
    /// With nothing decided yet.
    pub(super) fn new(
        import: &'c Import,
        account: &'c Account,
        (found, ledger): (&'c PeopleFound, &'l Ledger),
    ) -> Decider<'c, 'l> {
        let mut overlay = ledger.overlay();
        let batch = Numbers::take(&mut overlay.numbers.batch);
        Decider {
            import,
            account,
            found,
            batch,
            overlay,
            changes: Vec::new(),
            places: HashMap::new(),
            names: HashMap::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            refused: Vec::new(),
            imported: 0,
            ignored: 0,
            lines: import.wishes.details.then(Vec::new),
        }
    }

    /// Decides all lines.
    pub(super) fn decide(mut self) -> Decided<'c, PeopleDone> {
        for (at, line) in self.import.sheet.list().iter().enumerate() {
            self.line(at, line);
        }
        self.finish()
    }

    fn line(&mut self, at: usize, line: &'c Line) {
        let result = self.one(at, line).unwrap_or_else(|problem| {
            let (import, number) = (self.import, &mut self.overlay.numbers.rejection);
            let masked = import.masked.get(&at).map(String::as_str);
            self.refused.push(Refused {
                number: Numbers::take(number),
                line: line.number,
                raw: masked.unwrap_or_else(|| import.sheet.raw(line)),
                problem: problem.clone(),
                effective_date: import.today,
                fingerprint: import.sheet.fingerprint(line),
            });
            ImportResult::Refused(Box::new(problem))
        });
        if let Some(lines) = &mut self.lines {
            let number = line.number;
            lines.push(ImportLine { number, result });
        }
    }

    fn one(&mut self, at: usize, line: &'c Line) -> Result<ImportResult, Problem> {
        let import = self.import;
        let plan = import.plan_line(at, line, self.account);
        let fields = plan.fields.map_err(|problem| *problem)?;
        let sheet = &import.sheet;
        let code = sheet.value(line, Column::Code);
        let card = sheet.value(line, Column::Card);
        let (field, named) = match sheet.layout.has(Column::Code) {
            true => ("code", code),
            false => ("card_number", card),
        };
        let holder = self.overlay.holder(named).filter(|_| !named.is_empty());
        let (before, mut after) = match holder {
            Some(holder) if holder.replaced => return Err(about(Code::ReplacedCard, field, named)),
            Some(holder) => {
                let customer = self.customer(holder.customer)?;
                let mut after = customer.clone();
                match sheet.layout.mode {
                    Mode::Ignore => {
                        self.ignored = self.ignored.saturating_add(1);
                        return Ok(ImportResult::Ignored(shown(&customer)));
                    }
                    Mode::Blank => blank(&mut after),
                    Mode::Update => {}
                }
                (Some(customer), after)
            }
            None => {
                if let Some(problem) = plan.as_new {
                    return Err(*problem);
                }
                (None, self.bare(at, code, card)?)
            }
        };
        let number = after.person.customer;
        for (kind, value, name) in &plan.names {
            if self.is_others(number, &(*kind, value.clone())) {
                let code = match name {
                    Name::Username => Code::UsernameTaken,
                    _ => Code::ValueTaken,
                };
                let sent = sheet.value(line, Column::Field(*name));
                return Err(about(code, &name.word(), sent));
            }
        }
        write(&mut after, &fields);
        match &before {
            // Alone it only says who is meant, and it may be the code.
            Some(_) if !card.is_empty() && !code.is_empty() => self.give_card(&mut after, card)?,
            Some(_) => {}
            None => {
                // What comes now cannot be refused any more but for its amount, of which nothing is left then.
                let amount = sheet.value(line, Column::AutoAdd);
                if let Some(opening) = import.openings.get(amount) {
                    let opening = opening
                        .as_ref()
                        .map_err(|problem| Problem::clone(problem))?;
                    let line = (self.batch, i32::try_from(line.number).unwrap_or(i32::MAX));
                    let (account, overlay) = (self.account, &mut self.overlay);
                    let mut entries = opening.post(account, number, Some(line), overlay)?;
                    self.entries.append(&mut entries);
                }
                self.hold(&after);
            }
        }
        self.note_names(before.as_ref(), &after);
        let result = ImportResult::Imported(shown(&after));
        self.imported = self.imported.saturating_add(1);
        let place = self.places.get(&number);
        match place.and_then(|place| self.changes.get_mut(*place)) {
            Some(change) => change.after = after,
            None => {
                self.places.insert(number, self.changes.len());
                self.changes.push(CustomerChange { before, after });
            }
        }
        Ok(result)
    }

    /// A customer who is there, as the lines before this one have left it.
    fn customer(&self, number: i64) -> Result<Customer, Problem> {
        let place = self.places.get(&number);
        let change = place.and_then(|place| self.changes.get(*place));
        let changed = change.map(|change| &change.after);
        let found = changed.or_else(|| self.found.customers.get(&number));
        found.cloned().ok_or_else(moved::unknown)
    }

    /// Whether somebody else has a name that no two customers may have.
    fn is_others(&self, number: i64, key: &Key) -> bool {
        match self.names.get(key) {
            Some(holder) => holder.is_some_and(|holder| holder != number),
            None => {
                let held = self.found.names_held.get(key);
                held.is_some_and(|held| held.iter().any(|holder| *holder != number))
            }
        }
    }

    /// Notes which names a line has given up and taken.
    fn note_names(&mut self, before: Option<&Customer>, after: &Customer) {
        for name in &self.import.unique {
            let key = |of: &Customer| of.get(*name).and_then(|value| keys::of_name(*name, value));
            let (old, new) = (before.and_then(key), key(after));
            if old == new {
                continue;
            }
            if let Some(old) = old {
                self.names.insert(old, None);
            }
            if let Some(new) = new {
                self.names.insert(new, Some(after.person.customer));
            }
        }
    }

    /// A new customer, of whom nothing is held yet.
    fn bare(&self, at: usize, code: &str, card: &str) -> Result<Customer, Problem> {
        let drawn = self.import.drawn.get(&at);
        let drawn_cards = drawn.map_or(&[][..], |drawn| &drawn.cards);
        let card = match (card, drawn_cards.last()) {
            ("", Some(last)) => {
                let mut cards = drawn_cards.iter();
                let free = cards.find(|card| self.overlay.holder(card).is_none());
                // If none is free, one that is not is told.
                free.unwrap_or(last).as_str()
            }
            (card, _) => card,
        };
        let code = match (code, card) {
            ("", "") => drawn.map_or("", |drawn| &drawn.code),
            ("", card) => card,
            (code, _) => code,
        };
        if code.is_empty() {
            return Err(Problem::new(Code::MissingField).field("code"));
        }
        for (field, value) in [("card_number", card), ("code", code)] {
            if self.overlay.holder(value).is_some() && !value.is_empty() {
                return Err(about(Code::KeyTaken, field, value));
            }
        }
        let card = (!card.is_empty()).then(|| card.into());
        let number = self.overlay.numbers.customer;
        Ok(Customer::bare(
            number,
            Some(code.into()),
            card,
            self.found.now_us,
        ))
    }

    /// Gives a new customer its number, its code and its card.
    fn hold(&mut self, customer: &Customer) {
        let number = Numbers::take(&mut self.overlay.numbers.customer);
        let person = &customer.person;
        // A card that is the code as well is one key.
        let card = person.card_number.as_ref();
        let card = card.filter(|card| person.code.as_ref() != Some(card));
        for value in [person.code.as_ref(), card].into_iter().flatten() {
            self.overlay.hold(value, number);
            self.keys.push(KeyMove::Give {
                value: value.clone(),
                customer: number,
            });
        }
    }

    /// The card of a line whose customer is there by its code.
    fn give_card(&mut self, customer: &mut Customer, card: &str) -> Result<(), Problem> {
        let number = customer.person.customer;
        match self.overlay.holder(card) {
            Some(holder) if holder.customer != number => {
                Err(about(Code::KeyTaken, "card_number", card))
            }
            Some(holder) if holder.replaced => Err(about(Code::ReplacedCard, "card_number", card)),
            _ if customer.person.card_number.as_deref() == Some(card) => Ok(()),
            _ => {
                moved::new_card(customer, card, &mut self.overlay, &mut self.keys);
                Ok(())
            }
        }
    }

    fn finish(self) -> Decided<'c, PeopleDone> {
        let import = self.import;
        let first = self.refused.first();
        let first_refused = first.map(|refused| (refused.line, refused.problem.clone()));
        let rejected_whole = import.wishes.reject_batch && first_refused.is_some();
        let counted = |count: usize| if rejected_whole { 0 } else { count };
        let customers = self.changes;
        let new = customers.iter().filter(|one| one.before.is_none()).count();
        let mut lines = self.lines;
        for line in lines.iter_mut().flatten().filter(|_| rejected_whole) {
            if !matches!(line.result, ImportResult::Refused(_)) {
                let whole = Problem::new(Code::BatchRejected);
                line.result = ImportResult::Refused(Box::new(whole));
            }
        }
        let first_rejection = self.refused.first().map(|refused| refused.number);
        let first_rejection = first_rejection.unwrap_or(self.overlay.numbers.rejection);
        let outcome = PeopleDone::Imported(Box::new(ImportOutcome {
            batch: self.batch,
            first_rejection,
            customers: counted(self.imported),
            new_customers: counted(new),
            transactions: counted(self.entries.len()),
            ignored: counted(self.ignored),
            rejected: self.refused.len(),
            first_refused,
            rejected_whole,
            dry_run: false,
            repeated: false,
            lines,
        }));
        if rejected_whole {
            return Decided {
                outcome,
                stored: None,
            };
        }
        let changed = customers.iter();
        let changed = changed.filter(|one| one.before.as_ref() != Some(&one.after));
        let images = match import.wishes.undoable {
            true => changed.map(|one| undo::image(self.batch, one)).collect(),
            false => Vec::new(),
        };
        let numbers = self.overlay.numbers;
        let first_entry = self.entries.first().map(|entry| entry.number);
        let rows = Rows {
            batch: Some(BatchRow {
                number: self.batch,
                user: import.user,
                first_entry: first_entry.unwrap_or(numbers.entry),
                first_rejection,
                undoable: import.wishes.undoable,
                layout: (!self.refused.is_empty()).then(|| import.sheet.layout.json()),
            }),
            entries: self.entries,
            refused: self.refused,
            people: Some(Box::new(PeopleRows {
                customers,
                keys: last_moves(self.keys),
                images,
                imported: Some(self.imported),
                ..PeopleRows::default()
            })),
            ..Rows::default()
        };
        Decided {
            outcome,
            stored: Some((rows, self.overlay.into_changes())),
        }
    }
}

/// What becomes of each value in the end, each once: a card may be given by one line and replaced by the next, a code be
/// given as a card too.
fn last_moves(mut moves: Vec<KeyMove>) -> Vec<KeyMove> {
    let mut seen: HashSet<Box<str>> = HashSet::with_capacity(moves.len());
    moves.reverse();
    moves.retain(|one| seen.insert(one.value().into()));
    moves.reverse();
    moves
}

/// Empties all fields but the username.
fn blank(customer: &mut Customer) {
    for name in Name::plain().filter(|name| *name != Name::Username) {
        if customer.get(name).is_some() {
            customer.set(name, None);
        }
    }
    if let Some(profile) = &mut customer.profile {
        profile.custom.clear();
    }
}

/// Writes what a line gives into its customer. An empty username takes none away.
fn write(customer: &mut Customer, fields: &CustomerFields) {
    for (name, given) in &fields.names {
        match given {
            Given::Set(value) => customer.set(*name, Some(value.clone())),
            Given::Clear if *name != Name::Username && customer.get(*name).is_some() => {
                customer.set(*name, None);
            }
            Given::Keep | Given::Clear => {}
        }
    }
    if fields.password.is_some() || fields.pin.is_some() {
        let profile = customer.profile.get_or_insert_default();
        profile.password = fields.password.clone().or(profile.password.take());
        profile.pin = fields.pin.clone().or(profile.pin.take());
    }
}
