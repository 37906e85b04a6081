//! Connections on which the ends may attest in their certificates, whichever end this is.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::session::Side;
use rustls::DistinguishedName;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;

use super::Flaw;
use super::Mode;
use super::certificate::About;
use super::certificate::make;
use super::nonce::RandomLog;
use super::nonce::name_of;
use super::nonce::nonces_in;
use super::nonce::random_in;
use crate::kit::Kit;
use crate::party::random;
use crate::tls;

/// How this end presents itself.
#[derive(Clone, Debug)]
pub struct Presenter {
    pub kit: Kit,
    pub mode: Mode,
    pub flaw: Option<Flaw>,
    /// The nonces that a server of this end names.
    pub nonces: usize,
    /// What a client of this end makes of nonces.
    pub choice: Choice,
}

/// How a client chooses among nonces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The only one.
    #[default]
    Only,
    /// The first of any number.
    First,
    /// The only one, or one that it makes up.
    MadeUp,
}

/// A connection whose handshake is complete.
#[derive(Debug)]
pub struct Met {
    pub tls: TlsStream<TcpStream>,
    /// The peer's certificate.
    pub peer: Option<CertificateDer<'static>>,
    /// What the Evidence in it must be about.
    pub about: About,
}

impl Presenter {
    pub fn new(kit: &Kit, mode: Mode) -> Self {
        Self {
            kit: kit.clone(),
            mode,
            flaw: None,
            nonces: 1,
            choice: Choice::Only,
        }
    }

    /// # Errors
    /// Those of TLS.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Met> {
        let hello = tls::first_record(&socket).await?;
        let about = About {
            mode: self.mode,
            presenter: Side::Server,
            nonce: random_in(&hello).unwrap_or_default(),
        };
        let key = make(&self.kit, &about, self.flaw).map_err(io::Error::other)?;
        let nonces: Vec<[u8; 32]> = (0..self.nonces).map(|_| fresh()).collect();
        let hints = match self.mode {
            Mode::InHandshake => nonces
                .iter()
                .map(|nonce| DistinguishedName::from(name_of(nonce)))
                .collect(),
            Mode::InCertificate => Vec::new(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = tls::server_asking(provider, key, hints).map_err(io::Error::other)?;
        let stream = TlsAcceptor::from(Arc::new(config)).accept(socket).await?;
        let peer = first(stream.get_ref().1.peer_certificates());
        Ok(Met {
            tls: TlsStream::Server(stream),
            peer,
            about: About {
                presenter: Side::Client,
                nonce: nonces.first().copied().unwrap_or_default(),
                ..about
            },
        })
    }

    /// # Errors
    /// Those of TLS.
    pub async fn connect(&self, socket: TcpStream) -> io::Result<Met> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls13 = &rustls::version::TLS13;
        let mut config = tls::client(provider, tls13).map_err(io::Error::other)?;
        let log = RandomLog::default();
        config.key_log = Arc::new(log.clone());
        let resolver = Arc::new(Resolver {
            presenter: self.clone(),
            failure: Mutex::default(),
        });
        config.client_auth_cert_resolver = resolver.clone();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(self.kit.server_name()?, socket).await?;
        if let Some(failure) = resolver
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            return Err(io::Error::other(failure));
        }
        let peer = first(stream.get_ref().1.peer_certificates());
        Ok(Met {
            tls: TlsStream::Client(stream),
            peer,
            about: About {
                mode: self.mode,
                presenter: Side::Server,
                nonce: log.random().unwrap_or_default(),
            },
        })
    }
}

/// Makes a client's certificate in the middle of the handshake.
#[derive(Debug)]
struct Resolver {
    presenter: Presenter,
    failure: Mutex<Option<String>>,
}

impl ResolvesClientCert for Resolver {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let nonce = match (
            self.presenter.mode,
            &nonces_in(hints)[..],
            self.presenter.choice,
        ) {
            (Mode::InCertificate, ..) => [0; 32],
            (_, [nonce], _) | (_, [nonce, ..], Choice::First) => *nonce,
            (_, [], Choice::MadeUp) => [0; 32],
            _ => return None,
        };
        let about = About {
            mode: self.presenter.mode,
            presenter: Side::Client,
            nonce,
        };
        match make(&self.presenter.kit, &about, self.presenter.flaw) {
            Ok(key) => Some(key),
            Err(why) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                None
            }
        }
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn first(chain: Option<&[CertificateDer<'static>]>) -> Option<CertificateDer<'static>> {
    chain.and_then(|chain| chain.first().cloned())
}

fn fresh() -> [u8; 32] {
    random().try_into().unwrap_or_default()
}
