//! The connections of a forward proxy, all of which may have to be made anew.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use atls_core::RelyingParty;
use atls_tower::AttestedHttps;
use atls_tower::Retire;
use atls_tower::RetireLayer;
use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tower::Layer;

use super::trusted::Peers;
use super::tunnels::Tunnels;
use crate::failure::Failure;
use crate::way::Way;

/// The connections whose servers a relying party accepted.
pub(super) struct Accepted {
    make: Make,
    tunnels: Tunnels,
    now: RwLock<Now>,
}

/// Makes the connectors that judge servers by a relying party.
// An alias, as clippy finds the type hard to read in place.
type Make = Box<
    dyn Fn(&Arc<RelyingParty>) -> Result<Connectors<AttestedHttps<Way>>, Failure> + Send + Sync,
>;

struct Now {
    connectors: Connectors<AttestedHttps<Way>>,
    connections: Connections,
    /// Dropped when they are recalled.
    _end: watch::Sender<()>,
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
    /// # Errors
    /// Those of making connectors.
    pub(super) fn new(
        make: Make,
        relying_party: &Arc<RelyingParty>,
        tunnels: Tunnels,
    ) -> Result<Self, Failure> {
        let now = Now::by(make(relying_party)?, &tunnels);
        Ok(Self {
            make,
            tunnels,
            now: RwLock::new(now),
        })
    }

    pub(super) fn now(&self) -> Connections {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.connections.clone()
    }

    fn put(&self, now: Now) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Peers for Accepted {
    fn judge_by(&self, relying_party: Arc<RelyingParty>) -> Result<(), Failure> {
        self.put(Now::by((self.make)(&relying_party)?, &self.tunnels));
        Ok(())
    }

    fn recall(&self) {
        let connectors = {
            let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
            now.connectors.clone()
        };
        self.put(Now::by(connectors, &self.tunnels));
    }
}

impl Now {
    fn by(connectors: Connectors<AttestedHttps<Way>>, tunnels: &Tunnels) -> Self {
        let client = |connector: &AttestedHttps<Way>| {
            let client = Client::builder(TokioExecutor::new()).build(connector.clone());
            RetireLayer::new().layer(client)
        };
        let clients = Connectors {
            any: client(&connectors.any),
            http1: client(&connectors.http1),
        };
        let (end, tunnels) = tunnels.of_some();
        Self {
            connectors,
            connections: Connections { clients, tunnels },
            _end: end,
        }
    }
}
