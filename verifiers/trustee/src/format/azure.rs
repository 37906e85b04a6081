//! Evidence of Azure's confidential VMs: a virtual TPM stands between guest and report.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::bounded;
use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::expected::ExpectedValue;
use atls_formats::Debugging;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use atls_formats::snp::REPORT_LENGTH;
use atls_formats::snp::Report;
use atls_formats::tpm::Attest;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use serde_json::Value;

use crate::service::TrusteeService;
use crate::tee::TeeTerms;

/// The Evidence of Confidential Containers' guest components on Azure, versions 1 and 2: JSON with a TPM quote, and the report that
/// endorses the TPM's key.
///
/// ```text
/// { "version": 1 / 2, "tpm_quote": { "signature": hex, "message": hex, "pcrs": [ + hex ] },
///   "hcl_report": base64url, "vcek" / "td_quote": base64url }
/// ```
///
/// The guest cannot choose the report's own data. It chooses `extraData` of the quote (TPMS_ATTEST, TPM 2.0 part 2 §10.12.8), which
/// carries the value of the connection as it is. Trustee checks that the report endorses the quote's key. The report or TD quote says
/// here whether somebody may debug the guest.
///
/// No media type is registered for this Evidence. Name the one that your attester uses.
#[derive(Clone, Debug)]
pub struct AzureVtpm {
    media_type: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Snp,
    Tdx,
}

impl AzureVtpm {
    /// Evidence of a guest on SEV-SNP.
    pub fn snp(media_type: impl Into<String>) -> Self {
        Self {
            media_type: media_type.into(),
            kind: Kind::Snp,
        }
    }

    /// Evidence of a TD.
    pub fn tdx(media_type: impl Into<String>) -> Self {
        Self {
            media_type: media_type.into(),
            kind: Kind::Tdx,
        }
    }
}

impl EvidenceFormat<TrusteeService> for AzureVtpm {
    fn media_type(&self) -> &str {
        &self.media_type
    }

    fn terms(&self) -> TeeTerms {
        let tee = match self.kind {
            Kind::Snp => "az-snp-vtpm",
            Kind::Tdx => "az-tdx-vtpm",
        };
        TeeTerms {
            tee,
            report_data: BinaryText::Hex,
        }
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        bound.verbatim()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        // Trustee gets the value that was read here, so a repeated name cannot mean two things.
        if !bounded::json(MAX_VALUES, evidence) {
            return Err(AppraisalError::Malformed.into());
        }
        let json: Value =
            serde_json::from_slice(evidence).map_err(|_| AppraisalError::Malformed)?;
        let version = json.get("version").and_then(Value::as_u64);
        let message = json.pointer("/tpm_quote/message").and_then(Value::as_str);
        let message = message.and_then(|text| BinaryText::Hex.decode(text));
        let (Some(1 | 2), Some(message)) = (version, message) else {
            return Err(AppraisalError::Malformed.into());
        };
        let quote = Attest::decode(&message).map_err(|error| {
            Failure::from(AppraisalError::from(error)).with_cause(error.to_string())
        })?;
        let debugging = self.kind.debugging(&json);
        let appraisal = Appraisal::from(debugging.ok_or(AppraisalError::Malformed)?);
        Ok(EvidenceReading::new(quote.extra_data, Origin::Device)
            .with_content(json)
            .with_local_appraisal(appraisal))
    }
}

impl Kind {
    /// Whether somebody may debug the guest, by the report behind the TPM. The TPM's key is as good as the guest. `None` for
    /// Evidence that does not say so.
    fn debugging(self, evidence: &Value) -> Option<Debugging> {
        let member = |name| BinaryText::Base64Url.decode(evidence.get(name)?.as_str()?);
        match self {
            Self::Snp => {
                let hcl_report = member("hcl_report")?;
                let report = hcl_report.strip_prefix(HCL)?.get(HCL_REST..)?;
                let report = Report::decode(report.get(..REPORT_LENGTH)?).ok()?;
                Some(report.policy.debugging())
            }
            Self::Tdx => {
                let quote = member("td_quote")?;
                let quote = Quote::decode(&quote, Tee::Tdx).ok()?;
                Some(quote.report.as_td()?.debugging())
            }
        }
    }
}

/// The largest number of values in the Evidence. The registers of a TPM, as numbers, are some 800.
const MAX_VALUES: usize = 4096;

/// The paravisor's structure begins with this name. Its header has 32 bytes in all; the report follows.
const HCL: &[u8] = b"HCLA";
const HCL_REST: usize = 28;
