//! The clients that are known to call the service, each as a small program of its own in its language's habit
//! (`tests/clients`): they read what a real server answers, and break on answers that are wrong in the way that they
//! would notice.

use crate::support::app::{App, Shop, WORLD};
use crate::support::client;
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::sink::{Answer, Sink};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

/// What a client read, and what it can do at all; or what it broke on.
type Read = Result<(Value, Vec<String>), String>;

/// Has a client do something at an address.
fn client(shop: &Shop<'_>, url: &str, name: &str, what: &str, with: &Value) -> Read {
    let with: Value = serde_json::from_str(&shop.named(&with.to_string())).unwrap();
    let job = json!({
        "url": url, "account": shop.account, "user": shop.user, "key": shop.key, "do": what, "with": with,
    });
    let program = match name.ends_with(".php") {
        true => "php",
        false => "python3",
    };
    let path = format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut running = Command::new(program)
        .arg(path)
        // Nothing is left beside the programs.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{program} is needed ({error}): run scripts/test, which installs it")
        });
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(job.to_string().as_bytes()).unwrap();
    drop(stdin);
    let out = running.wait_with_output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    match out.status.code() {
        Some(0) => {
            let said = shop.unnamed(&said);
            let read: Value = serde_json::from_str(&said)
                .unwrap_or_else(|error| panic!("{name} {what}: {error}: {said}"));
            Ok((
                read["read"].clone(),
                serde_json::from_value(read["can"].clone()).unwrap(),
            ))
        }
        Some(1) => Err(String::from_utf8(out.stderr).unwrap()),
        code => panic!(
            "{name} {what} ended with {code:?}: {said} {}",
            String::from_utf8_lossy(&out.stderr)
        ),
    }
}

/// The users beside the usual one: a person with a password.
fn world() -> String {
    let person = "[[account.user]]\nid = \"{user}-person\"\npassword = \"hush hush\"\npermissions = [\"read\"]\n\n[[account.campaign]]\nid = \"P\"";
    WORLD.replacen("[[account.campaign]]\nid = \"P\"", person, 1)
}

/// A table beside the clients; its rows are lists.
fn table<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What the clients do, in this order, in one account: the client, what it does, with what, and what it reads.
fn habits() -> Vec<(String, String, Value, Value)> {
    table("habits.json")
}

/// What each client would notice: the client, what it does, with what, and the replies that it must break on.
fn noticed() -> Vec<(String, String, Value, Vec<Wrong>)> {
    table("wrong.json")
}

/// A reply told wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
enum Wrong {
    /// An error that does not say which: JSON without `errors`, XML without `error`.
    NoErrors,
    /// A list of one that is its only element, in JSON.
    Collapsed,
    /// Numbers without quotes, in JSON.
    Unquoted,
    /// `status` told otherwise: in JSON as an attribute, in XML as an element.
    Attributes,
    /// Customers with an element around them, in XML.
    Wrapped,
    /// An element for each promotion, of which there are several, in XML.
    Several,
    /// An error of HTTP.
    Crashed,
    /// No GET.
    NoGet,
    /// Nothing.
    Empty,
}

impl Wrong {
    /// The reply told wrong. Panics where it is told as before.
    fn tell(self, status: u16, body: &str) -> (u16, String) {
        let wrong = match self {
            Wrong::Crashed => return (500, body.to_owned()),
            Wrong::NoGet => return (405, String::new()),
            Wrong::Empty => String::new(),
            _ if body.starts_with('<') => self.tell_xml(body),
            _ => {
                let right: Value = serde_json::from_str(body).unwrap();
                let wrong = self.tell_json(right.clone());
                assert_ne!(wrong, right, "{self:?}");
                wrong.to_string()
            }
        };
        assert_ne!(wrong, body, "{self:?}");
        (status, wrong)
    }

