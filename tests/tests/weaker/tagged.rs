//! DICE tagged evidence, the interoperable RA-TLS format: forged TDX and SGX machines present it, the platforms' own
//! verifiers appraise it.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::StandardPolicy;
use atls_core::ear::Tier;
use atls_core::exchange::Credential;
use atls_core::exchange::certificate;
use atls_core::exchange::certificate::Format;
use atls_core::exchange::certificate::FormatError;
use atls_core::session::Handshake;
use atls_core::session::Side;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tdx::SgxClaims;
use atls_tdx::TdxAttester;
use atls_tdx::TdxClaims;
use atls_tower::AttestedHttps;
use atls_tower::Blocking;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::Mode;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use axum::http::Uri;
use end_to_end::DcapDevice;
use end_to_end::Served;
use end_to_end::Tee;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::CertificateDer;

use crate::lifetime::FailingDevice;
use crate::lifetime::State;
use crate::support::LIFETIME;
use crate::support::accept_one;
use crate::support::asking_tls;
use crate::support::attesting_plainly;
use crate::support::client_tls;
use crate::support::expecting;
use crate::support::profile;
use crate::support::server_tls;
use crate::support::tls;

pub(crate) const TEES: [Tee; 2] = [Tee::Sgx, Tee::Tdx];
const FORMATS: [Format; 2] = [Format::Cmw, Format::TaggedEvidence];

async fn identity(world: &World, device: Arc<dyn Attester>, format: Format) -> Arc<InCertificate> {
    InCertificate::new(device, tls(world), profile().format(format))
        .await
        .unwrap()
}

async fn serve(world: &World, device: &Arc<DcapDevice>, format: Format) -> Served {
    let identity = identity(world, device.clone(), format).await;
    world
        .serve_with(ServerTerms::plain(), server_tls(world, identity))
        .await
}

/// The peer's verifier saw the very report data that the format demands: half of it is zeros.
fn was_fixed_by(format: Format, peer: &PeerAttestation) -> bool {
    let tdx = peer.claims::<TdxClaims>();
    let sgx = peer.claims::<SgxClaims>();
    let report_data = tdx
        .map(|claims| claims.report.report_data)
        .or_else(|_| sgx.map(|claims| claims.report.report_data))
        .unwrap();
    (report_data[32..] == [0; 32]) == (format == Format::TaggedEvidence)
}

#[tokio::test]
async fn reqwest_accepts_servers_in_either_format_over_either_http() {
    let world = World::new();
    for tee in TEES {
        let device = Arc::new(DcapDevice::new(&world, tee));
        for format in FORMATS {
            let server = serve(&world, &device, format).await;
            for http in [Http::One, Http::Two] {
                let party = device.weakly_trusted();
                let attested = expecting(&world, Mode::InCertificate, party, http);
                let asked = reqwest_client(&attested).get(server.url("/")).send();
                let peer = asked.await.unwrap().attestation(&attested).unwrap();
                assert_eq!(peer.binding(), Binding::Key);
                assert_eq!(peer.status(), Tier::Affirming);
                assert!(was_fixed_by(format, &peer), "{tee:?} {format:?}");
            }
            assert_eq!(server.hits(), 2);
        }
    }
}

/// The attester of the platform, over a forged kernel.
#[tokio::test]
async fn the_tdx_attester_quotes_what_the_format_fixes() {
    let world = World::new();
    let forged = Arc::new(DcapDevice::new(&world, Tee::Tdx));
    let party = forged.weakly_trusted();
    let kernel = FakeConfigFs::new(Provider::TdxGuest, move |inblob| Forged {
        outblob: forged.quote(inblob.try_into().unwrap()),
        auxblob: Vec::new(),
    });
    let device = TdxAttester::over(Tsm::over(kernel)).unwrap().unwrap();
    let device = Arc::new(Blocking::spawn(device).unwrap());
    for format in FORMATS {
        let identity = identity(&world, device.clone(), format).await;
        let server = world
            .serve_with(ServerTerms::plain(), server_tls(&world, identity))
            .await;
        let attested = expecting(&world, Mode::InCertificate, party.clone(), Http::Two);
        let asked = reqwest_client(&attested).get(server.url("/")).send();
        let peer = asked.await.unwrap().attestation(&attested).unwrap();
        assert_eq!(peer.binding(), Binding::Key);
        assert!(was_fixed_by(format, &peer), "{format:?}");
    }
}

#[tokio::test]
async fn the_hyper_connector_accepts_servers_over_either_http() {
    let world = World::new();
    for tee in TEES {
        let device = Arc::new(DcapDevice::new(&world, tee));
        let server = serve(&world, &device, Format::TaggedEvidence).await;
        for alpn in ["h2", "http/1.1"] {
            let terms = ClientTerms::new()
                .require_peer(device.weakly_trusted())
                .servers_attest(Mode::InCertificate);
            let connector = ClientConnector::new(client_tls(&world, alpn, None), terms).unwrap();
            let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(alpn == "h2")
                .build(AttestedHttps::new(connector));
            let uri: Uri = server.url("/").parse().unwrap();
            let response = client.get(uri.clone()).await.unwrap();
            let peer = ServerAttestation::of(response.extensions(), &uri).unwrap();
            assert_eq!(peer.binding(), Binding::Key);
            assert!(was_fixed_by(Format::TaggedEvidence, peer));
        }
    }
}

