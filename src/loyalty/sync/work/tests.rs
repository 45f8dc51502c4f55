//! Items of jobs, decided: over any cut into commits, with credits that run out, with a purchase at the end.

mod laws;
mod stories;

use super::*;
use crate::json::Fields;
use crate::loyalty::contacts::person::Person;
use crate::loyalty::contacts::sent::Verdict;
use crate::loyalty::contacts::tests::sent;
use crate::loyalty::ledger::{Numbers, SyncNumbers};
use crate::loyalty::purchases::{PurchaseChange, read};
use crate::loyalty::rows::Rows;
use crate::loyalty::sync::claim::Queued;
use crate::loyalty::sync::id::JobId;
use crate::loyalty::sync::job::{JobHead, Options};
use crate::loyalty::sync::rows::{ItemRow, JobDone};
use crate::loyalty::sync::view::ItemState;
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

const TOKEN: &str = "00112233445566778899aabbccddeeff";
const NOW: i64 = 1_700_000_000_000_000;

fn account() -> Account {
    let mut account = Account::new(
        1,
        "harbour-coffee".to_owned(),
        "Harbour Coffee".to_owned(),
        Tz::Europe__Madrid,
        1,
        Vec::new(),
        Vec::new(),
    );
    account.country = Some("ES".to_owned());
    account
}

