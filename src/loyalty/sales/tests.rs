//! Sales in a shop that is kept in memory: loaded, decided and stored as a database would have it.

mod deciding;
mod earning;
mod laws;
mod matching;
mod reading;

use super::book::{Book, LinkKind};
use super::read::{Item, MatchKeys, Terms};
use super::rows::StoredSale;
use super::{SaleOutcome, Sales, Source, decide, matching as finding};
use crate::amount::{self, Amount};
use crate::dates::Day;
use crate::error::{Code, Problem};
use crate::loyalty::account::{Account, Brand, Campaign, Kind};
use crate::loyalty::contacts::sent::KeyKind;
use crate::loyalty::ledger::{
    Balance, BalanceKey, EntryKind, Ledger, Numbers, Overlay, SyncNumbers,
};
use crate::loyalty::rows::{Decided, Rows};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

const TODAY: i32 = 20_191_231;

fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

fn money(text: &str) -> Amount {
    amount::read_money(text).unwrap()
}

fn campaign(number: i32, ratio: &str) -> Campaign {
    Campaign {
        points_ratio: money(ratio),
        ..Campaign::new(number, &format!("C{number}"), "Points", Kind::Points)
    }
}

fn brand(number: i32, campaign: Option<i32>) -> Brand {
    Brand {
        number,
        id: format!("brand {number}"),
        currency: "EUR".to_owned(),
        zone: Tz::UTC,
        campaign,
        token: [7; 32],
    }
}

/// An account as it is configured.
fn account(campaigns: Vec<Campaign>, brands: Vec<Brand>) -> Account {
    let name = "Shop".to_owned();
    let mut account = Account::new(1, "shop".to_owned(), name, Tz::UTC, 1, vec![], campaigns);
    account.country = Some("ES".to_owned());
    account.brands = brands;
    account
}

/// A journal entry, as far as it matters here.
#[derive(Clone, PartialEq, Debug)]
struct Posted {
    number: i64,
    key: BalanceKey,
    kind: EntryKind,
    amount: Amount,
    after: Amount,
    day: Day,
    given: String,
    formula: Option<String>,
    authorization: String,
    reverses: Option<i64>,
}

/// A kept item.
#[derive(Clone, PartialEq, Debug)]
struct KeptItem {
    number: i64,
    place: u32,
    raw: String,
    problem: Problem,
    day: Day,
    print: [u8; 32],
    open: bool,
}

/// What a database would have.
#[derive(Clone, PartialEq, Debug)]
struct Shop {
    customers: BTreeSet<i64>,
    keys: BTreeSet<(KeyKind, String, i64)>,
    sales: BTreeMap<i64, StoredSale>,
    links: BTreeSet<(i32, LinkKind, String, i64)>,
    entries: Vec<Posted>,
    balances: BTreeMap<BalanceKey, Balance>,
    kept: Vec<KeptItem>,
    numbers: Numbers,
}

impl Shop {
    /// A shop with customers and their keys.
    fn new(keys: &[(KeyKind, &str, i64)], customers: &[i64]) -> Shop {
        let of_keys = keys.iter().map(|(_, _, customer)| *customer);
        Shop {
            customers: of_keys.chain(customers.iter().copied()).collect(),
            keys: keys
                .iter()
                .map(|(kind, value, customer)| (*kind, (*value).to_owned(), *customer))
                .collect(),
            sales: BTreeMap::new(),
            links: BTreeSet::new(),
            entries: Vec::new(),
            balances: BTreeMap::new(),
            kept: Vec::new(),
            numbers: Numbers {
                entry: 1,
                batch: 1,
                customer: 100,
                rejection: 1,
                sale: 1,
                sync: SyncNumbers::default(),
            },
        }
    }

    /// What a group of requests needs, and no more.
    fn load(&self, account: &Account, group: &[Sales]) -> Ledger {
        let mut book = Book::default();
        for sales in group {
            for sent in sales
                .items
                .iter()
                .filter_map(|item| item.read.as_ref().ok())
            {
                if let MatchKeys::Id(Some(number)) = sent.keys
                    && self.customers.contains(&number)
                {
                    book.add_customer(number);
                }
                for (kind, value) in finding::asked(&sent.keys) {
                    let holders = self.keys.iter();
                    let holders = holders.filter(|key| key.0 == kind && key.1 == value);
                    holders.for_each(|key| book.add_key(kind, value, key.2));
                }
                for (kind, id) in sent.links() {
                    let found = self.links.iter();
                    let found = found.filter(|link| (link.0, link.1) == (sales.brand, kind));
                    for link in found.filter(|link| link.2 == id) {
                        book.add_sale(self.sales[&link.3].clone());
                    }
                }
            }
        }
        let mut ledger = Ledger::new(self.numbers, Vec::new());
        ledger.sales = book;
        let keys = group
            .iter()
            .flat_map(|sales| sales.balances(account, &ledger));
        let keys: BTreeSet<BalanceKey> = keys.collect();
        let of = |key: BalanceKey| Some((key, *self.balances.get(&key)?));
        ledger.load(keys.into_iter().filter_map(of));
        ledger
    }

