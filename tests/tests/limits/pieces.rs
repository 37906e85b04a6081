//! Bodies of HTTP/2 in pieces of a byte: each that waits costs the server 400, and large pieces between them refill what h2 allows.

use std::io;
use std::sync::Arc;

use adversary::Link;
use atls_axum::Http2Limits;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::any;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::http2;
use end_to_end::http2::DATA;
use end_to_end::http2::END_HEADERS;
use end_to_end::http2::END_STREAM;
use end_to_end::http2::HEADERS;
use end_to_end::http2::SETTINGS;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::listener::builder;
use crate::listener::serve;

#[tokio::test]
async fn a_client_whose_small_pieces_nobody_reads_is_closed_whatever_else_it_sends() {
    let mut client = Client::new().await;
    client.post(3, "/leave").await;
    for sent in 0..MOST * 4 {
        if client.small(3).await.is_err() {
            assert!(sent >= MOST, "it is closed after {sent}");
            return;
        }
    }
    panic!("it goes on");
}

#[tokio::test]
async fn small_pieces_that_are_read_are_as_many_as_a_client_likes() {
    let mut client = Client::new().await;
    for _ in 0..MOST * 10 {
        client.small(READ).await.unwrap();
    }
    let end = http2::frame(DATA, END_STREAM, READ, &[]);
    http2::say(&mut client.link.tls, &end).await.unwrap();
    http2::answer(&mut client.link.tls, READ).await.unwrap();
}

/// Another body is there all the time.
#[tokio::test]
async fn small_pieces_of_bodies_that_are_dropped_wait_no_more() {
    let mut client = Client::new().await;
    for stream in [3, 5, 7, 9, 11, 13] {
        client.post(stream, "/leave").await;
        for _ in 0..MOST / 2 {
            client.small(stream).await.unwrap();
        }
        client.gate.reached_by(1).await;
        client.ping().await.unwrap();
        client.gate.open_once();
        while !client.next().await.unwrap().ends(stream) {}
    }
}

/// What comes once its body was dropped waits nowhere. Another body is there all the time.
#[tokio::test]
async fn bodies_of_one_small_piece_that_nobody_reads_are_as_many_as_a_client_likes() {
    let mut client = Client::new().await;
    for stream in (3..).step_by(2).take(MOST + 1) {
        client.post(stream, "/ignore").await;
        client.gate.reached_by(1).await;
        client.last(stream).await;
        client.ping().await.unwrap();
        client.gate.open_once();
        while !client.next().await.unwrap().ends(stream) {}
    }
}

/// They are read past the bodies of requests.
#[tokio::test]
async fn the_pieces_of_a_tunnel_may_be_small() {
    let mut client = Client::new().await;
    let head = http2::frame(HEADERS, END_HEADERS, 3, http2::CONNECT);
    http2::say(&mut client.link.tls, &head).await.unwrap();
    while client.next().await.unwrap().0.kind != HEADERS {}
    for _ in 0..MOST * 4 {
        client.small(3).await.unwrap();
    }
    client.ping().await.unwrap();
}

/// A client that keeps to its windows. The body of its first request is read.
struct Client {
    link: Link,
    /// Of the connection, and of the first request.
    windows: [usize; 2],
    /// Behind which the others are dropped.
    gate: Gate,
}

/// What the server sent.
struct Frame(http2::Frame);

impl Frame {
    fn ends(&self, stream: u32) -> bool {
        self.0.stream == stream && self.0.flags & END_STREAM != 0
    }
}

impl Client {
    async fn new() -> Self {
        let (world, gate) = (World::new(), Gate::new());
        let ignored = gate.clone();
        let ignore = async move |request: Request| {
            drop(request);
            ignored.pass().await;
        };
        let left = gate.clone();
        let leave = async move |request: Request| {
            left.pass().await;
            drop(request);
        };
        let app = Router::new()
            .route("/ignore", any(ignore))
            .route("/leave", any(leave))
            .route("/read", any(read))
            .fallback(tunnel);
        let mut limits = Http2Limits::default();
        (limits.window, limits.stream_window) = (64 * 1024, 64 * 1024);
        let address = serve(builder(&world).http2(limits), app).await;
        let socket = TcpStream::connect(address).await.unwrap();
        let tls = Arc::new(world.client_tls(&["h2"]));
        let link = Link::connect(tls, socket, None).await.unwrap();
        let mut client = Self {
            link,
            windows: [65_535; 2],
            gate,
        };
        http2::begin(&mut client.link.tls).await.unwrap();
        while client.next().await.unwrap().0.kind != SETTINGS {}
        client.post(READ, "/read").await;
        client
    }

    async fn post(&mut self, stream: u32, path: &str) {
        let head = http2::head(http2::POST, path);
        let head = http2::frame(HEADERS, END_HEADERS, stream, &head);
        http2::say(&mut self.link.tls, &head).await.unwrap();
    }

    /// Sends a piece of a byte, and what refills the budget that h2 has for it.
    async fn small(&mut self, stream: u32) -> io::Result<()> {
        while self.windows.iter().any(|window| *window < REFILL + 1) {
            self.next().await?;
        }
        self.windows = self.windows.map(|window| window - REFILL - 1);
        let refill = http2::frame(DATA, 0, READ, &[0; REFILL]);
        let both = [refill, http2::frame(DATA, 0, stream, &[0])].concat();
        http2::say(&mut self.link.tls, &both).await
    }

    /// Sends a body of a byte.
    async fn last(&mut self, stream: u32) {
        while self.windows[0] == 0 {
            self.next().await.unwrap();
        }
        self.windows[0] -= 1;
        let last = http2::frame(DATA, END_STREAM, stream, &[0]);
        http2::say(&mut self.link.tls, &last).await.unwrap();
    }

    /// Returns once the server has taken all.
    async fn ping(&mut self) -> io::Result<()> {
        let ping = http2::frame(http2::PING, 0, 0, &[1; 8]);
        http2::say(&mut self.link.tls, &ping).await?;
        let is_answer = |Frame(frame): &Frame| frame.kind == http2::PING && frame.payload == [1; 8];
        while !is_answer(&self.next().await?) {}
        Ok(())
    }

    async fn next(&mut self) -> io::Result<Frame> {
        let frame = http2::next(&mut self.link.tls).await?;
        match (frame.kind, frame.stream) {
            (http2::GOAWAY, _) | (http2::RST_STREAM, READ) => {
                return Err(io::Error::other("goodbye"));
            }
            (WINDOW_UPDATE, 0) => self.windows[0] += increment(&frame),
            (WINDOW_UPDATE, READ) => self.windows[1] += increment(&frame),
            _ => {}
        }
        Ok(Frame(frame))
    }
}

fn increment(frame: &http2::Frame) -> usize {
    let increment = frame.payload.as_slice().try_into().unwrap();
    usize::try_from(u32::from_be_bytes(increment)).unwrap()
}

async fn read(request: Request) {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
}

async fn tunnel(mut request: Request) -> StatusCode {
    let tunnel = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut tunnel = TokioIo::new(tunnel.await.unwrap());
        drop(tokio::io::copy(&mut tunnel, &mut tokio::io::sink()).await);
    });
    StatusCode::OK
}

/// The first request.
const READ: u32 = 1;

/// Small pieces that may wait, with a window of 64 KiB.
const MOST: usize = 512;

/// As many bytes above 256 as a piece of one byte is below.
const REFILL: usize = 511;

/// A type of frame.
const WINDOW_UPDATE: u8 = 8;
