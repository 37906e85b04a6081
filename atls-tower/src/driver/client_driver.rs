//! The client's part of the exchange.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::WireProfile;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Offer;
use atls_core::exchange::Order;
use atls_core::exchange::Pending;
use atls_core::exchange::Requester;
use atls_core::exchange::UnsentRequest;
use atls_core::exchange::Verdicts;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use super::Accepted;
use super::Appraiser;
use super::EvidenceMaker;
use super::Exchanged;
use super::Turns;
use super::conversation::Conversation;
use super::conversation::unexpected;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::frame;
use crate::frame::FrameType;
use crate::metrics::Work;
use crate::stage::Stage;
use crate::terms::ClientTerms;

/// A client's terms, in the form that its exchanges use.
#[derive(Clone, Debug)]
pub(crate) struct ClientDriver {
    /// `None` where nothing is demanded of servers.
    servers: Option<Appraiser>,
    own: Option<EvidenceMaker>,
    can_attest: CanAttest,
    profile: WireProfile,
    requester: Requester,
}

impl ClientDriver {
    /// # Errors
    /// [`ConfigError`] for terms whose request no server could take.
    pub(crate) fn new(
        terms: &ClientTerms,
        provider: &CryptoProvider,
        clock: &Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let appraiser = |relying_party| Appraiser {
            relying_party,
            clock: clock.clone(),
            turns: Turns::unlimited(Work::Appraisal),
        };
        let maker = |attester| EvidenceMaker {
            attester,
            turns: Turns::unlimited(Work::Attestation),
        };
        Ok(Self {
            servers: terms.relying_party.clone().map(appraiser),
            own: terms.attester.clone().map(maker),
            can_attest: terms.can_attest(),
            profile: terms.profile,
            // A request that could never be sent fails here, and not on every connection.
            requester: Requester::in_profile(
                terms.profile,
                Side::Client,
                provider,
                Some(&terms.offer()),
            )?,
        })
    }

    /// Makes the request that begins the exchange, and its frame. It depends on no connection, so it may leave with the
    /// last flight of the handshake.
    pub(crate) fn request(&self) -> Result<(UnsentRequest, Vec<u8>), Error> {
        let request = self.requester.prepare()?;
        let frame = frame::encode(FrameType::Request, request.as_bytes())?;
        Ok((request, frame))
    }

    /// Sends the request and does the exchange.
    pub(crate) async fn exchange<S>(
        &self,
        session: &mut S,
        deadline: Deadline,
    ) -> Result<Exchanged, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let (request, frame) = self.request()?;
        let sending = async {
            session.write_all(&frame).await.map_err(Error::writing)?;
            session.flush().await.map_err(Error::writing)
        };
        deadline.bound(Stage::Exchange, sending).await?;
        self.exchange_after(request, session, deadline).await
    }

    /// Does the exchange whose request was sent on this connection.
    pub(crate) async fn exchange_after<S>(
        &self,
        request: UnsentRequest,
        session: &mut S,
        deadline: Deadline,
    ) -> Result<Exchanged, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let pending = request.on(session)?;
        let mut with = Conversation::new(session, deadline);
        let exchange = pin!(async {
            let exchanged = self.converse(&mut with, pending).await?;
            // A server speaks when it has what this client makes; anything but a frame that is due was sent out of order.
            if with.early.is_empty() {
                Ok(exchanged)
            } else {
                Err(Error::wrong_order())
            }
        });
        deadline.bound(Stage::Exchange, exchange).await
    }

    async fn converse<S>(
        &self,
        with: &mut Conversation<'_, S>,
        pending: Pending,
    ) -> Result<Exchanged, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        // A server that wants to know this client asks before it answers.
        let first = with.read().await?;
        match first.kind {
            FrameType::Authenticator => {
                let peer = self.appraise(with, pending, &first.payload).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for: None,
                })
            }
            FrameType::Request => {
                let challenge = Challenge::in_profile(self.profile, with.session, &first.payload)?;
                self.answer(with, pending, challenge).await
            }
            FrameType::Verdict => Err(unexpected(&first)),
        }
    }

    /// Attests to a server that asks, in the order that it wishes.
    async fn answer<S>(
        &self,
        with: &mut Conversation<'_, S>,
        pending: Pending,
        challenge: Challenge,
    ) -> Result<Exchanged, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let own = self.own.as_ref().ok_or_else(Error::wrong_order)?;
        let order = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Server { order }) if self.can_attest.allows(order) => order,
            _ => return Err(ProtocolError::UnsupportedParameters.into()),
        };
        if !own.suits(&challenge) {
            return Err(ProtocolError::NoCommonFormat.into());
        }
        match order {
            Order::ClientFirst => {
                let own_valid_for = attest(with, challenge, own).await?;
                let authenticator = with.expect(FrameType::Authenticator).await?;
                let peer = self.appraise(with, pending, &authenticator).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
            Order::ClientLast => {
                let authenticator = with.expect(FrameType::Authenticator).await?;
                let peer = self.appraise(with, pending, &authenticator).await?;
                let own_valid_for = attest(with, challenge, own).await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
        }
    }

    async fn appraise<S>(
        &self,
        with: &mut Conversation<'_, S>,
        pending: Pending,
        authenticator: &[u8],
    ) -> Result<Option<Accepted>, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let Some(appraiser) = &self.servers else {
            pending.finish_without_attestation(authenticator)?;
            return Ok(None);
        };
        with.appraise(pending, authenticator, appraiser)
            .await
            .map(Some)
    }
}

/// Attests, and waits for the server's verdict: HTTP must not go to a server that is about to refuse.
async fn attest<S>(
    with: &mut Conversation<'_, S>,
    challenge: Challenge,
    own: &EvidenceMaker,
) -> Result<Option<Duration>, Error>
where
    S: Session + AsyncRead + AsyncWrite + Unpin,
{
    let verdicts = challenge.verdicts();
    // This end has a key since it has an attester; so the server asked for something else than attestation.
    let request = challenge.to_attest().ok_or(ProtocolError::Malformed)?;
    let attesting = own.attest(request, with.deadline);
    let cmw = match with.unless_gone(attesting).await {
        Ok(cmw) => cmw,
        Err(error) => {
            // A verdict on the server may still wait to leave.
            let _ = with.flush().await;
            return Err(error);
        }
    };
    if !own.suits_with(&challenge, &cmw) {
        return Err(ProtocolError::NoCommonFormat.into());
    }
    let authenticator = challenge.answer(&cmw)?;
    with.write(FrameType::Authenticator, &authenticator).await?;
    with.flush().await?;
    match verdicts {
        Verdicts::Yes => with.read_verdict().await.map(Some),
        Verdicts::No => Ok(None),
    }
}
