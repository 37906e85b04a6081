//! Mutual attestation, and the weaker modes.

use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestationResult;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use axum::Router;
use axum::routing::get;
use rustls::ServerConfig;
use rustls::time_provider::DefaultTimeProvider;

use super::get_of;
use super::hello;
use super::support::World;

#[test]
fn a_server_that_demands_it_learns_what_this_end_is() {
    let world = World::new();
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("own.pem", key.serialize_pem());
    let own = SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    let clients = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(own.trust_anchor())))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()
        .unwrap();
    let terms = ServerTerms::new()
        .attester(Arc::new(world.device("device")))
        .require_peer(Arc::new(clients));
    let app = async |client: AttestationResult| format!("you are {}", client.status());
    let app = Router::new().route("/", get(app));
    let url = world.serve(world.authority.server().unwrap(), terms, app);
    let ran = get_of(&world, &url, &["--attester", "sim=own.pem"]).ends_with(0);
    assert_eq!(ran.out(), "you are affirming");
    let ran = get_of(&world, &url, &[]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
    let ran = get_of(&world, &url, &["--attester", "nitro"]).ends_with(4);
    assert!(ran.error().contains("no such device"), "{}", ran.error());
}

#[test]
fn ra_tls_is_accepted_by_name_alone() {
    let world = World::new();
    let provider = demo::provider();
    let clock = Arc::new(DefaultTimeProvider);
    let profile = CertificateProfile::new(Duration::from_secs(3600)).name("localhost");
    let device = Arc::new(world.device("device"));
    let identity = InCertificate::new(device, (provider.clone(), clock), profile);
    let identity = world.block_on(identity).unwrap();
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(identity);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let url = world.serve(tls, ServerTerms::plain(), hello());
    let weaker = [
        "--dangerous-any-certificate",
        "--mode",
        "dangerous-pre-handshake",
    ];
    let ran = get_of(&world, &url, &weaker).ends_with(0);
    assert!(ran.error().contains("to the key"), "{}", ran.error());
    let ran = get_of(&world, &url, &["--dangerous-any-certificate"]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
}

#[test]
fn evidence_of_the_handshake_is_accepted_by_name_alone() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(Arc::new(world.device("device")))
        .attest_in_handshake();
    let url = world.serve(world.authority.server().unwrap(), terms, hello());
    let any = "--dangerous-any-certificate";
    let weaker = [any, "--mode", "dangerous-intra-handshake"];
    let ran = get_of(&world, &url, &weaker).ends_with(0);
    assert!(ran.error().contains("to the handshake"), "{}", ran.error());
    let ran = get_of(&world, &url, &[any, "--mode", "dangerous-pre-handshake"]);
    assert_ne!(ran.code(), 0, "{}", ran.error());
}
