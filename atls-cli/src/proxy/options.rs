//! Arguments of `atls proxy`, which a file may hold too.

use std::net::SocketAddr;
use std::path::PathBuf;

use atls_axum::Http2Limits;
use atls_core::limits::DEFAULT_STREAM_WINDOW;
use atls_core::limits::DEFAULT_STREAMS;
use atls_core::limits::DEFAULT_WINDOW;
use clap::ArgGroup;
use clap::Args;
use clap::ValueEnum;
use clap::value_parser;
use ipnet::IpNet;

use super::ear::EarOptions;
use super::upstream::Upstream;
use crate::trust::AttesterOptions;
use crate::trust::TrustOptions;

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES, args_override_self = true)]
#[command(group = ArgGroup::new("direction").required(true).args(["upstream", "to"]))]
pub(crate) struct ProxyOptions {
    /// Read arguments from a TOML file, whose keys are their names; those of the command line win
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// The address to listen on; or `systemd` for the socket that systemd opened
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: String,

    /// Reverse: the service behind, http://HOST:PORT, h2c://HOST:PORT, unix:PATH or unix+h2c:PATH
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<Upstream>,

    /// Reverse: the certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(super) cert: Option<PathBuf>,

    /// Reverse: the key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub(super) key: Option<PathBuf>,

    /// Reverse: whether clients must attest
    #[arg(
        long,
        value_enum,
        value_name = "WHETHER",
        default_value_t,
        requires = "upstream"
    )]
    pub(super) clients: Clients,

    /// Forward: the attested server to go to, such as https://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(super) to: Option<String>,

    /// Answer under this name too: at the plain port of a forward proxy, beside localhost and the
    /// server's; at --admin, beside localhost
    #[arg(long, value_name = "NAME")]
    pub(super) host: Vec<String>,

    /// Reverse: load balancers of this network say who the client is, by the PROXY protocol, and must
    #[arg(long, value_name = "NETWORK", requires = "upstream")]
    pub(super) proxy_protocol: Vec<IpNet>,

    /// The address of /healthz, /metrics and /keys, one of this machine alone
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin: Option<SocketAddr>,

    /// The address of /healthz alone, for probes from elsewhere
    #[arg(long, value_name = "ADDRESS")]
    pub(super) probes: Option<SocketAddr>,

    /// Most connections at a time; further ones wait
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    pub(super) connections: u32,

    #[command(flatten)]
    pub(super) http2: Http2Options,

    /// Longest time for connections to finish when it stops, at most 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(..=3600))]
    pub(super) drain: u64,

    /// How often to look whether files changed, at most 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = value_parser!(u64).range(1..=3600))]
    pub(super) look: u64,

    /// Write one JSON document: where it listens, or why it does not
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) ear: EarOptions,

    #[command(flatten)]
    pub(super) trust: TrustOptions,

    #[command(flatten)]
    pub(super) attester: AttesterOptions,
}

/// How much of the proxy one connection of HTTP/2 may take.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Http2Options {
    /// Most requests of one HTTP/2 connection at a time; clients wait with further ones
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_STREAMS, value_parser = value_parser!(u32).range(1..=10_000))]
    http2_streams: u32,

    /// Bytes of request bodies that one HTTP/2 connection holds until they are passed on
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_WINDOW, value_parser = value_parser!(u32).range(65_536..=1_073_741_824))]
    http2_window: u32,

    /// The same of one request, at most that of its connection
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_STREAM_WINDOW, value_parser = value_parser!(u32).range(16_384..=1_073_741_824))]
    http2_stream_window: u32,
}

impl Http2Options {
    pub(super) fn limits(self) -> Http2Limits {
        let mut limits = Http2Limits::default();
        limits.streams = self.http2_streams;
        limits.window = self.http2_window;
        // A stream cannot hold more than its connection.
        limits.stream_window = self.http2_stream_window.min(self.http2_window);
        limits
    }
}

/// The demand on clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Clients {
    /// They are not asked
    #[default]
    Ignore,
    /// They are asked, and served either way: see the header Atls-Status
    Ask,
    /// They must attest
    Require,
}

const EXAMPLES: &str = "\
Reverse, inside the confidential machine: ends attested TLS in front of any HTTP service. Forward: a plain
port of this machine whose requests go out to an attested server. HTTP/1.1, HTTP/2, WebSocket (over HTTP/1.1)
and gRPC pass. Headers that begin with Atls- are removed from what comes in, and set from the result.
SIGHUP reads all files again, as a change of them does; SIGTERM lets requests finish.

Examples:
  atls proxy --listen 0.0.0.0:8443 --upstream http://127.0.0.1:8080 --attester auto \\
    --cert chain.pem --key key.pem --admin 127.0.0.1:9900
  atls proxy --listen 127.0.0.1:8080 --to https://service.example --policy policy.toml
  atls proxy --config /etc/atls/proxy.toml";
