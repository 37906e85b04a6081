//! Composites whose items carry the value of the connection each by itself: a simulated device and a TPM, and two simulated devices.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::CompositeAttester;
use atls_core::ear::Tier;
use atls_core::policy::Composition;
use atls_core::policy::ExpectedItem;
use atls_reference::Live;
use atls_reqwest::ResponseExt;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_tower::Batcher;
use atls_tower::Error;
use atls_tower::ServerTerms;
use atls_tpm::HashAlgorithm;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::SwtpmProcess;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use rustls::crypto::ring::default_provider;

use crate::support::on_a_thread;
use crate::tpm::swtpm;

#[tokio::test]
async fn a_device_and_a_tpm_attest_a_server_together() {
    let Some(machine) = Machine::booted() else {
        return;
    };
    let peer = machine.request(machine.both(), machine.policy()).await;
    let peer = peer.unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert!(peer.claims::<SimClaims>().is_ok());
    let tpm = peer.claims::<TpmClaims>().unwrap();
    assert_eq!(tpm.key, "swtpm");
    // Each carries the value by itself, so nothing says that they are of one machine.
    assert!(peer.items().iter().all(|item| item.chained_to().is_none()));
    let labels: Vec<_> = peer.items().iter().map(|item| item.label()).collect();
    // In the order of deterministic CBOR.
    assert_eq!(labels, ["tpm", "device"]);
}

#[tokio::test]
async fn they_share_a_batch() {
    let Some(machine) = Machine::booted() else {
        return;
    };
    let batcher = Batcher::builder(machine.both()).spawn().unwrap();
    let peer = machine.request(Arc::new(batcher), machine.policy()).await;
    assert_eq!(peer.unwrap().items().len(), 2);
}

#[tokio::test]
async fn each_must_be_there() {
    let Some(machine) = Machine::booted() else {
        return;
    };
    let device: Arc<dyn Attester> = machine.device.clone();
    let outcome = machine.request(device, machine.policy()).await;
    assert!(matches!(
        violation(outcome),
        PolicyViolation::ExtraItem(_) | PolicyViolation::MissingItem(_)
    ));
    let device: Arc<dyn Attester> = machine.device.clone();
    let labelled = CompositeAttester::of([("device".into(), device)]);
    let outcome = machine.request(Arc::new(labelled), machine.policy()).await;
    let missing = ExpectedItem::new(machine.tpm_type()).labelled("tpm");
    let PolicyViolation::MissingItem(bad) = violation(outcome) else {
        panic!("not missing");
    };
    assert_eq!(bad.item(), &missing);
}

#[tokio::test]
async fn one_too_many_is_refused_unless_it_is_allowed() {
    let Some(machine) = Machine::booted() else {
        return;
    };
    let three = || {
        let device = || -> Arc<dyn Attester> { machine.device.clone() };
        let members = [
            ("device".into(), device()),
            ("tpm".into(), machine.tpm_attester()),
            ("again".into(), device()),
        ];
        Arc::new(CompositeAttester::of(members))
    };
    let sim = machine.device.media_types()[0].clone();
    let outcome = machine.request(three(), machine.policy()).await;
    let PolicyViolation::ExtraItem(bad) = violation(outcome) else {
        panic!("not too many");
    };
    let again = ExpectedItem::new(sim.clone()).labelled("again");
    assert_eq!(bad.item(), &again);
    assert_eq!(bad.seen().len(), 3);
    let allowing = machine.policy().allow(ExpectedItem::new(sim));
    let peer = machine.request(three(), allowing).await.unwrap();
    assert_eq!(peer.items().len(), 3);
    // Two devices' claims of one type are ambiguous, and none is guessed.
    assert!(peer.claims::<SimClaims>().is_err());
}

/// One honest item does not carry another one along.
#[tokio::test]
async fn an_item_of_another_connection_refuses_the_whole() {
    let Some(machine) = Machine::booted() else {
        return;
    };
    for replayed in ["device", "tpm"] {
        let recorded = Recorded {
            inner: machine.both(),
            label: replayed,
            first: std::sync::Mutex::default(),
        };
        let recorded: Arc<dyn Attester> = Arc::new(recorded);
        let first = machine.request(recorded.clone(), machine.policy()).await;
        assert!(first.is_ok(), "{replayed}");
        let second = machine.request(recorded, machine.policy()).await;
        let expected = Refusal::Appraisal(AppraisalError::NotBound);
        assert_eq!(second.unwrap_err().refusal(), Some(&expected), "{replayed}");
    }
}

