//! Peers of the weaker modes that keep every rule but one.

use std::io;
use std::net::SocketAddr;

use atls_core::BoxFuture;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use super::Flaw;
use super::Mode;
use super::Weak;
use super::certificate::read;
use super::connection::Choice;
use super::connection::Met;
use super::connection::Presenter;
use super::nonce::random_in;
use crate::kit::Dial;
use crate::kit::Kit;
use crate::tls;
use crate::twist::Duty;

/// A peer of either side that attests in its certificate and demands it of the other.
#[derive(Clone, Debug)]
pub struct BrokenPeer {
    presenter: Presenter,
    breach: Option<Weak>,
}

impl BrokenPeer {
    pub fn new(kit: &Kit, mode: Mode, breach: Option<Weak>) -> Self {
        let mut presenter = Presenter::new(kit, mode);
        match breach {
            Some(Weak::Sends(flaw)) => presenter.flaw = Some(flaw),
            Some(Weak::AnswersTwoNonces) => presenter.choice = Choice::First,
            Some(Weak::AnswersNoNonce) => presenter.choice = Choice::MadeUp,
            _ => {}
        }
        Self { presenter, breach }
    }

    /// Serves until its runtime ends.
    ///
    /// # Errors
    /// Without a port.
    pub async fn serve(self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = self.clone();
                tokio::spawn(async move { server.meet_client(socket).await });
            }
        });
        Ok(address)
    }

    async fn meet_client(&self, socket: TcpStream) -> io::Result<()> {
        let hello = tls::first_record(&socket).await?;
        if random_in(&hello).is_none() && self.breach != Some(Weak::TakesCutHello) {
            return Ok(());
        }
        let mut met = self.presenter.accept(socket).await?;
        if self.takes(&met) {
            let _ = met.tls.read(&mut [0; 1024]).await?;
            met.tls
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
            met.tls.shutdown().await?;
        }
        Ok(())
    }

    async fn meet_server(&self, to: SocketAddr) -> io::Result<()> {
        let mut met = self
            .presenter
            .connect(TcpStream::connect(to).await?)
            .await?;
        if self.takes(&met) {
            met.tls
                .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                .await?;
            met.tls.flush().await?;
            let _ = met.tls.read(&mut [0; 1024]).await?;
        }
        Ok(())
    }

    fn takes(&self, met: &Met) -> bool {
        let flaws = match &met.peer {
            None => Some(vec![Flaw::NoEvidence]),
            Some(certificate) => read(certificate, &met.about),
        };
        flaws.is_some_and(|flaws| {
            flaws.iter().all(|flaw| {
                let is_breach = self.breach == Some(Weak::Misjudges(*flaw));
                (flaw.duty() == Duty::Accept) != is_breach
            })
        })
    }
}

impl Dial for BrokenPeer {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let client = self.clone();
        Box::pin(async move {
            // The kit sees what came of it.
            let _ = client.meet_server(to).await;
        })
    }
}
