//! Arguments of `atls get`.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use http::Method;

use crate::trust::AttesterOptions;
use crate::trust::TrustOptions;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GetOptions {
    /// Where to, such as https://HOST:PORT/PATH
    #[arg(value_name = "URL")]
    pub(super) url: String,

    /// Method of the request [default: GET, with --data POST]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(super) method: Option<Method>,

    /// A header to send, such as 'Accept: text/plain'
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,

    /// What to send: text, @FILE, or @- for the standard input
    #[arg(short, long, value_name = "DATA")]
    pub(super) data: Option<String>,

    /// Write the answer's body to a file
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Write the answer's status and headers too, before its body
    #[arg(short, long, conflicts_with = "json")]
    pub(super) include: bool,

    /// Version of HTTP
    #[arg(long, value_enum, value_name = "VERSION", default_value_t)]
    pub(super) http: Http,

    /// Longest time for all of it
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) timeout: u64,

    /// Tell each step on the standard error
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// Leave out what was attested
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Write one JSON document: what was attested, and the answer
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) trust: TrustOptions,

    #[command(flatten)]
    pub(super) attester: AttesterOptions,
}

/// Which HTTP is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Http {
    /// What the server prefers
    #[default]
    Any,
    /// HTTP/1.1
    #[value(name = "1.1")]
    One,
    /// HTTP/2
    #[value(name = "2")]
    Two,
}

impl Http {
    pub(super) fn alpn(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["h2", "http/1.1"],
            Self::One => &["http/1.1"],
            Self::Two => &["h2"],
        }
    }
}

const EXAMPLES: &str = "\
Nothing is sent before the server has attested itself and was accepted. What was attested goes to
the standard error, the answer to the standard output. Redirects are not followed.

Examples:
  Ask a server whose image a policy names:
    atls get https://service.example/ --policy policy.toml

  Ask the server of `cargo run -p server`, whose device is simulated:
    atls get https://localhost:8443/ --ca target/demo/authority.pem \\
      --trust-sim target/demo/device.key

  Have Veraison appraise, and see each step:
    atls get https://service.example/ -v \\
      --verifier veraison=https://veraison.example:8443,key=ear.jwk

  Send JSON, and let a script see how good the server is:
    atls get https://service.example/orders -d @order.json -H 'Content-Type: application/json' \\
      --policy policy.toml --json | jq .attestation.status";
