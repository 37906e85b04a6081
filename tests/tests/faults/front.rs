//! A TCP front of a service, which can be made to fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to the connections of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A whole answer of this status, with these lines of headers and this body.
    Answers(u16, &'static str, &'static str),
    Closes,
    /// The connection is closed in the midst of the body.
    Cuts,
    /// One byte of the body in each second, for ever.
    Drips,
    /// A body as fast as it is taken, for ever.
    Endless,
    /// Bytes that are no HTTP.
    Garbage,
    /// The head of an answer, and nothing more.
    HeadAlone,
    /// None.
    Passes,
    Silent,
}

impl Fault {
    pub(crate) fn hangs(self) -> bool {
        matches!(self, Self::Drips | Self::HeadAlone | Self::Silent)
    }
}

/// Listens in the place of a service.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    fault: watch::Sender<Fault>,
    frozen: watch::Sender<()>,
    hung: Arc<Semaphore>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    open: AtomicUsize,
}

impl Front {
    pub(crate) async fn of(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, faults) = watch::channel(Fault::Passes);
        let (frozen, freezes) = watch::channel(());
        let counts = Arc::new(Counts::default());
        let counted = counts.clone();
        let hung = Arc::new(Semaphore::new(0));
        let hangs = hung.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                counted.accepted.fetch_add(1, Ordering::SeqCst);
                let open = Open::of(counted.clone());
                let hangs = hangs.clone();
                let (mut faults, mut freezes) = (faults.clone(), freezes.clone());
                freezes.mark_unchanged();
                let fault = *faults.borrow_and_update();
                tokio::spawn(async move {
                    let _open = open;
                    tokio::select! {
                        _ = connection(socket, fault, service, (freezes, hangs)) => {}
                        // Connections of another time are closed.
                        _ = faults.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            fault,
            frozen,
            hung,
            counts,
            task,
        }
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Connections of now pass nothing more and stay open. Later ones pass.
    pub(crate) fn freeze(&self) {
        self.frozen.send_replace(());
    }

    /// Waits until one more request hangs.
    pub(crate) async fn hangs(&self) {
        self.hung.acquire().await.unwrap().forget();
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// Connections that neither end has closed.
    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Open(Arc<Counts>);

impl Open {
    fn of(counts: Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::SeqCst);
        Self(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends when the client closes, or does so itself where the fault says that.
async fn connection(
    mut socket: TcpStream,
    fault: Fault,
    service: SocketAddr,
    (mut frozen, hung): (watch::Receiver<()>, Arc<Semaphore>),
) -> std::io::Result<()> {
    if fault == Fault::Passes {
        let mut upstream = TcpStream::connect(service).await?;
        upstream.set_nodelay(true)?;
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut socket, &mut upstream) => return Ok(()),
            _ = frozen.changed() => {}
        }
        socket.read_u8().await?;
        hung.add_permits(1);
        return until_closed(&mut socket).await;
    }
    let mut socket = BufReader::new(socket);
    if fault == Fault::Closes {
        return Ok(());
    }
    if fault == Fault::Silent {
        hung.add_permits(1);
        return until_closed(&mut socket).await;
    }
    read_request(&mut socket).await?;
    match fault {
        Fault::Answers(status, headers, body) => {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} Status\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            return socket.write_all(answer.as_bytes()).await;
        }
        Fault::Cuts => {
            socket.write_all(head(100).as_bytes()).await?;
            return socket.write_all(b"{\"token\":").await;
        }
        Fault::Drips => {
            socket.write_all(head(1_000_000).as_bytes()).await?;
            hung.add_permits(1);
            let (mut reading, mut writing) = socket.get_mut().split();
            return tokio::select! {
                dripped = drip(&mut writing) => dripped,
                closed = until_closed(&mut reading) => closed,
            };
        }
        Fault::Endless => {
            socket.write_all(head(usize::MAX >> 1).as_bytes()).await?;
            loop {
                socket.write_all(&[b' '; 4096]).await?;
            }
        }
        Fault::Garbage => socket.write_all(b"220 no HTTP at all\r\n\r\n").await?,
        Fault::HeadAlone => {
            socket.write_all(head(100).as_bytes()).await?;
            hung.add_permits(1);
        }
        Fault::Closes | Fault::Passes | Fault::Silent => {}
    }
    until_closed(&mut socket).await
}

async fn drip(socket: &mut WriteHalf<'_>) -> std::io::Result<()> {
    loop {
        socket.write_all(b" ").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 Ok\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}

async fn read_request(socket: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(stated) = line.strip_prefix("content-length: ") {
            length = stated.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    socket.read_exact(&mut vec![0; length]).await.map(drop)
}

async fn until_closed(socket: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut sink = [0; 4096];
    while socket.read(&mut sink).await? > 0 {}
    Ok(())
}
