//! Somebody in between, with a good certificate and no machine: ends TLS on both sides, and passes everything on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use rustls::pki_types::ServerName;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

use crate::client;
use crate::client::Http;
use crate::keys::Keys;

/// A relay that runs as long as this value lives.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(keys: &Keys, to: SocketAddr) -> Result<Self, BoxError> {
        let tls = keys.relay.issued()?.server().map_err(|e| e.to_string())?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let http1 = TlsConnector::from(Arc::new(client::tls(keys, Http::One)?));
        let http2 = TlsConnector::from(Arc::new(client::tls(keys, Http::Two)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut victims = JoinSet::new();
            while let Ok((victim, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                let (http1, http2) = (http1.clone(), http2.clone());
                victims.spawn(async move {
                    let between = async {
                        let mut near = acceptor.accept(victim).await?;
                        let connector = match near.get_ref().1.alpn_protocol() {
                            Some(b"h2") => http2,
                            _ => http1,
                        };
                        let name = ServerName::try_from("localhost")?;
                        let mut far = connector
                            .connect(name, TcpStream::connect(to).await?)
                            .await?;
                        tokio::io::copy_bidirectional(&mut near, &mut far).await?;
                        Ok::<_, BoxError>(())
                    };
                    let _ = tokio::time::timeout(AT_MOST, between).await;
                });
                while victims.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const AT_MOST: Duration = Duration::from_secs(30);
