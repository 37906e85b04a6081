//! A server in its process, and its client in this one.

use std::error::Error;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::certificates::Certificates;
use crate::client::Client;
use crate::runtime;
use crate::server::Server;
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
        Ok(Self {
            server,
            client: Arc::new(client),
            runtime,
        })
    }
}
