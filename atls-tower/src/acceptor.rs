//! Turns accepted sockets into attested streams.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::TlsStream;
use tracing::Instrument;

use crate::driver::Conversation;
use crate::driver::Exchanged;
use crate::driver::ServerDriver;
use crate::driver::within;
use crate::error::Error;
use crate::error::Stage;
use crate::frame;
use crate::frame::Kind;
use crate::identity;
use crate::stream::AttestedStream;
use crate::stream::Refused;
use crate::terms::ServerTerms;
use crate::tls::Rewind;
use crate::tls::TlsSession;
use crate::tls::farewell;
use crate::tls::hardening;
use crate::tls::versions;
use crate::trace;
use crate::weaker;
use crate::weaker::CertificateProfile;
use crate::weaker::Mode;
use crate::weaker::Recorded;

/// Accepts attested TLS. Cheap to clone; all clones share the limits.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ClientConnector, ClientTerms, ServerAcceptor, ServerTerms};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authority = demo::Authority::new()?;
/// # let (tls, client_tls) = (authority.server()?, authority.client(&[])?);
/// # let device = SimAttester::generate()?;
/// # let clients_demand = ClientTerms::new().require_peer(demo::trusting(&device)?);
/// # let connector = ClientConnector::new(client_tls, clients_demand)?;
/// let acceptor = ServerAcceptor::new(tls, ServerTerms::new().attester(Arc::new(device)))?;
///
/// // Usually the stream is a socket that was accepted; any `AsyncRead + AsyncWrite` does.
/// let (near, far) = tokio::io::duplex(64 * 1024);
/// let client = connector.connect("localhost".try_into()?, far);
/// let (accepted, connected) = tokio::join!(acceptor.accept(near), client);
/// assert!(accepted?.peer().is_none()); // The client did not attest,
/// assert!(connected?.peer().is_some()); // the server did.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerAcceptor {
    tls: Arc<ServerConfig>,
    server: Arc<ServerDriver>,
}

impl ServerAcceptor {
    /// Hardens the TLS configuration: tickets, resumption and early data are switched off, whatever it says. Its
    /// provider and clock serve the exchange too; its ALPN list is yours to set (`h2`, `http/1.1`).
    ///
    /// # Errors
    /// An [`Error`] that is local: a configuration or provider without TLS 1.3, terms under which nobody attests and that
    /// do not say so, whose request to clients no client could take, or that promise Evidence in the handshake and have
    /// no attester.
    pub fn new(tls: ServerConfig, terms: ServerTerms) -> Result<Self, Error> {
        let tls = hardening::harden_server(tls)?;
        versions::check_server(&tls)?;
        let server = ServerDriver::new(
            terms,
            tls.crypto_provider().clone(),
            tls.time_provider.clone(),
        )?;
        Ok(Self {
            tls: Arc::new(tls),
            server: Arc::new(server),
        })
    }

