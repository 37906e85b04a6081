//! The `axum-server` crate instead of `axum::serve`: its `Accept` trait takes thirty lines around the same acceptor.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;

use atls_axum::AttestationResult;
use atls_axum::Watched;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_tower::AttestedStream;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::WithAttestation;
use axum::Router;
use axum::routing::get;
use axum_server::accept::Accept;
use demo::Authority;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tower_layer::Layer;

/// Makes attested streams of axum-server's sockets, gives each connection's service its attestation, and ends connections
/// whose clients keep the server waiting.
#[derive(Clone)]
struct AttestingAcceptor(ServerAcceptor);

impl<IO, S> Accept<IO, S> for AttestingAcceptor
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Send + 'static,
{
    type Stream = AttestedStream<IO>;
    type Service = Watched<WithAttestation<S>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, io: IO, service: S) -> Self::Future {
        let acceptor = self.0.clone();
        Box::pin(async move {
            let stream = acceptor.accept(io).await.map_err(io::Error::other)?;
            let stream = stream.with_limits(ConnectionLimits::default(), ());
            let service = Watched::over(&stream, stream.layer().layer(service));
            Ok((stream, service))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

async fn run() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let server_device = SimAttester::generate()?;
    let client_device = SimAttester::generate()?;
    let servers = demo::trusting(&server_device)?;
    let terms = ServerTerms::new()
        .require_peer(demo::trusting(&client_device)?)
        .attester(Arc::new(server_device));
    let acceptor = AttestingAcceptor(ServerAcceptor::new(authority.server()?, terms)?);

    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let app = Router::new().route("/", get(hello));
    let server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .serve(app.into_make_service());
    tokio::spawn(server);

    let attested = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(servers)
        .attester(Arc::new(client_device))
        .build()?;
    let client = reqwest::Client::builder().attested(&attested).build()?;
    let response = client
        .get(format!("https://localhost:{port}/"))
        .send()
        .await?;
    println!(
        "the server is {}",
        response.attestation(&attested)?.status()
    );
    println!("it says: {}", response.text().await?);
    Ok(())
}

async fn hello(client: AttestationResult) -> String {
    format!("hello, {} client", client.status())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
