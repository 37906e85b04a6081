//! TPM 2.0: quotes, their keys, and the event logs that explain the values of platform configuration registers (PCRs).
//!
//! Structures are those of "Trusted Platform Module Library", Part 2; integers in them are big-endian. **No signature is verified
//! here**, and a log proves nothing before a replay of it leads to the value that a quote signs.

pub mod wire;

mod algorithm;
mod attest;
mod enrolment;
mod error;
mod event;
mod evidence;
mod ima_log;
mod key_kind;
mod pcr;
mod public;
mod signature;
mod systemd_log;
mod tcg_log;
mod tcg_log_writer;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;

pub use algorithm::HashAlgorithm;
pub use attest::Attest;
pub use attest::Clock;
pub use enrolment::Credential;
pub use enrolment::EnrolmentRequest;
pub use error::TpmFormatError;
pub use event::Event;
pub use event::Replay;
pub use evidence::TpmEvidence;
pub use ima_log::ImaEntry;
pub use ima_log::ImaLog;
pub use key_kind::Attributes;
pub use key_kind::Curve;
pub use key_kind::Scheme;
pub use pcr::PcrSelection;
pub use pcr::PcrSet;
pub use pcr::PcrValues;
pub use public::Public;
pub use public::PublicKey;
pub use signature::Signature;
pub use systemd_log::SystemdEvent;
pub use systemd_log::SystemdLog;
pub use tcg_log::TcgLog;
pub use tcg_log_writer::TcgLogWriter;

/// The media type of a quote with its key, its PCR values and their logs: [`TpmEvidence`]. Private until one is registered.
pub const TPM_EVIDENCE: &str = "application/vnd.atls.tpm-evidence+cbor";

/// `qualifyingData` of a quote about this connection: its value verbatim where that has 32 bytes, and its SHA-256 where it has 48.
///
/// The field takes as many bytes as the largest digest of the TPM and its identifier have. Every TPM has SHA-256, and so 32 bytes fit
/// into each.
pub fn qualifying_data(bound: &Bound) -> ExpectedValue {
    match bound.as_bytes().len() {
        32 => bound.verbatim(),
        _ => bound.sha256().into(),
    }
}

/// Digits of either case, two a byte.
fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)?.checked_shl(4)? | digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}
