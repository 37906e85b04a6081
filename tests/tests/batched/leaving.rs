//! Clients that close their sockets while they wait.

use adversary::VERDICT;
use atls_core::ear::Tier;
use end_to_end::World;
use end_to_end::time::settle;

use crate::devices::GatedBatcher;
use crate::devices::Minimal;
use crate::devices::connecting;
use crate::devices::connector;
use crate::devices::status;

#[tokio::test]
async fn a_client_that_closes_its_socket_leaves_the_queue() {
    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let gone: Vec<_> = (0..5)
        .map(|_| connecting(&client, server.address))
        .collect();
    let minimal = Minimal::asking(&world, &server).await;
    held.until_waiting(6).await;
    let stays = connecting(&client, server.address);
    held.until_waiting(7).await;
    for gone in gone {
        gone.abort();
    }
    drop(minimal);
    held.until_waiting(1).await;
    held.gate.open();
    for served in [first, stays] {
        assert_eq!(status(&served.await.unwrap()), Tier::Affirming);
    }
    let stats = held.batcher.stats();
    assert_eq!((stats.abandoned, stats.singles, stats.batches), (6, 2, 0));
}

#[tokio::test]
async fn a_client_that_sent_something_and_closes_its_socket_leaves_the_queue() {
    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let mut hasty = Minimal::asking(&world, &server).await;
    held.until_waiting(1).await;
    hasty.link.write(VERDICT, &[]).await.unwrap();
    drop(hasty);
    held.until_waiting(0).await;
    held.gate.open();
    assert_eq!(status(&first.await.unwrap()), Tier::Affirming);
    let stats = held.batcher.stats();
    assert_eq!((stats.abandoned, stats.singles), (1, 1));
}

/// What a client sends while the server's device works is not lost.
#[tokio::test]
async fn http_that_comes_before_the_authenticator_is_served() {
    use tokio::io::AsyncWriteExt;

    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let mut hasty = Minimal::asking(&world, &server).await;
    held.gate.reached_by(1).await;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    hasty.link.tls.write_all(request).await.unwrap();
    hasty.link.tls.flush().await.unwrap();
    settle().await;
    held.gate.open();
    assert!(hasty.answer().await.is_ok());
    let answer = hasty.link.drain().await;
    assert!(answer.ends_with(b"hello"));
}
