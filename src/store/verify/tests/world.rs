//! A small consistent world on either engine, made by the rules and the functions that posting uses.

use super::super::super::dialect::{self, Writes};
use super::super::super::heads::{self, Head};
use super::super::super::{Db, accounts, idempotency, journal, migrate};
use crate::amount::Amount;
use crate::config::DatabaseUrl;
use crate::dates::{self, Day};
use crate::loyalty::account::Account;
use crate::loyalty::batch::{self, Batch, Caller, Source};
use crate::loyalty::ledger::{
    Balance, BalanceKey, Entry, EntryKind, Ledger, Link, Numbers, SyncNumbers,
};
use crate::loyalty::lines::{Column, Layout, Lines};
use crate::loyalty::once::{API15, Kept, KeptBatch, Once};
use crate::loyalty::rights::Need;
use crate::loyalty::rows::Rows;
use crate::store::connect::{Role, connect};
use crate::store::journal::CustomerRow;
use chrono::{DateTime, TimeZone, Utc};
use diesel::RunQueryDsl;
use std::sync::Arc;

/// When everything happens.
pub(super) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2015, 12, 3, 12, 0, 0).unwrap()
}

pub(super) fn sql(db: &mut Db, statement: &str) {
    diesel::sql_query(statement)
        .execute(db)
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Runs a test on an empty, migrated database of each engine.
pub(super) fn on_each_engine(name: &str, test: impl Fn(&mut Db)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("punchcard.db");
    on(&format!("sqlite:{}", path.display()), &test);
    #[cfg(feature = "mysql")]
    if let Ok(server) = std::env::var("PUNCHCARD_TEST_MYSQL_URL") {
        let database = format!("punchcard_verify_{name}_{}", std::process::id());
        let url = DatabaseUrl::parse(&format!("{server}information_schema")).unwrap();
        let mut admin = connect(&url, Role::Migrator).unwrap();
        sql(&mut admin, &format!("CREATE DATABASE {database}"));
        on(&format!("{server}{database}"), &test);
        sql(&mut admin, &format!("DROP DATABASE {database}"));
    }
    #[cfg(not(feature = "mysql"))]
    let _ = name;
}

pub(super) fn on(url: &str, test: &impl Fn(&mut Db)) {
    let url = DatabaseUrl::parse(url).unwrap();
    migrate::run(&mut connect(&url, Role::Migrator).unwrap()).unwrap();
    test(&mut connect(&url, Role::Writer).unwrap());
}

const COLUMNS: [Column; 5] = [
    Column::Campaign,
    Column::Code,
    Column::Redeemed,
    Column::Amount,
    Column::Date,
];

pub(super) fn make_batch(account: &Account, user: &str, text: &str) -> Batch {
    let caller = Caller {
        account: account.number,
        user_id: user.to_owned(),
        key: [7; 32],
        need: Need::POST_OR_REDEEM,
    };
    let layout = Layout {
        columns: COLUMNS.to_vec(),
        delimiter: '|',
        apply_ratio: false,
        old_generation: false,
        create_customers: true,
    };
    let lines = Lines::find(text.to_owned(), layout, 20_000, 1_000).unwrap();
    Batch::new(
        Source::Caller(caller),
        lines,
        batch::Wishes::default(),
        now(),
        account,
    )
    .unwrap()
}

/// Posts batches in one transaction, as posting does.
pub(super) fn post(db: &mut Db, number: i32, texts: &[&str]) {
    let account = accounts::load(db, number).unwrap().unwrap();
    let user = if number == 1 { "till" } else { "desk" };
    let made: Vec<Batch> = texts
        .iter()
        .map(|text| make_batch(&account, user, text))
        .collect();
    dialect::begin(db).unwrap();
    let mut head = heads::take(db, &[number]).unwrap().remove(0);
    let holders = journal::holders(db, number, made.iter().flat_map(Batch::keys)).unwrap();
    let numbers = Numbers {
        entry: head.next_entry,
        batch: head.next_batch,
        customer: head.next_customer,
        rejection: head.next_rejection,
        sale: head.next_sale,
        sync: SyncNumbers::default(),
    };
    let mut ledger = Ledger::new(numbers, vec![Arc::new(holders)]);
    let keys: Vec<BalanceKey> = made
        .iter()
        .flat_map(|batch| batch.balances(&account, &ledger))
        .collect();
    let found = journal::load_balances(db, vec![(number, keys)]).unwrap();
    ledger.load(found.into_iter().flat_map(|(_, found)| found));
    let mut stored: Vec<Rows<'_>> = Vec::new();
    for batch in &made {
        let (rows, changes) = batch::decide(&account, batch, &ledger).stored.unwrap();
        ledger.accept(changes);
        stored.push(rows);
    }
    let now_us = dates::micros(now());
    let commit_id = [u8::try_from(number).unwrap(); 16];
    let mut writes = Writes::new(db);
    journal::save(&mut writes, number, &stored, &commit_id, now_us, |_| {}).unwrap();
    journal::save_balances(&mut writes, number, &ledger.changed()).unwrap();
    heads::note_commit(&mut writes, &mut head, &commit_id, now_us).unwrap();
    head.next_entry = ledger.numbers.entry;
    head.next_batch = ledger.numbers.batch;
    head.next_customer = ledger.numbers.customer;
    head.next_rejection = ledger.numbers.rejection;
    let faults: usize = stored.iter().map(Rows::faults).sum();
    head.open_faults += i64::try_from(faults).unwrap();
    heads::save(&mut writes, &head).unwrap();
    writes.flush().unwrap();
    dialect::commit(db).unwrap();
}

/// An entry that no batch brought.
pub(super) fn post_one(
    db: &mut Db,
    kind: EntryKind,
    key: BalanceKey,
    amount: i64,
    balance: i64,
) -> i64 {
    dialect::begin(db).unwrap();
    let mut head = heads::take(db, &[1]).unwrap().remove(0);
    let found = journal::load_balances(db, vec![(1, vec![key])]).unwrap();
    let number = head.next_entry;
    let link = Link {
        number,
        previous: found.first().map(|(_, own)| own[0].1.last_entry),
        balance_after: Amount::from_raw(balance),
    };
    let date = Day::from_number(20_151_203).unwrap();
    let entry = Entry::bare(kind, key, Amount::from_raw(amount), link, date);
    let mut writes = Writes::new(db);
    journal::save_entries(
        &mut writes,
        1,
        std::iter::once(&entry),
        dates::micros(now()),
    )
    .unwrap();
    let rows = journal::date_rows(1, std::iter::once(&entry));
    dialect::save_dates(&mut writes, &rows).unwrap();
    let balance = Balance {
        amount: entry.balance_after,
        last_entry: number,
    };
    journal::save_balances(&mut writes, 1, &[(key, balance)]).unwrap();
    head.next_entry += 1;
    heads::save(&mut writes, &head).unwrap();
    writes.flush().unwrap();
    dialect::commit(db).unwrap();
    number
}

/// Two accounts with campaigns, users and customers, and nothing posted.
pub(super) fn configure(db: &mut Db) {
    dialect::begin(db).unwrap();
    for statement in [
        "INSERT INTO accounts (id, account_id, name, currency, timezone, created_at) VALUES \
         (1, 'shop', 'Shop', 'USD', 'America/New_York', 0), (2, 'cafe', 'Cafe', 'JPY', 'Asia/Tokyo', 0)",
        "INSERT INTO users (account_id, number, user_id, all_campaigns, created_at) VALUES \
         (1, 1, 'till', 1, 0), (2, 1, 'desk', 1, 0)",
        "INSERT INTO campaigns (account_id, number, campaign_id, kind, name, active, decimals, points_ratio, \
         earned_per_event, allow_negative, created_at) VALUES \
         (1, 1, 'points', 'points', 'Points', 1, 2, 10000, 0, 0, 0), \
         (1, 2, 'gift', 'giftcard', 'Gift', 1, 0, 0, 0, 0, 0), \
         (1, 3, 'coffee', 'buyx', 'Coffee', 1, 0, 0, 0, 0, 0), \
         (1, 4, 'tab', 'points', 'Tab', 1, 0, 10000, 0, 1, 0), \
         (2, 1, 'points', 'points', 'Points', 1, 2, 10000, 0, 0, 0)",
        "INSERT INTO items (account_id, number, campaign, id, service_product, buy_amount, description) VALUES \
         (1, 1, 3, '2001', 'Coffees', 10, 'Free coffee')",
        "INSERT INTO rewards (account_id, number, campaign, id, reward_id, level, description) VALUES \
         (1, 1, 1, '1001', NULL, 30000, 'Badge'), (1, 2, 4, '1002', NULL, 30000, 'Badge')",
    ] {
        sql(db, statement);
    }
    let key = "07".repeat(32);
    for number in [1, 2] {
        sql(
            db,
            &format!(
                "INSERT INTO api_keys (account_id, user, hash, kind, created_at) VALUES ({number}, 1, X'{key}', 'key', 0)"
            ),
        );
        let mut head = Head::new(number);
        if number == 1 {
            head.next_customer = 3;
        }
        heads::create(db, &head).unwrap();
    }
    let customer = |number, code, card_number| CustomerRow {
        account_id: 1,
        number,
        code: Some(code),
        card_number,
        ..CustomerRow::default()
    };
    let mut writes = Writes::new(db);
    let both = [customer(1, "amy", Some("card-1")), customer(2, "ben", None)];
    journal::save_customers(&mut writes, &both).unwrap();
    writes.flush().unwrap();
    dialect::commit(db).unwrap();
}

/// Entries 1 to 9 of `shop` and 1 of `cafe`; what each is stands beside it.
pub(super) fn fill(db: &mut Db) {
    post(
        db,
        1,
        &[
            // Batch 1: entries 1, 2 and 3; line 3 is rejection 1, a fault.
            "points|amy|N|10\n\npoints|ben|N|5.5\npoints|ben|N|5.555\ngift|amy|N|20\n",
            // Batch 2: no entry; rejection 2, a decline.
            "points|ben|Y|100",
        ],
    );
    // Batch 3: entries 4 to 6, and customer 3.
    post(db, 1, &["points|amy|Y|3\npoints|cal|N|7\ntab|amy|Y|4"]);
    // Entry 7 reverses entry 3, entry 8 is an opening balance.
    let gift = BalanceKey {
        customer: 1,
        campaign: 2,
        item: 0,
    };
    assert_eq!(post_one(db, EntryKind::Reversal, gift, -200_000, 0), 7);
    dialect::begin(db).unwrap();
    sql(
        db,
        "UPDATE journal SET reverses = 3 WHERE account_id = 1 AND number = 7",
    );
    sql(
        db,
        "INSERT INTO reversals (account_id, entry, by_entry) VALUES (1, 3, 7)",
    );
    dialect::commit(db).unwrap();
    let coffee = BalanceKey {
        customer: 1,
        campaign: 3,
        item: 1,
    };
    assert_eq!(
        post_one(db, EntryKind::Opening, coffee, 100_000, 100_000),
        8
    );
    // Batch 4: entry 9, of an earlier day.
    post(db, 1, &["points|amy|Y|2|2013-03-15"]);
    post(db, 2, &["points|dan|N|1"]);
    // What is kept of three of them.
    let keep = |name: &str, batch, first_rejection| {
        let (caller, fingerprint, kept_s) = ("till".to_owned(), [0; 32], 60);
        let once = Once {
            dialect: API15,
            caller,
            name: name.to_owned(),
            fingerprint,
            kept_s,
        };
        let kept = Kept::Batch(KeptBatch {
            batch,
            first_rejection,
        });
        (once, kept)
    };
    dialect::begin(db).unwrap();
    for (account, (once, kept)) in [
        (1, keep("key:one", 1, 1)),
        (1, keep("same:four", 4, 3)),
        (2, keep("key:dan", 1, 1)),
    ] {
        let mut writes = Writes::new(db);
        idempotency::keep(
            &mut writes,
            account,
            &[(&once, kept)],
            &[],
            dates::micros(now()),
        )
        .unwrap();
        writes.flush().unwrap();
    }
    dialect::commit(db).unwrap();
}
