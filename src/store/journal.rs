//! What posting loads and writes: keys, balances, journal entries, batches, customers, dates.

use super::connect::Readers;
use super::dialect::{self, FoundBalance, FoundKey, Writes};
use super::schema::{balances, batches, customer_keys, customers, journal, reversals};
use super::{Db, Result, rejections, search_texts};
use crate::amount::Amount;
use crate::loyalty::contacts::person::Columns;
use crate::loyalty::customers::Customer;
use crate::loyalty::ledger::{Balance, BalanceKey, Entry, Holder, Holders};
use crate::loyalty::rows::Rows;
use crate::parallel;
use diesel::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A journal entry as it is stored.
#[derive(Insertable, Serialize)]
#[diesel(table_name = journal, treat_none_as_default_value = false)]
pub(super) struct EntryRow<'a> {
    pub(super) account_id: i32,
    pub(super) number: i64,
    pub(super) customer: i64,
    pub(super) campaign: i32,
    pub(super) item: i32,
    pub(super) kind: i16,
    pub(super) amount: i64,
    pub(super) balance_after: i64,
    pub(super) date: i32,
    pub(super) recorded_at: i64,
    pub(super) previous: Option<i64>,
    pub(super) batch: Option<i64>,
    pub(super) line: Option<i32>,
    pub(super) user: Option<i32>,
    pub(super) given: Option<&'a str>,
    pub(super) formula: Option<&'a str>,
    pub(super) promotions: Option<&'a str>,
    pub(super) reward: Option<i32>,
    pub(super) reverses: Option<i64>,
    pub(super) flags: i32,
    pub(super) authorization: Option<&'a str>,
    pub(super) custom: Option<&'a str>,
}

/// A balance as it is stored.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct BalanceRow {
    /// The account's number.
    pub account_id: i32,
    /// The customer's number.
    pub customer: i64,
    /// The campaign's number.
    pub campaign: i32,
    /// The item's number, or 0.
    pub item: i32,
    /// Ten-thousandths.
    pub balance: i64,
    /// Its newest entry.
    pub last_entry: i64,
}

/// The range of entry numbers that have a date. It ends with a block of [`DATE_BLOCK`], not with the newest entry: so a day
/// that is written to all the time is widened once in so many entries, and not in every commit.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct DateRow {
    /// The account's number.
    pub account_id: i32,
    /// YYYYMMDD.
    pub date: i32,
    /// The lowest entry number with that date.
    pub lowest: i64,
    /// No entry with that date has a higher number.
    pub highest: i64,
}

/// Entry numbers by which the range of a date grows.
pub const DATE_BLOCK: i64 = 16_384;

/// The last number of the block that a number lies in.
pub fn block_end(number: i64) -> i64 {
    number | (DATE_BLOCK - 1)
}

#[derive(Insertable, Serialize)]
#[diesel(table_name = batches, treat_none_as_default_value = false)]
struct NewBatch<'a> {
    account_id: i32,
    number: i64,
    commit_id: &'a [u8],
    user: i32,
    recorded_at: i64,
    first_entry: i64,
    transactions: i32,
    rejected: i32,
    new_customers: i32,
    undoable: bool,
    layout: Option<&'a str>,
}

/// A batch of customers.
#[derive(Insertable, Serialize)]
#[diesel(table_name = batches, treat_none_as_default_value = false)]
struct NewImport<'a> {
    account_id: i32,
    number: i64,
    commit_id: &'a [u8],
    user: i32,
    recorded_at: i64,
    first_entry: i64,
    transactions: i32,
    rejected: i32,
    new_customers: i32,
    undoable: bool,
    layout: Option<&'a str>,
    kind: i16,
    customers: i32,
}

/// The kind of a batch of customers.
pub const OF_CUSTOMERS: i16 = 1;

/// A customer to be written.
#[derive(Insertable, Serialize, Clone, Default, PartialEq, Eq, Debug)]
#[diesel(table_name = customers, treat_none_as_default_value = false)]
pub struct CustomerRow<'a> {
    /// The account's number.
    pub account_id: i32,
    /// The customer's number.
    pub number: i64,
    /// Its code.
    pub code: Option<&'a str>,
    /// Its card number.
    pub card_number: Option<&'a str>,
    /// First name.
    pub first_name: Option<&'a str>,
    /// Last name.
    pub last_name: Option<&'a str>,
    /// E-mail address, as given.
    pub email: Option<&'a str>,
    /// Phone, as given.
    pub phone: Option<&'a str>,
    /// Cell phone, as given.
    pub cellphone: Option<&'a str>,
    /// Identity document, as given.
    pub document: Option<&'a str>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

