//! Any bytes as query string, content type and body are read or refused, and the answer in the format they ask for is
//! well-formed.
//!
//! The input is three parts with NUL between them: content type, query string, body. A content type of one digit stands
//! for a common one, so that the fuzzer need not find it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use punchcard::api15::body::{self, BodyLimits};
use punchcard::api15::render::{self, Format};

const LIMITS: BodyLimits = BodyLimits {
    max_body_bytes: 4096,
    max_fields: 64,
};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let content_type = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let query = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let bytes = parts.next().unwrap_or_default();
    let content_type = match content_type.as_ref() {
        "0" => None,
        "1" => Some("application/x-www-form-urlencoded"),
        "2" => Some("multipart/form-data; boundary=b"),
        other => Some(other),
    };

    body::peek(&query, content_type, bytes);
    let params = match body::read(&query, content_type, bytes, LIMITS) {
        Ok(params) => params,
        Err(error) => {
            // Saying what is wrong must not fail either.
            let _ = error.problem.text();
            error.partial
        }
    };
    let _ = params.check_near_misses();
    let _ = params.numbered("visits_header_");
    let (format, _) = Format::from_params(&params);
    let reply = render::render(&format, "success", |sink| {
        sink.list("fields", "field");
        for (name, value) in params.iter() {
            sink.item();
            sink.attribute("name", name);
            sink.text("value", value);
            sink.end();
        }
        sink.end();
    });
    assert!(String::from_utf8(reply).is_ok());
});
