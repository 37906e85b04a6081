//! A service behind a proxy, in memory: it answers each connection with the same bytes, and keeps what it was sent.

use std::future::Ready;
use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;

use http::Uri;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::io::ReadBuf;
use tower::Service;

/// Connects to it.
#[derive(Clone, Default)]
pub struct Upstream {
    answer: Arc<[u8]>,
    sent: Arc<Mutex<Vec<Arc<Mutex<Vec<u8>>>>>>,
}

impl Upstream {
    pub fn answering(answer: &[u8]) -> Self {
        Self {
            answer: answer.into(),
            sent: Arc::default(),
        }
    }

    /// The bytes of each connection so far.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        let sent = self.sent.lock().expect("no panic");
        let whole = |bytes: &Arc<Mutex<Vec<u8>>>| bytes.lock().expect("no panic").clone();
        sent.iter().map(whole).collect()
    }
}

impl Service<Uri> for Upstream {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Wire>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (near, far) = tokio::io::duplex(PIPE);
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        self.sent.lock().expect("no panic").push(sent.clone());
        tokio::spawn(serve(far, self.answer.clone(), sent));
        ready(Ok(TokioIo::new(Wire(near))))
    }
}

/// Answers once something came, and reads on.
async fn serve(mut io: DuplexStream, answer: Arc<[u8]>, sent: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; PIPE];
    let mut is_answered = false;
    while let Ok(length @ 1..) = io.read(&mut buffer).await {
        sent.lock()
            .expect("no panic")
            .extend_from_slice(&buffer[..length]);
        if !is_answered {
            is_answered = true;
            // The other end may have gone.
            let _ = io.write_all(&answer).await;
            let _ = io.shutdown().await;
        }
    }
}

/// A connection to it.
pub struct Wire(DuplexStream);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

const PIPE: usize = 64 * 1024;
