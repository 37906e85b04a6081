//! The samples, as this project's attester would send them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::cmw::Cmw;
use atls_core::combine::chain::UnboundVerifier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::pem::PemObject;
use atls_formats::azure::HclReport;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::snp::Report;
use atls_formats::tpm::Attest;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TPM_EVIDENCE;
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
use atls_tdx::Collateral;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmImage;
use atls_tpm::TpmPolicy;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::azure::azure_verifier;
use serde_json::Value;
use test_support::vectors;

#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// A time at which all of it is valid, in seconds.
    pub(crate) time: u64,
    pub(crate) cpu: Vec<u8>,
    pub(crate) cpu_type: &'static str,
    pub(crate) runtime_data: Vec<u8>,
    pub(crate) quote: TpmEvidence,
    processor: Arc<dyn UnboundVerifier>,
}

impl Sample {
    pub(crate) fn collection(&self) -> Vec<u8> {
        let record = |text: &str, bytes| Cmw::evidence(text.parse().unwrap(), bytes);
        let quote = record(TPM_EVIDENCE, self.quote.clone().encode().unwrap());
        let cpu = record(self.cpu_type, self.cpu.clone());
        let evidence = AzureEvidence::new(cpu, self.runtime_data.clone(), quote);
        evidence.into_cmw().unwrap().encode().unwrap()
    }

    pub(crate) fn nonce(&self) -> Vec<u8> {
        Attest::decode(&self.quote.attest).unwrap().extra_data
    }

    pub(crate) fn processor(&self) -> Arc<dyn UnboundVerifier> {
        self.processor.clone()
    }

    /// It knows this sample's paravisor and guest, and no other.
    pub(crate) fn verifier(&self) -> AzureVerifier {
        azure_verifier(
            AzurePolicy::default(),
            vec![self.processor()],
            tpm(std::slice::from_ref(self)),
        )
    }
}

/// Those that came with all that it takes to appraise them. Two quotes of TDs came without collateral of their time.
pub(crate) fn samples() -> Vec<Sample> {
    let Some(vectors) = vectors() else {
        return Vec::new();
    };
    let azure = vectors.join("azure");
    let names = ["snp-evidence-v0", "snp-evidence-v1", "snp-evidence-v2"];
    let mut samples: Vec<_> = names.map(|name| guest(&azure, name)).into();
    samples.push(td(&azure));
    samples
}

/// The HCL reports of all samples.
pub(crate) fn hcl_reports() -> Vec<(String, Vec<u8>)> {
    let Some(vectors) = vectors() else {
        return Vec::new();
    };
    let azure = vectors.join("azure");
    let names = [
        "snp-evidence-v0",
        "snp-evidence-v1",
        "snp-evidence-v2",
        "tdx-evidence-v0",
        "tdx-evidence-v1",
    ];
    let mut reports: Vec<_> = names
        .map(|name| (name.to_owned(), Json::read(&azure, name).report()))
        .into();
    reports.push((
        "tdx-flashbots".to_owned(),
        Yaml::read(&azure).base64("hcl_report_base64: >-"),
    ));
    reports
}

/// Appraises SNP reports of all samples, by the images of all.
pub(crate) fn snp(samples: &[Sample], one: &Sample) -> Arc<dyn UnboundVerifier> {
    let guests = samples.iter().filter(|sample| sample.kind == one.kind);
    let reports = guests.map(|sample| SnpEvidence::decode(&sample.cpu).unwrap());
    let reports: Vec<_> = reports.map(|evidence| evidence.report().to_vec()).collect();
    snp_verifier(&reports)
}

/// The boots of all samples.
pub(crate) fn tpm(samples: &[Sample]) -> TpmPolicy {
    let images = samples.iter().enumerate().map(|(number, sample)| {
        let selections = Attest::decode(&sample.quote.attest).unwrap().selections;
        let banks = PcrValues::split(&selections, &sample.quote.pcrs).unwrap();
        let value = Measurement::new(&banks[0].values[&4]).unwrap();
        TpmImage::measured(
            format!("boot {number}"),
            [(PcrIndex::new(4).unwrap(), value)],
        )
    });
    TpmPolicy::new(images.collect())
}

