//! The formats of Evidence that the two endpoints take.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::expected::ExpectedValue;
use atls_formats::dcap;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use atls_formats::snp;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use crate::claims::GuestKind;
use crate::service::MaaService;

/// A SEV-SNP report in a TSM report of CBOR, with the chain of its VCEK, which the Evidence has to bring: the value of the connection
/// in `REPORT_DATA`, SHA-512, 64 bytes. Goes to `/attest/SevSnpVm`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SnpReport;

impl SnpReport {
    /// `application/vnd.veraison.tsm-report+cbor`.
    pub fn new() -> Self {
        Self
    }
}

impl EvidenceFormat<MaaService> for SnpReport {
    fn media_type(&self) -> &str {
        TSM_REPORT
    }

    fn terms(&self) -> GuestKind {
        GuestKind::Snp
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        snp::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        let evidence = SnpEvidence::decode(evidence)?;
        let report = Report::decode(evidence.report())?;
        let chain = certificate_chain(&evidence).ok_or(AppraisalError::NoEndorsement {
            what: "VCEK",
            due_from: Fault::Peer,
        })?;
        let inner = json!({
            "SnpReport": BASE64_URL_SAFE_NO_PAD.encode(report.bytes()),
            "VcekCertChain": BASE64_URL_SAFE_NO_PAD.encode(chain),
        });
        let request = json!({ "report": BASE64_URL_SAFE_NO_PAD.encode(inner.to_string()) });
        Ok(EvidenceReading::new(report.report_data, Origin::Device).with_content(request))
    }
}

/// A TDX quote of version 4 or 5, as it is: the value of the connection in `REPORTDATA`, SHA-512, 64 bytes. Goes to `/attest/TdxVm`.
///
/// Each service has a `TdxQuote` of its own, because request and options are those of the service. The quote is read by
/// [`atls_formats::dcap`] for all of them.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TdxQuote;

impl TdxQuote {
    /// `application/vnd.atls.tdx-quote`.
    pub fn new() -> Self {
        Self
    }
}

impl EvidenceFormat<MaaService> for TdxQuote {
    fn media_type(&self) -> &str {
        TDX_QUOTE
    }

    fn terms(&self) -> GuestKind {
        GuestKind::Tdx
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        dcap::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        let quote = Quote::decode(evidence, Tee::Tdx)?;
        let td = quote.report.as_td().ok_or(AppraisalError::Malformed)?;
        let request = json!({ "quote": BASE64_URL_SAFE_NO_PAD.encode(evidence) });
        Ok(EvidenceReading::new(td.report_data, Origin::Device)
            .with_content(request)
            .with_local_appraisal(td.debugging().into()))
    }
}

/// In PEM, the VCEK first; none without it.
fn certificate_chain(evidence: &SnpEvidence) -> Option<String> {
    let find = |kind| {
        let der = evidence.certificates().get(kind)?;
        Some(snp::pem(kind, der))
    };
    let mut chain = find(CertificateKind::Vcek)?;
    chain.extend(
        [CertificateKind::Ask, CertificateKind::Ark]
            .into_iter()
            .filter_map(find),
    );
    Some(chain)
}
