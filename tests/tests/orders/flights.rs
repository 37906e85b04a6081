//! What leaves together: the messages of one turn are one write, and no message waits for another one.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;

use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use end_to_end::World;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::DuplexStream;
use tokio::io::ReadBuf;

use crate::requests::both;

#[tokio::test]
async fn the_messages_of_a_turn_leave_in_one_write() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), both(&world)).unwrap();
    let terms = ClientTerms::new()
        .require_peer(world.about_servers())
        .attester(world.client_device.clone());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (near, of_server) = Recorded::new(near);
    let (far, of_client) = Recorded::new(far);
    let (accepted, connected) = tokio::join!(
        acceptor.accept(near),
        connector.connect("localhost".try_into().unwrap(), far)
    );
    assert!(accepted.is_ok() && connected.is_ok());
    // After the handshake: request and authenticator, then the verdict.
    let server = of_server.records();
    assert!(server.ends_with(&[vec![23, 23], vec![23]]), "{server:?}");
    // The ClientHello; the request with the client's Finished; authenticator and verdict.
    let client = of_client.records();
    assert_eq!(client, [vec![22], vec![20, 23, 23], vec![23, 23]]);
}

/// What was written at once, each time.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl Writes {
    /// The types of the TLS records of each.
    fn records(&self) -> Vec<Vec<u8>> {
        let writes = self.0.lock().unwrap();
        writes.iter().map(|write| record_types(write)).collect()
    }
}

/// A transport that keeps each write.
struct Recorded {
    io: DuplexStream,
    writes: Writes,
}

impl Recorded {
    fn new(io: DuplexStream) -> (Self, Writes) {
        let writes = Writes::default();
        let recorded = Self {
            io,
            writes: writes.clone(),
        };
        (recorded, writes)
    }
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, data);
        if let Poll::Ready(Ok(written)) = &polled {
            let all = data.iter().flat_map(|part| part.iter().copied());
            let write = all.take(*written).collect();
            self.writes.0.lock().unwrap().push(write);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The types of the TLS records that a write consists of.
fn record_types(mut write: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = write {
        types.push(*kind);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        write = rest.get(length..).unwrap();
    }
    assert!(write.is_empty());
    types
}
