//! A server in a process of its own, and its use of that process.

use std::error::Error;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::certificates::Certificates;
use crate::serve::Setup;
use crate::service::Service;
use crate::usage::Usage;

/// The argument by which this program becomes the server.
pub(crate) const SERVE: &str = "serve";

/// A running server. It ends with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(
        service: Service,
        certificates: &Certificates,
    ) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to = process.stdin.take().ok_or("no standard input")?;
        let from = process.stdout.take().ok_or("no standard output")?;
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            process,
            to,
            from: BufReader::new(from),
        };
        let setup = Setup {
            service,
            certificates: certificates.clone(),
        };
        let port: u16 = server.ask(&setup)?;
        server.address.set_port(port);
        Ok(server)
    }

    pub(crate) fn usage(&mut self) -> Result<Usage, Box<dyn Error>> {
        self.ask(&())
    }

    fn ask<T: DeserializeOwned>(&mut self, line: &impl Serialize) -> Result<T, Box<dyn Error>> {
        let mut question = serde_json::to_vec(line)?;
        question.push(b'\n');
        self.to.write_all(&question)?;
        self.to.flush()?;
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
