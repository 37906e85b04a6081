//! Tickets, resumption, early data.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use rustls::HandshakeKind;
use rustls::ServerConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::Ticketer;
use rustls::server::ServerSessionMemoryCache;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::duel::REQUEST;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::terms_of;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn row(lab: &Lab) -> Row {
    let [pre, intra, post] = MODES;
    Row {
        id: "T1",
        title: "tickets, resumption, early data",
        text: "A sibling of the server, ordinary TLS under the same keys for tickets, or with the same sessions, gives a \
               client tickets and takes them, and early data. Then the client comes to the server with what it has, twice: also where the server \
               challenges its clients in the handshake, for which its TLS configuration is made anew each time. Its \
               handshakes are full, no early data is accepted, and it gives no ticket: a decision about one connection \
               never reaches another.",
        cells: [
            resumed(lab, pre).await,
            resumed(lab, intra).await,
            resumed(lab, post).await,
        ],
    }
}

async fn resumed(lab: &Lab, mode: Mode) -> Cell {
    let asking = || {
        ServerTerms::new()
            .clients_attest(Mode::InHandshake)
            .ask_peer(lab.trusting_a())
    };
    let mut refused = offered(lab, mode, terms_of(mode), Shared::Sessions).await;
    for (terms, shared) in [
        (terms_of(mode), Shared::TicketKeys),
        (asking(), Shared::Sessions),
        (asking(), Shared::TicketKeys),
    ] {
        refused = refused.and(offered(lab, mode, terms, shared).await);
    }
    refused
}

/// The state that the sibling servers have in common.
#[derive(Clone, Copy)]
enum Shared {
    /// With which alone rustls takes early data.
    Sessions,
    TicketKeys,
}

async fn offered(lab: &Lab, mode: Mode, terms: ServerTerms, shared: Shared) -> Cell {
    let device = &lab.world.server_device;
    let certificate = lab.world.stolen_key();
    let (terms, mut tls) = lab.attesting(certificate, mode, device, terms).await;
    match shared {
        Shared::Sessions => tls.session_storage = ServerSessionMemoryCache::new(64),
        Shared::TicketKeys => tls.ticketer = Ticketer::new().unwrap(),
    }
    tls.send_tls13_tickets = 4;
    tls.max_early_data_size = 1000;
    let ours = lab.world.serve_with(terms, tls.clone()).await;
    let sibling = sibling(tls).await;

    let mut tls = lab.any_server(demo::provider());
    tls.enable_early_data = true;
    tls.resumption = Resumption::in_memory_sessions(8);
    let connector = TlsConnector::from(Arc::new(tls)).early_data(true);
    let first = come(&connector, sibling).await;
    assert_eq!(kind(&first), Some(HandshakeKind::Full));
    let second = come(&connector, sibling).await;
    assert_eq!(kind(&second), Some(HandshakeKind::Resumed));
    let takes_early_data = matches!(shared, Shared::Sessions);
    let (_, connection) = second.get_ref();
    assert_eq!(connection.is_early_data_accepted(), takes_early_data);
    assert!(connection.tls13_tickets_received() > 0);

    for _ in 0..2 {
        let stream = come(&connector, ours.address).await;
        let (_, connection) = stream.get_ref();
        if kind(&stream) != Some(HandshakeKind::Full)
            || connection.is_early_data_accepted()
            || connection.tls13_tickets_received() != 0
        {
            return Cell::Succeeds;
        }
    }
    Cell::refused("full handshake")
}

fn kind(stream: &TlsStream<TcpStream>) -> Option<HandshakeKind> {
    stream.get_ref().1.handshake_kind()
}

/// With a request in early data, if that may be; until the server has answered and closed.
async fn come(connector: &TlsConnector, server: SocketAddr) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(server).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = connector.connect(name, socket).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.ends_with(b"hello"));
    stream
}

/// A server that knows nothing of attestation.
async fn sibling(tls: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut stream = acceptor.accept(socket).await.unwrap();
            let mut request = vec![0; REQUEST.len()];
            // Early data is in a place of its own.
            match stream.get_mut().1.early_data() {
                Some(mut early) => early.read_exact(&mut request).unwrap(),
                None => drop(stream.read_exact(&mut request).await.unwrap()),
            }
            assert_eq!(request, REQUEST);
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}
