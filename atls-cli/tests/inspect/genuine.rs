//! Samples of real machines and services.

use crate::support;
use crate::support::World;

#[test]
fn genuine_samples_are_recognised() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    for (file, name) in [
        ("tdx/v4-td10-dcapqvl.quote", "TDX quote"),
        ("tdx/v5-td15ex-dcapqvl.quote", "TDX quote"),
        ("sgx/v3-dcapqvl.quote", "SGX quote"),
        ("snp/genoa-v5-vcek.report", "SEV-SNP attestation report"),
        ("snp/milan-v3-vlek-aws.report", "SEV-SNP attestation report"),
        ("snp/genoa-v5-vcek.vek.der", "X.509 certificate"),
        ("snp/ask_ark_genoa.pem", "PEM file"),
        (
            "nitro/eu-central-1-2025-01-06.cose",
            "AWS Nitro attestation document",
        ),
        ("psa/psa-2_0_0_sign1.bin", "PSA attestation token"),
        ("psa/psa-iot-1_sign1.bin", "PSA attestation token"),
        ("cca/cca-token-01.cbor", "Arm CCA token"),
        ("ear/veraison-psa-affirming.ear.jwt", "EAR (JWT)"),
        ("ear/trustee-snp-genoa-affirming.ear.jwt", "EAR (JWT)"),
        ("corim/corim-psa-valid.cbor", "CoRIM"),
        ("corim/sevsnp-tsm-report.cbor", "report of configfs-tsm"),
        ("tpm/swtpm-quote.tpms_attest", "TPMS_ATTEST"),
        ("ra-tls/gramine-cert.pem", "X.509 certificate"),
    ] {
        let path = folder.join(file);
        let told = world
            .atls(&["inspect", path.to_str().unwrap()])
            .ends_with(0)
            .out();
        assert!(told.starts_with(name), "{file}: {told}");
    }
}

#[test]
fn genuine_evidence_and_results_verify() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let collateral = path("tdx/v4-td10-dcapqvl.collateral.json");
    let quote = path("tdx/v4-td10-dcapqvl.quote");
    let verify = [
        "inspect",
        &quote,
        "--verify",
        "--collateral",
        &collateral,
        "--at",
        "AT",
    ];
    let ran = world
        .atls(&verify.map(|word| if word == "AT" { WHEN } else { word }))
        .ends_with(0);
    assert!(
        ran.out().contains("signatures verify up to the root"),
        "{}",
        ran.out()
    );
    let late = verify.map(|word| {
        if word == "AT" {
            "2040-01-01T00:00:00Z"
        } else {
            word
        }
    });
    assert_ne!(world.atls(&late).code(), 0);

    let result = path("ear/veraison-psa-affirming.ear.jwt");
    let key = path("ear/veraison-ear-verification-key.jwk");
    world
        .atls(&["inspect", &result, "--verify", "--key", &key])
        .ends_with(0);
    let other = path("ear/trustee-jwks.json");
    world
        .atls(&["inspect", &result, "--verify", "--key", &other])
        .ends_with(2);
    let ran = world.atls(&["inspect", &result, "--verify"]).ends_with(1);
    assert!(ran.error().contains("--key FILE"), "{}", ran.error());
}

/// When the collateral of the sample was in force.
const WHEN: &str = "2025-07-01T00:00:00Z";

#[test]
fn evidence_in_certificates_is_shown_whoever_wrapped_it() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    for (file, name) in [
        ("gramine-cert.pem", "quote of Gramine"),
        ("intel-sgxsdk-cert.pem", "quote of the Intel SGX SDK"),
        ("rats-tls-cert.pem", "tag 60000"),
    ] {
        let path = folder.join("ra-tls").join(file);
        let told = world
            .atls(&["inspect", path.to_str().unwrap()])
            .ends_with(0)
            .out();
        for line in [name, "SGX quote", "MRENCLAVE"] {
            assert!(told.contains(line), "{file}, {line}: {told}");
        }
    }
}

#[test]
fn a_corim_is_shown_field_by_field() {
    let Some(folder) = support::vectors() else {
        return;
    };
    let world = World::new();
    let path = folder.join("corim/corim-cca-platform-valid.cbor");
    let told = world
        .atls(&["inspect", path.to_str().unwrap()])
        .ends_with(0)
        .out();
    for line in [
        "class-id  0000",
        "mkey  cca.software-component",
        "cryptokeys  5378",
        "mask  010203",
        "attest-key-triple",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}
