//! A connection in memory whose server waits for its device.

use std::sync::Arc;

use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use tokio::task::JoinHandle;

use crate::Gate;
use crate::Gated;
use crate::World;

/// Both ends of it, each on a task.
pub struct Hanging {
    pub client: JoinHandle<Result<(), Error>>,
    pub server: JoinHandle<Result<(), Error>>,
}

impl Hanging {
    /// Returns once the device is at work, from which it never comes back.
    pub async fn begin() -> Self {
        let world = World::new();
        let gate = Gate::new();
        let device = Gated {
            inner: world.server_device.clone(),
            gate: gate.clone(),
        };
        let terms = ServerTerms::new().attester(Arc::new(device));
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let name = "localhost".try_into().unwrap();
        let server = tokio::spawn(async move { acceptor.accept(near).await.map(drop) });
        let client = tokio::spawn(async move { connector.connect(name, far).await.map(drop) });
        gate.reached_by(1).await;
        Self { client, server }
    }
}
