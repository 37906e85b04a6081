//! AMD SEV-SNP reports as Linux' configfs-tsm gives them.

use atls_core::Bound;
use atls_core::Origin;
use atls_core::expected::ExpectedValue;
use atls_formats::Debugging;
use atls_formats::snp;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;

use super::configuration::Configuration;
use crate::parts::Parts;
use crate::service::VeraisonService;

/// A SEV-SNP report in a TSM report of CBOR: the value of the connection in `REPORT_DATA`, SHA-512, 64 bytes.
///
/// ```text
/// { "outblob": bstr,            the report, 1184 bytes
///   "provider": "sev_guest",
///   ? "auxblob": bstr }         certificates
/// ```
///
/// The map is not signed, so nothing else may be in it. Veraison's scheme ignores the guest policy. So this crate appraises debugging,
/// a migration agent, and VMPL, the privilege level from which the report was requested.
#[derive(Clone, Debug, Default)]
pub struct SevSnpReport {
    highest_vmpl: u32,
}

impl SevSnpReport {
    /// `application/vnd.veraison.tsm-report+cbor`, requested from VMPL 0, the most privileged level.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also accepts reports requested from less privileged levels, 1 to 3. Software at those levels then speaks for the whole guest.
    /// Some clouds run the whole guest at another level than 0.
    #[must_use]
    pub fn with_highest_vmpl(mut self, vmpl: u32) -> Self {
        self.highest_vmpl = vmpl;
        self
    }
}

impl EvidenceFormat<VeraisonService> for SevSnpReport {
    fn media_type(&self) -> &str {
        TSM_REPORT
    }

    fn terms(&self) -> Parts {
        Parts::of("SEVSNP")
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        snp::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        let evidence = SnpEvidence::decode(evidence)?;
        let report = Report::decode(evidence.report())?;
        let closed = report.policy.debugging() == Debugging::Denied;
        let secure = closed && report.vmpl <= self.highest_vmpl;
        let configuration = match secure {
            true => Configuration::Acceptable,
            false => Configuration::Contraindicated,
        };
        let reading = EvidenceReading::new(report.report_data, Origin::Device);
        Ok(reading.with_local_appraisal(configuration.into()))
    }
}
