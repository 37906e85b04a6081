//! hyper-util's client with `AttestedHttps` as its connector. Where the *type* `reqwest::Client` is not needed this is the better
//! choice: each response brings the attestation of the very connection it came over, and an expired connection ends.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_sim::SimAttester;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Bytes;
use axum::http::Uri;
use axum::routing::get;
use demo::Authority;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

async fn run() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let device = SimAttester::generate()?;
    let servers = demo::trusting(&device)?;
    let acceptor = ServerAcceptor::new(
        authority.server()?,
        ServerTerms::new().attester(Arc::new(device)),
    )?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let port = listener.local_addr().port();
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let connector = ClientConnector::new(
        authority.client(&["h2", "http/1.1"])?,
        ClientTerms::new().require_peer(servers),
    )?;
    let client: Client<_, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build(AttestedHttps::new(connector));
    let uri: Uri = format!("https://localhost:{port}/").parse()?;
    let response = client.get(uri.clone()).await?;

    let peer = ServerAttestation::of(response.extensions(), &uri)
        .ok_or("the response has no attestation")?;
    println!(
        "answered by a server that is {}, bound to the {}",
        peer.status(),
        peer.binding()
    );
    let body = response.into_body().collect().await?.to_bytes();
    println!("it says: {}", String::from_utf8_lossy(&body));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
