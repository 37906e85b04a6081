//! The process of the server.
//!
//! It reads one [`Setup`] as a line of JSON from its standard input, answers with the port, and then answers each further line
//! with its [`Usage`] so far. It ends with its standard input.

use std::error::Error;
use std::io;
use std::io::BufRead;
use std::io::Write;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use axum::Router;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use serde::Serialize;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::runtime;
use crate::server_end::ServerEnd;
use crate::service::Carries;
use crate::service::Service;
use crate::usage::Usage;

#[derive(Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) service: Service,
    pub(crate) certificates: Certificates,
}

pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let mut lines = io::stdin().lock().lines();
    let setup: Setup = serde_json::from_str(&lines.next().ok_or("no setup")??)?;
    let runtime = runtime()?;
    let port = runtime.block_on(start(setup))?;
    answer(&port)?;
    for line in lines {
        line?;
        answer(&Usage::so_far()?)?;
    }
    Ok(())
}

fn answer(value: &impl Serialize) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

async fn start(setup: Setup) -> Result<u16, Box<dyn Error>> {
    let Setup {
        service,
        certificates,
    } = setup;
    let end = ServerEnd::new(&service, &certificates).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    match (end, service.carries) {
        (end, Carries::Byte) => drop(tokio::spawn(bytes(listener, end))),
        (ServerEnd::Attested(acceptor), _) => {
            let listener = AttestedListener::builder(acceptor)
                .pending(usize::MAX)
                .over(listener)?;
            let router = Router::new().route("/", get(attested));
            tokio::spawn(async move { atls_axum::serve(listener, router).await });
        }
        (ServerEnd::Plain(acceptor), carries) => {
            let router = Router::new().route("/", get(plain));
            tokio::spawn(http(listener, acceptor, carries, router));
        }
    }
    Ok(port)
}

/// Reads what is known of the client, as a handler would.
async fn attested(client: Option<AttestationResult>) -> &'static str {
    std::hint::black_box(client);
    "hello"
}

async fn plain() -> &'static str {
    "hello"
}

/// Answers one byte on each connection, and then holds it until the client ends it.
async fn bytes(listener: TcpListener, end: ServerEnd) {
    while let Ok((socket, _)) = listener.accept().await {
        let end = end.clone();
        tokio::spawn(async move {
            socket.set_nodelay(true)?;
            // A task of its own, as in a server, holds the connection and nothing of its beginning.
            match end {
                ServerEnd::Plain(acceptor) => {
                    tokio::spawn(echo(Box::new(acceptor.accept(socket).await?)));
                }
                ServerEnd::Attested(acceptor) => {
                    let stream = acceptor.accept(socket).await;
                    tokio::spawn(echo(Box::new(stream.map_err(io::Error::other)?)));
                }
            }
            Ok::<_, io::Error>(())
        });
    }
}

/// The stream is boxed, since this future would hold it twice.
async fn echo(mut stream: Box<impl AsyncRead + AsyncWrite + Unpin>) -> io::Result<()> {
    loop {
        let byte = stream.read_u8().await?;
        stream.write_u8(byte).await?;
        stream.flush().await?;
    }
}

/// Plain HTTPS: hyper over tokio-rustls.
async fn http(listener: TcpListener, acceptor: TlsAcceptor, carries: Carries, router: Router) {
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let _ = https(socket, acceptor, carries, router).await;
        });
    }
}

async fn https(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    carries: Carries,
    router: Router,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    socket.set_nodelay(true)?;
    let stream = TokioIo::new(acceptor.accept(socket).await?);
    let service = TowerToHyperService::new(router);
    match carries {
        Carries::Http2 => {
            let builder = http2::Builder::new(TokioExecutor::new());
            builder.serve_connection(stream, service).await?;
        }
        Carries::Byte | Carries::Http1 => {
            let builder = http1::Builder::new();
            builder.serve_connection(stream, service).await?;
        }
    }
    Ok(())
}
