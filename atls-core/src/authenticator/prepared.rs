//! The asking end, before its connection: a request made ahead.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::extension::Extension;
use super::schedule::Schedule;
use super::sent::SentRequest;
use super::template::RequestTemplate;
use crate::error::ProtocolError;
use crate::limits::CONTEXT_LENGTH;
use crate::sending::SendError;
use crate::session::Session;
use crate::session::Side;

/// An authenticator request made before its connection is there, so that it can leave with the end of the handshake.
pub struct PreparedRequest {
    pub(super) asked: Arc<Asked>,
    pub(super) bytes: Vec<u8>,
    pub(super) context: [u8; CONTEXT_LENGTH],
}

/// What a request asks for, to hold the answer against.
pub(super) struct Asked {
    pub(super) side: Side,
    /// Codes of the extensions that the answer may have.
    pub(super) extensions: Vec<u16>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl PreparedRequest {
    /// [`RequestTemplate`] and its request in one step.
    ///
    /// # Errors
    /// As [`RequestTemplate::new`] and [`RequestTemplate::prepare`].
    pub fn new(
        side: Side,
        provider: &CryptoProvider,
        extensions: Vec<Extension>,
    ) -> Result<Self, ProtocolError> {
        RequestTemplate::new(side, provider, extensions)?.prepare()
    }

    /// The message to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The connection that it is sent on, and on no other: its context is spent hereby.
    ///
    /// # Errors
    /// [`ProtocolError`] where the exporter has none to give, the connection had its requests, is of the other side, or
    /// already saw this context: a peer that read the request may have sent it back.
    pub fn on(self, session: &dyn Session) -> Result<SentRequest, ProtocolError> {
        let handshake = session.handshake();
        if handshake.side() != self.asked.side {
            return Err(ProtocolError::WrongSide);
        }
        handshake
            .spent()
            .spend(&self.context)
            .map_err(|error| match error {
                ProtocolError::TooManyRequests => SendError::TooManyRequests.into(),
                other => other,
            })?;
        let schedule = Schedule::of(session, self.asked.side.peer())?;
        Ok(SentRequest::waiting(self, schedule))
    }
}

impl fmt::Debug for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest")
            .field("side", &self.asked.side)
            .field("schemes", &self.asked.schemes)
            .finish_non_exhaustive()
    }
}
