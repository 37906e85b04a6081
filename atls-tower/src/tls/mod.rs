//! TLS below attestation: configurations that attestation can stand on, the handshakes, and the stream that they give.
//!
//! [`ServerTls`] and [`ClientTls`] take a transport and give a [`TlsSession`] past a full TLS 1.3 handshake. A handshake that
//! fails is an [`Error`](crate::Error), and its transport is dropped.

mod challenges;
mod client_tls;
mod farewell;
mod hardening;
mod rewind;
mod served_names;
mod server_tls;
mod tls_failure;
mod tls_session;
mod versions;

pub(crate) use client_tls::ClientTls;
pub(crate) use client_tls::prepare_client;
pub(crate) use farewell::farewell;
pub(crate) use rewind::Rewind;
pub(crate) use server_tls::ServerTls;
pub(crate) use tls_failure::TlsFailure;
pub(crate) use tls_session::TlsSession;
