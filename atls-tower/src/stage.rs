//! The stages of a connection before HTTP.

use atls_core::Fault;

/// The work that was under way when a deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The verifier of this end, or the service that it asks, was appraising the peer.
    Appraisal,
    /// The attester of this end was making Evidence.
    Attestation,
    /// The name was resolved, or the transport connected.
    Connect,
    /// The peer had to send or take a frame.
    Exchange,
    /// Waiting for the client's first byte after the TLS handshake.
    FirstByte,
    /// The TLS handshake.
    Handshake,
    /// As many exchanges or appraisals as this end allows were under way, and none ended.
    Queue,
}

impl Stage {
    /// One stable word for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appraisal => "appraisal",
            Self::Attestation => "attestation",
            Self::Connect => "connect",
            Self::Exchange => "exchange",
            Self::FirstByte => "first_byte",
            Self::Handshake => "handshake",
            Self::Queue => "queue",
        }
    }

    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Appraisal => Fault::Verifier,
            Self::Attestation | Self::Queue => Fault::Local,
            Self::Connect | Self::Exchange | Self::FirstByte | Self::Handshake => Fault::Peer,
        }
    }
}
