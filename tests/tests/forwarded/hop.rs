//! A gateway, the service behind it, and the keys of its statements.

use std::convert::Infallible;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Label;
use atls_core::combine::CompositeAttester;
use atls_core::ear::EarSigner;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_sim::SimVerifier;
use atls_tower::AttestationLayer;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::ForwardedBody;
use atls_tower::forward::HEADER;
use atls_tower::forward::ResultForwarder;
use atls_tower::forward::ResultReceiver;
use axum::body::Body;
use axum::body::Bytes;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::World;
use http::HeaderMap;
use http::HeaderValue;
use http::Request;
use http::Response;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::ServerName;
use tower::Layer;
use tower::ServiceExt;
use tower::service_fn;

/// A gateway whose client attested, and the keys of its statements to `orders`.
pub(crate) struct Hop {
    pub(crate) world: World,
    client: Arc<dyn Attester>,
    clients: Arc<RelyingParty>,
    key: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Hop {
    pub(crate) fn new() -> Self {
        Self::appraising(|verifier| verifier)
    }

    /// With the result of a service.
    pub(crate) fn with_token(token: &[u8]) -> Self {
        let token = token.to_vec();
        Self::appraising(|verifier| Tokened { verifier, token })
    }

    /// Appraises its client by a verifier that is made of the simulator's.
    pub(crate) fn appraising<V: Verifier + 'static>(of: impl FnOnce(SimVerifier) -> V) -> Self {
        let world = World::new();
        let device = world.client_device.clone();
        let verifier = of(SimVerifier::new(device.trust_anchor()));
        Self::about(world, device, Arc::new(verifier))
    }

    /// Two devices attest its client, each of which a service appraised with this result.
    pub(crate) fn of_two_devices(token: &[u8]) -> Self {
        let world = World::new();
        let (one, other) = (world.client_device.clone(), world.server_device.clone());
        let verifier = SimVerifier::new(one.trust_anchor());
        let verifier = verifier.with_trust_anchor(other.trust_anchor());
        let token = token.to_vec();
        let members: [(Label, Arc<dyn Attester>); 2] =
            [("one".into(), one), ("other".into(), other)];
        let client = Arc::new(CompositeAttester::of(members));
        Self::about(world, client, Arc::new(Tokened { verifier, token }))
    }

    fn about(world: World, client: Arc<dyn Attester>, verifier: Arc<dyn Verifier>) -> Self {
        let accepts = StandardPolicy::new().accept_warning();
        let clients = RelyingParty::builder()
            .verifier(verifier)
            .standard_policy(accepts.dangerous_accept_simulated());
        let random = ring::rand::SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
        Self {
            world,
            client,
            clients: Arc::new(clients.build().unwrap()),
            key,
            pkcs8: pkcs8.as_ref().to_vec(),
        }
    }

    /// Its point, uncompressed.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// ECDSA over this message, as `r ‖ s`.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = ring::rand::SystemRandom::new();
        let signature = self.key.sign(&random, message).unwrap();
        signature.as_ref().to_vec()
    }

    pub(crate) fn keys(&self) -> VerificationKeys {
        let point = &self.key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(32);
        let jwk = serde_json::json!({
            "kty": "EC",
            "crv": "P-256",
            "x": BASE64_URL_SAFE_NO_PAD.encode(x),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        });
        VerificationKeys::from_jwk(&jwk.to_string()).unwrap()
    }

    pub(crate) fn forwarder(&self) -> ResultForwarder {
        let provider = demo::provider();
        let key = PrivatePkcs8KeyDer::from(self.pkcs8.clone());
        let key = provider.key_provider.load_private_key(key.into()).unwrap();
        let signer = EarSigner::new(&*key).unwrap();
        let forwarder = ResultForwarder::new(signer, &provider, "gateway", "orders");
        forwarder.with_clock(self.world.clock.clone())
    }

    /// A statement of this gateway, signed by it, that says `to` where the given JWT says `from`.
    pub(crate) fn restated(&self, statement: &HeaderValue, from: &str, to: &str) -> HeaderMap {
        let claims = claims(statement);
        assert!(claims.contains(from), "{claims}");
        self.claiming(statement, &claims.replace(from, to))
    }

    /// A statement of this gateway, signed by it, with these claims in place of those of the given JWT.
    pub(crate) fn claiming(&self, statement: &HeaderValue, claims: &str) -> HeaderMap {
        let (header, _) = statement.to_str().unwrap().split_once('.').unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
        let signed = format!("{header}.{claims}");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        let value = HeaderValue::try_from(format!("{signed}.{signature}")).unwrap();
        HeaderMap::from_iter([(HEADER, value)])
    }

    pub(crate) fn receiver(&self) -> ResultReceiver {
        let receiver = ResultReceiver::new(self.keys(), &demo::provider(), "gateway", "orders");
        receiver
            .with_clock(self.world.clock.clone())
            .dangerous_accept_simulated()
    }

    /// The headers of a request of an attested client.
    pub(crate) async fn headers(&self, forwarder: ResultForwarder) -> HeaderMap {
        let request = Request::get("/").body(Body::empty()).unwrap();
        self.through(forwarder, request).await
    }
}

impl Hop {
    pub(crate) async fn through(
        &self,
        forwarder: ResultForwarder,
        request: Request<Body>,
    ) -> HeaderMap {
        Self::over(self.connection().await, forwarder, request).await
    }

    /// The headers that reach the service behind.
    pub(crate) async fn over(
        connection: AttestationLayer,
        forwarder: ResultForwarder,
        request: Request<Body>,
    ) -> HeaderMap {
        let response = Self::answer(connection, forwarder, request).await;
        assert_eq!(response.status(), 200);
        response.headers().clone()
    }

    /// The answer of a service behind that sends back the headers that reach it.
    pub(crate) async fn answer(
        connection: AttestationLayer,
        forwarder: ResultForwarder,
        request: Request<Body>,
    ) -> Response<Bytes> {
        let behind = service_fn(async |request: Request<ForwardedBody<Body>>| {
            let mut response = Response::new(Bytes::new());
            *response.headers_mut() = request.headers().clone();
            Ok::<_, Infallible>(response)
        });
        let service = ForwardResultLayer::new(Arc::new(forwarder)).layer(behind);
        connection.layer(service).oneshot(request).await.unwrap()
    }

    /// The layer of a connection whose client attested.
    pub(crate) async fn connection(&self) -> AttestationLayer {
        let terms = ServerTerms::new().require_peer(self.clients.clone());
        let acceptor = ServerAcceptor::new(self.world.server_tls(), terms).unwrap();
        let terms = ClientTerms::new()
            .attester(self.client.clone())
            .dangerous_accept_unattested_servers();
        let connector = ClientConnector::new(self.world.client_tls(&[]), terms).unwrap();
        let (client, server) = tokio::io::duplex(64 * 1024);
        let name = ServerName::try_from("localhost").unwrap();
        let (connected, accepted) =
            tokio::join!(connector.connect(name, client), acceptor.accept(server));
        connected.unwrap();
        accepted.unwrap().layer()
    }
}

/// The claims of a statement as JWT.
pub(crate) fn claims(statement: &HeaderValue) -> String {
    let claims = statement.to_str().unwrap().split('.').nth(1).unwrap();
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// A verifier whose results came from a service, with this token.
struct Tokened {
    verifier: SimVerifier,
    token: Vec<u8>,
}

impl Verifier for Tokened {
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
            Ok(appraised.with_token(&self.token))
        })
    }
}
