//! The connections of a forward proxy, all of which may have to be made anew.

use std::sync::PoisonError;
use std::sync::RwLock;

use atls_tower::AttestedHttps;
use atls_tower::Retire;
use atls_tower::RetireLayer;
use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tower::Layer;

use super::service::Recall;
use super::tunnels::Tunnels;
use crate::way::Way;

/// The connections whose servers the policies accepted.
pub(super) struct Accepted {
    connectors: Connectors<AttestedHttps<Way>>,
    tunnels: Tunnels,
    now: RwLock<(Connections, watch::Sender<()>)>,
}

/// Connections that one policy accepted, and what goes over them.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) clients: Connectors<Retire<Client<AttestedHttps<Way>, Body>>>,
    pub(super) tunnels: Tunnels,
}

/// One for each purpose.
#[derive(Clone)]
pub(super) struct Connectors<C> {
    pub(super) any: C,
    /// For what is upgraded, which HTTP/2 has no way for.
    pub(super) http1: C,
}

impl Accepted {
    pub(super) fn new(connectors: Connectors<AttestedHttps<Way>>, tunnels: Tunnels) -> Self {
        Self {
            now: RwLock::new(anew(&connectors, &tunnels)),
            connectors,
            tunnels,
        }
    }

    pub(super) fn now(&self) -> Connections {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.0.clone()
    }
}

impl Recall for Accepted {
    fn recall(&self) {
        let anew = anew(&self.connectors, &self.tunnels);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = anew;
    }
}

fn anew(
    connectors: &Connectors<AttestedHttps<Way>>,
    tunnels: &Tunnels,
) -> (Connections, watch::Sender<()>) {
    let client = |connector: &AttestedHttps<Way>| {
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        RetireLayer::new().layer(client)
    };
    let clients = Connectors {
        any: client(&connectors.any),
        http1: client(&connectors.http1),
    };
    let (end, tunnels) = tunnels.of_some();
    (Connections { clients, tunnels }, end)
}
