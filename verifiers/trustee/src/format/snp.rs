//! AMD SEV-SNP reports, as Linux' configfs-tsm gives them.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::ExpectedValue;
use atls_core::Origin;
use atls_core::ear::BinaryText;
use atls_formats::snp;
use atls_formats::snp::SigningKey;
use atls_formats::snp::SnpEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use serde_json::Value;
use serde_json::json;

use super::TeeTerms;
use crate::service::TrusteeService;

/// A SEV-SNP report in a TSM report of CBOR: the value of the connection in `REPORT_DATA`, SHA-512, 64 bytes.
///
/// ```text
/// { "outblob": bstr,            the report, 1184 bytes
///   "provider": "sev_guest",
///   ? "auxblob": bstr }         certificates, by GUID
/// ```
///
/// Trustee wants the report field by field (the `sev` crate's own JSON) and signs off on versions 3 to 5 from VMPL 0 only.
/// The VCEK or VLEK goes along, in DER, where the Evidence has it; otherwise Trustee fetches it from AMD.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SnpReport;

impl SnpReport {
    /// `application/vnd.veraison.tsm-report+cbor`.
    pub fn new() -> Self {
        Self
    }
}

impl EvidenceFormat<TrusteeService> for SnpReport {
    fn media_type(&self) -> &str {
        TSM_REPORT
    }

    fn terms(&self) -> TeeTerms {
        TeeTerms {
            tee: "snp",
            report_data: BinaryText::Hex,
        }
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        bound.sha512().into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, AppraisalError> {
        let evidence = SnpEvidence::decode(evidence)?;
        let report = snp::Report::decode(evidence.report())?;
        let bytes = report.bytes();
        let fields = Report { bytes }.json().ok_or(AppraisalError::Malformed)?;
        let chain = chain(&evidence, report.signing_key);
        let json = json!({ "attestation_report": fields, "cert_chain": chain });
        Ok(EvidenceReading::new(report.report_data, Origin::Device)
            .with_content(json)
            .with_local_appraisal(super::appraisal_of(report.policy.debugging())))
    }
}

/// The certificate of the key that signed, in DER and alone. Trustee has AMD's own certificates, and refuses a chain that is not
/// empty and has not exactly one key of a chip or a provider. Null where the Evidence lacks that one: then Trustee asks AMD.
fn chain(evidence: &SnpEvidence, key: SigningKey) -> Option<Vec<Value>> {
    let certificate = evidence.certificates().get(key.certificate())?;
    Some(vec![
        json!({ "cert_type": key.to_string(), "data": certificate }),
    ])
}

/// ATTESTATION_REPORT, SEV-SNP ABI specification 1.57, table 23. Little-endian.
struct Report<'a> {
    bytes: &'a [u8],
}

impl Report<'_> {
    /// As the `sev` crate, version 7, writes it with serde.
    fn json(&self) -> Option<Value> {
        let version = self.u32(0)?;
        let family = self.u8(0x188)?;
        // The CPUID fields, by which the layout of TCB versions is known, are there from version 3 on.
        let cpuid = |offset| match version {
            3.. => self.u8(offset).map(Value::from),
            _ => Some(Value::Null),
        };
        let mitigations = |offset| match version {
            5.. => self.u64(offset).map(Value::from),
            _ => Some(Value::Null),
        };
        let layout = match (version, family) {
            (3.., TURIN..) => TcbLayout::Turin,
            _ => TcbLayout::Milan,
        };
        let tcb = |offset| self.tcb(offset, layout);
        Some(json!({
            "version": version,
            "guest_svn": self.u32(0x04)?,
            "policy": self.u64(0x08)?,
            "family_id": self.bytes(0x10, 16)?,
            "image_id": self.bytes(0x20, 16)?,
            "vmpl": self.u32(0x30)?,
            "sig_algo": self.u32(0x34)?,
            "current_tcb": tcb(0x38)?,
            "plat_info": self.u64(0x40)?,
            "key_info": self.u32(0x48)?,
            "report_data": self.bytes(0x50, 64)?,
            "measurement": self.bytes(0x90, 48)?,
            "host_data": self.bytes(0xc0, 32)?,
            "id_key_digest": self.bytes(0xe0, 48)?,
            "author_key_digest": self.bytes(0x110, 48)?,
            "report_id": self.bytes(0x140, 32)?,
            "report_id_ma": self.bytes(0x160, 32)?,
            "reported_tcb": tcb(0x180)?,
            "cpuid_fam_id": cpuid(0x188)?,
            "cpuid_mod_id": cpuid(0x189)?,
            "cpuid_step": cpuid(0x18a)?,
            "chip_id": self.bytes(0x1a0, 64)?,
            "committed_tcb": tcb(0x1e0)?,
            "current": self.version(0x1e8)?,
            "committed": self.version(0x1ec)?,
            "launch_tcb": tcb(0x1f0)?,
            "launch_mit_vector": mitigations(0x1f8)?,
            "current_mit_vector": mitigations(0x200)?,
            "signature": { "r": self.bytes(0x2a0, 72)?, "s": self.bytes(0x2e8, 72)? },
        }))
    }

    /// TCB_VERSION, table 3, whose layout changed with Turin.
    fn tcb(&self, offset: usize, layout: TcbLayout) -> Option<Value> {
        let svn = self.bytes(offset, 8)?;
        let [a, b, c, d, _, _, g, h] = *svn else {
            return None;
        };
        Some(match layout {
            TcbLayout::Milan => {
                json!({ "fmc": null, "bootloader": a, "tee": b, "snp": g, "microcode": h })
            }
            TcbLayout::Turin => {
                json!({ "fmc": a, "bootloader": b, "tee": c, "snp": d, "microcode": h })
            }
        })
    }

    fn version(&self, offset: usize) -> Option<Value> {
        let [build, minor, major] = *self.bytes(offset, 3)? else {
            return None;
        };
        Some(json!({ "major": major, "minor": minor, "build": build }))
    }

    fn u8(&self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    fn u32(&self, offset: usize) -> Option<u32> {
        let bytes = self.bytes(offset, 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    fn u64(&self, offset: usize) -> Option<u64> {
        let bytes = self.bytes(offset, 8)?.try_into().ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    fn bytes(&self, offset: usize, length: usize) -> Option<&[u8]> {
        self.bytes.get(offset..offset.checked_add(length)?)
    }
}

/// Where a TCB version has which component, by the processor that is first with it.
#[derive(Clone, Copy)]
enum TcbLayout {
    Milan,
    Turin,
}

/// CPUID family from which on TCB versions begin with FMC.
const TURIN: u8 = 0x1a;
