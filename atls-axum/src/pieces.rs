//! Bodies of HTTP/2 that come in small pieces which nobody reads.
//!
//! A piece that waits costs h2 some 400 bytes beside its own. h2 bounds the small ones by a budget that large ones refill: a client with one
//! body that is read, and one that is not, would fill the window of its connection with pieces of a byte. So those that wait are counted here:
//! as they come, by [`Counting`], and as they go, by the bodies of requests. Too many end the connection. The last piece of a body does not
//! count: a stream has one at most, and that of a request which nobody reads often comes when its body is gone.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

use crate::http2_frames::Frames;

/// The small pieces of one connection that wait to be read.
#[derive(Clone)]
pub(crate) struct Pieces(Arc<Shared>);

struct Shared {
    waiting: AtomicUsize,
    /// Requests whose bodies may still be read.
    bodies: AtomicUsize,
    most: usize,
    counts: AtomicBool,
}

impl Pieces {
    /// For a connection with this window, in bytes.
    pub(crate) fn within(window: u32) -> Self {
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        Self(Arc::new(Shared {
            waiting: AtomicUsize::new(0),
            bodies: AtomicUsize::new(0),
            most: window.checked_div(WINDOW_OF_PIECE).unwrap_or(window),
            counts: AtomicBool::new(true),
        }))
    }

    /// The bytes of tunnels are read past the bodies of requests, and so are not seen to go.
    pub(crate) fn stop(&self) {
        self.0.counts.store(false, Ordering::Relaxed);
    }

    /// A request has a body.
    pub(crate) fn of_body(&self) -> OfBody {
        self.0.bodies.fetch_add(1, Ordering::Relaxed);
        OfBody(self.clone())
    }

    fn came(&self, small: usize) -> io::Result<()> {
        if small == 0 || !self.0.counts.load(Ordering::Relaxed) {
            return Ok(());
        }
        let before = self.0.waiting.fetch_add(small, Ordering::Relaxed);
        match before.saturating_add(small) > self.0.most {
            true => {
                // Once: the connection ends with it.
                tracing::info!(
                    side = "server",
                    fault = "peer",
                    "connection is closed: {CROWDED}"
                );
                Err(io::Error::other(CROWDED))
            }
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pieces").field(&self.0.waiting).finish()
    }
}

/// One body. Read its rest before it is dropped: what is left in it goes with it.
#[derive(Debug)]
pub(crate) struct OfBody(Pieces);

impl OfBody {
    /// The most pieces that it can have, large ones included. A client sends no more while nobody reads.
    pub(crate) fn most(&self) -> usize {
        self.0.0.most.saturating_mul(2)
    }

    /// A piece of so many bytes was taken out of it.
    pub(crate) fn went(&self, bytes: usize) {
        if is_small(bytes) {
            let less = |waiting: usize| Some(waiting.saturating_sub(1));
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self.0.0.waiting.fetch_update(set, get, less);
        }
    }
}

impl Drop for OfBody {
    fn drop(&mut self) {
        let shared = &self.0.0;
        // Pieces that came for a body which was gone were not kept, and were counted. With the last body none is kept at all.
        if shared.bodies.fetch_sub(1, Ordering::Relaxed) == 1 {
            shared.waiting.store(0, Ordering::Relaxed);
        }
    }
}

/// A piece of this size costs more than its bytes.
pub(crate) fn is_small(bytes: usize) -> bool {
    (1..SMALL).contains(&bytes)
}

/// A stream whose reader learns what its client sends.
#[derive(Debug)]
pub(crate) struct Counting<IO> {
    io: IO,
    frames: Frames,
    pieces: Pieces,
}

impl<IO> Counting<IO> {
    pub(crate) fn new(io: IO, pieces: Pieces) -> Self {
        Self {
            io,
            frames: Frames::default(),
            pieces,
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Counting<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        let mut small = 0_usize;
        this.frames.read(fresh, |bytes| {
            small = small.saturating_add(usize::from(is_small(bytes)));
        });
        Poll::Ready(this.pieces.came(small))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Counting<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

const CROWDED: &str = "its client sends bodies in too many small pieces that nobody reads";

/// Bytes from which on a piece is charged by its bytes alone, as in h2.
const SMALL: usize = 256;

/// Bytes of the window for each small piece that may wait. h2's own budget, where nothing refills it, has room for fewer: half of the window, of
/// which each takes what it is below 256 bytes.
const WINDOW_OF_PIECE: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_are_read_make_room_for_others() {
        let pieces = Pieces::within(1024);
        let body = pieces.of_body();
        for _ in 0..100 {
            pieces.came(8).unwrap();
            (0..8).for_each(|_| body.went(1));
        }
        pieces.came(8).unwrap();
        body.went(SMALL);
        pieces.came(1).unwrap_err();
    }

    #[test]
    fn nothing_waits_when_no_body_is_left() {
        let pieces = Pieces::within(1024);
        let bodies = [pieces.of_body(), pieces.of_body()];
        pieces.came(8).unwrap();
        let [one, other] = bodies;
        drop(one);
        pieces.came(1).unwrap_err();
        drop(other);
        pieces.came(8).unwrap();
    }
}
