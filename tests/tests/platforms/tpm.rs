//! TPM 2.0, over `swtpm`. Where there is none, that is said; `ATLS_REQUIRE_SWTPM=1` makes it a failure.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::ear::Tier;
use atls_reference::Live;
use atls_reqwest::ResponseExt;
use atls_tower::Error;
use atls_tower::ServerTerms;
use atls_tpm::HashAlgorithm;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::PcrSelection;
use atls_tpm::PcrSet;
use atls_tpm::Swtpm;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::SwtpmProcess;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use rustls::crypto::ring::default_provider;

use crate::support::assert_declined;
use crate::support::assert_status;
use crate::support::is_bound_to_its_connection;
use crate::support::is_shared_by_a_batch;
use crate::support::is_simulated;
use crate::support::kinds;
use crate::support::on_a_thread;

#[tokio::test]
async fn both_ends_attest_by_a_tpm_each() {
    let (Some(server), Some(client)) = (booted(), booted()) else {
        return;
    };
    let world = World::new();
    let terms = ServerTerms::new().attester(device(&server));
    let served = world.serve(terms.require_peer(about(&client))).await;
    let attested = world
        .client()
        .require_peer(about(&server))
        .attester(device(&client))
        .build()
        .unwrap();
    let url = served.url("/peer");
    let response = reqwest_client(&attested).get(url).send().await.unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.claims::<TpmClaims>().unwrap().key, "swtpm");
    assert_eq!(kinds(&peer), ["tpm.ak"]);
    assert_eq!(response.text().await.unwrap(), "affirming");
}

#[tokio::test]
async fn what_is_measured_between_two_connections_refuses_the_second() {
    let Some(tpm) = booted() else { return };
    let service = Service::of(device(&tpm)).await;
    assert_eq!(
        service.request(&tpm).await.unwrap().status(),
        Tier::Affirming
    );
    measure(&tpm, b"malware");
    assert_status(service.request(&tpm).await, Tier::Contraindicated);
}

#[tokio::test]
async fn a_reset_between_two_connections_refuses_until_all_is_measured_again() {
    let Some(tpm) = booted() else { return };
    let service = Service::of(device(&tpm)).await;
    let before = service.request(&tpm).await.unwrap();
    tpm.reset().unwrap();
    assert_status(service.request(&tpm).await, Tier::Contraindicated);
    measure(&tpm, KERNEL);
    let after = service.request(&tpm).await.unwrap();
    let resets = |peer: &PeerAttestation| peer.claims::<TpmClaims>().unwrap().clock.reset_count;
    assert_eq!(resets(&after), resets(&before) + 1);
}

#[tokio::test]
async fn a_quote_of_another_connection_is_refused() {
    let Some(tpm) = booted() else { return };
    is_bound_to_its_connection(device(&tpm), verifier(&tpm)).await;
}

#[tokio::test]
async fn a_quote_is_shared_by_a_batch() {
    let Some(tpm) = booted() else { return };
    is_shared_by_a_batch(device(&tpm), verifier(&tpm)).await;
}

#[tokio::test]
async fn the_key_of_another_tpm_is_refused() {
    let (Some(ours), Some(theirs)) = (booted(), booted()) else {
        return;
    };
    let service = Service::of(device(&theirs)).await;
    let refused = service.request(&ours).await.unwrap_err();
    let expected = Refusal::Appraisal(AppraisalError::UnknownKey);
    assert_eq!(refused.refusal(), Some(&expected));
}

#[tokio::test]
async fn another_bank_than_that_of_the_policy_is_refused() {
    let Some(tpm) = booted() else { return };
    let bank = HashAlgorithm::Sha384;
    let pcrs = PcrSet::of([4]).unwrap();
    let attester = attester(tpm.device()).with_registers([PcrSelection { bank, pcrs }]);
    let service = Service::of(on_a_thread(attester.unwrap())).await;
    assert_status(service.request(&tpm).await, Tier::Contraindicated);
}

