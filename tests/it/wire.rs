//! Golden requests and replies: each file under `tests/wire` is a story of requests with their whole replies and what
//! the books hold afterwards.
//!
//! A story `NAME.toml` says what is sent; `NAME.txt` beside it holds what came back, in all three formats. A story is
//! told three times on each engine, once for each format, each time to an account of its own, and the books must end
//! up the same. `PUNCHCARD_BLESS=1` writes the replies anew: read the difference before you commit it.

use crate::support::app::{App, Shop, WORLD, fields};
use crate::support::client::{Encoding, Reply};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A file under `tests/wire`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// What it shows, and where the rule comes from.
    about: String,
    /// A world text in place of the usual one.
    world: Option<String>,
    /// What is sent, in order.
    step: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    about: String,
    /// Fields beside the common ones, in order; `{account}`, `{user}`, `{key}`, `{today}` and `{tomorrow}` are put in.
    #[serde(default)]
    fields: Vec<(String, String)>,
    /// Names for what the reply holds, each with its element or member: later steps write `{name}`, and goldens show that.
    #[serde(default)]
    take: Vec<(String, String)>,
    /// `Visits_Data`, where it is given.
    data: Option<String>,
    /// Columns, as `visits_header_1` and so on.
    #[serde(default)]
    columns: Vec<String>,
    /// Common fields to leave out: `API`, `user_id` and so on.
    #[serde(default)]
    without: Vec<String>,
    /// Headers.
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// `urlencoded` (as by default), `multipart` or `query`.
    encoding: Option<String>,
    /// The path, `/api.php` by default.
    path: Option<String>,
}

/// A format, with the fields that ask for it.
const FORMATS: [(&str, &[(&str, &str)]); 3] = [
    ("XML", &[]),
    ("JSON", &[("output", "JSON")]),
    ("JSONP", &[("callback", "shop.done"), ("condensed", "yes")]),
];

