//! The error of both halves of the attester.

use atls_core::AttestError;

pub(crate) fn failed(reason: &str) -> AttestError {
    AttestError::Device(reason.to_owned())
}
