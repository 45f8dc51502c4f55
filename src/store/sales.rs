//! Sales and the ids by which they are found.

use super::dialect::people::{
    HOLDERS_MOST, PersonKey, find_person_keys, those_there as person_keys_there,
};
use super::dialect::sales::{
    SaleFound, find_customers, find_sale_keys, find_sales, remove_sale_keys,
};
use super::dialect::{Writes, rows::rows};
use super::{Db, Failure, Result};
use crate::amount::Amount;
use crate::dates::Day;
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::ledger::BalanceKey;
use crate::loyalty::rows::Rows;
use crate::loyalty::sales::book::Book;
use crate::loyalty::sales::read::MatchKeys;
use crate::loyalty::sales::rows::{Earned, SaleChange, StoredSale};
use crate::loyalty::sales::{Sales, matching};
use std::collections::{HashMap, HashSet};

rows! {
    struct Row<'a> in sales {
        account_id: i32,
        number: i64,
        brand: i32,
        customer: i64,
        event_at: i64,
        event_date: i32,
        external_sale_id: Option<&'a str>,
        order_id: Option<&'a str>,
        value: Option<i64>,
        currency: &'a str,
        extra: Option<&'a str>,
        campaign: Option<i32>,
        entry: Option<i64>,
        points: Option<i64>,
        created_at: i64,
        updated_at: i64,
    }
    key account_id, number;
    set customer, event_at, event_date, external_sale_id, order_id, value, currency, extra, campaign, entry, points, updated_at
}

rows! {
    struct KeyRow<'a> in sale_keys {
        account_id: i32,
        brand: i32,
        kind: i16,
        value: &'a str,
        sale: i64,
    }
    keep account_id, brand, kind, value, sale
}

/// A stored value of this program that it cannot read.
fn broken(what: &str) -> Failure {
    Failure::Data(format!("the stored {what} of a sale cannot be read"))
}

/// What is known of the customers and sales that these sales may mean. One look-up for each kind of thing that is asked
/// for, however many sales there are.
pub fn load(db: &mut Db, account: i32, asked: &[&Sales]) -> Result<Book> {
    let mut book = Book::default();
    let valid = || {
        asked.iter().flat_map(|sales| {
            let items = sales.items.iter();
            items.filter_map(|item| Some((sales.brand, item.read.as_ref().ok()?)))
        })
    };
    let keys = sorted(valid().flat_map(|(_, sale)| {
        let asked = matching::asked(&sale.keys);
        asked.map(|(kind, value)| (kind.stored(), value))
    }));
    let known = find_person_keys(db, account, &keys)?;
    let crowded = crowded(&known);
    add_keys(&mut book, &known)?;
    let others = sorted(valid().flat_map(|(_, sale)| in_a_crowd(&sale.keys, &crowded, &book)));
    let known = person_keys_there(db, account, &others)?;
    add_keys(&mut book, &known)?;
    let ids = sorted(valid().filter_map(|(_, sale)| match sale.keys {
        MatchKeys::Id(id) => id,
        MatchKeys::Keys(_) => None,
    }));
    for customer in find_customers(db, account, &ids)? {
        book.add_customer(customer);
    }
    let links = sorted(valid().flat_map(|(brand, sale)| {
        sale.links()
            .map(move |(kind, id)| (brand, kind.stored(), id))
    }));
    let known = find_sale_keys(db, account, &links)?;
    for sale in of(db, account, &sorted(known.iter().map(|key| key.3)))? {
        book.add_sale(sale);
    }
    Ok(book)
}

/// The keys that so many customers have that not all of them were looked at.
fn crowded(known: &[PersonKey]) -> HashSet<(i16, &str)> {
    let mut counts: HashMap<(i16, &str), usize> = HashMap::new();
    for (kind, value, _) in known {
        let count = counts.entry((*kind, value.as_str())).or_default();
        *count = count.saturating_add(1);
    }
    let crowded = counts
        .into_iter()
        .filter(|(_, count)| *count >= HOLDERS_MOST);
    crowded.map(|(key, _)| key).collect()
}

