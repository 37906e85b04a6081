//! The stream of an attested connection, and the deadlines that it keeps.

mod attested_stream;
mod refused;
mod requests;
mod timers;

pub use attested_stream::AttestedStream;
pub use refused::Refused;
pub use refused::RefusedStream;
pub use requests::Answering;
pub use requests::ConnectionLimits;
pub use requests::Requests;
