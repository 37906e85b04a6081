//! Registers out of Evidence, before anybody verified it.

use atls_core::AppraisalError;
use atls_formats::tpm::Attest;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::TpmEvidence;

use crate::policy::hexadecimal;

/// The quoted registers, such as `sha256.pcr4`, in hexadecimal: for an operator who writes a policy on a machine that is known. **Nothing is verified**,
/// so whoever made the Evidence chose them.
///
/// # Errors
/// [`AppraisalError::Malformed`]
pub fn dangerous_unverified_measurements(
    evidence: &[u8],
) -> Result<Vec<(String, String)>, AppraisalError> {
    let evidence = TpmEvidence::decode(evidence)?;
    let attest = Attest::decode(&evidence.attest)?;
    let banks = PcrValues::split(&attest.selections, &evidence.pcrs)?;
    let registers = banks.iter().flat_map(|bank| {
        let registers = bank.values.iter();
        registers.map(|(pcr, value)| {
            let name = format!("{}.pcr{pcr}", bank.bank);
            (name, hexadecimal::of(value))
        })
    });
    Ok(registers.collect())
}
