//! The kit: what it presents, whom it tests, and how it gets to a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adversary::Link;
use atls_core::BoxFuture;
use atls_core::session::Side;
use rustls::pki_types::ServerName;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::evidence::Source;
use crate::keys::Keys;
use crate::keys::TOKEN;
use crate::party::MOST;
use crate::party::Party;
use crate::tls::Presented;
use crate::tls::Tls;

/// What the kit presents, and how long it waits.
#[derive(Clone, Debug)]
pub struct Kit {
    pub keys: Arc<Keys>,
    pub source: Source,
    /// The media types that the kit's requests list. It appraises none of them.
    pub formats: Vec<String>,
    /// Whether a server under test refuses clients that do not attest. A client's own request tells it.
    pub demands: bool,
    /// The longest wait for anything of the peer.
    pub limit: Duration,
    /// The name by which the kit's clients call a server.
    pub name: String,
}

/// Makes the client under test connect, once for each call.
pub trait Dial: Send + Sync {
    /// Connects to this address, does what a client does, and ends with the connection.
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()>;
}

/// The peer under test.
#[derive(Clone)]
pub enum Target {
    /// A server that listens here.
    Server(SocketAddr),
    /// A client, which can be made to connect to any address of this machine.
    Client(Arc<dyn Dial>),
    /// A client that connects to this listener by itself, again and again.
    Visitors(Arc<TcpListener>),
}

impl Target {
    /// The side of the peer.
    pub fn side(&self) -> Side {
        match self {
            Self::Server(_) => Side::Server,
            Self::Client(_) | Self::Visitors(_) => Side::Client,
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
            Self::Visitors(_) => "Visitors",
        })
    }
}

impl Kit {
    /// # Errors
    /// Those of [`Keys::generate`].
    pub fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            source: Source::Device,
            formats: vec![TOKEN.to_owned()],
            demands: true,
            limit: Duration::from_secs(5),
            name: "localhost".to_owned(),
        }
    }

    /// A TCP connection with the peer.
    ///
    /// # Errors
    /// Where there is none within the limit.
    pub async fn socket(&self, target: &Target) -> io::Result<TcpStream> {
        let connecting = async {
            match target {
                Target::Server(address) => TcpStream::connect(address).await,
                Target::Client(client) => {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    tokio::spawn(client.dial(listener.local_addr()?));
                    Ok(listener.accept().await?.0)
                }
                Target::Visitors(listener) => Ok(listener.accept().await?.0),
            }
        };
        let patience = match target {
            Target::Visitors(_) => self.limit.saturating_mul(60),
            _ => self.limit.saturating_mul(2),
        };
        timeout(patience, connecting)
            .await
            .map_err(|_| io::Error::other("the peer did not connect"))?
    }

    /// A TLS connection with the peer, and nothing of the protocol on it.
    ///
    /// # Errors
    /// Where there is none within the limit.
    pub async fn meet(&self, target: &Target, tls: &Tls) -> io::Result<Party> {
        let socket = self.socket(target).await?;
        let is_asked = Arc::new(AtomicBool::new(target.side() == Side::Client));
        let (link, key) = match target {
            Target::Server(_) => {
                let mut config = tls.client().map_err(io::Error::other)?;
                let key = tls.key.clone().unwrap_or_else(|| self.keys.client.clone());
                if tls.certificate {
                    config.client_auth_cert_resolver = Arc::new(Presented {
                        key: key.clone(),
                        is_asked: is_asked.clone(),
                    });
                }
                let name = self.server_name()?;
                let connecting =
                    Link::connect_to(Arc::new(config), name, socket, Some(key.clone()));
                (timeout(self.limit, connecting).await, key)
            }
            Target::Client(_) | Target::Visitors(_) => {
                let key = tls.key.clone().unwrap_or_else(|| self.keys.server.clone());
                let config = Arc::new(tls.server(key.clone()).map_err(io::Error::other)?);
                let accepting = Link::accept(config, socket, key.clone());
                (timeout(self.limit, accepting).await, key)
            }
        };
        Ok(Party {
            link: link.map_err(|_| io::Error::other("no TLS handshake within the limit"))??,
            keys: self.keys.clone(),
            source: self.source.clone(),
            limit: self.limit,
            key,
            // What a peer may not send is looked at all the same.
            longest: MOST,
            habit: None,
            has_certificate: is_asked.load(Ordering::SeqCst),
            spent: Vec::new(),
        })
    }

    pub fn server_name(&self) -> io::Result<ServerName<'static>> {
        ServerName::try_from(self.name.clone()).map_err(io::Error::other)
    }
}