    /// Posts requests as one group.
    fn group(
        &mut self,
        account: &Account,
        group: &[Sales],
    ) -> Vec<Result<Vec<SaleOutcome>, Problem>> {
        let mut ledger = self.load(account, group);
        let mut answers = Vec::new();
        let mut stored = Vec::new();
        for sales in group {
            let decided = decide::decide(account, sales, &ledger);
            answers.push(decided.map(|Decided { outcome, stored: s }| {
                if let Some((rows, changes)) = s {
                    ledger.accept(changes);
                    stored.push(rows);
                }
                outcome
            }));
        }
        for rows in &stored {
            self.take(rows);
        }
        // Nothing that one request of a group opens and a later one closes stays open.
        let prints = stored.iter().filter_map(|rows| rows.sales.as_ref());
        let prints: BTreeMap<[u8; 32], i64> = prints
            .flat_map(|rows| rows.prints.iter().copied())
            .collect();
        for item in self.kept.iter_mut().filter(|item| item.open) {
            item.open = prints
                .get(&item.print)
                .is_none_or(|below| item.number >= *below);
        }
        self.balances.extend(ledger.changed());
        self.numbers = ledger.numbers;
        self.check(account);
        answers
    }

    fn take(&mut self, rows: &Rows<'_>) {
        for entry in &rows.entries {
            assert_eq!(
                entry.previous,
                self.entries
                    .iter()
                    .rfind(|one| one.key == entry.key)
                    .map(|one| one.number)
            );
            self.entries.push(Posted {
                number: entry.number,
                key: entry.key,
                kind: entry.kind,
                amount: entry.amount,
                after: entry.balance_after,
                day: entry.date,
                given: entry.given.clone().into_owned(),
                formula: entry.formula.clone().map(String::from),
                authorization: entry.authorization.to_string(),
                reverses: entry.reverses,
            });
        }
        for refused in &rows.refused {
            self.kept.push(KeptItem {
                number: refused.number,
                place: refused.line,
                raw: refused.raw.to_owned(),
                problem: refused.problem.clone(),
                day: refused.effective_date,
                print: refused.fingerprint,
                open: true,
            });
        }
        let Some(sales) = &rows.sales else {
            return;
        };
        for change in &sales.changes {
            let sale = &change.sale;
            let old = self.sales.insert(sale.number, sale.clone());
            assert_eq!(old.is_none(), change.is_new);
            assert_ne!(old.as_ref(), Some(sale), "nothing to write");
            let link = |(kind, id): &(LinkKind, Box<str>)| {
                (sale.brand, *kind, id.to_string(), sale.number)
            };
            for old in &change.old_links {
                assert!(self.links.remove(&link(old)));
            }
            for new in &change.new_links {
                assert!(self.links.insert(link(new)));
            }
        }
    }