/// Whom the other keys of a sale may mean, with each of its keys that is crowded: whether they have that one too was
/// perhaps not looked at. Customers of a key were found in their order.
fn in_a_crowd<'s>(
    keys: &'s MatchKeys,
    crowded: &HashSet<(i16, &str)>,
    book: &Book,
) -> Vec<(i16, &'s str, i64)> {
    let asked =
        || matching::asked(keys).map(move |(kind, value)| (kind, value, book.holders(kind, value)));
    let crowds = asked().filter(|(kind, value, _)| crowded.contains(&(kind.stored(), *value)));
    crowds
        .flat_map(|(kind, value, members)| {
            let others = asked().flat_map(|(_, _, holders)| holders.iter().copied());
            let others = others.filter(|customer| members.binary_search(customer).is_err());
            others
                .map(move |customer| (kind.stored(), value, customer))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn add_keys(book: &mut Book, known: &[PersonKey]) -> Result<()> {
    for (kind, value, customer) in known {
        let kind = KeyKind::from_stored(*kind).ok_or_else(|| broken("kind of a key"))?;
        book.add_key(kind, value, *customer);
    }
    Ok(())
}

/// Each of them once, in their order.
fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = all.collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// The sales with these numbers.
pub fn of(db: &mut Db, account: i32, numbers: &[i64]) -> Result<Vec<StoredSale>> {
    let found = find_sales(db, account, numbers)?;
    found.into_iter().map(stored).collect()
}

fn stored((head, ids, money, earned, entry): SaleFound) -> Result<StoredSale> {
    let (number, brand, customer, event_at, event_date) = head;
    let (external_sale_id, order_id) = ids;
    let (value, currency, extra) = money;
    let day = |number| Day::from_number(number).ok_or_else(|| broken("day"));
    let earned = match (earned, entry) {
        ((Some(campaign), Some(entry), Some(points)), (Some(customer), Some(date))) => {
            Some(Earned {
                key: BalanceKey {
                    customer,
                    campaign,
                    item: 0,
                },
                entry,
                points: Amount::from_raw(points),
                day: day(date)?,
            })
        }
        ((None, None, None), _) => None,
        _ => return Err(broken("points")),
    };
    Ok(StoredSale {
        number,
        brand,
        customer,
        event_at,
        day: day(event_date)?,
        external_sale_id: external_sale_id.map(String::into_boxed_str),
        order_id: order_id.map(String::into_boxed_str),
        value: value.map(Amount::from_raw),
        currency: currency.into(),
        extra: extra.map(String::into_boxed_str),
        earned,
    })
}

/// A row of `sale_keys` without its account: brand, kind, value, sale.
type Key<'a> = (i32, i16, &'a str, i64);

/// Writes the sales of some requests. Several of them may have touched one sale: what the last one says counts, and what
/// is written of one row is one thing, because the writes of a group have no order.
pub fn save(
    writes: &mut Writes<'_>,
    account: i32,
    requests: &[Rows<'_>],
    now_us: i64,
) -> Result<()> {
    let changes = requests
        .iter()
        .filter_map(|rows| rows.sales.as_ref())
        .flat_map(|rows| &rows.changes);
    let mut last: HashMap<i64, &SaleChange> = HashMap::new();
    // Whether each id is there in the end.
    let mut keys: HashMap<Key<'_>, bool> = HashMap::new();
    for change in changes {
        last.insert(change.sale.number, change);
        let StoredSale { number, brand, .. } = change.sale;
        for (links, is_there) in [(&change.old_links, false), (&change.new_links, true)] {
            for (kind, value) in links {
                keys.insert((brand, kind.stored(), value, number), is_there);
            }
        }
    }
    let mut rows: Vec<Row<'_>> = last
        .values()
        .map(|change| row(account, &change.sale, now_us))
        .collect();
    // Rows of a table come fastest in its order.
    rows.sort_unstable_by_key(|row| row.number);
    Row::save(writes, &rows)?;
    let wanted = |is_there: bool| {
        let some = keys.iter().filter(move |(_, there)| **there == is_there);
        sorted(some.map(|(key, _)| *key))
    };
    let new: Vec<KeyRow<'_>> = wanted(true)
        .into_iter()
        .map(|(brand, kind, value, sale)| KeyRow {
            account_id: account,
            brand,
            kind,
            value,
            sale,
        })
        .collect();
    KeyRow::save(writes, &new)?;
    remove_sale_keys(writes, account, &wanted(false))
}

fn row(account: i32, sale: &StoredSale, now_us: i64) -> Row<'_> {
    let earned = sale.earned.as_ref();
    Row {
        account_id: account,
        number: sale.number,
        brand: sale.brand,
        customer: sale.customer,
        event_at: sale.event_at,
        event_date: sale.day.number(),
        external_sale_id: sale.external_sale_id.as_deref(),
        order_id: sale.order_id.as_deref(),
        value: sale.value.map(Amount::raw),
        currency: &sale.currency,
        extra: sale.extra.as_deref(),
        campaign: earned.map(|earned| earned.key.campaign),
        entry: earned.map(|earned| earned.entry),
        points: earned.map(|earned| earned.points.raw()),
        created_at: now_us,
        updated_at: now_us,
    }
}
