//! Any bytes as the body of a JSON request are read or refused; what is read is a job whose contacts and purchase can be
//! read again, and nothing of it is lost on the way.

#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::hooks::address::Allow;
use punchcard::json;
use punchcard::sync_data::{body, contact, purchase, reply, request};

fuzz_target!(|data: &[u8]| {
    let text = match body::read(Some(b"application/json"), data) {
        Ok(text) => text,
        Err(bad) => {
            let answer = reply::error(400, &bad.to_string());
            assert!(json::check(answer.body.as_bytes()).is_ok());
            return;
        }
    };
    let job = match request::read(&text, Some(b"k"), true, &Allow::default()) {
        Ok(request) => request.job,
        Err(request::Refused::Faults(faults)) => {
            assert!(!faults.is_empty());
            assert!(json::check(reply::faults(&faults).body.as_bytes()).is_ok());
            return;
        }
        Err(request::Refused::NoObject) => return,
    };
    let mut count = 0;
    for part in &job.parts {
        assert_eq!(part.first, count);
        for raw in json::list(&part.contacts).expect("a part is a list") {
            let sent = contact::read(raw, Some("ES"));
            assert!(json::check(sent.raw.as_bytes()).is_ok());
            for (_, value) in &sent.fields {
                assert!(value.as_deref().is_none_or(|value| json::check(value.as_bytes()).is_ok()));
            }
            count += 1;
        }
    }
    assert_eq!(job.contacts, count);
    if let Some(new) = &job.purchase {
        let _ = purchase::read(&new.raw);
    }
});
