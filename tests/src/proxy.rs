//! A forward proxy: CONNECT tunnels, and everything else answered in the clear.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use rustls::ServerConfig;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

pub struct Proxy {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Spoken to over `http`, or over `https` if it has TLS.
    pub async fn start(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, acceptor) = (seen.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => serve(acceptor.accept(socket).await.ok()?, &seen).await,
                        None => serve(socket, &seen).await,
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// The first lines of the requests that it read.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve<IO: AsyncRead + AsyncWrite + Unpin>(
    io: IO,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut io = BufReader::new(io);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if io.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let first = head.first()?.clone();
    seen.lock().unwrap().push(first.clone());
    let mut words = first.split(' ');
    if words.next() != Some("CONNECT") {
        io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy")
            .await
            .ok()?;
        return Some(());
    }
    let mut upstream = TcpStream::connect(words.next()?).await.ok()?;
    io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    tokio::io::copy_bidirectional(&mut io, &mut upstream)
        .await
        .ok()?;
    Some(())
}
