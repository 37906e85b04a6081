//! What the two endpoints want.

use atls_core::AppraisalError;
use atls_core::BoundMatch;
use atls_core::ExpectedValue;
use atls_formats::CertificateKind;
use atls_formats::TsmReport;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

/// `POST /attest/TdxVm`, about a quote that carries the challenge.
pub(crate) fn tdx(
    evidence: &[u8],
    challenge: &ExpectedValue,
) -> Result<(Value, BoundMatch), AppraisalError> {
    let quote = Quote::decode(evidence, Tee::Tdx).map_err(|_| AppraisalError::Malformed)?;
    let matched = challenge.compare(quote.report.report_data())?;
    let request = json!({ "quote": BASE64_URL_SAFE_NO_PAD.encode(evidence) });
    Ok((request, matched))
}

/// `POST /attest/SevSnpVm`: the report and the chain of its VCEK, which the Evidence has to bring. The report carries the
/// challenge.
pub(crate) fn snp(
    evidence: &[u8],
    challenge: &ExpectedValue,
) -> Result<(Value, BoundMatch), AppraisalError> {
    let tsm = TsmReport::read(evidence).ok_or(AppraisalError::Malformed)?;
    let matched = challenge.compare(tsm.report().report_data())?;
    let certificates = tsm.certificates().ok_or(AppraisalError::Malformed)?;
    let mut chain = String::new();
    for kind in [
        CertificateKind::Vcek,
        CertificateKind::Ask,
        CertificateKind::Ark,
    ] {
        match certificates.iter().find(|(known, _)| *known == kind) {
            Some((_, certificate)) => chain.push_str(&pem(certificate)),
            None if kind == CertificateKind::Vcek => return Err(AppraisalError::Malformed),
            None => {}
        }
    }
    let report = json!({
        "SnpReport": BASE64_URL_SAFE_NO_PAD.encode(tsm.report().octets()),
        "VcekCertChain": BASE64_URL_SAFE_NO_PAD.encode(chain),
    });
    let request = json!({ "report": BASE64_URL_SAFE_NO_PAD.encode(report.to_string()) });
    Ok((request, matched))
}

/// RFC 7468, unless it is that already.
fn pem(certificate: &[u8]) -> String {
    match std::str::from_utf8(certificate) {
        Ok(text) if text.starts_with("-----BEGIN CERTIFICATE-----") => text.to_owned(),
        _ => {
            let text = BASE64_STANDARD.encode(certificate);
            let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
            for (index, character) in text.chars().enumerate() {
                if index != 0 && index.is_multiple_of(64) {
                    pem.push('\n');
                }
                pem.push(character);
            }
            pem.push_str("\n-----END CERTIFICATE-----\n");
            pem
        }
    }
}
