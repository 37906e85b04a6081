//! What several targets share: forged devices and their verifiers, hostile ends of connections, signers, an HTTP client that answers anything.
#![forbid(unsafe_code)]

pub mod azure;
pub mod batch;
pub mod changes;
pub mod ear;
pub mod exchange;
pub mod hostile;
pub mod http;
pub mod http1;
pub mod policies;
pub mod sign;
pub mod snp;
pub mod tape;
pub mod tdx;
pub mod timely;
pub mod tpm;
pub mod upstream;
pub mod weaker;
