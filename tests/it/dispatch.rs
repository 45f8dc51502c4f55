//! The table of request types, held against what is tested of each.

use crate::isolation::SAMPLES;
use punchcard::api15::calls;
use std::path::Path;

fn stories(dir: &Path, all: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            stories(&path, all);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_name_of_every_type_has_a_story() {
    let mut all = String::new();
    stories(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire"),
        &mut all,
    );
    for row in calls::all() {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            // The stories' own type is batch_transactions.
            let told =
                *name == "batch_transactions" || all.contains(&format!("[\"type\", \"{name}\"]"));
            assert!(told, "no story under tests/wire sends {name}");
        }
    }
}

#[test]
fn every_name_of_every_type_has_a_sample_of_isolation() {
    for row in calls::all() {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            let known = SAMPLES.iter().any(|sample| sample.0 == *name);
            assert!(known, "tests/it/isolation.rs has no sample of {name}");
        }
    }
}
