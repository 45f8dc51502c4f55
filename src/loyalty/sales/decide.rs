//! What becomes of each item, one after the other.
//!
//! Belongs here: which sale an item is about, what it changes of it, what is kept. Does not belong here: whose it is
//! ([`super::matching`]), its points ([`super::earn`]).

use super::book::Book;
use super::earn::{Desk, Unsettled, print_of_points};
use super::matching::{self, Found};
use super::read::{self, EXTRA_MAX_BYTES, Item, MATCH_KEY, MatchKeys, SentSale};
use super::rows::{SaleChange, SalesRows, StoredSale};
use super::{SaleOutcome, Sales};
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::json;
use crate::loyalty::account::{Account, Brand};
use crate::loyalty::ledger::{Entry, Ledger, Numbers, Overlay};
use crate::loyalty::rows::{Decided, Refused, Rows};
use std::collections::{HashMap, HashSet};

/// Closes all that is open under a print.
const ALL: i64 = i64::MAX;

/// Decides items one after the other, each seeing what those before it have brought.
///
/// # Errors
/// The brand is gone. A kept sale that is assigned and not stored: nothing changes then.
pub fn decide<'a>(
    account: &'a Account,
    sales: &'a Sales,
    ledger: &Ledger,
) -> Result<Decided<'a, Vec<SaleOutcome>>, Problem> {
    let overlay = ledger.overlay();
    let mut decider = Decider {
        account,
        brand: sales.brand_of(account)?,
        sales,
        book: overlay.book(),
        overlay,
        touched: Vec::new(),
        seen: HashSet::new(),
        entries: Vec::new(),
        refused: Vec::new(),
        prints: Vec::new(),
        equal: HashMap::new(),
    };
    let mut outcomes = Vec::with_capacity(sales.items.len());
    for (item, place) in sales.items.iter().zip(1_u32..) {
        outcomes.push(decider.item(item, place)?);
    }
    Ok(decider.finish(outcomes))
}

struct Decider<'a, 'l> {
    account: &'a Account,
    brand: &'a Brand,
    sales: &'a Sales,
    book: &'l Book,
    overlay: Overlay<'l>,
    /// Sales created or looked at, in the order in which they first were.
    touched: Vec<i64>,
    seen: HashSet<i64>,
    entries: Vec<Entry<'a>>,
    refused: Vec<Refused<'a>>,
    prints: Vec<([u8; 32], i64)>,
    /// How many items without ids had each print so far.
    equal: HashMap<[u8; 32], u32>,
}

