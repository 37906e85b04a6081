//! Connections: what they inherit, when they begin, when they end.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::RelyingParty;
use atls_core::limits::DEFAULT_GRACE;
use atls_core::limits::DEFAULT_MAX_AGE;
use atls_reqwest::Http;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_server;
use end_to_end::Served;
use end_to_end::reqwest;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::duel::Middle;
use crate::duel::REQUEST;
use crate::duel::victim;
use crate::duel::visit;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::outcome::Cell;
use crate::outcome::Row;
use crate::swap;
use crate::tickets;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![
        tickets::row(lab).await,
        Row {
            id: "T2",
            title: "application data before the decision",
            text: "A client sends its request right after TLS, to a server that demands attestation of clients. The server \
                   closes and answers nothing. In the other direction each attack on a client checks it: it sends nothing to \
                   whom it does not accept.",
            cells: [
                early(lab, pre).await,
                early(lab, intra).await,
                early(lab, post).await,
            ],
        },
        Row {
            id: "T3",
            title: "pooled connections",
            text: "A client of reqwest was served by the genuine server. At the same address there is now somebody who does \
                   not attest. The next request needs a new connection, which is decided on anew.",
            cells: [
                pooled(lab, pre).await,
                pooled(lab, intra).await,
                pooled(lab, post).await,
            ],
        },
        Row {
            id: "T4",
            title: "the result expires",
            text: "The maximum age of the result passes, and the grace for answers under way. The victim writes no further \
                   byte, and reads none, not even one that had been sent before: whoever the peer is by then.",
            cells: [
                outlived(lab, pre).await,
                outlived(lab, intra).await,
                outlived(lab, post).await,
            ],
        },
        swap::row(lab).await,
    ]
}

async fn early(lab: &Lab, mode: Mode) -> Cell {
    let terms = ServerTerms::new()
        .clients_attest(mode)
        .require_peer(lab.trusting_a());
    let acceptor = ServerAcceptor::new(lab.world.server_tls(), terms).unwrap();
    let (near, far) = crate::link::sockets().await;
    let client = async {
        let tls = Arc::new(lab.any_server(demo::provider()));
        let mut link = Link::connect(tls, near, None).await.unwrap();
        let _ = link.tls.write_all(REQUEST).await;
        link.drain().await
    };
    let (answer, accepted) = tokio::join!(client, acceptor.accept(far));
    assert!(answer.is_empty());
    match accepted {
        Ok(_) => Cell::Succeeds,
        Err(error) => Cell::by(&error),
    }
}

async fn pooled(lab: &Lab, mode: Mode) -> Cell {
    let mut genuine = lab.genuine(mode).await;
    let client = client(lab, mode, lab.trusting_a());
    let response = client.get(genuine.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "hello");

    genuine.stop();
    genuine.task.await.unwrap().unwrap();
    let listener = TcpListener::bind(genuine.address).await.unwrap();
    let impostor = impostor(lab, listener);
    let answered = client.get(impostor.url("/")).send().await;
    if impostor.hits() > 0 {
        return Cell::Succeeds;
    }
    Cell::by(&end_to_end::exchange_error(&answered.unwrap_err()))
}

/// A client of reqwest that expects servers of this mode.
pub(crate) fn client(lab: &Lab, mode: Mode, party: Arc<RelyingParty>) -> reqwest::Client {
    let builder = lab.world.client();
    let builder = match mode {
        Mode::AfterHandshake => builder,
        Mode::InCertificate | Mode::InHandshake => {
            builder.server_verifier(dangerous_any_server(&demo::provider()))
        }
    };
    let attested = builder
        .require_peer(party)
        .servers_attest(mode)
        .http(Http::One)
        .build()
        .unwrap();
    end_to_end::reqwest_client(&attested)
}

/// A server with the genuine server's certificate that does not attest.
pub(crate) fn impostor(lab: &Lab, listener: TcpListener) -> Served {
    let acceptor = ServerAcceptor::new(lab.world.server_tls(), ServerTerms::plain()).unwrap();
    Served::over(atls_axum::AttestedListener::new(listener, acceptor).unwrap())
}

async fn outlived(lab: &Lab, mode: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let device = &lab.world.server_device;
    let attesting = middle.attest(mode, device, lab.misissued());
    let victim = victim(lab, mode, lab.trusting_a());
    let visiting = visit(&victim, middle.address());
    let (stream, link) = tokio::join!(Box::pin(visiting), Box::pin(attesting));
    let (mut stream, mut link) = (stream.unwrap(), link.unwrap());
    link.tls.write_all(b"in time").await.unwrap();
    stream.read_exact(&mut [0; 7]).await.unwrap();
    stream.write_all(b"in time").await.unwrap();
    stream.flush().await.unwrap();
    // Behind a verdict, where there is one.
    let mut heard = Vec::new();
    while !heard.ends_with(b"in time") {
        heard.push(link.tls.read_u8().await.unwrap());
    }

    // One byte is on its way before the end, and comes after it.
    link.tls.write_all(b"1").await.unwrap();
    link.tls.flush().await.unwrap();
    tokio::time::pause();
    let second = Duration::from_secs(1);
    tokio::time::advance(DEFAULT_MAX_AGE + DEFAULT_GRACE + second).await;
    tokio::time::resume();
    let mut late = [0; 1];
    let read = stream.read(&mut late).await;
    let written = stream.write(b"2").await;
    drop(stream);
    if read.is_ok() || written.is_ok() || late != [0] || !link.drain().await.is_empty() {
        return Cell::Succeeds;
    }
    let kind = |result: std::io::Result<usize>| format!("{:?}", result.unwrap_err().kind());
    Cell::refused(&kind(read)).and(Cell::refused(&kind(written)))
}
