//! Any bytes as the body of sales v4 are read or refused; what is read is answered with valid JSON that has every item
//! again, and a repeated reading gives the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::json;
use punchcard::loyalty::sales::SaleOutcome;
use punchcard::loyalty::sales::read::{Item, Terms};
use punchcard::sales_v4::matches::People;
use punchcard::sales_v4::reply;
use punchcard::sales_v4::request::{self, Echo, Refused};

fuzz_target!(|data: &[u8]| {
    let terms = Terms {
        brand: 1,
        currency: "USD",
        zone: chrono_tz::America::New_York,
        country: Some("US"),
    };
    let request = match request::read(data, &terms, true) {
        Ok(request) => request,
        Err(Refused::Body(status, why)) => {
            let answer = reply::error(status, &why);
            assert!(json::check(answer.body.as_bytes()).is_ok());
            return;
        }
        Err(Refused::Problem(_)) => unreachable!("reading meets no other problem"),
    };
    let outcomes: Vec<SaleOutcome> = request.items.iter().map(outcome).collect();
    let echoes: Vec<Echo> = request.items.iter().map(Echo::of).collect();
    assert_eq!(echoes, request.echoes);
    let out = reply::written(&echoes, &outcomes, &People::default(), request.alone);
    json::check(out.as_bytes()).expect("an answer is JSON");
    let told = match json::list(&out) {
        Some(told) => told,
        None => vec![out.as_str()],
    };
    assert_eq!(told.len(), request.items.len());
    for (told, item) in told.into_iter().zip(&request.items) {
        let told = json::object(told).expect("an item is answered by an object");
        let sent = json::object(&item.raw).unwrap_or_default();
        let sent: Vec<_> = sent.into_iter().filter(|(name, _)| name != "response").collect();
        let (response, echo) = told.split_last().expect("there is a response");
        assert_eq!(response.0, "response");
        assert_eq!(echo, sent);
        assert_eq!(Item::read(&item.raw, &terms), *item);
    }
});

/// Some outcome that an item may have.
fn outcome(item: &Item) -> SaleOutcome {
    match &item.read {
        Err(_) => SaleOutcome::Invalid,
        Ok(sent) => match sent.event_at % 4 {
            0 => SaleOutcome::NotFound,
            1 => SaleOutcome::NotUnique { customers: vec![1, 2] },
            2 => SaleOutcome::Created { sale: 5, customer: 1 },
            _ => SaleOutcome::Updated { sale: 5, customer: 1 },
        },
    }
}
