//! Customers read in pages.
//!
//! Belongs here: one page at a time. Does not belong here: who is sought ([`crate::loyalty::customers::search`]), what a
//! page looks like.
//!
//! Between two pages no connection and no transaction is held: a slow client keeps nobody from writing. Customers who come
//! while a list is read are not in it.

use super::{Poster, reading};
use crate::error::Problem;
use crate::loyalty::customers::Customer;
use crate::loyalty::customers::search::{Filter, Narrow};
use crate::loyalty::ledger::{Balance, BalanceKey};
use crate::store::dialect::people::find_person_keys;
use crate::store::dialect::search::{find_candidates, stretch_end};
use crate::store::{Db, Failure, journal, search_texts};
use std::sync::Arc;

/// The most customers of a page.
const PAGE: usize = 500;

/// Who is sought, and what is wanted of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// The account's number.
    pub account: i32,
    /// Who.
    pub filter: Filter,
    /// Campaigns and items whose balances are wanted.
    pub balances: Vec<(i32, i32)>,
}

/// Where the next page of a list begins, and where the list ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    after: i64,
    until: i64,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Customers, by their numbers; none only where the list is empty or at its end.
    pub customers: Vec<Customer>,
    /// Their balances, as far as there are any, sorted.
    pub balances: Vec<(BalanceKey, Balance)>,
    /// Where the next page begins; `None` for the last one.
    pub next: Option<Place>,
}

impl Poster {
    /// Reads a page of the customers who are sought: the first one, or the one that begins at a place.
    pub async fn customers_page(
        &self,
        search: Arc<Search>,
        place: Option<Place>,
    ) -> Result<Page, Problem> {
        let readers = self.readers.clone();
        reading(move || page(&mut *readers.get()?, &search, place)).await
    }
}

/// As [`Poster::customers_page`], on a connection.
pub fn page(db: &mut Db, search: &Search, place: Option<Place>) -> Result<Page, Failure> {
    let Place { mut after, until } = match place {
        Some(place) => place,
        None => Place {
            after: 0,
            until: search_texts::last_customer(db, search.account)?,
        },
    };
    loop {
        let (numbers, reached) = candidates(db, search, after, until)?;
        let mut customers = search_texts::customers_with(db, search.account, &numbers)?;
        customers.retain(|one| !one.is_erased() && search.filter.matches(one));
        let ends = reached >= until;
        if customers.is_empty() && !ends {
            after = reached;
            continue;
        }
        customers.sort_unstable_by_key(|one| one.person.customer);
        return Ok(Page {
            balances: balances(db, search, &customers)?,
            customers,
            next: (!ends).then_some(Place {
                after: reached,
                until,
            }),
        });
    }
}

/// Customers behind `after` who may be sought, and the number up to which there are no others.
fn candidates(
    db: &mut Db,
    search: &Search,
    after: i64,
    until: i64,
) -> Result<(Vec<i64>, i64), Failure> {
    let (account, filter) = (search.account, &search.filter);
    if filter.is_everybody() {
        let numbers = search_texts::numbers(db, account, (after, until), rows(PAGE))?;
        let reached = full(&numbers).unwrap_or(until);
        return Ok((numbers, reached));
    }
    if let Some(narrow) = filter.narrow() {
        let mut numbers: Vec<i64> = match narrow {
            Narrow::Key(value) => {
                let holders = journal::holders(db, account, std::iter::once(value))?;
                holders.values().map(|holder| holder.customer).collect()
            }
            Narrow::Person(kind, value) => {
                let found = find_person_keys(db, account, &[(kind.stored(), &*value)])?;
                found.into_iter().map(|(_, _, customer)| customer).collect()
            }
        };
        numbers.retain(|number| (after.saturating_add(1)..=until).contains(number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers.truncate(PAGE);
        let reached = full(&numbers).unwrap_or(until);
        return Ok((numbers, reached));
    }
    let end = stretch_end(db, account, after)?.map_or(until, |end| end.min(until));
    let needles = filter.needles();
    let numbers = find_candidates(db, account, (after, end), &needles, rows(PAGE))?;
    let reached = full(&numbers).unwrap_or(end);
    Ok((numbers, reached))
}

/// The last of as many numbers as a page may have: then there may be more behind it.
fn full(numbers: &[i64]) -> Option<i64> {
    let last = numbers.last().copied();
    last.filter(|_| numbers.len() >= PAGE)
}

fn rows(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn balances(
    db: &mut Db,
    search: &Search,
    customers: &[Customer],
) -> Result<Vec<(BalanceKey, Balance)>, Failure> {
    let of = |customer: i64| {
        let places = search.balances.iter();
        places.map(move |(campaign, item)| BalanceKey {
            customer,
            campaign: *campaign,
            item: *item,
        })
    };
    let keys = customers.iter().flat_map(|one| of(one.person.customer));
    let wanted = (search.account, keys.collect());
    let loaded = journal::load_balances(db, vec![wanted])?;
    let mut found: Vec<_> = loaded.into_iter().flat_map(|(_, found)| found).collect();
    found.sort_unstable_by_key(|(key, _)| *key);
    Ok(found)
}
