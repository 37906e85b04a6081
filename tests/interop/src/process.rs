//! A child process that ends with its owner.

use std::fs::File;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a service, and waits until its port is open. Its output goes into a file beside its configuration.
    pub(crate) fn start(program: &Path, config: &Path, port: u16) -> Self {
        let name = program.file_name().unwrap().to_str().unwrap();
        let log = config.with_file_name(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let child = Command::new(program)
            .arg("--config")
            .arg(config)
            .current_dir(config.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        let mut process = Self {
            child: child.unwrap_or_else(|error| panic!("{}: {error}", program.display())),
        };
        for _ in 0..1500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return process;
            }
            if process.child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let said = std::fs::read_to_string(log).unwrap_or_default();
        panic!("{name} did not start:\n{said}");
    }

    /// At once, as a crash would.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of loopback that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
