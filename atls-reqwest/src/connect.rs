//! The connector layer: attests each connection after reqwest made it and before reqwest speaks HTTP on it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::ProtocolError;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_tower::integration::ClientExchange;
use atls_tower::integration::NotConnected;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::client::legacy::connect::HttpInfo;
use hyper_util::rt::TokioIo;
use reqwest::tls::TlsInfo;
use rustls::AlertDescription;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::capture;
use crate::capture::Observed;
use crate::error::Error;
use crate::http_version::Http;
use crate::log::AttestationLog;
use crate::log::Entry;
use crate::setting::Setting;

/// The type of reqwest's connect errors.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Attests the connections of the connector below.
#[derive(Clone, Debug)]
pub(crate) struct Attest<S = ()> {
    inner: S,
    connecting: Connecting,
}

/// The things that all connections of a client share.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    pub(crate) exchange: ClientExchange,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) log: Arc<AttestationLog>,
    pub(crate) http: Http,
    /// A setting that the application believes to have an effect.
    pub(crate) contradicting: Option<Setting>,
}

impl Attest {
    pub(crate) fn new(connecting: Connecting) -> Self {
        Self {
            inner: (),
            connecting,
        }
    }
}

impl<S> Layer<S> for Attest {
    type Service = Attest<S>;

    fn layer(&self, inner: S) -> Attest<S> {
        Attest {
            inner,
            connecting: self.connecting.clone(),
        }
    }
}

// reqwest's request and connection types have no names outside of it; both are reached by inference.
impl<S, R, C> Service<R> for Attest<S>
where
    S: Service<R, Response = C, Error = BoxError>,
    S::Future: Send + 'static,
    C: hyper::rt::Read + hyper::rt::Write + Connection + Unpin + Send + 'static,
{
    type Response = C;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let Connecting {
            exchange,
            provider,
            log,
            http,
            contradicting,
        } = self.connecting.clone();
        if let Some(setting) = contradicting {
            let why = NotConnected::Setting("a setting of reqwest's builder has no effect");
            drop(exchange.not_connected(why));
            return Box::pin(async move { Err(Error::contradiction(setting).into()) });
        }
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let deadline = exchange.deadline();
            // The scope ends with the connect: TLS that a remote verifier makes during appraisal is not ours.
            let connecting = tokio::time::timeout_at(deadline, capture::observe(connecting));
            let (connected, observed) = connecting.await.map_err(|_| {
                drop(exchange.not_connected(NotConnected::Deadline));
                Error::connect_timeout()
            })?;
            let connection = connected.map_err(|error| typed(error, &exchange, http))?;
            let facts = Facts::of(&connection.connected());
            if facts.is_proxied {
                drop(exchange.not_connected(IN_THE_CLEAR));
                return Err(Error::proxied_in_the_clear().into());
            }
            let observed = observed.ok_or_else(|| {
                drop(exchange.not_connected(IN_THE_CLEAR));
                Error::not_tls()
            })?;
            let leaf = observed.chain.first().cloned();
            let server = observed.server.clone();
            let random = observed.client_random;
            let mut link = Link::new(connection, observed, &exchange, &provider)?;
            // Before the clock is read for the appraisal: nothing that waits puts the end off.
            let began = Instant::now();
            let peer = exchange
                .exchange(deadline, &server, &mut link, random)
                .await
                .map_err(Error::exchange)?;
            match (facts.addresses, peer) {
                (Some(addresses), Some(peer)) => {
                    // Whether reqwest shows the certificate depends on proxies; a response must match in that too.
                    let certificate = leaf.filter(|_| facts.has_tls_info);
                    let valid_for = peer.valid_for(peer.appraised_at());
                    let entry = Entry {
                        peer,
                        ends_at: began.checked_add(valid_for),
                        server,
                        certificate,
                    };
                    log.note(addresses, entry);
                }
                (Some(addresses), None) => log.forget(addresses),
                (None, _) => {}
            }
            Ok(link.io.into_inner())
        })
    }
}

