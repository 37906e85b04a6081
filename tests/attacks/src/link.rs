//! Connections on which nothing was done yet.

use std::sync::Arc;

use adversary::Link;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::lab::Lab;

/// Both ends of one, under the genuine certificate.
pub(crate) async fn pair(lab: &Lab) -> (Link, Link) {
    let (near, far) = sockets().await;
    let key = lab.world.stolen_key();
    let client = Arc::new(lab.world.client_tls(&[]));
    let server = Arc::new(lab.world.server_tls());
    let (near, far) = tokio::join!(
        Link::connect(client, near, Some(key.clone())),
        Link::accept(server, far, key)
    );
    (near.unwrap(), far.unwrap())
}

pub(crate) async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await;
    (near.unwrap(), listener.accept().await.unwrap().0)
}
