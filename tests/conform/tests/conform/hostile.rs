//! Peers that follow no protocol at all: each case ends within its limit, with a result.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_core::BoxFuture;
use atls_core::session::Side;
use conform::breach::Breach;
use conform::keys::Keys;
use conform::kit::Dial;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::run::run;
use conform::tls::Tls;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

/// What the peer does with a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Nothing, and it keeps the socket open.
    Hangs,
    HangsAfterTls,
    Closes,
    ClosesAfterTls,
    /// Writes zeros without end.
    Floods,
    FloodsAfterTls,
    /// Writes frames without end.
    FloodsFrames,
    /// Claims a long frame and sends it one byte at a time.
    Drips,
}

const WAYS: [Way; 8] = [
    Way::Hangs,
    Way::HangsAfterTls,
    Way::Closes,
    Way::ClosesAfterTls,
    Way::Floods,
    Way::FloodsAfterTls,
    Way::FloodsFrames,
    Way::Drips,
];

async fn go(way: Way, socket: TcpStream, kit: Kit, side: Side) {
    match way {
        Way::Hangs => return hang(socket).await,
        Way::Closes => return,
        Way::Floods => return flood(socket, &[0; 4096]).await,
        _ => {}
    }
    let key = kit.keys.server.clone();
    match side {
        Side::Server => {
            let tls = Arc::new(Tls::default().server(key).unwrap());
            if let Ok(stream) = TlsAcceptor::from(tls).accept(socket).await {
                go_on(way, stream).await;
            }
        }
        Side::Client => {
            let tls = Arc::new(Tls::default().client().unwrap());
            let name = "localhost".try_into().unwrap();
            if let Ok(stream) = TlsConnector::from(tls).connect(name, socket).await {
                go_on(way, stream).await;
            }
        }
    }
}

async fn go_on(way: Way, mut stream: impl AsyncReadExt + AsyncWrite + Unpin) {
    match way {
        Way::HangsAfterTls => hang(stream).await,
        Way::FloodsAfterTls => flood(stream, &[0; 4096]).await,
        Way::FloodsFrames => flood(stream, &[3, 0, 0, 0, 5, 0, 0, 0, 0, 1]).await,
        Way::Drips => {
            let _ = stream.write_all(&[1, 0, 1, 0, 0]).await;
            while stream.write_all(&[0]).await.is_ok() && stream.flush().await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
        _ => {}
    }
}

async fn hang(mut stream: impl AsyncReadExt + Unpin) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
    std::future::pending().await
}

async fn flood(mut stream: impl AsyncWrite + Unpin, bytes: &[u8]) {
    while stream.write_all(bytes).await.is_ok() {}
}

struct Visitor {
    way: Way,
    kit: Kit,
}

impl Dial for Visitor {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let (way, kit) = (self.way, self.kit.clone());
        Box::pin(async move {
            let socket = TcpStream::connect(to).await.unwrap();
            let limit = kit.limit.saturating_mul(20);
            let _ = tokio::time::timeout(limit, go(way, socket, kit, Side::Client)).await;
        })
    }
}

async fn target(kit: &Kit, way: Way, side: Side) -> Target {
    if side == Side::Client {
        let kit = kit.clone();
        return Target::Client(Arc::new(Visitor { way, kit }));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kit = kit.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(go(way, socket, kit.clone(), Side::Server));
        }
    });
    Target::Server(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_ends_whatever_the_peer_does() {
    let mut kit = Kit::new(Keys::generate().unwrap());
    kit.limit = Duration::from_millis(200);
    for side in [Side::Server, Side::Client] {
        for way in WAYS {
            let begun = Instant::now();
            let target = target(&kit, way, side).await;
            let cases = Breach::cases(side);
            let report = run(&kit, &target, &cases).await;
            assert_eq!(report.findings.len(), cases.len());
            assert_ne!(report.exit_code(), 0, "{way:?}: {report}");
            // Nothing of it is taken for a peer of this protocol.
            assert!(report.count(Outcome::Pass) < 5, "{side} {way:?}: {report}");
            assert!(begun.elapsed() < Duration::from_secs(60), "{side} {way:?}");
        }
    }
}

/// The kit's own scripts against a peer that ends each connection in the middle: the exchange is good until then.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_not_reached() {
    // Nobody else gets its port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let mut kit = Kit::new(Keys::generate().unwrap());
    kit.limit = Duration::from_millis(200);
    let cases = Breach::cases(Side::Server);
    let report = run(&kit, &Target::Server(address), &cases).await;
    assert_eq!(report.count(Outcome::NotReached), cases.len());
    assert_eq!(report.exit_code(), 2);
}