#[tokio::test]
async fn two_devices_of_one_kind_are_told_apart_by_their_labels() {
    let devices = [(); 2].map(|()| Arc::new(SimAttester::generate().unwrap()));
    let sim = devices[0].media_types()[0].clone();
    let [keys, payments] = devices
        .each_ref()
        .map(|device| -> Arc<dyn Attester> { device.clone() });
    let both = CompositeAttester::of([("keys".into(), keys), ("payments".into(), payments)]);
    let [one, other] = devices.map(|device| device.trust_anchor());
    let verifier = SimVerifier::new(one).with_trust_anchor(other);
    let both = Arc::new(both);
    for (labels, accepted) in [(["keys", "payments"], true), (["keys", "other"], false)] {
        let expected = labels.map(|label| ExpectedItem::new(sim.clone()).labelled(label));
        let policy = Composition::of(expected);
        let verifiers: Vec<Arc<dyn Verifier>> = vec![Arc::new(verifier.clone())];
        let outcome = ask(both.clone(), verifiers, policy).await;
        assert_eq!(outcome.is_ok(), accepted, "{labels:?}");
    }
}

struct Machine {
    device: Arc<SimAttester>,
    tpm: SwtpmProcess,
}

impl Machine {
    fn booted() -> Option<Self> {
        let tpm = swtpm()?;
        tpm.measure(4, HashAlgorithm::Sha256, b"kernel").unwrap();
        let device = Arc::new(SimAttester::generate().unwrap());
        Some(Self { device, tpm })
    }

    fn both(&self) -> Arc<dyn Attester> {
        let device: Arc<dyn Attester> = self.device.clone();
        let members = [
            ("device".into(), device),
            ("tpm".into(), self.tpm_attester()),
        ];
        Arc::new(CompositeAttester::of(members))
    }

    fn tpm_attester(&self) -> Arc<dyn Attester> {
        on_a_thread(TpmAttester::over(self.tpm.device()).unwrap())
    }

    fn tpm_type(&self) -> MediaType {
        self.tpm_attester().media_types()[0].clone()
    }

    fn policy(&self) -> Composition {
        let sim = self.device.media_types()[0].clone();
        Composition::of([
            ExpectedItem::new(sim).labelled("device"),
            ExpectedItem::new(self.tpm_type()).labelled("tpm"),
        ])
    }

    async fn request(
        &self,
        attester: Arc<dyn Attester>,
        policy: Composition,
    ) -> Result<Arc<PeerAttestation>, Error> {
        let key = TpmAttester::over(self.tpm.device())
            .unwrap()
            .attestation_key();
        let keys = TpmKeys::new(vec![TrustedKey::software("swtpm", key.unwrap())]);
        let kernel = HashAlgorithm::Sha256.digest(&[b"kernel"]);
        let value = HashAlgorithm::Sha256.digest(&[&[0; 32], &kernel]);
        let register = (PcrIndex::new(4).unwrap(), Measurement::new(&value).unwrap());
        let image = TpmImage::measured("booted", [register]);
        let tpm = TpmVerifier::new(
            Arc::new(Live::fixed(TpmPolicy::new(vec![image])).unwrap()),
            Arc::new(Live::fixed(keys).unwrap()),
            &default_provider(),
        );
        let device = SimVerifier::new(self.device.trust_anchor());
        ask(attester, vec![Arc::new(device), Arc::new(tpm)], policy).await
    }
}

async fn ask(
    attester: Arc<dyn Attester>,
    verifiers: Vec<Arc<dyn Verifier>>,
    policy: Composition,
) -> Result<Arc<PeerAttestation>, Error> {
    let world = World::new();
    let server = world.serve(ServerTerms::new().attester(attester)).await;
    let party = verifiers
        .into_iter()
        .fold(RelyingParty::builder(), |party, verifier| {
            party.verifier(verifier)
        })
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .policy(policy);
    let party = Arc::new(party.build().unwrap());
    let attested = world.client().require_peer(party).build().unwrap();
    match reqwest_client(&attested).get(server.url("/")).send().await {
        Ok(response) => Ok(response.attestation(&attested).unwrap()),
        Err(error) => Err(exchange_error(&error)),
    }
}

fn violation(outcome: Result<Arc<PeerAttestation>, Error>) -> PolicyViolation {
    let error = outcome.unwrap_err();
    match error.refusal() {
        Some(Refusal::Policy(violation)) => violation.clone(),
        other => panic!("{other:?}"),
    }
}

/// Presents the item of one label as it was made for the first connection.
struct Recorded {
    inner: Arc<dyn Attester>,
    label: &'static str,
    first: std::sync::Mutex<Option<Cmw>>,
}

impl Attester for Recorded {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(
        &'a self,
        request: atls_core::AttestRequest<'a>,
    ) -> atls_core::BoxFuture<'a, Result<Cmw, atls_core::AttestError>> {
        Box::pin(async move {
            let made = self.inner.attest(request).await?;
            let first = self
                .first
                .lock()
                .unwrap()
                .get_or_insert(made.clone())
                .clone();
            let members = made.items().into_iter().zip(first.items());
            let members = members.map(|(new, old)| {
                let item = if new.label() == self.label {
                    &old
                } else {
                    &new
                };
                let record = Cmw::evidence(item.media_type().unwrap(), item.value().to_vec());
                (new.label().into(), record)
            });
            Ok(Cmw::collection(None, members.collect())?)
        })
    }
}
