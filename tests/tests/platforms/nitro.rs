//! AWS Nitro Enclaves.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Refusal;
use atls_core::ear::Tier;
use atls_nitro::NitroAttester;
use atls_nitro::NitroClaims;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_nitro::testing::ForgedNsm;
use atls_reference::Format;
use atls_reference::Live;
use end_to_end::World;
use rustls::time_provider::TimeProvider;

use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::on_a_thread;
use crate::support::request;
use crate::support::request_accepting_warnings;

#[tokio::test]
async fn an_enclave_attests_a_server() {
    let forger = forger();
    let peer = request(device(&forger), verifier(&forger, policy())).await;
    let peer = peer.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<NitroClaims>().is_ok());
    assert_eq!(kinds(&peer), ["nitro.module_id"]);
}

#[tokio::test]
async fn one_of_another_maker_is_refused() {
    let (ours, theirs) = (forger(), forger());
    let outcome = request(device(&theirs), verifier(&ours, policy())).await;
    let expected = Refusal::Appraisal(AppraisalError::UnknownKey);
    assert_eq!(outcome.unwrap_err().refusal(), Some(&expected));
}

#[tokio::test]
async fn one_in_debug_mode_is_refused() {
    let forger = forger();
    let debugged = || with_pcrs(&forger, &[(0, 0), (1, 0), (2, 0)]);
    let outcome = request(debugged(), verifier(&forger, policy())).await;
    assert_status(outcome, Tier::Contraindicated);

    let mut tolerant = policy();
    tolerant.allow_debug = true;
    // Allowed, it is a warning still.
    let outcome = request(debugged(), verifier(&forger, tolerant.clone())).await;
    assert_status(outcome, Tier::Warning);
    let peer = request_accepting_warnings(debugged(), verifier(&forger, tolerant)).await;
    let peer = peer.unwrap();
    assert_eq!(peer.status(), Tier::Warning);
    assert!(peer.claims::<NitroClaims>().unwrap().is_debug());
}

#[tokio::test]
async fn one_that_runs_something_unknown_is_refused() {
    let forger = forger();
    for register in [0, 1, 2] {
        let other = with_pcrs(&forger, &[(register, 0xee)]);
        let outcome = request(other, verifier(&forger, policy())).await;
        assert_status(outcome, Tier::Contraindicated);
    }
}

#[tokio::test]
async fn a_refusal_tells_file_and_line_of_the_policy() {
    let forger = forger();
    let known = "ee".repeat(48);
    let text = format!("version = 1\n\n[[nitro.image]]\nname = 'web 1.4'\npcr0 = '{known}'\n");
    let policy = Live::of_text("policy.toml", text, Format::Toml).unwrap();
    let verifier = NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy));
    let refused = request(device(&forger), verifier).await.unwrap_err();
    let report = refused.report().to_string();
    assert!(report.contains("(policy.toml, line 3)"), "{report}");
    let account = refused.refusal().unwrap().explain().to_string();
    assert!(account.contains("(policy.toml, line 3)"), "{account}");
}

#[tokio::test]
async fn a_known_image_in_an_unknown_place_is_refused() {
    let forger = forger();
    let mut image = ForgedNitro::image();
    image.pcr4 = Some([0xee; 48].into());
    let verifier = verifier(&forger, NitroPolicy::new(vec![image]));
    let outcome = request(device(&forger), verifier).await;
    assert_status(outcome, Tier::Contraindicated);
}

#[tokio::test]
async fn a_document_of_another_connection_is_refused() {
    let forger = forger();
    is_bound_to_its_connection(device(&forger), verifier(&forger, policy())).await;
}

#[tokio::test]
async fn a_document_is_shared_by_a_batch() {
    let forger = forger();
    is_shared_by_a_batch(device(&forger), verifier(&forger, policy())).await;
}

#[tokio::test]
async fn a_forged_one_is_simulated() {
    let forger = forger();
    is_simulated(device(&forger), verifier(&forger, policy())).await;
}

fn forger() -> Arc<ForgedNitro> {
    Arc::new(ForgedNitro::new(World::new().clock.current_time().unwrap()))
}

fn policy() -> NitroPolicy {
    NitroPolicy::new(vec![ForgedNitro::image()])
}

fn verifier(forger: &ForgedNitro, policy: NitroPolicy) -> NitroVerifier {
    let policy = Live::fixed(policy).unwrap();
    NitroVerifier::dangerous_with_root(forger.root(), Arc::new(policy))
}

fn device(forger: &Arc<ForgedNitro>) -> Arc<dyn Attester> {
    on_a_thread(NitroAttester::over(ForgedNitro::device(forger)).unwrap())
}

/// An enclave whose registers hold these bytes, 48 times each, and for the rest the forger's.
fn with_pcrs(forger: &Arc<ForgedNitro>, registers: &[(u8, u8)]) -> Arc<dyn Attester> {
    let filled =
        |device: ForgedNsm, (index, byte): &(u8, u8)| device.with_pcr(*index, [*byte; 48].into());
    let device = registers.iter().fold(ForgedNitro::device(forger), filled);
    on_a_thread(NitroAttester::over(device).unwrap())
}
