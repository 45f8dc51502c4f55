//! A MariaDB of a test's own, for settings that the shared one does not have.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A server that ends when this is dropped, or when the test's process ends in whatever way.
pub struct Mariadb {
    child: Child,
    /// What runs beside the server reads this until it is closed.
    stdin: Option<ChildStdin>,
    /// `mysql://root:password@127.0.0.1:port/`: a database name is to follow.
    pub url: String,
    pub pid: u32,
}

impl Mariadb {
    /// Starts one with options of `scripts/lib/mariadb.sh`.
    pub fn start(options: &[&str]) -> Mariadb {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lib/mariadb.sh");
        let mut child = Command::new(script)
            .args(options)
            .args([
                "sh",
                "-c",
                "echo $PUNCHCARD_TEST_MYSQL_URL $PUNCHCARD_TEST_MYSQL_PID; cat",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (url, pid) = line
            .trim()
            .split_once(' ')
            .expect("MariaDB did not start; it says above why");
        Mariadb {
            url: url.to_owned(),
            pid: pid.parse().unwrap(),
            child,
            stdin,
        }
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.child.wait();
    }
}
