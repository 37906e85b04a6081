//! A whole attested HTTPS request for each hardware platform: a forged device behind the real attester, the real verifier
//! with the forger's root.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::LocalAttester;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_nitro::NitroAttester;
use atls_nitro::NitroClaims;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::Forger;
use atls_reference::Live;
use atls_reqwest::ResponseExt;
use atls_snp::SnpClaims;
use atls_snp::testing::ForgedPlatform as ForgedSnp;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxAttester;
use atls_tdx::TdxClaims;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform as ForgedTdx;
use atls_tower::Blocking;
use atls_tower::ServerTerms;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use rustls::time_provider::TimeProvider;

/// A server with this device, and what a client that trusts this verifier gets from it.
async fn request(
    device: impl LocalAttester + 'static,
    verifier: impl Verifier + 'static,
) -> Result<Arc<PeerAttestation>, Refusal> {
    let world = World::new();
    let device = Blocking::spawn(device).unwrap();
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    // The forger's root is nobody's: whoever accepts it says so.
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let party = Arc::new(party.build().unwrap());
    let attested = world.client().require_peer(party).build().unwrap();
    match reqwest_client(&attested).get(server.url("/")).send().await {
        Ok(response) => Ok(response.attestation(&attested).unwrap()),
        Err(error) => {
            assert_eq!(server.hits(), 0);
            Err(exchange_error(&error).refusal().unwrap().clone())
        }
    }
}

#[tokio::test]
async fn sev_snp_attests_a_server() {
    let forged = ForgedSnp::new(atls_snp::Product::Milan).unwrap();
    let verifier = forged.verifier(forged.policy()).unwrap();
    let peer = request(forged.attester().unwrap(), verifier).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<SnpClaims>().is_some());
}

#[tokio::test]
async fn sev_snp_of_another_maker_is_refused() {
    let (ours, theirs) = (
        ForgedSnp::new(atls_snp::Product::Milan).unwrap(),
        ForgedSnp::new(atls_snp::Product::Genoa).unwrap(),
    );
    let verifier = ours.verifier(ours.policy()).unwrap();
    let refused = request(theirs.attester().unwrap(), verifier)
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            Refusal::Appraisal(AppraisalError::UnknownKey | AppraisalError::BadSignature)
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_nitro_enclave_attests_a_server() {
    let now = World::new().clock.current_time().unwrap();
    let forger = Arc::new(Forger::new(now));
    let policy = Live::fixed(NitroPolicy::new(vec![Forger::image()])).unwrap();
    let verifier = NitroVerifier::dangerous_trusting_root(Arc::new(policy), forger.root());
    let device = NitroAttester::with_device(Forger::device(&forger)).unwrap();
    let peer = request(device, verifier).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<NitroClaims>().is_some());
}

#[tokio::test]
async fn tdx_attests_a_server() {
    let now = World::new().clock.current_time().unwrap().as_secs();
    let platform = Arc::new(ForgedTdx::new(now).unwrap());
    let report = platform.td_report();
    let [_, rtmr1, rtmr2, _] = report.rtmr;
    let mut image = TdxImage::new("forged", report.mrtd);
    (image.rtmr1, image.rtmr2) = (Some(rtmr1), Some(rtmr2));
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
    let collateral = SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()]);
    let verifier =
        TdxVerifier::dangerous_with_root(platform.root(), Arc::new(policy), Arc::new(collateral));
    let device = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
        outblob: platform
            .tdx_quote(&report, inblob.try_into().unwrap())
            .unwrap(),
        auxblob: Vec::new(),
    });
    let device = TdxAttester::over(Tsm::over(device)).unwrap().unwrap();
    let peer = request(device, verifier).await.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<TdxClaims>().is_some());
}
