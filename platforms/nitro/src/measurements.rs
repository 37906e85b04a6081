//! What a document says of its enclave, for whoever looks at an enclave of their own.

use atls_core::AppraisalError;
use atls_formats::nitro::SignedDocument;

/// The registers of an attestation document, by the names that a policy file has for them, with their values as they stand
/// there: PCR0 to PCR15.
///
/// **Nothing is verified**, neither signature nor binding: this shows in an enclave of your own what a policy could pin. Whoever
/// pins what it shows of somebody else's enclave trusts whoever made the bytes.
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
