//! A WebSocket whose two ends attested to each other. All that runs on the connection after the upgrade has the connection's
//! attestation; when that expires the stream ends, upgraded or not.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_axum::ConnectionLifetime;
use atls_sim::SimAttester;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::extract::ws::CloseFrame;
use axum::extract::ws::Message;
use axum::extract::ws::WebSocket;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::close_code;
use axum::response::Response;
use axum::routing::any;
use demo::Authority;
use futures_util::SinkExt;
use futures_util::StreamExt;
use tokio::net::TcpStream;

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
    let listener = AttestedListener::bind(
        "127.0.0.1:0",
        ServerAcceptor::new(authority.server()?, terms)?,
    )
    .await?;
    let address = listener.local_addr();
    let app = Router::new().route("/echo", any(upgrade));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let terms = ClientTerms::new()
        .require_peer(servers)
        .attester(Arc::new(client_device));
    let connector = ClientConnector::new(authority.client(&["http/1.1"])?, terms)?;
    let stream = connector
        .connect("localhost".try_into()?, TcpStream::connect(address).await?)
        .await?;
    let server = stream.peer().ok_or("the server is not attested")?.clone();

    let url = format!("wss://localhost:{}/echo", address.port());
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await?;
    socket.send("are you there?".into()).await?;
    let answer = socket.next().await.ok_or("the server closed")??;
    println!("the server is {}; it says: {answer}", server.status());
    socket.close(None).await?;
    Ok(())
}

async fn upgrade(
    upgrade: WebSocketUpgrade,
    client: AttestationResult,
    lifetime: ConnectionLifetime,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        tokio::select! {
            () = echo(&mut socket, &client) => {}
            // The attestation ends soon: the client goes on over a new connection, which attests anew.
            () = lifetime.draining() => restart(&mut socket).await,
        }
    })
}

async fn echo(socket: &mut WebSocket, client: &AttestationResult) {
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(text) = message else {
            continue;
        };
        let answer = format!("{text} (from a client that is {})", client.status());
        if socket.send(Message::Text(answer.into())).await.is_err() {
            return;
        }
    }
}

async fn restart(socket: &mut WebSocket) {
    let frame = CloseFrame {
        code: close_code::RESTART,
        reason: "attest anew".into(),
    };
    // A client that is gone needs no goodbye.
    let _ = socket.send(Message::Close(Some(frame))).await;
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
