//! Random batches, retries, mends, replays, dismissals and undos, compared step by step with a model that fits in the
//! head: balances are sums, a key is a memory, a rejection is a word, an undo is a minus.
//!
//! `PUNCHCARD_MODEL_ROUNDS` says how many sequences are played, 4 by default.

use crate::support::app::{App, COLUMNS, Shop};
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::support::process::{self, post};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::HashMap;

const WORLD: &str = r#"
[[account]]
id = "{account}"
name = "Model"
currency = "USD"
timezone = "Europe/Lisbon"

[[account.user]]
id = "{user}"
api_key = "{key}"

[[account.campaign]]
id = "P"
type = "points"
name = "Points"

[[account.campaign]]
id = "N"
type = "giftcard"
name = "May fall below zero"
allow_negative = true

[[account.customer]]
code = "a"

[[account.customer]]
code = "b"
"#;

/// A line as it is sent. Campaign X and code z do not exist; the amount "?" is none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Line {
    campaign: &'static str,
    code: &'static str,
    redeem: bool,
    amount: String,
}

impl Line {
    fn text(&self) -> String {
        let redeemed = if self.redeem { "Y" } else { "N" };
        format!(
            "{}|{}|{redeemed}|{}||",
            self.campaign, self.code, self.amount
        )
    }
}

#[derive(Clone, Debug)]
enum Step {
    Post {
        lines: Vec<Line>,
        key: Option<u8>,
        reject_batch: bool,
        dry_run: bool,
    },
    /// Sends the nth request of those so far again.
    Again(usize),
    /// Replays the nth rejection, or one that does not exist.
    Replay {
        rejection: usize,
        code: Option<&'static str>,
        amount: Option<u32>,
        dry_run: bool,
    },
    Dismiss(usize),
    Undo {
        batch: usize,
        skip_blocked: bool,
    },
}

