//! Errors, one type for each operation. Each names its cause, its cure and the party at fault.

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
