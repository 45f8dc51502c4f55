//! The inbox: words, users, brands, days, and how many faults are open.

use super::super::Result;
use super::super::rejections::CUSTOMERS;
use super::super::schema::rejections;
use super::{CHUNK, Check, or_none};
use crate::dates::Day;
use crate::error::Class;
use crate::loyalty::once::SALES;
use crate::text;
use diesel::prelude::*;
use std::collections::VecDeque;

/// What becomes of a fault: it waits, is overtaken by an equal line, posted again, put aside, or its text is dropped
/// with age. A decline is a record until then.
const STATES: [&str; 6] = [
    "open",
    "record",
    "superseded",
    "replayed",
    "dismissed",
    "expired",
];

#[derive(Queryable)]
struct Row {
    number: i64,
    batch: Option<i64>,
    line: Option<i32>,
    user: Option<i32>,
    class: String,
    state: String,
    effective_date: Option<i32>,
    source: String,
    brand: Option<i32>,
    has_text: bool,
}

/// What the check of batches needs to know of a rejection.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) number: i64,
    pub(super) batch: Option<i64>,
    pub(super) line: Option<i32>,
    /// Whether it is a line of a batch of customers.
    pub(super) of_customers: bool,
}

/// The rejections of one account in the order of their numbers, which is that of their batches. A rejection is
/// checked when it is read.
pub(super) struct Rejections {
    after: Option<i64>,
    read: VecDeque<Placed>,
    ended: bool,
    count: u64,
    open: i64,
}

impl Rejections {
    pub(super) fn new() -> Rejections {
        Rejections {
            after: None,
            read: VecDeque::new(),
            ended: false,
            count: 0,
            open: 0,
        }
    }

    /// The next rejection, which stays the next one.
    pub(super) fn peek(&mut self, check: &mut Check<'_>) -> Result<Option<Placed>> {
        if self.read.is_empty() && !self.ended {
            self.read_more(check)?;
        }
        Ok(self.read.front().copied())
    }

    /// Goes past the rejection that was seen.
    pub(super) fn skip(&mut self) {
        self.read.pop_front();
    }

    /// Checks what can be said at the end. Gives the number of rejections.
    pub(super) fn finish(self, check: &mut Check<'_>) -> u64 {
        if check.head.open_faults != self.open {
            let is = check.head.open_faults;
            check.add("account_heads", "open_faults", is, self.open);
        }
        self.count
    }

    fn read_more(&mut self, check: &mut Check<'_>) -> Result<()> {
        let rows: Vec<Row> = rejections::table
            .filter(rejections::account_id.eq(check.account))
            .filter(rejections::number.gt(self.after.unwrap_or(i64::MIN)))
            .order(rejections::number)
            .limit(CHUNK)
            .select((
                rejections::number,
                rejections::batch,
                rejections::line,
                rejections::user,
                rejections::class,
                rejections::state,
                rejections::effective_date,
                rejections::source,
                rejections::brand,
                rejections::raw
                    .is_not_null()
                    .or(rejections::value.is_not_null())
                    .or(rejections::reason.is_not_null()),
            ))
            .load(check.db)?;
        self.ended = rows.is_empty();
        for row in rows {
            self.after = Some(row.number);
            self.count = self.count.saturating_add(1);
            if row.state == "open" {
                self.open = self.open.saturating_add(1);
            }
            check_row(check, &row);
            self.read.push_back(Placed {
                number: row.number,
                batch: row.batch,
                line: row.line,
                of_customers: row.source == CUSTOMERS,
            });
        }
        Ok(())
    }
}

fn check_row(check: &mut Check<'_>, row: &Row) {
    let number = row.number;
    let next = check.head.next_rejection;
    if number < 1 || number >= next {
        let should = format!("from 1 to below next_rejection {next}");
        check.add("rejections", number, format!("number {number}"), should);
    }
    let decline = row.class == Class::Decline.word();
    if !decline && row.class != Class::Fault.word() {
        let is = format!("class {}", text::shown(&row.class));
        check.add("rejections", number, is, "fault or decline");
    }
    if !STATES.contains(&row.state.as_str()) {
        let is = format!("state {}", text::shown(&row.state));
        check.add(
            "rejections",
            number,
            is,
            format!("one of {}", STATES.join(", ")),
        );
    } else if decline && row.state == "open" {
        check.add("rejections", number, "an open decline", "a record");
    }
    if row.state == "expired" && row.has_text {
        check.add("rejections", number, "expired with its text", "without any");
    }
    if let Some(user) = row.user.filter(|user| !check.config.users.contains(user)) {
        let is = format!("user {user}, who does not exist");
        check.add("rejections", number, is, "a user");
    }
    if (row.source == SALES) != row.brand.is_some() {
        let is = format!(
            "brand {} and source {}",
            or_none(row.brand),
            text::shown(&row.source)
        );
        check.add("rejections", number, is, "a brand where it is a sale");
    } else if let Some(brand) = row
        .brand
        .filter(|brand| !check.config.brands.contains(brand))
    {
        let is = format!("brand {brand}, which does not exist");
        check.add("rejections", number, is, "a brand");
    }
    if let Some(date) = row
        .effective_date
        .filter(|date| Day::from_number(*date).is_none())
    {
        let is = format!("effective_date {date}");
        check.add("rejections", number, is, "a day of the calendar");
    }
}
