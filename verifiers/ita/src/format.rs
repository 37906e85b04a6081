//! The format of Evidence that the service takes.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::expected::ExpectedValue;
use atls_formats::dcap;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;

use crate::service::ItaService;

/// A TDX quote of version 4 or 5, as it is: the value of the connection in `REPORTDATA`, SHA-512, 64 bytes.
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

impl EvidenceFormat<ItaService> for TdxQuote {
    fn media_type(&self) -> &str {
        TDX_QUOTE
    }

    fn terms(&self) {}

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        dcap::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        let quote = Quote::decode(evidence, Tee::Tdx)?;
        let td = quote.report.as_td().ok_or(AppraisalError::Malformed)?;
        let reading = EvidenceReading::new(td.report_data, Origin::Device);
        Ok(reading.with_local_appraisal(td.debugging().into()))
    }
}
