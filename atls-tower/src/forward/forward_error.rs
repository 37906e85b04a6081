//! Why nothing was forwarded.

use atls_core::Fault;
use atls_core::ear::EncodeError;

/// A result that could not be stated to the service behind. The request must not go there as if its client were unattested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardError {
    /// The attestation has ended. The client must connect anew.
    #[error("attestation has expired")]
    Expired,
    /// The clock gave no time.
    #[error("clock gave no time")]
    NoTime,
    /// The provider gave no random bytes.
    #[error("provider gave no random bytes")]
    Random,
    /// The statement could not be signed.
    #[error("statement could not be signed")]
    Sign(#[from] EncodeError),
    /// The statement has more than 8 KiB, as that of a peer of very many parts.
    #[error("statement would have more than 8 KiB")]
    TooLarge,
}

impl ForwardError {
    /// The peer's where its attestation has ended, else this end's.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Expired => Fault::Peer,
            _ => Fault::Local,
        }
    }
}
