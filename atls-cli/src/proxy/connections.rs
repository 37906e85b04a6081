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
use tokio::sync::watch;
use tower::Layer;

use super::spread;
use super::spread::Spread;
use super::trusted::Judge;
use super::trusted::Peers;
use super::tunnels::Tunnels;
use crate::failure::Failure;
use crate::get;
use crate::get::Http;
use crate::narrate::Narration;
use crate::trust::Own;
use crate::trust::TrustOptions;
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
    pub(super) clients: Connectors<Arc<Spread<Attested>>>,
    pub(super) tunnels: Tunnels,
}

/// A client whose servers are attested.
// An alias, as clippy finds the type hard to read in place.
type Attested = Retire<Client<AttestedHttps<Way>, Body>>;

/// One for each purpose.
#[derive(Clone)]
pub(super) struct Connectors<C> {
    pub(super) any: C,
    /// For what is upgraded, which HTTP/2 has no way for.
    pub(super) http1: C,
}

impl Connectors<AttestedHttps<Way>> {
    /// Those that judge servers by this relying party.
    ///
    /// # Errors
    /// A usage failure.
    pub(super) fn by(
        relying_party: &Arc<RelyingParty>,
        trust: &TrustOptions,
        own: &Own,
    ) -> Result<Self, Failure> {
        let connector = |http| {
            let client = get::Client::shared(relying_party, trust, own, http, Narration::Silent);
            client.map(get::Client::into_connector)
        };
        Ok(Self {
            any: connector(Http::Any)?,
            http1: connector(Http::One)?,
        })
    }
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
}

impl Peers for Accepted {
    fn judge_by(&self, relying_party: Arc<RelyingParty>) -> Result<Judge<'_>, Failure> {
        let now = Now::by((self.make)(&relying_party)?, &self.tunnels);
        Ok(Box::new(|| {
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = now;
            Ok(())
        }))
    }

    fn recall(&self) {
        // In one step: what was put in force meanwhile would be taken back.
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        *now = Now::by(now.connectors.clone(), &self.tunnels);
    }
}

impl Now {
    fn by(connectors: Connectors<AttestedHttps<Way>>, tunnels: &Tunnels) -> Self {
        let client = |connector: &AttestedHttps<Way>| {
            let connector = connector.clone();
            Arc::new(Spread::of(move || {
                let client = spread::builder(WINDOW).build(connector.clone());
                RetireLayer::new().layer(client)
            }))
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

/// Bytes of an answer that are held until its program takes them: what comes in a tenth of a second at 80 Mbit/s.
const WINDOW: u32 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;

    use atls_sim::SimAttester;
    use atls_sim::SimVerifier;

    use super::super::tunnels::Stop;
    use super::*;

    fn party() -> Arc<RelyingParty> {
        let device = SimAttester::generate().unwrap();
        let verifier = SimVerifier::new(device.trust_anchor());
        let party = RelyingParty::builder().verifier(Arc::new(verifier));
        Arc::new(party.build().unwrap())
    }

    fn make(relying_party: &Arc<RelyingParty>) -> Result<Connectors<AttestedHttps<Way>>, Failure> {
        let trust = TrustOptions {
            dangerous_any_certificate: true,
            ..TrustOptions::default()
        };
        let own = Own {
            device: None,
            first: false,
        };
        Connectors::by(relying_party, &trust, &own)
    }

    #[tokio::test]
    async fn a_recall_beside_a_new_policy_leaves_the_new_one_in_force() {
        let (_stop, stop) = Stop::new();
        let (tunnels, _all) = Tunnels::new(stop, std::time::Duration::ZERO);
        let first = party();
        let accepted = Accepted::new(Box::new(make), &first, tunnels).unwrap();
        let mut before = Arc::downgrade(&first);
        drop(first);
        for _ in 0..100 {
            let next = party();
            let is_judged = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_judged.load(Ordering::Relaxed) {
                        accepted.recall();
                    }
                });
                accepted.judge_by(next.clone()).unwrap()().unwrap();
                is_judged.store(true, Ordering::Relaxed);
            });
            assert!(before.upgrade().is_none(), "the old one judges on");
            before = Arc::downgrade(&next);
        }
    }
}
