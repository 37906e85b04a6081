//! Turns accepted sockets into attested streams.

use std::sync::Arc;

use atls_core::Handshake;
use atls_core::ProtocolError;
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

use crate::error::Error;
use crate::error::Stage;
use crate::exchange::Conversation;
use crate::exchange::Server;
use crate::exchange::ServerTerms;
use crate::exchange::within;
use crate::frame;
use crate::frame::Kind;
use crate::live::Live;
use crate::stream::AttestedStream;
use crate::tls;
use crate::trace;

/// Accepts attested TLS. Cheap to clone; all clones share the limits.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::Attester;
/// # use atls_tower::{Error, ServerAcceptor, ServerTerms};
/// # async fn example(tls: rustls::ServerConfig, attester: Arc<dyn Attester>) -> Result<(), Box<dyn std::error::Error>> {
/// let acceptor = ServerAcceptor::new(tls, ServerTerms::new().attester(attester))?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let (socket, _) = listener.accept().await?;
/// let stream = acceptor.accept(socket).await?;
/// println!("client attested: {}", stream.peer().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerAcceptor {
    tls: Arc<ServerConfig>,
    server: Arc<Server>,
}

impl ServerAcceptor {
    /// Hardens the TLS configuration: tickets, resumption and early data are switched off, whatever it says. Its
    /// provider and clock serve the exchange too; its ALPN list is yours to set (`h2`, `http/1.1`).
    ///
    /// # Errors
    /// An [`Error`] that is local: a provider without TLS 1.3, terms whose request to clients no client could take.
    pub fn new(tls: ServerConfig, terms: ServerTerms) -> Result<Self, Error> {
        let tls = tls::harden_server(tls)?;
        let server = Server::new(
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
    /// [`Error`]; the connection is closed and nothing of HTTP was read from it.
    pub async fn accept<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let traced = async {
            let accepted = self.run(io).await;
            trace::outcome(&accepted);
            accepted
        };
        let span = tracing::debug_span!("atls", side = "server");
        traced.instrument(span).await
    }

    async fn run<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let started = Instant::now();
        let tls_deadline = after(started, self.server.deadline());
        let mut link = within(tls_deadline, Stage::Handshake, self.handshake(io)).await?;

        let spoken = Instant::now();
        let wait = after(spoken, self.server.first_octet());
        let first = within(wait, Stage::FirstOctet, async {
            link.read_u8().await.map_err(Error::reading)
        });
        let first = first.await?;
        let Some(kind) = Kind::of(first) else {
            if self.server.serves_unattested() {
                let clock = self.server.clock().clone();
                return Ok(AttestedStream::plain(link.tls, first, clock));
            }
            return Err(Error::peer_unattested());
        };

        // The wait for the client is not charged to the exchange.
        let spent = spoken.saturating_duration_since(started);
        let left = self.server.deadline().saturating_sub(spent);
        let deadline = after(Instant::now(), left);
        let exchange = async {
            let first = frame::read_after(&mut link, kind).await?;
            let conversation = Conversation::new(&mut link, deadline);
            self.server.run(conversation, first).await
        };
        let exchanged = within(deadline, Stage::Exchange, exchange).await?;
        AttestedStream::new(link.tls, exchanged, self.server.clock().clone())
    }

    /// The certified key is resolved once, and the same object serves handshake and authenticator: a resolver that
    /// rotates keys between the two cannot split them.
    async fn handshake<IO>(&self, io: IO) -> Result<Live<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(Acceptor::default(), io)
            .await
            .map_err(Error::tls)?;
        let key = self.tls.cert_resolver.resolve(start.client_hello());
        let key = key.ok_or(ProtocolError::NoIdentity)?;
        let mut tls = ServerConfig::clone(&self.tls);
        tls.cert_resolver = Arc::new(Resolved(key.clone()));
        let stream = start.into_stream(Arc::new(tls)).await.map_err(Error::tls)?;
        let handshake = Handshake::server(stream.get_ref().1, key)?;
        Ok(Live {
            tls: TlsStream::Server(stream),
            handshake,
        })
    }
}

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