    /// What holds whatever was posted.
    fn check(&self, account: &Account) {
        let ids = self.sales.values().flat_map(|sale| {
            let links = sale.links();
            links.map(|(kind, id)| (sale.brand, kind, id.to_owned(), sale.number))
        });
        assert_eq!(ids.collect::<BTreeSet<_>>(), self.links);
        let numbers: Vec<i64> = self.sales.keys().copied().collect();
        assert_eq!(numbers, (1..self.numbers.sale).collect::<Vec<_>>());
        let mut sums: BTreeMap<BalanceKey, Amount> = BTreeMap::new();
        let mut reversed = BTreeSet::new();
        for (entry, number) in self.entries.iter().zip(1..) {
            assert_eq!(entry.number, number);
            let sum = sums.entry(entry.key).or_default();
            *sum = sum.checked_add(entry.amount).unwrap();
            assert_eq!(entry.after, *sum);
            if let Some(other) = entry.reverses {
                let other = self.entries.iter().find(|one| one.number == other).unwrap();
                assert_eq!(other.amount.checked_neg(), Some(entry.amount));
                assert_eq!((other.key, other.day), (entry.key, entry.day));
                assert!(reversed.insert(other.number), "reversed twice");
            }
        }
        let may_be = |(key, sum): (&BalanceKey, &Amount)| {
            let campaign = account.campaign_by_number(key.campaign);
            !sum.is_negative() || campaign.is_some_and(|one| one.allow_negative)
        };
        assert!(sums.iter().all(may_be));
        let balances = self.balances.iter();
        let balances: BTreeMap<BalanceKey, Amount> =
            balances.map(|(key, one)| (*key, one.amount)).collect();
        assert_eq!(sums, balances);
        // What sales have earned are the entries that are open, but for those that are owed.
        let added = self.entries.iter().filter(|one| one.kind == EntryKind::Add);
        let open = added.filter(|one| !reversed.contains(&one.number));
        let owed = |number: i64| {
            let number = number.to_string();
            let owed = |item: &KeptItem| {
                let problem = &item.problem;
                problem.code == Code::PointsOwed && problem.value.as_deref() == Some(&number)
            };
            self.kept.iter().any(owed)
        };
        let open = open.filter(|one| !owed(one.number));
        let open: BTreeSet<_> = open
            .map(|one| (one.number, one.key, one.amount, one.day))
            .collect();
        let sales = self.sales.values();
        let earned: Vec<_> = sales
            .filter_map(|sale| Some((sale.customer, sale.earned?)))
            .map(|(customer, earned)| {
                assert_eq!(earned.key.customer, customer);
                (earned.entry, earned.key, earned.points, earned.day)
            })
            .collect();
        let sum = earned.len();
        let earned: BTreeSet<_> = earned.into_iter().collect();
        assert_eq!(earned.len(), sum, "two sales name one entry");
        assert_eq!(earned, open);
    }

    /// Posts one request.
    fn post(&mut self, account: &Account, items: &[&str]) -> Vec<SaleOutcome> {
        let sales = request(account, 1, items);
        self.group(account, &[sales]).remove(0).unwrap()
    }

    /// A customer spends points.
    fn spend(&mut self, account: &Account, key: BalanceKey, points: Amount) {
        let mut ledger = Ledger::new(self.numbers, Vec::new());
        ledger.load(self.balances.iter().map(|(key, one)| (*key, *one)));
        let mut overlay: Overlay<'_> = ledger.overlay();
        let campaign = account.campaign_by_number(key.campaign).unwrap();
        let amount = points.checked_neg().unwrap();
        let link = overlay.post(campaign, key, amount).unwrap();
        self.entries.push(Posted {
            number: link.number,
            key,
            kind: EntryKind::Redeem,
            amount,
            after: link.balance_after,
            day: day(TODAY),
            given: String::new(),
            formula: None,
            authorization: String::new(),
            reverses: None,
        });
        ledger.accept(overlay.into_changes());
        self.balances.extend(ledger.changed());
        self.numbers = ledger.numbers;
    }

    fn balance(&self, customer: i64, campaign: i32) -> String {
        let balance = self.balances.get(&key(customer, campaign));
        balance.map_or(Amount::ZERO, |one| one.amount).text(2)
    }

    /// Codes of what is open.
    fn open(&self) -> Vec<Code> {
        let open = self.kept.iter().filter(|item| item.open);
        open.map(|item| item.problem.code).collect()
    }
}

fn key(customer: i64, campaign: i32) -> BalanceKey {
    BalanceKey {
        customer,
        campaign,
        item: 0,
    }
}

fn item(account: &Account, brand: i32, raw: &str) -> Item {
    let brand = account.brand(brand).unwrap();
    Item::read(raw, &Terms::of(account, brand))
}

fn request(account: &Account, brand: i32, items: &[&str]) -> Sales {
    let items = items.iter().map(|raw| item(account, brand, raw));
    Sales {
        account: 1,
        brand,
        source: Source::Caller { token: [7; 32] },
        items: items.collect(),
        today: day(TODAY),
        planned_for: 1,
    }
}

fn created(sale: i64, customer: i64) -> SaleOutcome {
    SaleOutcome::Created { sale, customer }
}

fn updated(sale: i64, customer: i64) -> SaleOutcome {
    SaleOutcome::Updated { sale, customer }
}
