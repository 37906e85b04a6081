//! Each command of the pages, and how it is run.

use crate::files::Needs;

/// A command that pages show.
pub struct Known {
    /// Its first words, or all of them.
    pub start: &'static str,
    pub needs: Needs,
    pub how: How,
}

/// How it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// To its end, with this exit code.
    Runs(i32),
    /// Until the page ends.
    Serves,
    /// Not at all, for this reason.
    Not(&'static str),
}

impl Known {
    pub fn is(&self, line: &str) -> bool {
        let is_help = self.start == HELP;
        match is_help {
            true => line.ends_with(HELP),
            false => line.starts_with(self.start) && !line.ends_with(HELP),
        }
    }
}

const HELP: &str = "--help";

pub const COMMANDS: &[Known] = &[
    not(HELP, "tests/documentation.rs compares each"),
    runs("cargo run -p quickstart", Needs::Nothing),
    serves("cargo run -p server &", Needs::Nothing),
    runs("cargo run -p atls-cli -- get", Needs::Nothing),
    not(
        "cargo test --workspace --all-features",
        "it is what runs this",
    ),
    not(
        "cargo install --locked --path atls-cli",
        "it builds all of the workspace anew; tests/deployment.rs resolves the same build",
    ),
    runs(
        "mkdir -p ~/.local/share/bash-completion/completions",
        Needs::Nothing,
    ),
    runs("atls completions bash", Needs::Nothing),
    runs("atls get https://localhost:8443/", Needs::Nothing),
    runs("atls inspect report.bin", Needs::Samples),
    runs("atls inspect quote.bin --verify", Needs::Samples),
    runs("atls policy measure nitro enclave.eif", Needs::Image),
    runs("atls policy new --from quote.bin", Needs::Samples),
    runs("atls policy check policy.toml", Needs::Policies),
    Known {
        start: "atls policy check typo.toml",
        needs: Needs::Policies,
        how: How::Runs(1),
    },
    Known {
        start: "atls policy explain policy.toml quote.bin",
        needs: Needs::Samples,
        how: How::Runs(3),
    },
    runs("atls tcb quote.bin", Needs::Samples),
    serves("atls proxy --listen 0.0.0.0:8443", Needs::Proxy),
    runs("openssl genpkey", Needs::Proxy),
    serves(
        "atls proxy --config /etc/atls/proxy.toml --clients ask",
        Needs::Proxy,
    ),
    runs("curl http://127.0.0.1:9900/keys", Needs::Proxy),
    runs("openssl pkey -in device.pem -pubout", Needs::Nothing),
    runs("openssl req -x509", Needs::Nothing),
    serves("atls proxy --listen 127.0.0.1:8443", Needs::Nothing),
    runs(
        "atls policy new --from https://localhost:8443/",
        Needs::Nothing,
    ),
    serves("atls proxy --listen 127.0.0.1:8080 --to", Needs::Proxy),
];

const fn runs(start: &'static str, needs: Needs) -> Known {
    let how = How::Runs(0);
    Known { start, needs, how }
}

const fn serves(start: &'static str, needs: Needs) -> Known {
    let how = How::Serves;
    Known { start, needs, how }
}

const fn not(start: &'static str, reason: &'static str) -> Known {
    Known {
        start,
        needs: Needs::Nothing,
        how: How::Not(reason),
    }
}