fn line() -> impl Strategy<Value = Line> {
    let amount = prop_oneof![
        8 => (1_u32..12).prop_map(|n| n.to_string()),
        1 => Just("?".to_owned()),
    ];
    (
        prop_oneof![6 => Just("P"), 2 => Just("N"), 1 => Just("X")],
        prop_oneof![4 => Just("a"), 4 => Just("b"), 1 => Just("z")],
        proptest::bool::weighted(0.35),
        amount,
    )
        .prop_map(|(campaign, code, redeem, amount)| Line {
            campaign,
            code,
            redeem,
            amount,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (
            proptest::collection::vec(line(), 1..6),
            proptest::option::weighted(0.5, 0_u8..6),
            proptest::bool::weighted(0.15),
            proptest::bool::weighted(0.1),
        )
            .prop_map(|(lines, key, reject_batch, dry_run)| Step::Post { lines, key, reject_batch, dry_run }),
        3 => (0_usize..64).prop_map(Step::Again),
        3 => (
            0_usize..64,
            proptest::option::weighted(0.7, prop_oneof![Just("a"), Just("b")]),
            proptest::option::weighted(0.7, 1_u32..9),
            proptest::bool::weighted(0.2),
        )
            .prop_map(|(rejection, code, amount, dry_run)| Step::Replay { rejection, code, amount, dry_run }),
        1 => (0_usize..64).prop_map(Step::Dismiss),
        3 => (0_usize..64, any::<bool>()).prop_map(|(batch, skip_blocked)| Step::Undo { batch, skip_blocked }),
    ]
}

type Balances = HashMap<(&'static str, &'static str), i64>;

struct Kept {
    line: Line,
    state: &'static str,
    /// Which one it was among the equal lines of its batch.
    nth: usize,
}

#[derive(Default)]
struct Batch {
    /// Campaign, code, amount, whether it is reversed.
    entries: Vec<(&'static str, &'static str, i64, bool)>,
    /// The rejection that became this batch.
    replays: Option<usize>,
}

/// Imported and refused lines.
type Outcome = (usize, usize);

#[derive(Clone)]
struct Request {
    lines: Vec<Line>,
    key: Option<u8>,
    reject_batch: bool,
    dry_run: bool,
}

#[derive(Default)]
struct Model {
    balances: Balances,
    batches: Vec<Batch>,
    kept: Vec<Kept>,
    keys: HashMap<u8, ((Vec<Line>, bool), Outcome)>,
    requests: Vec<Request>,
}

impl Model {
    /// Changes a balance if it may; tells whether it did, or that it is a decline.
    fn apply(balances: &mut Balances, line: &Line) -> Result<i64, &'static str> {
        if line.campaign == "X" || line.code == "z" {
            return Err("open");
        }
        let amount: i64 = line.amount.parse().map_err(|_| "open")?;
        let amount = if line.redeem { -amount } else { amount };
        let balance = balances.entry((line.campaign, line.code)).or_default();
        if amount < 0 && *balance + amount < 0 && line.campaign != "N" {
            return Err("record");
        }
        *balance += amount;
        Ok(amount)
    }

    /// What a request is answered with; `None` where its key belongs to another one.
    fn post(&mut self, request: &Request) -> Option<(Outcome, bool)> {
        let meaning = (request.lines.clone(), request.reject_batch);
        if let Some((known, outcome)) = request.key.and_then(|key| self.keys.get(&key)) {
            return (*known == meaning).then_some((*outcome, true));
        }
        let mut balances = self.balances.clone();
        let mut batch = Batch::default();
        let mut refused: Vec<Kept> = Vec::new();
        let mut seen: HashMap<&Line, usize> = HashMap::new();
        let mut sent: Vec<(Line, usize)> = Vec::new();
        for line in &request.lines {
            let nth = seen.entry(line).or_default();
            *nth += 1;
            sent.push((line.clone(), *nth));
            match Model::apply(&mut balances, line) {
                Ok(amount) => batch
                    .entries
                    .push((line.campaign, line.code, amount, false)),
                Err(state) => refused.push(Kept {
                    line: line.clone(),
                    state,
                    nth: *nth,
                }),
            }
        }
        let outcome = (batch.entries.len(), refused.len());
        if request.reject_batch && !refused.is_empty() {
            return Some(((0, outcome.1), false));
        }
        if request.dry_run {
            return Some((outcome, false));
        }
        for kept in self.kept.iter_mut().filter(|kept| kept.state == "open") {
            if sent.contains(&(kept.line.clone(), kept.nth)) {
                kept.state = "superseded";
            }
        }
        self.balances = balances;
        self.batches.push(batch);
        self.kept.extend(refused);
        if let Some(key) = request.key {
            self.keys.insert(key, (meaning, outcome));
        }
        Some((outcome, false))
    }

    /// Whether the replay is posted.
    fn replay(&mut self, rejection: usize, line: &Line, dry_run: bool) -> bool {
        let mut balances = self.balances.clone();
        let Ok(amount) = Model::apply(&mut balances, line) else {
            return false;
        };
        if !dry_run {
            self.balances = balances;
            self.kept[rejection].state = "replayed";
            let entries = vec![(line.campaign, line.code, amount, false)];
            let replays = Some(rejection);
            self.batches.push(Batch { entries, replays });
        }
        true
    }

    /// How many entries are reversed; `None` where it is refused.
    fn undo(&mut self, batch: usize, skip_blocked: bool) -> Option<usize> {
        let open = |entry: &&mut (&'static str, &'static str, i64, bool)| !entry.3;
        let batch = self.batches.get_mut(batch)?;
        let mut sums = Balances::new();
        for (campaign, code, amount, _) in batch.entries.iter_mut().filter(open) {
            *sums.entry((campaign, code)).or_default() -= *amount;
        }
        if sums.is_empty() {
            return None;
        }
        let blocked: Vec<&str> = sums
            .iter()
            .filter(|((campaign, code), sum)| {
                let balance = self.balances.get(&(*campaign, *code)).unwrap_or(&0);
                *campaign != "N" && **sum < 0 && balance + **sum < 0
            })
            .map(|((_, code), _)| *code)
            .collect();
        if !blocked.is_empty() && !skip_blocked {
            return None;
        }
        let mut reversed = 0;
        let free = batch.entries.iter_mut().filter(open);
        for (campaign, code, amount, done) in free.filter(|entry| !blocked.contains(&entry.1)) {
            *self.balances.entry((campaign, code)).or_default() -= *amount;
            *done = true;
            reversed += 1;
        }
        if let Some(rejection) = batch.replays.filter(|_| reversed > 0) {
            // It has one entry.
            self.kept[rejection].state = "open";
        }
        (reversed > 0).then_some(reversed)
    }
}

fn send(shop: &Shop<'_>, request: &Request) -> crate::support::client::Reply {
    let text: Vec<String> = request.lines.iter().map(Line::text).collect();
    let data = text.join("\n");
    let key = request.key.map(|key| format!("key {key}"));
    let mut more = vec![
        ("allow-undo", "yes"),
        (
            "on_error",
            if request.reject_batch {
                "reject_batch"
            } else {
                "import_valid"
            },
        ),
        ("dry_run", if request.dry_run { "yes" } else { "no" }),
        ("Visits_Data", &data),
    ];
    more.extend(key.as_deref().map(|key| ("idempotency_key", key)));
    shop.post(&[&COLUMNS[..], &more].concat())
}

/// The number in an element; 0 where there is none.
fn number(body: &str, element: &str) -> usize {
    let open = format!("<{element}>");
    let Some(at) = body.find(&open) else { return 0 };
    let rest = &body[at + open.len()..];
    rest[..rest.find('<').unwrap()].parse().unwrap()
}

