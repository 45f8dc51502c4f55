//! A real PHP client: curl with an array (multipart), curl with a string, streams, GET; simplexml and json_decode.

use crate::support::app::{App, COLUMNS, Shop, WORLD, fields};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Has PHP send a batch and tells what it read.
fn php(shop: &Shop<'_>, how: &str, data: &str, more: Value) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in shop.common().into_iter().chain(fields(&COLUMNS)) {
        all.insert(name, Value::String(value));
    }
    all.insert("Visits_Data".to_owned(), Value::String(data.to_owned()));
    let mut job = json!({"url": format!("http://{}/api.php", shop.app.address), "how": how});
    for (name, value) in more.as_object().unwrap() {
        match name.as_str() {
            "header" => job["header"] = Value::String(shop.named(value.as_str().unwrap())),
            "without" => drop(all.remove(value.as_str().unwrap())),
            _ => drop(all.insert(name.clone(), value.clone())),
        }
    }
    if let Some(output) = all.get("output") {
        job["output"] = output.clone();
    }
    job["fields"] = Value::Object(all);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/php/client.php");
    let mut php = Command::new("php")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("php is needed: run scripts/test, which installs it");
    php.stdin
        .take()
        .unwrap()
        .write_all(job.to_string().as_bytes())
        .unwrap();
    let out = php.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn imported(n: usize) -> Value {
    json!({"@attributes": {"status": "success"}, "batch": {"@attributes": {"status": "all_imported"}, "transactions": n.to_string()}})
}

on_both_engines! {
    fn every_habit_of_php_clients_works(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        for how in ["array", "string", "stream", "get"] {
            let read = php(&shop, how, "\nP|12121|N|14,95|2010-03-15|API test import 1\nG|12121|Y|0.50||\n", json!({}));
            assert_eq!(read, json!({"error": "", "status": "success", "reply": imported(2), "twice": imported(2)}), "{how}");
        }
        assert_eq!(shop.balance("P", "12121"), (150_000 + 4 * 1_495) * 100);
        assert_eq!(shop.balance("G", "12121"), 98 * 10_000);
    }

    fn a_large_array_waits_for_100_continue_and_goes_through(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let data = "P|12122|N|1|2020-02-29|a line of a large batch from PHP\n".repeat(30_000);
        let read = php(&shop, "array", &data, json!({}));
        assert_eq!(read["reply"], imported(30_000));
        assert_eq!(shop.balance("P", "12122"), 30_000 * 10_000);
    }

    fn the_key_may_travel_in_the_header(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let read = php(&shop, "array", "P|12121|N|1||", json!({"header": "api_access_key: {key}", "without": "user_api_key"}));
        assert_eq!(read["reply"], imported(1));
    }

    fn errors_are_read_by_simplexml_also_after_ampersands_were_escaped_twice(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let read = php(&shop, "array", "P|Tom & Jerry <Ltd> é|N|1||", json!({}));
        let expected = "None of the 1 lines was imported. Line 1: No customer has the code or card number \
             \"Tom & Jerry <Ltd> é\". Send an existing code, or create_new_customers=Y.";
        assert_eq!(read["status"], "error");
        assert_eq!(read["reply"]["error"], expected);
        assert_eq!(read["twice"]["error"], expected.replace('&', "&amp;").replace('<', "&lt;"));
        let read = php(&shop, "string", "P|12121|N|x||", json!({"output": "JSON"}));
        assert_eq!(read["reply"]["status"], "error");
        assert_eq!(read["reply"]["errors"], json!([read["reply"]["error"]]));
        assert_eq!(read["reply"]["batch"]["rejected"], "1");
    }
}
