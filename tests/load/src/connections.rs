//! Setting up connections: TCP on loopback, TLS, the exchange where there is one, a byte each way.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use cpu_time::ProcessTime;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::setting::Ends;
use crate::setting::Kind;
use crate::setting::Setting;

pub(crate) fn measure(round: Duration, rounds: usize) -> Result<(), Box<dyn Error>> {
    let runtime = runtime()?;
    let setting = Setting::new()?;
    for clients in [1, 16] {
        println!(
            "connections, {clients} at a time, medians of {rounds} interleaved rounds of {round:?}"
        );
        println!(
            "{:<16} {:>8} {:>9} {:>9} {:>13} {:>7}",
            "", "per s", "p50 ms", "p99 ms", "CPU us (both)", "ratio"
        );
        let mut figures: Vec<Vec<Figures>> = vec![Vec::new(); Kind::ALL.len()];
        for _ in 0..rounds {
            for (kind, figures) in Kind::ALL.into_iter().zip(&mut figures) {
                let ends = setting.ends(kind)?;
                figures.push(runtime.block_on(one_round(ends, clients, round))?);
            }
        }
        let mut plain = None;
        for (kind, figures) in Kind::ALL.into_iter().zip(&figures) {
            let median = |of: fn(&Figures) -> f64| middle(figures.iter().map(of).collect());
            let cpu = median(|figures| figures.cpu);
            let plain = *plain.get_or_insert(cpu);
            println!(
                "{:<16} {:>8.0} {:>9.2} {:>9.2} {:>13.0} {:>7.2}",
                kind.name(),
                median(|figures| figures.rate),
                median(|figures| figures.p50),
                median(|figures| figures.p99),
                cpu,
                cpu / plain
            );
        }
        println!();
    }
    Ok(())
}

/// One kind of connection for a while, for a profiler to watch.
pub(crate) fn only(name: &str, round: Duration) -> Result<(), Box<dyn Error>> {
    let known = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let kind = known.ok_or_else(|| format!("no kind of connection is called {name:?}"))?;
    let ends = Setting::new()?.ends(kind)?;
    let figures = runtime()?.block_on(one_round(ends, 16, round))?;
    println!("{name}: {:.0} us of processor time", figures.cpu);
    Ok(())
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

#[derive(Clone)]
struct Figures {
    /// Connections per second.
    rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// Microseconds of processor time per connection, both ends.
    cpu: f64,
}

async fn one_round(ends: Ends, clients: usize, round: Duration) -> Result<Figures, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(serve(listener, ends.clone()));
    let times = Arc::new(Mutex::new(Vec::new()));
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let (ends, times) = (ends.clone(), times.clone());
            tokio::spawn(async move {
                while started.elapsed() < round {
                    let begun = Instant::now();
                    connect(&ends, address).await?;
                    let took = begun.elapsed();
                    times
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(took);
                }
                Ok::<_, std::io::Error>(())
            })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    let (elapsed, cpu) = (started.elapsed(), cpu.elapsed());
    server.abort();
    let mut times = std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
    times.sort();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times
            .get(index)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let number = times.len() as f64;
    Ok(Figures {
        rate: number / elapsed.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        cpu: cpu.as_secs_f64() * 1e6 / number,
    })
}

async fn serve(listener: TcpListener, ends: Ends) {
    while let Ok((socket, _)) = listener.accept().await {
        let ends = ends.clone();
        tokio::spawn(async move {
            socket.set_nodelay(true)?;
            match ends {
                Ends::Plain(acceptor, _) => echo(acceptor.accept(socket).await?).await,
                Ends::Attested(acceptor, _) => {
                    echo(
                        acceptor
                            .accept(socket)
                            .await
                            .map_err(std::io::Error::other)?,
                    )
                    .await
                }
            }
        });
    }
}

async fn connect(ends: &Ends, address: SocketAddr) -> std::io::Result<()> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    match ends {
        Ends::Plain(_, connector) => ask(connector.connect(name, socket).await?).await,
        Ends::Attested(_, connector) => {
            ask(connector
                .connect(name, socket)
                .await
                .map_err(std::io::Error::other)?)
            .await
        }
    }
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let byte = stream.read_u8().await?;
    stream.write_u8(byte).await?;
    stream.flush().await
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    // 'G', as HTTP would begin: none of the protocol's frames.
    stream.write_u8(b'G').await?;
    stream.flush().await?;
    stream.read_u8().await.map(drop)
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
