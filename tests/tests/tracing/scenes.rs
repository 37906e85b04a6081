//! What several of these tests ask of whom.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_axum::Preamble;
use atls_core::BoxFuture;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimVerifier;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::reqwest_client;
use tokio::net::TcpStream;

/// A client that knows other software than that of the server.
pub(crate) async fn ask_a_server_of_unknown_software() {
    let world = World::new();
    let verifier = SimVerifier::new(world.server_device.trust_anchor())
        .with_reference_values(Vec::new())
        .with_known_software("web 1.4", [4; 32]);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let relying_party = Arc::new(relying_party.build().unwrap());
    let attested = world.client().require_peer(relying_party).build().unwrap();
    let server = world.serve_attested().await;
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap_err();
}

/// A listener behind a load balancer that says that every client is 192.0.2.7, and its URL.
pub(crate) async fn behind_a_balancer(
    world: &World,
    terms: ServerTerms,
) -> (AttestedListener, String) {
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = AttestedListener::builder(acceptor)
        .preamble(Arc::new(Balancer))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    (listener, url)
}

#[derive(Debug)]
struct Balancer;

impl Preamble for Balancer {
    fn read<'a>(
        &'a self,
        _: &'a mut TcpStream,
        _: SocketAddr,
    ) -> BoxFuture<'a, io::Result<SocketAddr>> {
        Box::pin(async { Ok(SocketAddr::from(([192, 0, 2, 7], 7))) })
    }
}