    /// Does the TLS handshake and the exchange of authenticators, within the deadlines of the terms.
    ///
    /// Cancel-safe in that dropping the future closes the connection. Emits one trace event for the outcome.
    ///
    /// # Errors
    /// [`Error`]; the connection is closed, with `close_notify` where TLS stood, and no request was read from it.
    pub async fn accept<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        match self.accept_or_refuse(io).await {
            Ok(stream) => Ok(stream),
            Err(refused) => {
                let (error, stream) = refused.into_parts();
                if let Some(stream) = stream {
                    stream.close().await;
                }
                Err(error)
            }
        }
    }

    /// Does the same as [`accept`](Self::accept), and gives the stream of a client that does not speak this protocol back
    /// with the error, so that the caller can say in HTTP what is wanted. `AttestedListener` of `atls-axum` does.
    ///
    /// # Errors
    /// [`Refused`]; all other connections are closed.
    pub async fn accept_or_refuse<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let traced = async {
            // Boxed, for it is some KiB and would be moved with every future around it.
            let ended = Box::pin(self.run(io)).await;
            let ended = ended.map(|stream| stream.demanding(self.server.demand()));
            match &ended {
                Ok(stream) => trace::success(stream.peer().map(AsRef::as_ref)),
                Err(refused) => trace::failure(Side::Server, refused.error()),
            }
            ended
        };
        let span = tracing::debug_span!("atls", side = "server");
        traced.instrument(span).await
    }

    async fn run<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let started = Instant::now();
        let deadline = after(started, self.server.deadline());
        let handshake = self.handshake(deadline, io);
        let (mut link, nonce) = within(deadline, Stage::Handshake, handshake).await?;
        match self.attest(&mut link, started, nonce).await {
            Ok((exchanged, first)) => {
                let tls = Rewind::new(link.tls, first);
                Ok(AttestedStream::new(
                    tls,
                    exchanged,
                    self.server.clock().clone(),
                )?)
            }
            Err(Unattested::Plain(first)) => {
                let stream = Rewind::new(link.tls, first);
                Err(Refused::plain(Error::peer_unattested(), stream))
            }
            Err(Unattested::Failed(error)) => {
                if !error.is_closed() {
                    farewell(&mut link).await;
                }
                Err(error.into())
            }
        }
    }

    /// From TLS to where HTTP begins; gives the first byte of HTTP if that was read.
    async fn attest<IO>(
        &self,
        link: &mut TlsSession<IO>,
        started: Instant,
        nonce: Option<[u8; 32]>,
    ) -> Result<(Exchanged, Option<u8>), Unattested>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let presented = match (self.server.clients_attest(), &nonce) {
            (Mode::AfterHandshake, _) => None,
            (Mode::InCertificate, _) => Some(Credential::in_certificate(&link.handshake)),
            (Mode::InHandshake, Some(nonce)) => {
                Some(Credential::in_handshake(&link.handshake, nonce))
            }
            (Mode::InHandshake, None) => Some(Err(ProtocolError::Random)),
        };
        let peer = match presented {
            Some(Err(ProtocolError::NoAttestation))
                if !self.server.serves_without_certificate() =>
            {
                return Err(Unattested::Plain(None));
            }
            Some(presented) => {
                let deadline = after(started, self.server.deadline());
                self.server.judge_presented(deadline, presented).await?
            }
            None => None,
        };

        let spoken = Instant::now();
        let wait = after(spoken, self.server.first_octet());
        let first = within(wait, Stage::FirstOctet, async {
            link.read_u8().await.map_err(Error::reading_first)
        });
        let first = first.await?;
        let Some(kind) = Kind::of(first) else {
            if self.server.serves_unattested() {
                let exchanged = Exchanged {
                    peer,
                    own_valid_for: None,
                };
                return Ok((exchanged, Some(first)));
            }
            return Err(Unattested::Plain(Some(first)));
        };

        // The wait for the client is not charged to the exchange.
        let spent = spoken.saturating_duration_since(started);
        let left = self.server.deadline().saturating_sub(spent);
        let deadline = after(Instant::now(), left);
        let exchange = async {
            let first = frame::read_after(link, kind).await?;
            let conversation = Conversation::new(link, deadline);
            self.server.run(conversation, first).await
        };
        let mut exchanged = within(deadline, Stage::Exchange, exchange).await?;
        exchanged.peer = exchanged.peer.or(peer);
        Ok((exchanged, None))
    }

    /// The certified key is resolved once, and the same object serves handshake and authenticator: a resolver that
    /// rotates keys between the two cannot split them. Gives the nonce that the client's certificate must answer, if one
    /// was chosen.
    async fn handshake<IO>(
        &self,
        deadline: Instant,
        io: IO,
    ) -> Result<(TlsSession<IO>, Option<[u8; 32]>), Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let attester = self.server.attester_in_handshake();
        let io = match attester {
            Some(_) => Recorded::recording(io),
            None => Recorded::passing(io),
        };
        let start = LazyConfigAcceptor::new(Acceptor::default(), io)
            .await
            .map_err(|error| Error::tls(Side::Client, error))?;
        let key = match attester {
            Some(attester) => {
                let random = start.io.client_random();
                let name = start.client_hello().server_name().map(str::to_owned);
                self.attest_handshake(deadline, attester, random, name)
                    .await?
            }
            None => self
                .tls
                .cert_resolver
                .resolve(start.client_hello())
                .ok_or(ProtocolError::NoIdentity)?,
        };
        let (mut tls, nonce) = match self.server.clients_attest() {
            Mode::InHandshake => {
                let (tls, nonce) = self.challenging()?;
                (tls, Some(nonce))
            }
            Mode::AfterHandshake | Mode::InCertificate => (ServerConfig::clone(&self.tls), None),
        };
        tls.cert_resolver = Arc::new(Resolved(key.clone()));
        let stream = start
            .into_stream(Arc::new(tls))
            .await
            .map_err(|error| Error::tls(Side::Client, error))?;
        let handshake = Handshake::server(stream.get_ref().1, key)?;
        let live = TlsSession {
            tls: TlsStream::Server(stream),
            handshake,
        };
        Ok((live, nonce))
    }

    /// A key and certificate for this handshake alone, with Evidence that answers its `client_random`.
    async fn attest_handshake(
        &self,
        deadline: Instant,
        attester: &Arc<dyn Attester>,
        random: Option<[u8; 32]>,
        name: Option<String>,
    ) -> Result<Arc<CertifiedKey>, Error> {
        // A ClientHello in pieces is legal, rare, and not worth a parser of our own.
        let random = random.ok_or(ProtocolError::Malformed)?;
        let provider = self.server.provider();
        let now = self
            .server
            .clock()
            .current_time()
            .ok_or(ConfigError::Identity)?;
        let key = identity::fresh_key(provider)?;
        let request = OwnedAttestRequest::for_handshake(Side::Server, &random, &*key)?;
        let request = request.as_request();
        let making = self.server.attest_handshake(deadline, &**attester, request);
        let cmw = making.await?;
        let profile = CertificateProfile::new(CERTIFICATE_LIFETIME);
        let profile = name.into_iter().fold(profile, CertificateProfile::name);
        weaker::with_evidence(provider, &key, &profile, (request, &cmw), now)
    }

    /// The configuration, with a client verifier that chooses a nonce. rustls cannot exchange that of a configuration
    /// that is made, so what can be told of the old one is told to a new one.
    fn challenging(&self) -> Result<(ServerConfig, [u8; 32]), Error> {
        let provider = self.server.provider();
        let mut nonce = [0; 32];
        provider
            .secure_random
            .fill(&mut nonce)
            .map_err(|_| ProtocolError::Random)?;
        let clients = weaker::asking(provider, &nonce);
        let clock = self.server.clock().clone();
        let tls = ServerConfig::builder_with_details(provider.clone(), clock)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| ConfigError::Tls("its provider has no TLS 1.3 cipher suite"))?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(self.tls.cert_resolver.clone());
        let mut tls = hardening::harden_server(tls)?;
        tls.alpn_protocols.clone_from(&self.tls.alpn_protocols);
        tls.key_log = self.tls.key_log.clone();
        tls.max_fragment_size = self.tls.max_fragment_size;
        tls.ignore_client_order = self.tls.ignore_client_order;
        Ok((tls, nonce))
    }
}

/// Why no attested connection came of TLS.
enum Unattested {
    Failed(Error),
    /// The client does not speak this protocol; the first byte that it sent, if that was read.
    Plain(Option<u8>),
}

impl From<Error> for Unattested {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A certificate for one handshake needs to live no longer.
const CERTIFICATE_LIFETIME: std::time::Duration = std::time::Duration::from_secs(3600);

/// A resolver that already did.
#[derive(Debug)]
struct Resolved(Arc<CertifiedKey>);

impl ResolvesServerCert for Resolved {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// A wait too long to be represented is one of a day.
fn after(start: Instant, wait: std::time::Duration) -> Instant {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    start.checked_add(wait.min(DAY)).unwrap_or(start)
}