/// A consent: customer, channel, answer, its number and the one before.
type Said = (i64, &'static str, Option<bool>, i64, Option<i64>);

/// What is stored of one job's rows, with what they stand for.
#[derive(Clone, PartialEq, Debug)]
struct Shop {
    people: BTreeMap<i64, Person>,
    keys: BTreeSet<(KeyKind, Box<str>, i64)>,
    numbers: Numbers,
    queued: Option<Queued>,
    items: Vec<ItemRow>,
    consents: Vec<Said>,
    rejections: Vec<(u32, Code, Box<str>)>,
    spent: i64,
    purchase: Option<StoredPurchase>,
    links: Option<Vec<i64>>,
    names: BTreeSet<(i16, String)>,
    /// Parts that are left when the job is given up.
    left: Vec<Part>,
}

impl Shop {
    fn new(credits: Option<i64>) -> Shop {
        Shop {
            people: BTreeMap::new(),
            keys: BTreeSet::new(),
            numbers: Numbers {
                entry: 1,
                batch: 1,
                customer: 1,
                rejection: 1,
                sale: 1,
                sync: SyncNumbers {
                    job: 2,
                    event: 1,
                    credit: 1,
                    consent: 1,
                    credits,
                },
            },
            queued: None,
            items: Vec::new(),
            consents: Vec::new(),
            rejections: Vec::new(),
            spent: 0,
            purchase: None,
            links: None,
            names: BTreeSet::new(),
            left: Vec::new(),
        }
    }

    /// As a look-up under the account's head would find it.
    fn found(&self, work: &Work, head: &JobHead) -> Option<WorkFound> {
        let mut people = People::default();
        for (kind, value) in work.keys() {
            let holders = self.keys.iter();
            for (_, _, customer) in holders.filter(|key| key.0 == kind && *key.1 == *value) {
                people.add_key(kind, value, *customer);
                people.add(self.people[customer].clone());
            }
        }
        Some(WorkFound {
            claim: Found {
                queued: self.queued.clone()?,
                oldest: true,
                now_us: NOW,
                head: head.clone(),
            },
            people,
            purchase: self.purchase.clone(),
            linked: self.items.iter().filter_map(|item| item.customer).collect(),
            left: self.left.clone(),
        })
    }

    fn save(&mut self, rows: Rows<'_>, numbers: Numbers) -> Option<Ended> {
        let sync = *rows.sync.unwrap();
        self.numbers = numbers;
        for change in sync.people {
            let customer = change.person.customer;
            assert_eq!(change.is_new, !self.people.contains_key(&customer));
            for (kind, value) in change.old_keys {
                assert!(self.keys.remove(&(kind, value, customer)));
            }
            for (kind, value) in change.new_keys {
                assert!(self.keys.insert((kind, value, customer)));
            }
            self.people.insert(customer, change.person);
        }
        let consents = sync.consents.into_iter();
        self.consents.extend(consents.map(|row| {
            let word = row.channel.word();
            (row.customer, word, row.answer, row.number, row.previous)
        }));
        let refused = rows.refused.into_iter();
        self.rejections
            .extend(refused.map(|row| (row.line, row.problem.code, row.raw.into())));
        let names = sync.custom_names.into_iter();
        self.names
            .extend(names.map(|(kind, name)| (kind, name.to_owned())));
        self.items.extend(sync.items);
        if let Some(credit) = sync.credit {
            assert!(credit.amount < 0 && credit.balance_after >= 0);
            assert_eq!(Some(credit.balance_after), numbers.sync.credits);
            self.spent -= credit.amount;
        }
        if let Some(PurchaseChange {
            purchase, links, ..
        }) = sync.purchase
        {
            self.purchase = Some(purchase);
            self.links = links.or(self.links.take());
        }
        self.queued = sync.queue;
        let event = sync.event.map(|event| event.row.url);
        sync.job_done.map(|done| Ended::new(&done, event))
    }
}

/// How a job ended.
#[derive(Clone, PartialEq, Debug)]
struct Ended {
    counts: (i32, i32, i32),
    reason: Option<String>,
    purchase: Option<(ItemState, Vec<String>, Option<String>)>,
    url: Option<String>,
}

impl Ended {
    fn new(done: &JobDone<'_>, url: Option<String>) -> Ended {
        assert_eq!(done.event.is_some(), url.is_some());
        let purchase = done.purchase.as_ref().map(|purchase| {
            let fields = purchase.errors.iter().map(|fault| fault.field.clone());
            (purchase.state, fields.collect(), purchase.told.clone())
        });
        Ended {
            counts: (done.valid, done.failed, done.charged),
            reason: done.reason.clone(),
            purchase,
            url,
        }
    }
}

/// A job with its contacts; a custom field `fault` gives one of its items a fault, `mail` says what is known of its
/// address.
struct Job {
    head: JobHead,
    contacts: Vec<String>,
    purchase: Option<String>,
}

fn job(contacts: &[&str], options: Options) -> Job {
    Job {
        head: JobHead {
            number: 1,
            id: JobId::new(1_700_000_000, [1, 2, 3], 1),
            origin: "PMS".to_owned(),
            contacts: i32::try_from(contacts.len()).unwrap(),
            purchases: 0,
            options,
            url: None,
            created_at: NOW,
        },
        contacts: contacts.iter().map(ToString::to_string).collect(),
        purchase: None,
    }
}

fn mail(raw: &str) -> Mail {
    let fields = Fields::parse(raw).unwrap();
    match fields.get("mail") {
        _ if sent(raw).keys.email.is_none() => Mail::None,
        Some("1") => Mail::Verdict(Verdict::Valid),
        Some("2") => Mail::Verdict(Verdict::Invalid),
        Some("3") => Mail::Verdict(Verdict::Unknown),
        Some("4") => Mail::BadSyntax,
        _ => Mail::NotAsked,
    }
}

impl Job {
    fn item(&self, place: usize, asked: bool) -> Item {
        let raw = &self.contacts[place];
        let mut sent = sent(raw);
        sent.keys = keys::of_fields(&sent.fields, Some("ES"));
        if Fields::parse(raw).unwrap().get("fault").is_some() {
            sent.faults.push(Fault::new("fault", "is there"));
        }
        let mail = match mail(raw) {
            Mail::Verdict(_) if !asked => Mail::NotAsked,
            mail => mail,
        };
        Item {
            sent,
            mail,
            new_code: format!("{place:016}"),
            new_id: format!("{place:024x}"),
        }
    }

    /// The items from `first` to `end`, of which the first `asked` have been looked at.
    fn work(&self, first: usize, end: usize, asked: usize) -> Work {
        let finish = end == self.contacts.len();
        let raw = self.purchase.clone().filter(|_| finish);
        Work {
            account: 1,
            job: 1,
            token: TOKEN.to_owned(),
            lease_us: 30_000_000,
            first: i32::try_from(first).unwrap(),
            items: (first..end)
                .map(|place| self.item(place, place < first + asked))
                .collect(),
            part: Some((0, finish)),
            finish,
            poisoned: None,
            untold: false,
            purchase: raw.as_deref().map(read::read),
            purchase_raw: raw,
            new_purchase_id: "f".repeat(24),
            event_random: [9; 8],
            found: None,
            planned_for: 1,
        }
    }

    fn queue(&self, shop: &mut Shop) {
        shop.queued = Some(Queued {
            job: 1,
            cursor: 0,
            valid: 0,
            failed: 0,
            charged: 0,
            claims: 1,
            stuck: 1,
            started_at: Some(NOW),
            claimed_until: NOW,
            token: Some(TOKEN.to_owned()),
        });
    }

    /// Works the job off, in commits of the sizes given, over and over; each is looked at as far as `looks` says.
    fn run(&self, shop: &mut Shop, sizes: &[usize], looks: &[usize]) -> Ended {
        self.queue(shop);
        let (mut sizes, mut looks) = (sizes.iter().cycle(), looks.iter().cycle());
        let mut first = 0;
        for _ in 0..1000 {
            let end = (first + sizes.next().unwrap()).min(self.contacts.len());
            let work = self.work(first, end, *looks.next().unwrap());
            let (worked, ended) = commit(shop, work, &self.head).unwrap();
            assert!(worked.lacks_verdict || usize::try_from(worked.cursor).unwrap() == end);
            first = usize::try_from(worked.cursor).unwrap();
            if let Some(ended) = ended {
                assert!(worked.finished && shop.queued.is_none());
                return ended;
            }
        }
        panic!("it does not end");
    }
}

fn commit(
    shop: &mut Shop,
    mut work: Work,
    head: &JobHead,
) -> Result<(Worked, Option<Ended>), Problem> {
    let account = account();
    work.found = shop.found(&work, head);
    let mut ledger = Ledger::new(shop.numbers, Vec::new());
    let decided = decide(&account, &work, &ledger)?;
    let Some((rows, changes)) = decided.stored else {
        return Ok((decided.outcome, None));
    };
    ledger.accept(changes);
    let ended = shop.save(rows, ledger.numbers);
    Ok((decided.outcome, ended))
}

fn validating() -> Options {
    Options {
        validate: true,
        create_if_no_credit: true,
        ..Options::default()
    }
}

fn states(shop: &Shop) -> String {
    let letter = |item: &ItemRow| match (item.state, item.charged) {
        (ItemState::Created, false) => 'c',
        (ItemState::Created, true) => 'C',
        (ItemState::Updated, false) => 'u',
        (ItemState::Updated, true) => 'U',
        (ItemState::Failed, false) => 'f',
        (ItemState::Failed, true) => 'F',
    };
    shop.items.iter().map(letter).collect()
}
