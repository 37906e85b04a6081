//! The stream of an attested connection, and the deadlines that it keeps.
//!
//! Takes a TLS stream past its exchange and gives an [`AttestedStream`], whose reads and writes fail when an attestation has
//! expired, or when the client of a server exceeds its [`ConnectionLimits`]. [`Refused`] is the stream of a client that a
//! server does not serve.

mod addresses;
mod attested_stream;
mod connection_limits;
mod early_end;
mod lifetime;
mod live;
mod refused;
mod requests;
mod timed_out;
mod timers;

pub use attested_stream::AttestedStream;
pub use connection_limits::ConnectionLimits;
pub use lifetime::Lifetime;
pub use refused::Refused;
pub use refused::RefusedStream;
pub use requests::Answering;
pub use requests::Requests;

pub(crate) use addresses::Addresses;
pub(crate) use attested_stream::Conditions;
pub(crate) use live::Live;