#[derive(Insertable, Serialize)]
#[diesel(table_name = customer_keys, treat_none_as_default_value = false)]
struct KeyRow<'a> {
    account_id: i32,
    value: &'a str,
    customer: i64,
    replaced: bool,
}

/// Who holds these codes and card numbers; repeated ones are looked up once.
pub fn holders<'a>(
    db: &mut Db,
    account: i32,
    values: impl Iterator<Item = &'a str>,
) -> Result<Holders> {
    Ok(by_key(dialect::find_keys(db, account, &distinct(values))?))
}

/// Who holds these many codes and card numbers: each thread reads its share on a connection of its own, and so perhaps at
/// a moment of its own.
pub fn holders_apart<'a>(
    readers: &Readers,
    account: i32,
    values: impl Iterator<Item = &'a str>,
) -> Result<Holders> {
    let shares = parallel::map(&distinct(values), |share| {
        let found = readers.get();
        vec![found.and_then(|mut db| dialect::find_keys(&mut db, account, share))]
    });
    let mut rows = Vec::new();
    for share in shares {
        rows.append(&mut share?);
    }
    Ok(by_key(rows))
}

/// Each value once, in their order.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let distinct: HashSet<&str> = values.collect();
    let mut sorted: Vec<&str> = distinct.into_iter().collect();
    sorted.sort_unstable();
    sorted
}

fn by_key(rows: Vec<FoundKey>) -> Holders {
    rows.into_iter()
        .map(|(value, customer, replaced)| (value.into_boxed_str(), Holder { customer, replaced }))
        .collect()
}

/// Customers of one look-up: stays below the parameters that a statement may have.
const CUSTOMERS_PER_LOOKUP: usize = 500;

/// The codes of customers, else their card numbers, by their numbers. Those who have neither are missing.
pub fn codes(db: &mut Db, account: i32, numbers: &[i64]) -> Result<HashMap<i64, String>> {
    let mut found = HashMap::new();
    for chunk in numbers.chunks(CUSTOMERS_PER_LOOKUP) {
        let rows: Vec<(i64, Option<String>, Option<String>)> = customers::table
            .filter(customers::account_id.eq(account))
            .filter(customers::number.eq_any(chunk))
            .select((customers::number, customers::code, customers::card_number))
            .load(db)?;
        found.extend(
            rows.into_iter()
                .filter_map(|(number, code, card)| Some((number, code.or(card)?))),
        );
    }
    Ok(found)
}

/// Balances of an account that are asked for, in any order; repeated ones are looked up once.
pub type Wanted = (i32, Vec<BalanceKey>);

/// Balances of an account.
pub type Loaded = (i32, Vec<(BalanceKey, Balance)>);

/// Keys from which on the balances of an account may be read one after the other, which takes a fraction of a look-up
/// each; and how many for each one that is asked for.
const SCAN_KEYS: usize = 2000;
const SCAN_TIMES: i64 = 3;

/// The balances that are asked for, as far as they have rows.
pub fn load_balances(db: &mut Db, wanted: Vec<Wanted>) -> Result<Vec<Loaded>> {
    let mut rows = Vec::new();
    let mut singly = Vec::new();
    for (account, mut keys) in wanted {
        keys.sort_unstable();
        keys.dedup();
        match scan_balances(db, account, &keys)? {
            Some(mut found) => rows.append(&mut found),
            None => singly.extend(
                keys.iter()
                    .map(|key| (account, key.customer, key.campaign, key.item)),
            ),
        }
    }
    rows.append(&mut dialect::find_balances(db, &singly)?);
    let loaded = |rows: &[FoundBalance]| {
        let account = rows.first()?.0;
        let balances = rows
            .iter()
            .map(|(_, customer, campaign, item, balance, last_entry)| {
                let key = BalanceKey {
                    customer: *customer,
                    campaign: *campaign,
                    item: *item,
                };
                let amount = Amount::from_raw(*balance);
                let last_entry = *last_entry;
                (key, Balance { amount, last_entry })
            });
        Some((account, balances.collect()))
    };
    let by_account = rows.chunk_by(|a, b| a.0 == b.0);
    Ok(by_account.filter_map(loaded).collect())
}

