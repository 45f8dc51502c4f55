//! `punchcard demo`: an example world in a database of its own, on loopback, with requests to paste.

use super::{Fail, Opened, serve};
use crate::config::{DatabaseUrl, Settings};
use crate::store::connect::{Role, connect};
use crate::store::{installation, world as stored};
use crate::world;
use std::net::SocketAddr;

/// The example world.
const WORLD: &str = include_str!("../../templates/demo/world.toml");
/// What is shown once the server listens; `{url}` is its address.
const WELCOME: &str = include_str!("../../templates/demo/welcome.txt");
/// Makes the world where it is missing, and serves it.
pub fn run(settings: Settings, warnings: Vec<String>) -> Result<(), Fail> {
    serve::start_logging(settings.log.as_str(), &warnings)?;
    if !settings.listen.ip().is_loopback() {
        return Err(Fail::new(format!(
            "the demo's secrets are public: it listens on loopback only, not on {}",
            settings.listen
        )));
    }
    let DatabaseUrl::Sqlite(path) = settings.database_url.clone() else {
        return Err(Fail::new(
            "the demo uses a SQLite file of its own: leave out --database-url",
        ));
    };
    let known = path.exists();
    if known {
        // Looked at before anything is made in it. A file without accounts is one whose first start was cut short.
        let db = &mut connect(&settings.database_url, Role::Reader)?;
        if !installation::is_demo(db).unwrap_or(false)
            && installation::has_accounts(db).unwrap_or(false)
        {
            return Err(Fail::new(format!(
                "{} is not a demo's database: the demo does not touch it. Leave out --database-url.",
                path.display()
            )));
        }
    }
    let Opened { mut db, key, .. } = super::open(&settings)?;
    installation::mark_demo(&mut db)?;
    let world = world::read(WORLD, chrono::Utc::now())?;
    stored::apply(&mut db, &key, &world, &mut stored::Report::default())?;
    drop(db);
    let serving = serve::start(&settings, key)?;
    let address: SocketAddr = serving.running.address;
    println!("{}", WELCOME.replace("{url}", &format!("http://{address}")));
    println!(
        "The database is {}; {}.",
        path.display(),
        if known {
            "it goes on where it was"
        } else {
            "it is new"
        }
    );
    serve::announce(&serving.running)?;
    serving.wait()
}
