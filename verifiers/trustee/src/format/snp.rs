//! AMD SEV-SNP reports in the envelope of configfs-tsm.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::BinaryText;
use atls_core::expected::ExpectedValue;
use atls_formats::snp;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::SnpEvidence;
use atls_formats::snp::Tcb;
use atls_formats::tsm::TSM_REPORT;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;
use serde_json::Value;
use serde_json::json;

use crate::service::TrusteeService;
use crate::tee::TeeTerms;

/// A SEV-SNP report in a TSM report of CBOR. `REPORT_DATA` carries the value of the connection: SHA-512, 64 bytes.
///
/// ```text
/// { "outblob": bstr,            the report, 1184 bytes
///   "provider": "sev_guest",
///   ? "auxblob": bstr }         certificates, by GUID
/// ```
///
/// Trustee takes the report field by field, in the JSON of the `sev` crate, and accepts versions 3 to 5 from VMPL 0 only. The
/// certificate of the VCEK or VLEK goes along in DER if the Evidence has it. Otherwise Trustee fetches the VCEK's from AMD.
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
        snp::report_data(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<Value>, Failure> {
        let evidence = SnpEvidence::decode(evidence)?;
        let report = Report::decode(evidence.report())?;
        let fields = fields(&report).ok_or(AppraisalError::Malformed)?;
        let chain = chain(&evidence, report.signing_key);
        let json = json!({ "attestation_report": fields, "cert_chain": chain });
        Ok(EvidenceReading::new(report.report_data, Origin::Device)
            .with_content(json)
            .with_local_appraisal(report.policy.debugging().into()))
    }
}

/// The certificate of the key that signed, in DER and alone: Trustee has AMD's own certificates, and refuses a chain without
/// exactly one key of a chip or a provider. Null, if the Evidence lacks that certificate, makes Trustee ask AMD.
fn chain(evidence: &SnpEvidence, key: SigningKey) -> Option<Vec<Value>> {
    let certificate = evidence.certificates().get(key.certificate())?;
    Some(vec![
        json!({ "cert_type": key.to_string(), "data": certificate }),
    ])
}

/// The report as the `sev` crate, version 7, writes it with serde. `None` where reserved bytes of a TCB are not zero.
fn fields(report: &Report<'_>) -> Option<Value> {
    let tcb = |bytes| {
        let tcb = Tcb::decode(report.tcb_layout(), bytes)?;
        Some(json!({
            "fmc": tcb.fmc, "bootloader": tcb.bootloader, "tee": tcb.tee, "snp": tcb.snp, "microcode": tcb.microcode,
        }))
    };
    let version =
        |[build, minor, major]: [u8; 3]| json!({ "major": major, "minor": minor, "build": build });
    let [family, model, stepping] = report.cpuid.map_or([None; 3], |cpuid| cpuid.map(Some));
    Some(json!({
        "version": report.version,
        "guest_svn": report.guest_svn,
        "policy": report.policy.bits(),
        "family_id": report.family_id,
        "image_id": report.image_id,
        "vmpl": report.vmpl,
        "sig_algo": snp::ECDSA_P384_SHA384,
        "current_tcb": tcb(report.current_tcb)?,
        "plat_info": report.platform_info.bits(),
        "key_info": report.key_info,
        "report_data": &report.report_data[..],
        "measurement": &report.measurement[..],
        "host_data": report.host_data,
        "id_key_digest": &report.id_key_digest[..],
        "author_key_digest": &report.author_key_digest[..],
        "report_id": report.report_id,
        "report_id_ma": report.report_id_ma,
        "reported_tcb": tcb(report.reported_tcb)?,
        "cpuid_fam_id": family,
        "cpuid_mod_id": model,
        "cpuid_step": stepping,
        "chip_id": &report.chip_id[..],
        "committed_tcb": tcb(report.committed_tcb)?,
        "current": version(report.current_version),
        "committed": version(report.committed_version),
        "launch_tcb": tcb(report.launch_tcb)?,
        "launch_mit_vector": report.launch_mitigations,
        "current_mit_vector": report.current_mitigations,
        "signature": { "r": &report.signature_r[..], "s": &report.signature_s[..] },
    }))
}
