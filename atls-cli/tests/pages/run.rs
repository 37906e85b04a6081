//! Runs commands of a page one after the other.

use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::page::assert_shows;
use crate::support::World;

/// A shell in a folder of its own, with the servers that it started.
pub struct Session {
    world: World,
    servers: Vec<Child>,
    /// The port of the server or proxy that was started last, and that for its operator.
    port: String,
    admin: String,
}

impl Session {
    pub fn new() -> Self {
        Self {
            world: World::new(),
            servers: Vec::new(),
            port: "8443".to_owned(),
            admin: "9900".to_owned(),
        }
    }

    pub fn run(&self, line: &str, code: i32, output: &str) {
        let line = line
            .replace("localhost:8443", &format!("localhost:{}", self.port))
            .replace("127.0.0.1:9900", &format!("127.0.0.1:{}", self.admin));
        let ran = self.shell(&self.replaced(&line)).output().unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(ran.status.code(), Some(code), "$ {line}\n{said}");
        if !output.is_empty() {
            assert_shows(&line, output, &said);
        }
    }

    /// Starts what serves, and returns once it says where.
    pub fn serve(&mut self, line: &str, output: &str) {
        use std::io::BufRead;
        let own = line.trim_end_matches(" &");
        let own = own.replace("cargo run -p server", "cargo run -p server 127.0.0.1:0");
        let own = [
            "0.0.0.0:8443",
            "127.0.0.1:8443",
            "127.0.0.1:8080 --to",
            "127.0.0.1:9900",
        ]
        .iter()
        .fold(own, |own, address| {
            let (host, rest) = address.split_once(':').unwrap();
            let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            own.replace(address, &format!("{host}:0{rest}"))
        });
        let mut shell = self.shell(&self.replaced(&format!("exec {own}")));
        let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        self.servers.push(child);
        let mut said = String::new();
        loop {
            let next = lines.next().unwrap_or_else(|| panic!("$ {line}\n{said}"));
            let next = next.unwrap();
            said.push_str(&next);
            said.push('\n');
            let port = || next.rsplit_once(':').unwrap().1.to_owned();
            if next.starts_with("admin at ") {
                self.admin = port();
            }
            if next.starts_with("listening on ") {
                self.port = port();
                break;
            }
        }
        // Read on, so that it can write on.
        std::thread::spawn(move || lines.for_each(drop));
        if !output.is_empty() {
            assert_shows(line, output, &said);
        }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// The words of the page, and what stands for them here: other folders, a device in software, and what cargo built already.
    fn replaced(&self, line: &str) -> String {
        let folder = self.world.path("").display().to_string();
        let mut line = line
            .replace("/etc/atls/", &folder)
            .replace("--attester auto", "--attester sim=own.pem")
            .replace("cargo run -p atls-cli -- ", "atls ");
        for program in ["quickstart", "server"] {
            let shown = format!("cargo run -p {program}");
            if line.contains(&shown) {
                line = line.replace(&shown, &built(program));
            }
        }
        line
    }

    /// A shell whose `atls` is the one of this build, and which says all on its standard output.
    fn shell(&self, line: &str) -> Command {
        let atls = Path::new(env!("CARGO_BIN_EXE_atls")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", &format!("exec 2>&1\n{line}")])
            .current_dir(self.world.path(""))
            .env("PATH", format!("{}:{path}", atls.display()))
            .env("HOME", self.world.path(""))
            .stdin(Stdio::null());
        shell
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// A program of the examples. The pages build it by `cargo run -p`, whose other features would have all of the workspace compiled once
/// more; here it has those of this test, which `--test pages` brings in.
fn built(program: &str) -> String {
    let target = Path::new(env!("CARGO_BIN_EXE_atls")).parent().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let profile = match target.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let build = ["build", "--quiet", "--offline", "--locked", "--profile"];
    let all = ["--workspace", "--all-features", "--test", "pages", "--bin"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([&build[..], &[profile], &all, &[program]].concat());
    // Cargo tells a test its package by these. Build scripts that heed them would run again, and what depends on them be compiled again.
    for (name, _) in std::env::vars_os() {
        let is_of_package = |start| name.to_string_lossy().starts_with(start);
        if OF_PACKAGE.iter().any(is_of_package) {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.current_dir(root).status().unwrap().success());
    target.join(program).display().to_string()
}

const OF_PACKAGE: [&str; 3] = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"];