/// The balances with these keys, which are sorted, where they are a good part of those of the customers between the first
/// and the last; else `None`.
fn scan_balances(
    db: &mut Db,
    account: i32,
    keys: &[BalanceKey],
) -> Result<Option<Vec<FoundBalance>>> {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return Ok(None);
    };
    let most = SCAN_TIMES.saturating_mul(i64::try_from(keys.len()).unwrap_or(i64::MAX));
    if keys.len() < SCAN_KEYS || last.customer.saturating_sub(first.customer) > most {
        return Ok(None);
    }
    let mut rows: Vec<FoundBalance> = balances::table
        .filter(balances::account_id.eq(account))
        .filter(balances::customer.between(first.customer, last.customer))
        .order((balances::customer, balances::campaign, balances::item))
        .select((
            balances::account_id,
            balances::customer,
            balances::campaign,
            balances::item,
            balances::balance,
            balances::last_entry,
        ))
        .limit(most)
        .load(db)?;
    if i64::try_from(rows.len()).is_ok_and(|read| read >= most) {
        // They have more balances than were reckoned with.
        return Ok(None);
    }
    let mut asked = keys.iter().peekable();
    rows.retain(|row| {
        let key = (row.1, row.2, row.3);
        let of = |asked: &BalanceKey| (asked.customer, asked.campaign, asked.item);
        while asked.next_if(|asked| of(asked) < key).is_some() {}
        asked.peek().is_some_and(|asked| of(asked) == key)
    });
    Ok(Some(rows))
}

pub(super) fn none_if_empty(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[derive(Insertable, Serialize)]
#[diesel(table_name = reversals)]
struct ReversalRow {
    account_id: i32,
    entry: i64,
    by_entry: i64,
}

/// Rows of entries that are made before they are written.
const ENTRIES_AT_A_TIME: usize = 1000;

/// Writes journal entries, which come in the order of their numbers, and what they reverse.
pub fn save_entries<'e, 'a: 'e>(
    writes: &mut Writes<'_>,
    account: i32,
    entries: impl Iterator<Item = &'e Entry<'a>> + Clone,
    now_us: i64,
) -> Result<()> {
    let mut reversals: Vec<ReversalRow> = entries
        .clone()
        .filter_map(|entry| {
            Some(ReversalRow {
                account_id: account,
                entry: entry.reverses?,
                by_entry: entry.number,
            })
        })
        .collect();
    // The key refuses what is reversed already.
    reversals.sort_unstable_by_key(|row| row.entry);
    dialect::insert_rows!(writes, reversals, &reversals);
    let mut rows_of = entries.map(|entry| EntryRow {
        account_id: account,
        number: entry.number,
        customer: entry.key.customer,
        campaign: entry.key.campaign,
        item: entry.key.item,
        kind: entry.kind.stored(),
        amount: entry.amount.raw(),
        balance_after: entry.balance_after.raw(),
        date: entry.date.number(),
        recorded_at: now_us,
        previous: entry.previous,
        batch: entry.line.map(|(batch, _)| batch),
        line: entry.line.map(|(_, line)| line),
        user: entry.user,
        given: none_if_empty(&entry.given),
        formula: entry.formula.as_deref(),
        promotions: none_if_empty(entry.promotions),
        reward: entry.reward,
        reverses: entry.reverses,
        flags: 0,
        authorization: none_if_empty(&entry.authorization),
        custom: entry.custom,
    });
    // A part at a time: all rows at once would take as much memory again as the entries.
    let mut rows: Vec<EntryRow<'_>> = Vec::new();
    loop {
        rows.clear();
        rows.extend(rows_of.by_ref().take(ENTRIES_AT_A_TIME));
        if rows.is_empty() {
            return Ok(());
        }
        dialect::save_entries(writes, &rows)?;
    }
}

/// The search text of a customer that has nothing beyond its row.
fn search_text(row: &CustomerRow<'_>) -> String {
    let kept = |text: Option<&str>| text.map(Box::from);
    let (code, card) = (kept(row.code), kept(row.card_number));
    let mut customer = Customer::bare(row.number, code, card, row.created_at);
    customer.person.columns = Columns {
        first_name: kept(row.first_name),
        last_name: kept(row.last_name),
        email: kept(row.email),
        phone: kept(row.phone),
        cellphone: kept(row.cellphone),
        ..Columns::default()
    };
    search_texts::of(&customer)
}

/// Writes new customers, the codes and cards they hold, and what they are searched by.
pub fn save_customers(writes: &mut Writes<'_>, rows: &[CustomerRow<'_>]) -> Result<()> {
    dialect::insert_rows!(writes, customers, rows);
    let mut keys: Vec<KeyRow<'_>> = rows
        .iter()
        .flat_map(|row| {
            // A card equal to its own code is one key.
            let card = row.card_number.filter(|card| row.code != Some(card));
            [row.code, card]
                .into_iter()
                .flatten()
                .map(move |value| (row, value))
        })
        .map(|(row, value)| KeyRow {
            account_id: row.account_id,
            value,
            customer: row.number,
            replaced: false,
        })
        .collect();
    keys.sort_unstable_by_key(|key| key.value);
    dialect::insert_rows!(writes, customer_keys, &keys);
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let texts: Vec<(i64, String)> = rows
        .iter()
        .map(|row| (row.number, search_text(row)))
        .collect();
    search_texts::save(writes, first.account_id, &texts)
}

