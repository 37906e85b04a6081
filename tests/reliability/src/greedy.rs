//! The most memory that a connection can hold, by peers that send the largest of everything and take nothing.

use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_axum::Http2Limits;
use atls_core::limits::MAX_FRAME;
use axum::BoxError;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::Request;
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

use crate::client::Http;
use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::bytes;
use crate::router::HONEST;
use crate::router::WHO;
use crate::scene::KEPT;
use crate::scene::Scene;
use crate::stage::Held;
use crate::stage::Hostile;
use crate::stage::Stage;

/// What a greedy peer fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greed {
    Frame,
    Authenticator,
    Http1Head,
    Http1Answer,
    Http2Answers,
    Http2Bodies,
}

impl Greed {
    const ALL: [Self; 6] = [
        Self::Frame,
        Self::Authenticator,
        Self::Http1Head,
        Self::Http1Answer,
        Self::Http2Answers,
        Self::Http2Bodies,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Frame => "the largest request for attestation, but for a byte",
            Self::Authenticator => "the largest authenticator, but for a byte",
            Self::Http1Head => "the largest head of HTTP/1.1, without its end",
            Self::Http1Answer => "an answer of HTTP/1.1 that is not taken",
            Self::Http2Answers => "100 streams with the largest heads, whose answers are not taken",
            Self::Http2Bodies => "100 streams with bodies that no handler reads",
        }
    }

    /// Bytes of heap that one connection may take of a server: docs/reliability.md derives them.
    fn bound(self) -> usize {
        match self {
            Self::Frame | Self::Authenticator => BEFORE_HTTP,
            Self::Http1Head | Self::Http1Answer => HTTP1,
            Self::Http2Answers | Self::Http2Bodies => {
                let memory = Http2Limits::default().connection_memory();
                usize::try_from(memory).unwrap_or(usize::MAX)
            }
        }
    }

    fn number(self, effort: &Effort) -> usize {
        match self {
            Self::Http2Answers | Self::Http2Bodies => effort.greedy_http2,
            _ => effort.greedy,
        }
    }
}

pub(crate) async fn run(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("memory of greedy peers");
    for greed in Greed::ALL {
        let number = greed.number(effort);
        let mut limits = effort.limits;
        // The limit that makes it a bound; a few are for honest clients.
        limits.connections = Some(number + FEW);
        let mut scene = Scene::new(limits).await?;
        let hostile = Hostile::new(&scene.keys, scene.address())?;
        scene.server.sample()?;
        let mut held = Vec::new();
        for _ in 0..number {
            held.push(fill(&hostile, greed).await?);
        }
        let peak = plateau(&mut scene).await?;
        let each = peak.saturating_sub(scene.warm.heap) / number;
        report.figure(format!(
            "{}: {number} connections, {} each, bound {}",
            greed.name(),
            bytes(each),
            bytes(greed.bound())
        ));
        report.must(
            format!("{}: {each} B each", greed.name()),
            Holds::from(each <= greed.bound()),
        );
        drop(held);
        scene.conclude(&mut report, KEPT).await?;
    }
    Ok(report)
}

/// The peak of the heap, once it does not grow.
async fn plateau(scene: &mut Scene) -> Result<usize, BoxError> {
    let mut most = scene.server.sample()?.peak;
    let mut same = 0;
    while same < 5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let peak = scene.server.sample()?.peak;
        same = if peak > most { 0 } else { same + 1 };
        most = most.max(peak);
    }
    Ok(most)
}

/// A connection that is full.
#[allow(dead_code, reason = "it is held, and nothing more")]
enum Full {
    Held(Held),
    Http2(Http2),
}

async fn fill(hostile: &Hostile, greed: Greed) -> Result<Full, BoxError> {
    match greed {
        Greed::Frame => {
            let mut link = hostile.link().await?;
            most_of_a_frame(&mut link, REQUEST).await?;
            Ok(Full::Held(Held::Link(Box::new(link))))
        }
        Greed::Authenticator => {
            let Held::Link(mut link) = hostile.stop_at(Stage::Request).await? else {
                return Err("not a link".into());
            };
            // The server asks, and attests.
            link.read().await?;
            link.read().await?;
            most_of_a_frame(&mut link, AUTHENTICATOR).await?;
            Ok(Full::Held(Held::Link(link)))
        }
        Greed::Http1Head => {
            let mut head = b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec();
            head.resize(63 * 1024, b'x');
            let stream = hostile.attested(Http::One, &head).await?;
            Ok(Full::Held(Held::Stream(Box::new(stream))))
        }
        Greed::Http1Answer => Ok(Full::Held(hostile.stop_at(Stage::Answer).await?)),
        Greed::Http2Answers => Ok(Full::Http2(Http2::open(hostile, answer).await?)),
        Greed::Http2Bodies => Ok(Full::Http2(Http2::open(hostile, body).await?)),
    }
}

async fn most_of_a_frame(link: &mut Link, kind: u8) -> Result<(), BoxError> {
    let length = u32::try_from(MAX_FRAME)?;
    link.write_frame(kind, length, &vec![0; MAX_FRAME - 1])
        .await?;
    Ok(())
}

/// A connection of HTTP/2 with as many streams as the server takes. As many again wait at the client.
#[allow(dead_code, reason = "it is held, and nothing more")]
struct Http2 {
    requests: http2::SendRequest<Body>,
    streams: JoinSet<()>,
    connection: Aborted,
}

impl Http2 {
    async fn open(
        hostile: &Hostile,
        request: fn() -> Result<Request<Body>, BoxError>,
    ) -> Result<Self, BoxError> {
        let stream = hostile.attested(Http::Two, b"").await?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(1);
        let (mut requests, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        let mut streams = JoinSet::new();
        for _ in 0..2 * STREAMS {
            requests.ready().await?;
            let response = requests.send_request(request()?);
            streams.spawn(async move {
                // An answer is held, and not read.
                let response = response.await;
                std::future::pending::<()>().await;
                drop(response);
            });
        }
        Ok(Self {
            requests,
            streams,
            connection: Aborted(connection),
        })
    }
}

/// A task that ends with this value.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn answer() -> Result<Request<Body>, BoxError> {
    let request = Request::get("https://localhost/huge")
        .header(WHO, HONEST)
        .header("x", "x".repeat(15 * 1024));
    Ok(request.body(Body::empty())?)
}

fn body() -> Result<Request<Body>, BoxError> {
    let request = Request::post("https://localhost/never").header(WHO, HONEST);
    Ok(request.body(Body::from(Bytes::from(vec![0; 256 * 1024])))?)
}

/// Streams of one connection that `atls_axum::serve` takes: [`DEFAULT_STREAMS`](atls_core::limits::DEFAULT_STREAMS).
const STREAMS: usize = 100;

/// Beside the greedy ones.
const FEW: usize = 4;

/// A frame of 128 KiB, buffers of TLS, and what every connection has.
const BEFORE_HTTP: usize = 256 * 1024;

/// 64 KiB that wait in each direction, a piece of 64 KiB of the answer, and TLS.
const HTTP1: usize = 256 * 1024;
