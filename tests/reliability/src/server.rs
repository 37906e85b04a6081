//! A server in a process of its own, and how it is told what to do.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sample::Sample;
use crate::service::Order;
use crate::service::Setup;

/// The argument by which this program becomes the server.
pub(crate) const SERVE: &str = "serve";

/// A running server. It ends with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Before its first connection.
    pub(crate) first: Sample,
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(setup: &Setup) -> Result<Self, BoxError> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to = process.stdin.take().ok_or("no standard input")?;
        let from = process.stdout.take().ok_or("no standard output")?;
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            first: Sample::default(),
            process,
            to,
            from: BufReader::new(from),
        };
        server.tell(setup)?;
        let port: u16 = server.hear()?;
        server.address.set_port(port);
        server.first = server.sample()?;
        Ok(server)
    }

    pub(crate) fn sample(&mut self) -> Result<Sample, BoxError> {
        self.order(Order::Sample)
    }

    pub(crate) fn order(&mut self, order: Order) -> Result<Sample, BoxError> {
        self.tell(&order)?;
        self.hear()
    }

    /// Waits until it holds no more tasks and files than at its beginning; gives what it holds then, or after `within`, and how
    /// long that took.
    pub(crate) async fn rest(&mut self, within: Duration) -> Result<(Sample, Duration), BoxError> {
        let first = self.first;
        let begun = Instant::now();
        loop {
            let sample = self.sample()?;
            if sample.is_at_rest(&first) || begun.elapsed() > within {
                return Ok((sample, begun.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks it to end by SIGTERM; gives its last sample and how it ended, once it has, or an error after `within`.
    pub(crate) async fn terminate(
        &mut self,
        within: Duration,
    ) -> Result<(Sample, ExitStatus), BoxError> {
        let kill = format!("kill -TERM {}", self.process.id());
        let sent = Command::new("sh").arg("-c").arg(kill).status()?;
        if !sent.success() {
            return Err("SIGTERM was not sent".into());
        }
        let begun = Instant::now();
        while begun.elapsed() < within {
            if let Some(status) = self.process.try_wait()? {
                return Ok((self.hear()?, status));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("it runs {within:?} after SIGTERM").into())
    }

    /// Ends it at once, by SIGKILL.
    pub(crate) fn kill(mut self) -> Result<SocketAddr, BoxError> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(self.address)
    }

    fn tell(&mut self, line: &impl Serialize) -> Result<(), BoxError> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.to.write_all(&line)?;
        Ok(self.to.flush()?)
    }

    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, BoxError> {
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        if answer.is_empty() {
            return Err("the process of the server has ended".into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
