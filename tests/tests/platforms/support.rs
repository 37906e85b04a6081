//! A server with some device, and a client with a verifier of it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_core::policy::instance::InstanceId;
use atls_reqwest::ResponseExt;
use atls_tower::Batcher;
use atls_tower::Blocking;
use atls_tower::Error;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use end_to_end::time::PATIENCE;

/// A device that blocks, on a thread of its own.
pub(crate) fn on_a_thread(device: impl LocalAttester + 'static) -> Arc<dyn Attester> {
    Arc::new(Blocking::spawn(device).unwrap())
}

/// One request, by a client that accepts the forger's root, which is nobody's: what it is given of the server, or why it
/// refuses it.
pub(crate) async fn request(
    device: Arc<dyn Attester>,
    verifier: impl Verifier + 'static,
) -> Result<Arc<PeerAttestation>, Error> {
    let policy = StandardPolicy::new().dangerous_accept_simulated();
    let [outcome] = requests(device, verifier, policy).await;
    outcome
}

/// The same with a policy that accepts warnings too.
pub(crate) async fn request_accepting_warnings(
    device: Arc<dyn Attester>,
    verifier: impl Verifier + 'static,
) -> Result<Arc<PeerAttestation>, Error> {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .accept_warning();
    let [outcome] = requests(device, verifier, policy).await;
    outcome
}

/// The kinds of identity that the peer's one item states.
pub(crate) fn kinds(peer: &PeerAttestation) -> Vec<&'static str> {
    let [item] = peer.items() else {
        panic!("{peer:?}");
    };
    item.instances().iter().map(InstanceId::kind).collect()
}

/// Refused unless a policy says that it takes what anybody can forge.
pub(crate) async fn is_simulated(device: Arc<dyn Attester>, verifier: impl Verifier + 'static) {
    let [outcome] = requests(device, verifier, StandardPolicy::new()).await;
    let expected = Refusal::Policy(PolicyViolation::Simulated);
    assert_eq!(outcome.unwrap_err().refusal(), Some(&expected));
}

/// The first connection is attested to, and gives its Evidence away; the second is given it.
pub(crate) async fn is_bound_to_its_connection(
    device: Arc<dyn Attester>,
    verifier: impl Verifier + 'static,
) {
    let device = Arc::new(Relay {
        device,
        evidence: Mutex::default(),
    });
    let policy = StandardPolicy::new().dangerous_accept_simulated();
    let [first, second] = requests(device, verifier, policy).await;
    assert_eq!(first.unwrap().status(), Tier::Affirming);
    let expected = Refusal::Appraisal(AppraisalError::NotBound);
    assert_eq!(second.unwrap_err().refusal(), Some(&expected));
}

/// Many connections at once, of which all but the first share what the device makes: each is accepted, and the verifier is asked
/// twice.
pub(crate) async fn is_shared_by_a_batch(
    device: Arc<dyn Attester>,
    verifier: impl Verifier + 'static,
) {
    const CONNECTIONS: usize = 6;
    let gate = Gate::new();
    let gated = Gated {
        inner: Arc::new(device),
        gate: gate.clone(),
    };
    let batcher = Batcher::builder(gated).device_deadline(PATIENCE);
    let batcher = batcher.spawn().unwrap();
    let world = World::new();
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(batcher.clone())))
        .await;
    let asked = Arc::new(AtomicUsize::new(0));
    let verifier = Counted(verifier, asked.clone());
    let party = RelyingParty::builder()
        .verifier(Arc::new(Cached::new(verifier)))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let attested = world
        .client()
        .require_peer(Arc::new(party.build().unwrap()));
    let attested = attested.build().unwrap();
    let connect = || tokio::spawn(reqwest_client(&attested).get(server.url("/")).send());
    let mut connections = vec![connect()];
    gate.reached_by(1).await;
    connections.extend((1..CONNECTIONS).map(|_| connect()));
    while batcher.stats().waiting != CONNECTIONS - 1 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for connection in connections {
        let response = connection.await.unwrap().unwrap();
        let peer = response.attestation(&attested).unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
    }
    let stats = batcher.stats();
    assert_eq!((stats.singles, stats.batches), (1, 1));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

/// Appraised, and of a status that the policy does not take.
pub(crate) fn assert_status(outcome: Result<Arc<PeerAttestation>, Error>, status: Tier) {
    let refused = outcome.unwrap_err();
    assert_eq!(refused.refusal().and_then(Refusal::status), Some(status));
}

/// The peer answered, authentically, that it does not attest.
pub(crate) fn assert_declined(outcome: Result<Arc<PeerAttestation>, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.protocol(), Some(&ProtocolError::Declined));
}

/// That many requests to one server, each by a client and on a connection of its own.
async fn requests<const N: usize>(
    device: Arc<dyn Attester>,
    verifier: impl Verifier + 'static,
    policy: StandardPolicy,
) -> [Result<Arc<PeerAttestation>, Error>; N] {
    let world = World::new();
    let server = world.serve(ServerTerms::new().attester(device)).await;
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(policy);
    let party = Arc::new(party.build().unwrap());
    let mut outcomes = Vec::new();
    for _ in 0..N {
        let attested = world.client().require_peer(party.clone()).build().unwrap();
        let before = server.hits();
        let answer = reqwest_client(&attested).get(server.url("/")).send().await;
        let outcome = match answer {
            Ok(response) => Ok(response.attestation(&attested).unwrap()),
            Err(error) => Err(exchange_error(&error)),
        };
        // A client that refuses sends no request.
        assert_eq!(server.hits() - before, usize::from(outcome.is_ok()));
        outcomes.push(outcome);
    }
    outcomes.try_into().unwrap()
}

/// Presents the first Evidence that it was given to everybody after.
struct Relay {
    device: Arc<dyn Attester>,
    evidence: Mutex<Option<Cmw>>,
}

impl Attester for Relay {
    fn media_types(&self) -> &[MediaType] {
        self.device.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let known = self.evidence.lock().unwrap().clone();
        Box::pin(async move {
            match known {
                Some(evidence) => Ok(evidence),
                None => {
                    let evidence = self.device.attest(request).await?;
                    *self.evidence.lock().unwrap() = Some(evidence.clone());
                    Ok(evidence)
                }
            }
        })
    }
}

/// A verifier, and how often it was asked.
struct Counted<V>(V, Arc<AtomicUsize>);

impl<V: Verifier> Verifier for Counted<V> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.appraise(evidence, now)
    }
}
