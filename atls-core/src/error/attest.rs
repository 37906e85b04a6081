//! Failures of an Attester.

use super::appraisal::AppraisalError;
use super::fault::Fault;
use crate::cmw::CmwError;
use crate::exchange::batch::BatchError;
use crate::exchange::certificate::FormatError;

/// An Attester made no Evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The device answered wrongly or not at all. The text is the driver's.
    #[error("attestation device failed: {0}")]
    Device(String),
    /// The Evidence does not fit in a CMW.
    #[error("evidence does not fit in a CMW")]
    Cmw(#[from] CmwError),
    /// The Evidence does not fit into the chosen format of certificates.
    #[error("evidence does not fit into the certificate")]
    Format(#[from] FormatError),
    /// The batcher put connections together that make no batch.
    #[error("connections were put together that make no batch")]
    Batch(#[from] BatchError),
    /// The device is busy and its queue is full. Try later, on a new connection.
    #[error(
        "attestation device is busy and its queue is full; wrap it in a Batcher, or attest fewer connections at once"
    )]
    Busy,
    /// The batcher was shut down, or its runtime was. This end makes no more Evidence.
    #[error(
        "batcher of the attestation device was shut down; make a new one, or shut it down after the server"
    )]
    Stopped,
    /// The device gave nothing by its deadline.
    #[error("attestation device did not answer in time; look into the log of its driver")]
    TimedOut,
    /// A service that was to give a result could not be reached, or refused.
    #[error("verifier gave no attestation result")]
    NoResult(#[from] AppraisalError),
}

impl AttestError {
    /// The party at fault, never the peer. If a verifier refuses this end's own Evidence, this end is at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoResult(error) if error.fault() == Fault::Verifier => Fault::Verifier,
            _ => Fault::Local,
        }
    }
}
