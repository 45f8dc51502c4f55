//! The URL of the database.
//!
//! Belongs here: reading `sqlite:` and `mysql:` URLs, and showing them without the password. Does not belong here:
//! connecting ([`crate::store`]).

use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::value::{Range, Value};
use crate::secrets::Secret;
use crate::text;

/// The port of a MySQL server when the URL names none.
pub const MYSQL_PORT: u16 = 3306;

/// What stands in a URL as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const EXAMPLES: &str =
    "sqlite:PATH, such as sqlite:punchcard.db, or mysql://user:password@host:3306/database";

/// Which database to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: a file, relative to the working directory. The path is taken as it is, without percent-decoding.
    Sqlite(PathBuf),
    /// `mysql://user:password@host:port/database`: a MySQL or MariaDB server, or several.
    Mysql(MysqlUrl),
}

/// The parts of a `mysql:` URL, percent-decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MysqlUrl {
    /// The user; never empty.
    pub user: String,
    /// The password, if there is one.
    pub password: Option<Secret>,
    /// The servers, in the order in which they are tried; at least one.
    pub hosts: Vec<Host>,
    /// The name of the database; never empty, without `/`.
    pub database: String,
}

/// One server of a `mysql:` URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// A host name or IP address; IPv6 addresses without their brackets.
    pub name: String,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, with an example. The text itself is not repeated, since anything in it may be a password.
    pub fn parse(url: &str) -> Result<DatabaseUrl, String> {
        let parsed = match url.split_once(':') {
            Some(("sqlite", path)) => sqlite(path).map(DatabaseUrl::Sqlite),
            Some(("mysql", rest)) => mysql(rest).map(DatabaseUrl::Mysql),
            _ => Err("it does not begin with sqlite: or mysql:".to_owned()),
        };
        parsed.map_err(|wrong| format!("{EXAMPLES} ({wrong})"))
    }

    /// The file of a SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match self {
            DatabaseUrl::Sqlite(path) => Some(path),
            DatabaseUrl::Mysql(_) => None,
        }
    }
}

impl MysqlUrl {
    /// The URL of one of its servers, percent-encoded, **with the password**: for the database driver, not for people.
    pub fn driver_url(&self, host: &Host) -> String {
        let encode = |part| utf8_percent_encode(part, ENCODED);
        let mut url = format!("mysql://{}", encode(&self.user));
        if let Some(password) = &self.password {
            url.push_str(&format!(":{}", encode(password.expose())));
        }
        url.push_str(&format!("@{host}/{}", encode(&self.database)));
        url
    }
}

/// Shows the URL with `***` for the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Mysql(url) => {
                write!(f, "mysql://{}", utf8_percent_encode(&url.user, ENCODED))?;
                if url.password.is_some() {
                    f.write_str(":***")?;
                }
                for (nth, host) in url.hosts.iter().enumerate() {
                    write!(f, "{}{host}", if nth == 0 { '@' } else { ',' })?;
                }
                write!(f, "/{}", utf8_percent_encode(&url.database, ENCODED))
            }
        }
    }
}

impl Value for DatabaseUrl {
    fn read(text: &str, _: Range) -> Result<Self, String> {
        DatabaseUrl::parse(text)
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    /// A broken URL may hold its password anywhere: only a SQLite path, or a word without any mark, is shown.
    fn show_refused(text: &str) -> String {
        match text.split_once(':') {
            Some(("sqlite", _)) => text::shown(text),
            Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                format!("{}:***", text::shown(scheme))
            }
            None if !text.contains('@') => text::shown(text),
            _ => "***".to_owned(),
        }
    }
}

fn sqlite(path: &str) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err("the path is missing".to_owned());
    }
    if path.starts_with(":memory:") {
        return Err("a database in memory would be lost at the end".to_owned());
    }
    // Not paths to us: SQLite reads `file:` as a URL of its own, and `//` looks like a host.
    if path.starts_with("//") || path.starts_with("file:") {
        return Err("the path comes right after sqlite:".to_owned());
    }
    if let Some((_, query)) = path.split_once('?') {
        return Err(unknown_parameter(query));
    }
    if path.contains('\0') {
        return Err("the path holds a zero byte".to_owned());
    }
    Ok(PathBuf::from(path))
}