#[tokio::test]
async fn a_tpm_that_stops_in_a_quote_is_a_local_error_and_serves_again() {
    let Some(tpm) = booted() else { return };
    // More than it takes where it does not stop, and less than a connection has.
    let deadline = Duration::from_secs(5);
    let attester = attester(tpm.device().with_deadline(deadline));
    let device = Arc::new(Remembering {
        device: on_a_thread(attester),
        errors: Mutex::default(),
    });
    let service = Service::of(device.clone()).await;
    assert!(service.request(&tpm).await.is_ok());
    let known = about(&tpm);
    tpm.pause().unwrap();
    assert_declined(service.request_of(known.clone()).await);
    assert_eq!(*device.errors.lock().unwrap(), [AttestError::TimedOut]);
    tpm.resume().unwrap();
    assert!(service.request_of(known).await.is_ok());
}

#[tokio::test]
async fn a_tpm_in_software_is_simulated() {
    let Some(tpm) = booted() else { return };
    is_simulated(device(&tpm), verifier(&tpm)).await;
}

/// A server that goes on while its TPM does not.
struct Service {
    world: World,
    served: Served,
}

impl Service {
    async fn of(device: Arc<dyn Attester>) -> Self {
        let world = World::new();
        let served = world.serve(ServerTerms::new().attester(device)).await;
        Self { world, served }
    }

    /// On a new connection, by a client that knows this TPM.
    async fn request(&self, known: &SwtpmProcess) -> Result<Arc<PeerAttestation>, Error> {
        self.request_of(about(known)).await
    }

    async fn request_of(&self, party: Arc<RelyingParty>) -> Result<Arc<PeerAttestation>, Error> {
        let attested = self.world.client().require_peer(party).build().unwrap();
        let url = self.served.url("/");
        match reqwest_client(&attested).get(url).send().await {
            Ok(response) => Ok(response.attestation(&attested).unwrap()),
            Err(error) => Err(exchange_error(&error)),
        }
    }
}

/// Keeps what the device says, which no peer hears of.
struct Remembering {
    device: Arc<dyn Attester>,
    errors: Mutex<Vec<AttestError>>,
}

impl Attester for Remembering {
    fn media_types(&self) -> &[MediaType] {
        self.device.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let outcome = self.device.attest(request).await;
            let error = outcome.as_ref().err().cloned();
            self.errors.lock().unwrap().extend(error);
            outcome
        })
    }
}

/// A TPM of a machine that was booted with the kernel that everybody knows.
fn booted() -> Option<SwtpmProcess> {
    let tpm = swtpm()?;
    measure(&tpm, KERNEL);
    Some(tpm)
}

/// A TPM in which nothing was measured yet.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn swtpm() -> Option<SwtpmProcess> {
    match SwtpmProcess::start() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let required = std::env::var_os("ATLS_REQUIRE_SWTPM").is_some();
            assert!(!required, "no swtpm on this machine");
            println!("SKIPPED: no swtpm on this machine");
            None
        }
        started => Some(started.unwrap()),
    }
}

fn measure(tpm: &SwtpmProcess, bytes: &[u8]) {
    tpm.measure(4, HashAlgorithm::Sha256, bytes).unwrap();
}

fn device(tpm: &SwtpmProcess) -> Arc<dyn Attester> {
    on_a_thread(attester(tpm.device()))
}

fn attester(device: Swtpm) -> TpmAttester {
    TpmAttester::over(device).unwrap()
}

fn about(tpm: &SwtpmProcess) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new().dangerous_accept_simulated();
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier(tpm)))
        .standard_policy(policy);
    Arc::new(party.build().unwrap())
}

fn verifier(tpm: &SwtpmProcess) -> TpmVerifier {
    let key = attester(tpm.device()).attestation_key().unwrap();
    let keys = TpmKeys::new(vec![TrustedKey::provided("swtpm", key)]);
    let bank = HashAlgorithm::Sha256;
    let value = bank.digest(&[&[0; 32], &bank.digest(&[KERNEL])]);
    let register = (PcrIndex::new(4).unwrap(), Measurement::new(&value).unwrap());
    let policy = TpmPolicy::new(vec![TpmImage::measured("kernel", [register])]);
    let (keys, policy) = (Live::fixed(keys).unwrap(), Live::fixed(policy).unwrap());
    TpmVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), &default_provider())
}

const KERNEL: &[u8] = b"kernel";
