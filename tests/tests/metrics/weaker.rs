//! The numbers of Evidence that is made for certificates.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::Binding;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use end_to_end::World;
use end_to_end::weak;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::recorded::Recorded;

const ATTESTATION: &str = r#"stage="attestation""#;

#[tokio::test]
async fn evidence_of_a_certificate_counts_in_its_stage_each_time_that_it_is_made() {
    let recorded = Recorded::begin();
    let world = World::new();
    let clock: Arc<dyn TimeProvider> = world.clock.clone();
    let profile = || CertificateProfile::new(Duration::from_secs(600));
    for made in [1.0, 2.0] {
        let device = world.server_device.clone();
        let tls = (demo::provider(), clock.clone());
        InCertificate::new(device, tls, profile()).await.unwrap();
        let count = recorded.value("atls_stage_seconds_count", &[ATTESTATION]);
        assert_eq!(count, made);
    }
}

/// The server works in a task of this thread too, and makes no Evidence.
#[tokio::test]
async fn evidence_of_a_client_in_its_handshake_counts_in_its_stage() {
    let recorded = Recorded::begin();
    let world = World::new();
    let device = SimAttester::generate().unwrap();
    let terms = ServerTerms::plain()
        .clients_attest(Mode::InHandshake)
        .require_peer(weak(&device, Binding::Handshake));
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let identity = InHandshake::new(Box::new(device), demo::provider(), world.clock.clone());
    let mut tls = world.client_tls(&["h2"]);
    tls.client_auth_cert_resolver = Arc::new(identity.unwrap());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await;
    let (far, _) = listener.accept().await.unwrap();
    let client = async {
        let mut link = Link::connect(Arc::new(tls), near.unwrap(), None)
            .await
            .unwrap();
        end_to_end::http2::begin(&mut link.tls).await.unwrap();
        link
    };
    let (_link, accepted) = tokio::join!(client, acceptor.accept(far));
    assert!(accepted.unwrap().peer().is_some());
    let count = recorded.value("atls_stage_seconds_count", &[ATTESTATION]);
    assert_eq!(count, 1.0);
}
