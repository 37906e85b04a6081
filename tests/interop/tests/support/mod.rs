//! Whole attested connections with the real Veraison as the verifier.
#![allow(
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, and each file uses a part of it"
)]

use std::sync::Arc;
use std::sync::Mutex;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Ear;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::Resilient;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest;
use atls_sim::Profile;
use atls_sim::SimAttester;
use atls_sim::SoftwareComponent;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use http::Method;
use http::Request;
use http::Response;
use interop::Veraison;
use test_support::Connection;

pub fn verifier(veraison: &Veraison) -> RemoteVerifierBuilder<VeraisonService> {
    verifier_over(veraison, veraison.service())
}

/// The same, over this client of the service.
pub fn verifier_over(
    veraison: &Veraison,
    service: VeraisonService,
) -> RemoteVerifierBuilder<VeraisonService> {
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    RemoteVerifier::builder(service, Arc::new(keys), &demo::provider())
        .format(PsaToken::any_profile())
}

/// Asks the real Veraison, and accepts that devices are simulated.
pub fn lenient(verifier: RemoteVerifierBuilder<VeraisonService>) -> Arc<RelyingParty> {
    let simulated = StandardPolicy::new().dangerous_accept_simulated();
    built(strict(verifier).standard_policy(simulated))
}

/// As strict as the standard policy.
pub fn strict(verifier: RemoteVerifierBuilder<VeraisonService>) -> RelyingPartyBuilder {
    RelyingParty::builder().verifier(Arc::new(verifier.build().unwrap()))
}

pub fn built(builder: RelyingPartyBuilder) -> Arc<RelyingParty> {
    Arc::new(builder.build().unwrap())
}

/// A device, and a Veraison that knows it and the software that it should run.
pub async fn endorsed(veraison: &Veraison) -> SimAttester {
    let device = device();
    endorse(veraison, &device).await;
    device
}

/// It speaks the only profile that released services read.
pub fn device() -> SimAttester {
    SimAttester::generate()
        .unwrap()
        .with_profile(Profile::Predecessor)
}

pub async fn endorse(veraison: &Veraison, device: &SimAttester) {
    let known = [SoftwareComponent::new("ARoT", SimAttester::SOFTWARE)];
    let corim = interop::corim_of(&device.trust_anchor(), &known);
    veraison.provision(&corim, interop::PROFILE).await;
}

/// The answer that a client gets from a server on these terms: `/` says what the server knows of the client.
pub async fn exchange(
    terms: ServerTerms,
    client: impl FnOnce(atls_reqwest::AttestedBuilder) -> atls_reqwest::AttestedBuilder,
) -> Result<(reqwest::Response, Attested), atls_reqwest::Error> {
    let authority = Authority::new().unwrap();
    let acceptor = ServerAcceptor::new(authority.server().unwrap(), terms).unwrap();
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor)
        .await
        .unwrap();
    let port = listener.local_addr().port();
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

/// Keeps what becomes of each appraisal.
pub struct Observed {
    verifier: RemoteVerifier<VeraisonService>,
    seen: Mutex<Option<Result<Ear, AppraisalError>>>,
}

impl Observed {
    pub fn new(verifier: RemoteVerifierBuilder<VeraisonService>) -> Arc<Self> {
        Arc::new(Self {
            verifier: verifier.build().unwrap(),
            seen: Mutex::default(),
        })
    }

    /// A relying party that asks it, and accepts that devices are simulated.
    pub fn lenient(self: &Arc<Self>) -> Arc<RelyingParty> {
        let simulated = StandardPolicy::new().dangerous_accept_simulated();
        let relying_party = RelyingParty::builder().verifier(self.clone());
        built(relying_party.standard_policy(simulated))
    }

    /// The result of the last appraisal.
    pub fn seen(&self) -> Result<Ear, AppraisalError> {
        self.seen.lock().unwrap().clone().unwrap()
    }
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
            let outcome = self.verifier.appraise(evidence, now).await;
            let seen = outcome.as_ref().map(|appraised| appraised.ear().clone());
            *self.seen.lock().unwrap() = Some(seen.map_err(Clone::clone));
            outcome
        })
    }
}

/// Kills the service when it has opened a session and is about to get the Evidence.
struct Murderous {
    victim: Arc<Veraison>,
    http: Resilient,
}

/// Asks a service that is killed during each appraisal.
pub fn verifier_of_the_dying(veraison: Veraison) -> RemoteVerifierBuilder<VeraisonService> {
    let victim = Arc::new(veraison);
    let http = interop::http();
    let murderous = Murderous {
        victim: victim.clone(),
        http,
    };
    verifier_over(&victim, victim.service_over(Arc::new(murderous)))
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

/// Presents Evidence of another connection, again and again.
pub struct Replaying(Cmw, MediaType);

impl Replaying {
    pub async fn of(device: &SimAttester) -> Self {
        let elsewhere = Connection::new();
        let evidence = device.attest(elsewhere.to_attest()).await.unwrap();
        Self(evidence, device.media_types()[0].clone())
    }
}

impl Attester for Replaying {
    fn media_types(&self) -> &[MediaType] {
        std::slice::from_ref(&self.1)
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}