on_both_engines! {
    fn stories(engine: Engine) {
        let mut failed = Vec::new();
        let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire"));
        assert!(files.len() > 20, "only {} stories", files.len());
        for file in files {
            // One that breaks off does not hide the others.
            let Ok(told) = std::panic::catch_unwind(|| tell_on_one_day(engine, &file)) else {
                failed.push(format!("{} broke off", file.display()));
                continue;
            };
            let golden = file.with_extension("txt");
            if std::env::var_os("PUNCHCARD_BLESS").is_some() && engine == Engine::Sqlite {
                std::fs::write(&golden, &told).unwrap();
            }
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            if told != expected {
                failed.push(format!("{}\n{}", golden.display(), difference(&expected, &told)));
            }
        }
        assert!(failed.is_empty(), "{} stories went otherwise:\n{}", failed.len(), failed.join("\n"));
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Tells a story in all formats; returns what the golden file should hold.
fn tell(engine: Engine, file: &Path) -> String {
    let story: Story = toml::from_str(&std::fs::read_to_string(file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut replies: Vec<String> = vec![String::new(); story.step.len()];
    let mut books: Option<String> = None;
    for (format, asking) in FORMATS {
        let shop = App::shared(engine).shop(story.world.as_deref().unwrap_or(WORLD));
        let mut taken = Taken::default();
        for (step, out) in story.step.iter().zip(&mut replies) {
            let reply = send(&shop, step, asking, &taken);
            taken.read(&step.take, &reply.body);
            let shown = taken.masked(&show(&shop, &reply));
            writeln!(out, "--- {format}\n{shown}").unwrap();
        }
        let held = taken.masked(&normalised(&shop.unnamed(&format!(
            "=== balances\n{}=== batches\n{}=== entries\n{}=== new customers\n{}=== rejections\n{}",
            shop.balances(),
            shop.batches(),
            shop.entries(),
            shop.new_customers(),
            shop.rejections()
        ))));
        let people = shop.people();
        let held = match people.is_empty() {
            true => held,
            false => held + "=== people\n" + &taken.masked(&normalised(&shop.unnamed(&people))),
        };
        match &books {
            None => books = Some(held),
            Some(first) => assert_eq!(
                first,
                &held,
                "{}: the books differ by format {format}",
                file.display()
            ),
        }
    }
    let mut out = format!("{}\n", story.about.trim());
    for (step, reply) in story.step.iter().zip(replies) {
        write!(out, "\n=== {}\n{reply}", step.about).unwrap();
    }
    write!(out, "\n{}", books.unwrap()).unwrap();
    out
}

/// What replies have told, with the names that steps give it.
#[derive(Default)]
struct Taken(Vec<(String, String)>);

impl Taken {
    fn read(&mut self, wanted: &[(String, String)], body: &str) {
        for (name, element) in wanted {
            let found = [
                (format!("<{element}>"), '<'),
                (format!("\"{element}\":\""), '"'),
                (format!("\"{element}\": \""), '"'),
            ]
            .into_iter()
            .find_map(|(begin, end)| body.split_once(&begin)?.1.split_once(end));
            let (value, _) = found.unwrap_or_else(|| panic!("no {element} in {body}"));
            self.0.push((name.clone(), value.to_owned()));
        }
    }

    /// A text with values in place of names.
    fn put_into(&self, text: &str) -> String {
        let each = self.0.iter();
        each.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// A text with names in place of values, also of values in small letters, as they are searched by.
    fn masked(&self, text: &str) -> String {
        let each = self.0.iter();
        each.fold(text.to_owned(), |text, (name, value)| {
            let name = format!("{{{name}}}");
            text.replace(value.as_str(), &name)
                .replace(&value.to_lowercase(), &name)
        })
    }
}

/// Tells a story again if midnight came in between.
fn tell_on_one_day(engine: Engine, file: &Path) -> String {
    loop {
        let day = today(ZONE, 0);
        let told = tell(engine, file);
        if today(ZONE, 0) == day {
            return told;
        }
    }
}

/// The zone of the test world.
const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

fn today(zone: chrono_tz::Tz, plus_days: u64) -> String {
    let day = chrono::Utc::now().with_timezone(&zone).date_naive() + chrono::Days::new(plus_days);
    day.format("%Y-%m-%d").to_string()
}

/// Dates that change from day to day, as words.
fn normalised(text: &str) -> String {
    let mut out = text.to_owned();
    for (days, word) in [(0, "{today}"), (1, "{tomorrow}"), (2, "{too-late}")] {
        let iso = today(ZONE, days);
        out = out.replace(&iso, word).replace(&iso.replace('-', ""), word);
    }
    without_times(&out)
}

/// The times of today, as a word.
fn without_times(text: &str) -> String {
    let mut parts = text.split("{today} ");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let is_time = |time: &str| {
            let mut places = time.bytes().enumerate();
            places.all(|(at, byte)| match at {
                2 | 5 => byte == b':',
                _ => byte.is_ascii_digit(),
            })
        };
        out.push_str("{today} ");
        match part.split_at_checked(8) {
            Some((time, rest)) if is_time(time) => {
                out.push_str("{time}");
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

fn send(shop: &Shop<'_>, step: &Step, asking: &[(&str, &str)], taken: &Taken) -> Reply {
    let put_in = |text: &str| {
        taken
            .put_into(&shop.named(text))
            .replace("{today}", &today(ZONE, 0))
            .replace("{tomorrow}", &today(ZONE, 1))
            .replace("{too-late}", &today(ZONE, 2))
    };
    let mut all = shop.common();
    all.retain(|(name, _)| !step.without.contains(name));
    // What the step itself says of the format counts.
    all.extend(
        fields(asking)
            .into_iter()
            .filter(|(name, _)| !step.fields.iter().any(|(own, _)| own == name)),
    );
    for (number, column) in (1..).zip(&step.columns) {
        all.push((format!("visits_header_{number}"), column.clone()));
    }
    all.extend(
        step.fields
            .iter()
            .map(|(name, value)| (name.clone(), put_in(value))),
    );
    if let Some(data) = &step.data {
        all.push(("Visits_Data".to_owned(), put_in(data)));
    }
    let headers: Vec<_> = step
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), put_in(value)))
        .collect();
    let encoding = match step.encoding.as_deref() {
        None | Some("urlencoded") => Encoding::Urlencoded,
        Some("multipart") => Encoding::Multipart,
        Some("query") => Encoding::Query,
        Some(other) => panic!("unknown encoding {other}"),
    };
    let path = step.path.as_deref().unwrap_or(&shop.path);
    crate::support::client::exchange(
        shop.app.address,
        &crate::support::client::request(path, encoding, &headers, &all),
    )
}

fn show(shop: &Shop<'_>, reply: &Reply) -> String {
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let content_type = reply.header("content-type").unwrap_or("");
    let repeated = match reply.header("idempotent-replayed") {
        Some(value) => format!("Idempotent-Replayed: {value}\n"),
        None => String::new(),
    };
    normalised(&shop.unnamed(&format!(
        "{} {content_type}\n{repeated}{}",
        reply.status, reply.body
    )))
}

/// The first line that differs, with its neighbours.
fn difference(expected: &str, told: &str) -> String {
    let (left, right): (Vec<_>, Vec<_>) = (expected.lines().collect(), told.lines().collect());
    let at = (0..left.len().max(right.len()))
        .find(|n| left.get(*n) != right.get(*n))
        .unwrap_or(0);
    format!(
        "  line {}:\n  expected: {}\n  but told: {}",
        at + 1,
        left.get(at).unwrap_or(&"(end)"),
        right.get(at).unwrap_or(&"(end)")
    )
}