impl<'a> Decider<'a, '_> {
    fn item(&mut self, item: &'a Item, place: u32) -> Result<SaleOutcome, Problem> {
        let own = self.own_print(item);
        let sent = match &item.read {
            Ok(sent) => sent,
            Err(problem) => {
                self.keep((item, place), own, problem.clone())?;
                return Ok(SaleOutcome::Invalid);
            }
        };
        match matching::find(&sent.keys, self.book) {
            Found::One(customer) => Ok(self.store((item, place), own, sent, customer)),
            Found::Nobody => {
                self.keep(
                    (item, place),
                    own,
                    unmatched(Code::SaleNotFound, item, sent),
                )?;
                Ok(SaleOutcome::NotFound)
            }
            Found::Several(customers) => {
                self.keep(
                    (item, place),
                    own,
                    unmatched(Code::SaleNotUnique, item, sent),
                )?;
                Ok(SaleOutcome::NotUnique { customers })
            }
        }
    }

    /// By what an item is known when it comes again. Equal items without ids are so many sales, so each of a request has a
    /// print of its own.
    fn own_print(&mut self, item: &Item) -> [u8; 32] {
        let own = item.prints.own;
        if !item.prints.of_content {
            return own;
        }
        let count = self.equal.entry(own).or_default();
        *count = count.saturating_add(1);
        match *count {
            1 => own,
            nth => {
                let name = format!("{nth} {}", hex::encode(own));
                read::print(self.brand.number, "equal", &name)
            }
        }
    }

    /// Keeps an item for a person. What is kept of an earlier one about the same sale is superseded.
    fn keep(
        &mut self,
        (item, place): (&'a Item, u32),
        own: [u8; 32],
        problem: Problem,
    ) -> Result<(), Problem> {
        if self.sales.assigns().is_some() {
            return Err(problem);
        }
        let day = item.day.unwrap_or(self.sales.today);
        self.refuse((item, place), problem, day, own);
        Ok(())
    }

    fn refuse(
        &mut self,
        (item, place): (&'a Item, u32),
        problem: Problem,
        effective_date: Day,
        fingerprint: [u8; 32],
    ) {
        let number = Numbers::take(&mut self.overlay.numbers.rejection);
        self.prints.push((fingerprint, number));
        self.refused.push(Refused {
            number,
            line: place,
            raw: &item.raw,
            problem,
            effective_date,
            fingerprint,
        });
    }

    /// Creates a sale, or changes the one that the item is about.
    fn store(
        &mut self,
        (item, place): (&'a Item, u32),
        own: [u8; 32],
        sent: &'a SentSale,
        customer: i64,
    ) -> SaleOutcome {
        let changes = &self.overlay.sales;
        let before = sent
            .links()
            .find_map(|link| changes.newest(self.book, self.brand.number, link))
            .cloned();
        let mut sale = match &before {
            Some(before) => changed(before, sent, customer),
            None => self.new_sale(sent, customer),
        };
        let number = sale.number;
        let mut desk = Desk {
            account: self.account,
            brand: self.brand,
            today: self.sales.today,
            overlay: &mut self.overlay,
            entries: &mut self.entries,
        };
        let unsettled = desk.settle(&mut sale, before.as_ref(), sent);
        // Whoever assigns a sale without ids means that one, and none that says the same.
        if !(item.prints.of_content && self.sales.assigns().is_some()) {
            let prints = [Some(own), item.prints.other].into_iter().flatten();
            self.prints.extend(prints.map(|print| (print, ALL)));
        }
        if before.is_some() && unsettled.is_some() {
            // Points that could not be given before are those of what the sale was then.
            self.prints.push((print_of_points(&sale), ALL));
        }
        for Unsettled {
            problem,
            day,
            print,
        } in unsettled.unwrap_or_default()
        {
            self.refuse((item, place), problem, day, print);
        }
        if before.as_ref() != Some(&sale) {
            if self.seen.insert(number) {
                self.touched.push(number);
            }
            self.overlay.sales.put(sale);
        }
        match before {
            Some(_) => SaleOutcome::Updated {
                sale: number,
                customer,
            },
            None => SaleOutcome::Created {
                sale: number,
                customer,
            },
        }
    }

    fn new_sale(&mut self, sent: &SentSale, customer: i64) -> StoredSale {
        StoredSale {
            number: Numbers::take(&mut self.overlay.numbers.sale),
            brand: self.brand.number,
            customer,
            event_at: sent.event_at,
            day: sent.day,
            external_sale_id: sent.external_sale_id.clone(),
            order_id: sent.order_id.clone(),
            value: sent.value,
            currency: sent.currency.clone(),
            extra: sent.extra.clone(),
            earned: None,
        }
    }

    fn finish(self, outcomes: Vec<SaleOutcome>) -> Decided<'a, Vec<SaleOutcome>> {
        let (book, now) = (self.book, &self.overlay.sales);
        let touched = self.touched.iter();
        let changes = touched.filter_map(|number| change(book.sale(*number), now.sale(*number)?));
        let sales = SalesRows {
            brand: self.brand.number,
            changes: changes.collect(),
            prints: self.prints,
        };
        let rows = Rows {
            entries: self.entries,
            refused: self.refused,
            sales: Some(Box::new(sales)),
            ..Rows::default()
        };
        let stored = (!outcomes.is_empty()).then(|| (rows, self.overlay.into_changes()));
        Decided {
            outcome: outcomes,
            stored,
        }
    }
}

/// What is to be written of a sale; `None` where nothing has changed.
fn change(before: Option<&StoredSale>, sale: &StoredSale) -> Option<SaleChange> {
    if before == Some(sale) {
        return None;
    }
    let missing = |from: Option<&StoredSale>, of: Option<&StoredSale>| {
        let has = |link| from.is_some_and(|from| from.links().any(|known| known == link));
        let links = of.into_iter().flat_map(StoredSale::links);
        let links = links.filter(|link| !has(*link));
        links.map(|(kind, id)| (kind, id.into())).collect()
    };
    Some(SaleChange {
        is_new: before.is_none(),
        new_links: missing(before, Some(sale)),
        old_links: missing(Some(sale), before),
        sale: sale.clone(),
    })
}

/// A sale as an item changes it: what the item does not say stays. Value and currency are one.
fn changed(before: &StoredSale, sent: &SentSale, customer: i64) -> StoredSale {
    let id = |sent: &Option<Box<str>>, before: &Option<Box<str>>| {
        let id = sent.as_ref().or(before.as_ref());
        id.cloned()
    };
    let currency = match sent.value {
        Some(_) => &sent.currency,
        None => &before.currency,
    };
    StoredSale {
        number: before.number,
        brand: before.brand,
        customer,
        event_at: sent.event_at,
        day: sent.day,
        external_sale_id: id(&sent.external_sale_id, &before.external_sale_id),
        order_id: id(&sent.order_id, &before.order_id),
        value: sent.value.or(before.value),
        currency: currency.clone(),
        extra: merged(before.extra.as_deref(), sent.extra.as_deref()),
        earned: before.earned,
    }
}

/// Members that are not documented: those of the item, each in the place that it has already, and those of the sale as
/// far as there is room; the oldest go first.
fn merged(before: Option<&str>, sent: Option<&str>) -> Option<Box<str>> {
    let (Some(before), Some(sent)) = (before, sent) else {
        return sent.or(before).map(Box::from);
    };
    if before == sent {
        return Some(sent.into());
    }
    let (Some(old), Some(new)) = (json::object(before), json::object(sent)) else {
        return Some(sent.into());
    };
    let known: HashSet<&str> = old.iter().map(|(name, _)| &**name).collect();
    let new_values: HashMap<&str, &str> =
        new.iter().map(|(name, value)| (&**name, *value)).collect();
    let mut too_much = before
        .len()
        .saturating_add(sent.len())
        .saturating_sub(EXTRA_MAX_BYTES);
    let stay = old.iter().filter_map(|(name, value)| {
        if let Some(value) = new_values.get(&**name) {
            return Some((&**name, *value));
        }
        if too_much > 0 {
            too_much = too_much.saturating_sub(name.len().saturating_add(value.len()));
            return None;
        }
        Some((&**name, *value))
    });
    let added = new.iter().filter(|(name, _)| !known.contains(&**name));
    let added = added.map(|(name, value)| (&**name, *value));
    Some(json::joined(stay.chain(added)).into())
}

/// Why nobody, or more than one, was found.
fn unmatched(code: Code, item: &Item, sent: &SentSale) -> Problem {
    let problem = Problem::new(code).field(MATCH_KEY);
    match &sent.keys {
        MatchKeys::Id(_) => problem.value(item.id.as_deref().unwrap_or("")),
        MatchKeys::Keys(keys) => {
            let forms = keys.iter().filter_map(|(_, forms)| forms.last());
            problem.value(&forms.map(|form| &**form).collect::<Vec<_>>().join(", "))
        }
    }
}
