//! TLS below attestation: configurations that attestation can stand on, and the stream of a finished handshake.

pub(crate) mod hardening;
mod rewind;
mod tls_failure;
mod tls_session;
pub(crate) mod versions;

pub(crate) use rewind::Rewind;
pub(crate) use rewind::farewell;
pub(crate) use tls_failure::TlsFailure;
pub(crate) use tls_session::TlsSession;
