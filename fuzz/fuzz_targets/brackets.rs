//! Any bytes as a form with brackets give JSON, or a reason why not; equal forms give equal JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::hooks::address::Allow;
use punchcard::json;
use punchcard::sync_data::{form, request, results};

fuzz_target!(|data: &[u8]| {
    if let Ok(query) = std::str::from_utf8(data) {
        let _ = results::page(query);
    }
    match form::to_json(data) {
        Ok(text) => {
            assert!(json::check(text.as_bytes()).is_ok());
            assert!(json::object(&text).is_some());
            assert_eq!(form::to_json(data).as_deref(), Ok(text.as_str()));
            let _ = request::read(&text, None, false, &Allow::default());
        }
        Err(bad) => assert!(!bad.to_string().is_empty()),
    }
});
