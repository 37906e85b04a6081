//! ML-DSA leaves, through TLS and authenticator, of both ends.

use std::sync::Arc;

use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::dangerous_any_client;
use end_to_end::World;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;

use crate::certificate::SCHEMES;
use crate::certificate::certified;

#[tokio::test]
async fn both_ends_attest_under_ml_dsa_keys_of_every_size() {
    let world = World::new();
    for (scheme, algorithm) in SCHEMES {
        let (of_server, of_client) = (certified(algorithm), certified(algorithm));
        let provider = demo::provider();
        let server_tls = ServerConfig::builder_with_details(provider.clone(), world.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(dangerous_any_client(&provider))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from((*of_server).clone())));
        let mut roots = RootCertStore::empty();
        roots.add(of_server.cert[0].clone()).unwrap();
        let mut client_tls = ClientConfig::builder_with_details(provider, world.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client_tls.client_auth_cert_resolver =
            Arc::new(SingleCertAndKey::from((*of_client).clone()));
        let server = ServerTerms::new()
            .attester(world.server_device.clone())
            .require_peer(world.about_clients());
        let client = ClientTerms::new()
            .attester(world.client_device.clone())
            .require_peer(world.about_servers());

        let acceptor = ServerAcceptor::new(server_tls, server).unwrap();
        let connector = ClientConnector::new(client_tls, client).unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connecting = connector.connect("localhost".try_into().unwrap(), far);
        let (accepted, connected) = tokio::join!(acceptor.accept(near), connecting);

        let (accepted, connected) = (accepted.unwrap(), connected.unwrap());
        for (stream, peer) in [(&accepted, &of_client), (&connected, &of_server)] {
            let attested = stream.peer().unwrap();
            assert_eq!(attested.tls().leaf_scheme(), Ok(scheme));
            assert_eq!(attested.leaf_key(), &*peer.key.public_key().unwrap());
        }
    }
}
