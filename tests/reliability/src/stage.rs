//! Peers that come to some stage of a connection and do nothing more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use adversary::REQUEST;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Parameters;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use axum::BoxError;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;

use crate::client;
use crate::client::Http;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::router::HELLO;

/// Where a peer stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Connected,
    HalfHello,
    Hello,
    Tls,
    HalfFrame,
    Request,
    Attested,
    HalfHead,
    HalfBody,
    Answer,
    Served,
    Http2Preface,
    Http2HalfHead,
}

impl Stage {
    pub(crate) const ALL: [Self; 13] = [
        Self::Connected,
        Self::HalfHello,
        Self::Hello,
        Self::Tls,
        Self::HalfFrame,
        Self::Request,
        Self::Attested,
        Self::HalfHead,
        Self::HalfBody,
        Self::Answer,
        Self::Served,
        Self::Http2Preface,
        Self::Http2HalfHead,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connected => "after TCP",
            Self::HalfHello => "half of a ClientHello",
            Self::Hello => "after ClientHello",
            Self::Tls => "after TLS",
            Self::HalfFrame => "half of the request for attestation",
            Self::Request => "after that request",
            Self::Attested => "after attestation",
            Self::HalfHead => "half of a request's head",
            Self::HalfBody => "half of a request's body",
            Self::Answer => "takes nothing of the answer",
            Self::Served => "after an answer",
            Self::Http2Preface => "after SETTINGS of HTTP/2",
            Self::Http2HalfHead => "half of a head of HTTP/2",
        }
    }

    /// The deadline that docs/architecture.md gives for it.
    pub(crate) fn deadline(self, limits: &Limits) -> Duration {
        match self {
            Self::Connected | Self::HalfHello | Self::Hello => limits.deadline,
            Self::Tls => limits.first_byte,
            Self::HalfFrame | Self::Request => limits.deadline,
            Self::Attested | Self::HalfHead | Self::Http2Preface | Self::Http2HalfHead => {
                limits.first_request
            }
            Self::HalfBody => limits.request_body,
            Self::Answer => limits.unread,
            Self::Served => limits.idle,
        }
    }
}

/// Hostile clients of one server, with a device that it accepts.
#[derive(Clone)]
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    tls: Arc<ClientConfig>,
    http1: ClientConnector,
    http2: ClientConnector,
}

impl Hostile {
    pub(crate) fn new(keys: &Keys, address: SocketAddr) -> Result<Self, BoxError> {
        Ok(Self {
            address,
            tls: Arc::new(client::tls(keys, Http::One)?),
            http1: client::connector_of(keys, &keys.client_device, Http::One)?,
            http2: client::connector_of(keys, &keys.client_device, Http::Two)?,
        })
    }

    /// Comes to a stage and stops.
    pub(crate) async fn stop_at(&self, stage: Stage) -> Result<Held, BoxError> {
        match stage {
            Stage::Connected => Ok(Held::Socket(self.socket().await?)),
            Stage::HalfHello | Stage::Hello => self.hello(stage).await,
            Stage::Tls => Ok(Held::Link(Box::new(self.link().await?))),
            Stage::HalfFrame | Stage::Request => self.request(stage).await,
            Stage::Attested => self.http(&self.http1, b"").await,
            Stage::HalfHead => self.http(&self.http1, b"GET / HTTP/1.1\r\nho").await,
            Stage::HalfBody => self.http(&self.http1, HALF_BODY).await,
            Stage::Answer => self.http(&self.http1, HUGE).await,
            Stage::Served => self.served().await,
            Stage::Http2Preface => self.http(&self.http2, PREFACE).await,
            Stage::Http2HalfHead => {
                let half = [PREFACE, HALF_HEAD].concat();
                self.http(&self.http2, &half).await
            }
        }
    }

    pub(crate) async fn socket(&self) -> Result<TcpStream, BoxError> {
        let socket = TcpSocket::new_v4()?;
        // Little is taken of an answer before anything is read.
        socket.set_recv_buffer_size(16 * 1024)?;
        let socket = socket.connect(self.address).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }

    pub(crate) async fn link(&self) -> Result<Link, BoxError> {
        let link = Link::connect(self.tls.clone(), self.socket().await?, None);
        Ok(tokio::time::timeout(PATIENCE, link).await??)
    }

