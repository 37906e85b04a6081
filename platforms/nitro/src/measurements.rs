//! The registers of a document, for writing a policy about an enclave of your own.

use atls_core::AppraisalError;
use atls_formats::nitro::SignedDocument;

/// The registers PCR0 to PCR15 of an attestation document: their names and values as a policy file has them.
///
/// **Nothing is verified**, neither signature nor binding: use it on an enclave of your own, to learn what to pin. A policy that pins
/// the registers of somebody else's enclave trusts the maker of the bytes.
///
/// # Errors
/// [`AppraisalError::Malformed`]
pub fn dangerous_unverified_measurements(
    evidence: &[u8],
) -> Result<Vec<(String, String)>, AppraisalError> {
    let document = SignedDocument::decode(evidence)?.document;
    let pinnable = document.pcrs.iter().filter(|(index, _)| *index < 16);
    Ok(pinnable
        .map(|(index, value)| (format!("pcr{index}"), value.to_string()))
        .collect())
}