fn mysql(rest: &str) -> Result<MysqlUrl, String> {
    let rest = rest.strip_prefix("//").ok_or("mysql: is followed by //")?;
    let (authority, after) = rest
        .split_once('/')
        .ok_or("the name of the database is missing")?;
    // Before anything is named in an error: an @ so far right means that the password was cut in two.
    if after.contains('@') || authority.contains('?') {
        return Err(
            "in user and password, write @ as %40, : as %3A, / as %2F and ? as %3F".to_owned(),
        );
    }
    let (database, query) = after
        .split_once('?')
        .map_or((after, None), |(database, query)| (database, Some(query)));
    if let Some(query) = query {
        return Err(unknown_parameter(query));
    }
    let (login, hosts) = authority.rsplit_once('@').ok_or("the user is missing")?;
    let (user, password) = login
        .split_once(':')
        .map_or((login, None), |(user, password)| (user, Some(password)));
    let user = decode(user, "user")?;
    if user.is_empty() {
        return Err("the user is empty".to_owned());
    }
    let password = password
        .map(|password| decode(password, "password"))
        .transpose()?;
    let database = decode(database, "name of the database")?;
    if database.is_empty() || database.contains('/') {
        return Err("the name of the database is empty or holds a /".to_owned());
    }
    Ok(MysqlUrl {
        user,
        password: password
            .filter(|password| !password.is_empty())
            .map(Secret::new),
        hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
        database,
    })
}

