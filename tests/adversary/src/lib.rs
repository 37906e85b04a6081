//! A peer that does not follow the protocol: it holds its own TLS stream, writes any bytes, and may authenticate with
//! any key. Attacks in tests and examples are made of these.
#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::session::Handshake;
use atls_core::session::Session;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;

/// One end of a TLS connection, with nothing of the protocol done on it.
#[derive(Debug)]
pub struct Link {
    /// The stream, for bytes of any kind.
    pub tls: TlsStream<TcpStream>,
    handshake: Handshake,
}

impl Link {
    /// As a client of `localhost`; `identity` answers if the server asks it to attest.
    ///
    /// # Errors
    /// Those of TLS.
    pub async fn connect(
        config: Arc<ClientConfig>,
        socket: TcpStream,
        identity: Option<Arc<CertifiedKey>>,
    ) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        Self::connect_to(config, name, socket, identity).await
    }

    /// As a client of a server of this name.
    ///
    /// # Errors
    /// Those of TLS.
    pub async fn connect_to(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        socket: TcpStream,
        identity: Option<Arc<CertifiedKey>>,
    ) -> io::Result<Self> {
        // A frame is written in pieces, and the peer acknowledges late.
        socket.set_nodelay(true)?;
        let tls = TlsConnector::from(config).connect(name, socket).await?;
        let handshake = Handshake::client(tls.get_ref().1, identity).map_err(io::Error::other)?;
        Ok(Self {
            tls: TlsStream::Client(tls),
            handshake,
        })
    }

    /// As a server; `identity` is the key of its authenticators, which an honest server would also use in TLS.
    ///
    /// # Errors
    /// Those of TLS.
    pub async fn accept(
        config: Arc<ServerConfig>,
        socket: TcpStream,
        identity: Arc<CertifiedKey>,
    ) -> io::Result<Self> {
        let tls = TlsAcceptor::from(config).accept(socket).await?;
        let handshake = Handshake::server(tls.get_ref().1, identity).map_err(io::Error::other)?;
        Ok(Self {
            tls: TlsStream::Server(tls),
            handshake,
        })
    }

    /// On a stream whose handshake is over; `identity` is as in [`connect`](Self::connect) or [`accept`](Self::accept).
    ///
    /// # Errors
    /// For another connection than one of a full handshake of TLS 1.3.
    pub fn on(tls: TlsStream<TcpStream>, identity: Arc<CertifiedKey>) -> io::Result<Self> {
        let handshake = match &tls {
            TlsStream::Client(stream) => Handshake::client(stream.get_ref().1, Some(identity)),
            TlsStream::Server(stream) => Handshake::server(stream.get_ref().1, identity),
        };
        Ok(Self {
            handshake: handshake.map_err(io::Error::other)?,
            tls,
        })
    }

    /// The same connection, authenticated with another key, and with no request spent on it yet: what an attacker who
    /// writes his own software is free to do.
    ///
    /// # Errors
    /// None while the connection lives.
    pub fn with_identity(&self, identity: Arc<CertifiedKey>) -> io::Result<View<'_>> {
        let handshake = match &self.tls {
            TlsStream::Client(stream) => Handshake::client(stream.get_ref().1, Some(identity)),
            TlsStream::Server(stream) => Handshake::server(stream.get_ref().1, identity),
        };
        Ok(View {
            link: self,
            handshake: handshake.map_err(io::Error::other)?,
        })
    }

    /// Writes one frame of any type, and a length that need not be that of the payload.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn write_frame(&mut self, kind: u8, length: u32, payload: &[u8]) -> io::Result<()> {
        let frame = [&[kind], &length.to_be_bytes()[..], payload].concat();
        self.tls.write_all(&frame).await?;
        self.tls.flush().await
    }

    /// Writes one well-formed frame.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn write(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        self.write_frame(kind, length, payload).await
    }

    /// Reads one frame: its type and payload.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn read(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let kind = self.tls.read_u8().await?;
        let length = u64::from(self.tls.read_u32().await?);
        let mut payload = Vec::new();
        (&mut self.tls)
            .take(length)
            .read_to_end(&mut payload)
            .await?;
        Ok((kind, payload))
    }

    /// Reads until the peer closes; what it sent until then.
    pub async fn drain(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.tls.read_to_end(&mut rest).await;
        rest
    }
}

impl Session for Link {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        let exported = match &self.tls {
            TlsStream::Client(stream) => {
                stream
                    .get_ref()
                    .1
                    .export_keying_material(output, label, Some(context))
            }
            TlsStream::Server(stream) => {
                stream
                    .get_ref()
                    .1
                    .export_keying_material(output, label, Some(context))
            }
        };
        exported.map(drop).map_err(|_| ProtocolError::Export)
    }
}

/// A connection under another identity.
#[derive(Debug)]
pub struct View<'a> {
    link: &'a Link,
    handshake: Handshake,
}

impl Session for View<'_> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.link.export(label, context, output)
    }
}

/// An authenticator request.
pub const REQUEST: u8 = 1;
/// An authenticator.
pub const AUTHENTICATOR: u8 = 2;
/// A verdict.
pub const VERDICT: u8 = 3;
