//! One connection during its exchange.

use std::pin::pin;
use std::time::Duration;

use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::Pending;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::Verdict;
use atls_core::exchange::Verdicts;
use atls_core::limits::MAX_EARLY;
use atls_core::session::Session;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use super::Accepted;
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
    /// The bytes that the peer sent while this end worked: frames, or HTTP.
    pub(super) early: Vec<u8>,
}

impl<'a, S> Conversation<'a, S>
where
    S: Session + AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(session: &'a mut S, deadline: Deadline) -> Self {
        Self {
            session,
            deadline,
            early: Vec::new(),
        }
    }

    pub(super) async fn read(&mut self) -> Result<Frame, Error> {
        let sender = self.session.handshake().side().peer();
        if self.early.is_empty() {
            return frame::read(self.session, sender).await;
        }
        let mut early = &self.early[..];
        let read = frame::read(&mut (&mut early).chain(&mut *self.session), sender).await;
        let left = early.len();
        self.early.drain(..self.early.len().saturating_sub(left));
        read
    }

    /// Does the work unless the peer goes away meanwhile, so that nobody works, or waits in a queue, for a peer that is gone.
    ///
    /// Bytes of the peer are kept meanwhile, [`MAX_EARLY`] at most; behind more than that, its end is not seen.
    pub(super) async fn unless_gone<T>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut work = pin!(work);
        while let room @ 1.. = MAX_EARLY.saturating_sub(self.early.len()) {
            let mut reader = (&mut *self.session).take(u64::try_from(room).unwrap_or(u64::MAX));
            // Work that is done at once costs no read. A read that is dropped loses no byte.
            let read = tokio::select! {
                biased;
                done = &mut work => return done,
                read = reader.read_buf(&mut self.early) => read.map_err(Error::reading)?,
            };
            if read == 0 {
                return Err(Error::closed());
            }
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
    ) -> Result<Accepted, Error> {
        let credential = pending.finish(authenticator)?;
        let verdicts = credential
            .selection()
            .map_or(Verdicts::No, |selection| selection.verdicts);
        match appraiser.appraise(credential, self.deadline).await {
            Ok(accepted) => {
                if verdicts == Verdicts::Yes {
                    let valid_for = accepted.valid_for;
                    let verdict = Verdict::Accepted { valid_for };
                    self.write(FrameType::Verdict, &verdict.encode()).await?;
                }
                Ok(accepted)
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
