//! A server that demands attestation of clients, and an attacker who comes as one.

use std::fmt;
use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::RelyingParty;
use atls_core::cmw::Cmw;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_sim::SimAttester;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_client;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::context_of;
use crate::duel;
use crate::lab::Lab;
use crate::lab::attest_challenge;
use crate::link::sockets;
use crate::outcome::Cell;

/// The victim.
pub(crate) struct Guard<'a> {
    lab: &'a Lab,
    acceptor: ServerAcceptor,
    formats: Arc<RelyingParty>,
}

impl<'a> Guard<'a> {
    /// Demands of clients that they attest in this mode. In the default mode it attests too, and first.
    pub(crate) fn new(lab: &'a Lab, mode: Mode, party: Arc<RelyingParty>) -> Self {
        let formats = party.clone();
        let terms = ServerTerms::new().clients_attest(mode).require_peer(party);
        let terms = match mode {
            Mode::AfterHandshake => terms.attester(lab.world.server_device.clone()),
            Mode::InCertificate | Mode::InHandshake => terms,
        };
        let acceptor = ServerAcceptor::new(asking_for_certificates(lab), terms).unwrap();
        Self {
            lab,
            acceptor,
            formats,
        }
    }

    /// Comes with a certificate that is made, or stolen, once the server has asked: with a nonce, if it chose one.
    pub(crate) async fn present(
        &self,
        resolve: impl Fn(Option<[u8; 32]>) -> Arc<CertifiedKey> + Send + Sync + 'static,
    ) -> Cell {
        let mut tls = self.lab.any_server(demo::provider());
        tls.client_auth_cert_resolver = Arc::new(Resolver(Box::new(resolve)));
        let attack = async |socket| {
            let mut link = connect(tls, socket).await?;
            link.tls.write_all(duel::REQUEST).await.ok()?;
            Some(link)
        };
        self.duel(attack).await
    }

    /// Answers the server's request with an authenticator, after the server gave its own.
    pub(crate) async fn exchange(&self, answer: impl AsyncFnOnce(Asked<'_>) -> Vec<u8>) -> Cell {
        let tls = self.lab.any_server(demo::provider());
        let attack = async |socket| {
            let mut link = connect(tls, socket).await?;
            let formats = self.formats.media_types();
            let parameters = Parameters::client(formats, true, CanAttest::AfterServer);
            let asking = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
            let (request, pending) = asking.unwrap();
            link.write(REQUEST, &request).await.unwrap();
            let (kind, request) = link.read().await.unwrap();
            assert_eq!(kind, REQUEST);
            let (kind, authenticator) = link.read().await.unwrap();
            assert_eq!(kind, AUTHENTICATOR);
            let servers = pending.finish(&authenticator).unwrap().cmw().clone();
            link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
            let asked = Asked {
                link: &link,
                request,
                servers,
            };
            let answer = answer(asked).await;
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            Some(link)
        };
        self.duel(attack).await
    }

    /// The server sends a secret once it accepts; whether the attacker read that must agree.
    async fn duel(&self, attack: impl AsyncFnOnce(TcpStream) -> Option<Link>) -> Cell {
        let (near, far) = sockets().await;
        let victim = async {
            let mut stream = self.acceptor.accept(far).await?;
            stream.write_all(SECRET).await.unwrap();
            stream.shutdown().await.unwrap();
            Ok::<_, Error>(())
        };
        let attacker = async {
            match attack(near).await {
                Some(mut link) => link.drain().await,
                None => Vec::new(),
            }
        };
        let (accepted, heard) = tokio::join!(Box::pin(victim), Box::pin(attacker));
        let read = heard.windows(SECRET.len()).any(|bytes| bytes == SECRET);
        assert_eq!(accepted.is_ok(), read, "it answers whom it accepted");
        match accepted {
            Ok(()) => Cell::Succeeds,
            Err(error) => Cell::by(&error),
        }
    }
}

const SECRET: &[u8] = b"HTTP/1.1 200 OK, and a secret";

/// The messages that an attacker has in hand when he must attest.
pub(crate) struct Asked<'a> {
    link: &'a Link,
    request: Vec<u8>,
    /// The server's own Evidence, for this connection.
    pub(crate) servers: Cmw,
}

impl Asked<'_> {
    /// The context of the server's request.
    pub(crate) fn context(&self) -> [u8; 32] {
        let mut request = self.request.clone();
        (&*context_of(&mut request)).try_into().unwrap()
    }

    /// The device's Evidence for this connection under this key.
    pub(crate) async fn attest(&self, device: &SimAttester, key: Arc<CertifiedKey>) -> Cmw {
        attest_challenge(device, &self.challenge(key)).await
    }

    /// A valid authenticator under this key.
    pub(crate) fn answer(&self, key: Arc<CertifiedKey>, evidence: &Cmw) -> Vec<u8> {
        self.challenge(key).answer(evidence).unwrap()
    }

    fn challenge(&self, key: Arc<CertifiedKey>) -> Challenge {
        let view = self.link.with_identity(key).unwrap();
        Challenge::receive(&view, &self.request).unwrap()
    }
}

async fn connect(tls: ClientConfig, socket: TcpStream) -> Option<Link> {
    Link::connect(Arc::new(tls), socket, None).await.ok()
}

/// TLS of the genuine server, which lets any client's certificate through.
fn asking_for_certificates(lab: &Lab) -> ServerConfig {
    let provider = demo::provider();
    let clients = dangerous_any_client(&provider);
    let issued = &lab.world.issued;
    let mut tls = ServerConfig::builder_with_details(provider, lab.world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(issued.chain.clone(), issued.key.clone_key())
        .unwrap();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls
}

/// Asks the attacker, in the middle of the handshake.
struct Resolver(Box<dyn Fn(Option<[u8; 32]>) -> Arc<CertifiedKey> + Send + Sync>);

impl ResolvesClientCert for Resolver {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some((self.0)(hints.first().map(|name| nonce_in(name))))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}

/// The last 64 bytes are its digits.
fn nonce_in(name: &[u8]) -> [u8; 32] {
    let (_, digits) = name.split_at(name.len() - 64);
    let mut nonce = [0; 32];
    for (byte, pair) in nonce.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).unwrap();
        *byte = u8::from_str_radix(pair, 16).unwrap();
    }
    nonce
}
