//! Keys of TPMs that an authority certified, as clouds do it: whose certificate it is, and not that there is one, makes Evidence genuine.

use atls_formats::tpm::Public;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::testing::ForgedTpm;
use rcgen::CertificateParams;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::Issuer;
use rcgen::KeyPair;
use serde_json::json;

use super::support::World;

#[test]
fn a_key_makes_a_policy_by_the_authority_that_is_named_and_no_other() {
    let world = World::new();
    let named = Cloud::new();
    named.is_named(&world);
    write(&world, &certified_by(&named));
    let made = world.atls(&NEW).ends_with(0).out();
    assert!(made.contains("ak-certificate = "), "{made}");
    write(&world, &certified_by(&Cloud::new()));
    let ran = world.atls(&NEW).ends_with(2);
    assert!(ran.error().contains("unknown key"), "{}", ran.error());
}

#[test]
fn a_key_is_inspected_by_the_authority_that_is_named_and_no_other() {
    let world = World::new();
    let named = Cloud::new();
    named.is_named(&world);
    let inspect = ["inspect", "evidence", "--verify"];
    let inspect = [&inspect[..], &["--attestation-keys", "keys.json"]].concat();
    write(&world, &certified_by(&named));
    world.atls(&inspect).ends_with(0);
    write(&world, &certified_by(&Cloud::new()));
    let ran = world.atls(&inspect).ends_with(2);
    assert!(ran.error().contains("unknown key"), "{}", ran.error());
}

/// An authority with a root of its own.
struct Cloud {
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Cloud {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Self {
            root,
            issuer: Issuer::new(params, key),
        }
    }

    fn is_named(&self, world: &World) {
        let authority = json!([{ "name": "cloud", "root": self.root }]);
        let keys = json!({ "version": 1, "tpm-keys": { "authority": authority } });
        world.write("keys.json", keys.to_string());
    }

    fn certify(&self, public: &Public) -> Vec<u8> {
        let mut params = CertificateParams::default();
        // `tcg-kp-AIKCertificate`
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 3])];
        let key = Point(public.subject_public_key().unwrap());
        let certificate = params.signed_by(&key, &self.issuer);
        certificate.unwrap().der().to_vec()
    }
}

struct Point(Vec<u8>);

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn certified_by(cloud: &Cloud) -> TpmEvidence {
    let tpm = ForgedTpm::new();
    TpmEvidence {
        ak_certificates: Some(cloud.certify(&tpm.public)),
        ..tpm.evidence(&[7; 32])
    }
}

fn write(world: &World, evidence: &TpmEvidence) {
    world.write("evidence", evidence.clone().encode().unwrap());
}

const NEW: [&str; 6] = [
    "policy",
    "new",
    "--from",
    "evidence",
    "--attestation-keys",
    "keys.json",
];
