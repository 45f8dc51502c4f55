//! What a process asked of the kernel, by strace: which calls, in which order, on which files.

use super::process;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Writes to files and sockets, and syncs. A `?` lets machines pass that do not know the call.
const CALLS: &str =
    "trace=?write,?writev,?pwrite64,?pwritev,?pwritev2,?sendto,?sendmsg,?fsync,?fdatasync";

/// The words that run a command under strace: all threads, descriptors with their paths, times.
pub fn words(file: &Path) -> Vec<String> {
    let mut words = vec!["strace".to_owned()];
    words.extend(options(file));
    words
}

fn options(file: &Path) -> Vec<String> {
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

/// strace on a process that runs already. It lets go when this is dropped.
pub struct Tracer {
    child: Child,
    file: PathBuf,
}

impl Tracer {
    /// Attaches to all threads of a process.
    pub fn attach(pid: u32, dir: &Path) -> Tracer {
        let file = dir.join("trace");
        let said = dir.join("strace.log");
        let mut child = Command::new("strace")
            .args(options(&file))
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&said).unwrap())
            .spawn()
            .expect("strace cannot be started: scripts/test installs it");
        let since = Instant::now();
        loop {
            let text = std::fs::read_to_string(&said).unwrap();
            if text.contains(" attached") {
                return Tracer { child, file };
            }
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && since.elapsed() < Duration::from_secs(30),
                "strace could not attach to process {pid}: {text}\nIt needs root, or sysctl kernel.yama.ptrace_scope=0."
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets go of the process and reads what was seen.
    pub fn finish(mut self) -> Vec<Call> {
        self.let_go();
        read(&self.file)
    }

    fn let_go(&mut self) {
        process::kill("INT", self.child.id());
        let _ended = process::wait(&mut self.child);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.let_go();
        }
    }
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
