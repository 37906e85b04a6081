//! One connection during its exchange.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::Pending;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::Verdict;
use atls_core::exchange::Verdicts;
use atls_core::session::Session;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use super::appraiser::Appraiser;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::frame;
use crate::frame::Frame;
use crate::frame::FrameType;

/// A session, its frames, and the deadline that all of its exchange shares.
pub(super) struct Conversation<'a, S> {
    pub(super) session: &'a mut S,
    pub(super) deadline: Deadline,
    /// A byte that the peer sent while this end worked: the first of a frame, or of HTTP.
    pub(super) early: Option<u8>,
}

impl<'a, S> Conversation<'a, S>
where
    S: Session + AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(session: &'a mut S, deadline: Deadline) -> Self {
        Self {
            session,
            deadline,
            early: None,
        }
    }

    pub(super) async fn read(&mut self) -> Result<Frame, Error> {
        match self.early.take() {
            Some(first) => frame::read_begun(self.session, first).await,
            None => frame::read(self.session).await,
        }
    }

    /// Does the work unless the peer goes away meanwhile, so that nobody works, or waits in a queue, for a peer that is gone.
    pub(super) async fn unless_gone<T>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut work = pin!(work);
        if self.early.is_none() {
            // Work that is done at once costs no read.
            let first = tokio::select! {
                biased;
                done = &mut work => return done,
                first = self.session.read_u8() => first,
            };
            self.early = Some(first.map_err(Error::reading)?);
        }
        work.await
    }

    /// Reads a frame, which must be of this kind. A refusal may come instead of any.
    pub(super) async fn expect(&mut self, kind: FrameType) -> Result<Vec<u8>, Error> {
        let frame = self.read().await?;
        if frame.kind == kind {
            return Ok(frame.payload);
        }
        Err(unexpected(&frame))
    }

    /// Buffers a frame, which leaves with the next [`flush`](Self::flush).
    pub(super) async fn write(&mut self, kind: FrameType, payload: &[u8]) -> Result<(), Error> {
        frame::write(self.session, kind, payload).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.session.flush().await.map_err(Error::writing)
    }

    /// Sends the last frame of a connection that ends with another error. That error counts, and the peer may be gone.
    pub(super) async fn leave_with(&mut self, kind: FrameType, payload: &[u8]) {
        if self.write(kind, payload).await.is_ok() {
            let _ = self.flush().await;
        }
    }

    /// Reads the peer's verdict on the authenticator of this end.
    pub(super) async fn read_verdict(&mut self) -> Result<Duration, Error> {
        match Verdict::decode(&self.expect(FrameType::Verdict).await?)? {
            Verdict::Accepted { valid_for } => Ok(valid_for),
            Verdict::Refused(code) => Err(Error::refused_by(code)),
            _ => Err(ProtocolError::Malformed.into()),
        }
    }

    /// Verifies an authenticator and appraises its Evidence; tells the peer the verdict where that was negotiated.
    pub(super) async fn appraise(
        &mut self,
        pending: Pending,
        authenticator: &[u8],
        appraiser: &Appraiser,
    ) -> Result<Arc<PeerAttestation>, Error> {
        let credential = pending.finish(authenticator)?;
        let verdicts = credential
            .selection()
            .map_or(Verdicts::No, |selection| selection.verdicts);
        match appraiser.appraise(credential, self.deadline).await {
            Ok((peer, valid_for)) => {
                if verdicts == Verdicts::Yes {
                    let verdict = Verdict::Accepted { valid_for };
                    self.write(FrameType::Verdict, &verdict.encode()).await?;
                }
                Ok(peer)
            }
            Err(error) => {
                if verdicts == Verdicts::Yes {
                    let code = error
                        .refusal()
                        .map_or(RefusalCode::Unavailable, Refusal::code);
                    let verdict = Verdict::Refused(code);
                    self.leave_with(FrameType::Verdict, &verdict.encode()).await;
                }
                Err(error)
            }
        }
    }
}

/// The error for a frame in place of which another one was due.
pub(super) fn unexpected(frame: &Frame) -> Error {
    match (frame.kind, Verdict::decode(&frame.payload)) {
        (FrameType::Verdict, Ok(Verdict::Refused(code))) => Error::refused_by(code),
        (FrameType::Verdict, Err(error)) => error.into(),
        _ => Error::wrong_order(),
    }
}
