//! Intel TDX quotes.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::BinaryText;
use atls_formats::Carriage;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::Tee;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::EvidenceFormat;
use super::Shaped;

/// A TDX quote of version 4 or 5, as it is: the value of the connection in `REPORTDATA`, SHA-512, 64 octets.
///
/// Sent without event log, so policies over kernel and command line have nothing to look at.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TdxQuote;

impl TdxQuote {
    /// `application/vnd.atls.tdx-quote`.
    pub fn new() -> Self {
        Self
    }
}

impl EvidenceFormat for TdxQuote {
    fn media_type(&self) -> &str {
        TDX_QUOTE
    }

    fn tee(&self) -> &'static str {
        "tdx"
    }

    fn carriage(&self) -> Carriage {
        Carriage::Sha512
    }

    fn report_data(&self) -> BinaryText {
        BinaryText::Hex
    }

    fn origin(&self) -> Origin {
        Origin::Device
    }

    fn shape(&self, evidence: &[u8]) -> Result<Shaped, AppraisalError> {
        let quote = Quote::decode(evidence, Tee::Tdx).map_err(|_| AppraisalError::Malformed)?;
        let td = quote.report.as_td().ok_or(AppraisalError::Malformed)?;
        let json = json!({ "quote": BASE64_STANDARD.encode(evidence), "cc_eventlog": null });
        Ok(Shaped::new(json, td.report_data).with_judgement(super::judgement(td.debugging())))
    }
}
