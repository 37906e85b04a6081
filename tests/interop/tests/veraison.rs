//! Whole attested connections with the real Veraison as the verifier, and what it says about bad Evidence.
//!
//! Its clock is the real one, so everybody's is.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::Mutex;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::HttpClient;
use atls_core::HttpError;
use atls_core::HttpLimits;
use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_passport::PassportAttester;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::Lifecycle;
use atls_sim::Profile;
use atls_sim::SimAttester;
use atls_sim::SoftwareComponent;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_veraison::PsaToken;
use atls_veraison::Service;
use atls_veraison::VeraisonIssuer;
use atls_veraison::VeraisonVerifier;
use atls_veraison::VeraisonVerifierBuilder;
use atls_veraison::Wrapping;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use http::Method;
use http::Request;
use http::Response;
use interop::Veraison;

fn verifier(veraison: &Veraison) -> VeraisonVerifierBuilder {
    verifier_over(veraison, veraison.service())
}

fn verifier_over(veraison: &Veraison, service: Service) -> VeraisonVerifierBuilder {
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    VeraisonVerifier::builder(service, keys, &demo::provider()).format(PsaToken::any_profile())
}

/// Asks the real Veraison, and accepts that devices are simulated.
fn lenient(verifier: VeraisonVerifierBuilder) -> Arc<RelyingParty> {
    let simulated = StandardPolicy::new().dangerous_accept_simulated();
    built(strict(verifier).standard_policy(simulated))
}

fn strict(verifier: VeraisonVerifierBuilder) -> RelyingPartyBuilder {
    RelyingParty::builder().verifier(Arc::new(verifier.build().unwrap()))
}

fn built(builder: RelyingPartyBuilder) -> Arc<RelyingParty> {
    Arc::new(builder.build().unwrap())
}

/// A device, and a Veraison that was told about it and about the software that it should run.
async fn endorsed(veraison: &Veraison) -> SimAttester {
    let device = device();
    endorse(veraison, &device).await;
    device
}

/// It speaks the only profile that released services read.
fn device() -> SimAttester {
    SimAttester::generate()
        .unwrap()
        .with_profile(Profile::Predecessor)
}

async fn endorse(veraison: &Veraison, device: &SimAttester) {
    let known = [SoftwareComponent::new("ARoT", SimAttester::SOFTWARE)];
    let corim = interop::corim_of(&device.trust_anchor(), &known);
    veraison.provision(&corim, interop::PROFILE).await;
}

/// What a client gets from a server on these terms: `/` says what the server knows of the client.
async fn exchange(
    terms: ServerTerms,
    client: impl FnOnce(atls_reqwest::AttestedBuilder) -> atls_reqwest::AttestedBuilder,
) -> Result<(reqwest::Response, Attested), atls_reqwest::Error> {
    let authority = Authority::new().unwrap();
    let acceptor = ServerAcceptor::new(authority.server().unwrap(), terms).unwrap();
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor)
        .await
        .unwrap();
    let port = axum::serve::Listener::local_addr(&listener).unwrap().port();
    let peer = async |peer: Option<AttestationResult>| {
        peer.map_or_else(|| "unattested".to_owned(), |peer| peer.status().to_string())
    };
    let app = Router::new().route("/", get(peer));
    tokio::spawn(async move { axum::serve(listener, app.into_attested_make_service()).await });
    let attested = client(Attested::builder(demo::provider()).roots(authority.roots().unwrap()));
    let attested = attested.build().unwrap();
    let client = reqwest::Client::builder()
        .attested(&attested)
        .build()
        .unwrap();
    match client
        .get(format!("https://localhost:{port}/"))
        .send()
        .await
    {
        Ok(response) => Ok((response, attested)),
        Err(error) => {
            assert!(error.is_connect(), "HTTP had begun: {error:?}");
            Err(atls_reqwest::Error::of(&error).unwrap().clone())
        }
    }
}

/// Why a client that decides by this relying party refuses that server.
async fn refusal(device: SimAttester, relying_party: Arc<RelyingParty>) -> Refusal {
    let terms = ServerTerms::new().attester(Arc::new(device));
    let error = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap_err();
    error.in_exchange().unwrap().refusal().unwrap().clone()
}

#[tokio::test]
async fn a_server_attests_and_veraison_affirms() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let terms = ServerTerms::new().attester(Arc::new(endorsed(&veraison).await));
    let relying_party = lenient(verifier(&veraison));
    let (response, attested) = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    let ear = peer.items()[0].ear();
    assert_eq!(ear.verifier().developer(), "Veraison Project");
    assert_eq!(ear.submod("PSA_IOT").unwrap().status(), Tier::Affirming);
}

#[tokio::test]
async fn a_client_attests_and_veraison_affirms() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = Arc::new(endorsed(&veraison).await);
    let terms = ServerTerms::new().require_peer(lenient(verifier(&veraison)));
    let (response, _) = exchange(terms, |client| client.attester(device))
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_and_veraison_affirms_both() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let (one, other) = (endorsed(&veraison).await, endorsed(&veraison).await);
    let relying_party = lenient(verifier(&veraison));
    let terms = ServerTerms::new()
        .attester(Arc::new(one))
        .require_peer(relying_party.clone());
    let client = |client: atls_reqwest::AttestedBuilder| {
        client.require_peer(relying_party).attester(Arc::new(other))
    };
    let (response, _) = exchange(terms, client).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
}

