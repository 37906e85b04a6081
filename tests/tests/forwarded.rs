//! An attestation that travels to a service behind, and everybody who would forge, steal or stretch one.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::ForwardedAttestation;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::ear::EarError;
use atls_core::ear::EarSigner;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::limits::MAX_KEPT_TOKEN;
use atls_core::pki_types::UnixTime;
use atls_sim::SimVerifier;
use atls_tower::AttestationLayer;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultForwarder;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::StatementForm;
use atls_tower::forward::VERIFIER_HEADER;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::World;
use http::HeaderMap;
use http::HeaderValue;
use http::Request;
use http::Response;
use http_body_util::BodyExt;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::ServerName;
use tower::Layer;
use tower::ServiceExt;
use tower::service_fn;

#[tokio::test]
async fn a_backend_learns_of_an_attested_client_and_in_both_forms() {
    for form in [StatementForm::Jwt, StatementForm::Cwt] {
        let hop = Hop::new();
        let sent = hop.headers(hop.forwarder().with_form(form)).await;
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.status(), Tier::Affirming);
        assert_eq!(result.binding(), Binding::Connection);
        assert_eq!(result.ear().verifier().developer(), "atls-tower");
        let part = result.ear().submod("sim").unwrap();
        assert_eq!(part.extension("atls_origin").unwrap(), "simulated");
        assert!(!result.is_of_devices());
    }
}

#[tokio::test]
async fn a_client_cannot_bring_a_header_of_its_own() {
    let hop = Hop::new();
    let stolen = hop.headers(hop.forwarder()).await[&HEADER].clone();
    let layer = ForwardResultLayer::new(Arc::new(hop.forwarder()));
    let echo =
        layer.layer(Router::new().route("/", get(async |headers: HeaderMap| names(&headers))));
    let unattested = AttestationLayer::unattested().layer(echo);
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for name in [
        "atls-ear",
        "atls_ear",
        "Atls.Ear",
        "atls-verifier-ear",
        "atls_verifier_ear",
    ] {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, stolen.clone());
    }
    let response = unattested.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "");
}

#[tokio::test]
async fn an_attested_client_cannot_add_a_second_header() {
    let hop = Hop::new();
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    request
        .headers_mut()
        .insert(HEADER, HeaderValue::from_static("forged"));
    let sent = hop.through(hop.forwarder(), request).await;
    assert_eq!(sent.get_all(HEADER).iter().count(), 1);
    assert!(hop.receiver().receive(&sent).is_ok());
}

#[tokio::test]
async fn a_header_is_good_for_one_service_of_one_sender_for_a_time() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let receive = |receiver: ResultReceiver| receiver.receive(&sent).map(|_| ());
    assert_eq!(receive(hop.receiver()), Ok(()));
    let of = |issuer: &str, audience: &str| {
        let receiver = ResultReceiver::new(hop.keys(), &demo::provider(), issuer, audience);
        receiver
            .with_clock(hop.world.clock.clone())
            .dangerous_accept_simulated()
    };
    assert_eq!(
        receive(of("gateway", "billing")),
        Err(EarError::Audience.into())
    );
    assert_eq!(receive(of("other", "orders")), Err(EarError::Issuer.into()));
    let other = Hop::new();
    assert_eq!(
        receive(other.receiver()),
        Err(EarError::BadSignature.into())
    );
    hop.world.clock.advance(Duration::from_secs(59));
    assert_eq!(receive(hop.receiver()), Ok(()));
    hop.world.clock.advance(Duration::from_secs(1));
    assert_eq!(receive(hop.receiver()), Err(EarError::Expired.into()));
}

#[tokio::test]
async fn a_receiver_has_an_age_of_its_own_and_a_sender_cannot_exceed_the_longest_life() {
    let hop = Hop::new();
    let day = Duration::from_secs(24 * 3600);
    let sent = hop.headers(hop.forwarder().with_lifetime(day)).await;
    hop.world.clock.advance(ResultReceiver::DEFAULT_MAX_AGE);
    let receive = |receiver: ResultReceiver| receiver.receive(&sent).map(|_| ());
    assert_eq!(receive(hop.receiver()), Err(EarError::Expired.into()));
    let patient = || hop.receiver().with_max_age(day);
    assert_eq!(receive(patient()), Ok(()));
    hop.world
        .clock
        .advance(ResultForwarder::MAX_LIFETIME - ResultReceiver::DEFAULT_MAX_AGE);
    assert_eq!(receive(patient()), Err(EarError::Expired.into()));
}

