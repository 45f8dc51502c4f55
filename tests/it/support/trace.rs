//! What a process asked of the kernel, by strace: which calls, in which order, on which files.

use std::collections::HashMap;
use std::path::Path;

/// Writes to files and sockets, and syncs. A `?` lets machines pass that do not know the call.
const CALLS: &str =
    "trace=?write,?writev,?pwrite64,?pwritev,?pwritev2,?sendto,?sendmsg,?fsync,?fdatasync";

/// The words that run a command under strace: all threads, descriptors with their paths, times.
pub fn words(file: &Path) -> Vec<String> {
    let mut words = vec!["strace".to_owned()];
    words.extend(options(file));
    words
}

/// The options of strace by which [`read`] can read what it writes.
pub fn options(file: &Path) -> Vec<String> {
    [
        "-f",
        "-y",
        "-ttt",
        "-T",
        "-s",
        "160",
        "-e",
        "signal=none",
        "-e",
        CALLS,
        "-o",
        file.to_str().unwrap(),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A system call.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The thread.
    pub thread: u32,
    pub name: String,
    /// All arguments as strace prints them: the descriptor with its path first.
    pub arguments: String,
    /// Its place in the order of what strace saw: when it began, and when it returned.
    pub began: usize,
    pub ended: usize,
    /// The same by the clock, in seconds since 1970.
    pub began_at: f64,
    pub ended_at: f64,
}

impl Call {
    /// Whether the first argument is a descriptor of a file whose path ends so.
    pub fn is_on(&self, path_end: &str) -> bool {
        self.arguments
            .split_once('>')
            .is_some_and(|(descriptor, _)| descriptor.ends_with(path_end))
    }

    pub fn is_sync(&self) -> bool {
        self.name == "fsync" || self.name == "fdatasync"
    }

    pub fn is_write(&self) -> bool {
        self.name.contains("write")
    }
}

/// Reads a trace. Calls come in the order in which they began; those that never returned are left out.
pub fn read(file: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    let mut open: HashMap<u32, Call> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let (began, ended) = (2 * at, 2 * at + 1);
        let mut words = line.splitn(2, ' ');
        let thread: u32 = words.next().unwrap().parse().unwrap();
        // The thread's number is padded.
        let (time, what) = words.next().unwrap().trim_start().split_once(' ').unwrap();
        let time: f64 = time.parse().unwrap();
        if what.starts_with("+++") || what.starts_with("---") {
            continue;
        }
        if let Some(rest) = what.strip_prefix("<... ") {
            let Some(mut call) = open.remove(&thread) else {
                continue;
            };
            let (_, rest) = rest.split_once(" resumed>").unwrap();
            call.arguments.push_str(rest);
            call.ended = ended;
            call.ended_at = time;
            calls.push(call);
            continue;
        }
        let Some((name, arguments)) = what.split_once('(') else {
            panic!("a line of strace that is not understood: {line}");
        };
        let mut call = Call {
            thread,
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            began,
            ended,
            began_at: time,
            ended_at: time,
        };
        if let Some(begun) = arguments.strip_suffix(" <unfinished ...>") {
            call.arguments = begun.to_owned();
            open.insert(thread, call);
        } else {
            // `= 5 <0.000123>`: how long it took.
            if let Some(took) = arguments
                .strip_suffix('>')
                .and_then(|text| text.rsplit('<').next())
            {
                call.ended_at += took.parse::<f64>().unwrap_or(0.0);
            }
            calls.push(call);
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}
