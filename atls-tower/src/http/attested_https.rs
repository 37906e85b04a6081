//! The connector for hyper-util and tonic.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::limits::DEFAULT_CONNECT;
use http::Uri;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tower_service::Service;

use super::attested_io::AttestedIo;
use super::attested_io::server_name;
use crate::connector::ClientConnector;
use crate::error::Error;
use crate::stage::Stage;

/// A connector that attests the server after TLS and before HTTP: `Service<Uri>` for hyper-util's client and tonic's
/// `Endpoint::connect_with_connector`.
///
/// With hyper-util each response has the [`ServerAttestation`](crate::ServerAttestation) of the connection that it came
/// over in its extensions. tonic drops those extensions: there [`on_connected`](Self::on_connected) tells.
///
/// Shortly before the attestation expires, a server of this project drains the connection, and the next request goes on a new
/// one. A server that does not gets requests until [`DEFAULT_GRACE`](atls_core::limits::DEFAULT_GRACE) after the end, then the
/// connection fails. [`RetireLayer`](crate::RetireLayer) around the client sends it none; [`without_grace`](Self::without_grace)
/// is for clients that the layer does not suit, such as tonic's.
///
/// Only `https` URIs are connected to, unless [`also_for_http_uris`](Self::also_for_http_uris) says that those too
/// mean attested TLS.
///
/// ```
/// use atls_tower::{AttestedHttps, ClientConnector, ClientTerms};
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// # use atls_sim::SimAttester;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.client(&["h2", "http/1.1"])?;
/// # let servers = demo::trusting(&SimAttester::generate()?)?;
/// let connector = ClientConnector::new(tls, ClientTerms::new().require_peer(servers))?;
/// let https = AttestedHttps::new(connector);
/// let client: Client<_, String> = Client::builder(TokioExecutor::new()).build(https);
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AttestedHttps<H = HttpConnector> {
    transport: H,
    connector: ClientConnector,
    http_uris: HttpUris,
    grace: Grace,
    observer: Option<Arc<dyn Observe>>,
}

/// The function that is called for each connection.
trait Observe: Send + Sync {
    fn connected(&self, uri: &Uri, peer: Option<&Arc<PeerAttestation>>);
}

impl<F> Observe for F
where
    F: Fn(&Uri, Option<&Arc<PeerAttestation>>) + Send + Sync,
{
    fn connected(&self, uri: &Uri, peer: Option<&Arc<PeerAttestation>>) {
        self(uri, peer);
    }
}

/// Whether answers under way may still arrive when the attestation has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grace {
    None,
    Some,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HttpUris {
    Attested,
    Refused,
}

impl AttestedHttps {
    /// Over TCP. A socket connects within [`DEFAULT_CONNECT`], or [as set](Self::with_connect_timeout).
    pub fn new(connector: ClientConnector) -> Self {
        let mut transport = HttpConnector::new();
        transport.enforce_http(false);
        transport.set_nodelay(true);
        Self::over(transport, connector).with_connect_timeout(DEFAULT_CONNECT)
    }

    /// Sets the longest time to connect a socket. The addresses of a name that are tried one after the other share it, so an address that
    /// answers nothing does not take it all. It is within the deadline of the terms.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.transport.set_connect_timeout(Some(timeout));
        self
    }
}

impl<H> AttestedHttps<H> {
    /// Over another transport, such as a Unix socket or a CONNECT tunnel. Where that is attested too, as to a proxy,
    /// responses and [`on_connected`](Self::on_connected) speak of the server at the end alone.
    pub fn over(transport: H, connector: ClientConnector) -> Self {
        Self {
            transport,
            connector,
            http_uris: HttpUris::Refused,
            grace: Grace::Some,
            observer: None,
        }
    }

    /// Ends connections at the very moment when the server's attestation expires, answers under way included.
    #[must_use]
    pub fn without_grace(mut self) -> Self {
        self.grace = Grace::None;
        self
    }

    /// Calls the function for each connection, when its server was accepted and before HTTP begins on it: for clients
    /// whose responses do not say which connection they came over. Keep it short; it holds the connection up.
    #[must_use]
    pub fn on_connected<F>(mut self, observer: F) -> Self
    where
        F: Fn(&Uri, Option<&Arc<PeerAttestation>>) + Send + Sync + 'static,
    {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Does attested TLS for `http` URIs as well: for clients such as tonic that take an `https` URI as a wish for TLS
    /// of their own. Nothing is ever sent in the clear.
    #[must_use]
    pub fn also_for_http_uris(mut self) -> Self {
        self.http_uris = HttpUris::Attested;
        self
    }

    fn server_name(&self, uri: &Uri) -> Result<ServerName<'static>, Error> {
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if self.http_uris == HttpUris::Attested => {}
            _ => return Err(Error::uri("only https URIs are attested")),
        }
        let host = uri.host().ok_or_else(|| Error::uri("it names no host"))?;
        server_name(host).ok_or_else(|| Error::uri("its host is no server name"))
    }
}

impl<H> Service<Uri> for AttestedHttps<H>
where
    H: Service<Uri>,
    H::Response: hyper::rt::Read + hyper::rt::Write + Connection + Unpin + Send + 'static,
    H::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    H::Future: Send + 'static,
{
    type Response = AttestedIo<H::Response>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.transport.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let name = match self.server_name(&uri) {
            Ok(name) => name,
            Err(error) => {
                self.connector.attempt(None).fail(&error);
                return Box::pin(async { Err(error.into()) });
            }
        };
        let deadline = self.connector.deadline();
        let connecting = self.transport.call(uri.clone());
        let connector = self.connector.clone();
        let observer = self.observer.clone();
        let grace = self.grace;
        Box::pin(async move {
            // Its own errors are those of the transport.
            let connecting = async { Ok(connecting.await) };
            let io = match deadline.bound(Stage::Connect, connecting).await {
                Ok(connected) => connected.map_err(Into::into)?,
                Err(error) => {
                    connector.attempt(Some(&name)).fail(&error);
                    return Err(error.into());
                }
            };
            let stream = connector
                .connect_until(deadline, name.clone(), TokioIo::new(io))
                .await?;
            if let Some(observer) = observer {
                observer.connected(&uri, stream.peer());
            }
            let stream = match grace {
                Grace::Some => stream,
                Grace::None => stream.without_grace(),
            };
            Ok(AttestedIo::new(stream, name))
        })
    }
}

impl<H: fmt::Debug> fmt::Debug for AttestedHttps<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestedHttps")
            .field("transport", &self.transport)
            .field("connector", &self.connector)
            .field("http_uris", &self.http_uris)
            .finish_non_exhaustive()
    }
}
