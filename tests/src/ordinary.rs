//! An HTTPS server that knows nothing of attestation.

use std::sync::Arc;

use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::World;

/// Serves on the port that it gives, under the genuine server's certificate.
pub async fn ordinary_server(world: &World, alpn: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(socket).await else {
                continue;
            };
            let app = TowerToHyperService::new(axum::Router::<()>::new());
            let executor = TokioExecutor::new();
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let io = TokioIo::new(stream);
            // The client breaks off; what remains of the connection is of no interest.
            let _ = if http2 {
                hyper::server::conn::http2::Builder::new(executor)
                    .serve_connection(io, app)
                    .await
            } else {
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, app)
                    .await
            };
        }
    });
    port
}
