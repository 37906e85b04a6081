//! Policies of genuine samples accept the very samples, and nothing with another value.

use std::path::Path;

use atls_azure::AzureEvidence;
use atls_cca::CcaKeys;
use atls_cca::PsaKeys;
use atls_cca::PublicKey;
use atls_cca::TrustedKey;
use atls_core::cmw::Cmw;
use atls_formats::azure::HclReport;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey as TpmPublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::SnpEvidence;
use atls_tpm::AttestationKey;
use atls_tpm::TpmKeys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use serde_json::json;

use super::made::EXPLAIN;
use super::made::each_line_is_a_demand;
use super::made::made_of;
use super::support;
use super::support::World;

#[test]
fn quotes_and_documents() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let collateral = path("tdx/v4-td10-dcapqvl.collateral.json");
    let of_td = ["--collateral", &collateral, "--at", "2025-07-01T00:00:00Z"];
    let of_nitro = ["--at", "1736179625"];
    for (sample, trust, least) in [
        ("tdx/v4-td10-dcapqvl.quote", &of_td[..], 6),
        ("nitro/eu-central-1-2025-01-06.cose", &of_nitro, 12),
    ] {
        world.write("evidence", std::fs::read(folder.join(sample)).unwrap());
        let made = made_of(&world, &[], trust);
        let demands = each_line_is_a_demand(&world, &made, trust);
        assert!(demands >= least, "{sample}: {demands} {made}");
    }
}

/// No list of AMD's came with the samples.
#[test]
fn reports_of_sev_snp() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    for (name, kind) in [
        ("genoa-v5-vcek", CertificateKind::Vcek),
        ("milan-v3-vcek", CertificateKind::Vcek),
        ("milan-v3-vlek-aws", CertificateKind::Vlek),
    ] {
        let read = |end: &str| std::fs::read(folder.join(format!("snp/{name}.{end}"))).unwrap();
        let table = CertTable::new().with(kind, read("vek.der"));
        let evidence = SnpEvidence::new(read("report"), table).encode();
        world.write("evidence", evidence.unwrap());
        let policy = made_without_list(&world);
        let at = ["--offline", "--at", "2025-11-01T00:00:00Z"];
        world.atls(&[&EXPLAIN[..], &at].concat()).ends_with(0);
        assert!(each_line_is_a_demand(&world, &policy, &at) >= 8, "{policy}");
    }
}

#[test]
fn tokens_of_reference_firmware() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let keys = ["--attestation-keys", "keys.json"];
    let trust = ["--dangerous-accept-simulated"];
    // The keys of both are published.
    let token = read("cca/cca-example-token.cbor");
    let jwk: Value = serde_json::from_slice(&read("cca/cpak.json")).unwrap();
    let platform = CcaPlatform::of(CcaToken::decode(&token).unwrap().platform()).unwrap();
    let key = TrustedKey::new(
        "TF-A",
        platform.implementation_id,
        platform.instance_id,
        of_jwk(&jwk),
    );
    let table = CcaKeys::new(vec![key.in_software()]);
    world.write(
        "keys.json",
        json!({ "version": 1, "cca-keys": table }).to_string(),
    );
    world.write("evidence", token);
    let made = made_of(&world, &keys, &trust);
    assert!(each_line_is_a_demand(&world, &made, &trust) >= 40, "{made}");
    // In software, and so refused unless somebody asks for it.
    world.atls(&EXPLAIN).ends_with(3);

    let public = String::from_utf8(read("psa/public.pem")).unwrap();
    let public = PublicKey::from_pem(&public).unwrap();
    for name in ["psa/psa-2_0_0_sign1.bin", "psa/psa-iot-1_sign1.bin"] {
        let token = read(name);
        let device = PsaDevice::of(SignedToken::decode(&token).unwrap().claims()).unwrap();
        let key = TrustedKey::new(
            "TF-M",
            device.implementation_id,
            device.instance_id,
            public.clone(),
        );
        let table = PsaKeys::new(vec![key.in_software()]);
        world.write(
            "keys.json",
            json!({ "version": 1, "psa-keys": table }).to_string(),
        );
        world.write("evidence", token);
        let made = made_of(&world, &keys, &trust);
        assert!(
            each_line_is_a_demand(&world, &made, &trust) >= 5,
            "{name}: {made}"
        );
    }
}

