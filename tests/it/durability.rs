//! What was acknowledged is on disk: no reply byte leaves before a sync that began after the group's last write. Seen
//! by strace, from outside. And `serve` refuses database settings under which the sync would be skipped.

use crate::support::audit::Books;
use crate::support::engine::{Database, Engine};
use crate::support::load::{self, Load, Told};
use crate::support::process::{self, Serve};
use crate::support::trace::{self, Call};

/// Lone posts, then so many at once.
const LONE: usize = 20;
const TOGETHER: usize = 10;

fn is_reply(call: &Call) -> bool {
    call.arguments.contains("\"HTTP/1.1 200")
}

/// The number of requests in a line of the writer's log, if the call writes one with this text.
fn logged(call: &Call, text: &str) -> Option<usize> {
    let (_, rest) = call.arguments.split_once(text)?;
    let digits: String = rest
        .trim_start_matches(" requests=")
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

/// Whether a sync of this file began after `after` and returned before `before`.
fn synced(calls: &[Call], file: &str, after: usize, before: usize) -> bool {
    calls
        .iter()
        .any(|call| call.is_sync() && call.is_on(file) && call.began > after && call.ended < before)
}

/// Judges a trace of a server on SQLite. Returns how many replies and groups it saw, or what is wrong.
fn judge(calls: &[Call], lone: usize) -> Result<(usize, usize), String> {
    const WAL: &str = "-wal";
    // Lone posts: whatever was written to the log before a reply was synced after its last write. This does not trust
    // the server's own account of its groups.
    let replies: Vec<&Call> = calls.iter().filter(|call| is_reply(call)).collect();
    let mut previous = 0;
    for (number, reply) in replies.iter().take(lone).enumerate() {
        let last_write = calls
            .iter()
            .filter(|call| call.is_write() && call.is_on(WAL))
            .filter(|call| call.ended > previous && call.began < reply.began)
            .map(|call| call.ended)
            .max()
            .ok_or_else(|| format!("nothing was written before reply {number}"))?;
        if !synced(calls, WAL, last_write, reply.began) {
            return Err(format!("reply {number} left before its group was synced"));
        }
        previous = reply.ended;
    }
    // Groups: between its two lines in the server's log, a group's thread wrote and then synced; and at no time more
    // replies had left than there were requests in the groups that were synced.
    let (mut groups, mut began) = (0, None);
    let (mut replied, mut answered) = (0, 0);
    for call in calls {
        if logged(call, "group begins").is_some() {
            began = Some(call);
        }
        if let Some(requests) = logged(call, "group is answered") {
            let began = began
                .take()
                .ok_or("a group was answered that had not begun")?;
            let last_write = calls
                .iter()
                .filter(|other| {
                    other.is_write() && other.is_on(WAL) && other.thread == began.thread
                })
                .filter(|other| other.began > began.ended && other.ended < call.began)
                .map(|other| other.ended)
                .max()
                .ok_or("a group wrote nothing")?;
            if !synced(calls, WAL, last_write, call.began) {
                return Err("a group was answered before it was synced".to_owned());
            }
            groups += 1;
            answered += requests;
        }
        if is_reply(call) {
            replied += 1;
            if replied > answered {
                return Err(format!("reply {replied} left before its group was synced"));
            }
        }
    }
    Ok((replied, groups))
}

#[test]
fn on_sqlite_no_reply_leaves_before_its_group_is_synced() {
    let database = Database::new(Engine::Sqlite);
    process::apply(&database, &load::world());
    let file = database.dir.path().join("trace");
    let words = trace::words(&file);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let server = Serve::on(&database)
        .durable()
        .with("log", "punchcard::posting=trace")
        .under(&words)
        .start();
    let load = Load::new(1);
    for _ in 0..LONE {
        assert_eq!(load.post(server.address, 1), Told::Posted);
    }
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| assert_eq!(load.post(server.address, 1), Told::Posted));
        }
    });
    let address = server.address;
    server.stop();
    let calls = trace::read(&file);
    let (replies, groups) = judge(&calls, LONE).unwrap();
    assert_eq!(replies, LONE + TOGETHER, "on {address}");
    assert!((LONE + 1..=LONE + TOGETHER).contains(&groups), "{groups}");
    Books::default().check(&database, &load.into_books().0);

    // The judge can tell. The same trace without syncs, with syncs that began too early, and with a reply too early:
    let without: Vec<Call> = calls
        .iter()
        .filter(|call| !call.is_sync())
        .cloned()
        .collect();
    assert!(judge(&without, LONE).is_err());
    assert!(judge(&without, 0).is_err());
    let mut early = calls.clone();
    for call in early.iter_mut().filter(|call| call.is_sync()) {
        // As if the sync had begun before the writes that it followed.
        call.began = call.began.saturating_sub(1000);
    }
    assert!(judge(&early, LONE).is_err());
    // As if the reply to a lone post had left as soon as its group had begun.
    let mut hasty = calls;
    let at = hasty.iter().position(is_reply).unwrap();
    let mut reply = hasty.remove(at);
    let begins = hasty[..at]
        .iter()
        .rposition(|call| logged(call, "group begins").is_some())
        .unwrap();
    reply.began = hasty[begins].ended;
    reply.ended = reply.began;
    hasty.insert(begins + 1, reply);
    assert!(judge(&hasty, LONE).is_err());
    assert!(judge(&hasty, 0).is_err());
}

