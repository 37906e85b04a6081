//! The appraisal of clients by a server.

use atls_core::ProtocolError;
use atls_core::exchange::Pending;
use atls_core::exchange::Requester;
use atls_core::session::Session;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use super::Accepted;
use super::Appraiser;
use super::conversation::Conversation;
use crate::error::Error;
use crate::frame::FrameType;

/// How clients are asked to attest.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) appraiser: Appraiser,
    pub(crate) requester: Requester,
    /// Whether a client may decline.
    pub(crate) required: bool,
}

impl Clients {
    pub(crate) async fn appraise<S>(
        &self,
        with: &mut Conversation<'_, S>,
        pending: Pending,
    ) -> Result<Option<Accepted>, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let authenticator = with.expect(FrameType::Authenticator).await?;
        match with
            .appraise(pending, &authenticator, &self.appraiser)
            .await
        {
            Ok(peer) => Ok(Some(peer)),
            // The client declined, authentically. Only a demand makes that a refusal.
            Err(error) if !self.required && error.protocol() == Some(&ProtocolError::Declined) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