fn guest(folder: &Path, name: &str) -> Sample {
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

fn td(folder: &Path) -> Sample {
    let yaml = Yaml::read(folder);
    let (_, runtime_data) = parts(&yaml.base64("hcl_report_base64: >-"));
    let quote = yaml.base64("tdx_quote_base64: >-");
    let collateral = folder.join("tdx-flashbots-1780922561.collateral.yaml");
    let collateral = collateral_of_yaml(&std::fs::read_to_string(collateral).unwrap());
    let decoded = Quote::decode(&quote, Tee::Tdx).unwrap();
    let mut image = TdxImage::new("paravisor", decoded.report.as_td().unwrap().mrtd);
    // The registers are zero: the paravisor is in the first image of the TD.
    image.mrtd_covers_all = true;
    let verifier = TdxVerifier::new(
        Arc::new(Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral])),
    );
    Sample {
        name: "tdx-flashbots".to_owned(),
        kind: "tdx",
        time: 1_780_922_561,
        cpu: quote,
        cpu_type: TDX_QUOTE,
        quote: evidence(
            &yaml.numbers("signature"),
            yaml.numbers("message"),
            yaml.numbers("pcrs"),
            &runtime_data,
        ),
        runtime_data,
        processor: Arc::new(verifier),
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

/// The processor's report and the runtime data.
fn parts(report: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let report = HclReport::decode(report).unwrap();
    (
        report.hardware().bytes().to_vec(),
        report.runtime_data().to_vec(),
    )
}

/// The samples have no public area of the key. It is the one that the quotes name as their signer.
fn evidence(signature: &[u8], attest: Vec<u8>, pcrs: Vec<u8>, runtime_data: &[u8]) -> TpmEvidence {
    let data: Value = serde_json::from_slice(runtime_data).unwrap();
    let modulus = data["keys"][0]["n"].as_str().unwrap();
    let public = Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(0x0005_0472),
        auth_policy: Vec::new(),
        aes_bits: None,
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        },
    };
    // Of a TPMT_SIGNATURE, what follows algorithm, hash and length.
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    TpmEvidence {
        ak: public.encode().unwrap(),
        attest,
        pcrs,
        signature: [&[0, 0x14, 0, 0x0b][..], &length, signature].concat(),
        ..TpmEvidence::default()
    }
}

struct Json(Value);

impl Json {
    fn read(folder: &Path, name: &str) -> Self {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    fn report(&self) -> Vec<u8> {
        bytes(
            self.0
                .get("hcl_report")
                .unwrap_or_else(|| &self.0["report"]),
        )
    }

    fn quote(&self, runtime_data: &[u8]) -> TpmEvidence {
        let quote = self.0.get("tpm_quote").unwrap_or_else(|| &self.0["quote"]);
        let pcrs = quote["pcrs"].as_array().unwrap().iter();
        let pcrs = pcrs.flat_map(bytes_or_hex).collect();
        let signature = bytes_or_hex(&quote["signature"]);
        evidence(
            &signature,
            bytes_or_hex(&quote["message"]),
            pcrs,
            runtime_data,
        )
    }
}

struct Yaml(Vec<String>);

impl Yaml {
    fn read(folder: &Path) -> Self {
        let text = folder.join("tdx-flashbots-1780922561.evidence.yaml");
        let text = std::fs::read_to_string(text).unwrap();
        Self(text.lines().map(str::to_owned).collect())
    }

    fn base64(&self, key: &str) -> Vec<u8> {
        let mut lines = self.0.iter().skip_while(|line| *line != key);
        base64(lines.nth(1).unwrap().trim())
    }

    /// All numbers below a key of the quote.
    fn numbers(&self, key: &str) -> Vec<u8> {
        let key = format!("    {key}:");
        let lines = self.0.iter().skip_while(|line| **line != key).skip(1);
        let lines = lines.take_while(|line| line.trim_start().starts_with('-'));
        let number = |line: &String| line.trim_start_matches([' ', '-']).parse().unwrap();
        lines.map(number).collect()
    }
}

fn collateral_of_yaml(text: &str) -> Collateral {
    let mut fields = BTreeMap::<&str, String>::new();
    let mut key = "";
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            let field = fields.get_mut(key).unwrap();
            field.push_str(line);
            field.push('\n');
        } else if let Some((name, value)) = line.split_once(':') {
            key = name;
            let value = match value.trim() {
                block if block.starts_with(['|', '>']) => String::new(),
                quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap(),
                plain => plain.trim_matches('\'').to_owned(),
            };
            fields.insert(name, value);
        }
    }
    for (name, value) in &mut fields {
        if !name.ends_with("chain") {
            value.truncate(value.trim_end().len());
        }
    }
    Collateral::from_json(&serde_json::to_string(&fields).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
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

fn base64(text: &str) -> Vec<u8> {
    let padded = BASE64_URL_SAFE.decode(text);
    padded
        .or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text))
        .unwrap()
}
