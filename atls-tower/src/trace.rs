//! One event per connection: `debug` for success, `info` where a policy refused, `warn` where peer or verifier
//! misbehaved, `error` where this end did.

use atls_core::Fault;
use atls_core::PeerAttestation;
use tracing::Level;

use crate::error::Error;
use crate::stream::AttestedStream;

pub(crate) fn outcome<IO>(outcome: &Result<AttestedStream<IO>, Error>) {
    match outcome {
        Ok(stream) => success(stream.peer().map(AsRef::as_ref)),
        Err(error) => failure(error),
    }
}

/// One line for a connection that HTTP may begin on.
pub(crate) fn success(peer: Option<&PeerAttestation>) {
    match peer {
        Some(peer) => tracing::debug!(
            tier = %peer.status(),
            binding = %peer.binding(),
            expires_at = peer.expires_at().as_secs(),
            "peer is attested"
        ),
        None => tracing::debug!("connection without attestation of the peer"),
    }
}

/// One line for a connection that was closed.
pub(crate) fn failure(error: &Error) {
    let cause = std::error::Error::source(error).map(tracing::field::display);
    let fault = error.fault();
    let policy = matches!(error.refusal(), Some(atls_core::Refusal::Policy(_)));
    // Levels are static per call site.
    match (fault, policy) {
        (Fault::Peer, true) => {
            tracing::event!(Level::INFO, %fault, cause, "{error}");
        }
        (Fault::Peer | Fault::Verifier, _) => {
            tracing::event!(Level::WARN, %fault, cause, "{error}");
        }
        (Fault::Local, _) => tracing::event!(Level::ERROR, %fault, cause, "{error}"),
    }
}
