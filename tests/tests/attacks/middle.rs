//! The attacker in the middle.

use std::sync::Arc;

use adversary::Link;
use atls_core::Attester;
use atls_core::PolicyViolation;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::policy::Candidate;
use atls_reqwest::Attested;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use demo::Issued;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;
use end_to_end::load;
use end_to_end::reqwest_client;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// A man in the middle: victims connect to him, and he may connect to the genuine server.
pub(crate) struct Middle {
    pub(crate) listener: TcpListener,
    certificate: Issued,
    pub(crate) genuine: std::net::SocketAddr,
}

impl Middle {
    pub(crate) async fn new(certificate: Issued, genuine: &Served) -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            certificate,
            genuine: genuine.address,
        }
    }

    /// With a certificate for the server's name that he should not have got, over a key of his own.
    pub(crate) async fn misissued(world: &World, genuine: &Served) -> Self {
        Self::new(world.authority.issue().unwrap(), genuine).await
    }

    /// With the server's own certificate and key.
    pub(crate) async fn with_leaked_key(world: &World, genuine: &Served) -> Self {
        let stolen = Issued {
            chain: world.issued.chain.clone(),
            key: world.issued.key.clone_key(),
        };
        Self::new(stolen, genuine).await
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "https://localhost:{}/",
            self.listener.local_addr().unwrap().port()
        )
    }

    /// The victim's connection, ended here.
    pub(crate) async fn victim(&self) -> Link {
        let (socket, _) = self.listener.accept().await.unwrap();
        let tls = Arc::new(self.certificate.server().unwrap());
        Link::accept(tls, socket, load(&self.certificate))
            .await
            .unwrap()
    }

    /// A connection of his own to the genuine server.
    pub(crate) async fn upstream(&self, world: &World) -> Link {
        let socket = TcpStream::connect(self.genuine).await.unwrap();
        let tls = Arc::new(world.client_tls(&["h2"]));
        Link::connect(tls, socket, None).await.unwrap()
    }
}

/// Runs the victim against the attacker. The victim must refuse, and nothing but frames may have reached the attacker.
pub(crate) async fn refused(
    attested: &Attested,
    middle: &Middle,
    attack: impl Future<Output = Link>,
) -> atls_tower::Error {
    let client = reqwest_client(attested);
    let victim = client.get(middle.url()).send();
    let attacker = async {
        let mut link = attack.await;
        link.drain().await
    };
    let (response, sent) = tokio::join!(victim, attacker);
    assert!(
        !sent
            .windows(3)
            .any(|bytes| bytes == b"PRI" || bytes == b"GET"),
        "a request was sent"
    );
    exchange_error(&response.unwrap_err())
}

/// Two ends of one connection, nothing done on it yet.
pub(crate) async fn link_pair(world: &World) -> (Link, Link) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let (client, server) = (
        Arc::new(world.client_tls(&[])),
        Arc::new(world.server_tls()),
    );
    let (near, far) = tokio::join!(
        Link::connect(client, socket, Some(world.stolen_key())),
        Link::accept(server, accepted, world.stolen_key())
    );
    (near.unwrap(), far.unwrap())
}

/// A client that demands attestation by this verifier and policy.
pub(crate) fn demanding(
    world: &World,
    verifier: SimVerifier,
    policy: impl Fn(&Candidate) -> Result<(), PolicyViolation> + Send + Sync + 'static,
) -> Attested {
    let verifier: Arc<dyn Verifier> = Arc::new(verifier);
    let party = atls_core::RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(atls_core::StandardPolicy::new().dangerous_accept_simulated())
        .policy(policy)
        .build();
    world
        .client()
        .require_peer(Arc::new(party.unwrap()))
        .build()
        .unwrap()
}

/// A client that attests before the server, with the server's kind of device.
pub(crate) fn first(world: &World, device: &Arc<SimAttester>) -> Attested {
    let party = Arc::new(lenient(device).build().unwrap());
    let builder = world.client().require_peer(party);
    builder
        .attester(device.clone())
        .attest_before_server()
        .build()
        .unwrap()
}

/// Cuts the Evidence out of an authenticator, without any check: the token follows its media type.
pub(crate) fn evidence_in(authenticator: &[u8], world: &World) -> Cmw {
    let media_type = world.server_device.media_types()[0].clone();
    let name = media_type.to_string().into_bytes();
    let start = authenticator
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap()
        + name.len();
    let [0x59, high, low, ..] = authenticator[start..] else {
        panic!("an octet string with two bytes of length");
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    Cmw::evidence(
        media_type,
        authenticator[start + 3..start + 3 + length].to_vec(),
    )
}
