//! Intel TDX quotes.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::BinaryText;
use atls_core::expected::ExpectedValue;
use atls_formats::dcap;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::service::TrusteeService;
use crate::tee::TeeTerms;

/// A TDX quote of version 4 or 5, as it is. `REPORTDATA` carries the value of the connection: SHA-512, 64 bytes.
///
/// The quote goes without an event log, so policies over kernel and command line have nothing to compare.
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

impl EvidenceFormat<TrusteeService> for TdxQuote {
    fn media_type(&self) -> &str {
        TDX_QUOTE
    }

    fn terms(&self) -> TeeTerms {
        TeeTerms {
            tee: "tdx",
            report_data: BinaryText::Hex,
        }
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        dcap::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        let quote = Quote::decode(evidence, Tee::Tdx)?;
        let td = quote.report.as_td().ok_or(AppraisalError::Malformed)?;
        let json = json!({ "quote": BASE64_STANDARD.encode(evidence), "cc_eventlog": null });
        Ok(EvidenceReading::new(td.report_data, Origin::Device)
            .with_content(json)
            .with_local_appraisal(td.debugging().into()))
    }
}
