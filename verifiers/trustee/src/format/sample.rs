//! Evidence of Trustee's own simulator.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::bounded;
use atls_core::ear::BinaryText;
use atls_core::expected::ExpectedValue;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::service::TrusteeService;
use crate::tee::TeeTerms;

/// Trustee's `sample` TEE, for development: JSON without any signature, which **anybody can write**. Its results are
/// [`Origin::Simulated`], whatever the policy of the service says.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SampleEvidence;

impl SampleEvidence {
    /// `application/vnd.atls.trustee-sample+json`: `{"svn": text, "report_data": base64}`.
    pub fn new() -> Self {
        Self
    }

    /// `report_data` for a connection: SHA-512 of its value.
    pub(crate) fn report_data(bound: &Bound) -> ExpectedValue<[u8; 64]> {
        bound.sha512()
    }

    pub(crate) const MEDIA_TYPE: &'static str = "application/vnd.atls.trustee-sample+json";
}

impl EvidenceFormat<TrusteeService> for SampleEvidence {
    fn media_type(&self) -> &str {
        Self::MEDIA_TYPE
    }

    fn terms(&self) -> TeeTerms {
        TeeTerms {
            tee: "sample",
            report_data: BinaryText::Base64,
        }
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        Self::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        if !bounded::json(MAX_VALUES, evidence) {
            return Err(AppraisalError::Malformed.into());
        }
        let evidence: Map<String, Value> =
            serde_json::from_slice(evidence).map_err(|_| AppraisalError::Malformed)?;
        let text = |name| {
            let text = evidence.get(name).and_then(Value::as_str);
            text.ok_or(AppraisalError::Malformed)
        };
        let challenge = BinaryText::Base64.decode(text("report_data")?);
        let challenge = challenge.ok_or(AppraisalError::Malformed)?;
        let report_data = BASE64_STANDARD.encode(&challenge);
        let json = json!({ "svn": text("svn")?, "report_data": report_data });
        Ok(EvidenceReading::new(challenge, Origin::Simulated).with_content(json))
    }
}

/// The largest number of values in the Evidence, which has five.
const MAX_VALUES: usize = 64;
