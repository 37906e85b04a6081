//! What a server of a measurement serves, and its client asks for.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

/// One kind of connection, from certificate to the bytes on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) kind: Kind,
    pub(crate) device: Device,
    /// Bytes of Evidence.
    pub(crate) evidence: usize,
    pub(crate) carries: Carries,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Plain,
    /// Plain TLS, where `atls_axum` serves the HTTP on it.
    PlainServed,
    MutualTls,
    Attested(Mode, Attests),
}

/// When Evidence is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    AfterHandshake,
    InCertificate,
    InHandshake,
}

/// Which end attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Attests {
    Both,
    Client,
    Server,
}

/// What makes Evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Device {
    /// Costs nothing.
    Free,
    /// Serves one request at a time, and waits this many milliseconds.
    Serial(u64, Batches),
}

/// Whether what arrives while the device works shares its next Evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Batches {
    No,
    Yes,
}

/// What goes over a connection once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Carries {
    /// A byte each way.
    Byte,
    Http1,
    Http2,
}

impl Service {
    /// A byte each way, a device that costs nothing, and Evidence that is the connection's value alone: what is measured is
    /// the protocol.
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            device: Device::Free,
            evidence: 0,
            carries: Carries::Byte,
        }
    }
}

impl Kind {
    /// The baseline, then the default mode, then the two others.
    pub(crate) const ALL: [Self; 11] = [
        Self::Plain,
        Self::MutualTls,
        SERVER_ATTESTS,
        Self::Attested(Mode::AfterHandshake, Attests::Client),
        BOTH_ATTEST,
        Self::Attested(Mode::InHandshake, Attests::Server),
        Self::Attested(Mode::InHandshake, Attests::Client),
        Self::Attested(Mode::InHandshake, Attests::Both),
        Self::Attested(Mode::InCertificate, Attests::Server),
        Self::Attested(Mode::InCertificate, Attests::Client),
        Self::Attested(Mode::InCertificate, Attests::Both),
    ];
}

/// The server attests, in the default mode.
pub(crate) const SERVER_ATTESTS: Kind = Kind::Attested(Mode::AfterHandshake, Attests::Server);
/// Both ends attest, in the default mode.
pub(crate) const BOTH_ATTEST: Kind = Kind::Attested(Mode::AfterHandshake, Attests::Both);

/// Bytes. Evidence of SEV-SNP with its certificates has 4 to 5 kB, a TDX quote as much.
pub(crate) const USUAL_EVIDENCE: usize = 5000;

impl Attests {
    pub(crate) fn server(self) -> bool {
        matches!(self, Self::Both | Self::Server)
    }

    pub(crate) fn client(self) -> bool {
        matches!(self, Self::Both | Self::Client)
    }
}

impl Device {
    pub(crate) fn wait(self) -> Option<Duration> {
        match self {
            Self::Free => None,
            Self::Serial(milliseconds, _) => Some(Duration::from_millis(milliseconds)),
        }
    }
}

impl Carries {
    /// The ALPN list of both ends.
    pub(crate) fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Byte => Vec::new(),
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.pad("plain TLS 1.3"),
            Self::PlainServed => f.pad("plain TLS 1.3, `atls_axum::serve`"),
            Self::MutualTls => f.pad("mutual TLS"),
            Self::Attested(mode, attests) => {
                let attests = match attests {
                    Attests::Both => "both attest",
                    Attests::Client => "client attests",
                    Attests::Server => "server attests",
                };
                let mode = match mode {
                    Mode::AfterHandshake => "",
                    Mode::InCertificate => ", in certificate",
                    Mode::InHandshake => ", in handshake",
                };
                f.pad(&format!("{attests}{mode}"))
            }
        }
    }
}

impl fmt::Display for Carries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Byte => "a byte",
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}