#[tokio::test]
async fn a_header_does_not_outlive_the_attestation() {
    let hop = Hop::new();
    let layer = hop.connection().await;
    hop.world.clock.advance(Duration::from_secs(3600 - 10));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let sent = Hop::over(layer, hop.forwarder(), request).await;
    assert!(hop.receiver().receive(&sent).is_ok());
    hop.world.clock.advance(Duration::from_secs(10));
    let late = hop.receiver().receive(&sent).map(|_| ());
    assert_eq!(late, Err(EarError::Expired.into()));
}

#[tokio::test]
async fn a_header_is_used_once_where_that_is_demanded() {
    let hop = Hop::new();
    let receiver = hop.receiver().once(2);
    let first = hop.headers(hop.forwarder()).await;
    let second = hop.headers(hop.forwarder()).await;
    let third = hop.headers(hop.forwarder()).await;
    let receive = |sent: &HeaderMap| receiver.receive(sent).map(|_| ());
    assert_eq!(receive(&first), Ok(()));
    assert_eq!(receive(&first), Err(ReceiveError::Used));
    assert_eq!(receive(&second), Ok(()));
    assert_eq!(
        receive(&third),
        Err(ReceiveError::Full),
        "none is forgotten for another"
    );
    hop.world.clock.advance(Duration::from_secs(121));
    assert_eq!(
        receive(&hop.headers(hop.forwarder()).await),
        Ok(()),
        "room again"
    );
}

#[tokio::test]
async fn a_peer_that_proves_little_is_not_accepted_by_default() {
    let hop = Hop::new();
    let sent = hop.headers(hop.forwarder()).await;
    let strict = ResultReceiver::new(hop.keys(), &demo::provider(), "gateway", "orders");
    let strict = strict.with_clock(hop.world.clock.clone());
    let received = strict.receive(&sent).map(|_| ());
    assert_eq!(received, Err(ReceiveError::Insufficient));
}

#[tokio::test]
async fn every_flipped_character_of_a_header_is_refused() {
    let hop = Hop::new();
    for form in [StatementForm::Jwt, StatementForm::Cwt] {
        let sent = hop.headers(hop.forwarder().with_form(form)).await;
        let value = sent[&HEADER].to_str().unwrap().to_owned();
        for index in 0..value.len() {
            let mut altered = value.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(&altered).unwrap());
            assert!(
                hop.receiver().receive(&headers).is_err(),
                "{form:?} {index}"
            );
        }
    }
}

#[tokio::test]
async fn hostile_values_are_refused() {
    let hop = Hop::new();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let huge = "a".repeat(1024 * 1024);
    for value in [
        "",
        ".",
        "..",
        "a.b.c",
        &format!("{none}.e30."),
        &huge,
        "\t",
        "0oRDoQEm",
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
        assert!(hop.receiver().receive(&headers).is_err(), "{:.20}", value);
    }
    let nobody = hop.receiver().receive(&HeaderMap::new()).map(|_| ());
    assert_eq!(nobody, Err(ReceiveError::Absent));
    let mut twice = hop.headers(hop.forwarder()).await;
    let again = twice[&HEADER].clone();
    twice.append(HEADER, again);
    let received = hop.receiver().receive(&twice).map(|_| ());
    assert_eq!(received, Err(ReceiveError::Ambiguous));
}

#[tokio::test]
async fn the_result_of_a_verifier_travels_beside_and_cannot_be_exchanged() {
    for token in [&b"head.claims.signature"[..], &[0xd2, 0x84, b'.', 0xff]] {
        let hop = Hop::with_token(token);
        let silent = hop.headers(hop.forwarder()).await;
        assert!(
            !silent.contains_key(VERIFIER_HEADER),
            "only where that is asked for"
        );
        let mut sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
        let result = hop.receiver().receive(&sent).unwrap();
        assert_eq!(result.verifier_tokens().collect::<Vec<_>>(), [token]);
        for other in ["other.claims.signature", "b3RoZXI", ""] {
            sent.insert(VERIFIER_HEADER, HeaderValue::from_str(other).unwrap());
            let received = hop.receiver().receive(&sent).map(|_| ());
            assert_eq!(received, Err(ReceiveError::OtherToken), "{other}");
        }
    }
}

#[tokio::test]
async fn a_huge_result_of_a_verifier_is_not_kept_with_its_connection() {
    for (size, kept) in [(MAX_KEPT_TOKEN, 1), (MAX_KEPT_TOKEN + 1, 0)] {
        let token = [b"a.", "b".repeat(size - 2).as_bytes()].concat();
        let hop = Hop::with_token(&token);
        let sent = hop.headers(hop.forwarder().with_verifier_tokens()).await;
        assert_eq!(sent.get_all(VERIFIER_HEADER).iter().count(), kept, "{size}");
        assert!(hop.receiver().receive(&sent).is_ok());
    }
}

