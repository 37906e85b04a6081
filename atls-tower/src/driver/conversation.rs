//! One connection during its exchange, with the deadline that all of it shares.

use std::time::Duration;

use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::Fault;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::cmw::Cmw;
use atls_core::exchange::Credential;
use atls_core::exchange::Pending;
use atls_core::exchange::Verdict;
use atls_core::exchange::Verdicts;
use atls_core::pki_types::UnixTime;
use atls_core::session::Session;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::within;
use crate::error::Error;
use crate::error::Stage;
use crate::frame;
use crate::frame::Frame;
use crate::frame::Kind;

/// The connection and its deadline. What waits for somebody else than the peer says so when the deadline passes.
pub(crate) struct Conversation<'a, L> {
    pub(super) link: &'a mut L,
    deadline: Instant,
}

impl<'a, L> Conversation<'a, L>
where
    L: Session + AsyncRead + AsyncWrite + Unpin,
{
    pub(crate) fn new(link: &'a mut L, deadline: Instant) -> Self {
        Self { link, deadline }
    }

    pub(super) async fn read(&mut self) -> Result<Frame, Error> {
        frame::read(self.link).await
    }

    /// The next frame must be of this kind; a refusal may come instead of any.
    pub(super) async fn expect(&mut self, kind: Kind) -> Result<Vec<u8>, Error> {
        let frame = self.read().await?;
        if frame.kind == kind {
            return Ok(frame.payload);
        }
        Err(unexpected(&frame))
    }

    /// Leaves with the next [`flush`](Self::flush).
    pub(super) async fn write(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        frame::write(self.link, kind, payload).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.link.flush().await.map_err(Error::writing)
    }

    /// The last words of a connection that ends with another error, which counts: the peer may be gone already.
    pub(super) async fn leave_with(&mut self, kind: Kind, payload: &[u8]) {
        if self.write(kind, payload).await.is_ok() {
            let _ = self.flush().await;
        }
    }

    /// Reads the peer's verdict on our authenticator.
    pub(super) async fn read_verdict(&mut self) -> Result<Duration, Error> {
        match Verdict::decode(&self.expect(Kind::Verdict).await?)? {
            Verdict::Accepted { valid_for } => Ok(valid_for),
            Verdict::Refused(code) => Err(Error::refused_by(code)),
            _ => Err(ProtocolError::Malformed.into()),
        }
    }

    /// Makes our own Evidence, in its turn where turns are limited. The turn is over before anything is sent.
    pub(super) async fn attest(
        &mut self,
        attester: &dyn Attester,
        request: AttestRequest<'_>,
        turns: Option<&Semaphore>,
    ) -> Result<Cmw, Error> {
        let _turn = turn(self.deadline, turns).await?;
        let attesting = async { Ok(attester.attest(request).await?) };
        within(self.deadline, Stage::Attestation, attesting).await
    }

    /// Appraises what an authenticator carried; tells the peer the verdict where that was negotiated.
    pub(super) async fn decide(
        &mut self,
        pending: Pending,
        authenticator: &[u8],
        judge: Judge<'_>,
    ) -> Result<PeerAttestation, Error> {
        let credential = pending.finish(authenticator)?;
        let verdicts = credential
            .selection()
            .map_or(Verdicts::No, |selection| selection.verdicts);
        match self.appraise(credential, judge).await {
            Ok((peer, valid_for)) => {
                if verdicts == Verdicts::Yes {
                    let verdict = Verdict::Accepted { valid_for };
                    self.write(Kind::Verdict, &verdict.encode()).await?;
                }
                Ok(peer)
            }
            Err(error) => {
                if verdicts == Verdicts::Yes {
                    let code = error
                        .refusal()
                        .map_or(atls_core::exchange::RefusalCode::Unavailable, Refusal::code);
                    let verdict = Verdict::Refused(code);
                    self.leave_with(Kind::Verdict, &verdict.encode()).await;
                }
                Err(error)
            }
        }
    }

    /// In its turn where turns are limited. The turn is over before the verdict is sent.
    async fn appraise(
        &mut self,
        credential: Credential,
        judge: Judge<'_>,
    ) -> Result<(PeerAttestation, Duration), Error> {
        let _turn = turn(self.deadline, judge.turns).await?;
        let appraising = async {
            let now = now(judge.clock)?;
            let peer = judge.relying_party.appraise(credential, now).await?;
            let valid_for = peer.valid_for(now);
            Ok((peer, valid_for))
        };
        within(self.deadline, Stage::Appraisal, appraising).await
    }
}

/// By whom, and at what time, a peer is judged.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) relying_party: &'a RelyingParty,
    pub(super) clock: &'a dyn TimeProvider,
    /// Turns among the appraisals of this end, where those are limited.
    pub(super) turns: Option<&'a Semaphore>,
}

/// Waits for a turn at work of this end. Nothing that a peer controls may be waited for while it is held.
pub(super) async fn turn(
    deadline: Instant,
    turns: Option<&Semaphore>,
) -> Result<Option<SemaphorePermit<'_>>, Error> {
    let Some(turns) = turns else {
        return Ok(None);
    };
    // A semaphore of ours is never closed.
    let turn = async { turns.acquire().await.map_err(|_| Error::closed()) };
    within(deadline, Stage::Queue, turn).await.map(Some)
}

/// What a frame that should have been another one means.
pub(super) fn unexpected(frame: &Frame) -> Error {
    match (frame.kind, Verdict::decode(&frame.payload)) {
        (Kind::Verdict, Ok(Verdict::Refused(code))) => Error::refused_by(code),
        (Kind::Verdict, Err(error)) => error.into(),
        _ => Error::wrong_order(),
    }
}

/// A clock that does not know the time refuses everything: nothing can be shown to be unexpired.
pub(super) fn now(clock: &dyn TimeProvider) -> Result<UnixTime, Error> {
    clock
        .current_time()
        .ok_or_else(|| Refusal::Expired(Fault::Local).into())
}
