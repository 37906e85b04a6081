//! A genuine client that attests, and what is taken from it by a server that it comes to.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::RelyingParty;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::pki_types::CertificateDer;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::asking;
use crate::duel::visit;
use crate::lab::Lab;
use crate::lab::Loot;
use crate::lab::evidence_in;
use crate::lab::lenient;

/// Its keys leak: the laboratory's provider writes them down.
pub(crate) struct Genuine {
    connector: ClientConnector,
    mode: Mode,
    trusted: Arc<RelyingParty>,
}

impl Genuine {
    /// Attests in this mode, by a device of its own, to whatever server it comes to; and trusts its own kind of device, also in
    /// servers, which attest in the same mode.
    pub(crate) async fn new(lab: &Lab, mode: Mode) -> Self {
        let device = SimAttester::generate().unwrap();
        let verifier = SimVerifier::new(device.trust_anchor());
        let trusted = lenient().verifier(Arc::new(verifier)).build();
        let trusted = Arc::new(trusted.unwrap());
        let mut tls = lab.any_server(lab.leaky());
        let mut terms = ClientTerms::new()
            .require_peer(trusted.clone())
            .servers_attest(mode);
        match mode {
            Mode::AfterHandshake => {
                terms = terms.attester(Arc::new(device)).attest_before_server();
            }
            Mode::InCertificate => {
                tls.client_auth_cert_resolver = lab.identity(&Arc::new(device)).await;
            }
            Mode::InHandshake => {
                let clock = lab.world.clock.clone();
                let resolver = InHandshake::new(Box::new(device), lab.leaky(), clock).unwrap();
                tls.client_auth_cert_resolver = Arc::new(resolver);
            }
        }
        Self {
            connector: ClientConnector::new(tls, terms).unwrap(),
            mode,
            trusted,
        }
    }

    /// The relying party that trusts its device.
    pub(crate) fn trusted(&self) -> Arc<RelyingParty> {
        self.trusted.clone()
    }

    pub(crate) fn connector(&self) -> ClientConnector {
        self.connector.clone()
    }

    /// The client comes to the attacker, who asks it with this nonce, or this context.
    pub(crate) async fn taken(&self, lab: &Lab, nonce: &[u8; 32]) -> Loot {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let coming = visit(&self.connector, listener.local_addr().unwrap());
        let taking = async {
            let (socket, _) = listener.accept().await.unwrap();
            match self.mode {
                Mode::AfterHandshake => self.lured(lab, socket, nonce).await,
                Mode::InCertificate | Mode::InHandshake => presented(lab, socket, nonce).await,
            }
        };
        let (_, loot) = tokio::join!(Box::pin(coming), Box::pin(taking));
        loot
    }

    async fn lured(&self, lab: &Lab, socket: TcpStream, context: &[u8; 32]) -> Loot {
        let identity = lab.world.stolen_key();
        let tls = Arc::new(lab.world.server_tls());
        let mut link = Link::accept(tls, socket, identity).await.unwrap();
        let _ = link.read().await.unwrap();
        let parameters = Parameters::server(self.trusted.media_types(), Order::ClientFirst);
        let asking = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
        let (mut request, _) = asking.unwrap();
        context_of(&mut request).copy_from_slice(context);
        link.write(REQUEST, &request).await.unwrap();
        let (kind, authenticator) = link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        let evidence = evidence_in(&authenticator, &lab.world.server_device);
        let key = lab.leaked(&CertificateDer::from(authenticator));
        Loot {
            evidence,
            identity: key.certify(None),
            key,
        }
    }
}

/// The certificate that it presents to a server that asks with this nonce.
async fn presented(lab: &Lab, socket: TcpStream, nonce: &[u8; 32]) -> Loot {
    let identity = ForgedKey::new().certify(None);
    let tls = Arc::new(asking::server(lab, identity.clone(), nonce));
    let link = Link::accept(tls, socket, identity).await.unwrap();
    lab.loot_of(&link)
}

/// Behind type, length, and its own length, of a request.
pub(crate) fn context_of(request: &mut [u8]) -> &mut [u8] {
    let (_, context) = request.split_at_mut(5);
    context.split_at_mut(32).0
}

/// For callbacks that cannot wait: on a thread and a runtime of its own.
pub(crate) fn blocking<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work())
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}
