//! Genuine VMs of Azure, as this project's attester would send them.

use end_to_end::azure_sample::quoted;
use std::path::Path;

use atls_azure::AzureEvidence;
use atls_core::cmw::Cmw;
use atls_formats::azure::HclReport;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::SnpEvidence;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use serde_json::json;

/// A guest of SEV-SNP as this project's attester would send it, and the quote of its virtual TPM.
pub(crate) fn guest(folder: &Path, name: &str) -> (Vec<u8>, TpmEvidence) {
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let sample: Value = serde_json::from_str(&text).unwrap();
    let either = |new: &str, old: &str| sample.get(new).unwrap_or_else(|| &sample[old]).clone();
    let hcl = bytes(&either("hcl_report", "report"));
    let hcl = HclReport::decode(&hcl).unwrap();
    let vcek = sample["vcek"].as_str().unwrap();
    let vcek = match vcek.starts_with('-') {
        true => CertificateDer::from_pem_slice(vcek.as_bytes())
            .unwrap()
            .to_vec(),
        false => bytes(&sample["vcek"]),
    };
    let table = CertTable::new().with(CertificateKind::Vcek, vcek);
    let cpu = SnpEvidence::new(hcl.hardware().bytes().to_vec(), table);
    let quote = either("tpm_quote", "quote");
    let pcrs = quote["pcrs"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(hex_or_bytes);
    let quote = quoted(
        &hex_or_bytes(&quote["signature"]),
        hex_or_bytes(&quote["message"]),
        pcrs.collect(),
        hcl.runtime_data(),
    );
    let cpu = Cmw::evidence(TSM_REPORT.parse().unwrap(), cpu.encode().unwrap());
    (collection(cpu, hcl.runtime_data(), &quote), quote)
}

/// A TD, of whose sample each list of numbers stands line by line.
pub(crate) fn td(folder: &Path) -> Vec<u8> {
    let file = folder.join("tdx-flashbots-1780922561.evidence.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let base64 = |key: &str| {
        let after = lines.iter().skip_while(|line| **line != key).nth(1);
        bytes(&json!(after.unwrap().trim()))
    };
    let numbers = |key: &str| {
        let key = format!("    {key}:");
        let below = lines.iter().skip_while(|line| **line != key).skip(1);
        let below = below.take_while(|line| line.trim_start().starts_with('-'));
        let number = |line: &&str| line.trim_start_matches([' ', '-']).parse().unwrap();
        below.map(number).collect::<Vec<u8>>()
    };
    let hcl = base64("hcl_report_base64: >-");
    let hcl = HclReport::decode(&hcl).unwrap();
    let quote = quoted(
        &numbers("signature"),
        numbers("message"),
        numbers("pcrs"),
        hcl.runtime_data(),
    );
    let cpu = base64("tdx_quote_base64: >-");
    let cpu = Cmw::evidence(TDX_QUOTE.parse().unwrap(), cpu);
    collection(cpu, hcl.runtime_data(), &quote)
}

fn collection(cpu: Cmw, runtime_data: &[u8], quote: &TpmEvidence) -> Vec<u8> {
    let quote = quote.clone().encode().unwrap();
    let quote = Cmw::evidence(TPM_EVIDENCE.parse().unwrap(), quote);
    let evidence = AzureEvidence::new(cpu, runtime_data.to_vec(), quote);
    evidence.into_cmw().unwrap().encode().unwrap()
}

/// Intel's collateral, as JSON.
pub(crate) fn collateral(yaml: &str) -> String {
    let mut fields = serde_json::Map::new();
    let mut key = String::new();
    for line in yaml.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            let field = fields[&key].as_str().unwrap();
            fields[&key] = format!("{field}{line}\n").into();
        } else if let Some((name, value)) = line.split_once(':') {
            key = name.to_owned();
            let value = match value.trim() {
                block if block.starts_with(['|', '>']) => String::new(),
                quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap(),
                plain => plain.trim_matches('\'').to_owned(),
            };
            fields.insert(key.clone(), value.into());
        }
    }
    for (name, value) in &mut fields {
        if !name.ends_with("chain") {
            *value = value.as_str().unwrap().trim_end().into();
        }
    }
    Value::Object(fields).to_string()
}

fn hex_or_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => atls_core::ear::BinaryText::Hex.decode(text).unwrap(),
        other => bytes(other),
    }
}

/// Base64 of either alphabet, or numbers.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => {
            let text = text
                .trim_end_matches('=')
                .replace('+', "-")
                .replace('/', "_");
            BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
        }
        numbers => {
            let numbers = numbers.as_array().unwrap().iter();
            let number = |number: &Value| u8::try_from(number.as_u64().unwrap()).unwrap();
            numbers.map(number).collect()
        }
    }
}
