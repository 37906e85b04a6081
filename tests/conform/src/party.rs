//! One end of one connection: its frames, within a limit of time, and the messages of the exchange on it.

use std::io;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::evidence::Source;
use crate::habit::Habit;
use crate::judge::Examined;
use crate::keys::Keys;
use crate::wire::AUTHENTICATOR;
use crate::wire::REQUEST;
use crate::wire::VERDICT;
use crate::wire::answer::Asked;
use crate::wire::request::Request;
use crate::wire::request_draft::RequestDraft;

/// What came next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Request(Vec<u8>),
    Authenticator(Vec<u8>),
    Verdict(Vec<u8>),
    /// No frame; it begins with this byte.
    Other(u8),
    /// A frame whose length is above the limit.
    TooLong,
    /// The peer closed the connection, or broke it.
    Ended,
    /// Nothing within the limit, and the connection is open.
    Nothing,
}

/// One end of one connection, on which every byte is its own choice.
#[derive(Debug)]
pub struct Party {
    pub link: Link,
    pub keys: Arc<Keys>,
    pub source: Source,
    pub limit: Duration,
    /// The key of this end's authenticators.
    pub key: Arc<CertifiedKey>,
    /// Whether this end presented a certificate in the handshake.
    pub has_certificate: bool,
    /// The most that the payload of a frame may have.
    pub longest: u32,
    /// What this end does wrong when it reads.
    pub habit: Option<Habit>,
    /// The contexts on this connection so far.
    pub spent: Vec<Vec<u8>>,
}

impl Party {
    pub fn side(&self) -> Side {
        self.link.handshake().side()
    }

    /// Reads a frame, or what stands in place of one. A peer that sends without end is not read without end.
    pub async fn next(&mut self) -> Got {
        match timeout(self.limit, self.read()).await {
            Ok(Ok(got)) => got,
            Ok(Err(_)) => Got::Ended,
            Err(_) => Got::Nothing,
        }
    }

    async fn read(&mut self) -> io::Result<Got> {
        let (kind, payload) = loop {
            let kind = self.link.tls.read_u8().await?;
            let skipped = self.habit == Some(Habit::TakesUnknownFrame) && kind == 9;
            if !(REQUEST..=VERDICT).contains(&kind) && !skipped {
                return Ok(Got::Other(kind));
            }
            let Some(payload) = self.read_payload().await? else {
                return Ok(Got::TooLong);
            };
            if !skipped {
                break (kind, payload);
            }
        };
        Ok(match kind {
            REQUEST => Got::Request(payload),
            AUTHENTICATOR => Got::Authenticator(payload),
            _ => Got::Verdict(payload),
        })
    }

    /// `None` for one that is too long.
    async fn read_payload(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = [0; 4];
        if self.habit == Some(Habit::NeedsWholeFrames) && !self.is_whole() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.link.tls.read_exact(&mut head).await?;
        let length = u32::from_be_bytes(head);
        let waits = [Habit::WaitsForLongFrame, Habit::TakesLongFrame];
        if length > MOST
            || length > self.longest && !self.habit.is_some_and(|habit| waits.contains(&habit))
        {
            return Ok(None);
        }
        let mut payload = Vec::new();
        let tls = &mut self.link.tls;
        tls.take(length.into()).read_to_end(&mut payload).await?;
        if payload.len() < usize::try_from(length).unwrap_or(usize::MAX) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let is_taken = length <= self.longest || self.habit == Some(Habit::TakesLongFrame);
        Ok(is_taken.then_some(payload))
    }

    /// Whether the frame whose type was read goes on in the same record of TLS, to its end.
    fn is_whole(&mut self) -> bool {
        let is_whole = |mut reader: rustls::Reader<'_>| {
            let chunk = reader.fill_buf().unwrap_or_default();
            let length = chunk.first_chunk().map(|head| u32::from_be_bytes(*head));
            let wanted = length.and_then(|length| usize::try_from(length).ok());
            wanted.is_some_and(|wanted| chunk.len() >= wanted.saturating_add(4))
        };
        match &mut self.link.tls {
            TlsStream::Client(stream) => is_whole(stream.get_mut().1.reader()),
            TlsStream::Server(stream) => is_whole(stream.get_mut().1.reader()),
        }
    }

    /// Waits for the end of the connection and reads what comes before; `false` where it stays open, or floods.
    pub async fn ends(&mut self) -> bool {
        let mut rest = (&mut self.link.tls).take(MOST.into());
        let mut sink = tokio::io::sink();
        match timeout(self.limit, tokio::io::copy(&mut rest, &mut sink)).await {
            Ok(Ok(read)) => read < MOST.into(),
            Ok(Err(_)) => true,
            Err(_) => false,
        }
    }

    /// The 11 bytes behind the first of a status line.
    pub async fn rest_of_status(&mut self) -> Option<Vec<u8>> {
        let mut rest = vec![0; 11];
        let reading = self.link.tls.read_exact(&mut rest);
        timeout(self.limit, reading).await.ok()?.ok()?;
        Some(rest)
    }

    /// Writes a frame. A peer that is gone is found out by the next read.
    pub async fn write(&mut self, kind: u8, payload: &[u8]) {
        let _ = timeout(self.limit, self.link.write(kind, payload)).await;
    }

    /// Writes bytes that are no frame.
    pub async fn write_bytes(&mut self, bytes: &[u8]) {
        let writing = async {
            self.link.tls.write_all(bytes).await?;
            self.link.tls.flush().await
        };
        let _ = timeout(self.limit, writing).await;
    }

    /// A request of this end in these formats; `last` is key 6 of a client, 7 of a server.
    pub fn draft(&self, formats: &[String], last: u64) -> RequestDraft {
        RequestDraft::new(self.side(), random(), formats, last)
    }

    /// Sends a request, and gives what the answer to it will be judged by.
    pub async fn ask(&mut self, draft: &RequestDraft) -> Option<Request> {
        let bytes = draft.encode();
        self.spent.push(draft.context.clone());
        self.write(REQUEST, &bytes).await;
        Request::read(&bytes, self.side(), &[])
    }

    /// Takes a request of the peer.
    pub fn receive(&mut self, bytes: &[u8]) -> Option<Request> {
        let request = Request::read(bytes, self.side().peer(), &self.spent)?;
        self.spent.push(request.context.clone());
        Some(request)
    }

    /// Judges the answer to a request of this end.
    pub fn examine(&self, bytes: &[u8], request: &Request) -> Option<Examined> {
        let asked = Asked {
            session: &self.link,
            request,
            sender: self.side().peer(),
        };
        Examined::read(bytes, &asked)
    }
}

/// An accepting verdict, for an hour.
pub const ACCEPTED: [u8; 5] = [0, 0, 0, 0x0e, 0x10];

/// A fresh context.
pub fn random() -> Vec<u8> {
    use ring::rand::SecureRandom;
    let mut context = vec![0; 32];
    // Without randomness all contexts are alike, and TLS has failed before.
    let _ = ring::rand::SystemRandom::new().fill(&mut context);
    context
}

/// Most bytes that are read of one frame, or before the end of a connection.
pub const MOST: u32 = 1 << 20;