#[tokio::test]
async fn an_axum_handler_sees_a_client_and_the_client_its_server() {
    let world = World::new();
    for (of_server, of_client) in [(Tee::Sgx, Tee::Tdx), (Tee::Tdx, Tee::Sgx)] {
        let server_device = Arc::new(DcapDevice::new(&world, of_server));
        let client_device = Arc::new(DcapDevice::new(&world, of_client));
        let format = Format::TaggedEvidence;
        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .require_peer(client_device.weakly_trusted());
        let own = identity(&world, server_device.clone(), format).await;
        let server = world.serve_with(terms, server_tls(&world, own)).await;
        let attested = world
            .client()
            .server_verifier(atls_tower::weaker::dangerous_any_server(&demo::provider()))
            .client_certificate(identity(&world, client_device, format).await)
            .require_peer(server_device.weakly_trusted())
            .servers_attest(Mode::InCertificate)
            .build()
            .unwrap();
        let asked = reqwest_client(&attested).get(server.url("/binding")).send();
        let response = asked.await.unwrap();
        let peer = response.attestation(&attested).unwrap();
        assert!(was_fixed_by(format, &peer));
        let binding = response.text().await.unwrap();
        assert_eq!(binding, Binding::Key.to_string());
    }
}

#[tokio::test]
async fn a_client_attests_that_knows_of_attestation_by_its_certificate_only() {
    let world = World::new();
    for tee in TEES {
        let device = Arc::new(DcapDevice::new(&world, tee));
        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .require_peer(device.weakly_trusted());
        let server = world.serve_with(terms, asking_tls(&world)).await;
        let resolver = identity(&world, device, Format::TaggedEvidence).await;
        let client = attesting_plainly(&world, Some(resolver));
        let response = client.get(server.url("/peer")).send().await.unwrap();
        let status = response.text().await.unwrap();
        assert_eq!(status, Tier::Affirming.to_string());
    }
}

#[tokio::test]
async fn the_default_policy_refuses_it_in_both_directions() {
    let world = World::new();
    let refused = Refusal::Policy(PolicyViolation::Binding(Binding::Key));
    for tee in TEES {
        let device = Arc::new(DcapDevice::new(&world, tee));
        let server = serve(&world, &device, Format::TaggedEvidence).await;
        let strict = device.trusted(StandardPolicy::new());
        let attested = expecting(&world, Mode::InCertificate, strict.clone(), Http::Two);
        let asked = reqwest_client(&attested).get(server.url("/")).send().await;
        let error = exchange_error(&asked.unwrap_err());
        assert_eq!(error.refusal(), Some(&refused));
        assert_eq!(server.hits(), 0);

        let terms = ServerTerms::new()
            .clients_attest(Mode::InCertificate)
            .require_peer(strict);
        let resolver = identity(&world, device, Format::TaggedEvidence).await;
        let error = accept_one(&world, terms, Some(resolver)).await.unwrap_err();
        assert_eq!(error.refusal(), Some(&refused));
    }
}

#[tokio::test]
async fn an_attester_that_does_not_fit_the_format_presents_nothing() {
    let world = World::new();
    let format = profile().format(Format::TaggedEvidence);
    let refused = InCertificate::new(world.server_device.clone(), tls(&world), format).await;
    let error = refused.unwrap_err();
    assert!(error.is_local());
    let source: Option<&AttestError> = error.source().unwrap().downcast_ref();
    assert_eq!(source, Some(&AttestError::Format(FormatError::NoQuote)));
}

#[tokio::test(start_paused = true)]
async fn the_certificate_is_renewed_in_its_format_while_the_device_works() {
    let world = World::new();
    let dcap = Arc::new(DcapDevice::new(&world, Tee::Tdx));
    let device = Arc::new(FailingDevice::into(dcap));
    let identity = identity(&world, device.clone(), Format::TaggedEvidence).await;
    let leaf = || {
        let current = ResolvesClientCert::resolve(&*identity, &[], &[])?;
        Some(current.end_entity_cert().unwrap().clone().into_owned())
    };
    let pass = async |time: Duration| {
        world.clock.advance(time);
        tokio::time::sleep(time + Duration::from_millis(1)).await;
    };
    let first = leaf().unwrap();
    pass(LIFETIME / 2).await;
    let second = leaf().unwrap();
    let (of_first, of_second) = (fixed(&first), fixed(&second));
    assert_ne!(of_first, of_second);
    device.now(State::Fails);
    pass(LIFETIME - Duration::from_secs(10)).await;
    assert_eq!(leaf(), Some(second), "the old one serves to its end");
    pass(Duration::from_secs(10)).await;
    assert_eq!(leaf(), None);
}

/// The report data that a certificate demands of its quote, and that is the one for its key.
fn fixed(leaf: &CertificateDer<'static>) -> [u8; 64] {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().unwrap();
    let seen = Handshake::observed(Side::Client, suite, None, vec![leaf.clone()]).unwrap();
    let credential = Credential::in_certificate(&seen).unwrap();
    let (_, report_data) = certificate::claims_for_key(credential.leaf_key()).unwrap();
    assert_eq!(credential.report_data(), Some(&report_data));
    report_data
}
