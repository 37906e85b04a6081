//! Clients that take nothing of an answer, and ones that take something now and then.

use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_gets_no_time_by_what_is_kept_for_it() {
    let (mut server, _client) = ends().await;
    let _answering = server.requests().unwrap().arrived();
    server.write_all(&[b'x'; 64 * 1024]).await.unwrap();
    let most = ConnectionLimits::default().unread.mul_f64(0.6);
    assert!(tokio::time::timeout(most, server.flush()).await.is_err());
    // TLS has room for more.
    server.write_all(&[b'x'; 10_000]).await.unwrap();
    let flushed = tokio::time::timeout(most, server.flush()).await;
    assert!(flushed.expect("in time").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_something_now_and_then_gets_time_for_more() {
    let (mut server, mut client) = ends().await;
    let _answering = server.requests().unwrap().arrived();
    let mut taken = vec![0; 100_000];
    let slowly = async {
        for _ in 0..5 {
            tokio::time::sleep(ConnectionLimits::default().unread.mul_f64(0.6)).await;
            client.read_exact(&mut taken).await.unwrap();
        }
    };
    // There is always more, so nothing is ever flushed.
    let answer = async {
        loop {
            server.write_all(&[b'x'; 64 * 1024]).await.unwrap();
        }
    };
    tokio::select! {
        () = slowly => {}
        () = answer => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_writes_were_taken_may_rest_without_a_flush() {
    let (mut server, mut client) = ends().await;
    let _answering = server.requests().unwrap().arrived();
    for _ in 0..3 {
        server.write_all(b"event").await.unwrap();
        client.read_exact(&mut [0; 5]).await.unwrap();
        tokio::time::sleep(ConnectionLimits::default().unread * 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_in_one_direction_keep_a_connection_that_left_http() {
    let idle = ConnectionLimits::default().idle;
    for sends in [Sends::Client, Sends::Server] {
        let (mut server, mut client) = ends().await;
        server.requests().unwrap().arrived().upgraded();
        for _ in 0..3 {
            tokio::time::sleep(idle.mul_f64(0.9)).await;
            let (from, to) = match sends {
                Sends::Client => (&mut client, &mut server),
                Sends::Server => (&mut server, &mut client),
            };
            from.write_all(b"!").await.unwrap();
            to.read_exact(&mut [0]).await.unwrap();
        }
        let silent = tokio::time::timeout(idle.mul_f64(1.1), server.read_u8());
        assert!(silent.await.expect("in time").is_err());
    }
}

#[derive(Clone, Copy)]
enum Sends {
    Client,
    Server,
}

/// A server's stream with limits, and a client that takes 32 KiB and no more.
async fn ends() -> (AttestedStream<DuplexStream>, AttestedStream<DuplexStream>) {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(32 * 1024);
    let name = "localhost".try_into().unwrap();
    let (server, client) = tokio::join!(acceptor.accept(near), connector.connect(name, far));
    let server = server.unwrap().with_limits(ConnectionLimits::default(), ());
    (server, client.unwrap())
}
