//! Turns connected sockets into attested streams.

use std::pin::pin;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tracing::Instrument;

use crate::deadline::Deadline;
use crate::driver::Exchanged;
use crate::error::Error;
use crate::integration::ClientExchange;
use crate::stage::Stage;
use crate::stream::AttestedStream;
use crate::terms::ClientTerms;
use crate::tls::ClientTls;
use crate::tls::Rewind;
use crate::trace::Attempt;

/// Connects attested TLS over any stream. Cheap to clone.
///
/// The TLS configuration verifies the server's chain and name as in any HTTPS client; attestation comes on top. For HTTP use
/// [`AttestedHttps`](crate::AttestedHttps), or `atls-reqwest`.
#[derive(Clone, Debug)]
pub struct ClientConnector {
    tls: ClientTls,
    exchange: ClientExchange,
}

impl ClientConnector {
    /// Hardens the TLS configuration: resumption and early data are switched off, whatever it says. Its provider and
    /// clock serve the exchange too; its ALPN list is yours to set.
    ///
    /// # Errors
    /// An [`Error`] that is local: terms that do not require servers to attest and do not say so, that
    /// [contradict](atls_core::ConfigError::Terms) themselves, or whose request no server could take; a configuration or provider without TLS 1.3, or a provider that cannot make a key for a client that
    /// attests.
    pub fn new(tls: ClientConfig, terms: ClientTerms) -> Result<Self, Error> {
        let (exchange, tls) = ClientExchange::new(tls, terms)?;
        let tls = match exchange.weaker() {
            None => tls,
            Some(weaker) => weaker.observe(tls),
        };
        Ok(Self {
            tls: ClientTls::new(tls, exchange.identity().cloned()),
            exchange,
        })
    }

    /// Does the TLS handshake and the exchange of authenticators, within the deadline of the terms.
    ///
    /// Cancel-safe in that dropping the future closes the connection. Emits one trace event for the outcome, also where
    /// the future is dropped or panics.
    ///
    /// # Errors
    /// [`Error`]; the connection is closed and nothing of HTTP was sent on it.
    pub async fn connect<IO>(
        &self,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.connect_until(self.deadline(), name, io).await
    }

    /// A connection that begins now, for its event and its count.
    pub(crate) fn attempt(&self, name: Option<&ServerName<'_>>) -> Attempt {
        self.exchange.attempt(name)
    }

    /// The deadline of a connection that begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.exchange.time_limit())
    }

    pub(crate) async fn connect_until<IO>(
        &self,
        deadline: Deadline,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let attempt = self.exchange.attempt(Some(&name));
        let span = attempt.span().clone();
        let traced = async {
            // Boxed: the future has some KiB, and every future around it would move them.
            let connected = Box::pin(self.establish(deadline, name, io)).await;
            match &connected {
                Ok(stream) => attempt.succeed(stream.peer().map(AsRef::as_ref)),
                Err(error) => attempt.fail(error),
            }
            connected
        };
        traced.instrument(span).await
    }

    async fn establish<IO>(
        &self,
        deadline: Deadline,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (tls, exchanged) = match self.exchange.weaker() {
            None => self.handshake_and_exchange(name, io, deadline).await?,
            // Boxed, so that the default mode does not pay for its size.
            Some(weaker) => Box::pin(weaker.connect(&self.tls, name, io, deadline)).await?,
        };
        AttestedStream::new(tls, exchanged, self.exchange.conditions().clone())
    }

    /// The default mode. The request of the exchange leaves with the handshake.
    async fn handshake_and_exchange<IO>(
        &self,
        name: ServerName<'static>,
        io: IO,
        deadline: Deadline,
    ) -> Result<(Rewind<IO>, Exchanged), Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let driver = self.exchange.driver();
        let (request, frame) = driver.request()?;
        let handshake = pin!(self.tls.connect(name, io, &frame));
        let mut session = deadline.bound(Stage::Handshake, handshake).await?;
        let exchange = driver.exchange_after(request, &mut session, deadline);
        let exchanged = exchange.await?;
        Ok((Rewind::new(session.tls, Vec::new()), exchanged))
    }
}
