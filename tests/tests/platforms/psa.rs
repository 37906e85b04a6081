//! PSA devices, one of which is the simulator.

use std::sync::Arc;

use atls_cca::KnownComponent;
use atls_cca::Lifecycle;
use atls_cca::Measurement;
use atls_cca::PsaClaims;
use atls_cca::PsaFirmware;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_cca::PsaVerifier;
use atls_cca::TrustedKey;
use atls_cca::testing::ForgedPsa;
use atls_core::Attester;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_formats::psa::EcKey;
use atls_reference::Live;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::SimAttester;
use rustls::crypto::ring::default_provider;

use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::on_a_thread;
use crate::support::request;

#[tokio::test]
async fn a_device_attests_a_server() {
    let forged = ForgedPsa::new();
    let peer = request(device(&forged), verifier(&forged)).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.claims::<PsaClaims>().unwrap().key, "forged");
    assert_eq!(kinds(&peer), ["psa.instance_id"]);
}

#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_refused() {
    let mut forged = ForgedPsa::new();
    forged.device.lifecycle = Lifecycle::from(0x5000);
    let outcome = request(device(&forged), verifier(&forged)).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn a_token_of_another_connection_is_refused() {
    let forged = ForgedPsa::new();
    is_bound_to_its_connection(device(&forged), verifier(&forged)).await;
}

#[tokio::test]
async fn a_forged_device_is_simulated() {
    let forged = ForgedPsa::new();
    is_simulated(device(&forged), verifier(&forged)).await;
}

#[tokio::test]
async fn the_simulator_is_a_device_in_software() {
    let simulator = SimAttester::generate().unwrap();
    let anchor = simulator.trust_anchor();
    let public = EcKey::from_point(anchor.public_key()).unwrap().into();
    let instance_id = anchor.instance_id().try_into().unwrap();
    let key = TrustedKey::new("laptop", IMPLEMENTATION_ID, instance_id, public);
    let keys = Live::fixed(PsaKeys::new(vec![key.in_software()])).unwrap();
    let software = KnownComponent::new(Measurement::new(&SimAttester::SOFTWARE).unwrap());
    let firmware = PsaFirmware::new("simulated", IMPLEMENTATION_ID, vec![software]);
    let policy = Live::fixed(PsaPolicy::new(vec![firmware])).unwrap();
    let verifier = PsaVerifier::new(Arc::new(policy), Arc::new(keys), &default_provider());
    let peer = request(Arc::new(simulator), verifier).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.items()[0].origin(), Origin::Simulated);
}

fn device(forged: &ForgedPsa) -> Arc<dyn Attester> {
    on_a_thread(forged.attester())
}

fn verifier(forged: &ForgedPsa) -> PsaVerifier {
    forged.verifier(&default_provider())
}
