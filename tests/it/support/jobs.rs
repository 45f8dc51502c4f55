//! Jobs of `sync_data` without HTTP and without the worker: what a test hands to posting is what is written.

use super::app::WORLD;
use super::client::{self, Reply};
use super::engine::{Database, Engine, server_key};
use punchcard::json;
use punchcard::loyalty::account::Account;
use punchcard::loyalty::contacts::keys;
use punchcard::loyalty::contacts::sent::{Mail, Sent};
use punchcard::loyalty::purchases::read;
use punchcard::loyalty::sync::claim::{ClaimJob, Claimed, Wish};
use punchcard::loyalty::sync::id::JobId;
use punchcard::loyalty::sync::job::{NewJob, NewPurchase, Options, Part};
use punchcard::loyalty::sync::view::{JobView, Page};
use punchcard::loyalty::sync::work::{Item, Work, Worked};
use punchcard::posting::Poster;
use punchcard::posting::directory::Directory;
use punchcard::secrets;
use punchcard::store::connect::{Readers, Role};
use punchcard::store::{Db, world as stored};
use punchcard::world;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// A way to the rows of one account.
pub struct Jobs {
    pub database: Database,
    pub account: Arc<Account>,
    pub poster: Poster,
    runtime: Runtime,
}

/// How long claims of these tests hold.
pub const LEASE_US: i64 = 60_000_000;

impl Jobs {
    /// On a database of its own, with the world that most tests use and a few lines more in its account.
    pub fn start(engine: Engine, more: &str) -> Jobs {
        Jobs::on(Database::new(engine), more)
    }

