//! The client's part of the exchange.

use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
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
use tokio::time::Instant;

use super::Conversation;
use super::Exchanged;
use super::conversation::Judge;
use super::conversation::unexpected;
use crate::error::Error;
use crate::frame;
use crate::frame::Kind;
use crate::terms::ClientTerms;
use crate::terms::Unattested;
use crate::weaker::Mode;

/// The terms, checked, with what they need.
#[derive(Clone, Debug)]
pub(crate) struct ClientDriver {
    terms: ClientTerms,
    opener: Requester,
    clock: Arc<dyn TimeProvider>,
}

impl ClientDriver {
    pub(crate) fn new(
        terms: ClientTerms,
        provider: &CryptoProvider,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        if terms.relying_party.is_none() {
            match (terms.unattested, &terms.attester) {
                (Unattested::Refused, _) => return Err(ConfigError::PeerNotRequired),
                (Unattested::Accepted, None) => return Err(ConfigError::NothingToAttest),
                (Unattested::Accepted, Some(_)) => {}
            }
        }
        if terms.servers_attest != Mode::AfterHandshake
            && (terms.relying_party.is_none() || terms.attester.is_some())
        {
            return Err(ConfigError::Tls(
                "without exchange only servers can be demanded of, and a client attests by its certificate",
            ));
        }
        // What could never be sent is found out now, not on every connection.
        let opener = Requester::new(Side::Client, provider, Some(&terms.offer()))?;
        Ok(Self {
            terms,
            opener,
            clock,
        })
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.terms.deadline
    }

    pub(crate) fn attests(&self) -> bool {
        self.terms.attester.is_some()
    }

    pub(crate) fn servers_attest(&self) -> Mode {
        self.terms.servers_attest
    }

    /// Appraises what a server presented in its certificate.
    pub(crate) async fn judge_presented(
        &self,
        deadline: Instant,
        presented: Result<Credential, ProtocolError>,
    ) -> Result<Exchanged, Error> {
        let relying_party = self
            .terms
            .relying_party
            .as_ref()
            .ok_or(ConfigError::PeerNotRequired)?;
        let peer = super::decide(deadline, presented?, relying_party, &*self.clock).await?;
        Ok(Exchanged {
            peer: Some(Arc::new(peer)),
            own_valid_for: None,
        })
    }

    pub(crate) fn clock(&self) -> &Arc<dyn TimeProvider> {
        &self.clock
    }

    /// The request that opens the exchange, and its frame. It depends on no connection, so it may leave with the last
    /// flight of the handshake.
    pub(crate) fn open(&self) -> Result<(UnsentRequest, Vec<u8>), Error> {
        let opening = self.opener.prepare()?;
        let frame = frame::encode(Kind::Request, opening.as_bytes())?;
        Ok((opening, frame))
    }

    /// From the opening, whose frame was sent on this connection, to where HTTP begins.
    pub(crate) async fn run<L>(
        &self,
        mut with: Conversation<'_, L>,
        opening: UnsentRequest,
    ) -> Result<Exchanged, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let pending = opening.on(with.link)?;

        // A server that wants to know this client asks before it answers.
        let first = with.read().await?;
        match first.kind {
            Kind::Authenticator => {
                let peer = self.judge(&mut with, pending, &first.payload).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for: None,
                })
            }
            Kind::Request => {
                let challenge = Challenge::receive(with.link, &first.payload)?;
                self.answer(&mut with, pending, challenge).await
            }
            Kind::Verdict => Err(unexpected(&first)),
        }
    }

    async fn answer<L>(
        &self,
        with: &mut Conversation<'_, L>,
        pending: Pending,
        challenge: Challenge,
    ) -> Result<Exchanged, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let attester = self
            .terms
            .attester
            .as_deref()
            .ok_or_else(Error::wrong_order)?;
        let order = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Server { order }) if self.terms.can_attest().allows(order) => order,
            _ => return Err(ProtocolError::UnsupportedParameters.into()),
        };
        if !super::has_common_format(&challenge, attester) {
            return Err(ProtocolError::NoCommonFormat.into());
        }
        match order {
            Order::ClientFirst => {
                let own_valid_for = Self::present(with, challenge, attester).await?;
                let authenticator = with.expect(Kind::Authenticator).await?;
                let peer = self.judge(with, pending, &authenticator).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
            Order::ClientLast => {
                let authenticator = with.expect(Kind::Authenticator).await?;
                let peer = self.judge(with, pending, &authenticator).await?;
                let own_valid_for = Self::present(with, challenge, attester).await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
        }
    }

    /// Attests, and waits for the server's verdict: HTTP must not go to a server that is about to refuse.
    async fn present<L>(
        with: &mut Conversation<'_, L>,
        challenge: Challenge,
        attester: &dyn Attester,
    ) -> Result<Option<Duration>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let selection = challenge.selection();
        // This end has a key since it has an attester; so the server asked for something else than attestation.
        let request = challenge.to_attest().ok_or(ProtocolError::Malformed)?;
        let cmw = match with.attest(attester, request, None).await {
            Ok(cmw) => cmw,
            Err(error) => {
                // A verdict on the server may still wait to leave.
                let _ = with.flush().await;
                return Err(error);
            }
        };
        let authenticator = challenge.answer(&cmw)?;
        with.write(Kind::Authenticator, &authenticator).await?;
        with.flush().await?;
        match selection.map(|selection| selection.verdicts) {
            Some(Verdicts::Yes) => with.read_verdict().await.map(Some),
            Some(Verdicts::No) | None => Ok(None),
        }
    }

    async fn judge<L>(
        &self,
        with: &mut Conversation<'_, L>,
        pending: Pending,
        authenticator: &[u8],
    ) -> Result<Option<Arc<atls_core::PeerAttestation>>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let Some(relying_party) = &self.terms.relying_party else {
            pending.finish_without_attestation(authenticator)?;
            return Ok(None);
        };
        let judge = Judge {
            relying_party,
            clock: &*self.clock,
            turns: None,
        };
        let peer = with.decide(pending, authenticator, judge).await?;
        Ok(Some(Arc::new(peer)))
    }
}