    fn tell_json(self, mut reply: Value) -> Value {
        match self {
            Wrong::NoErrors => drop(reply.as_object_mut().unwrap().remove("errors")),
            Wrong::Collapsed => reply = collapsed(reply),
            Wrong::Unquoted => reply = unquoted(reply),
            Wrong::Attributes => {
                let status = reply.as_object_mut().unwrap().remove("status");
                reply["@attributes"] = json!({"status": status});
            }
            other => panic!("{other:?} of JSON"),
        }
        reply
    }

    fn tell_xml(self, reply: &str) -> String {
        match self {
            Wrong::NoErrors => {
                let (begin, rest) = reply.split_once("<error>").unwrap();
                begin.to_owned() + rest.split_once("</error>").unwrap().1
            }
            Wrong::Attributes => reply.replace(
                "<response status=\"success\">",
                "<response><status>success</status>",
            ),
            Wrong::Wrapped => reply
                .replacen("<customer>", "<customers><customer>", 1)
                .replace("</response>", "</customers></response>"),
            Wrong::Several => reply.replace(
                "<promotion>",
                "<promotion><id>0</id></promotion><promotion>",
            ),
            other => panic!("{other:?} of XML"),
        }
    }
}

fn collapsed(value: Value) -> Value {
    match value {
        Value::Array(list) if list.len() == 1 => collapsed(list.into_iter().next().unwrap()),
        Value::Array(list) => list.into_iter().map(collapsed).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name, collapsed(value)))
            .collect(),
        other => other,
    }
}

fn unquoted(value: Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) => json!(number),
            Err(_) => Value::String(text),
        },
        Value::Array(list) => list.into_iter().map(unquoted).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name, unquoted(value)))
            .collect(),
        other => other,
    }
}

on_both_engines! {
    fn each_client_reads_what_the_server_answers(engine: Engine) {
        let app = App::shared(engine);
        let shop = app.shop(&world());
        let url = format!("http://{}/api.php", app.address);
        let mut never: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, what, with, expected) in habits() {
            let (read, can) = client(&shop, &url, &name, &what, &with)
                .unwrap_or_else(|error| panic!("{name} {what} {with}: {error}"));
            assert_eq!(read, expected, "{name} {what} {with}");
            never.entry(name).or_insert(can).retain(|known| *known != what);
        }
        assert_eq!(never.len(), 12);
        never.retain(|_, left| !left.is_empty());
        assert!(never.is_empty(), "clients can do what nobody has them do: {never:?}");
    }
}

#[test]
fn each_client_breaks_on_what_it_would_notice() {
    let app = App::shared(Engine::Sqlite);
    let shop = app.shop(&world());
    let clients: BTreeSet<String> = noticed().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(clients.len(), 12, "{clients:?}");
    for (name, what, with, wrongs) in noticed() {
        // What it asks, and what the server answers to that.
        let sink = Sink::start([Answer::Close]);
        let url = sink.url("/api.php");
        let ask = || client(&shop, &url, &name, &what, &with);
        assert!(ask().is_err(), "{name} {what} reads what was never said");
        let asked = sink.requests().remove(0);
        let headers: Vec<(&str, &str)> = asked
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let right = client::send(
            app.address,
            &asked.method,
            &asked.path,
            &headers,
            &asked.body,
        );
        let say = |status: u16, body: String| {
            let content_type = right.header("content-type").unwrap().to_owned();
            sink.then([Answer::Whole(
                status,
                vec![("Content-Type", content_type)],
                body.into_bytes(),
            )]);
        };
        say(right.status, right.body.clone());
        let read = ask();
        assert!(
            read.is_ok(),
            "{name} {what} breaks on the right reply: {read:?}"
        );
        for wrong in wrongs {
            let (status, body) = wrong.tell(right.status, &right.body);
            say(status, body);
            let read = ask();
            assert!(read.is_err(), "{name} {what} reads {wrong:?}: {read:?}");
        }
    }
}