fn post_both(shop: &Shop<'_>, model: &mut Model, request: &Request) {
    let reply = send(shop, request);
    match model.post(request) {
        Some(((imported, refused), repeated)) => {
            assert_eq!(
                (
                    number(&reply.body, "transactions"),
                    number(&reply.body, "rejected")
                ),
                (imported, refused),
                "{}",
                reply.body
            );
            let marked = reply.header("idempotent-replayed").is_some();
            assert_eq!(marked, repeated, "{}", reply.body);
        }
        None => assert!(
            reply.body.contains("belongs to another request"),
            "{}",
            reply.body
        ),
    }
}

fn play(shop: &Shop<'_>, model: &mut Model, step: &Step) {
    let database = &shop.app.database;
    let account = shop.account.as_str();
    match step {
        Step::Post {
            lines,
            key,
            reject_batch,
            dry_run,
        } => {
            let request = Request {
                lines: lines.clone(),
                key: *key,
                reject_batch: *reject_batch,
                dry_run: *dry_run,
            };
            post_both(shop, model, &request);
            model.requests.push(request);
        }
        Step::Again(nth) => {
            if model.requests.is_empty() {
                return;
            }
            let request = model.requests[nth % model.requests.len()].clone();
            post_both(shop, model, &request);
        }
        Step::Replay {
            rejection,
            code,
            amount,
            dry_run,
        } => {
            let place = rejection % (model.kept.len() + 1);
            let number = (place + 1).to_string();
            let mut words = vec!["rejections", "replay", account, &number];
            let (code_is, amount_is);
            if let Some(code) = code {
                code_is = format!("code={code}");
                words.extend(["--set", &code_is]);
            }
            if let Some(amount) = amount {
                amount_is = format!("amount={amount}");
                words.extend(["--set", &amount_is]);
            }
            if *dry_run {
                words.push("--dry-run");
            }
            let expected = match model.kept.get(place) {
                Some(kept) if kept.state == "open" => {
                    let mut line = kept.line.clone();
                    line.code = code.unwrap_or(line.code);
                    line.amount = amount.map_or(line.amount, |amount| amount.to_string());
                    model.replay(place, &line, *dry_run)
                }
                _ => false,
            };
            let output = post(database, &words);
            assert_eq!(output.status.success(), expected, "{words:?} {output:?}");
        }
        Step::Dismiss(nth) => {
            let place = nth % (model.kept.len() + 1);
            let number = (place + 1).to_string();
            let kept = model.kept.get_mut(place);
            let expected = kept.as_ref().is_some_and(|kept| kept.state == "open");
            if let Some(kept) = kept.filter(|_| expected) {
                kept.state = "dismissed";
            }
            let output = process::run(database, &["rejections", "dismiss", account, &number]);
            assert_eq!(output.status.success(), expected, "{output:?}");
        }
        Step::Undo {
            batch,
            skip_blocked,
        } => {
            let place = batch % (model.batches.len() + 1);
            let number = (place + 1).to_string();
            let mut words = vec!["batches", "undo", account, &number, "--yes"];
            if *skip_blocked {
                words.push("--skip-blocked");
            }
            let output = post(database, &words);
            match model.undo(place, *skip_blocked) {
                Some(reversed) => {
                    let printed = String::from_utf8(output.stdout).unwrap();
                    let says = format!("Undone: {reversed} transaction");
                    assert!(printed.contains(&says), "{words:?}: {says}: {printed}");
                }
                None => assert_eq!(output.status.code(), Some(1), "{words:?} {output:?}"),
            }
        }
    }
}

fn compare(shop: &Shop<'_>, model: &Model) {
    for campaign in ["P", "N"] {
        for code in ["a", "b"] {
            let expected = model.balances.get(&(campaign, code)).unwrap_or(&0);
            assert_eq!(
                shop.balance(campaign, code),
                expected * 10_000,
                "{campaign} {code}"
            );
        }
    }
    let states: Vec<&str> = model.kept.iter().map(|kept| kept.state).collect();
    assert_eq!(shop.states(), states);
    assert_eq!(shop.counts().0, model.batches.len() as i64);
}

on_both_engines! {
    fn random_steps_end_as_in_the_model(engine: Engine) {
        let rounds = std::env::var("PUNCHCARD_MODEL_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
        let mut runner = TestRunner::deterministic();
        let app = App::start(engine, &[]);
        for round in 0..rounds {
            let shop = app.shop(WORLD);
            let mut model = Model::default();
            let steps = proptest::collection::vec(step(), 40).new_tree(&mut runner).unwrap().current();
            for (place, step) in steps.iter().enumerate() {
                println!("round {round}, step {place}: {step:?}");
                play(&shop, &mut model, step);
                compare(&shop, &model);
            }
        }
        let database = app.stop();
        process::verify(&database);
        println!("RESULT {engine:?}: {rounds} sequences of 40 random steps ended as in the model");
    }
}
