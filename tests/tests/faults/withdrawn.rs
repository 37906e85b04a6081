//! Keys of a service that are rotated or withdrawn, over connections that were accepted by them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use end_to_end::time::until;
use http::Request;
use http::Response;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use rustls::time_provider::TimeProvider;
use serde_json::json;
use stand_in::Signer;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::keys::Signing;
use crate::scene::connect;
use crate::scene::pass;
use crate::services::Service;

/// How often the keys are fetched, and what connections have once they are recalled.
const EVERY: Duration = Duration::from_secs(60);
const WITHIN: Duration = Duration::from_secs(20);

/// A server that has its keys fetched every minute, and recalls its connections where one was withdrawn.
async fn watching() -> Signing {
    let (signing, keys) = Signing::published().await;
    let clock = signing.scene.world.clock.clone();
    let acceptor = signing.scene.acceptor.clone();
    tokio::spawn(async move {
        let now = || clock.current_time().unwrap();
        keys.keep_fresh(now, EVERY, || acceptor.recall(WITHIN))
            .await
    });
    signing
}

impl Signing {
    /// Until the keys were fetched once more.
    async fn next_fetch(&self) {
        let before = self.fetches.load(Ordering::Relaxed);
        let time = EVERY + Duration::from_secs(1);
        self.scene.world.clock.advance(time);
        pass(time.as_secs()).await;
        until("a fetch", || self.fetches.load(Ordering::Relaxed) > before).await;
        // It has come once nothing moves any more.
        pass(1).await;
    }

    fn recalls(&self) -> f64 {
        self.scene.numbers.value("atls_recalls_total", &[])
    }
}

#[tokio::test]
async fn connections_by_a_withdrawn_key_end_within_the_bound_and_no_others_begin() {
    for alpn in ["h2", "http/1.1"] {
        let signing = watching().await;
        let mut idle = Client::of(&signing, alpn).await;
        let mut busy = Client::of(&signing, alpn).await;
        let slow = busy.begins("/slow");
        signing.scene.served.slow_requests(1).await;
        // Whoever has the old key signs on with it.
        signing.publishes(&Signer::es256().jwk_set());
        assert!(idle.is_served().await, "nobody knows yet");
        signing.next_fetch().await;
        until("a recall", || signing.recalls() == 1.0).await;
        signing.scene.is_unavailable().await;
        pass(WITHIN.as_secs() + 1).await;
        assert!(slow.await.unwrap().is_err(), "{alpn}: cut, and not ended");
        let ended = || idle.driver.is_finished() && busy.driver.is_finished();
        until("both end", ended).await;
        assert!(!idle.is_served().await);
        signing.scene.is_unavailable().await;
    }
}

#[tokio::test]
async fn a_key_that_is_rotated_costs_nobody_a_refusal() {
    let signing = watching().await;
    let mut client = Client::of(&signing, "h2").await;
    let next = Arc::new(Signer::es256());
    let both = [&signing.genuine, &next].map(|signer| signer.jwk_set()["keys"][0].clone());
    signing.publishes(&json!({ "keys": both }));
    signing.next_fetch().await;
    assert_eq!(signing.recalls(), 0.0, "none was withdrawn");
    signing.signs_with(&next);
    signing.scene.accepts().await;
    assert!(client.is_served().await);
    signing.publishes(&next.jwk_set());
    signing.next_fetch().await;
    until("a recall", || signing.recalls() == 1.0).await;
    until("it ends", || client.driver.is_finished()).await;
    assert!(Client::of(&signing, "h2").await.is_served().await);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_recall_nobody() {
    let signing = watching().await;
    let mut client = Client::of(&signing, "h2").await;
    for garbage in ["", "{\"keys\":[]}"] {
        signing.publishes(&garbage);
        signing.next_fetch().await;
        assert!(client.is_served().await);
    }
    assert_eq!(signing.recalls(), 0.0);
}

/// A connection of a client that attests, after its first answer.
struct Client {
    sender: Sender,
    driver: JoinHandle<()>,
}

enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Empty<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Empty<Bytes>>),
}

impl Client {
    async fn of(signing: &Signing, alpn: &str) -> Self {
        let stream = attested(signing, alpn).await;
        let io = TokioIo::new(stream);
        let (sender, driver) = if alpn == "h2" {
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (sender, driver) = handshake.await.unwrap();
            let driver = tokio::spawn(async { drop(driver.await) });
            (Sender::Http2(sender), driver)
        } else {
            let handshake = hyper::client::conn::http1::handshake(io);
            let (sender, driver) = handshake.await.unwrap();
            let driver = tokio::spawn(async { drop(driver.await) });
            (Sender::Http1(sender), driver)
        };
        let mut client = Self { sender, driver };
        assert!(client.is_served().await);
        client
    }

    /// The answer, in a task of its own.
    fn begins(&mut self, path: &str) -> JoinHandle<hyper::Result<Response<Incoming>>> {
        let uri = match self.sender {
            Sender::Http1(_) => path.to_owned(),
            Sender::Http2(_) => format!("https://localhost{path}"),
        };
        let request = Request::get(uri).header("host", "localhost");
        let request = request.body(Empty::new()).unwrap();
        match &mut self.sender {
            Sender::Http1(sender) => tokio::spawn(sender.send_request(request)),
            Sender::Http2(sender) => tokio::spawn(sender.send_request(request)),
        }
    }

    async fn is_served(&mut self) -> bool {
        let is_ready = match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await,
            Sender::Http2(sender) => sender.ready().await,
        };
        let Ok(answer) = self.begins("/peer").await.unwrap() else {
            return false;
        };
        let is_served = is_ready.is_ok() && answer.status() == 200;
        is_served && answer.into_body().collect().await.is_ok()
    }
}

async fn attested(signing: &Signing, alpn: &str) -> AttestedStream<TcpStream> {
    let world = &signing.scene.world;
    let terms = ClientTerms::new()
        .require_peer(world.about_servers())
        .attester(Service::Trustee.device(world));
    let connector = ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap();
    connect(&connector, signing.scene.served.address)
        .await
        .unwrap()
}
