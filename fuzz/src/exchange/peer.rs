//! The hostile peer: it finished its handshake, and now plays a script.

use std::time::Duration;

use atls_tower::core::Attester;
use atls_tower::core::exchange;
use atls_tower::core::exchange::CanAttest;
use atls_tower::core::exchange::Order;
use atls_tower::core::exchange::Parameters;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;

use super::link;
use super::link::View;
use super::script::Step;
use super::setting::Setting;
use super::setting::Terms;

pub(super) struct Peer<'a> {
    pub(super) setting: &'a Setting,
    pub(super) tls: TlsStream<DuplexStream>,
    /// Of the live end.
    terms: Terms,
    pieces: usize,
    /// The last request of the live end.
    pub(super) asked: Option<Vec<u8>>,
    /// The last frame of the live end.
    seen: Option<(u8, Vec<u8>)>,
    foreign: &'a [Vec<u8>],
    played: Played,
}

/// What the peer did, for the judgement.
#[derive(Default)]
pub(super) struct Played {
    /// An authenticator of this connection left, with Evidence of the device that nobody altered.
    pub(super) genuine: bool,
    /// All of the stream.
    pub(super) sent: Vec<u8>,
    /// The well-formed frames that left.
    pub(super) frames: Vec<Vec<u8>>,
    /// The frames of the live end that the script read.
    pub(super) received: Vec<Vec<u8>>,
    /// Nothing was lost on its way.
    pub(super) wrote_all: bool,
}

impl<'a> Peer<'a> {
    /// A client of a live server. `None` where there is no connection.
    pub(super) async fn client(
        setting: &'a Setting,
        io: DuplexStream,
        terms: Terms,
    ) -> Option<Self> {
        let connector = TlsConnector::from(setting.client_tls.clone());
        let tls = connector.connect(setting.name(), io).await.ok()?;
        Some(Self::on(setting, TlsStream::Client(tls), terms))
    }

    /// A server of a live client.
    pub(super) async fn server(
        setting: &'a Setting,
        io: DuplexStream,
        terms: Terms,
    ) -> Option<Self> {
        let acceptor = TlsAcceptor::from(setting.server_tls.clone());
        let tls = acceptor.accept(io).await.ok()?;
        Some(Self::on(setting, TlsStream::Server(tls), terms))
    }

    fn on(setting: &'a Setting, tls: TlsStream<DuplexStream>, terms: Terms) -> Self {
        Self {
            setting,
            tls,
            terms,
            pieces: usize::MAX,
            asked: None,
            seen: None,
            foreign: &[],
            played: Played {
                wrote_all: true,
                ..Played::default()
            },
        }
    }

    /// With frames of another connection at hand.
    pub(super) fn knowing(self, foreign: &'a [Vec<u8>]) -> Self {
        Self { foreign, ..self }
    }

