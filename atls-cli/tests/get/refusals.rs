//! Each exit code that says no.

use std::sync::Arc;

use atls_formats::psa::EcKey;
use atls_sim::SoftwareComponent;
use atls_tower::ServerTerms;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use demo::Issued;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;

use super::get_of;
use super::hello;
use super::support::World;

#[test]
fn an_ordinary_server_is_not_attested() {
    let world = World::new();
    world.device("device");
    let ran = get_of(&world, &world.ordinary(), &[]).ends_with(2);
    assert!(ran.error().contains("not attested"), "{}", ran.error());
    assert!(
        ran.error().contains("ordinary HTTPS server"),
        "{}",
        ran.error()
    );
    assert_eq!(ran.out(), "");
}

#[test]
fn a_server_of_an_unknown_device_is_not_attested() {
    let world = World::new();
    let url = world.attested(world.device("other"), hello());
    world.device("device");
    let ran = get_of(&world, &url, &[]).ends_with(2);
    assert!(ran.error().contains("unknown key"), "{}", ran.error());
}

#[test]
fn other_software_is_refused_by_policy() {
    let world = World::new();
    let device = world.device("device");
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [7; 32])]);
    let url = world.attested(device, hello());
    let ran = get_of(&world, &url, &[]).ends_with(3);
    assert!(
        ran.error().contains("sim.software failed"),
        "{}",
        ran.error()
    );
}

#[test]
fn a_dead_port_and_an_untrusted_certificate_are_not_reached() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let ran = get_of(&world, "https://localhost:1/", &[]).ends_with(5);
    assert!(ran.error().contains("not reached"), "{}", ran.error());
    let other = demo::Authority::new().unwrap();
    world.write("ca.pem", other.pem());
    let ran = get_of(&world, &url, &[]).ends_with(5);
    assert!(ran.error().contains("certificate"), "{}", ran.error());
    assert!(ran.error().contains("--ca FILE"), "{}", ran.error());
}

/// `openssl req -x509` makes such a certificate unless it is told not to.
#[test]
fn a_server_with_the_certificate_of_an_authority_is_told_how_to_make_another() {
    let world = World::new();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    world.write("ca.pem", certificate.pem());
    let issued = Issued {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    };
    let terms = ServerTerms::new().attester(Arc::new(world.device("device")));
    let url = world.serve(issued.server().unwrap(), terms, hello());
    let ran = get_of(&world, &url, &[]).ends_with(5);
    assert!(ran.error().contains("CA:FALSE"), "{}", ran.error());
}

#[test]
fn a_name_that_the_certificate_lacks_is_told_as_such() {
    let world = World::new();
    let tls = world.authority.issue_for(&["other.example"]).unwrap();
    let terms = ServerTerms::new().attester(Arc::new(world.device("device")));
    let url = world.serve(tls.server().unwrap(), terms, hello());
    let ran = get_of(&world, &url, &[]).ends_with(5);
    let told = ran.error();
    assert!(told.contains("a name that its certificate has"), "{told}");
}

#[test]
fn a_server_that_refuses_this_end_has_the_reason_in_its_log() {
    let world = World::new();
    let known = demo::trusting(&world.device("known")).unwrap();
    let terms = ServerTerms::new()
        .attester(Arc::new(world.device("device")))
        .require_peer(known);
    let url = world.serve(world.authority.server().unwrap(), terms, hello());
    let key = KeyPair::generate().unwrap();
    world.write("own.der", key.serialize_der());
    let ran = get_of(&world, &url, &["--attester", "sim=own.der"]).ends_with(3);
    let told = ran.error();
    assert!(told.contains("in the log of the server"), "{told}");
}

#[test]
fn a_simulated_device_is_known_by_its_key_in_pem_too() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let point = std::fs::read(world.path("device.key")).unwrap();
    world.write("device.key", pem_of(&point));
    get_of(&world, &url, &[]).ends_with(0);
    world.device("other");
    let point = std::fs::read(world.path("other.key")).unwrap();
    world.write("device.key", pem_of(&point));
    get_of(&world, &url, &[]).ends_with(2);
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    for wrong in [key.public_key_pem(), key.serialize_pem(), String::new()] {
        world.write("device.key", wrong);
        let ran = get_of(&world, &url, &[]).ends_with(1);
        let told = ran.error();
        assert!(told.contains("openssl pkey"), "{told}");
    }
}

fn pem_of(point: &[u8]) -> String {
    let spki = EcKey::from_point(point).unwrap().to_spki();
    let body = BASE64_STANDARD.encode(spki);
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

#[test]
fn a_dead_verifier_is_its_own_fault() {
    let world = World::new();
    let url = world.attested(world.device("device"), hello());
    let jwk = r#"{"kty":"EC","crv":"P-256","alg":"ES256",
        "x":"usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8",
        "y":"IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4"}"#;
    world.write("ear.jwk", jwk);
    let service = "veraison=http://127.0.0.1:1,key=ear.jwk";
    let ran = world.atls(&["get", &url, "--ca", "ca.pem", "--verifier", service]);
    let ran = ran.ends_with(4);
    assert!(
        ran.error().contains("could not be reached"),
        "{}",
        ran.error()
    );
}

#[test]
fn wrong_arguments_are_usage_and_say_what_to_write() {
    let world = World::new();
    world.device("device");
    world.write("policy.toml", "version = 1\n[tdx]\nimage = 3\n");
    world.write("empty.toml", "version = 1\n");
    world.write("no.pem", "nothing");
    let url = "https://localhost:1/";
    let cases: [(&[&str], &str); 10] = [
        (&["get"], "Usage"),
        (&["get", "localhost"], "https://HOST"),
        (&["get", "http://localhost/"], "only https"),
        (&["get", url], "--policy FILE"),
        (&["get", url, "--policy", "policy.toml"], "line 3"),
        (&["get", url, "--policy", "empty.toml"], "atls policy new"),
        (&["get", url, "--policy", "absent.toml"], "absent.toml"),
        (
            &["get", url, "--trust-sim", "device.key", "--ca", "no.pem"],
            "no certificate",
        ),
        (
            &["get", url, "--trust-sim", "device.key", "-H", "bad"],
            "Name: value",
        ),
        (
            &["get", url, "--verifier", "other=https://a"],
            "veraison, trustee",
        ),
    ];
    for (arguments, told) in cases {
        let ran = world.atls(arguments).ends_with(1);
        assert!(ran.error().contains(told), "{arguments:?}: {}", ran.error());
    }
}
