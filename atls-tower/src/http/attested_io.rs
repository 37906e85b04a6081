//! An attested stream as hyper-util's client takes it, and the attestation that its responses show.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::PeerAttestation;
use http::Extensions;
use http::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::client::legacy::connect::HttpInfo;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;

use super::retirement::Retirement;
use crate::stream::AttestedStream;
use crate::stream::Lifetime;

/// The attestation of the server that a response's connection ends at, in the extensions of each response that comes
/// over [`AttestedHttps`](crate::AttestedHttps).
///
/// It is there for unattested servers too: over an attested proxy, the proxy's would be found in its place otherwise.
#[derive(Clone, Debug)]
pub struct ServerAttestation {
    /// The name that the server's certificate was checked for.
    name: ServerName<'static>,
    peer: Option<Arc<PeerAttestation>>,
    pub(super) retirement: Arc<Retirement>,
}

impl ServerAttestation {
    /// When the connection of a response drains and ends, from the extensions of the response. A long stream, such as an
    /// upgraded connection, moves to another one when it [drains](Lifetime::draining). `None` for a response of another client.
    pub fn lifetime(extensions: &Extensions) -> Option<&Lifetime> {
        let found = extensions.get::<Self>()?;
        Some(found.retirement.lifetime())
    }

    /// The attestation of the server that answered a request for this URI, from the extensions of the response. `None`
    /// for a server that was not asked to attest, for a response of another client, and where the URI's host is another
    /// than the server's name: a connector of ordinary TLS over an attested proxy hands the proxy's attestation on.
    ///
    /// An answer that was under way when the attestation expired still shows it: [`is_expired`](atls_core::policy::Candidate::is_expired) tells. No later one comes
    /// over [`RetireLayer`](crate::RetireLayer).
    ///
    /// ```
    /// # use atls_tower::ServerAttestation;
    /// # fn example<B>(uri: &http::Uri, response: http::Response<B>) {
    /// match ServerAttestation::of(response.extensions(), uri) {
    ///     Some(server) => println!("answered by {}", server.status()),
    ///     None => println!("answered by a server that did not attest"),
    /// }
    /// # }
    /// ```
    pub fn of<'a>(extensions: &'a Extensions, uri: &Uri) -> Option<&'a Arc<PeerAttestation>> {
        let found = extensions.get::<Self>()?;
        let name = server_name(uri.host()?)?;
        found.peer.as_ref().filter(|_| found.name == name)
    }
}

/// An attested stream as hyper takes it.
///
/// It ends for its reader when it [drains](Lifetime::draining) before anything was written to it: a pool may have made it for a request that
/// got another connection in the end, and would give it to a later one.
#[derive(Debug)]
pub struct AttestedIo<T> {
    io: TokioIo<AttestedStream<TokioIo<T>>>,
    name: ServerName<'static>,
    retirement: Arc<Retirement>,
    written: Written,
}

/// Whether a byte of HTTP was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Nothing,
    Something,
}

impl<T> AttestedIo<T> {
    pub(crate) fn new(stream: AttestedStream<TokioIo<T>>, name: ServerName<'static>) -> Self {
        Self {
            retirement: Retirement::new(stream.lifetime()),
            io: TokioIo::new(stream),
            name,
            written: Written::Nothing,
        }
    }

    /// The stream.
    pub fn stream(&self) -> &AttestedStream<TokioIo<T>> {
        self.io.inner()
    }
}

impl<T> Drop for AttestedIo<T> {
    fn drop(&mut self) {
        self.retirement.end();
    }
}

impl<T: Connection> Connection for AttestedIo<T> {
    /// The description that the transport gives of itself, with the ALPN and the server of this connection.
    fn connected(&self) -> Connected {
        let stream = self.stream();
        let transport = stream.get_ref().0.inner().connected();
        let connected = match stream.alpn_protocol() {
            Some(b"h2") => transport.negotiated_h2(),
            _ if transport.is_negotiated_h2() => without_alpn(&transport),
            _ => transport,
        };
        connected.extra(ServerAttestation {
            name: self.name.clone(),
            peer: stream.peer().cloned(),
            retirement: self.retirement.clone(),
        })
    }
}

/// The name of a URI's host, which has an IPv6 address in brackets.
pub(super) fn server_name(host: &str) -> Option<ServerName<'static>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).ok()
}

/// A transport that is TLS itself may have agreed on HTTP/2 with its own server, and there is no way to take that back.
/// Of its extras only the addresses are kept, because the others cannot be enumerated.
fn without_alpn(transport: &Connected) -> Connected {
    let mut extras = Extensions::new();
    transport.get_extras(&mut extras);
    let connected = Connected::new().proxy(transport.is_proxied());
    match extras.remove::<HttpInfo>() {
        Some(addresses) => connected.extra(addresses),
        None => connected,
    }
}

impl<T> hyper::rt::Read for AttestedIo<T>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.io).poll_read(cx, buffer);
        // The stream wakes its reader when it drains.
        let is_unused = read.is_pending() && this.written == Written::Nothing;
        if is_unused && this.retirement.lifetime().is_draining() {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl<T> hyper::rt::Write for AttestedIo<T>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.written = Written::Something;
        Pin::new(&mut this.io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.written = Written::Something;
        Pin::new(&mut this.io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
