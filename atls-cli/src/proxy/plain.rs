//! Serves HTTP in the clear to programs of this machine: so many connections, and none that asks nothing for long.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use atls_axum::Http2Limits;
use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::holding::Holding;
use super::tunnels::Stop;

/// How much of it its clients may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most connections at a time.
    pub(super) connections: u32,
    /// Of one connection.
    pub(super) http2: Http2Limits,
}

/// Serves until it is told to stop and the requests under way are answered, or the time to drain has passed. Upgraded connections go on by
/// themselves, and count among the connections.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    (stop, drain): (Stop, Duration),
) {
    let most = usize::try_from(limits.connections).unwrap_or(Semaphore::MAX_PERMITS);
    let slots = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    loop {
        let next = accept(&listener, &slots);
        tokio::select! {
            () = stop.clone().told() => break,
            counted = next => {
                let connection = connection(counted, app.clone(), limits.http2, stop.clone());
                connections.spawn(connection);
            }
            // Nobody is to hear how it ended.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, finish).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections did not finish and are closed"
        );
    }
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Counted {
    // Nothing closes the semaphore.
    let slot = slots.clone().acquire_owned().await.ok();
    let (stream, _) = atls_axum::accept(listener).await;
    // Without it the connection is only slower.
    let _ = stream.set_nodelay(true);
    Counted {
        stream,
        _slot: slot,
    }
}

async fn connection(counted: Counted, app: Router, limits: Http2Limits, stop: Stop) {
    let (requests, mut under_way) = watch::channel(0);
    let requests = Arc::new(requests);
    let service = service_fn(|request: Request<Incoming>| {
        let request_under_way = UnderWay::begin(&requests);
        let answered = app.clone().oneshot(request.map(Body::new));
        async move {
            let answer = answered.await?;
            // It ends its request when it was taken.
            Ok::<_, Infallible>(answer.map(|body| Holding::new(body, request_under_way)))
        }
    });
    let builder = builder(&limits);
    let served = builder.serve_connection_with_upgrades(TokioIo::new(counted), service);
    let mut served = pin!(served);
    tokio::select! {
        _ = &mut served => return,
        () = idle(&mut under_way, IDLE) => {}
        () = stop.told() => {}
    }
    // HTTP/2 has a goodbye; a head that is never whole would be waited for.
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ = &mut served => {}
        () = idle(&mut under_way, GOODBYE) => {}
    }
}

fn builder(limits: &Http2Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A head that does not come is a connection that asks nothing.
    builder.http1().header_read_timeout(None);
    let mut http2 = builder.http2();
    http2
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .max_concurrent_streams(limits.streams)
        .initial_connection_window_size(limits.window)
        .initial_stream_window_size(limits.stream_window)
        // So that a WebSocket over HTTP/2 is answered, and its connection goes on.
        .enable_connect_protocol();
    builder
}

/// Ends once no request was under way for this time.
async fn idle(under_way: &mut watch::Receiver<u32>, time: Duration) {
    loop {
        // The sender lives as long as the connection.
        let _ = under_way.wait_for(|requests| *requests == 0).await;
        if tokio::time::timeout(time, under_way.changed())
            .await
            .is_err()
        {
            return;
        }
    }
}

/// A request whose answer was not taken yet.
struct UnderWay(Arc<watch::Sender<u32>>);

impl UnderWay {
    fn begin(requests: &Arc<watch::Sender<u32>>) -> Self {
        requests.send_modify(|requests| *requests = requests.saturating_add(1));
        Self(requests.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let end = |requests: &mut u32| *requests = requests.saturating_sub(1);
        self.0.send_modify(end);
    }
}

/// A connection with its place among the others, which it keeps when it is upgraded.
struct Counted {
    stream: TcpStream,
    _slot: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The longest time without a request, the one before the first included. Programs that keep connections ask anew.
const IDLE: Duration = Duration::from_secs(30);

/// For a request that crosses with the goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How often a silent client of HTTP/2 is asked for a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_asks_nothing_is_ended_wherever_it_stopped() {
        use tokio::io::AsyncReadExt;
        use tokio::io::AsyncWriteExt;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopped) = Stop::new();
        let limits = Limits {
            connections: 10,
            http2: Http2Limits::default(),
        };
        tokio::spawn(serve(listener, Router::new(), limits, (stopped, IDLE)));
        for start in [
            &b""[..],
            b"GET / HT",
            b"GET / HTTP/1.1\r\nHost: x\r\n",
            b"PRI * HTTP/2.0\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        ] {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(start).await.unwrap();
            let mut answer = Vec::new();
            let ending = async {
                // Sockets are a kernel's, which takes its time: the clock goes on by one step at a time.
                for step in [IDLE, GOODBYE] {
                    for _ in 0..1000 {
                        tokio::task::yield_now().await;
                    }
                    tokio::time::pause();
                    tokio::time::advance(step).await;
                    tokio::time::resume();
                }
                client.read_to_end(&mut answer).await
            };
            let ended = tokio::time::timeout(IDLE * 4, ending).await;
            assert!(ended.is_ok(), "{start:?}");
        }
    }

    #[tokio::test]
    async fn a_stop_waits_for_requests_under_way_no_longer_than_the_time_to_drain() {
        use tokio::io::AsyncReadExt;
        use tokio::io::AsyncWriteExt;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = Stop::new();
        let limits = Limits {
            connections: 10,
            http2: Http2Limits::default(),
        };
        let (reached, mut reaches) = tokio::sync::mpsc::channel(1);
        let app = Router::new().fallback(async move || {
            reached.send(()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let serving = tokio::spawn(serve(listener, app, limits, (stopped, Duration::ZERO)));
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        client.write_all(request).await.unwrap();
        reaches.recv().await.unwrap();
        drop(stop);
        let ended = tokio::time::timeout(IDLE, serving).await;
        ended.expect("it waits on").unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_requests_is_idle_and_one_with_a_request_is_not() {
        let (requests, mut under_way) = watch::channel(0);
        let requests = Arc::new(requests);
        let start = tokio::time::Instant::now();
        let request = UnderWay::begin(&requests);
        let ended = tokio::spawn(async move {
            idle(&mut under_way, IDLE).await;
            start.elapsed()
        });
        tokio::time::sleep(IDLE * 2).await;
        drop(request);
        assert!(ended.await.unwrap() >= IDLE * 3);
    }
}
