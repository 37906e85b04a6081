//! What the two endpoints want.

use atls_core::AppraisalError;
use atls_core::BoundMatch;
use atls_core::ExpectedValue;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use atls_formats::snp;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use base64::Engine;
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
    let evidence = SnpEvidence::decode(evidence)?;
    let report = Report::decode(evidence.report())?;
    let matched = challenge.compare(&report.report_data)?;
    let mut chain = String::new();
    for kind in [
        CertificateKind::Vcek,
        CertificateKind::Ask,
        CertificateKind::Ark,
    ] {
        match evidence.certificates().get(kind) {
            Some(der) => chain.push_str(&snp::pem(kind, der)),
            None if kind == CertificateKind::Vcek => return Err(AppraisalError::Malformed),
            None => {}
        }
    }
    let report = json!({
        "SnpReport": BASE64_URL_SAFE_NO_PAD.encode(report.bytes()),
        "VcekCertChain": BASE64_URL_SAFE_NO_PAD.encode(chain),
    });
    let request = json!({ "report": BASE64_URL_SAFE_NO_PAD.encode(report.to_string()) });
    Ok((request, matched))
}
