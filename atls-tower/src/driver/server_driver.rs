//! The server's part of the exchange.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::RelyingParty;
use atls_core::cmw::Cmw;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Offer;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::Requester;
use atls_core::exchange::Verdict;
use atls_core::exchange::Verdicts;
use atls_core::limits::DEFAULT_IN_HANDSHAKE;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Conversation;
use super::Exchanged;
use super::conversation::Judge;
use super::conversation::turn;
use crate::error::Error;
use crate::error::Stage;
use crate::frame::Frame;
use crate::frame::Kind;
use crate::layer::ClientDemand;
use crate::terms::Demand;
use crate::terms::Purpose;
use crate::terms::ServerTerms;
use crate::weaker::Mode;

/// The terms, with what they need.
#[derive(Clone, Debug)]
pub(crate) struct ServerDriver {
    terms: ServerTerms,
    /// `None` where nothing is demanded of clients.
    asking: Option<Asking>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
    /// Permits are for work of this end, never for a wait on its peer: a client that goes silent holds none.
    attestations: Arc<Semaphore>,
    in_handshake: Arc<Semaphore>,
    appraisals: Arc<Semaphore>,
}

impl ServerDriver {
    pub(crate) fn new(
        terms: ServerTerms,
        provider: Arc<CryptoProvider>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        if terms.attests == Mode::InHandshake && terms.attester.is_none() {
            return Err(ConfigError::Tls(
                "a server without attester has nothing to attest with in the handshake",
            ));
        }
        if terms.attests == Mode::InHandshake && terms.order == Order::ClientFirst {
            return Err(ConfigError::Tls(
                "a server that attests in the handshake cannot hear the client first",
            ));
        }
        if terms.purpose == Purpose::Attestation
            && terms.attester.is_none()
            && matches!(terms.demand, Demand::Nothing)
        {
            return Err(ConfigError::NothingToAttest);
        }
        // What could never be sent is found out now, not on every connection.
        let asking = Asking::of(&terms, &provider)?;
        let room = |limit: usize| Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self {
            attestations: room(terms.attestations),
            in_handshake: room(terms.attestations.min(DEFAULT_IN_HANDSHAKE)),
            appraisals: room(terms.appraisals),
            terms,
            asking,
            provider,
            clock,
        })
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.terms.deadline
    }

    pub(crate) fn first_octet(&self) -> Duration {
        self.terms.first_octet
    }

    pub(crate) fn clock(&self) -> &Arc<dyn TimeProvider> {
        &self.clock
    }

    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    pub(crate) fn clients_attest(&self) -> Mode {
        self.terms.clients_attest
    }

    /// Who makes Evidence during handshakes, if anybody does.
    pub(crate) fn attester_in_handshake(&self) -> Option<&Arc<dyn Attester>> {
        match self.terms.attests {
            Mode::InHandshake => self.terms.attester.as_ref(),
            Mode::AfterHandshake | Mode::InCertificate => None,
        }
    }

    /// Makes Evidence during a handshake, for few at once: all that it costs a client to come here is a ClientHello.
    pub(crate) async fn attest_handshake(
        &self,
        deadline: Instant,
        attester: &dyn Attester,
        request: AttestRequest<'_>,
    ) -> Result<Cmw, Error> {
        let _turn = turn(deadline, Some(&self.in_handshake)).await?;
        let attesting = async { Ok(attester.attest(request).await?) };
        super::within(deadline, Stage::Attestation, attesting).await
    }

    /// Of whom attestation is demanded.
    pub(crate) fn demand(&self) -> ClientDemand {
        match self.terms.demand {
            Demand::Always(_) => ClientDemand::OfEverybody,
            Demand::IfAble(_) | Demand::Nothing => ClientDemand::OfSome,
        }
    }

    /// Whether a client that does not speak this protocol may be served.
    pub(crate) fn serves_unattested(&self) -> bool {
        !matches!(self.terms.demand, Demand::Always(_))
            || self.terms.clients_attest != Mode::AfterHandshake
    }

    /// Whether a client that attests by its certificate may go without.
    pub(crate) fn serves_without_certificate(&self) -> bool {
        !matches!(self.terms.demand, Demand::Always(_))
    }

    /// Appraises what a client presented in its certificate. `None` for a client that presented nothing and may.
    pub(crate) async fn judge_presented(
        &self,
        deadline: Instant,
        presented: Result<Credential, ProtocolError>,
    ) -> Result<Option<Arc<PeerAttestation>>, Error> {
        let Some(asking) = &self.asking else {
            return Ok(None);
        };
        let credential = match presented {
            Ok(credential) => credential,
            Err(ProtocolError::NoAttestation) if asking.required => {
                return Err(Error::peer_unattested());
            }
            Err(ProtocolError::NoAttestation) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let _turn = turn(deadline, Some(&self.appraisals)).await?;
        let peer = super::decide(deadline, credential, &asking.relying_party, &*self.clock).await?;
        Ok(Some(Arc::new(peer)))
    }

    /// From the client's first frame to where HTTP begins.
    pub(crate) async fn run<L>(
        &self,
        mut with: Conversation<'_, L>,
        first: Frame,
    ) -> Result<Exchanged, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        if first.kind != Kind::Request {
            return Err(Error::wrong_order());
        }
        let challenge = Challenge::receive(with.link, &first.payload)?;
        let asking = match self.terms.clients_attest {
            Mode::AfterHandshake => self.asking(&mut with, &challenge).await?,
            // It was judged by its certificate.
            Mode::InCertificate | Mode::InHandshake => None,
        };
        let Some(asking) = asking else {
            let own_valid_for = self.present(&mut with, challenge).await?;
            return Ok(Exchanged {
                peer: None,
                own_valid_for,
            });
        };

        let opening = asking.opener.prepare()?;
        with.write(Kind::Request, opening.as_bytes()).await?;
        let pending = opening.on(with.link)?;
        match self.terms.order {
            Order::ClientLast => {
                let own_valid_for = self.present(&mut with, challenge).await?;
                let peer = self.judge(&mut with, pending, asking).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
            Order::ClientFirst => {
                with.flush().await?;
                let peer = self.judge(&mut with, pending, asking).await?;
                let own_valid_for = self.present(&mut with, challenge).await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
        }
    }

    /// Whether this client is asked to attest; wishes that cannot both be met are refused now.
    async fn asking<L>(
        &self,
        with: &mut Conversation<'_, L>,
        challenge: &Challenge,
    ) -> Result<Option<&Asking>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let can_attest = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Client { can_attest, .. }) => can_attest,
            // Who sent no parameters speaks only the minimal exchange, and cannot be asked.
            _ => CanAttest::No,
        };
        let Some(asking) = &self.asking else {
            return Ok(None);
        };
        if can_attest.allows(self.terms.order) {
            return Ok(Some(asking));
        }
        match (can_attest, asking.required) {
            (CanAttest::No, false) => Ok(None),
            (CanAttest::No, true) => {
                refuse(with, challenge, RefusalCode::AttestationRequired).await;
                Err(Error::peer_unattested())
            }
            _ => {
                refuse(with, challenge, RefusalCode::Incompatible).await;
                Err(ProtocolError::UnsupportedParameters.into())
            }
        }
    }

    /// Answers the client's request as it wishes, and hears its verdict.
    async fn present<L>(
        &self,
        with: &mut Conversation<'_, L>,
        challenge: Challenge,
    ) -> Result<Option<Duration>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let selection = challenge.selection();
        let wanted = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Client { wants_evidence, .. }) => wants_evidence,
            _ => challenge.to_attest().is_some(),
        };
        if !wanted {
            let authenticator = challenge.answer_without_attestation()?;
            with.write(Kind::Authenticator, &authenticator).await?;
            with.flush().await?;
            return Ok(None);
        }
        // A server has a key; so the client wants Evidence and did not offer the extension that carries it.
        let request = challenge.to_attest().ok_or(ProtocolError::Malformed)?;
        let able = match self.terms.attester.as_deref() {
            Some(attester) if super::has_common_format(&challenge, attester) => Some(attester),
            _ => None,
        };
        let Some(attester) = able else {
            with.write(Kind::Authenticator, &challenge.decline()?)
                .await?;
            with.flush().await?;
            return Ok(None);
        };
        let cmw = match with
            .attest(attester, request, Some(&self.attestations))
            .await
        {
            Ok(cmw) => cmw,
            Err(error) => {
                with.leave_with(Kind::Authenticator, &challenge.decline()?)
                    .await;
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
        asking: &Asking,
    ) -> Result<Option<Arc<PeerAttestation>>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let authenticator = with.expect(Kind::Authenticator).await?;
        let judge = Judge {
            relying_party: &asking.relying_party,
            clock: &*self.clock,
            turns: Some(&self.appraisals),
        };
        match with.decide(pending, &authenticator, judge).await {
            Ok(peer) => Ok(Some(Arc::new(peer))),
            // It said, authentically, that it does not attest after all; only a demand makes that a refusal.
            Err(error)
                if !asking.required && error.protocol() == Some(&ProtocolError::Declined) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The client is asked, by whom and how, and whether it may decline.
#[derive(Clone, Debug)]
struct Asking {
    relying_party: Arc<RelyingParty>,
    opener: Requester,
    required: bool,
}

impl Asking {
    fn of(terms: &ServerTerms, provider: &CryptoProvider) -> Result<Option<Self>, ConfigError> {
        let (relying_party, required) = match &terms.demand {
            Demand::Nothing => return Ok(None),
            Demand::IfAble(relying_party) => (relying_party, false),
            Demand::Always(relying_party) => (relying_party, true),
        };
        let parameters = Parameters::server(relying_party.media_types(), terms.order);
        Ok(Some(Self {
            relying_party: relying_party.clone(),
            opener: Requester::new(Side::Server, provider, Some(&parameters))?,
            required,
        }))
    }
}

/// Says why, to a client that would understand it.
async fn refuse<L>(with: &mut Conversation<'_, L>, challenge: &Challenge, code: RefusalCode)
where
    L: Session + AsyncRead + AsyncWrite + Unpin,
{
    if challenge.parameters().is_some() {
        let verdict = Verdict::Refused(code);
        with.leave_with(Kind::Verdict, &verdict.encode()).await;
    }
}
