//! gRPC by tonic over attested TLS: the server attests, the client attests, and a service sees its client's attestation.
//!
//! tonic takes an `https` URI as a wish for TLS of its own, so the URI says `http` and the connector is told to do attested TLS
//! all the same. Nothing goes in the clear.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_sim::SimAttester;
use atls_tower::AttestedHttps;
use atls_tower::ClientAttestation;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use demo::Authority;
use tonic::Request;
use tonic::Status;
use tonic::service::InterceptorLayer;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

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
        .ask_peer(demo::trusting(&client_device)?)
        .attester(Arc::new(server_device));

    let listener = AttestedListener::bind(
        "127.0.0.1:0",
        ServerAcceptor::new(authority.server()?, terms)?,
    )
    .await?;
    let port = listener.local_addr().port();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let app = Routes::new(health)
        .into_axum_router()
        .layer(InterceptorLayer::new(attested_only));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let stranger = ClientTerms::new().require_peer(servers.clone());
    let colleague = ClientTerms::new()
        .require_peer(servers)
        .attester(Arc::new(client_device));
    for (name, terms) in [
        ("unattested client", stranger),
        ("attested client", colleague),
    ] {
        let channel = connect(&authority, terms, port).await?;
        let mut client = HealthClient::new(channel);
        let answer = called(async || client.check(HealthCheckRequest::default()).await).await;
        match &answer {
            Ok(answer) => println!("{name}: health status {}", answer.get_ref().status),
            Err(status) => println!("{name}: {:?}: {}", status.code(), status.message()),
        }
        if answer.is_ok() != (name == "attested client") {
            return Err(format!("{name} was treated wrongly").into());
        }
    }
    Ok(())
}

/// Makes a call, and makes it again where it was not sent: it crossed with the goodbye of a server because an attestation ends soon. tonic does
/// not do that. The next attempt goes on a new connection, which attests anew. Calls that may have reached the server are repeated by
/// those alone who know that they do no harm.
async fn called<T>(mut call: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let mut answer = call().await;
    for _ in 0..2 {
        match &answer {
            Err(status) if atls_tower::was_not_sent(status) => answer = call().await,
            _ => break,
        }
    }
    answer
}

async fn connect(
    authority: &Authority,
    terms: ClientTerms,
    port: u16,
) -> Result<Channel, Box<dyn Error>> {
    let connector = ClientConnector::new(authority.client(&["h2"])?, terms)?;
    let connector = AttestedHttps::new(connector)
        .also_for_http_uris()
        .on_connected(|uri, server| {
            let status = server.map_or_else(
                || "not asked to attest".to_owned(),
                |server| server.status().to_string(),
            );
            println!("connected to {uri}: {status}");
        });
    let endpoint = Endpoint::from_shared(format!("http://localhost:{port}"))?;
    Ok(endpoint.connect_with_connector(connector).await?)
}

/// The attestation of a request's client is in its extensions, in gRPC as in HTTP.
#[allow(clippy::result_large_err, reason = "tonic's interceptors return it")]
fn attested_only(request: Request<()>) -> Result<Request<()>, Status> {
    match ClientAttestation::of(request.extensions()) {
        Ok(_) => Ok(request),
        Err(problem) => Err(Status::permission_denied(problem.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
