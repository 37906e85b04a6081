//! A client under test that is a program.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use atls_core::BoxFuture;
use conform::kit::Dial;
use tokio::time::timeout;

/// A command that makes a client connect once.
#[derive(Debug)]
pub(crate) struct Command {
    words: Vec<String>,
    limit: Duration,
}

impl Command {
    pub(crate) fn new(line: &str, limit: Duration) -> Self {
        Self {
            words: line.split_whitespace().map(str::to_owned).collect(),
            limit,
        }
    }
}

impl Dial for Command {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let replaced = self.words.iter().map(|word| {
            let word = word.replace("{addr}", &to.to_string());
            word.replace("{port}", &to.port().to_string())
        });
        let words: Vec<String> = replaced.collect();
        // It may look at the connection for as long as the case does.
        let limit = self.limit.saturating_mul(8);
        Box::pin(async move {
            let Some((program, arguments)) = words.split_first() else {
                return;
            };
            let child = tokio::process::Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn();
            // A program that does not start connects nowhere, and the case says so.
            if let Ok(mut child) = child {
                let _ = timeout(limit, child.wait()).await;
            }
        })
    }
}
