//! What can go wrong, and whose fault it was: one type of error for each operation.

mod appraisal;
mod attest;
mod config;
mod fault;
mod protocol;
mod send;

pub use appraisal::AppraisalError;
pub use attest::AttestError;
pub use config::ConfigError;
pub use fault::Fault;
pub use protocol::ProtocolError;
pub use send::SendError;
