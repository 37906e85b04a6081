//! A service on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use atls_core::http::HttpClient;
use atls_remote::Endpoint;
use atls_remote::ReqwestClient;
use axum::Router;
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
            axum::serve(listener, app).await.unwrap();
        });
        Self { address, task }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::dangerous_loopback(&self.url("")).unwrap()
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
