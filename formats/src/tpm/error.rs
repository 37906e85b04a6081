//! Reasons why bytes are no Evidence of a TPM.

use atls_core::AppraisalError;
use thiserror::Error;

/// Why bytes are no Evidence of a TPM. The cure of each is with the machine that made them, but for an algorithm that is not known
/// here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TpmFormatError {
    /// It is no quote of a TPM: other magic, other type, an unknown algorithm, or a length that does not fit.
    #[error("not a TPMS_ATTEST of type quote")]
    Attest,
    /// It is no message of enrolment, or another one than was waited for.
    #[error("not a message of enrolment")]
    Enrolment,
    /// The envelope is not one of a TPM.
    #[error("not a CBOR map of a quote, its signature, its key and its PCR values")]
    Evidence,
    /// An event log of the firmware is malformed.
    #[error("event log of the firmware is malformed")]
    EventLog,
    /// A measurement list of IMA is malformed.
    #[error("measurement list of IMA is malformed")]
    ImaLog,
    /// An event log has no digests of the bank, which the firmware does not measure into then. Quote another one.
    #[error("event log of the firmware has no digests of the bank")]
    NoBank,
    /// The PCR values are not as many and as long as the quote selects.
    #[error("PCR values are not those that the quote selects")]
    Pcrs,
    /// It is no public area of a key, or of a kind of key that is not known here.
    #[error("not a TPMT_PUBLIC of an RSA or ECC key")]
    Public,
    /// It is no signature, or of a scheme that is not known here.
    #[error("not a TPMT_SIGNATURE of ECDSA, RSASSA or RSAPSS")]
    Signature,
    /// A log of systemd is malformed.
    #[error("log of systemd is malformed")]
    SystemdLog,
    /// A value is longer than its field.
    #[error("value is longer than its field")]
    TooLong,
}

impl From<TpmFormatError> for AppraisalError {
    fn from(_: TpmFormatError) -> Self {
        Self::Malformed
    }
}
