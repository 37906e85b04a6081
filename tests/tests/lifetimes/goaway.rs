//! Calls of tonic that cross with the goodbye of a server, which a test says by hand.

use std::sync::Arc;

use adversary::Link;
use atls_tower::was_not_sent;
use end_to_end::World;
use end_to_end::http2;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_client::HealthClient;

use crate::grpc::client;
use crate::hostile::attested_server;

/// The server lets one call be open at a time. The second waits for room on the connection, the third before it.
#[tokio::test]
async fn a_call_that_the_goodbye_overtakes_is_cancelled_and_says_that_it_was_not_sent() {
    let (_world, mut link, calls) = three_calls(1).await;
    say_goodbye(&mut link).await;
    let [first, second, third] = calls;
    let third = third.await.unwrap().unwrap_err();
    assert_eq!(third.code(), Code::Cancelled);
    assert!(was_not_sent(&third));
    // hyper lets go of it without a word: nobody can tell it from one that was under way.
    let second = second.await.unwrap().unwrap_err();
    assert_eq!(second.code(), Code::Unknown);
    assert!(!was_not_sent(&second));
    assert!(!first.is_finished());
}

/// It left, and the goodbye says that the server does not act on it. hyper gives the same error for one that it hands over while any goodbye
/// comes, and that leaves all the same.
#[tokio::test]
async fn a_call_behind_the_last_one_of_a_goodbye_cannot_be_told_from_one_that_the_server_has() {
    for (error, code) in [
        (NO_ERROR, Code::Internal),
        (REFUSED_STREAM, Code::Unavailable),
    ] {
        let (_world, mut link, calls) = three_calls(3).await;
        say_goodbye_for(&mut link, error).await;
        let [first, others @ ..] = calls;
        for other in others {
            let other = other.await.unwrap().unwrap_err();
            assert_eq!(other.code(), code);
            assert!(!was_not_sent(&other));
        }
        assert!(!first.is_finished());
    }
}

/// The server may have acted on it.
#[tokio::test]
async fn a_call_that_was_under_way_when_its_connection_broke_may_have_been_acted_upon() {
    let (_world, mut link, calls) = three_calls(1).await;
    say_goodbye(&mut link).await;
    let [first, ..] = calls;
    drop(link);
    let first = first.await.unwrap().unwrap_err();
    assert_eq!(first.code(), Code::Unknown);
    assert!(!was_not_sent(&first));
}

#[tokio::test]
async fn a_call_that_a_server_refuses_to_take_can_be_made_again() {
    for (error, code, expected) in [
        (REFUSED_STREAM, Code::Unavailable, true),
        (INTERNAL_ERROR, Code::Internal, false),
    ] {
        let (_world, mut link, calls) = three_calls(1).await;
        let reset = http2::frame(http2::RST_STREAM, 0, 1, &error.to_be_bytes());
        http2::say(&mut link.tls, &reset).await.unwrap();
        let [first, ..] = calls;
        let first = first.await.unwrap().unwrap_err();
        assert_eq!((first.code(), was_not_sent(&first)), (code, expected));
    }
}

type Call = JoinHandle<Result<HealthCheckResponse, Status>>;

/// A server that lets so many streams be open at a time, and has the heads of as many calls.
async fn three_calls(open: u8) -> (World, Link, [Call; 3]) {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let beginning = async {
        let mut link = attested_server(&world, &listener, "h2").await;
        // SETTINGS_MAX_CONCURRENT_STREAMS.
        let settings = http2::frame(http2::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, open]);
        http2::say(&mut link.tls, &settings).await.unwrap();
        let mut preface = [0; http2::PREFACE.len()];
        let reading = tokio::io::AsyncReadExt::read_exact(&mut link.tls, &mut preface);
        reading.await.unwrap();
        until(&mut link, http2::SETTINGS, http2::ACK).await;
        link
    };
    let (client, mut link) = tokio::join!(client(&world, address, Arc::default()), beginning);
    let first = call(&client);
    until(&mut link, http2::HEADERS, http2::END_HEADERS).await;
    let calls = [first, call(&client), call(&client)];
    for _ in 1..open {
        until(&mut link, http2::HEADERS, http2::END_HEADERS).await;
    }
    // They are handed on from task to task, and none of these waits for a socket.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    (world, link, calls)
}

fn call(client: &HealthClient<Channel>) -> Call {
    let mut client = client.clone();
    tokio::spawn(async move {
        let answer = client.check(HealthCheckRequest::default()).await?;
        Ok(answer.into_inner())
    })
}

async fn until(link: &mut Link, kind: u8, flag: u8) {
    loop {
        let frame = http2::next(&mut link.tls).await.unwrap();
        if frame.kind == kind && frame.flags & flag != 0 {
            return;
        }
    }
}

/// GOAWAY, of which stream 1 is the last that is taken.
async fn say_goodbye(link: &mut Link) {
    say_goodbye_for(link, NO_ERROR).await;
}

async fn say_goodbye_for(link: &mut Link, error: u32) {
    let payload = [1u32, error].map(u32::to_be_bytes).concat();
    let goaway = http2::frame(http2::GOAWAY, 0, 0, &payload);
    http2::say(&mut link.tls, &goaway).await.unwrap();
}

/// RFC 9113 §7.
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
