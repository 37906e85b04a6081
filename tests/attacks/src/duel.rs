//! A victim that connects, and an attacker who is there instead of the server.

use std::net::SocketAddr;
use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use atls_core::RelyingParty;
use atls_core::exchange::Challenge;
use atls_sim::SimAttester;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use end_to_end::Served;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::lab::Lab;
use crate::lab::attest;
use crate::lab::attest_challenge;
use crate::lab::request_for;
use crate::outcome::Cell;

/// Where the victim ends up: on a socket of the attacker.
pub(crate) struct Middle<'a> {
    pub(crate) lab: &'a Lab,
    listener: TcpListener,
}

impl<'a> Middle<'a> {
    pub(crate) async fn new(lab: &'a Lab) -> Self {
        Self {
            lab,
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The victim's connection, and the `client_random` with which it begins.
    pub(crate) async fn victim(&self) -> (TcpStream, [u8; 32]) {
        let (socket, _) = self.listener.accept().await.unwrap();
        let mut head = [0; 43];
        while socket.peek(&mut head).await.unwrap() < head.len() {
            socket.readable().await.unwrap();
        }
        let (_, random) = head.split_at(11);
        (socket, random.try_into().unwrap())
    }

    /// Ends the victim's TLS under this certificate. `None` where the victim does not go along.
    pub(crate) async fn end_tls(
        &self,
        socket: TcpStream,
        identity: Arc<CertifiedKey>,
    ) -> Option<Link> {
        let provider = self.lab.leaky();
        self.end_tls_by(provider, socket, identity).await
    }

    /// By a provider of the attacker's own.
    pub(crate) async fn end_tls_by(
        &self,
        provider: Arc<CryptoProvider>,
        socket: TcpStream,
        identity: Arc<CertifiedKey>,
    ) -> Option<Link> {
        let resolver = Arc::new(SingleCertAndKey::from(identity.clone()));
        let tls = Arc::new(self.lab.tls_by(provider, resolver));
        Link::accept(tls, socket, identity).await.ok()
    }

    /// Ends the victim's TLS and attests to it by a device that is at the attacker's service; in the post-handshake mode under
    /// this certificate.
    pub(crate) async fn attest(
        &self,
        mode: Mode,
        device: &SimAttester,
        identity: Arc<CertifiedKey>,
    ) -> Option<Link> {
        let (socket, random) = self.victim().await;
        if mode == Mode::AfterHandshake {
            let mut link = self.end_tls(socket, identity).await?;
            let (_, request) = link.read().await.unwrap();
            let challenge = Challenge::receive(&link, &request).unwrap();
            let evidence = attest_challenge(device, &challenge).await;
            let answer = challenge.answer(&evidence).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            return Some(link);
        }
        let own = ForgedKey::new();
        let evidence = attest(device, &request_for(mode, &random, &own)).await;
        self.end_tls(socket, own.certify(Some(&evidence))).await
    }

    /// Runs the victim against the attack. It sends a secret once it accepts; whether the attacker read that must agree.
    pub(crate) async fn duel(
        &self,
        mode: Mode,
        party: Arc<RelyingParty>,
        attack: impl Future<Output = Option<Link>>,
    ) -> Cell {
        self.duel_with(victim(self.lab, mode, party), attack).await
    }

    /// The same for a victim that attests itself.
    pub(crate) async fn duel_with(
        &self,
        victim: ClientConnector,
        attack: impl Future<Output = Option<Link>>,
    ) -> Cell {
        let victim = async {
            let mut stream = visit(&victim, self.address()).await?;
            stream.write_all(SECRET).await.unwrap();
            stream.shutdown().await.unwrap();
            Ok::<_, Error>(())
        };
        let attacker = async {
            match attack.await {
                Some(mut link) => link.drain().await,
                None => Vec::new(),
            }
        };
        let (visited, heard) = tokio::join!(Box::pin(victim), Box::pin(attacker));
        let read = heard.windows(SECRET.len()).any(|bytes| bytes == SECRET);
        assert_eq!(
            visited.is_ok(),
            read,
            "what is sent is sent to who was accepted"
        );
        match visited {
            Ok(()) => Cell::Succeeds,
            Err(error) => Cell::by(&error),
        }
    }
}

const SECRET: &[u8] = b"PRI * HTTP/2.0, and a secret";

/// Connects where the attacker sends it.
pub(crate) async fn visit(
    victim: &ClientConnector,
    address: SocketAddr,
) -> Result<AttestedStream<TcpStream>, Error> {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    victim.connect(name, socket).await
}

/// Expects servers of this mode. In the default mode it checks the certificate as any HTTPS client does; in the weaker
/// modes certificates are self-signed, and there is nothing to check.
pub(crate) fn victim(lab: &Lab, mode: Mode, party: Arc<RelyingParty>) -> ClientConnector {
    let terms = ClientTerms::new().require_peer(party).servers_attest(mode);
    let tls = match mode {
        Mode::AfterHandshake => lab.world.client_tls(&["http/1.1"]),
        Mode::InCertificate | Mode::InHandshake => lab.any_server(demo::provider()),
    };
    ClientConnector::new(tls, terms).unwrap()
}

/// Where a victim is led to a server that follows the protocol. It sends a request once it accepts; whether that reached a
/// handler must agree.
pub(crate) async fn led_to(
    lab: &Lab,
    mode: Mode,
    party: Arc<RelyingParty>,
    server: &Served,
) -> Cell {
    let before = server.hits();
    let visited = async {
        let mut stream = visit(&victim(lab, mode, party), server.address).await?;
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.ends_with(b"hello"));
        Ok::<_, Error>(())
    };
    let visited = visited.await;
    let heard = server.hits() > before;
    assert_eq!(
        visited.is_ok(),
        heard,
        "what is sent is sent to who was accepted"
    );
    match visited {
        Ok(()) => Cell::Succeeds,
        Err(error) => Cell::by(&error),
    }
}

/// A whole one, after which the server closes.
pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
