//! The program itself, as people run it: its commands, and `serve` as a process that can be killed.

use super::client;
use super::engine::Database;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to start or to end on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A command without the variables of this process that would set its options.
fn plain(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PUNCHCARD_") {
            command.env_remove(name);
        }
    }
    command
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_punchcard"))
}

/// Runs a command of the program on a database to its end.
pub fn run(database: &Database, words: &[&str]) -> Output {
    plain(program())
        .args(words)
        .args(database.arguments())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// As [`run`], for a command that posts: the tests' MariaDB is not durable.
pub fn post(database: &Database, words: &[&str]) -> Output {
    plain(program())
        .args(words)
        .args(database.arguments())
        .env("PUNCHCARD_UNSAFE_DURABILITY", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// As [`post`]: what it printed, or, where it was not done, what it complained about.
pub fn told(database: &Database, words: &[&str]) -> Result<String, String> {
    let output = post(database, words);
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(output.status.code(), Some(1), "{words:?}");
    Err(String::from_utf8(output.stderr).unwrap())
}

/// As [`run`]; the command must succeed. Returns what it printed.
pub fn succeed(database: &Database, words: &[&str]) -> String {
    let output = run(database, words);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "punchcard {}: {}\n{printed}{}",
        words.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// Applies a world text by the command.
pub fn apply(database: &Database, world: &str) {
    let file = database.dir.path().join("world.toml");
    std::fs::write(&file, world).unwrap();
    succeed(database, &["apply", file.to_str().unwrap()]);
}

/// `punchcard verify` must find nothing.
pub fn verify(database: &Database) {
    succeed(database, &["verify"]);
}

/// How to start `serve`.
pub struct Serve<'a> {
    database: &'a Database,
    settings: Vec<(String, String)>,
    durable: bool,
    under: Vec<String>,
    log: &'static str,
}

impl<'a> Serve<'a> {
    /// On a free port of this machine, with `--unsafe-durability`.
    pub fn on(database: &'a Database) -> Serve<'a> {
        Serve {
            database,
            settings: Vec::new(),
            durable: false,
            under: Vec::new(),
            log: "serve.log",
        }
    }

    /// With a setting, by its name in the configuration file.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let variable = format!("PUNCHCARD_{}", name.to_ascii_uppercase());
        self.settings.push((variable, value.to_owned()));
        self
    }

    /// With a log of its own, beside another server's.
    #[cfg(feature = "mysql")]
    pub fn log_to(mut self, name: &'static str) -> Self {
        self.log = name;
        self
    }

    /// Without `--unsafe-durability`.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// As the child of another program: its words come first.
    pub fn under(mut self, words: &[&str]) -> Self {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    fn command(&self) -> Command {
        let mut command = match self.under.split_first() {
            None => plain(program()),
            Some((first, rest)) => {
                let mut command = plain(Path::new(first));
                command.args(rest).arg(program());
                command
            }
        };
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(self.database.arguments())
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null());
        if !self.durable {
            command.arg("--unsafe-durability");
        }
        command
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Server {
        let log = self.database.dir.path().join(self.log);
        let file = std::fs::File::create(&log).unwrap();
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{:?} cannot be started: {error}. scripts/test installs what the tests need.",
                    self.under.first().map_or("punchcard", String::as_str)
                )
            });
        let stdout = child.stdout.take().unwrap();
        let (line, first_line) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Goes on to the end, so that the server never writes into a closed pipe.
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _nobody = line.send(text);
            }
        });
        let wrapped = !self.under.is_empty();
        let mut server = Server {
            pid: child.id(),
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
        };
        let line = first_line.recv_timeout(PATIENCE).unwrap_or_default();
        let Some(address) = line.strip_prefix("listening on http://") else {
            panic!("serve did not start: {line}\n{}", server.log());
        };
        server.address = address.parse().unwrap();
        if wrapped {
            server.pid = child_of(server.pid);
        }
        server
    }

    /// Runs it where it must refuse to start; returns what it said.
    #[cfg(feature = "mysql")]
    pub fn refused(self) -> String {
        let mut child = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let status = wait(&mut child);
        let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        let Some(status) = status else {
            kill("KILL", child.id());
            let _dead = child.wait();
            panic!("serve started where it must not: {said}");
        };
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }
}

/// The process that another one started; there must be one.
fn child_of(parent: u32) -> u32 {
    for entry in std::fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Processes come and go while we look. The name in parentheses may hold anything, so look behind it.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let behind = stat.rsplit(')').next().unwrap_or_default();
        if behind.split_whitespace().nth(1) == Some(parent.to_string().as_str()) {
            return pid;
        }
    }
    panic!("process {parent} has no child");
}

/// Sends a signal by its name.
pub fn kill(signal: &str, pid: u32) {
    let _gone = Command::new("kill")
        .args([format!("-{signal}"), pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Waits for the end of a process; `None` if it does not come in time.
pub fn wait(child: &mut Child) -> Option<ExitStatus> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// A server as a process of its own. It is killed when this is dropped.
pub struct Server {
    child: Child,
    /// The server's process, which is not the child where it runs under another program.
    pub pid: u32,
    pub address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// What it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Ends it by SIGKILL, in the middle of whatever it does. Returns its log.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }

    /// Asks it to end by SIGTERM.
    pub fn terminate(&self) {
        kill("TERM", self.pid);
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child).unwrap_or_else(|| panic!("the server does not end\n{}", self.log()))
    }

    /// Ends it by SIGTERM; it must end well.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// The most memory it ever had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kib: u64 = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        kib * 1024
    }

    /// Sends bytes and reads the answer to its end.
    pub fn exchange(&self, request: &[u8]) -> client::Reply {
        client::exchange(self.address, request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // The server first: one that is traced would outlive its tracer.
            kill("KILL", self.pid);
            let _dead = (self.child.kill(), self.child.wait());
        }
    }
}