/// The ranges of entry numbers by date that these entries bring.
pub fn date_rows<'e, 'a: 'e>(
    account: i32,
    entries: impl Iterator<Item = &'e Entry<'a>>,
) -> Vec<DateRow> {
    let mut ranges: BTreeMap<i32, (i64, i64)> = BTreeMap::new();
    for entry in entries {
        let range = ranges
            .entry(entry.date.number())
            .or_insert((entry.number, entry.number));
        range.1 = block_end(entry.number);
    }
    ranges
        .into_iter()
        .map(|(date, (lowest, highest))| DateRow {
            account_id: account,
            date,
            lowest,
            highest,
        })
        .collect()
}

/// Writes balances in the order of their keys.
pub fn save_balances(
    writes: &mut Writes<'_>,
    account: i32,
    changed: &[(BalanceKey, Balance)],
) -> Result<()> {
    let rows: Vec<BalanceRow> = changed
        .iter()
        .map(|(key, balance)| BalanceRow {
            account_id: account,
            customer: key.customer,
            campaign: key.campaign,
            item: key.item,
            balance: balance.amount.raw(),
            last_entry: balance.last_entry,
        })
        .collect();
    dialect::save_balances(writes, &rows)
}

/// Writes all rows of some requests of one account, in one pass per table. `commit_id` is the one of their transaction;
/// `widened` leaves those dates that are not known to be written already.
pub fn save(
    writes: &mut Writes<'_>,
    account: i32,
    requests: &[Rows<'_>],
    commit_id: &[u8; 16],
    now_us: i64,
    widened: impl FnOnce(&mut Vec<DateRow>),
) -> Result<()> {
    let rows: Vec<NewBatch<'_>> = requests
        .iter()
        .filter(|rows| rows.imported().is_none())
        .filter_map(|rows| Some((rows, rows.batch.as_ref()?)))
        .map(|(rows, batch)| NewBatch {
            account_id: account,
            number: batch.number,
            commit_id,
            user: batch.user,
            recorded_at: now_us,
            first_entry: batch.first_entry,
            transactions: count(rows.entries.len()),
            rejected: count(rows.refused.len()),
            new_customers: count(rows.customers.len()),
            undoable: batch.undoable,
            layout: batch.layout.as_deref(),
        })
        .collect();
    dialect::insert_rows!(writes, batches, &rows);
    let imports: Vec<NewImport<'_>> = requests
        .iter()
        .filter_map(|rows| {
            let (batch, people) = (rows.batch.as_ref()?, rows.people.as_ref()?);
            let new = people.customers.iter().filter(|one| one.before.is_none());
            Some(NewImport {
                account_id: account,
                number: batch.number,
                commit_id,
                user: batch.user,
                recorded_at: now_us,
                first_entry: batch.first_entry,
                transactions: count(rows.entries.len()),
                rejected: count(rows.refused.len()),
                new_customers: count(new.count()),
                undoable: batch.undoable,
                layout: batch.layout.as_deref(),
                kind: OF_CUSTOMERS,
                customers: count(people.imported?),
            })
        })
        .collect();
    dialect::insert_rows!(writes, batches, &imports);
    let customers: Vec<CustomerRow<'_>> = requests
        .iter()
        .flat_map(|rows| &rows.customers)
        .map(|new| CustomerRow {
            account_id: account,
            number: new.number,
            code: Some(new.code),
            card_number: new.card,
            created_at: now_us,
            ..CustomerRow::default()
        })
        .collect();
    save_customers(writes, &customers)?;
    let entries = || requests.iter().flat_map(|rows| &rows.entries);
    save_entries(writes, account, entries(), now_us)?;
    let mut dates = date_rows(account, entries());
    widened(&mut dates);
    dialect::save_dates(writes, &dates)?;
    rejections::save(writes, account, requests, now_us)
}

/// Which of these customers have a balance.
pub fn with_balances(db: &mut Db, account: i32, numbers: &[i64]) -> Result<HashSet<i64>> {
    let found: Vec<i64> = balances::table
        .filter(balances::account_id.eq(account))
        .filter(balances::customer.eq_any(numbers))
        .select(balances::customer)
        .distinct()
        .load(db)?;
    Ok(found.into_iter().collect())
}
