//! Balances, entries and rejections as the tests read them from the database.

use super::app::Shop;
use diesel::prelude::*;
use punchcard::amount::Amount;
use punchcard::loyalty::customers::Name;
use punchcard::posting::people as posted;
use punchcard::store::Db;
use punchcard::store::rejections as inbox;
use punchcard::store::schema::{
    balances, batches, campaigns, customer_keys, customers, journal, person_keys, profiles,
    rejections, search_texts,
};
use std::fmt::Write;

impl Shop<'_> {
    /// The account's number.
    pub fn number(&self, db: &mut Db) -> i32 {
        inbox::account_number(db, &self.account).unwrap().unwrap()
    }

    /// A balance by campaign id and code, in ten-thousandths; 0 where there is none. Items are added up.
    pub fn balance(&self, campaign: &str, code: &str) -> i64 {
        let db = &mut self.app.db();
        let account = self.number(db);
        let rows: Vec<i64> = balances::table
            .inner_join(
                customers::table.on(customers::account_id
                    .eq(balances::account_id)
                    .and(customers::number.eq(balances::customer))),
            )
            .inner_join(
                campaigns::table.on(campaigns::account_id
                    .eq(balances::account_id)
                    .and(campaigns::number.eq(balances::campaign))),
            )
            .filter(balances::account_id.eq(account))
            .filter(campaigns::campaign_id.eq(campaign))
            .filter(customers::code.eq(code))
            .select(balances::balance)
            .load(db)
            .unwrap();
        rows.iter().sum()
    }

    /// All customers with fields of API 1.5: their codes and cards, every field, by what they are found and searched.
    pub fn people(&self) -> String {
        let db = &mut self.app.db();
        let account = self.number(db);
        let numbers: Vec<i64> = profiles::table
            .filter(profiles::account_id.eq(account))
            .select(profiles::customer)
            .order(profiles::customer)
            .load(db)
            .unwrap();
        let mut people = posted::customers(db, account, &numbers).unwrap();
        people.sort_by_key(|customer| customer.person.customer);
        let mut out = String::new();
        for customer in people {
            let number = customer.person.customer;
            let mut keys: Vec<(String, bool)> = customer_keys::table
                .filter(customer_keys::account_id.eq(account))
                .filter(customer_keys::customer.eq(number))
                .select((customer_keys::value, customer_keys::replaced))
                .load(db)
                .unwrap();
            // Drawn codes would stand anywhere in the order.
            let code = customer.person.code.as_deref();
            keys.sort_by_key(|(value, replaced)| {
                (code != Some(value.as_str()), *replaced, value.clone())
            });
            let found: Vec<(i16, String)> = person_keys::table
                .filter(person_keys::account_id.eq(account))
                .filter(person_keys::customer.eq(number))
                .order((person_keys::kind, person_keys::value))
                .select((person_keys::kind, person_keys::value))
                .load(db)
                .unwrap();
            let text: Vec<String> = search_texts::table
                .filter(search_texts::account_id.eq(account))
                .filter(search_texts::customer.eq(number))
                .select(search_texts::folded)
                .load(db)
                .unwrap();
            let own = |value: &Option<Box<str>>| value.as_deref().unwrap_or("none").to_owned();
            write!(
                out,
                "{number} code {} card {}",
                own(&customer.person.code),
                own(&customer.person.card_number)
            )
            .unwrap();
            let profile = customer.profile.clone().unwrap();
            for name in
                Name::plain().chain(profile.custom.keys().map(|number| Name::Custom(*number)))
            {
                if let Some(value) = customer.get(name) {
                    write!(out, ", {} {value}", name.word()).unwrap();
                }
            }
            for (name, secret) in [("password", &profile.password), ("PIN", &profile.pin)] {
                if secret.is_some() {
                    write!(out, ", a {name}").unwrap();
                }
            }
            if profile.registered {
                out.push_str(", registered");
            }
            out.push('\n');
            for (value, replaced) in keys {
                let held = if replaced { "replaced" } else { "held" };
                writeln!(out, "  {held} {value}").unwrap();
            }
            for (kind, value) in found {
                writeln!(out, "  found by {kind}/{value}").unwrap();
            }
            for text in text {
                writeln!(out, "  searched by {}", text.replace('\u{1}', "|")).unwrap();
            }
        }
        out
    }

    /// All balances, one a line: campaign, code, balance.
    pub fn balances(&self) -> String {
        let db = &mut self.app.db();
        let account = self.number(db);
        let mut rows: Vec<(String, Option<String>, i32, i64)> = balances::table
            .inner_join(
                customers::table.on(customers::account_id
                    .eq(balances::account_id)
                    .and(customers::number.eq(balances::customer))),
            )
            .inner_join(
                campaigns::table.on(campaigns::account_id
                    .eq(balances::account_id)
                    .and(campaigns::number.eq(balances::campaign))),
            )
            .filter(balances::account_id.eq(account))
            .select((
                campaigns::campaign_id,
                customers::code,
                balances::item,
                balances::balance,
            ))
            .load(db)
            .unwrap();
        rows.sort();
        let mut out = String::new();
        for (campaign, code, item, balance) in rows {
            let item = if item == 0 {
                String::new()
            } else {
                format!(" item {item}")
            };
            let balance = Amount::from_raw(balance);
            writeln!(
                out,
                "{campaign} {}{item}: {}",
                code.unwrap_or_default(),
                balance.text(balance.decimals())
            )
            .unwrap();
        }
        out
    }

    /// The entries that came by batches, in their order, one a line.
    pub fn entries(&self) -> String {
        type Row = (
            i64,
            Option<i64>,
            Option<i32>,
            i16,
            i64,
            i64,
            i32,
            Option<i64>,
        );
        type Texts = (
            Option<String>,
            Option<String>,
            Option<String>,
            Option<i32>,
            Option<String>,
            Option<String>,
        );
        let db = &mut self.app.db();
        let account = self.number(db);
        let rows: Vec<(Row, Texts)> = journal::table
            .filter(journal::account_id.eq(account))
            .filter(journal::batch.is_not_null().or(journal::user.is_not_null()))
            .order(journal::number)
            .select((
                (
                    journal::number,
                    journal::batch,
                    journal::line,
                    journal::kind,
                    journal::amount,
                    journal::balance_after,
                    journal::date,
                    journal::previous,
                ),
                (
                    journal::given,
                    journal::formula,
                    journal::promotions,
                    journal::reward,
                    journal::authorization,
                    journal::custom,
                ),
            ))
            .load(db)
            .unwrap();
        let mut out = String::new();
        let plain = |raw| Amount::from_raw(raw).text(Amount::from_raw(raw).decimals());
        for ((number, batch, line, kind, amount, after, date, previous), texts) in rows {
            let (given, formula, promotions, reward, authorization, custom) = texts;
            write!(
                out,
                "{number} {} kind {kind}: {} -> {} on {date} after {}",
                match (batch, line) {
                    (Some(batch), Some(line)) => format!("batch {batch} line {line}"),
                    _ => "single".to_owned(),
                },
                plain(amount),
                plain(after),
                previous.map_or("none".to_owned(), |n| n.to_string()),
            )
            .unwrap();
            let texts = [
                ("given", given),
                ("formula", formula),
                ("promotions", promotions),
                ("reward", reward.map(|n| n.to_string())),
                ("authorization", authorization),
                ("custom", custom),
            ];
            for (name, text) in texts {
                if let Some(text) = text {
                    write!(out, "; {name} {text}").unwrap();
                }
            }
            out.push('\n');
        }
        out
    }

    /// The kept rejections: a line each with what it is, and one with what was wrong.
    pub fn rejections(&self) -> String {
        type Row = (
            i64,
            Option<i64>,
            Option<i32>,
            String,
            String,
            String,
            Option<i32>,
            Option<String>,
        );
        type Why = (
            Option<String>,
            Option<String>,
            Option<String>,
            Option<String>,
        );
        let db = &mut self.app.db();
        let account = self.number(db);
        let rows: Vec<(Row, Why)> = rejections::table
            .filter(rejections::account_id.eq(account))
            .order(rejections::number)
            .select((
                (
                    rejections::number,
                    rejections::batch,
                    rejections::line,
                    rejections::class,
                    rejections::state,
                    rejections::code,
                    rejections::effective_date,
                    rejections::raw,
                ),
                (
                    rejections::field,
                    rejections::value,
                    rejections::reason,
                    rejections::remedy,
                ),
            ))
            .load(db)
            .unwrap();
        let mut out = String::new();
        for (
            (number, batch, line, class, state, code, date, raw),
            (field, value, reason, remedy),
        ) in rows
        {
            let or = |text: Option<String>| text.unwrap_or("-".to_owned());
            writeln!(
                out,
                "{number} batch {} line {} {class} {state} {code} on {}: {}\n    {} [{}]: {} / {}",
                batch.unwrap(),
                line.unwrap(),
                date.unwrap(),
                or(raw).replace('\t', "<tab>"),
                or(field),
                or(value),
                or(reason),
                or(remedy),
            )
            .unwrap();
        }
        out
    }

    /// The batches, one a line.
    pub fn batches(&self) -> String {
        let db = &mut self.app.db();
        let account = self.number(db);
        type Row = (i64, i64, i32, i32, i32, bool, Option<String>);
        let rows: Vec<Row> = batches::table
            .filter(batches::account_id.eq(account))
            .order(batches::number)
            .select((
                batches::number,
                batches::first_entry,
                batches::transactions,
                batches::rejected,
                batches::new_customers,
                batches::undoable,
                batches::layout,
            ))
            .load(db)
            .unwrap();
        let mut out = String::new();
        for (number, first, transactions, rejected, new, undoable, layout) in rows {
            write!(
                out,
                "{number}: {transactions} entries from {first}, {rejected} rejected, {new} new"
            )
            .unwrap();
            if undoable {
                out.push_str(", can be undone");
            }
            if let Some(layout) = layout {
                write!(out, ", read by {layout}").unwrap();
            }
            out.push('\n');
        }
        out
    }

    /// The customers that batches created, one a line: number, code, card, and the keys they hold.
    pub fn new_customers(&self) -> String {
        let db = &mut self.app.db();
        let account = self.number(db);
        let rows: Vec<(i64, Option<String>, Option<String>)> = customers::table
            .filter(customers::account_id.eq(account))
            .filter(customers::number.gt(2))
            .order(customers::number)
            .select((customers::number, customers::code, customers::card_number))
            .load(db)
            .unwrap();
        let mut out = String::new();
        for (number, code, card) in rows {
            let keys: Vec<String> = customer_keys::table
                .filter(customer_keys::account_id.eq(account))
                .filter(customer_keys::customer.eq(number))
                .order(customer_keys::value)
                .select(customer_keys::value)
                .load(db)
                .unwrap();
            writeln!(out, "{number}: code {code:?} card {card:?} holds {keys:?}").unwrap();
        }
        out
    }

    /// How many batches, entries of batches and rejections the account has.
    pub fn counts(&self) -> (i64, i64, i64) {
        let db = &mut self.app.db();
        let account = self.number(db);
        let batches = batches::table
            .filter(batches::account_id.eq(account))
            .count()
            .get_result(db)
            .unwrap();
        let entries = journal::table
            .filter(journal::account_id.eq(account))
            .filter(journal::batch.is_not_null())
            .count()
            .get_result(db)
            .unwrap();
        let kept = rejections::table
            .filter(rejections::account_id.eq(account))
            .count()
            .get_result(db)
            .unwrap();
        (batches, entries, kept)
    }

    /// The states of all rejections, in their order.
    pub fn states(&self) -> Vec<String> {
        let db = &mut self.app.db();
        let account = self.number(db);
        rejections::table
            .filter(rejections::account_id.eq(account))
            .order(rejections::number)
            .select(rejections::state)
            .load(db)
            .unwrap()
    }
}
