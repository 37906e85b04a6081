//! A server in its process, and its client in this one.

use std::error::Error;
use std::sync::Arc;

use axum::BoxError;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::certificates::Certificates;
use crate::client::Client;
use crate::runtime;
use crate::server::Server;
use crate::service::Device;
use crate::service::Service;

/// Both ends of one kind of connection.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) client: Arc<Client>,
    pub(crate) runtime: Runtime,
}

impl Pair {
    pub(crate) fn start(service: Service) -> Result<Self, Box<dyn Error>> {
        let certificates = Certificates::new()?;
        let server = Server::start(service, &certificates)?;
        let runtime = runtime()?;
        let client = runtime.block_on(Client::new(&service, &certificates, server.address))?;
        let client = Arc::new(client);
        if service.device == Device::Free {
            runtime
                .block_on(warm(&client))
                .map_err(|error| error.to_string())?;
        }
        Ok(Self {
            server,
            client,
            runtime,
        })
    }
}

/// The first connections of each thread pay for its randomness, some milliseconds.
async fn warm(client: &Arc<Client>) -> Result<(), BoxError> {
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let client = client.clone();
        tasks.spawn(async move { client.once().await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
