//! Evidence of each format.

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_formats::tsm::TsmReport;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_trustee::TrusteeService;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::Value;
use serde_json::json;

pub(crate) const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;

/// Evidence of version 1 with one member beside a quote that carries `challenge`.
pub(crate) fn azure(member: &str, bytes: &[u8]) -> Vec<u8> {
    let message = [
        "ff5443478018",
        // No name of a key, and `challenge`.
        "0000",
        "00096368616c6c656e6765",
        &"00".repeat(25),
        // Register 0 of the bank of SHA-256, and no digest.
        "00000001000b03010000",
        "0000",
    ];
    let message = message.concat();
    let mut evidence = json!({ "version": 1, "tpm_quote": { "message": message } });
    evidence[member] = BASE64_URL_SAFE.encode(bytes).into();
    evidence.to_string().into_bytes()
}

/// The tier of the appraisal that precedes the service's.
pub(crate) fn tier(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<Tier, AppraisalError> {
    let reading = checked(format, evidence, challenge)?;
    Ok(reading.local_appraisal().unwrap().status())
}

pub(crate) fn content(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<Value, AppraisalError> {
    let reading = checked(format, evidence, challenge)?;
    Ok(reading.content().clone())
}

/// Compares the value, as the verifier does.
pub(crate) fn checked(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<EvidenceReading<Value>, AppraisalError> {
    let reading = format.read(evidence)?;
    if reading.carried() == challenge {
        Ok(reading)
    } else {
        Err(AppraisalError::NotBound)
    }
}

/// A report in its envelope, with the table of its host.
pub(crate) fn evidence(report: &[u8], table: &[u8]) -> Vec<u8> {
    let envelope = TsmReport {
        auxblob: table.to_vec(),
        outblob: report.to_vec(),
        provider: "sev_guest".to_owned(),
    };
    envelope.encode().unwrap()
}

pub(crate) fn table(certificates: &[(u128, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut offset = u32::try_from(24 * (certificates.len() + 1)).unwrap();
    for (guid, certificate) in certificates {
        let length = u32::try_from(certificate.len()).unwrap();
        out.extend(guid.to_be_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(length.to_le_bytes());
        offset += length;
    }
    out.extend([0; 24]);
    for (_, certificate) in certificates {
        out.extend_from_slice(certificate);
    }
    out
}
