//! Attested TLS for the HTTP clients of hyper-util and tonic.
//!
//! [`AttestedHttps`] takes a URI and gives an [`AttestedIo`] whose server was accepted. A server that was not is an
//! [`Error`](crate::Error), and no byte of HTTP went to it.

mod attested_https;
mod attested_io;
mod not_sent;
mod retire;
mod retirement;

pub use attested_https::AttestedHttps;
pub use attested_io::AttestedIo;
pub use attested_io::ServerAttestation;
pub use not_sent::was_not_sent;
pub use retire::Retire;
pub use retire::RetireLayer;