/// One of the comma-separated hosts.
fn host(text: &str) -> Result<Host, String> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
            if address.parse::<Ipv6Addr>().is_err() {
                return Err("what stands in brackets is not an IPv6 address".to_owned());
            }
            let port = match after {
                "" => None,
                _ => Some(
                    after
                        .strip_prefix(':')
                        .ok_or("a bracket is followed by something else than a port")?,
                ),
            };
            (address, port)
        }
        None => text
            .split_once(':')
            .map_or((text, None), |(name, port)| (name, Some(port))),
    };
    if name.is_empty() {
        return Err("a host is empty".to_owned());
    }
    if port.is_some_and(|port| port.contains(':')) {
        return Err("an IPv6 address stands in brackets, such as [::1]".to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    if !name.chars().all(plain) {
        return Err("a host has a character that host names do not have".to_owned());
    }
    let port = match port {
        None => MYSQL_PORT,
        Some(port) => port
            .parse()
            .ok()
            .filter(|number| *number != 0 && port.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or("a port is not a number from 1 to 65535")?,
    };
    Ok(Host {
        name: name.to_owned(),
        port,
    })
}

fn decode(part: &str, what: &str) -> Result<String, String> {
    let decoded = percent_decode_str(part)
        .decode_utf8()
        .map_err(|_| format!("the {what} is not UTF-8"))?;
    if decoded.contains('\0') {
        return Err(format!("the {what} holds a zero byte"));
    }
    Ok(decoded.into_owned())
}

fn unknown_parameter(query: &str) -> String {
    let name = query.split(['=', '&']).next().unwrap_or_default();
    format!(
        "the parameter \"{}\" is not known; there are none",
        text::shown(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mysql_url(text: &str) -> MysqlUrl {
        match DatabaseUrl::parse(text).unwrap() {
            DatabaseUrl::Mysql(url) => url,
            DatabaseUrl::Sqlite(path) => panic!("{path:?}"),
        }
    }

    fn host(name: &str, port: u16) -> Host {
        Host {
            name: name.to_owned(),
            port,
        }
    }

    #[test]
    fn sqlite_paths_are_taken_as_they_are() {
        for path in [
            "punchcard.db",
            "/var/lib/a b%20c.db",
            "./file:x",
            "ünder.db",
        ] {
            let url = DatabaseUrl::parse(&format!("sqlite:{path}")).unwrap();
            assert_eq!(url.sqlite_path(), Some(Path::new(path)));
            assert_eq!(url.to_string(), format!("sqlite:{path}"));
        }
    }

    #[test]
    fn mysql_urls_are_taken_apart() {
        let url = mysql_url("mysql://till:p%40ss%2F%3Aw%C3%B6rd@db.example.com/cards");
        assert_eq!(
            (url.user.as_str(), url.database.as_str()),
            ("till", "cards")
        );
        assert_eq!(
            url.password.as_ref().map(Secret::expose),
            Some("p@ss/:wörd")
        );
        assert_eq!(url.hosts, [host("db.example.com", 3306)]);
        assert_eq!(
            url.driver_url(&url.hosts[0]),
            "mysql://till:p%40ss%2F%3Aw%C3%B6rd@db.example.com:3306/cards"
        );
        let url = mysql_url("mysql://till@a:3307,[::1],[2001:db8::2]:3308,10.0.0.4/cards");
        assert_eq!(url.password, None);
        assert_eq!(
            url.hosts,
            [
                host("a", 3307),
                host("::1", 3306),
                host("2001:db8::2", 3308),
                host("10.0.0.4", 3306)
            ]
        );
        assert_eq!(
            url.driver_url(&url.hosts[2]),
            "mysql://till@[2001:db8::2]:3308/cards"
        );
    }

    #[test]
    fn a_password_with_an_unescaped_at_sign_or_colon_is_still_read() {
        let url = mysql_url("mysql://till:a@b:c,d@host/cards");
        assert_eq!(url.password.as_ref().map(Secret::expose), Some("a@b:c,d"));
        assert_eq!(url.hosts, [host("host", 3306)]);
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = DatabaseUrl::parse("mysql://till:hush@a,b:1/cards").unwrap();
        assert_eq!(url.to_string(), "mysql://till:***@a:3306,b:1/cards");
        assert!(!format!("{url:?}").contains("hush"));
    }

    #[test]
    fn wrong_urls_are_explained() {
        let cases = [
            ("", "does not begin with"),
            ("punchcard.db", "does not begin with"),
            ("postgres://u:hush@h/d", "does not begin with"),
            ("sqlite:", "the path is missing"),
            ("sqlite::memory:", "would be lost"),
            ("sqlite:///var/x.db", "right after sqlite:"),
            ("sqlite:file:x.db", "right after sqlite:"),
            ("sqlite:x.db?mode=ro", "the parameter \"mode\" is not known"),
            ("mysql:u:hush@h/d", "followed by //"),
            ("mysql://u:hush@h", "name of the database is missing"),
            ("mysql://u:hush@h/", "name of the database is empty"),
            ("mysql://u:hush@h/a/b", "empty or holds a /"),
            ("mysql://h/d", "the user is missing"),
            ("mysql://:hush@h/d", "the user is empty"),
            ("mysql://u:hush@/d", "a host is empty"),
            ("mysql://u:hush@h,/d", "a host is empty"),
            ("mysql://u:hush@::1/d", "a host is empty"),
            ("mysql://u:hush@fe80::1/d", "in brackets"),
            ("mysql://u:hush@[fe80/d", "not closed"),
            ("mysql://u:hush@[nine]/d", "not an IPv6"),
            ("mysql://u:hush@[::1]x/d", "something else than a port"),
            ("mysql://u:hush@h:/d", "from 1 to 65535"),
            ("mysql://u:hush@h:0/d", "from 1 to 65535"),
            ("mysql://u:hush@h:+1/d", "from 1 to 65535"),
            ("mysql://u:hush@h:65536/d", "from 1 to 65535"),
            ("mysql://u:hush@h x/d", "host names do not have"),
            ("mysql://u:hu/sh@h/d", "write @ as %40"),
            ("mysql://u:hu?sh@h/d", "write @ as %40"),
            ("mysql://u:%FFhush@h/d", "password is not UTF-8"),
            (
                "mysql://u:hush@h/d?ssl=1",
                "the parameter \"ssl\" is not known",
            ),
        ];
        for (url, expected) in cases {
            let error = DatabaseUrl::parse(url).unwrap_err();
            assert!(
                error.contains(expected) && error.starts_with("sqlite:PATH"),
                "{url}: {error}"
            );
            let shown = <DatabaseUrl as Value>::show_refused(url);
            assert!(
                !error.contains("hush") && !shown.contains("hu"),
                "{url}: {error}, {shown}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_login_survives_the_drivers_url(user in "[^\0]{1,20}", password in "[^\0]{1,20}") {
            let url = MysqlUrl {
                user,
                password: Some(Secret::new(password)),
                hosts: vec![host("::1", 1)],
                database: "cards".to_owned(),
            };
            prop_assert_eq!(mysql_url(&url.driver_url(&url.hosts[0])), url);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(mysql://|sqlite:)?[a-z@:/\\[\\],?%0-9]{0,30}") {
            let _ = DatabaseUrl::parse(&text);
        }
    }
}