    /// Plays until the script or the connection ends.
    pub(super) async fn play<'s>(mut self, script: impl IntoIterator<Item = Step<'s>>) -> Played {
        for step in script.into_iter().take(MAX_STEPS) {
            if self.step(step).await.is_none() {
                break;
            }
        }
        if self.tls.shutdown().await.is_err() {
            self.played.wrote_all = false;
        }
        // The live end may still answer, and must not be cut by an end that nobody wrote.
        let _ = self.tls.read_to_end(&mut Vec::new()).await;
        self.played
    }

    async fn step(&mut self, step: Step<'_>) -> Option<()> {
        match step {
            Step::Authenticator(answer, change) => {
                let Some((authenticator, genuine)) = self.answer(answer) else {
                    return Some(());
                };
                let changed = change.apply(&authenticator);
                // It counts from here on, whether it arrives or not.
                self.played.genuine |= genuine && changed == authenticator;
                self.frame(AUTHENTICATOR, &changed).await
            }
            Step::Bytes(bytes) => self.write(bytes).await,
            Step::End => None,
            Step::Foreign(which) => {
                let Some(which) = usize::from(which).checked_rem(self.foreign.len()) else {
                    return Some(());
                };
                self.write(&self.foreign[which].clone()).await
            }
            Step::Frame {
                kind,
                length,
                payload,
            } => {
                let frame = [&[kind], &length.to_be_bytes()[..], payload].concat();
                self.write(&frame).await
            }
            Step::Pieces(size) => {
                self.pieces = usize::from(size).saturating_add(1);
                Some(())
            }
            Step::Read => self.read().await,
            Step::Reflect(change) => {
                let Some((kind, payload)) = self.seen.clone() else {
                    return Some(());
                };
                self.frame(kind, &change.apply(&payload)).await
            }
            Step::Request(bits, change) => {
                let Some(request) = self.request(bits) else {
                    return Some(());
                };
                self.frame(REQUEST, &change.apply(&request)).await
            }
            Step::Resend(which) => {
                let Some(which) = usize::from(which).checked_rem(self.played.frames.len()) else {
                    return Some(());
                };
                let frame = self.played.frames[which].clone();
                self.write(&frame).await
            }
            Step::Verdict(code, seconds) => {
                let verdict = [&[code], &seconds.to_be_bytes()[..]].concat();
                self.frame(VERDICT, &verdict).await
            }
            Step::Wait(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds.into()).min(MAX_WAIT)).await;
                Some(())
            }
        }
    }

    async fn read(&mut self) -> Option<()> {
        let kind = self.tls.read_u8().await.ok()?;
        let length = self.tls.read_u32().await.ok()?;
        let mut payload = Vec::new();
        let mut limited = (&mut self.tls).take(length.into());
        limited.read_to_end(&mut payload).await.ok()?;
        if kind == REQUEST {
            self.asked = Some(payload.clone());
        }
        let shows = kind == AUTHENTICATOR && payload.len() > EMPTY;
        assert!(
            !shows || self.played.genuine || !self.terms.attests_second,
            "showed its Evidence to a peer that did not attest"
        );
        self.played.received.push(framed(kind, &payload)?);
        self.seen = Some((kind, payload));
        Some(())
    }

    fn request(&self, bits: u8) -> Option<Vec<u8>> {
        let formats = self.setting.device.media_types().to_vec();
        let parameters = match &self.tls {
            TlsStream::Client(_) => {
                let can_attest = match bits & 3 {
                    0 => CanAttest::EitherOrder,
                    1 => CanAttest::AfterServer,
                    _ => CanAttest::No,
                };
                Parameters::client(formats, bits & 4 == 0, can_attest)
            }
            TlsStream::Server(_) => {
                let order = match bits & 1 {
                    0 => Order::ClientLast,
                    _ => Order::ClientFirst,
                };
                Parameters::server(formats, order)
            }
        };
        let parameters = Some(&parameters).filter(|_| bits & 8 == 0);
        let view = View::of(&self.tls, self.setting.identity.clone())?;
        let (request, _) = exchange::request(&view, &self.setting.provider, parameters).ok()?;
        Some(request)
    }

    async fn frame(&mut self, kind: u8, payload: &[u8]) -> Option<()> {
        let frame = framed(kind, payload)?;
        self.played.frames.push(frame.clone());
        self.write(&frame).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.played.sent.extend_from_slice(bytes);
        // Each piece is a record of TLS, which costs both ends the same.
        if self.played.sent.len() / self.pieces > MOST_PIECES {
            self.pieces = usize::MAX;
        }
        let written = link::write_pieces(&mut self.tls, bytes, self.pieces).await;
        self.played.wrote_all &= written.is_some();
        written
    }
}

fn framed(kind: u8, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok()?;
    Some([&[kind], &length.to_be_bytes()[..], payload].concat())
}

const REQUEST: u8 = 1;
const AUTHENTICATOR: u8 = 2;
const VERDICT: u8 = 3;

/// Bytes of an empty authenticator: a Finished of SHA-384.
const EMPTY: usize = 4 + 48;

/// More say nothing new, and take long.
const MOST_PIECES: usize = 4096;
const MAX_STEPS: usize = 32;

/// Beyond all deadlines. A live end looks at its clock each minute, and each look takes the processor's time.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);
