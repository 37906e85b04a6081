//! Guests of SEV-SNP, of whose samples each is a JSON file.

use end_to_end::azure_sample::quoted;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atls_core::combine::chain::UnboundVerifier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_formats::snp::Report;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::MinimumTcb;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpImage;
use atls_snp::SnpPolicy;
use atls_snp::SnpVerifier;
use atls_snp::Tcb;
use serde_json::Value;

use crate::parts::base64;
use crate::parts::parts;
use crate::sample::Sample;

/// Appraises SNP reports of all samples, by the images of all.
pub(crate) fn snp(samples: &[Sample], one: &Sample) -> Arc<dyn UnboundVerifier> {
    let guests = samples.iter().filter(|sample| sample.kind == one.kind);
    let reports = guests.map(|sample| SnpEvidence::decode(&sample.cpu).unwrap());
    let reports: Vec<_> = reports.map(|evidence| evidence.report().to_vec()).collect();
    snp_verifier(&reports)
}

pub(crate) fn guest(folder: &Path, name: &str) -> Sample {
    let json = Json::read(folder, name);
    let report = json.report();
    let (snp, runtime_data) = parts(&report);
    let vcek = json.0["vcek"].as_str().unwrap();
    let vcek = match vcek.starts_with('-') {
        true => CertificateDer::from_pem_slice(vcek.as_bytes())
            .unwrap()
            .to_vec(),
        false => base64(vcek),
    };
    let table = CertTable::new().with(CertificateKind::Vcek, vcek);
    Sample {
        name: name.to_owned(),
        kind: "snp",
        // 2026-06-08, as with the TD.
        time: 1_780_922_561,
        cpu: SnpEvidence::new(snp.clone(), table).encode().unwrap(),
        cpu_type: TSM_REPORT,
        quote: json.quote(&runtime_data),
        runtime_data,
        processor: snp_verifier(&[snp]),
    }
}

fn snp_verifier(reports: &[Vec<u8>]) -> Arc<dyn UnboundVerifier> {
    let decoded = reports.iter().map(|report| Report::decode(report).unwrap());
    let mut images: Vec<SnpImage> = Vec::new();
    let mut minimum = BTreeMap::new();
    for report in decoded {
        let tcb = |bytes| Tcb::decode(Product::Milan, bytes).unwrap();
        let image = SnpImage::new(format!("paravisor {}", images.len()), report.measurement);
        if images
            .iter()
            .all(|known| known.measurement != image.measurement)
        {
            images.push(image);
        }
        let least = MinimumTcb {
            reported: tcb(report.reported_tcb),
            committed: Some(tcb(report.committed_tcb)),
            launch: Some(tcb(report.launch_tcb)),
        };
        minimum.insert(Product::Milan, least);
    }
    let mut policy = SnpPolicy::new(images, minimum);
    // The samples have no list of AMD's. Tests with forged lists cover those checks.
    policy.allow_missing_crl = true;
    let policy = Arc::new(Live::fixed(policy).unwrap());
    Arc::new(SnpVerifier::new(
        policy,
        Arc::new(CollateralFromPeer::new()),
    ))
}

pub(crate) struct Json(pub(crate) Value);

impl Json {
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn report(&self) -> Vec<u8> {
        bytes(
            self.0
                .get("hcl_report")
                .unwrap_or_else(|| &self.0["report"]),
        )
    }

    pub(crate) fn quote(&self, runtime_data: &[u8]) -> TpmEvidence {
        let quote = self.0.get("tpm_quote").unwrap_or_else(|| &self.0["quote"]);
        let pcrs = quote["pcrs"].as_array().unwrap().iter();
        let pcrs = pcrs.flat_map(bytes_or_hex).collect();
        let signature = bytes_or_hex(&quote["signature"]);
        quoted(
            &signature,
            bytes_or_hex(&quote["message"]),
            pcrs,
            runtime_data,
        )
    }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => base64(text),
        numbers => numbers_of(numbers),
    }
}

fn bytes_or_hex(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => atls_core::ear::BinaryText::Hex.decode(text).unwrap(),
        numbers => numbers_of(numbers),
    }
}

fn numbers_of(value: &Value) -> Vec<u8> {
    let numbers = value.as_array().unwrap().iter();
    let number = |number: &Value| u8::try_from(number.as_u64().unwrap()).unwrap();
    numbers.map(number).collect()
}
