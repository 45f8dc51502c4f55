//! Sales as a brand sends them.

use super::app::{Shop, WORLD};
use super::client::{self, Reply};
use super::engine::Database;
use diesel::prelude::*;
use punchcard::store::connect::Role;
use punchcard::store::schema::{journal, sale_keys, sales};
use serde_json::Value;
use std::net::SocketAddr;

/// The world of most tests with a brand whose token is [`token`], two customers who share an e-mail address, and `more`
/// lines in the brand.
pub fn world(more: &str) -> String {
    format!(
        "{WORLD}\n[[account.customer]]\ncode = \"twin-1\"\nfirst_name = \"Mateo\"\nlast_name = \"Menestrina\"\n\
         email = \"twin@example.com\"\n\n[[account.customer]]\ncode = \"twin-2\"\nfirst_name = \"Joe\"\n\
         email = \"Twin@example.com\"\n\n[[account.brand]]\nid = \"web\"\ntoken = \"{{key}}-web\"\n{more}\n"
    )
}

/// The token of the brand of a shop with [`world`].
pub fn token(shop: &Shop<'_>) -> String {
    format!("{}-web", shop.key)
}

/// Sends a request of sales v4; `None` if the server does not answer.
pub fn send(address: SocketAddr, token: &str, body: &str) -> Option<Reply> {
    let head = format!(
        "POST /api/v4/sales HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client::try_exchange(address, head.as_bytes())
}

/// What an answer of 200 says of each sale.
pub fn outcomes(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items: Vec<Value> = serde_json::from_str(&reply.body).unwrap();
    let mut items = items.into_iter();
    items
        .by_ref()
        .map(|mut item| item["response"].take())
        .collect()
}

/// Posts sales that must be answered, and gives what became of each: its status, and the sale's number.
pub fn post(address: SocketAddr, token: &str, sales: &[String]) -> Vec<(String, Option<i64>)> {
    let reply = send(address, token, &format!("[{}]", sales.join(",")));
    let outcomes = outcomes(&reply.expect("an answer"));
    let told = outcomes.iter().map(|outcome| {
        let status = outcome["status"].as_str().unwrap_or_default();
        (status.to_owned(), outcome["sale_id"].as_i64())
    });
    told.collect()
}

/// The sales of an account, one a line: number, customer, day, ids, value, and the entry with its points.
pub fn stored(database: &Database, account: i32) -> Vec<String> {
    type Ids = (Option<String>, Option<String>);
    type Earned = (Option<i64>, Option<i64>);
    let rows: Vec<(i64, i64, i32, Ids, Option<i64>, Earned)> = sales::table
        .filter(sales::account_id.eq(account))
        .order(sales::number)
        .select((
            sales::number,
            sales::customer,
            sales::event_date,
            (sales::external_sale_id, sales::order_id),
            sales::value,
            (sales::entry, sales::points),
        ))
        .load(&mut database.connect(Role::Reader))
        .unwrap();
    let or = |text: Option<String>| text.unwrap_or("-".to_owned());
    let number = |number: Option<i64>| or(number.map(|number| number.to_string()));
    let lines = rows
        .into_iter()
        .map(|(sale, customer, day, ids, value, earned)| {
            let ids = format!("{} {}", or(ids.0), or(ids.1));
            let earned = format!("entry {} points {}", number(earned.0), number(earned.1));
            format!(
                "{sale} of {customer} on {day}: {ids} {} {earned}",
                number(value)
            )
        });
    lines.collect()
}

/// How many sales and ids of sales an account has.
pub fn counts(database: &Database, account: i32) -> (i64, i64) {
    let db = &mut database.connect(Role::Reader);
    let all = sales::table.filter(sales::account_id.eq(account)).count();
    let keys = sale_keys::table
        .filter(sale_keys::account_id.eq(account))
        .count();
    (all.get_result(db).unwrap(), keys.get_result(db).unwrap())
}

/// The entries of an account that no batch and no world file brought: number, customer, kind, amount, day, what it
/// reverses.
pub fn entries(database: &Database, account: i32) -> Vec<String> {
    type Row = (i64, i64, i16, i64, i32, Option<i64>);
    let rows: Vec<Row> = journal::table
        .filter(journal::account_id.eq(account))
        .filter(journal::batch.is_null())
        .filter(journal::kind.ne(3))
        .order(journal::number)
        .select((
            journal::number,
            journal::customer,
            journal::kind,
            journal::amount,
            journal::date,
            journal::reverses,
        ))
        .load(&mut database.connect(Role::Reader))
        .unwrap();
    let lines = rows
        .into_iter()
        .map(|(number, customer, kind, amount, day, reverses)| {
            let points = punchcard::amount::Amount::from_raw(amount);
            let reverses = reverses.map_or(String::new(), |entry| format!(" reverses {entry}"));
            format!(
                "{number} of {customer} kind {kind}: {} on {day}{reverses}",
                points.text(2)
            )
        });
    lines.collect()
}
