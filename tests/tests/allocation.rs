//! A frame costs the memory of the bytes that came, and not of the length that it claims.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use adversary::Link;
use adversary::REQUEST;
use allocation::allocated_by;
use atls_core::limits::MAX_FRAME;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

#[test]
fn a_claimed_length_costs_nothing_until_bytes_come() {
    // One thread: nothing else allocates while a frame is measured.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (world, server) = runtime.block_on(async {
        let world = World::new();
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let terms = terms.require_peer(world.about_clients());
        let server = world.serve(terms).await;
        (world, server)
    });
    let cost = |length: usize, sent: usize| cost(&runtime, &world, &server, length, sent);
    // Once beforehand, for what is allocated once.
    cost(100, 10);
    let small = cost(100, 10);
    let claimed = cost(MAX_FRAME, 10);
    assert!(
        claimed < small + 16 * 1024,
        "{claimed} for a claim, {small} for a small frame"
    );
    let sent = cost(MAX_FRAME, MAX_FRAME);
    assert!(
        sent < small + 16 * MAX_FRAME,
        "{sent} for {MAX_FRAME} bytes"
    );
}

/// Bytes that both ends allocate for a frame of which not all, or nothing sensible, comes.
fn cost(runtime: &Runtime, world: &World, server: &Served, length: usize, sent: usize) -> usize {
    let mut link = runtime.block_on(async {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let tls = Arc::new(world.client_tls(&["http/1.1"]));
        Link::connect(tls, socket, None).await.unwrap()
    });
    let payload = vec![0; sent];
    let length = u32::try_from(length).unwrap();
    allocated_by(|| {
        runtime.block_on(async {
            // A server that refused it may have closed.
            let _ = link.write_frame(REQUEST, length, &payload).await;
            let _ = link.tls.shutdown().await;
            link.drain().await;
        });
    })
}
