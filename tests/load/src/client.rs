//! A client: opens connections, and sends something over them.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use axum::BoxError;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::certificates::Certificates;
use crate::client_end::ClientEnd;
use crate::service::Carries;
use crate::service::Service;

/// Opens connections of one kind to one server.
pub(crate) struct Client {
    end: ClientEnd,
    address: SocketAddr,
    carries: Carries,
}

impl Client {
    pub(crate) async fn new(
        service: &Service,
        certificates: &Certificates,
        address: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            end: ClientEnd::new(service, certificates).await?,
            address,
            carries: service.carries,
        })
    }

    /// Opens a connection, sends one byte or one request over it, takes the answer, and ends it.
    pub(crate) async fn once(&self) -> Result<(), BoxError> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let socket = self.socket().await?;
        match &self.end {
            ClientEnd::Plain(connector) => {
                self.use_once(connector.connect(name, socket).await?).await
            }
            ClientEnd::Attested(connector) => {
                self.use_once(connector.connect(name, socket).await?).await
            }
        }
    }

    /// Opens a connection, sends one byte over it, takes the answer, and gives what holds the connection while it waits for
    /// more.
    pub(crate) async fn idle(&self) -> Result<tokio::task::AbortHandle, BoxError> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let socket = self.socket().await?;
        let task = match &self.end {
            ClientEnd::Plain(connector) => {
                let mut stream = connector.connect(name, socket).await?;
                ask(&mut stream).await?;
                tokio::spawn(wait(Box::new(stream)))
            }
            ClientEnd::Attested(connector) => {
                let mut stream = connector.connect(name, socket).await?;
                ask(&mut stream).await?;
                tokio::spawn(wait(Box::new(stream)))
            }
        };
        Ok(task.abort_handle())
    }

    /// Opens a connection for many requests.
    pub(crate) async fn requests(&self) -> Result<Requests, BoxError> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let socket = self.socket().await?;
        match &self.end {
            ClientEnd::Plain(connector) => self.http(connector.connect(name, socket).await?).await,
            ClientEnd::Attested(connector) => {
                self.http(connector.connect(name, socket).await?).await
            }
        }
    }

    async fn socket(&self) -> io::Result<TcpStream> {
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }

    async fn use_once<S>(&self, mut stream: S) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match self.carries {
            Carries::Byte => Ok(ask(&mut stream).await?),
            Carries::Http1 | Carries::Http2 => self.http(stream).await?.get().await,
        }
    }

    async fn http<S>(&self, stream: S) -> Result<Requests, BoxError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = TokioIo::new(stream);
        if self.carries == Carries::Http2 {
            let (requests, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            return Ok(Requests::Http2(requests));
        }
        let (requests, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(Requests::Http1(requests))
    }
}

/// The requests of one connection.
pub(crate) enum Requests {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Requests {
    /// Sends one request and takes the whole answer.
    pub(crate) async fn get(&mut self) -> Result<(), BoxError> {
        let builder = Request::get("https://localhost/").header("host", "localhost");
        let request = builder.body(Body::empty())?;
        let response = match self {
            Self::Http1(requests) => {
                requests.ready().await?;
                requests.send_request(request).await?
            }
            Self::Http2(requests) => {
                requests.ready().await?;
                requests.send_request(request).await?
            }
        };
        if !response.status().is_success() {
            return Err(response.status().to_string().into());
        }
        let body: Incoming = response.into_body();
        body.collect().await?;
        Ok(())
    }

    /// Another sender of the same connection, where the protocol has streams.
    pub(crate) fn another(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(requests) => Some(Self::Http2(requests.clone())),
        }
    }
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    // 'G', as HTTP would begin: none of the protocol's frames.
    stream.write_u8(b'G').await?;
    stream.flush().await?;
    stream.read_u8().await.map(drop)
}

/// The stream is boxed, since this future would hold it twice.
async fn wait(mut stream: Box<impl AsyncRead + Unpin>) {
    // Nothing comes until the server ends.
    let _ = stream.read_u8().await;
}
