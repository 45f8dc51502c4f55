//! Any text as the lines of a batch of customers: cut without a panic, and a line is kept without its secrets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::loyalty::customers::Name;
use punchcard::loyalty::customers::sheet::{Column, Layout, Mode, Sheet};

fuzz_target!(|input: (String, u8)| {
    let (text, delimiter) = input;
    let names = ["code", "customer_password", "custom_date", "custom_field_7"];
    let columns: Vec<Column> = names.into_iter().filter_map(Column::from_name).collect();
    assert_eq!(columns.len(), names.len());
    let layout = Layout {
        columns,
        delimiter: if delimiter.is_ascii() {
            char::from(delimiter)
        } else {
            '|'
        },
        mode: Mode::Update,
        campaigns: vec!["P".to_owned()],
        draws: None,
    };
    let Ok(sheet) = Sheet::find(text, layout, 1000, 4096) else {
        return;
    };
    for line in sheet.list() {
        let named = |(name, _): &(Name, &str)| matches!(name, Name::CustomDate | Name::Custom(7));
        assert!(sheet.fields(line).all(|field| named(&field)));
        let _fingerprint = sheet.fingerprint(line);
        let _kept = sheet.masked(line);
    }
});
