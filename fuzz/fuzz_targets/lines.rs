//! Any text as a batch's lines: found, cut and planned without a panic, and every line that is not blank is planned.
#![no_main]

use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use punchcard::amount::Amount;
use punchcard::loyalty::account::{Account, Campaign, Kind, User};
use punchcard::loyalty::lines::{Column, Layout, Lines};
use punchcard::{dates, loyalty::plan};

fuzz_target!(|input: (String, bool, bool, u8)| {
    let (text, apply_ratio, old_generation, delimiter) = input;
    let layout = Layout {
        columns: [
            Column::Campaign,
            Column::Code,
            Column::Redeemed,
            Column::Amount,
            Column::Date,
            Column::Promotions,
            Column::Custom(3),
        ]
        .to_vec(),
        delimiter: if delimiter.is_ascii() {
            char::from(delimiter)
        } else {
            '|'
        },
        apply_ratio,
        old_generation,
        create_customers: true,
    };
    let Ok(lines) = Lines::find(text, layout, 1000, 4096) else {
        return;
    };
    let campaign = Campaign {
        points_ratio: Amount::from_raw(12_345),
        ..Campaign::new(1, "1", "", Kind::Points)
    };
    let user = User::new(1, "u", &[]);
    let account = Account::new(
        1,
        "a".to_owned(),
        "A".to_owned(),
        Tz::UTC,
        1,
        vec![user.clone()],
        vec![campaign],
    );
    let today = dates::Day::from_ymd(2026, 11, 21).unwrap();
    assert_eq!(
        plan::all(&account, &user, &lines, (today, today)).len(),
        lines.list.len()
    );
});