#[tokio::test]
async fn a_handler_is_called_for_accepted_statements_alone() {
    let hop = Hop::new();
    let receiver = Arc::new(hop.receiver());
    let app = Router::new()
        .route(
            "/",
            get(async |client: ForwardedAttestation| client.status().to_string()),
        )
        .route(
            "/option",
            get(async |client: Option<ForwardedAttestation>| client.is_some().to_string()),
        )
        .with_state(receiver);
    let good = hop.headers(hop.forwarder()).await[&HEADER].clone();
    let forged = HeaderValue::from_static("a.b.c");
    for (path, value, expected) in [
        ("/", Some(&good), (200, "affirming")),
        ("/", Some(&forged), (403, "attestation-unverified")),
        ("/", None, (403, "attestation-required")),
        ("/option", Some(&good), (200, "true")),
        ("/option", Some(&forged), (403, "attestation-unverified")),
        ("/option", None, (200, "false")),
    ] {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request
            .headers_mut()
            .extend(value.map(|value| (HEADER, value.clone())));
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, expected.0, "{path} {value:?}");
        assert!(body.contains(expected.1), "{path}: {body}");
    }
}

/// A gateway whose client attested, and the keys of its statements to `orders`.
struct Hop {
    world: World,
    clients: Arc<RelyingParty>,
    key: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Hop {
    fn new() -> Self {
        Self::about(World::new(), None)
    }

    /// With the result of a service.
    fn with_token(token: &[u8]) -> Self {
        Self::about(World::new(), Some(token.to_vec()))
    }

    fn about(world: World, token: Option<Vec<u8>>) -> Self {
        let verifier = SimVerifier::new(world.client_device.trust_anchor());
        let clients = RelyingParty::builder()
            .verifier(Arc::new(Tokened { verifier, token }))
            .standard_policy(atls_core::StandardPolicy::new().dangerous_accept_simulated());
        let random = ring::rand::SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
        Self {
            world,
            clients: Arc::new(clients.build().unwrap()),
            key,
            pkcs8: pkcs8.as_ref().to_vec(),
        }
    }

    fn keys(&self) -> VerificationKeys {
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

    fn forwarder(&self) -> ResultForwarder {
        let provider = demo::provider();
        let key = PrivatePkcs8KeyDer::from(self.pkcs8.clone());
        let key = provider.key_provider.load_private_key(key.into()).unwrap();
        let signer = EarSigner::new(&*key).unwrap();
        let forwarder = ResultForwarder::new(signer, &provider, "gateway", "orders");
        forwarder.with_clock(self.world.clock.clone())
    }

    fn receiver(&self) -> ResultReceiver {
        let receiver = ResultReceiver::new(self.keys(), &demo::provider(), "gateway", "orders");
        receiver
            .with_clock(self.world.clock.clone())
            .dangerous_accept_simulated()
    }

    /// The headers of a request of an attested client.
    async fn headers(&self, forwarder: ResultForwarder) -> HeaderMap {
        let request = Request::get("/").body(Body::empty()).unwrap();
        self.through(forwarder, request).await
    }
}

impl Hop {
    async fn through(&self, forwarder: ResultForwarder, request: Request<Body>) -> HeaderMap {
        Self::over(self.connection().await, forwarder, request).await
    }

    /// The headers that reach the service behind.
    async fn over(
        connection: AttestationLayer,
        forwarder: ResultForwarder,
        request: Request<Body>,
    ) -> HeaderMap {
        let behind = service_fn(async |request: Request<Body>| {
            let mut response = Response::new(Bytes::new());
            *response.headers_mut() = request.headers().clone();
            Ok::<_, Infallible>(response)
        });
        let service = ForwardResultLayer::new(Arc::new(forwarder)).layer(behind);
        let response = connection.layer(service).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.headers().clone()
    }

    /// The layer of a connection whose client attested.
    async fn connection(&self) -> AttestationLayer {
        let terms = ServerTerms::new().require_peer(self.clients.clone());
        let acceptor = ServerAcceptor::new(self.world.server_tls(), terms).unwrap();
        let terms = ClientTerms::new()
            .attester(self.world.client_device.clone())
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

/// A verifier whose results came from a service, with this token.
struct Tokened {
    verifier: SimVerifier,
    token: Option<Vec<u8>>,
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
            Ok(match &self.token {
                Some(token) => appraised.with_token(token),
                None => appraised,
            })
        })
    }
}

fn names(headers: &HeaderMap) -> String {
    let names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.join(" ")
}
