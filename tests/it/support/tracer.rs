//! strace on a process that runs already: here, a MariaDB.

use super::process;
use super::trace::{self, Call};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
            .args(trace::options(&file))
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
        trace::read(&self.file)
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
