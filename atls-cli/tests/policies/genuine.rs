//! Policies of genuine samples accept the very samples, and nothing with another value.

use atls_cca::CcaKeys;
use atls_cca::PsaKeys;
use atls_cca::PublicKey;
use atls_cca::TrustedKey;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaToken;
use atls_formats::psa::EcKey;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::SnpEvidence;
use atls_tpm::AttestationKey;
use atls_tpm::TpmKeys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use super::made::EXPLAIN;
use super::made::each_line_is_a_demand;
use super::made::made_of;
use super::samples::collateral;
use super::samples::guest;
use super::samples::td;
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

fn of_jwk(key: &Value) -> PublicKey {
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap());
    let point = [vec![4], coordinate("x").unwrap(), coordinate("y").unwrap()].concat();
    EcKey::from_point(&point).unwrap().into()
}