    /// An attested connection that has sent these bytes.
    pub(crate) async fn attested(
        &self,
        http: Http,
        bytes: &[u8],
    ) -> Result<AttestedStream<TcpStream>, BoxError> {
        let connector = match http {
            Http::One => &self.http1,
            Http::Two => &self.http2,
        };
        let name = ServerName::try_from("localhost")?;
        let mut stream = connector.connect(name, self.socket().await?).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok(stream)
    }

    async fn http(&self, connector: &ClientConnector, bytes: &[u8]) -> Result<Held, BoxError> {
        let name = ServerName::try_from("localhost")?;
        let mut stream = connector.connect(name, self.socket().await?).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok(Held::Stream(Box::new(stream)))
    }

    async fn served(&self) -> Result<Held, BoxError> {
        let mut stream = self.attested(Http::One, GET).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(HELLO.as_bytes()) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err("no answer".into());
            }
        }
        Ok(Held::Stream(Box::new(stream)))
    }

    async fn hello(&self, stage: Stage) -> Result<Held, BoxError> {
        let name = ServerName::try_from("localhost")?;
        let mut connection = ClientConnection::new(self.tls.clone(), name)?;
        let mut hello = Vec::new();
        connection.write_tls(&mut hello)?;
        if stage == Stage::HalfHello {
            hello.truncate(hello.len() / 2);
        }
        let mut socket = self.socket().await?;
        socket.write_all(&hello).await?;
        Ok(Held::Socket(socket))
    }

    async fn request(&self, stage: Stage) -> Result<Held, BoxError> {
        let mut link = self.link().await?;
        let formats = vec!["application/eat+cwt".parse()?, PSA.parse()?];
        let parameters = Parameters::client(formats, true, CanAttest::AfterServer);
        let made = atls_core::exchange::request(&link, &demo::provider(), Some(&parameters));
        let (request, _) = made?;
        let length = u32::try_from(request.len())?;
        let sent = match stage {
            Stage::HalfFrame => request.get(..request.len() / 2).unwrap_or_default(),
            _ => &request,
        };
        link.write_frame(REQUEST, length, sent).await?;
        Ok(Held::Link(Box::new(link)))
    }
}

/// A connection that stays as it is.
pub(crate) enum Held {
    Socket(TcpStream),
    Link(Box<Link>),
    Stream(Box<AttestedStream<TcpStream>>),
}

impl Held {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Socket(socket) => socket,
            Self::Link(link) => link.tls.get_ref().0,
            Self::Stream(stream) => stream.get_ref().0,
        }
    }

    /// Takes what comes until the server ends the connection; gives how many bytes that were, as they are on the wire.
    pub(crate) async fn until_closed(&self) -> usize {
        let mut buffer = vec![0; 16 * 1024];
        let mut taken = 0;
        loop {
            if self.socket().readable().await.is_err() {
                return taken;
            }
            match self.socket().try_read(&mut buffer) {
                Ok(0) => return taken,
                Ok(bytes) => taken += bytes,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return taken,
            }
        }
    }

    /// Is gone without a word: the server gets a reset.
    pub(crate) fn reset(self) -> Result<(), BoxError> {
        Ok(SockRef::from(self.socket()).set_linger(Some(Duration::ZERO))?)
    }

    /// Sends nothing more, without the end of TLS, and stays.
    pub(crate) fn finish(&self) -> Result<(), BoxError> {
        let finished = SockRef::from(self.socket()).shutdown(std::net::Shutdown::Write);
        // The server may have ended it before.
        match finished {
            Err(error) if error.kind() != std::io::ErrorKind::NotConnected => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// One request, and the connection goes on.
pub(crate) const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nwho: honest\r\n\r\n";
const HUGE: &[u8] = b"GET /huge HTTP/1.1\r\nhost: localhost\r\nwho: honest\r\n\r\n";
const HALF_BODY: &[u8] =
    b"POST /upload HTTP/1.1\r\nhost: localhost\r\nwho: honest\r\ncontent-length: 100\r\n\r\nhalf";

/// The preface of HTTP/2, and empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// HEADERS of stream 1 without END_HEADERS: GET, https, /.
const HALF_HEAD: &[u8] = b"\x00\x00\x03\x01\x01\x00\x00\x00\x01\x82\x87\x84";

const PSA: &str = "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";

const PATIENCE: Duration = Duration::from_secs(60);