#[test]
fn vms_of_azure_and_their_virtual_tpms() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let azure = folder.join("azure");
    let world = World::new();
    for name in ["snp-evidence-v0", "snp-evidence-v1", "snp-evidence-v2"] {
        let (collection, quote) = guest(&azure, name);
        world.write("evidence", collection);
        let policy = made_without_list(&world);
        let at = ["--offline", "--at", "1780922561"];
        world.atls(&[&EXPLAIN[..], &at].concat()).ends_with(0);
        assert!(
            each_line_is_a_demand(&world, &policy, &at) >= 20,
            "{policy}"
        );

        let ak = AttestationKey::decode(&quote.ak).unwrap();
        let table = TpmKeys::new(vec![atls_tpm::TrustedKey::provided("vm", ak)]);
        world.write(
            "keys.json",
            json!({ "version": 1, "tpm-keys": table }).to_string(),
        );
        world.write("evidence", quote.encode().unwrap());
        let made = made_of(&world, &["--attestation-keys", "keys.json"], &[]);
        assert!(
            made.contains("unmeasured = [8, 11, 13, 15, 17, 18, 19]"),
            "{made}"
        );
        assert!(each_line_is_a_demand(&world, &made, &[]) >= 13, "{made}");
    }
    world.write("evidence", td(&azure));
    let text = std::fs::read_to_string(azure.join("tdx-flashbots-1780922561.collateral.yaml"));
    world.write("collateral.json", collateral(&text.unwrap()));
    let trust = ["--collateral", "collateral.json", "--at", "1780922561"];
    let made = made_of(&world, &[], &trust);
    assert!(each_line_is_a_demand(&world, &made, &trust) >= 20, "{made}");
}

/// The samples have no revocation list, and so are not known to be genuine.
fn made_without_list(world: &World) -> String {
    let new = [
        "policy",
        "new",
        "--from",
        "evidence",
        "--dangerous-unverified",
    ];
    let made = world.atls(&new).ends_with(0).out();
    let policy = made.replace("[snp]\n", "[snp]\nallow-missing-crl = true\n");
    assert_ne!(policy, made);
    world.write("policy.toml", &policy);
    policy
}

/// A guest of SEV-SNP as this project's attester would send it, and the quote of its virtual TPM.
fn guest(folder: &Path, name: &str) -> (Vec<u8>, TpmEvidence) {
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
fn td(folder: &Path) -> Vec<u8> {
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

/// The samples have no public area of the key. It is the one that the quotes name as their signer.
fn quoted(signature: &[u8], attest: Vec<u8>, pcrs: Vec<u8>, runtime_data: &[u8]) -> TpmEvidence {
    let data: Value = serde_json::from_slice(runtime_data).unwrap();
    let modulus = data["keys"][0]["n"].as_str().unwrap();
    let public = Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(0x0005_0472),
        auth_policy: Vec::new(),
        aes_bits: None,
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: TpmPublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        },
    };
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    TpmEvidence {
        ak: public.encode().unwrap(),
        attest,
        pcrs,
        signature: [&[0, 0x14, 0, 0x0b][..], &length, signature].concat(),
        ..TpmEvidence::default()
    }
}

/// Intel's collateral, as JSON.
fn collateral(yaml: &str) -> String {
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

fn of_jwk(key: &Value) -> PublicKey {
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap());
    let point = [vec![4], coordinate("x").unwrap(), coordinate("y").unwrap()].concat();
    EcKey::from_point(&point).unwrap().into()
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