    /// On a database that exists.
    pub fn on(database: Database, more: &str) -> Jobs {
        let text = WORLD
            .replace("{account}", "shop")
            .replace("{user}", "till")
            .replace("{key}", "key-of-the-till-1234567890")
            .replace(
                "country = \"US\"",
                &format!("country = \"US\"\nsecret = \"a-secret-of-some-length\"\n{more}"),
            );
        let world = world::read(&text, chrono::Utc::now()).unwrap();
        let db = &mut database.connect(Role::Writer);
        stored::apply(db, &server_key(), &world, &mut stored::Report::default()).unwrap();
        let settings = database.settings(&[]);
        let readers = Readers::new(&settings.database_url, 4, Duration::from_secs(30)).unwrap();
        let directory = Arc::new(Directory::load(readers).unwrap());
        Jobs {
            account: directory.by_id("shop").unwrap(),
            poster: Poster::start(&settings, &directory).unwrap(),
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
            database,
        }
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn db(&self) -> Db {
        self.database.connect(Role::Reader)
    }

    /// A request with these contacts, in JSON, in parts of so many.
    pub fn request(&self, contacts: &[String], part: usize) -> NewJob {
        let parts = contacts.chunks(part).enumerate().map(|(nth, some)| Part {
            first: i32::try_from(nth * part).unwrap(),
            contacts: format!("[{}]", some.join(",")),
        });
        NewJob {
            account: self.account.number,
            sealed: self.account.sealed_secret.clone().unwrap(),
            now_s: chrono::Utc::now().timestamp(),
            random: secrets::random_bytes().unwrap(),
            origin: "shop".to_owned(),
            options: Options::default(),
            contacts: i32::try_from(contacts.len()).unwrap(),
            parts: parts.collect(),
            purchase: None,
            url: None,
            custom: Default::default(),
            found: None,
        }
    }

    /// The purchase of a request.
    pub fn purchase(raw: &str, alone: bool) -> Option<NewPurchase> {
        Some(NewPurchase {
            raw: raw.to_owned(),
            code: read::code(raw),
            alone,
        })
    }

    /// Stores a request.
    pub fn accept(&self, request: NewJob) -> JobId {
        self.run(self.poster.accept(request, None)).unwrap().job.id
    }

    pub fn claim(&self, job: JobId, token: &str, wish: Wish) -> Option<Claimed> {
        let claim = ClaimJob {
            account: self.account.number,
            job: job.number(),
            token: token.to_owned(),
            lease_us: LEASE_US,
            wish,
            found: None,
        };
        self.run(self.poster.claim_job(claim)).unwrap()
    }

    /// The next items of a job, at most so many: what a worker would hand over.
    pub fn next(&self, claimed: &Claimed, cursor: i32, limit: usize) -> Work {
        let job = claimed.head.number;
        let part = self.poster.part(self.account.number, job, cursor);
        let part = self.run(part).unwrap();
        let (mut items, mut ends) = (Vec::new(), false);
        if let Some(part) = &part {
            let all = json::list(&part.contacts).unwrap();
            let from = usize::try_from(cursor - part.first).unwrap();
            items.extend(all.iter().skip(from).take(limit).map(|raw| item(raw)));
            ends = from + items.len() == all.len();
        }
        let end = cursor + i32::try_from(items.len()).unwrap();
        let finish = end == claimed.head.contacts;
        let purchase = claimed.purchase.as_deref().filter(|_| finish);
        Work {
            account: self.account.number,
            job,
            token: claimed.queued.token.clone().unwrap(),
            lease_us: LEASE_US,
            first: cursor,
            items,
            part: part.map(|part| (part.first, ends)),
            finish,
            poisoned: None,
            untold: false,
            purchase: purchase.map(read::read),
            purchase_raw: purchase.map(str::to_owned),
            new_purchase_id: secrets::random_hex(12).unwrap(),
            event_random: secrets::random_bytes().unwrap(),
            found: None,
            planned_for: self.account.config_version,
        }
    }

    pub fn work(&self, work: Work) -> Worked {
        self.run(self.poster.work(work)).unwrap()
    }

    /// Works a job off, in steps of so many items.
    pub fn work_off(&self, job: JobId, limit: usize) -> JobView {
        let token = secrets::random_hex(16).unwrap();
        let claimed = self.claim(job, &token, Wish::Take).unwrap();
        let mut cursor = claimed.queued.cursor;
        loop {
            let done = self.work(self.next(&claimed, cursor, limit));
            cursor = done.cursor;
            if done.finished {
                return self.view(job).unwrap();
            }
        }
    }

    /// A job with all of its results and their contacts.
    pub fn view(&self, job: JobId) -> Option<JobView> {
        let page = Page {
            limit: 1000,
            offset: 0,
            expand_contact: true,
            expand_purchase: true,
        };
        self.run(self.poster.job(self.account.number, job, page))
            .unwrap()
    }

    /// Ends the writers and gives back the database.
    pub fn stop(self) -> Database {
        self.poster.stop();
        self.database
    }
}

/// A contact as the wire would read it, as far as these tests need.
fn item(raw: &str) -> Item {
    let fields = json::object(raw).unwrap();
    let fields: Vec<(Box<str>, Option<Box<str>>)> = fields
        .iter()
        .map(|(name, value)| {
            (
                (&**name).into(),
                (*value != "null").then(|| (*value).into()),
            )
        })
        .collect();
    let mut print = [0; 32];
    for (to, from) in print.iter_mut().zip(raw.bytes().rev()) {
        *to = from;
    }
    Item {
        sent: Sent {
            raw: raw.into(),
            keys: keys::of_fields(&fields, Some("US")),
            fields,
            faults: Vec::new(),
            print,
        },
        mail: Mail::None,
        new_code: format!(
            "{:016}",
            u64::from_be_bytes(secrets::random_bytes().unwrap()) % 10_u64.pow(16)
        ),
        new_id: secrets::random_hex(12).unwrap(),
    }
}

/// An account with customers of nobody else's, whose secret is [`SECRET`], and more lines.
pub fn account(id: &str, more: &str) -> String {
    format!(
        "[[account]]\nid = \"{id}\"\nname = \"{id}\"\ncurrency = \"EUR\"\ntimezone = \"Europe/Madrid\"\n\
         country = \"ES\"\nsecret = \"{SECRET}\"\n{more}\n"
    )
}

/// The secret of these accounts.
pub const SECRET: &str = "a-secret-of-some-length";

/// Sends a request of `sync_data`; `None` if the server does not answer.
pub fn send(address: SocketAddr, line: &str, body: &str) -> Option<Reply> {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Token token={SECRET}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client::try_exchange(address, head.as_bytes())
}

/// Posts a request that must be taken, and gives the job's id.
pub fn post(address: SocketAddr, account: &str, body: &str) -> String {
    let reply = send(address, &format!("POST /account/{account}/sync_data"), body);
    let reply = reply.expect("an answer");
    assert_eq!(reply.status, 201, "{}", reply.body);
    let view: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    view["_id"].as_str().unwrap().to_owned()
}

/// A job as it is told.
pub fn told(address: SocketAddr, account: &str, job: &str) -> serde_json::Value {
    let reply = send(
        address,
        &format!("GET /account/{account}/sync_data/{job}"),
        "",
    );
    let reply = reply.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// A job once it is done.
pub fn done(address: SocketAddr, account: &str, job: &str) -> serde_json::Value {
    let since = Instant::now();
    loop {
        let view = told(address, account, job);
        if matches!(view["status"].as_str(), Some("completed" | "failed")) {
            return view;
        }
        assert!(since.elapsed() < Duration::from_secs(120), "{view}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