/// A failure of TLS is this crate's business too; others, such as an unknown host, are reqwest's.
fn typed(error: BoxError, exchange: &ClientExchange, http: Http) -> BoxError {
    let traced = |tls: &rustls::Error| exchange.not_connected(NotConnected::Tls(tls.clone()));
    match tls_error(&*error) {
        Some(tls @ rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            // Traced like the others; the reason is a better one.
            drop(traced(tls));
            Error::http_version(http).into()
        }
        Some(tls) => Error::exchange(traced(tls)).into(),
        None => error,
    }
}

fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The source of an I/O error is that of what it holds, not what it holds.
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// For the event; the error of this crate says more.
const IN_THE_CLEAR: NotConnected = NotConnected::Uri("only https URIs are attested");

/// The properties of a connection.
struct Facts {
    /// HTTP to a proxy in the clear; not a CONNECT tunnel.
    is_proxied: bool,
    /// Local and remote; a Unix socket has none.
    addresses: Option<(SocketAddr, SocketAddr)>,
    has_tls_info: bool,
}

impl Facts {
    fn of(connected: &Connected) -> Self {
        let mut extras = http::Extensions::new();
        connected.get_extras(&mut extras);
        let tcp = extras.get::<HttpInfo>();
        Self {
            is_proxied: connected.is_proxied(),
            addresses: tcp.map(|tcp| (tcp.local_addr(), tcp.remote_addr())),
            has_tls_info: extras.get::<TlsInfo>().is_some(),
        }
    }
}

/// reqwest's connection with what was observed of its handshake.
struct Link<C> {
    io: TokioIo<C>,
    handshake: Handshake,
    exporter: ExporterSecret,
}

impl<C> Link<C> {
    fn new(
        connection: C,
        observed: Observed,
        exchange: &ClientExchange,
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        // The key log does not name the suite. Derivation depends on the hash alone, and the length of the secret tells the hash.
        let refused = |error: ProtocolError| {
            Error::exchange(exchange.not_connected(NotConnected::Handshake(error)))
        };
        let secret = &observed.exporter_secret;
        let suite = provider
            .cipher_suites
            .iter()
            .filter_map(rustls::SupportedCipherSuite::tls13)
            .find(|suite| suite.common.hash_provider.output_len() == secret.len())
            .ok_or_else(|| {
                drop(exchange.not_connected(IN_THE_CLEAR));
                Error::not_tls()
            })?;
        let identity = observed.identity.or_else(|| exchange.identity().cloned());
        let handshake = Handshake::observed(Side::Client, suite, identity, observed.chain);
        let mut handshake = handshake.map_err(refused)?;
        // What the provider leaves no choice of is known: the connection stands.
        if let Some(suite) = only_suite(provider, secret.len()) {
            handshake = handshake.with_suite(suite);
        }
        if let [group] = &provider.kx_groups[..] {
            handshake = handshake.with_group(group.name());
        }
        Ok(Self {
            io: TokioIo::new(connection),
            handshake,
            exporter: ExporterSecret::new(suite, secret).map_err(refused)?,
        })
    }
}

/// The suite of TLS 1.3 whose hash has this length, if the provider has one alone.
fn only_suite(provider: &CryptoProvider, hash_length: usize) -> Option<CipherSuite> {
    let mut suites = provider
        .cipher_suites
        .iter()
        .filter_map(rustls::SupportedCipherSuite::tls13)
        .map(|suite| &suite.common)
        .filter(|common| common.hash_provider.output_len() == hash_length);
    match (suites.next(), suites.next()) {
        (Some(only), None) => Some(only.suite),
        _ => None,
    }
}

impl<C: Send> Session for Link<C> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.exporter.export(label, context, output)
    }
}

impl<C: hyper::rt::Read + Unpin> AsyncRead for Link<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, buffer)
    }
}

impl<C: hyper::rt::Write + Unpin> AsyncWrite for Link<C> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
