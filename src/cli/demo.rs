//! `punchcard demo`: an example world in a database of its own, on loopback, with requests to paste.

use super::serve::{self, StartError};
use super::{Access, Opened};
use crate::config::{DatabaseUrl, Settings, Source};
use crate::store::{installation, world as stored};
use crate::world::World;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The example world.
const WORLD: &str = include_str!("../../templates/demo/world.toml");
/// What is shown once the server listens; `{url}` is its address.
const WELCOME: &str = include_str!("../../templates/demo/welcome.txt");
/// The demo's database, in the working directory.
pub const DEMO_DATABASE: &str = "punchcard-demo.db";

/// Makes the world where it is missing, and serves it.
pub fn run(mut settings: Settings) -> Result<(), StartError> {
    if !settings.listen.ip().is_loopback() {
        return Err(format!(
            "the demo's secrets are public: it listens on loopback only, not on {}",
            settings.listen
        )
        .into());
    }
    if settings.source("database_url") == &Source::Default {
        settings.database_url = DatabaseUrl::Sqlite(PathBuf::from(DEMO_DATABASE));
    }
    let DatabaseUrl::Sqlite(path) = settings.database_url.clone() else {
        return Err("the demo uses a SQLite file of its own: leave out --database-url".into());
    };
    let known = path.exists();
    let Opened { mut db, key, .. } = super::open(&settings, Access::Create)?;
    if known && !installation::is_demo(&mut db)? {
        return Err(format!(
            "{} is not a demo's database: the demo does not touch it. Leave out --database-url.",
            path.display()
        )
        .into());
    }
    installation::mark_demo(&mut db)?;
    let world = World::read(WORLD)?;
    stored::apply(&mut db, &key, &world)?;
    drop(db);
    let serving = serve::start(&settings, key)?;
    let address: SocketAddr = serving.running.address;
    println!("{}", WELCOME.replace("{url}", &format!("http://{address}")));
    println!("The database is {}; {}.", path.display(), if known { "it goes on where it was" } else { "it is new" });
    serve::announce(&serving.running)?;
    serving.wait()
}