/// The server fetches its own result for each connection, and the client asks nobody.
#[tokio::test]
async fn a_server_presents_the_result_that_veraison_issued_for_this_connection() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = Arc::new(endorsed(&veraison).await);
    let issuer = VeraisonIssuer::new(verifier(&veraison).build().unwrap()).unwrap();
    let terms =
        ServerTerms::new().attester(Arc::new(PassportAttester::new(device, Arc::new(issuer))));
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let trusted = TrustedIssuer::veraison(Arc::new(keys)).scheme(Scheme::psa_iot("policy:PSA_IOT"));
    let passports = PassportVerifier::builder(&demo::provider()).issuer(trusted);
    let simulated = StandardPolicy::new().dangerous_accept_simulated();
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(passports.build().unwrap()))
        .standard_policy(simulated);
    let relying_party = built(relying_party);
    let (response, attested) = exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.binding(), Binding::Connection);
}

#[tokio::test]
async fn evidence_in_a_cmw_is_affirmed_too() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    for wrapping in [Wrapping::CmwCbor, Wrapping::CmwJson] {
        let terms = ServerTerms::new().attester(Arc::new(endorsed(&veraison).await));
        let relying_party = lenient(verifier(&veraison).wrapping(wrapping));
        exchange(terms, |client| client.require_peer(relying_party))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_simulator_that_veraison_affirms_does_not_satisfy_the_standard_policy() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let refused = refusal(device, built(strict(verifier(&veraison)))).await;
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
}

#[tokio::test]
async fn unknown_software_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let device = device.with_software(vec![SoftwareComponent::new("ARoT", [0xbd; 32])]);
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(
        refused,
        Refusal::Policy(PolicyViolation::Status(Tier::Warning))
    );
}

#[tokio::test]
async fn an_unknown_device_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    endorsed(&veraison).await;
    let unknown = device();
    let refused = refusal(unknown, lenient(verifier(&veraison))).await;
    assert_eq!(
        refused,
        Refusal::Policy(PolicyViolation::Status(Tier::Contraindicated))
    );
}

#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_refused_although_veraison_affirms_it() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison)
        .await
        .with_lifecycle(Lifecycle::Other(0x4000));
    let observed = Arc::new(Observed {
        verifier: verifier(&veraison).build().unwrap(),
        seen: Mutex::default(),
    });
    let simulated = StandardPolicy::new().dangerous_accept_simulated();
    let relying_party = RelyingParty::builder().verifier(observed.clone());
    let refused = refusal(device, built(relying_party.standard_policy(simulated))).await;
    let ear = observed.seen.lock().unwrap().clone().unwrap();
    assert_eq!(ear.submod("PSA_IOT").unwrap().status(), Tier::Affirming);
    assert_eq!(
        refused,
        Refusal::Policy(PolicyViolation::Status(Tier::Contraindicated))
    );
}

#[tokio::test]
async fn a_result_under_another_key_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let Some(other) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let mistaken = verifier_over(&other, veraison.service());
    let refused = refusal(device, lenient(mistaken)).await;
    assert_eq!(refused, Refusal::BadResult(Fault::Verifier));
}

#[tokio::test]
async fn the_key_that_it_tells_is_the_one_that_it_signs_with() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let discovery = veraison.service().discover().await.unwrap();
    assert!(discovery.is_ready());
    let wanted = verifier(&veraison).build().unwrap();
    assert!(discovery.media_types().contains(&wanted.media_types()[0]));
    let keys = discovery.keys(discovery.key_fingerprint()).unwrap();
    let discovered = VeraisonVerifier::builder(veraison.service(), keys, &demo::provider());
    let relying_party = lenient(discovered.format(PsaToken::any_profile()));
    let terms = ServerTerms::new().attester(Arc::new(device));
    exchange(terms, |client| client.require_peer(relying_party))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_veraison_that_is_down_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    veraison.kill();
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(
        (refused.fault(), refused),
        (
            Fault::Verifier,
            Refusal::Appraisal(AppraisalError::Unreachable)
        )
    );
}

#[tokio::test]
async fn a_veraison_whose_trusted_part_is_down_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    veraison.kill_trusted_services();
    let refused = refusal(device, lenient(verifier(&veraison))).await;
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::Unreachable));
}

#[tokio::test]
async fn a_veraison_that_is_killed_during_an_appraisal_accepts_nobody() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await;
    let veraison = Arc::new(veraison);
    let murderous = Murderous {
        victim: veraison.clone(),
        http: interop::http(),
    };
    let service = veraison.service_over(Arc::new(murderous));
    let refused = refusal(device, lenient(verifier_over(&veraison, service))).await;
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::Unreachable));
}

/// The standard's own profile is among the media types that the released services list.
#[tokio::test]
async fn a_token_of_the_profile_that_veraison_cannot_read_is_refused() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let device = endorsed(&veraison).await.with_profile(Profile::Tfm);
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let verifier = VeraisonVerifier::builder(veraison.service(), keys, &demo::provider());
    let refused = refusal(device, lenient(verifier.format(PsaToken::tfm()))).await;
    assert_eq!(
        refused,
        Refusal::Policy(PolicyViolation::Status(Tier::Contraindicated))
    );
}

/// Keeps the result that it passes on.
struct Observed {
    verifier: VeraisonVerifier,
    seen: Mutex<Option<Ear>>,
}

impl Verifier for Observed {
    fn media_types(&self) -> &[MediaType] {
        self.verifier.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let appraised = self.verifier.appraise(evidence, now).await?;
            *self.seen.lock().unwrap() = Some(appraised.ear().clone());
            Ok(appraised)
        })
    }
}

/// Kills the service when it has opened a session and is about to get the Evidence.
struct Murderous {
    victim: Arc<Veraison>,
    http: atls_http::ReqwestClient,
}

impl HttpClient for Murderous {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        let opens = request.uri().path().ends_with("newSession");
        if request.method() == Method::POST && !opens {
            self.victim.kill();
        }
        self.http.send(request, limits)
    }
}
