//! A request that is made before its connection is there.

use std::fmt;
use std::sync::Arc;

use super::answer_rules::AnswerRules;
use super::schedule::Schedule;
use super::sent::SentRequest;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::limits::CONTEXT_LENGTH;
use crate::session::Session;

/// An authenticator request that is made before its connection is there, so that it can leave with the end of the handshake.
pub struct PreparedRequest {
    pub(super) rules: Arc<AnswerRules>,
    pub(super) bytes: Vec<u8>,
    pub(super) context: [u8; CONTEXT_LENGTH],
}

impl PreparedRequest {
    /// The message to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names the connection on which the request is sent, and spends its context there.
    ///
    /// # Errors
    /// [`ProtocolError`] where the connection cannot export, had its most requests, is of the other side, or already saw this
    /// context. A peer that read the request may have sent it back.
    pub fn on(self, session: &dyn Session) -> Result<SentRequest, ProtocolError> {
        let handshake = session.handshake();
        if handshake.side() != self.rules.side {
            return Err(ProtocolError::WrongSide);
        }
        handshake
            .spent()
            .spend(&self.context)
            .map_err(|error| match error {
                ProtocolError::TooManyRequests => SendError::TooManyRequests.into(),
                other => other,
            })?;
        let schedule = Schedule::of(session, self.rules.side.peer())?;
        Ok(SentRequest {
            rules: self.rules,
            bytes: self.bytes,
            context: self.context,
            schedule,
        })
    }
}

impl fmt::Debug for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest")
            .field("side", &self.rules.side)
            .field("schemes", &self.rules.schemes)
            .finish_non_exhaustive()
    }
}
