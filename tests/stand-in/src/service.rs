//! A service on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use atls_core::http::HttpClient;
use atls_remote::Endpoint;
use atls_remote::ReqwestClient;
use axum::Router;
use axum::serve::ListenerExt;
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Serves plain HTTP on 127.0.0.1 for as long as it lives.
pub struct Loopback {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Loopback {
    pub async fn serve(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
            axum::serve(listener, app).await.unwrap();
        });
        Self { address, task }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::dangerous_loopback(&self.url("")).unwrap()
    }

    /// The same over HTTP/2 in the clear, for clients that know.
    pub async fn serve_http2(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let service = TowerToHyperService::new(app.clone());
                let builder = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(builder.serve_connection(TokioIo::new(socket), service));
            }
        });
        Self { address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client that may ask it.
    pub fn client() -> Arc<dyn HttpClient> {
        // reqwest wants a provider even where no TLS is spoken.
        let builder = atls_remote::reqwest::Client::builder().tls_backend_preconfigured(
            rustls::ClientConfig::builder_with_provider(Arc::new(
                rustls::crypto::ring::default_provider(),
            ))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
        );
        Arc::new(ReqwestClient::dangerous_loopback(builder).unwrap())
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}
