//! Peers that appraise some formats of an end's Evidence and not all.

use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;

/// Evidence of two formats, of which peers of this world appraise the first.
struct Composite {
    inner: Arc<dyn Attester>,
    media_types: [MediaType; 2],
}

impl Composite {
    fn of(inner: Arc<dyn Attester>) -> Arc<Self> {
        let unknown = "application/vnd.example.unknown".parse().unwrap();
        let media_types = [inner.media_types()[0].clone(), unknown];
        Arc::new(Self { inner, media_types })
    }
}

impl Attester for Composite {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let known = self.inner.attest(request).await?;
            let unknown = Cmw::evidence(self.media_types[1].clone(), b"evidence".to_vec());
            let parts = vec![("one".into(), known), ("two".into(), unknown)];
            Ok(Cmw::collection(None, parts)?)
        })
    }
}

#[tokio::test]
async fn a_client_that_appraises_a_part_of_what_is_made_is_declined() {
    let world = World::new();
    let terms = ServerTerms::new().attester(Composite::of(world.server_device.clone()));
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(100_000);
    let connecting = connector.connect("localhost".try_into().unwrap(), near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let declined = client.unwrap_err();
    assert_eq!(declined.protocol(), Some(&ProtocolError::Declined));
    assert!(server.unwrap().peer().is_none());
}

#[tokio::test]
async fn a_server_that_appraises_a_part_of_what_is_made_is_at_fault() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new()
        .require_peer(world.about_servers())
        .attester(Composite::of(world.client_device.clone()));
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(100_000);
    let connecting = connector.connect("localhost".try_into().unwrap(), near);
    let (client, _server) = tokio::join!(connecting, acceptor.accept(far));
    let error = client.unwrap_err();
    assert_eq!(error.protocol(), Some(&ProtocolError::NoCommonFormat));
    assert_eq!(error.fault(), Fault::Peer);
}
