//! AMD SEV-SNP reports as Linux' configfs-tsm gives them.

use atls_core::AppraisalError;
use atls_core::Origin;

use super::Carriage;
use super::Checked;
use super::Configuration;
use super::EvidenceFormat;
use super::cbor::Map;

/// A SEV-SNP report in a TSM report of CBOR: the value of the connection in `REPORT_DATA`, SHA-512, 64 octets.
///
/// ```text
/// { "outblob": bstr,            the report, 1184 octets
///   "provider": "sev_guest",
///   ? "auxblob": bstr }         certificates
/// ```
///
/// The map is not signed, so nothing else may be in it. Veraison's scheme does not look at the guest policy, so debugging
/// and a migration agent are judged here, and so is VMPL, the privilege level of whoever asked for the report.
#[derive(Clone, Debug, Default)]
pub struct SevSnpReport {
    highest_vmpl: u32,
}

impl SevSnpReport {
    /// `application/vnd.veraison.tsm-report+cbor`, requested from VMPL 0, the most privileged level.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also accepts reports that less privileged levels asked for, 1 to 3: everything at those levels of the guest
    /// then speaks for all of it. Some clouds run the whole guest at a level other than 0.
    #[must_use]
    pub fn with_highest_vmpl(mut self, vmpl: u32) -> Self {
        self.highest_vmpl = vmpl;
        self
    }
}

impl EvidenceFormat for SevSnpReport {
    fn media_type(&self) -> &str {
        "application/vnd.veraison.tsm-report+cbor"
    }

    fn carriage(&self) -> Carriage {
        Carriage::Sha512
    }

    fn parts(&self) -> &[&'static str] {
        &["SEVSNP"]
    }

    fn check(&self, evidence: &[u8], challenge: &[u8]) -> Result<Checked, AppraisalError> {
        let tsm = Map::decode(evidence)?;
        // The kernel ends the provider with a newline.
        let provider = tsm.text("provider")?;
        let provider = provider.strip_suffix('\n').unwrap_or(provider);
        if provider != "sev_guest" {
            return Err(AppraisalError::Malformed);
        }
        // Each of the names once, and so no other.
        match tsm.len() {
            2 => {}
            3 => drop(tsm.octets("auxblob")?),
            _ => return Err(AppraisalError::Malformed),
        }
        let report = Report::decode(tsm.octets("outblob")?).ok_or(AppraisalError::Malformed)?;
        if report.report_data != challenge {
            return Err(AppraisalError::NotBound);
        }
        let secure = report.policy & (DEBUG | MIGRATE_MA) == 0 && report.vmpl <= self.highest_vmpl;
        let judgement = super::configuration(if secure {
            Configuration::Acceptable
        } else {
            Configuration::Insecure
        });
        Ok(Checked::from_origin(Origin::Device).with_judgement(judgement))
    }
}

/// ATTESTATION_REPORT, SEV-SNP ABI specification 1.57, table 23. Little-endian.
struct Report<'a> {
    policy: u64,
    vmpl: u32,
    report_data: &'a [u8],
}

impl<'a> Report<'a> {
    fn decode(octets: &'a [u8]) -> Option<Self> {
        if octets.len() != LENGTH {
            return None;
        }
        Some(Self {
            policy: u64::from_le_bytes(octets.get(0x08..0x10)?.try_into().ok()?),
            vmpl: u32::from_le_bytes(octets.get(0x30..0x34)?.try_into().ok()?),
            report_data: octets.get(0x50..0x90)?,
        })
    }
}

/// Octets, signature included.
const LENGTH: usize = 1184;

/// Bits of POLICY: a migration agent may be associated with the guest; debugging is allowed.
const MIGRATE_MA: u64 = 1 << 18;
const DEBUG: u64 = 1 << 19;