#[cfg(feature = "mysql")]
mod mariadb {
    use super::*;
    use crate::support::engine::mysql::execute;
    use crate::support::mariadb::Mariadb;
    use crate::support::tracer::Tracer;
    use std::time::{SystemTime, UNIX_EPOCH};

    const LOG: &str = "/ib_logfile0";

    fn now() -> f64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
    }

    /// How many of the lone posts, given by when they were sent and answered, had their redo log written in between
    /// and synced after that. A lone post is one write; a later one in its time is the server's own, such as the mark
    /// of a checkpoint, and no reply waits for it.
    fn synced_in_time(calls: &[Call], posts: &[(f64, f64)]) -> usize {
        let on_log: Vec<&Call> = calls.iter().filter(|call| call.is_on(LOG)).collect();
        posts
            .iter()
            .filter(|(sent, answered)| {
                let within = |call: &&&Call| call.began_at >= *sent && call.ended_at <= *answered;
                let write = on_log
                    .iter()
                    .filter(|call| call.is_write())
                    .filter(within)
                    .map(|call| call.ended)
                    .min();
                write.is_some_and(|written| {
                    on_log
                        .iter()
                        .filter(|call| call.is_sync())
                        .filter(within)
                        .any(|call| call.began > written)
                })
            })
            .count()
    }

    #[test]
    fn on_mariadb_no_reply_comes_back_before_the_redo_log_is_synced() {
        let mariadb = Mariadb::start(&["--durable"]);
        let database = Database::on_server(&mariadb.url);
        process::apply(&database, &load::world());
        let server = Serve::on(&database).durable().start();
        let load = Load::new(1);
        // Opens the connections.
        assert_eq!(load.post(server.address, 1), Told::Posted);
        assert_eq!(load.post(server.address, 1), Told::Posted);
        let traced = |count: usize| {
            let tracer = Tracer::attach(mariadb.pid, database.dir.path());
            let posts: Vec<(f64, f64)> = (0..count)
                .map(|_| {
                    let sent = now();
                    assert_eq!(load.post(server.address, 1), Told::Posted);
                    (sent, now())
                })
                .collect();
            synced_in_time(&tracer.finish(), &posts)
        };
        assert_eq!(traced(LONE), LONE);
        // The test can tell: without the setting, what is synced in time is synced by chance.
        execute(
            &mariadb.url,
            "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
        );
        let by_chance = traced(LONE);
        assert!(by_chance < LONE / 2, "{by_chance} of {LONE}");
        server.stop();
        Books::default().check(&database, &load.into_books().0);
    }

    #[test]
    fn serve_refuses_settings_that_lose_what_was_acknowledged() {
        let mariadb = Mariadb::start(&["--binlog"]);
        let database = Database::on_server(&mariadb.url);
        process::apply(&database, &load::world());
        let set = |flush: u32, sync: u32| {
            execute(
                &mariadb.url,
                &format!("SET GLOBAL innodb_flush_log_at_trx_commit = {flush}"),
            );
            execute(&mariadb.url, &format!("SET GLOBAL sync_binlog = {sync}"));
        };
        for (flush, sync, named) in [
            (2, 1, "innodb_flush_log_at_trx_commit is 2"),
            (0, 1, "innodb_flush_log_at_trx_commit is 0"),
            (1, 0, "sync_binlog is 0"),
        ] {
            set(flush, sync);
            let said = Serve::on(&database).durable().refused();
            assert!(said.contains(named), "{said}");
            assert!(said.contains("--unsafe-durability"), "{said}");
            let server = Serve::on(&database).start();
            let log = server.log();
            assert!(
                log.contains("WARN") && log.contains("unsafe durability") && log.contains(named),
                "{log}"
            );
            server.stop();
        }
        set(1, 1);
        Serve::on(&database).durable().start().stop();
    }
}
