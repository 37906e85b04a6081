//! Attested TLS for the HTTP clients of hyper-util and tonic.

mod attested_https;
mod attested_io;

pub use attested_https::AttestedHttps;
pub use attested_io::AttestedIo;
pub use attested_io::ServerAttestation;
